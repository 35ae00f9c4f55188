package api_test

import (
	"fmt"
	"net/url"
	"slices"
	"testing"

	"aorta/internal/testkit"
	"aorta/pacemaker/cluster"
	"aorta/pacemaker/store"
	"aorta/web/internal/rig"
	"aorta/web/wire"
)

// walk reads a list page by page and gives the keys of its items.
func walk(r *rig.Rig, path string, limit int, key string) (keys []string, pages int) {
	r.TB.Helper()
	cursor := ""
	for {
		q := url.Values{"limit": {fmt.Sprint(limit)}}
		if cursor != "" {
			q.Set("cursor", cursor)
		}
		page := rig.As[wire.Page[map[string]any]](r.TB, r.Admin("GET", path+"?"+q.Encode(), ""))
		pages++
		if len(page.Items) > limit || pages > 100 {
			r.TB.Fatalf("%s: got %d items on page %d, want %d at most", path, len(page.Items), pages, limit)
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
	r := rig.New(t)
	const many = 11
	var shop cluster.App
	for i := range many {
		app, err := r.Pace.CreateApp(t.Context(), fmt.Sprintf("app%c", 'a'+i), "admin")
		testkit.Must(t, err)
		shop = app
	}
	node := cluster.Node{}
	for i := range many {
		node, _ = r.NewNode(fmt.Sprintf("n%c", 'a'+i), cluster.RoleRouter)
	}
	release := cluster.Release{}
	for range many {
		release = r.NewRelease(shop)
	}
	for i := range many - 1 { // its own host is one more
		_, err := r.Pace.AddDomain(t.Context(), shop, fmt.Sprintf("%c.example.com", 'z'-i), "admin")
		testkit.Must(t, err)
		testkit.Must(t, r.Store.Assign(t.Context(), []store.Assignment{{ID: cluster.NewID(), App: shop.ID, Release: release.ID, Type: "web", Node: node.ID}}))
	}
	testkit.Must(t, r.Store.Assign(t.Context(), []store.Assignment{{ID: cluster.NewID(), App: shop.ID, Release: release.ID, Type: "web", Node: node.ID}}))

	for path, key := range map[string]string{
		"/apps": "name", "/nodes": "name", "/jobs": "id", "/apps/" + shop.Name + "/releases": "release",
		"/apps/" + shop.Name + "/domains": "host", "/apps/" + shop.Name + "/instances": "id",
	} {
		whole, _ := walk(r, path, 1000, key)

		for _, limit := range []int{1, 4, many - 1, many, many + 1} {
			got, pages := walk(r, path, limit, key)

			if want := (many + limit - 1) / limit; !slices.Equal(got, whole) || pages != want || len(whole) != many {
				t.Errorf("%s by %d: got %v on %d pages, want %v on %d", path, limit, got, pages, whole, want)
			}
		}
	}
}

func TestAPI_PagesGoOnWhereThingsWentAway(t *testing.T) {
	t.Parallel()
	r := rig.New(t)
	app, err := r.Pace.CreateApp(t.Context(), "shop", "admin")
	testkit.Must(t, err)
	for _, host := range []string{"a.example.com", "b.example.com", "c.example.com"} {
		_, err := r.Pace.AddDomain(t.Context(), app, host, "admin")
		testkit.Must(t, err)
	}
	first := rig.As[wire.Page[wire.Domain]](t, r.Admin("GET", "/apps/shop/domains?limit=2", ""))
	testkit.Must(t, r.Pace.RemoveDomain(t.Context(), app, "a.example.com", "admin"))

	second := rig.As[wire.Page[wire.Domain]](t, r.Admin("GET", "/apps/shop/domains?limit=2&cursor="+first.Next, ""))

	if len(second.Items) != 2 || second.Items[0].Host != "b.example.com" || second.Next != "" {
		t.Errorf("got %+v after %q, want b and c", second, first.Next)
	}
}
