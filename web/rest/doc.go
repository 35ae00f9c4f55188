// Package rest is what every group of operations of the HTTP API shares: the
// framework's set-up, how an operation is registered, problem documents, pages
// of lists, repeats of writes, and what becomes of a body that is refused. It
// holds no operation and knows no user.
package rest
