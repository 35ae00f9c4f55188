package git

import (
	"context"
	"crypto/rand"
	"sync"
)

// pendingPush is a push whose objects git is taking in, until its hook calls.
type pendingPush struct {
	ctx   context.Context // ends when the pusher is gone
	visit visit
	// takenIn lets the next push be taken in.
	takenIn func()
}

// pendingPushes finds the push that a hook belongs to by its one-time token.
type pendingPushes struct {
	mu sync.Mutex // guards by
	by map[string]*pendingPush
}

func newPendingPushes() *pendingPushes {
	return &pendingPushes{by: map[string]*pendingPush{}}
}

// add makes a push known until its hook takes it or done is called.
func (p *pendingPushes) add(push *pendingPush) (token string, done func()) {
	token = rand.Text()
	p.mu.Lock()
	defer p.mu.Unlock()
	p.by[token] = push
	return token, func() { p.take(token) }
}

// take gives the push and forgets it; nil for a token that is not, or no
// longer, good.
func (p *pendingPushes) take(token string) *pendingPush {
	p.mu.Lock()
	defer p.mu.Unlock()
	push := p.by[token]
	delete(p.by, token)
	return push
}
