package docker

import (
	"strings"
	"testing"
)

func TestPushedDigest_IsThatOfTheLastLine(t *testing.T) {
	digest := "sha256:" + strings.Repeat("a1", 32)
	for line, want := range map[string]string{
		"v1: digest: " + digest + " size: 746":             digest,
		"The push refers to repository [127.0.0.1:1/shop]": "",
		"v1: digest: " + digest:                            "",
		"v1: digest: sha256:short size: 3":                 "",
		"digest: " + digest + " size: 746":                 "",
		"":                                                 "",
	} {
		if got, is := pushedDigest(line); is != (want != "") || is && got != want {
			t.Errorf("%q: got %q %v, want %q", line, got, is, want)
		}
	}
}
