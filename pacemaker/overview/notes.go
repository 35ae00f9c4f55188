package overview

import (
	"context"
	"fmt"
	"strings"
)

// fewHosts is how many hosts a note names.
const fewHosts = 3

// Notes are what is good to know and waits for nobody, each with what may be done.
func (o *Overview) Notes(ctx context.Context) ([]string, error) {
	hosts, err := o.cfg.Store.FormerHosts(ctx)
	if err != nil || len(hosts) == 0 {
		return []string{}, err
	}
	names := make([]string, 0, fewHosts)
	for _, h := range hosts[:min(fewHosts, len(hosts))] {
		names = append(names, h.Host)
	}
	if len(hosts) > fewHosts {
		names = append(names, "…")
	}
	return []string{fmt.Sprintf("Apps are still served at hosts of an earlier cluster domain: %s (once nobody uses one any more: aorta domains remove -a %s %s).",
		strings.Join(names, ", "), hosts[0].App, hosts[0].Host)}, nil
}
