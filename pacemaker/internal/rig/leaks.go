package rig

import (
	"testing"

	"go.uber.org/goleak"
)

// Main runs a package's tests and fails if they leave goroutines behind.
func Main(m *testing.M) {
	// gorm's cache of prepared statements has no end.
	goleak.VerifyTestMain(m, goleak.IgnoreAnyFunction("gorm.io/gorm/internal/lru.NewLRU[...].func1"))
}
