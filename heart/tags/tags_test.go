package tags_test

import (
	"context"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"aorta/heart/tags"
	"aorta/internal/testkit"
	"aorta/pacemaker/cluster"
)

// program writes an executable of a shell's lines.
func program(t *testing.T, lines string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "tags")
	testkit.Must(t, os.WriteFile(path, []byte("#!/bin/sh\n"+lines), 0o700))
	return path
}

// finder runs all sources until the test ends.
func finder(t *testing.T, cfg tags.Config) *tags.Finder {
	t.Helper()
	cfg.Log = slog.New(slog.DiscardHandler)
	f := tags.New(cfg)
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan struct{}, 2)
	go func() { _ = f.AskCloud(ctx); ended <- struct{}{} }() // ends with stop
	go func() {                                              // ends with stop
		if cfg.Program != "" {
			_ = f.RunProgram(ctx)
		}
		ended <- struct{}{}
	}()
	t.Cleanup(func() { stop(); <-ended; <-ended })
	return f
}

func TestFinder_TheStrongerSourceWins(t *testing.T) {
	f := finder(t, tags.Config{
		Configured: map[string]string{"zone": "a"},
		Program:    program(t, "echo '# of this machine'\necho\necho zone=b\necho region=north\necho disk=ssd\necho arch="),
		Cloud:      &tags.Cloud{DMI: firmware(t, "sys_vendor", "Hetzner"), Base: service(t, hetzner())},
	})

	testkit.Eventually(t, "all sources", func() bool {
		found := f.Found()
		return found.Sources["disk"] == cluster.TagProgram && found.Sources["cloud"] == cluster.TagCloud
	})

	found := f.Found()
	for key, want := range map[string]struct {
		value  string
		source cluster.TagSource
	}{
		"zone": {"a", cluster.TagConfigured}, "region": {"north", cluster.TagProgram}, "disk": {"ssd", cluster.TagProgram},
		"arch": {"", cluster.TagProgram}, "cloud": {"hetzner", cluster.TagCloud}, "os": {"linux", cluster.TagPlatform},
	} {
		if found.Tags[key] != want.value || found.Sources[key] != want.source {
			t.Errorf("%s is %q from %q, want %q from %q", key, found.Tags[key], found.Sources[key], want.value, want.source)
		}
	}
	if err := cluster.ValidateTags("tags", found.Tags); err != nil || f.Fault() != nil {
		t.Errorf("the cluster says of %v: %v; the program's fault is %v", found.Tags, err, f.Fault())
	}
}

func TestFinder_SaysWhatIsWrongWithTheProgram(t *testing.T) {
	for name, c := range map[string]struct{ path, says string }{
		"missing":     {"/nonexistent/tags", "failed: fork/exec /nonexistent/tags: no such file or directory"},
		"a folder":    {t.TempDir(), "permission denied"},
		"fails":       {program(t, "echo 'no key' >&2\nexit 3"), "failed: exit status 3: no key"},
		"endless":     {program(t, "while :; do echo xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx; done"), "printed more than 64 kB"},
		"hangs":       {program(t, "sleep 1000 & sleep 1000"), "took longer than 5s"},
		"no tag":      {program(t, "echo a=1\necho nothing"), `line 2 is not KEY=VALUE: "nothing"`},
		"twice":       {program(t, "echo a=1\necho a=2"), "line 2 gives a a second time"},
		"wrong key":   {program(t, "echo A=1"), `"A" is no name of a tag`},
		"wrong value": {program(t, "echo 'a=<b>'"), `is no value of a tag`},
		"too many":    {program(t, "for i in $(seq 40); do echo a$i=1; done"), "at most 32 tags"},
		"environment": {program(t, `[ -z "$AORTA_TEST_SECRET" ] && exit 9; exit 1`), "exit status 9"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Setenv("AORTA_TEST_SECRET", "x")
			f := finder(t, tags.Config{Program: c.path})

			testkit.Eventually(t, "a fault", func() bool { return f.Fault() != nil })

			if fault := f.Fault().Error(); !strings.Contains(fault, c.path) || !strings.Contains(fault, c.says) || !strings.HasSuffix(fault, "; it has given no tags since aortad started") {
				t.Errorf("got %q, want one with %q, and that there were no tags", fault, c.says)
			}
			if found := f.Found(); found.Tags["os"] != "linux" {
				t.Errorf("the other tags are gone: %v", found)
			}
		})
	}
}

// firmware is a folder of the firmware's words.
func firmware(t *testing.T, file, text string) string {
	t.Helper()
	dir := t.TempDir()
	testkit.Must(t, os.WriteFile(filepath.Join(dir, file), []byte(text+"\n"), 0o600))
	return dir
}

// service is a metadata service that answers what it is given and fails the rest.
func service(t *testing.T, answers map[string]string) string {
	t.Helper()
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		for _, header := range []string{"X-aws-ec2-metadata-token", "Metadata-Flavor", "Metadata"} {
			if v := r.Header.Get(header); v != "" {
				w.Header().Set("Asked-With", header)
				r.URL.Path = header + "=" + v + " " + r.URL.Path
			}
		}
		answer, known := answers[r.Method+" "+r.URL.Path]
		if !known {
			http.Error(w, "unknown", http.StatusNotFound)
			return
		}
		_, _ = w.Write([]byte(answer))
	}))
	t.Cleanup(s.Close)
	return s.URL
}

func hetzner() map[string]string {
	return map[string]string{"GET /hetzner/v1/metadata/region": "eu-central", "GET /hetzner/v1/metadata/availability-zone": "fsn1-dc14\n"}
}

func TestCloud_AsksEachInItsWay(t *testing.T) {
	for name, c := range map[string]struct {
		file, says string
		answers    map[string]string
		want       string
	}{
		"aws": {"sys_vendor", "Amazon EC2", map[string]string{
			"PUT /latest/api/token": "T",
			"GET X-aws-ec2-metadata-token=T /latest/meta-data/placement/region":            "eu-central-1",
			"GET X-aws-ec2-metadata-token=T /latest/meta-data/placement/availability-zone": "eu-central-1a",
			"GET X-aws-ec2-metadata-token=T /latest/meta-data/instance-type":               "t3.large",
		}, "eu-central-1 eu-central-1a t3.large"},
		"gcp": {"sys_vendor", "Google", map[string]string{
			"GET Metadata-Flavor=Google /computeMetadata/v1/instance/zone":         "projects/12/zones/europe-west1-b",
			"GET Metadata-Flavor=Google /computeMetadata/v1/instance/machine-type": "projects/12/machineTypes/e2-small",
		}, "europe-west1 europe-west1-b e2-small"},
		"azure": {"chassis_asset_tag", "7783-7084-3265-9085-8269-3286-77", map[string]string{
			"GET Metadata=true /metadata/instance/compute": `{"location":"westeurope","zone":"2","vmSize":"Standard_D2s_v3","other":1}`,
		}, "westeurope 2 Standard_D2s_v3"},
		"hetzner":      {"sys_vendor", "Hetzner", hetzner(), "eu-central fsn1-dc14 "},
		"digitalocean": {"sys_vendor", "DigitalOcean", map[string]string{"GET /metadata/v1/region": "fra1"}, "fra1  "},
		"openstack":    {"product_name", "OpenStack Nova", map[string]string{"GET /openstack/latest/meta_data.json": `{"availability_zone":"nova"}`}, " nova "},
	} {
		cloud := tags.Cloud{DMI: firmware(t, c.file, c.says), Base: service(t, c.answers)}

		got, err := cloud.Find(t.Context())

		if text := got["region"] + " " + got["zone"] + " " + got["machine"]; err != nil || got["cloud"] != name || text != c.want {
			t.Errorf("%s: got %v, %v; want %q", name, got, err, c.want)
		}
	}
}

func TestCloud_OtherMachinesAskNobody(t *testing.T) {
	for _, vendor := range []string{"", "QEMU", "Dell Inc.", "Microsoft Corporation"} {
		cloud := tags.Cloud{DMI: firmware(t, "sys_vendor", vendor), Base: "http://127.0.0.1:1"}
		if got, err := cloud.Find(t.Context()); cloud.Known() || got != nil || err != nil {
			t.Errorf("%q: got %v, %v; want nothing asked", vendor, got, err)
		}
	}
}

// What answers in a cloud's place may say anything.
func TestCloud_AnswersAreBoundedAndCleaned(t *testing.T) {
	long := hetzner()
	long["GET /hetzner/v1/metadata/region"] = "<b>" + strings.Repeat("x", 1<<20)
	cloud := tags.Cloud{DMI: firmware(t, "sys_vendor", "Hetzner"), Base: service(t, long)}

	got, err := cloud.Find(t.Context())

	if err != nil || cluster.ValidateTags("tags", got) != nil {
		t.Errorf("got %v, %v; want tags that the cluster takes", got, err)
	}
	silent := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() }))
	t.Cleanup(silent.Close)
	cloud.Base = silent.URL
	if got, err := cloud.Find(t.Context()); err == nil {
		t.Errorf("a silent service gave %v", got)
	}
}
