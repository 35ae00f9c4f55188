package main

import (
	"bytes"
	"context"
	"errors"
	"io"
	"strings"
	"testing"

	"aorta/web/wire"
)

func TestDashboard_PrintsTheLinkAloneOrOpensIt(t *testing.T) {
	api := newAPI(t)
	api.on("POST /session/links", 200, wire.SignInLink{Path: "/login/CODE", ExpiresAt: noon})
	link := api.URL + "/login/CODE"
	for name, c := range map[string]struct {
		terminal bool
		browser  error // what opening says
		args     []string
		out, err string // want
		opened   string
	}{
		"off a terminal":       {false, nil, nil, link + "\n", "", ""},
		"print":                {true, nil, []string{"--print"}, link + "\n", "", ""},
		"json":                 {true, nil, []string{"--json"}, `"url": "` + link + `"`, "", ""},
		"a desktop":            {true, nil, nil, "", "opened the dashboard of " + api.URL, link},
		"the page of an app":   {true, nil, []string{"-a", "shop"}, "", "opened", link + "?next=%2Fapps%2Fshop"},
		"no desktop":           {true, errNoBrowser, nil, link + "\n", "open this link in a browser", link},
		"a desktop that fails": {true, errors.New("no handler"), nil, link + "\n", "the browser can't be opened: no handler", link},
	} {
		t.Run(name, func(t *testing.T) {
			p := newCLI(t, api).program()
			p.IsTerminal = func(io.Writer) bool { return c.terminal }
			opened := ""
			p.Browse = func(_ context.Context, url string) error { opened = url; return c.browser }
			var out, errs bytes.Buffer

			code := p.Run(t.Context(), append([]string{"dashboard"}, c.args...), strings.NewReader(""), &out, &errs)

			if code != exitDone || opened != c.opened {
				t.Errorf("got exit code %d and %q opened, want %q", code, opened, c.opened)
			}
			if !strings.Contains(out.String(), c.out) || c.out == "" && out.Len() > 0 {
				t.Errorf("got the output %q, want %q", out.String(), c.out)
			}
			if !strings.Contains(errs.String(), c.err) || c.err == "" && errs.Len() > 0 {
				t.Errorf("got the messages %q, want %q", errs.String(), c.err)
			}
		})
	}
}
