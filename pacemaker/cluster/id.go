package cluster

import (
	"encoding/binary"
	"fmt"
	"time"

	"github.com/google/uuid"
)

// ID is a UUIDv7 in its canonical lower-case form. Ids sort by age and are
// never used again, unlike numbers, which fall back when a backup is restored.
type ID string

// NewID makes a fresh id from the wall clock and the system's randomness.
func NewID() ID { return ID(uuid.Must(uuid.NewV7()).String()) }

// ParseID accepts a canonical id and refuses everything else as invalid.
func ParseID(s string) (ID, error) {
	u, err := uuid.Parse(s)
	if err != nil || u.String() != s {
		return "", Invalid("id", "%q is not an id", Clip(s))
	}
	return ID(s), nil
}

// Short is what people see of an id: its random tail, since ids made in the
// same moment share their head.
func (id ID) Short() string {
	if len(id) < 8 {
		return string(id)
	}
	return string(id[len(id)-8:])
}

// DeriveID names the n-th thing that follows from id by role, the same each
// time it is asked for. A step that runs again after a crash so finds what it
// already made instead of making a second one.
func DeriveID(id ID, role string, n int) ID {
	ns, err := uuid.Parse(string(id))
	if err != nil {
		ns = uuid.NameSpaceOID
	}
	u := uuid.NewSHA1(ns, fmt.Appendf(nil, "%s/%s/%d", id, role, n))
	// Keep the parent's time in front, so that derived ids sort by age too.
	copy(u[:6], ns[:6])
	u[6] = u[6]&0x0f | 0x70
	return ID(u.String())
}

// maxMilli is the last millisecond since 1970 that an id has room for.
const maxMilli = 1<<48 - 1

// Time is when the id was made, to the millisecond; zero for what is no id.
func (id ID) Time() time.Time {
	u, err := uuid.Parse(string(id))
	if err != nil {
		return time.Time{}
	}
	return time.UnixMilli(int64(binary.BigEndian.Uint64(u[:8]) >> 16)).UTC()
}

// FirstIDAt is a lower bound of the ids that are made at t or later.
func FirstIDAt(t time.Time) ID {
	ms := min(max(t.UnixMilli(), 0), maxMilli)
	return ID(fmt.Sprintf("%08x-%04x-7000-8000-000000000000", ms>>16, ms&0xffff))
}
