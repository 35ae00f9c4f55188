// Package client speaks Aorta's HTTP APIs from Go: Client the REST API that
// people and programs use, Node the API of the nodes' listener that hearts,
// routers and builders use.
//
// Every error that is not the caller's own cancellation is a *cluster.Error.
// The package prints nothing, keeps nothing on disk and knows no flags; the
// named addresses and tokens of a person are in client/contexts.
package client
