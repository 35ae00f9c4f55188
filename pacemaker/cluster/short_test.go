package cluster_test

import (
	"strings"
	"testing"

	"aorta/pacemaker/cluster"
)

func TestShort_CutsAnErrorWithoutAnotherDigest(t *testing.T) {
	t.Parallel()
	long := cluster.InstanceStatus{ID: "x", Error: "x" + strings.Repeat("é", 5000)}

	short := long.Short()

	if len(short.Error) != 2047 || short.Short() != short || !strings.HasSuffix(short.Error, "é") {
		t.Errorf("got %d bytes that end with %q, want whole letters of 2 kB", len(short.Error), short.Error[len(short.Error)-2:])
	}
	if a, b := cluster.InstanceDigest([]cluster.InstanceStatus{long}), cluster.InstanceDigest([]cluster.InstanceStatus{short}); a != b {
		t.Errorf("got the digests %s and %s, want one", a, b)
	}
}
