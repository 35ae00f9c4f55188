package docker

import "testing"

func TestUpperDirIn_BelievesTheContainersOwnMounts(t *testing.T) {
	const mounts = `715 543 0:62 / / rw,relatime master:1 - overlay overlay rw,lowerdir=/d/snapshots/4/fs:/d/snapshots/3/fs,upperdir=/d\040x/snapshots/5/fs,workdir=/d/snapshots/5/work
716 715 0:65 / /proc rw,nosuid - proc proc rw
720 715 254:0 /docker/containers/abc/hostname /etc/hostname rw,relatime - ext4 /dev/vda rw
broken
`
	for name, tt := range map[string]struct{ mounts, container, want string }{
		"its own":         {mounts, "abc", "/d x/snapshots/5/fs"},
		"another process": {mounts, "abcd", ""},
		"another's":       {mounts, "bc", ""},
		"no overlay":      {"720 715 254:0 /docker/containers/abc/hostname /etc/hostname rw - ext4 /dev/vda rw\n", "abc", ""},
		"nothing":         {"", "abc", ""},
	} {
		if got := upperDirIn(tt.mounts, tt.container); got != tt.want {
			t.Errorf("%s: got %q, want %q", name, got, tt.want)
		}
	}
}
