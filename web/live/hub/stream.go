package hub

// Frame is one event for a reader.
type Frame struct {
	N     uint64 // rises from frame to frame
	Event string
	Data  []byte // JSON in one line; shared by readers: not to be changed
}

// backlog is how many frames wait for a reader. One that is slower misses
// frames, and gets the whole topic once it has caught up.
const backlog = 8

// Stream is one reader's. It must be closed.
type Stream struct {
	hub    *Hub
	frames chan Frame

	// behind says of each topic of the stream whether it needs the whole. Only
	// the hub's goroutine uses it once the stream is open.
	behind map[string]bool
}

// Frames gives events until the hub ends.
func (s *Stream) Frames() <-chan Frame { return s.frames }

// Close ends the stream.
func (s *Stream) Close() {
	s.hub.mu.Lock()
	defer s.hub.mu.Unlock()
	delete(s.hub.streams, s)
}

// offer queues a frame, unless the reader has too many waiting.
func (s *Stream) offer(f Frame) bool {
	select {
	case s.frames <- f:
		return true
	default:
		return false
	}
}
