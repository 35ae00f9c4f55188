package docker

import (
	"strings"
	"testing"

	"github.com/moby/moby/api/types/container"

	"aorta/pacemaker/cluster"
)

func TestStartable_RefusesWhatTheKernelWould(t *testing.T) {
	large := strings.Repeat("x", cluster.MaxStartString-2)
	env := func(n int) []string {
		var list []string
		for i := range n {
			list = append(list, string(rune('A'+i))+"="+large)
		}
		return list
	}
	cases := map[string]struct {
		config container.Config
		image  ImageRun
		want   string
	}{
		"small":                    {container.Config{Env: []string{"A=1"}}, ImageRun{Command: []string{"/app"}}, ""},
		"as long as may be":        {container.Config{Env: env(8)}, ImageRun{Env: env(8)}, ""},
		"vars and image":           {container.Config{Env: env(8)}, ImageRun{Env: env(16)}, "the image's ENV 1048"},
		"one var of the image":     {container.Config{}, ImageRun{Env: []string{"CERT=" + large + "more"}}, "ENV CERT is 131078 bytes"},
		"a replaced one":           {container.Config{Env: []string{"CERT=x"}}, ImageRun{Env: []string{"CERT=" + large + "more"}}, ""},
		"an argument":              {container.Config{Entrypoint: []string{"/bin/sh", "-c", large + "more"}}, ImageRun{}, "an argument of its command is 131073 bytes"},
		"an argument of the image": {container.Config{}, ImageRun{Command: []string{large + "more"}}, "an argument of its command"},
	}
	for name, c := range cases {
		err := startable(&c.config, Image{ImageRun: c.image})

		if (err == nil) != (c.want == "") || err != nil && !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: got %v, want %q", name, err, c.want)
		}
	}
}
