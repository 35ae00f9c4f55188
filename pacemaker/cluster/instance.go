package cluster

import (
	"cmp"
	"slices"
	"strings"
	"time"
)

// InstanceState only goes forward. Crashing and unheard are conditions beside
// it: a restart in place keeps the instance, its id and its port.
type InstanceState string

// The states of an instance.
const (
	InstanceAssigned InstanceState = "assigned"
	InstancePulling  InstanceState = "pulling"
	InstanceStarting InstanceState = "starting"
	InstanceRunning  InstanceState = "running"
	InstanceDraining InstanceState = "draining"
	InstanceStopped  InstanceState = "stopped"
	InstanceFailed   InstanceState = "failed"
)

var instanceRank = map[InstanceState]int{
	InstanceAssigned: 0, InstancePulling: 1, InstanceStarting: 2, InstanceRunning: 3,
	InstanceDraining: 4, InstanceStopped: 5, InstanceFailed: 5,
}

// CanBecome says whether the change is legal: any step forward is, none back.
func (s InstanceState) CanBecome(next InstanceState) bool {
	a, ok := instanceRank[s]
	b, known := instanceRank[next]
	return ok && known && b > a
}

// Ended says that the instance will never run again.
func (s InstanceState) Ended() bool { return s == InstanceStopped || s == InstanceFailed }

// Wanted says that its heart should have it running.
func (s InstanceState) Wanted() bool { return !s.Ended() && s != InstanceDraining }

// Instance is one container of one process type of one release on one node.
type Instance struct {
	ID         ID
	AppID      ID
	ReleaseID  ID
	Type       string
	NodeID     ID
	Port       int    // 0 when the type takes no traffic
	Address    string // that the port is published at; empty: its node's
	State      InstanceState
	Crashing   bool // its process ended and its heart waits to start it again
	Restarts   int
	Error      string
	Operation  ID  // the operation that asked for it
	Revision   int // of its node's wanted set when it was assigned
	CreatedAt  time.Time
	StartedAt  *time.Time // when its present process started
	CrashedAt  *time.Time // when a process of it ended by itself last, or recovered
	DrainingAt *time.Time
	GoneAt     *time.Time // when its heart reported its container gone
	// StopsAfter is the silence of its node after which it has ended, by its heart's
	// promise; 0: there is none.
	StopsAfter time.Duration
}

// PublishedAt is the address of its port, on a node that is known by that address.
func (i Instance) PublishedAt(node string) string { return cmp.Or(i.Address, node) }

// Serves says that the instance should be in the routes.
func (i Instance) Serves() bool { return i.State == InstanceRunning && !i.Crashing && i.Port != 0 }

// crashMemory is how long an instance that has crashed must run to be well again:
// one that is started again and again runs for some seconds each time.
const crashMemory = 5 * time.Minute

// What begins the error of an instance that was ended by something else, and is to
// run again at once. That is no crash.
const (
	StoppedWithNode = "it was stopped with its node" // by somebody's word
	EngineRestarted = "its Docker engine was restarted"
	ContainerGone   = "its container is gone" // somebody removed it
	CutOff          = "its container was taken out of the cluster's network"
	Unreached       = "its node did not reach the pacemaker" // see ProcessType.StopWhenCutOff
)

// TakenDown are those beginnings.
var TakenDown = []string{StoppedWithNode, EngineRestarted, ContainerGone, CutOff, Unreached}

// WasTakenDown says that an instance with that error was ended by something else.
func WasTakenDown(text string) bool {
	return slices.ContainsFunc(TakenDown, func(cause string) bool { return strings.HasPrefix(text, cause) })
}

// ComesBack says that the instance was ended by something else, and does not run
// again yet.
func (i Instance) ComesBack() bool { return i.Crashing && WasTakenDown(i.Error) }

// Troubled says that the instance is wanted and crashes, or has not run for minutes
// since it did.
func (i Instance) Troubled(now time.Time) bool {
	lately := i.CrashedAt != nil && now.Sub(*i.CrashedAt) < crashMemory
	crashes := i.Crashing && !i.ComesBack()
	return i.State.Wanted() && (crashes || i.State == InstanceRunning && lately)
}

// Name is what people call the instance: its type and its short id.
func (i Instance) Name() string { return i.Type + "." + i.ID.Short() }

// IsCalled says that a person may mean the instance by the name: its name, its
// id or its short id.
func (i Instance) IsCalled(name string) bool {
	return string(i.ID) == name || i.ID.Short() == name || i.Name() == name
}
