package build

import (
	"slices"
	"testing"

	"aorta/heart/docker"
	"aorta/heart/docker/dockerfile"
	"aorta/pacemaker/cluster"
)

func TestRemarks_NameWhatIsNotAsTheImageSays(t *testing.T) {
	run := docker.ImageRun{
		Entrypoint: []string{"/docker-entrypoint.sh", "-v"}, Healthcheck: true, Volumes: []string{"/data"},
		Ports: []string{"5000/tcp", "80/tcp"}, Env: []string{"PATH=/bin", "PORT=80"},
	}
	always := []string{
		"what an instance writes to the image's VOLUME /data is removed with the instance",
		"the image EXPOSEs 80/tcp, where no request goes: the app has to listen on $PORT (5000)",
		"the image's ENV PORT is replaced by the platform's",
	}
	cases := map[string]struct {
		types []cluster.ProcessType
		want  []string
	}{
		"the image's own command": {[]cluster.ProcessType{{Name: "web"}}, nil},
		"a Procfile": {[]cluster.ProcessType{{Name: "web", Command: "./a"}, {Name: "worker", Command: "./b"}}, []string{
			"the image's ENTRYPOINT (/docker-entrypoint.sh -v) is not run for web, worker: the command of Procfile or aorta.yml replaces it (begin the command with it if it is needed)",
			"the image's HEALTHCHECK is not used for web, worker: the process type has a command or a health path of its own",
		}},
		"a health path": {[]cluster.ProcessType{{Name: "web", Health: cluster.Health{Path: "/up"}}}, []string{
			"the image's HEALTHCHECK is not used for web: the process type has a command or a health path of its own",
		}},
	}
	for name, c := range cases {
		if got, want := remarks(run, c.types), append(c.want, always...); !slices.Equal(got, want) {
			t.Errorf("%s: got %q, want %q", name, got, want)
		}
	}
	if got := remarks(docker.ImageRun{}, []cluster.ProcessType{{Name: "web", Command: "./a"}}); len(got) != 0 {
		t.Errorf("an image that says nothing: got %q, want nothing", got)
	}
}

func FuzzOnDockerfile(f *testing.F) {
	for _, s := range []string{"# syntax=docker/dockerfile:1\nFROM a\n", "\ufeff// syntax = x\r\n", "# escape=`\n#syntax=", "#"} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		for _, said := range onDockerfile(dockerfile.Recipe{Text: text}) {
			if len(said) > 300 {
				t.Errorf("got a remark of %d bytes", len(said))
			}
		}
	})
}
