// Package web is the daemon's HTTP front: servers with their limits, health,
// readiness and metrics. The API is in web/api, the push endpoint in web/git.
package web
