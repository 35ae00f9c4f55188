package stats

import (
	_ "embed"
	"errors"

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

// TailerRules are the ACL rules of the user that a router logs in as: Positions,
// Commit and Durable, no reading of anyone's numbers. A script's commands need the
// caller's rights too, so each kind of key has those that the commit script does
// there: numbers can be added to, and only the router's own position is set. EVALSHA
// without EVAL calls what is loaded already, see TailerScripts: a script of a router's
// own could block the server for ever.
func TailerRules(router string) string {
	const numbers = "~{s:*}:1s:* ~{s:*}:total:* ~{s:*}:due:* ~{s:*}:apps"
	position := "~{s:*}:pos:" + router
	return numbers + " " + position + " +evalsha" +
		" +multi +exec +ping +info +bgsave +bgrewriteaof +cluster|slots +cluster|shards" +
		" (" + position + " +get +set +del)" +
		" (~{s:*}:1s:* +append) (~{s:*}:total:* +hincrby) (~{s:*}:due:* ~{s:*}:apps +zadd)"
}

// TailerScripts are the scripts that have to be loaded for users with TailerRules.
func TailerScripts() []string { return []string{commitText, commitBeforeText} }

//go:embed commit.lua
var commitText string

// commitBeforeText is what routers of the version before commit by: they are upgraded
// after the pacemaker, and count meanwhile.
//
//go:embed commit_before.lua
var commitBeforeText string

//go:embed move.lua
var moveText string

//go:embed next.lua
var nextText string

//go:embed forget.lua
var forgetText string

var (
	commitScript = redis.NewScript(commitText)
	nextScript   = redis.NewScript(nextText)
	forgetScript = redis.NewScript(forgetText)
)
