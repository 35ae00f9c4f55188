package api

import (
	"fmt"
	"net/url"
	"slices"
	"testing"

	"aorta/pacemaker/cluster"
	"aorta/pacemaker/store"
	"aorta/web/wire"
)

// walk reads a list page by page and gives the keys of its items.
func (r *rig) walk(path string, limit int, key string) (keys []string, pages int) {
	r.tb.Helper()
	cursor := ""
	for {
		q := url.Values{"limit": {fmt.Sprint(limit)}}
		if cursor != "" {
			q.Set("cursor", cursor)
		}
		page := as[wire.Page[map[string]any]](r.tb, r.admin("GET", path+"?"+q.Encode(), ""))
		pages++
		if len(page.Items) > limit || pages > 100 {
			r.tb.Fatalf("%s: got %d items on page %d, want %d at most", path, len(page.Items), pages, limit)
		}
		for _, item := range page.Items {
			keys = append(keys, fmt.Sprint(item[key]))
		}
		if page.Next == "" {
			return keys, pages
		}
		cursor = page.Next
	}
}

func TestAPI_ListsPageWithoutGapsOrDoubles(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	const many = 11
	var shop cluster.App
	for i := range many {
		app, err := r.pace.CreateApp(t.Context(), fmt.Sprintf("app%c", 'a'+i), "admin")
		must(t, err)
		shop = app
	}
	node := cluster.Node{}
	for i := range many {
		node, _ = r.newNode(fmt.Sprintf("n%c", 'a'+i), cluster.RoleRouter)
	}
	release := cluster.Release{}
	for range many {
		release = r.newRelease(shop)
	}
	for i := range many - 1 { // its own host is one more
		_, err := r.pace.AddDomain(t.Context(), shop, fmt.Sprintf("%c.example.com", 'z'-i), "admin")
		must(t, err)
		must(t, r.store.Assign(t.Context(), []store.Assignment{{ID: cluster.NewID(), App: shop.ID, Release: release.ID, Type: "web", Node: node.ID}}))
	}
	must(t, r.store.Assign(t.Context(), []store.Assignment{{ID: cluster.NewID(), App: shop.ID, Release: release.ID, Type: "web", Node: node.ID}}))

	for path, key := range map[string]string{
		"/apps": "name", "/nodes": "name", "/jobs": "id", "/apps/" + shop.Name + "/releases": "release",
		"/apps/" + shop.Name + "/domains": "host", "/apps/" + shop.Name + "/instances": "id",
	} {
		whole, _ := r.walk(path, 1000, key)

		for _, limit := range []int{1, 4, many - 1, many, many + 1} {
			got, pages := r.walk(path, limit, key)

			if want := (many + limit - 1) / limit; !slices.Equal(got, whole) || pages != want || len(whole) != many {
				t.Errorf("%s by %d: got %v on %d pages, want %v on %d", path, limit, got, pages, whole, want)
			}
		}
	}
}

func TestAPI_PagesGoOnWhereThingsWentAway(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	app, err := r.pace.CreateApp(t.Context(), "shop", "admin")
	must(t, err)
	for _, host := range []string{"a.example.com", "b.example.com", "c.example.com"} {
		_, err := r.pace.AddDomain(t.Context(), app, host, "admin")
		must(t, err)
	}
	first := as[wire.Page[wire.Domain]](t, r.admin("GET", "/apps/shop/domains?limit=2", ""))
	must(t, r.pace.RemoveDomain(t.Context(), app, "a.example.com", "admin"))

	second := as[wire.Page[wire.Domain]](t, r.admin("GET", "/apps/shop/domains?limit=2&cursor="+first.Next, ""))

	if len(second.Items) != 2 || second.Items[0].Host != "b.example.com" || second.Next != "" {
		t.Errorf("got %+v after %q, want b and c", second, first.Next)
	}
}
