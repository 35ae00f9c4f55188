package stats

import (
	_ "embed"
	"errors"
	"strings"

	"github.com/redis/go-redis/v9"
)

// Store is the stats Redis: a single server, or a Cluster.
type Store struct {
	rdb redis.UniversalClient
}

// NewStore uses a connection that must not repeat commands by itself
// (MaxRetries: -1). It belongs to the caller.
func NewStore(rdb redis.UniversalClient) *Store { return &Store{rdb: rdb} }

// ErrMoved says that the stored position is not the one that a commit started
// from: another tailer was there, an earlier answer got lost, or Redis lost its
// last moments. Read the positions and go on from them.
var ErrMoved = errors.New("the stored position is another one by now")

// ErrFull says that the pacemaker has not taken what the router committed before. What
// is not committed waits with the router.
var ErrFull = errors.New("the pacemaker has not taken yet what this router counted before: its log waits on its disk")

// TailerRules are the ACL rules of the user that a router logs in as: Positions,
// Commit and Durable. It has its positions and its inboxes, and nothing of the numbers:
// what it says was counted is judged by the Taker. A script's commands need the caller's
// rights too, so each kind of key has those that the commit script does there. EVALSHA
// without EVAL calls what is loaded already, see TailerScripts: a script of a router's
// own could block the server for ever.
func TailerRules(router string) string {
	var positions, inboxes []string
	for _, shards := range []string{"~{s:0[0-9]}:", "~{s:1[0-6]}:"} { // all, and no other
		positions = append(positions, shards+"pos:"+router)
		inboxes = append(inboxes, shards+"in:"+router)
	}
	position, inbox := strings.Join(positions, " "), strings.Join(inboxes, " ")
	return position + " " + inbox + " +evalsha" +
		" +multi +exec +ping +info +bgsave +bgrewriteaof +cluster|slots +cluster|shards" +
		" (" + position + " +get +set +del) (" + inbox + " +strlen +append)"
}

// TailerScripts are the scripts that have to be loaded for users with TailerRules.
func TailerScripts() []string { return []string{commitText} }

//go:embed commit.lua
var commitText string

//go:embed count.lua
var countText string

//go:embed move.lua
var moveText string

//go:embed next.lua
var nextText string

//go:embed forget.lua
var forgetText string

var (
	commitScript = redis.NewScript(commitText)
	countScript  = redis.NewScript(countText)
	nextScript   = redis.NewScript(nextText)
	forgetScript = redis.NewScript(forgetText)
)
