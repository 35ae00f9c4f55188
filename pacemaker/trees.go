package pacemaker

import (
	"encoding/json"
	"fmt"
	"time"

	"aorta/jobs"
	"aorta/pacemaker/cluster"
)

// Policies say how each kind of job is tried. Starts fail for reasons that a
// second try does not mend; what only waits for others may be repeated. A build
// says itself that a failure is the source's, and final; another attempt is for
// an engine that went away or lost a layer.
// The builder bounds a build's own time; the job's has the wait for a slot in it.
func Policies() map[string]jobs.Policy {
	patient := jobs.Policy{MaxAttempts: 5, BackoffBase: time.Second, BackoffMax: 30 * time.Second}
	limit := func(p jobs.Policy, d time.Duration) jobs.Policy { p.Timeout = d; return p }
	return map[string]jobs.Policy{
		cluster.JobBuild:         {MaxAttempts: 3, BackoffBase: time.Second, BackoffMax: 10 * time.Second, Timeout: 72 * time.Hour},
		cluster.JobTurn:          limit(jobs.Policy{MaxAttempts: 1000, BackoffBase: time.Second, BackoffMax: 30 * time.Second}, 72*time.Hour),
		cluster.JobRelease:       limit(patient, time.Minute),
		cluster.JobPlace:         limit(patient, time.Minute),
		cluster.JobPlaceAnew:     limit(patient, time.Minute),
		cluster.JobInstanceStart: {MaxAttempts: 1, Timeout: 2 * time.Hour},
		cluster.JobStart:         limit(patient, time.Minute),
		// It waits for drains and stops, as long as those may take.
		cluster.JobSwap:    limit(patient, time.Hour),
		cluster.JobProvide: limit(patient, time.Minute),
		// Its change serves once this has begun: it waits for whatever is away.
		cluster.JobPublish: limit(jobs.Policy{MaxAttempts: 1000, BackoffBase: time.Second, BackoffMax: 30 * time.Second}, 5*time.Minute),
		cluster.JobDeploy:  limit(patient, time.Minute),
		cluster.JobDestroy: limit(patient, 5*time.Minute),
		// It waits for room, if need be, and for whatever is away.
		cluster.JobEmptyNode:     limit(jobs.Policy{MaxAttempts: 1000, BackoffBase: time.Second, BackoffMax: 30 * time.Second}, 24*time.Hour),
		cluster.JobDrain:         limit(patient, 15*time.Minute),
		cluster.JobInstanceStop:  limit(patient, 15*time.Minute),
		cluster.JobFinish:        limit(patient, time.Minute),
		cluster.JobTidy:          limit(patient, 5*time.Minute),
		cluster.JobPrune:         limit(patient, 10*time.Minute),
		cluster.JobRegistryPrune: limit(patient, 10*time.Minute),
		cluster.JobPack:          {MaxAttempts: 1, Timeout: 9 * time.Minute},
		cluster.JobImagePrune:    {MaxAttempts: 2, BackoffBase: time.Second, Timeout: 10 * time.Minute},
	}
}

// pacemakerQueue has the pacemaker's own jobs.
var pacemakerQueue = jobs.RoleQueue(string(cluster.RolePacemaker))

// TurnQueue has the jobs of those that wait for other jobs: none may hold up what it
// waits for.
var TurnQueue = jobs.RoleQueue("turns")

// builderQueue is shared by all builders.
var builderQueue = jobs.RoleQueue(string(cluster.RoleBuilder))

// treeOf makes an operation's tree. It is the same each time, ids included, so
// that a tree that was lost can be planted again.
func (p *Pacemaker) treeOf(op cluster.Operation, subject jobs.Subject, retired []cluster.Instance) (jobs.Spec, error) {
	b := treeBuilder{op: op, subject: subject}
	args, err := op.Request()
	if err != nil {
		return jobs.Spec{}, err
	}
	switch op.Kind {
	case cluster.OpDeploy:
		build := b.job(cluster.JobBuild, builderQueue, "Build the image", cluster.BuildArgs{Operation: op.ID, Build: args.Build})
		turn := b.job(cluster.JobTurn, TurnQueue, "Wait for its turn", cluster.OperationArgs{Operation: op.ID}, build)
		return b.rollout(b.own(cluster.JobRelease, "Make the release", turn)), nil
	case cluster.OpRelease:
		return b.rollout(b.own(cluster.JobRelease, "Make the release")), nil
	case cluster.OpScale, cluster.OpRestart, cluster.OpStop:
		return b.rollout(), nil
	case cluster.OpReplace:
		return b.root(cluster.JobFinish, b.own(cluster.JobPlace, "Start instances")), nil
	case cluster.OpRebuild:
		return b.root(cluster.JobFinish, b.job(cluster.JobBuild, builderQueue, "Build the image again", cluster.BuildArgs{Operation: op.ID, Build: args.Build})), nil
	case cluster.OpDestroy:
		return b.root(cluster.JobDestroy, b.own(cluster.JobPublish, "Take it out of the routes")), nil
	case cluster.OpRetire:
		return b.root(cluster.JobFinish, b.stops(retired)...), nil
	case cluster.OpDrain:
		return b.root(cluster.JobFinish, b.job(cluster.JobEmptyNode, pacemakerQueue, "Move instances", cluster.NodeArgs{Node: op.NodeID})), nil
	case cluster.OpPrune:
		return b.root(cluster.JobFinish, b.prunes(args)...), nil
	}
	return jobs.Spec{}, fmt.Errorf("operation %s is of an unknown kind %q", op.ID, op.Kind)
}

// treeBuilder makes the specs of one operation, with ids that follow from its id.
type treeBuilder struct {
	op      cluster.Operation
	subject jobs.Subject
}

func (b treeBuilder) job(kind string, q jobs.Queue, title string, args any, children ...jobs.Spec) jobs.Spec {
	return jobs.Spec{
		ID: string(cluster.DeriveID(b.op.ID, kind, 0)), Kind: kind, Queue: q, Title: title,
		Subject: b.subject, Args: encoded(args), Children: children, Priority: jobs.Normal,
	}
}

func encoded(args any) []byte {
	raw, err := json.Marshal(args)
	if err != nil {
		panic(fmt.Sprintf("encode the arguments of a job: %v", err)) // ids only: it can't fail
	}
	return raw
}

func (b treeBuilder) own(kind, title string, children ...jobs.Spec) jobs.Spec {
	return b.job(kind, pacemakerQueue, title, cluster.OperationArgs{Operation: b.op.ID}, children...)
}

// root has the operation's own id and title.
func (b treeBuilder) root(kind string, children ...jobs.Spec) jobs.Spec {
	root := b.own(kind, b.op.Title, children...)
	root.ID = string(b.op.ID)
	return root
}

// rollout is the part that all changes of what runs share: place, publish, end.
func (b treeBuilder) rollout(first ...jobs.Spec) jobs.Spec {
	place := b.own(cluster.JobPlace, "Start instances", first...)
	return b.root(cluster.JobDeploy, b.own(cluster.JobPublish, "Publish the routes", place))
}

// prunes removes images on each of the nodes, and in the registry, side by side.
func (b treeBuilder) prunes(args cluster.Request) []jobs.Spec {
	nodes := args.Nodes
	if len(nodes) == 0 && !args.Registry {
		nodes = []cluster.ID{b.op.NodeID}
	}
	specs := make([]jobs.Spec, 0, len(nodes)+1)
	if args.Registry {
		prune := b.job(cluster.JobRegistryPrune, pacemakerQueue, "Remove images that nothing needs from the registry", cluster.PruneArgs{App: b.op.AppID})
		prune.Priority = jobs.Low
		specs = append(specs, prune)
	}
	for _, id := range nodes {
		prune := b.job(cluster.JobImagePrune, jobs.NodeQueue(string(id)), "Remove images that nothing needs", cluster.PruneArgs{Node: id, App: b.op.AppID})
		prune.ID = string(cluster.DeriveID(b.op.ID, "prune/"+string(id), 0))
		prune.Priority = jobs.Low
		specs = append(specs, prune)
	}
	return specs
}

// stops drains and stops each instance, all of them side by side.
func (b treeBuilder) stops(list []cluster.Instance) []jobs.Spec {
	specs := make([]jobs.Spec, 0, len(list))
	for _, in := range list {
		args := cluster.InstanceArgs{Operation: b.op.ID, Instance: in.ID}
		drain := b.job(cluster.JobDrain, pacemakerQueue, "Drain "+in.Name(), args)
		drain.ID = string(cluster.DeriveID(b.op.ID, "drain/"+string(in.ID), 0))
		stop := b.job(cluster.JobInstanceStop, jobs.NodeQueue(string(in.NodeID)), "Stop "+in.Name(), args, drain)
		stop.ID = string(cluster.DeriveID(b.op.ID, "stop/"+string(in.ID), 0))
		stop.Priority = jobs.High
		specs = append(specs, stop)
	}
	return specs
}
