// Package strictjson refuses JSON that two readers may take for two things: of a
// key that is repeated Go takes the last, others the first.
package strictjson

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
)

// Check reads one value and says what is wrong with it: no JSON, something behind
// it, a repeated key, lists and objects that are nested more than depth deep, or more
// values than values: each takes a reader many times the memory of its text.
func Check(data []byte, depth, values int) error {
	s := scan{rest: data, depth: depth, values: values}
	doubt := s.all()
	if errors.Is(doubt, errDeep) {
		return fmt.Errorf("%w than %d deep", errDeep, depth)
	}
	if errors.Is(doubt, errMany) {
		return fmt.Errorf("%w than %d", errMany, values)
	}
	if err := valid(data); err != nil {
		return err
	}
	return doubt
}

var (
	errDeep = errors.New("lists and objects are nested more")
	errMany = errors.New("there are more values")
)

// valid says what makes data no JSON.
func valid(data []byte) error {
	if json.Valid(data) {
		return nil
	}
	// What is wrong is found slowly.
	var first json.RawMessage
	if err := json.NewDecoder(bytes.NewReader(data)).Decode(&first); err != nil {
		return err
	}
	return errors.New("there is something behind the value")
}

// scan goes through a text, which may be no JSON: then it ends somehow.
type scan struct {
	rest   []byte
	depth  int
	values int // how many more there may be
	within []open
}

// open is an object or a list that has begun and not ended.
type open struct {
	object bool
	key    bool // the next string is a key
	keys   map[string]bool
}

func (s *scan) all() error {
	for len(s.rest) > 0 {
		if err := s.step(); err != nil {
			return err
		}
	}
	return nil
}

// step goes on behind the next byte or string.
func (s *scan) step() error {
	c := s.rest[0]
	if c == '"' {
		text := str(s.rest)
		s.rest = s.rest[len(text):]
		return s.named(text)
	}
	s.rest = s.rest[1:]
	if c == ',' || c == '{' || c == '[' { // each begins a value, or the list may be empty
		if s.values--; s.values < 0 {
			return errMany
		}
	}
	switch c {
	case '{', '[':
		if len(s.within) == s.depth {
			return errDeep
		}
		s.within = append(s.within, open{object: c == '{', key: c == '{'})
	case '}', ']':
		s.within = s.within[:max(0, len(s.within)-1)]
	case ',':
		if in := s.in(); in != nil {
			in.key = in.object
		}
	}
	return nil
}

// in is the list or object that the scan is in.
func (s *scan) in() *open {
	if len(s.within) == 0 {
		return nil
	}
	return &s.within[len(s.within)-1]
}

// str is the string that the text begins with, in its quotes.
func str(text []byte) []byte {
	for i := 1; i < len(text); i++ {
		switch text[i] {
		case '"':
			return text[:i+1]
		case '\\':
			i++
		}
	}
	return text
}

// named takes in a string, which may be a key.
func (s *scan) named(text []byte) error {
	in := s.in()
	if in == nil || !in.key {
		return nil
	}
	in.key = false
	var key string
	if err := json.Unmarshal(text, &key); err != nil {
		return err
	}
	if in.keys[key] {
		return fmt.Errorf("the key %.40q is repeated", key)
	}
	if in.keys == nil {
		in.keys = map[string]bool{}
	}
	in.keys[key] = true
	return nil
}
