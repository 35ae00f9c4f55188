package config

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"aorta/pacemaker/cluster"
)

func TestParseRedisURL_Good(t *testing.T) {
	for text, want := range map[string]RedisURL{
		"redis://h":                             {Addrs: []string{"h:6379"}},
		"REDISS://h:1":                          {TLS: true, Addrs: []string{"h:1"}},
		"redis://10.0.0.1:7000/":                {Addrs: []string{"10.0.0.1:7000"}},
		"redis://:pw@h/3":                       {Addrs: []string{"h:6379"}, Password: "pw", DB: 3},
		"rediss://ann:p%40%2F%25@[2001:db8::1]": {TLS: true, Addrs: []string{"[2001:db8::1]:6379"}, User: "ann", Password: "p@/%"},
		"redis://a:b:c@r_1.local.:65535":        {Addrs: []string{"r_1.local.:65535"}, User: "a", Password: "b:c"},
		"redis://u:p@h1:1,h2,[::1]:3/0":         {Addrs: []string{"h1:1", "h2:6379", "[::1]:3"}, User: "u", Password: "p"},
	} {
		got, err := ParseRedisURL("f", text)

		if diff := cmp.Diff(want, got); err != nil || diff != "" {
			t.Errorf("%s: error %v, (-want +got):\n%s", text, err, diff)
		}
	}
}

func TestParseRedisURL_BadIsRefusedWithoutItsLogin(t *testing.T) {
	for text, want := range map[string]string{
		"h:1":                         "redis://",
		"http://:hush@h":              "redis://",
		"unix:///hush":                "redis://",
		"redis://":                    "address 1",
		"redis:///0":                  "address 1",
		"redis://ann:hush":            "address 1",
		"redis://:hush@":              "address 1",
		"redis://:hush@h:0":           "address 1",
		"redis://:hush@h:65536":       "address 1",
		"redis://:hush@h,":            "address 2",
		"redis://:hush@h,-hush":       "address 2",
		"redis://:hush@h h":           "address 1",
		"redis://hush@h":              "no password",
		"redis://@h":                  "no password",
		"redis://:hush%zz@h":          "%25",
		"redis://:hu/sh@h":            "%2F",
		"redis://:hu@sh@h":            "%40",
		"redis://:hush#@h":            "%23",
		"redis://:hush@h?db=1":        "no options",
		"redis://:hush@h/x":           "number",
		"redis://:hush@h/-1":          "number",
		"redis://:hush@h/1/2":         "number",
		"redis://:hush@h/99999999999": "number",
		"redis://:hush@h1,h2/1":       "database 0 alone",
	} {
		_, err := ParseRedisURL("jobs_redis_url", text)

		if cluster.CodeOf(err) != cluster.CodeInvalid || !strings.HasPrefix(err.Error(), "jobs_redis_url: ") || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: got %v, want it invalid with %q", text, err, want)
		}
		if err != nil && strings.Contains(err.Error(), "hush") {
			t.Errorf("%s: the error shows the log-in: %v", text, err)
		}
	}
}

func FuzzParseRedisURL(f *testing.F) {
	for _, s := range []string{"redis://h", "rediss://u:p@h1:1,[::1]:2/0", "redis://:%40@h/9", "redis://[", "redis://a@b@c,,/"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		u, err := ParseRedisURL("f", s)

		if err == nil && (len(u.Addrs) == 0 || u.DB < 0 || len(u.Addrs) > 1 && u.DB != 0) {
			t.Errorf("%q: got %+v", s, u)
		}
		const secret = "hush-hush"
		for _, login := range []string{secret + s, s + secret, "u:" + secret + s, ":" + s + secret + "@h"} {
			if _, err := ParseRedisURL("f", "redis://"+login); err != nil && strings.Contains(err.Error(), secret) {
				t.Errorf("%q: the error shows the secret: %v", login, err)
			}
		}
	})
}

func TestLoad_TheJobsRedis(t *testing.T) {
	base := []string{"--data-dir", "/d"}
	ca := write(t, "a certificate")
	for name, c := range map[string]struct {
		flags []string
		field string // that is wrong; empty: none
	}{
		"none":                   {nil, ""},
		"plain":                  {[]string{"--jobs-redis-url", "redis://:hush@h"}, ""},
		"with TLS":               {[]string{"--jobs-redis-url", "rediss://:hush@h"}, ""},
		"with an authority":      {[]string{"--jobs-redis-url", "rediss://:hush@h", "--jobs-redis-ca", ca}, ""},
		"authority without TLS":  {[]string{"--jobs-redis-url", "redis://:hush@h", "--jobs-redis-ca", ca}, "jobs_redis_ca"},
		"authority without URL":  {[]string{"--jobs-redis-ca", ca}, "jobs_redis_ca"},
		"wrong scheme":           {[]string{"--jobs-redis-url", "http://:hush@h"}, "jobs_redis_url"},
		"without that role":      {[]string{"--jobs-redis-url", "redis://h", "--roles", "heart"}, "jobs_redis_url"},
		"a heart has no need of": {[]string{"--roles", "heart"}, ""},
	} {
		cfg, _, err := Load(Sources{Flags: append(base, c.flags...)})

		if c.field == "" && err != nil || c.field != "" && (err == nil || !strings.HasPrefix(err.Error(), c.field+": ")) {
			t.Errorf("%s: got %v, want %q wrong", name, err, c.field)
		}
		shown, _ := json.Marshal(cfg)
		if all := fmt.Sprintf("%v %+v %s %s %v", cfg, cfg, cfg.Describe(), shown, err); strings.Contains(all, "hush") {
			t.Errorf("%s: what is printed shows the secret: %s", name, all)
		}
	}
}

func TestLoad_TheSecretComesFromEverySource(t *testing.T) {
	path := write(t, "data_dir: /d\njobs_redis_url: redis://:file@h\n")
	env := map[string]string{"AORTAD_JOBS_REDIS_URL": "redis://:env@h"}

	for want, s := range map[Secret]Sources{
		"redis://:file@h": {File: path},
		"redis://:env@h":  {File: path, Environ: env},
		"redis://:flag@h": {File: path, Environ: env, Flags: []string{"--jobs-redis-url", "redis://:flag@h"}},
	} {
		cfg, _, err := Load(s)

		if err != nil || cfg.JobsRedisURL != want {
			t.Errorf("got %q, %v, want %q", string(cfg.JobsRedisURL), err, string(want))
		}
	}
}

// The decoder's errors quote the lines around the wrong one.
func TestLoad_BadFilesDoNotShowTheSecret(t *testing.T) {
	for _, text := range []string{
		"data_dir: /d\njobs_redis_url: rediss://:hush@h\nroles: pacemaker\n",
		"data_dir: /d\njob_redis_url: rediss://:hush@h\n",
		"data_dir: /d\njobs_redis_url: [\"rediss://:hush@h\"]\n",
		"data_dir: /d\njobs_redis_url: 'rediss://:hush@h\n",
		"data_dir: /d\njobs_redis_url: rediss://:hush\n\tx: y\n",
	} {
		_, _, err := Load(Sources{File: write(t, text)})

		if cluster.CodeOf(err) != cluster.CodeInvalid || strings.Contains(err.Error(), "hush") {
			t.Errorf("%q: got %v, want it invalid and the secret not shown", text, err)
		}
	}
}
