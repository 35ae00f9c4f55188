// Package api is the REST API for people, one file per resource: what is asked,
// what is checked of it, and what is answered. It holds no state and decides
// nothing about the cluster; that is the pacemaker's. What all operations share
// is in web/rest, who may call them in web/auth, what answers show in web/view.
package api
