package browser

import (
	"strings"
	"time"
)

// Part is a part of a page, named by roles and names from the outside inwards.
//
// A role is the one of the accessibility tree (button, link, textbox, dialog,
// row, …); "" stands for any. A name that ends in "…" stands for all that begin
// with what is before it. What is hidden, or lies behind a dialog, is not found.
type Part struct {
	page *Page
	path []named
}

type named struct{ role, name string }

func (n named) String() string { return strings.TrimSpace(n.role + " “" + n.name + "”") }

// fits tells whether a name from the tree is the one that is meant.
func (n named) fits(name string) bool {
	name = strings.Join(strings.Fields(name), " ")
	if start, ok := strings.CutSuffix(n.name, "…"); ok {
		return strings.HasPrefix(name, start)
	}
	return name == n.name
}

// Within is the part of this part that has a role and a name.
func (pt *Part) Within(role, name string) *Part {
	return &Part{page: pt.page, path: append(pt.path[:len(pt.path):len(pt.path)], named{role, name})}
}

// String is how the part is called in messages.
func (pt *Part) String() string {
	words := make([]string, len(pt.path))
	for i, n := range pt.path {
		words[i] = n.String()
	}
	if len(words) == 0 {
		return "the page"
	}
	return strings.Join(words, " → ")
}

// Has tells whether the part holds what has a role and a name, now.
func (pt *Part) Has(role, name string) bool {
	pt.page.tb.Helper()
	found, err := pt.find(named{role, name})
	return err == nil && len(found) > 0
}

// AwaitHas waits until the part holds what has a role and a name, and tells how
// long that took.
func (pt *Part) AwaitHas(role, name string) time.Duration {
	pt.page.tb.Helper()
	took, ok := pt.page.until(func() bool { return pt.Has(role, name) })
	if !ok {
		pt.page.fatalf("waited %s in vain for %s in %s; there are %q", pt.page.patience, named{role, name}, pt, pt.Names(role))
	}
	return took
}

// AwaitNo waits until the part holds nothing of a role and a name.
func (pt *Part) AwaitNo(role, name string) time.Duration {
	pt.page.tb.Helper()
	took, ok := pt.page.until(func() bool {
		found, err := pt.find(named{role, name})
		return err == nil && len(found) == 0
	})
	if !ok {
		pt.page.fatalf("waited %s in vain for %s to go from %s", pt.page.patience, named{role, name}, pt)
	}
	return took
}

// Names are the names of all that has a role in the part, in their order.
func (pt *Part) Names(role string) []string {
	pt.page.tb.Helper()
	found, err := pt.find(named{role, "…"})
	if err != nil {
		return nil
	}
	names := make([]string, len(found))
	for i, e := range found {
		names[i] = e.name
	}
	return names
}

// Text is what can be read in the part, "" when there is no such part.
func (pt *Part) Text() string {
	pt.page.tb.Helper()
	var text string
	if err := pt.call(`function () { return (this.body ?? this).innerText; }`, &text); err != nil {
		return ""
	}
	return text
}

// AwaitText waits until the part's text holds another one and tells how long
// that took. White space counts as one blank.
func (pt *Part) AwaitText(text string) time.Duration {
	pt.page.tb.Helper()
	took, ok := pt.page.until(func() bool { return pt.Reads(text) })
	if !ok {
		pt.page.fatalf("waited %s in vain for %q in %s, which reads %q", pt.page.patience, text, pt, clip(pt.Text(), excerpt))
	}
	return took
}

// AwaitNoText waits until the part's text no longer holds another one.
func (pt *Part) AwaitNoText(text string) time.Duration {
	pt.page.tb.Helper()
	took, ok := pt.page.until(func() bool { return !pt.Reads(text) })
	if !ok {
		pt.page.fatalf("waited %s in vain for %q to go from %s", pt.page.patience, text, pt)
	}
	return took
}

// Reads tells whether the part's text holds another one, now.
func (pt *Part) Reads(text string) bool {
	pt.page.tb.Helper()
	return strings.Contains(strings.Join(strings.Fields(pt.Text()), " "), text)
}

// Eval calls a JavaScript function with the part's element (or the document) as
// its this, and stores what it returns in what into points to.
func (pt *Part) Eval(function string, into any) {
	pt.page.tb.Helper()
	if err := pt.call(function, into); err != nil {
		pt.page.fatalf("evaluate in %s: %v", pt, err)
	}
}

func (pt *Part) call(function string, into any) error {
	ctx, cancel := pt.page.limited()
	defer cancel()
	root, err := pt.root(ctx)
	if err != nil {
		return err
	}
	return call(ctx, root, function, into)
}
