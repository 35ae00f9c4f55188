package redisq

import (
	"strconv"
	"strings"

	"aorta/jobs"
)

// Every key of the jobs Redis is made here.
//
//	key                 type    writer          readers        lifetime
//	{jobs}:own          hash    keeper          keeper         for ever (the present keeper: cluster, epoch, owner)
//	{jobs}:trees        set     keeper          keeper         for ever; an id as long as its tree is kept
//	{jobs}:queues       set     keeper          keeper         for ever
//	{jobs}:periodic     hash    keeper          keeper         for ever (name of a periodic tree → its last slot)
//	{jobs}:out          stream  keeper          keeper         for ever; an entry until the reader has woken
//	{t:TREE}:tree       hash    keeper          keeper         until the tree's end was handed over
//	                            (cluster, epoch, owner, v, meta, j:<id> each);
//	                            without v: the mark of a tree that was lost, an hour
//	{O}:own             hash    keeper          keeper         for ever (the fence of what is queued)
//	{O}:q:<priority>    stream  keeper, worker  worker         for ever, with the group; an entry until the outcome is said
//	{O}:j:<job>         hash    keeper          worker         while the job is queued or runs, at most until its tree is deleted
//	                            (job, token, entry, abort)
//	{O}:j:<job>:log     stream  keeper, worker  keeper         until its tree is deleted; about 2000 lines
//	{O}:out             stream  worker          keeper         for ever; an entry until it is worked in
//	{O}:beat            hash    worker, keeper  keeper         lease token → beats; a field while the lease lives (a late one until the
//	                            next sweep that checks the queue)
//
// O is a queue's owner, "n:<node>" or "r:<role>". Channels: {jobs}:changed
// (keeper → watchers), {O}:ctl (keeper → workers), {O}:log (worker → watchers).
const (
	keyOwner       = "{jobs}:own"
	keyTrees       = "{jobs}:trees"
	keyQueues      = "{jobs}:queues"
	keyPeriodic    = "{jobs}:periodic"
	keyWake        = "{jobs}:out"
	channelChanged = "{jobs}:changed"
	channelLogs    = "{*}:log"
	group          = "w" // the one consumer group of every queue
	logTail        = ":log"
)

// logLines bounds a job's log.
const logLines = 2000

// priorities is how many streams a queue has.
const priorities = jobs.Low + 1

func treeKey(id string) string { return "{t:" + id + "}:tree" }

// queueKeys makes the keys of one queue.
type queueKeys string

func keysOf(q jobs.Queue) queueKeys { return queueKeys("{" + q.Owner + "}:") }

func (k queueKeys) own() string             { return string(k) + "own" }
func (k queueKeys) out() string             { return string(k) + "out" }
func (k queueKeys) beat() string            { return string(k) + "beat" }
func (k queueKeys) control() string         { return string(k) + "ctl" }
func (k queueKeys) logs() string            { return string(k) + "log" }
func (k queueKeys) job(id string) string    { return string(k) + "j:" + id }
func (k queueKeys) jobLog(id string) string { return k.job(id) + logTail }
func (k queueKeys) stream(priority int) string {
	return string(k) + "q:" + strconv.Itoa(priority)
}

// NodeLogs is the pattern of the logs that a node's user may write.
func NodeLogs(nodeID string) string { return keysOf(jobs.NodeQueue(nodeID)).jobLog("*") }

// ownerOfOut is the key of the fence beside an out stream.
func ownerOfOut(stream string) string { return strings.TrimSuffix(stream, "out") + "own" }

// queueOfOut is the inverse of out: whose stream is this?
func queueOfOut(stream string) (jobs.Queue, bool) {
	const tail = "}:out"
	if len(stream) <= len(tail)+1 || stream[0] != '{' || stream[len(stream)-len(tail):] != tail {
		return jobs.Queue{}, false
	}
	q := jobs.Queue{Owner: stream[1 : len(stream)-len(tail)]}
	return q, q.Validate() == nil
}
