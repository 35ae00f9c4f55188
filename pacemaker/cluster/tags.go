package cluster

import (
	"cmp"
	"slices"
	"strings"
)

// Tag names nodes by a tag of theirs: by its value, or by its key alone where
// there is none.
type Tag struct{ Key, Value string }

// maxAskedTags is how many tags a process type may require, and how many it may prefer.
const maxAskedTags = 16

// TagOf is the tag that a text names which was checked before.
func TagOf(text string) Tag {
	key, value, _ := strings.Cut(text, "=")
	return Tag{key, value}
}

// ParseTag reads KEY or KEY=VALUE.
func ParseTag(field, text string) (Tag, error) {
	key, value, valued := strings.Cut(text, "=")
	if valued && value == "" || !tagKey.MatchString(key) {
		return Tag{}, Invalid(field, "%q is no tag: write it as KEY or KEY=VALUE, such as ssd or region=eu", Clip(text))
	}
	return Tag{key, value}, ValidateTags(field, map[string]string{key: value})
}

// ParseTags reads a list of them and puts it in order: lists that ask for the same
// are the same.
func ParseTags(field string, list []string) ([]Tag, error) {
	if len(list) > maxAskedTags {
		return nil, Invalid(field, "%d tags are more than %d", len(list), maxAskedTags)
	}
	var tags []Tag
	for _, text := range list {
		t, err := ParseTag(field, text)
		if err != nil {
			return nil, err
		}
		tags = append(tags, t)
	}
	slices.SortFunc(tags, func(a, b Tag) int { return cmp.Or(cmp.Compare(a.Key, b.Key), cmp.Compare(a.Value, b.Value)) })
	return slices.Compact(tags), nil
}

// String is the tag as people type it.
func (t Tag) String() string {
	if t.Value == "" {
		return t.Key
	}
	return t.Key + "=" + t.Value
}

// In says whether a node with these tags is meant.
func (t Tag) In(tags map[string]string) bool {
	value, has := tags[t.Key]
	return has && (t.Value == "" || t.Value == value)
}

// Tags are those that a process type asks of the nodes that it runs on.
type Tags struct {
	Require []Tag // all of them, or it does not run there
	Prefer  []Tag // the more the better, among nodes with as few instances of it
}

// Validate checks the tags that are asked of nodes.
func (t Tags) Validate(field string) error {
	if _, err := ParseTags(field+".require", TagTexts(t.Require)); err != nil {
		return err
	}
	_, err := ParseTags(field+".prefer", TagTexts(t.Prefer))
	return err
}

// Over are the tags with those of others where they have none, part by part.
func (t Tags) Over(others Tags) Tags {
	if len(t.Require) == 0 {
		t.Require = others.Require
	}
	if len(t.Prefer) == 0 {
		t.Prefer = others.Prefer
	}
	return t
}

// TagsOf are those that texts name which were checked before; nil for none.
func TagsOf(texts []string) []Tag {
	var tags []Tag
	for _, text := range texts {
		tags = append(tags, TagOf(text))
	}
	return tags
}

// TagTexts are tags as people type them; nil for none.
func TagTexts(tags []Tag) []string {
	if len(tags) == 0 {
		return nil
	}
	texts := make([]string, len(tags))
	for i, t := range tags {
		texts[i] = t.String()
	}
	return texts
}
