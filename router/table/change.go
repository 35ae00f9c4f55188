package table

import (
	"encoding/json"
	"fmt"
	"time"

	"aorta/router"
)

// change is what one script writes: names with the text of each, under a pair.
type change struct {
	pair  router.Pair
	last  bool // raises meta to the pair and tells the routers
	names []string
	texts [][]byte
}

func (c *change) put(r router.Record) error {
	r.Pair = c.pair
	if err := r.Validate(nil); err != nil {
		return err
	}
	text, err := json.Marshal(r)
	if err != nil {
		return fmt.Errorf("encode the record of %s: %w", r.Host, err)
	}
	text = salted(r.Host, text)
	if len(text) > router.MaxRecordBytes {
		return fmt.Errorf("the record of %s has %d bytes, more than %d", r.Host, len(text), router.MaxRecordBytes)
	}
	c.names = append(c.names, r.Host)
	c.texts = append(c.texts, text)
	return nil
}

func (c *change) remove(host string, now time.Time) {
	// A struct of strings and numbers always encodes.
	text, _ := json.Marshal(tombstone{Host: host, Gone: true, Pair: c.pair, At: now.Unix()})
	c.names = append(c.names, host)
	c.texts = append(c.texts, text)
}
