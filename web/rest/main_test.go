package rest_test

import (
	"testing"

	"aorta/web/internal/rig"
)

func TestMain(m *testing.M) { rig.Main(m) }
