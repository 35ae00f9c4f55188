package table

import (
	_ "embed"

	"github.com/redis/go-redis/v9"
)

//go:embed claim.lua
var claimText string

//go:embed publish.lua
var publishText string

//go:embed drop.lua
var dropText string

var (
	claimScript   = redis.NewScript(claimText)
	publishScript = redis.NewScript(publishText)
	dropScript    = redis.NewScript(dropText)
)

// What the scripts answer instead of a sequence or a count.
const (
	answerUnclaimed = 0
	answerFenced    = -1
	answerStale     = -2
	answerForeign   = -3
)
