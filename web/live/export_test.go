package live

import "aorta/web/live/hub"

// What the tests outside the package measure by.
const SparkSteps = sparkSteps

// NewSource is what the hub computes topics with.
func NewSource(cfg Config) hub.Source { return newWatcher(New(cfg), cfg.Recents) }
