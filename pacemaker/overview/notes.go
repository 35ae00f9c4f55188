package overview

import (
	"context"
	"fmt"
	"strings"
	"time"

	"aorta/pacemaker/store"
)

// fewHosts is how many hosts a note names.
const fewHosts = 3

// Notes are what is good to know and waits for nobody, each with what may be done.
func (o *Overview) Notes(ctx context.Context) ([]string, error) {
	notes := []string{}
	former, err := o.cfg.Store.FormerHosts(ctx)
	if err != nil {
		return notes, err
	}
	if len(former) > 0 {
		notes = append(notes, formerNote(former))
	}
	held, err := o.cfg.Store.HeldHosts(ctx)
	for _, h := range held {
		notes = append(notes, fmt.Sprintf("App %s is not served at %s, which is over a domain of the cluster (to remove it: aorta domains remove -a %[1]s '%[2]s').", h.App, h.Host))
	}
	return notes, err
}

// nodeNotes are about nodes that get nothing new, though nothing is wrong with them.
func (g Snapshot) nodeNotes() []string {
	var notes []string
	for _, n := range g.Nodes {
		switch {
		case n.StateText() == nodeDrained:
			notes = append(notes, fmt.Sprintf("Node %s is drained: nothing starts there (to use it again: aorta nodes undrain %[1]s).", n.Name))
		case !n.HeldUntil.IsZero() && !n.Draining:
			notes = append(notes, fmt.Sprintf("Node %s is held: it was dead, and while others have room it gets nothing new until %s UTC.", n.Name, n.HeldUntil.UTC().Format(time.TimeOnly)))
		}
	}
	return notes
}

// formerNote names some of the hosts.
func formerNote(hosts []store.AppHost) string {
	names := make([]string, 0, fewHosts)
	for _, h := range hosts[:min(fewHosts, len(hosts))] {
		names = append(names, h.Host)
	}
	if len(hosts) > fewHosts {
		names = append(names, "…")
	}
	return fmt.Sprintf("Apps are still served at hosts of an earlier cluster domain: %s (once nobody uses one any more: aorta domains remove -a %s %s).",
		strings.Join(names, ", "), hosts[0].App, hosts[0].Host)
}
