package rest

import (
	"aorta/pacemaker/cluster"
	"aorta/web/wire"
)

// Paged is a list's window. The cursor is what the page before named, and the
// checks of its form differ by list.
type Paged struct {
	Limit  int    `query:"limit" minimum:"1" maximum:"1000" default:"100"`
	Cursor string `query:"cursor" maxLength:"260"`
}

// Check says what is wrong with a cursor, if one is given.
func (p Paged) Check(check func(field, value string) error) error {
	if p.Cursor == "" || check("cursor", p.Cursor) == nil {
		return nil
	}
	return cluster.Invalid("cursor", "%.40q is not from a page of this list", p.Cursor)
}

// CheckID is the form of the cursors of lists that go by id.
func CheckID(_, id string) error {
	_, err := cluster.ParseID(id)
	return err
}

// Window cuts a page out of a list that is short enough to be read whole. The
// items must be in the order of their keys, which are the cursors.
func Window[T any](p Paged, items []T, key func(T) string) wire.Page[T] {
	page := wire.Page[T]{Items: []T{}}
	for _, item := range items {
		if p.Cursor != "" && key(item) <= p.Cursor {
			continue
		}
		if len(page.Items) == p.Limit {
			page.Next = key(page.Items[p.Limit-1])
			break
		}
		page.Items = append(page.Items, item)
	}
	return page
}
