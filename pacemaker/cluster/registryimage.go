package cluster

import "time"

// RegistryImage is an image in the cluster's registry.
type RegistryImage struct {
	App      ID // whose repository it is in
	Build    ID // that made it: its tag
	Digest   string
	Size     int64 // bytes of its layers as they are sent, what it shares with others included
	PushedAt time.Time
}

// RegistryFate is what becomes of an image in the cluster's registry, and why.
type RegistryFate struct {
	RegistryImage
	AppName  string   // empty when the app is gone
	Releases []string // labels, the newest first
	Collect  bool     // it will be removed
	Because  string
}
