package redisd

import (
	"log/slog"
	"strings"
	"testing"

	"aorta/internal/testkit"
)

func TestNew_RefusesWhatWouldInjectConfiguration(t *testing.T) {
	for name, change := range map[string]func(*Config){
		"two lines":           func(c *Config) { c.Extra = []string{"save 1 1\nuser x on nopass"} },
		"user name":           func(c *Config) { c.Users = []User{{Name: "a b", Password: "p"}} },
		"user admin":          func(c *Config) { c.Users = []User{{Name: "admin", Password: "p"}} },
		"user twice":          func(c *Config) { c.Users = []User{{Name: "a", Password: "p"}, {Name: "a", Password: "p"}} },
		"no password":         func(c *Config) { c.Users = []User{{Name: "a"}} },
		"rule without login":  func(c *Config) { c.Users = []User{{Name: "a", Password: "p", Rules: "+ping NOPASS"}} },
		"rule with password":  func(c *Config) { c.Users = []User{{Name: "a", Password: "p", Rules: ">x"}} },
		"no admin password":   func(c *Config) { c.AdminPassword = "" },
		"password of 2 lines": func(c *Config) { c.AdminPassword = "a\nuser x on nopass" },
		"data directory":      func(c *Config) { c.DataDir = "/tmp/a\nsave" },
		"long socket":         func(c *Config) { c.RunDir = "/" + strings.Repeat("x", 100) },
		"address":             func(c *Config) { c.Addresses = []string{"localhost:1"} },
		"two ports":           func(c *Config) { c.Addresses = []string{"127.0.0.1:1", "127.0.0.2:2"} },
		"master address":      func(c *Config) { c.ReplicaOf = &Master{Addr: "x 1\n", User: "a", Password: "p"} },
	} {
		t.Run(name, func(t *testing.T) {
			cfg := config("/tmp/root", "routes")
			change(&cfg)

			_, err := New(cfg, slog.New(slog.DiscardHandler))

			wantContains(t, err, "redis routes")
		})
	}
}

// The server reads back what quote wrote, so no value can leave its argument.
func TestQuote_ReadBackByTheServer(t *testing.T) {
	cfg := config(testkit.ShortDir(t), "routes")
	want := "a\"b\\c\x00\n'ü # $(x)"
	cfg.Extra = []string{"masterauth " + quote(want)}
	s := openServer(t, cfg)

	got, err := s.Client().ConfigGet(t.Context(), "masterauth").Result()

	if err != nil || got["masterauth"] != want {
		t.Errorf("got %q (%v), want %q", got["masterauth"], err, want)
	}
}

func FuzzQuote_StaysOnOneLine(f *testing.F) {
	f.Add("a\nb\"\\")
	f.Fuzz(func(t *testing.T, s string) {
		got := quote(s)

		inner := strings.NewReplacer(`\\`, "", `\"`, "").Replace(got[1 : len(got)-1])
		if strings.ContainsAny(got, "\n\r\x00") || strings.Contains(inner, `"`) {
			t.Errorf("got %q for %q, want one quoted argument", got, s)
		}
	})
}
