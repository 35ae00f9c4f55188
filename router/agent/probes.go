package agent

import (
	"context"
	"errors"
	"fmt"
	"time"

	"aorta/internal/procs"
	"aorta/internal/watch"
	"aorta/pacemaker/cluster"
)

// lateCount is the age of a line of the access log from which on it is said that
// it is not counted.
const lateCount = 30 * time.Second

// Probes use the router's parts as requests, changes of the table and numbers do.
func (a *Agent) Probes() []watch.Probe {
	nginx := watch.Probe{
		Kind: cluster.PartRouter, Name: "router", Roles: []cluster.Role{cluster.RoleRouter}, Use: a.checkNginx,
		Silent: fmt.Sprintf("The router does not answer requests on %s: its log, %s, says why.", a.cfg.Listen, a.path("nginx.log")),
	}
	counts := watch.Probe{
		Kind: cluster.PartRouter, Name: "access log", Roles: []cluster.Role{cluster.RoleRouter}, Use: a.checkCounts,
		Silent: "The router's access log can't be read: see aortad's log.",
	}
	return []watch.Probe{nginx, a.replica.Probe(cluster.RoleRouter), counts}
}

// checkNginx tells of a master that hangs once the requests are answered.
func (a *Agent) checkNginx(ctx context.Context) error {
	if err := a.nginx.Check(ctx); err != nil {
		return err
	}
	err := a.nginx.CheckMaster(ctx)
	if errors.Is(err, procs.ErrHeedless) {
		return cluster.Unavailable(
			"the router's nginx serves, but its master, process %d, stands still: no worker is started in place of one that ends (resume it if it was stopped: kill -CONT %[1]d; else see its log, %s)",
			a.nginx.Pid(), a.path("nginx.log"))
	}
	return err
}

// checkCounts tells of lines that are not written, and of lines that wait for long:
// the statistics don't take them.
func (a *Agent) checkCounts(context.Context) error {
	if err := a.gap.scan(); err != nil {
		return err
	}
	if a.gap.open(time.Now()) {
		return watch.Minor(cluster.Unavailable(
			"the router's access log misses requests since the disk is full at %s: those are not counted (make room: df -h %[1]s; aortad's log says of each minute that lacks some)", a.path()))
	}
	bytes, age := a.Lag()
	if age < lateCount {
		return nil
	}
	return watch.Minor(cluster.Unavailable(
		"the numbers are late: %d kB of the router's access log are not counted yet (nothing is lost, see aortad's log for the statistics Redis)", bytes>>10))
}
