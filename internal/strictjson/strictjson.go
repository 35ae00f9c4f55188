// Package strictjson refuses JSON that two readers may take for two things: of a
// key that is repeated Go takes the last, others the first.
package strictjson

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
)

// open is an object or a list that has begun and not ended.
type open struct {
	keys map[string]bool // of an object, so far; nil for a list
	key  bool            // the next string is a key
}

// Check reads one value and says what is wrong with it: no JSON, something behind
// it, a repeated key, or lists and objects that are nested more than depth deep.
func Check(data []byte, depth int) error {
	tokens := json.NewDecoder(bytes.NewReader(data))
	tokens.UseNumber()
	var within []*open
	for begun := false; !begun || len(within) > 0; begun = true {
		token, err := tokens.Token()
		if errors.Is(err, io.EOF) {
			return io.ErrUnexpectedEOF
		}
		if err != nil {
			return err
		}
		if within, err = step(within, token); err != nil {
			return err
		}
		if len(within) > depth {
			return fmt.Errorf("lists and objects are nested more than %d deep", depth)
		}
	}
	if _, err := tokens.Token(); !errors.Is(err, io.EOF) {
		return errors.New("there is something behind the value")
	}
	return nil
}

// step follows one token.
func step(within []*open, token json.Token) ([]*open, error) {
	switch token {
	case json.Delim('}'), json.Delim(']'):
		return within[:len(within)-1], nil
	}
	if len(within) > 0 {
		in := within[len(within)-1]
		if key, ok := token.(string); in.key && ok {
			if in.keys[key] {
				return within, fmt.Errorf("the key %.40q is repeated", key)
			}
			in.keys[key], in.key = true, false
			return within, nil
		}
		in.key = in.keys != nil
	}
	switch token {
	case json.Delim('{'):
		return append(within, &open{keys: map[string]bool{}, key: true}), nil
	case json.Delim('['):
		return append(within, &open{}), nil
	}
	return within, nil
}
