package scripts_test

import (
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"
)

// underLoad asks for the page while something changes, a new connection each
// time: every answer has to be the page. A change that takes no time has load
// too: at least a request before and after it.
func (v *visit) underLoad(what string, change func()) {
	v.Helper()
	if v.app.says != nil {
		change()
		return
	}
	changed, ended := make(chan struct{}), make(chan []string)
	go func() { ended <- v.load(changed) }()
	defer func() {
		close(changed)
		for _, failure := range <-ended {
			v.Errorf("a request failed during %s: %s", what, failure)
		}
	}()
	change()
}

// load asks every tick until all is changed, and once more. It gives what
// failed.
func (v *visit) load(changed <-chan struct{}) (failures []string) {
	tick := time.NewTicker(100 * time.Millisecond)
	defer tick.Stop()
	for last := false; !last; {
		select {
		case <-changed:
			last = true
		case <-tick.C:
		}
		if why := v.ask(); why != "" {
			failures = append(failures, why)
		}
	}
	return failures
}

// ask is one request of the load, and gives why it failed. Where the app takes
// it, it is one that no router may repeat.
func (v *visit) ask() string {
	method := "GET"
	if v.app.program {
		method = "POST"
	}
	resp, err := sender.Do(v.request(v.T, v.app.name, method, "/"))
	if err != nil {
		return err.Error()
	}
	defer func() { _ = resp.Body.Close() }()
	page, err := io.ReadAll(resp.Body)
	if err != nil || resp.StatusCode != http.StatusOK || !strings.HasPrefix(string(page), v.app.name+" v") {
		return fmt.Sprintf("%s, %v: %.300s", resp.Status, err, page)
	}
	return ""
}
