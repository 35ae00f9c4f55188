package main

import (
	"strings"
	"testing"

	"aorta/internal/config"
	"aorta/nginx"
	"aorta/web/auth"
)

// The router keeps the dashboard's session from apps by its name.
func TestRouter_KnowsTheSessionsName(t *testing.T) {
	t.Parallel()
	text, err := nginx.Files.ReadFile("lua/aorta/cookies.lua")
	if err != nil {
		t.Fatal(err)
	}
	conf, err := nginx.Files.ReadFile("nginx.conf.tmpl")
	if err != nil {
		t.Fatal(err)
	}

	if !strings.Contains(string(text), `["`+auth.CookieName+`"]`) || !strings.Contains(string(conf), `"~`+auth.CookieName+`\s*="`) {
		t.Errorf("the router strips cookies of other names than %s", auth.CookieName)
	}
}

// Look-alikes of the dashboard's name are the one spelling that routes have.
func TestDaemon_OwnHostIsSpelledAsRoutesAre(t *testing.T) {
	t.Parallel()
	for public, want := range map[string]string{
		"":                               "",
		"https://Dash.Example.COM/":      "dash.example.com",
		"https://dash.example.com.:8443": "dash.example.com",
		"https://däsh.example.com":       "xn--dsh-qla.example.com",
		"http://127.0.0.1:7420":          "127.0.0.1",
	} {
		d := &daemon{cfg: config.Config{PublicURL: public}}

		if got := d.ownHost(); got != want {
			t.Errorf("%s: got %q, want %q", public, got, want)
		}
	}
}
