package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
	"github.com/spf13/cobra"

	"aorta/web/client/contexts"
	"aorta/web/wire"
)

// Each file is what somebody types who knows another platform: it works, or says
// what to type.
func TestGuesses_WorkOrSayWhatToType(t *testing.T) {
	api := willing(t)
	testscript.Run(t, testscript.Params{
		Dir: "testdata/guesses",
		Setup: func(e *testscript.Env) error {
			e.Setenv("HOME", e.WorkDir)
			return contexts.Offer(e.WorkDir+"/.config/aorta/config.json", "local", contexts.Context{URL: api.URL, Token: "secret"})
		},
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"aorta": func(ts *testscript.TestScript, _ bool, args []string) { guess(ts, exitDone, args) },
			"exits": func(ts *testscript.TestScript, _ bool, args []string) {
				code, err := strconv.Atoi(args[0])
				ts.Check(err)
				guess(ts, code, args[2:])
			},
			"git": func(ts *testscript.TestScript, _ bool, args []string) { ts.Check(ts.Exec("git", args...)) },
		},
	})
}

// guess runs a line of a script, of which the code is wanted.
func guess(ts *testscript.TestScript, want int, args []string) {
	p := &Program{
		Getenv: ts.Getenv, Dir: ts.MkAbs("."), Executable: "aorta", Now: func() time.Time { return noon },
		IsTerminal: func(io.Writer) bool { return false },
	}
	ctx, end := context.WithCancel(context.Background())
	defer end()
	out, errs := until{text: "followed", end: end}, bytes.Buffer{}
	code := p.Run(ctx, args, strings.NewReader(""), &out, &errs)
	_, _ = out.WriteTo(ts.Stdout())
	_, _ = errs.WriteTo(ts.Stderr())
	if code != want {
		ts.Fatalf("aorta %s: got exit code %d, want %d", strings.Join(args, " "), code, want)
	}
}

// until is an output that ends its program once it holds a text.
type until struct {
	bytes.Buffer
	text string
	end  func()
}

func (u *until) Write(p []byte) (int, error) {
	n, err := u.Buffer.Write(p)
	if strings.Contains(u.String(), u.text) {
		u.end()
	}
	return n, err
}

// willing is an API that does whatever is asked for shop.
func willing(tb testing.TB) *fakeAPI {
	tb.Helper()
	api := shop(tb)
	for _, work := range []string{"PATCH /apps/shop/config", "PATCH /apps/shop/formation", "POST /apps/shop/restart", "POST /apps/shop/stop", "POST /apps/shop/rollback"} {
		api.on(work, 202, wire.Accepted{Job: "j1"})
	}
	api.on("POST /nodes/n1/undrain", 200, wire.Node{NodeFacts: wire.NodeFacts{Name: "n1", State: "ready"}})
	api.on("POST /apps", 201, wire.App{Name: "shop"})
	api.on("POST /apps/shop/domains", 201, wire.Domain{Host: "www.example.com"})
	api.mux.HandleFunc("GET /api/v1/apps/shop/logs/stream", func(w http.ResponseWriter, r *http.Request) {
		line, _ := json.Marshal(wire.LogLine{Time: noon, Release: "v3", Type: "web", Instance: webID, Text: "followed"})
		_, _ = fmt.Fprintf(w, "event: line\ndata: %s\n\n", line)
		_ = http.NewResponseController(w).Flush()
		<-r.Context().Done()
	})
	return api
}

// A habit must not hide a command that there is, and must lead to one.
func TestHabits_LeadToCommands(t *testing.T) {
	root := rootCommand(&session{p: &Program{}})
	seen := map[string]bool{}
	for _, h := range append(append([]habit{}, habits...), absent...) {
		words := strings.Fields(h.words)
		if found, rest, err := root.Find(words); err == nil && len(rest) == 0 && found != root {
			t.Errorf("%q is a command, which a habit hides", h.words)
		}
		if seen[h.words] || (h.run == "") == (h.says == "") {
			t.Errorf("%q is there twice, or neither runs nor says one thing", h.words)
		}
		seen[h.words] = true
		if h.run == "" {
			continue
		}
		if _, rest, err := root.Find(strings.Fields(h.run)); err != nil || len(rest) > 0 && !strings.HasPrefix(rest[0], "-") {
			t.Errorf("%q leads to %q, which is no command", h.words, h.run)
		}
	}
}

// A sentence in place of a command names commands that there are.
func TestHabits_NameCommandsThatThereAre(t *testing.T) {
	root := rootCommand(&session{p: &Program{}})
	root.InitDefaultHelpCmd()
	root.InitDefaultCompletionCmd()
	for _, h := range append(append([]habit{}, habits...), absent...) {
		_, typed, found := strings.Cut(strings.ReplaceAll(h.says, "git push aorta main", ""), "aorta ")
		if !found {
			continue
		}
		var words []string
		for _, w := range strings.Fields(typed) {
			if w = strings.TrimRight(w, ";:,)"); w != strings.ToLower(w) || strings.HasPrefix(w, "-") {
				break
			}
			words = append(words, strings.Split(w, ":")...)
		}
		if cmd, _, err := root.Find(words); err != nil || cmd == root {
			t.Errorf("%q: says %q, of which %v is no command", h.words, h.says, words)
		}
	}
}

func TestSimilar_NeverEndsAnything(t *testing.T) {
	root := rootCommand(&session{p: &Program{}})
	eachCommand(root, func(cmd *cobra.Command) {
		for _, sub := range cmd.Commands() {
			for _, typed := range []string{sub.Name()[1:], sub.Name() + "x", sub.Name()[:len(sub.Name())-1]} {
				for _, s := range similar(cmd, []string{typed}) {
					for _, end := range ending {
						if lastWord(s) == end {
							t.Errorf("%s %s: suggests %q, which ends something", cmd.CommandPath(), typed, s)
						}
					}
				}
			}
		}
	})
}

// Whoever gets a command's arguments wrong reads its own words, and an example.
func TestCommands_SayWhatTheyTake(t *testing.T) {
	root := rootCommand(&session{p: &Program{}})
	eachCommand(root, func(cmd *cobra.Command) {
		if cmd.Hidden {
			return
		}
		for _, args := range [][]string{nil, {"a", "b", "c", "d"}} {
			if cmd.Args == nil {
				continue
			}
			err := cmd.Args(cmd, args)
			if err != nil && !strings.HasPrefix(err.Error(), cmd.CommandPath()) {
				t.Errorf("%s %v: got %q, want the command named", cmd.CommandPath(), args, err)
			}
		}
		if takesWords := strings.Contains(cmd.Use, " ") && !cmd.HasSubCommands(); takesWords && cmd.Example == "" && cmd.Flags().Lookup("detach") == nil {
			t.Errorf("%s has no example", cmd.CommandPath())
		}
	})
}

func eachCommand(cmd *cobra.Command, visit func(*cobra.Command)) {
	visit(cmd)
	for _, sub := range cmd.Commands() {
		eachCommand(sub, visit)
	}
}
