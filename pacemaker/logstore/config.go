package logstore

import "time"

// The defaults of Config.
const (
	DefaultMaxBytes     = 256 << 20
	DefaultMaxAge       = 30 * 24 * time.Hour
	DefaultSegmentBytes = 8 << 20
	DefaultMaxLag       = 100_000
)

// Config bounds what is kept. Zero values mean the defaults.
type Config struct {
	MaxBytesPerApp int64         // on disk, compressed; the segment being written is not cut
	MaxAge         time.Duration // counted in whole days of arrival, UTC
	SegmentBytes   int64         // a segment is closed at this size, before compression
	// MaxLag is how many lines a follower may be behind before it is moved
	// near the end and is sent a line that counts what it missed.
	MaxLag uint64
	// Now is the clock; nil means the machine's.
	Now func() time.Time
}

func (c Config) orDefault() Config {
	if c.MaxBytesPerApp == 0 {
		c.MaxBytesPerApp = DefaultMaxBytes
	}
	if c.MaxAge == 0 {
		c.MaxAge = DefaultMaxAge
	}
	if c.SegmentBytes == 0 {
		c.SegmentBytes = min(DefaultSegmentBytes, max(c.MaxBytesPerApp/8, 64<<10))
	}
	if c.MaxLag == 0 {
		c.MaxLag = DefaultMaxLag
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	return c
}
