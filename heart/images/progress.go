package images

import (
	"fmt"
	"sync"
	"time"

	"aorta/heart/docker"
)

// tellEvery is the time between two words on how far a transfer is: each is a line
// for who follows a push.
const tellEvery = 2 * time.Second

// teller tells who follows a transfer how it goes: the engine's words come on one
// goroutine, those of the registry on others.
type teller struct {
	mu     sync.Mutex // guards all
	moves  func(text string)
	stands func(text string)
	last   string // why it stood
}

func (t *teller) tell(text string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.moves(text)
}

// waits says why nothing moves, once for each cause: while the registry is away the
// engine hears nothing of it, for minutes.
func (t *teller) waits(why error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if text := why.Error(); text != t.last {
		t.last = text
		t.stands("waiting for the registry: " + text)
	}
}

// progress adds up what the engine says of an image's layers. It is for one
// goroutine.
type progress struct {
	verb   string           // such as "pulling"
	sizes  map[string]int64 // of layers that are known, by the engine's short name
	tell   func(text string)
	layers map[string]docker.Layer
	next   time.Time // when more is told
}

func newProgress(verb string, sizes map[string]int64, tell func(text string)) *progress {
	return &progress{verb: verb, sizes: sizes, tell: tell, layers: map[string]docker.Layer{}}
}

// see takes how far a layer is.
func (p *progress) see(l docker.Layer) {
	before := p.layers[l.ID]
	l.Total = max(l.Total, before.Total, p.sizes[l.ID])
	if l.State == docker.LayerDone {
		l.Bytes = l.Total
	}
	p.layers[l.ID] = l
	if now := time.Now(); l.State == docker.LayerMoves && now.After(p.next) {
		p.next = now.Add(tellEvery)
		p.tell(p.text())
	}
}

// text is how far all of it is. What was there before does not count.
func (p *progress) text() string {
	var done, all int64
	for _, l := range p.layers {
		if l.State != docker.LayerThere {
			done, all = done+min(l.Bytes, l.Total), all+l.Total
		}
	}
	return fmt.Sprintf("%s %d of %d MB", p.verb, done/1e6, (all+999_999)/1e6)
}
