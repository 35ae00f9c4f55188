package overview

import (
	"fmt"
	"slices"
	"time"

	"aorta/internal/duration"
	"aorta/pacemaker/cluster"
)

// fewFree is the part of a router's connections below which there are few.
const fewFree = 16

// oldTable is the age from which on a router's table may lack a change.
const oldTable = 15 * time.Second

// isReplica says whether the part is a replica that is out of order, of which is told
// by itself.
func (p Part) isReplica() bool { return p.Kind == cluster.PartRedis && p.Fault != "" }

// unreached are the nodes that report, and that a router does not reach: what is on
// the way is broken.
func (g Snapshot) unreached() []Concern {
	var out []Concern
	for _, from := range g.Nodes {
		for _, to := range g.Nodes {
			if to.Unheard || from.Unheard || from.reaches(to) || g.mayBeLost(to) || g.mayBeLost(from) {
				continue
			}
			out = append(out, Concern{
				Severity: SeverityWarn, Kind: "router", ID: string(from.ID) + " " + string(to.ID),
				Text: fmt.Sprintf("The router on %s does not reach node %s at %s, so it asks instances elsewhere: check the network between the two, or give %[2]s an address that all nodes reach (--node-address).", from.Name, to.Name, to.Address),
			})
		}
	}
	return out
}

// routerConcerns are what is wrong with a router that reports.
func (n Node) routerConcerns() []Concern {
	var out []Concern
	add := func(severity Severity, id, format string, args ...any) {
		out = append(out, Concern{Severity: severity, Kind: "router", ID: string(n.ID) + id, Text: fmt.Sprintf(format, args...)})
	}
	if n.RouterBehind != "" {
		add(SeverityBad, " behind", "The router on %s does not take the newest routes: %s. Changes no longer wait for it: check nginx.log in its data directory.", n.Name, n.RouterBehind)
	}
	if n.Router.Age >= oldTable && !slices.ContainsFunc(n.Parts, Part.isReplica) {
		add(SeverityBad, " age", "The router on %s has heard of no change of routes for %s: it serves what it has. See whether the pacemaker's node can be reached from there.", n.Name, duration.Text(n.Router.Age.Truncate(time.Second)))
	}
	for _, pid := range n.Router.Stuck {
		add(SeverityWarn, fmt.Sprintf(" %d", pid), "Worker %d of the router on %s does not follow the routing table and is replaced if that lasts: check nginx.log in its data directory.", pid, n.Name)
	}
	if n.Router.Free*fewFree < n.Router.Connections {
		add(SeverityBad, " connections", "The router on %s has %d of %d connections left: find who takes them (ss -tn), or raise its limit of open files.", n.Name, n.Router.Free, n.Router.Connections)
	}
	for _, l := range n.Router.Limits {
		switch l.Kind {
		case "app":
			add(SeverityWarn, " app "+l.Name, "%s has as many requests in flight as the router on %s has room for (%d connections), and %d were refused: it answers too slowly (see aorta stats -a %[1]s).", l.Name, n.Name, l.Held, l.Refused)
		default:
			add(SeverityWarn, " client "+l.Name, "Client %s has as many connections as the router on %s has room for (%d), and %d more were refused: block it, or name it by --router-trusted-proxies if it is a proxy.", l.Name, n.Name, l.Held, l.Refused)
		}
	}
	return out
}
