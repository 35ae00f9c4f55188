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

// TailerRules are the ACL rules of the user that routers log in as: Positions,
// Commit and Durable, no reading of anyone's numbers.
const TailerRules = "~{s:*}:* +evalsha +eval +get +set +del +append +hincrby +zadd" +
	" +multi +exec +ping +info +bgsave +bgrewriteaof +cluster|slots +cluster|shards"

//go:embed commit.lua
var commitText string

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
