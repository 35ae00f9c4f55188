package images

import (
	"testing"

	"aorta/internal/testkit"
)

func TestMain(m *testing.M) { testkit.Parallel(3); m.Run() }
