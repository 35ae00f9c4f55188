package store

import (
	"encoding/json"
	"fmt"
	"time"
)

// Times are nanoseconds in the database.

func toTime(ns int64) time.Time { return time.Unix(0, ns).UTC() }

func toTimePtr(ns *int64) *time.Time {
	if ns == nil {
		return nil
	}
	t := toTime(*ns)
	return &t
}

// encode and decode carry what SQL never looks into. A value that was written
// by encode always decodes; anything else is damage and is said so.

func encode(v any) string {
	raw, err := json.Marshal(v)
	if err != nil {
		panic(fmt.Sprintf("encode %T for the database: %v", v, err)) // a type of ours that JSON can't hold
	}
	return string(raw)
}

func decode[T any](raw, what string) (T, error) {
	var v T
	if err := json.Unmarshal([]byte(raw), &v); err != nil {
		return v, fmt.Errorf("read %s from the database: %w", what, err)
	}
	return v, nil
}

// mapped converts rows, stopping at the first that is damaged.
func mapped[R, T any](rows []R, convert func(R) (T, error)) ([]T, error) {
	out := make([]T, 0, len(rows))
	for _, r := range rows {
		v, err := convert(r)
		if err != nil {
			return nil, err
		}
		out = append(out, v)
	}
	return out, nil
}
