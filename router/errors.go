package router

import "errors"

// ErrFenced says that another process has claimed the routing table since, or
// with a higher epoch. Whoever gets it must stop publishing.
var ErrFenced = errors.New("the routing table belongs to another publisher by now")
