package client

import (
	"context"
	"fmt"
	"iter"
	"net/url"
	"strconv"

	"aorta/pacemaker/cluster"
	"aorta/web/wire"
)

// pageLimit is how many items a page is asked for.
const pageLimit = 100

// items walks the pages of a list. It yields an error last, if at all.
func items[T any](ctx context.Context, c *Client, query url.Values, segments ...string) iter.Seq2[T, error] {
	return func(yield func(T, error) bool) {
		q := url.Values{"limit": {strconv.Itoa(pageLimit)}}
		for k, v := range query {
			q[k] = v
		}
		var none T
		for {
			page, err := get[wire.Page[T]](ctx, c, q, segments...)
			if err != nil {
				yield(none, err)
				return
			}
			for _, item := range page.Items {
				if !yield(item, nil) {
					return
				}
			}
			if page.Next == "" {
				return
			}
			if page.Next == q.Get("cursor") {
				yield(none, &cluster.Error{Code: cluster.CodeInternal, Message: fmt.Sprintf("%s gave one page of a list twice", c.URL())})
				return
			}
			q.Set("cursor", page.Next)
		}
	}
}

// whole reads a list that comes as one page.
func whole[T any](ctx context.Context, c *Client, query url.Values, segments ...string) ([]T, error) {
	page, err := get[wire.Page[T]](ctx, c, query, segments...)
	return page.Items, err
}

// Collect takes up to limit items of a list, all of them when limit is zero.
func Collect[T any](list iter.Seq2[T, error], limit int) ([]T, error) {
	var out []T
	for item, err := range list {
		if err != nil {
			return nil, err
		}
		out = append(out, item)
		if limit > 0 && len(out) >= limit {
			break
		}
	}
	return out, nil
}
