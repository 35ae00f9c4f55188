// Package page is the page that the Go programs among these apps serve: who
// answers, of which version, and how a config var greets. It is for nothing but
// them.
package page

import (
	"fmt"
	"net"
	"net/http"
	"os"
	"strings"
)

// Mux serves the page at /, to every method, and logs each request for it.
func Mux(app string) *http.ServeMux {
	version, err := os.ReadFile("/version")
	if err != nil {
		Die("read the version", err)
	}
	line := fmt.Sprintf("%s v%s says %s from %s\n", app, strings.TrimSpace(string(version)), os.Getenv("GREETING"), os.Getenv("HOSTNAME"))
	mux := http.NewServeMux()
	mux.HandleFunc("/{$}", func(w http.ResponseWriter, r *http.Request) {
		fmt.Println(r.Method, "/ by", r.UserAgent())
		_, _ = fmt.Fprint(w, line)
	})
	return mux
}

// Serve answers on PORT of every address until the process is ended.
func Serve(h http.Handler) {
	Die("listen", http.ListenAndServe(net.JoinHostPort("", os.Getenv("PORT")), h))
}

// Die says what could not be done and why, and ends the process with 1.
func Die(what string, err error) {
	fmt.Fprintf(os.Stderr, "%s: %v\n", what, err)
	os.Exit(1)
}
