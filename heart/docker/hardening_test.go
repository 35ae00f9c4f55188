package docker

import "testing"

func TestShellLine_ExecsSimpleCommandsOnly(t *testing.T) {
	cases := map[string]string{
		"./server -p $PORT":       "exec ./server -p $PORT",
		"python app.py > log":     "exec python app.py > log",
		"cd web && npm start":     "cd web && npm start",
		"RAILS_ENV=x rails s":     "RAILS_ENV=x rails s",
		"exec ./server":           "exec ./server",
		"(./a; ./b)":              "(./a; ./b)",
		"./migrate; ./server":     "./migrate; ./server",
		"if true; then ./a; fi":   "if true; then ./a; fi",
		"cat x | ./server --pipe": "cat x | ./server --pipe",
	}
	for command, want := range cases {
		if got := shellLine(command); got != want {
			t.Errorf("%q: got %q, want %q", command, got, want)
		}
	}
}
