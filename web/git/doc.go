// Package git is the endpoint that `git push`, fetch and clone speak to over
// HTTP, and the hook inside git that carries a push's fate back to the pusher.
//
// A push runs `git receive-pack`, which starts our proc-receive hook once the
// objects are stored. The hook connects back over a unix socket, and the
// Backend decides: its words stream to the pusher as they come, its error is
// the push's error. This package knows neither builds nor releases.
package git
