package cluster

import "time"

// App is one application: a name, a git repository, a line of releases.
type App struct {
	ID        ID
	Workspace ID
	Name      string
	// Stopped is set by `ps stop`: no instance is wanted, its formation is
	// remembered, and its hosts answer 503.
	Stopped bool
	// Destroying is set once its end was asked for: nothing starts any more.
	Destroying bool
	Requests   RequestLimits // at the routers
	Grants     []string      // capabilities that an admin granted, sorted
	CreatedAt  time.Time
	Version    int // rises with each change; an update that carries an older one loses
}

// ConfigVar is one config var in the clear. It is encrypted where it is kept.
type ConfigVar struct {
	Key   string
	Value string
}

// Weight is the share of an app's requests that a release gets, in hundredths
// of a percent (10000 is all). A release with weight is a current one.
type Weight struct {
	Release ID
	Weight  int
}

// FullWeight is all of an app's traffic.
const FullWeight = 10000
