package browser

import (
	"slices"

	"github.com/chromedp/cdproto/accessibility"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"
)

// mostStops is how often TabTo presses Tab before it gives up.
const mostStops = 80

// outlined tells whether an element shows that it has the focus.
const outlined = `function () {
	const s = getComputedStyle(this);
	return (s.outlineStyle !== "none" && parseFloat(s.outlineWidth) > 0) || s.boxShadow !== "none";
}`

// Focus says what has the focus.
type Focus struct {
	Role, Name string
	Visible    bool // an outline or a ring shows it
}

// String is the role and the name.
func (f Focus) String() string { return named{f.Role, f.Name}.String() }

// Focus says what has the focus now. The zero value stands for nothing in the
// document: after its last control, Tab goes to the browser's own.
func (p *Page) Focus() Focus {
	p.tb.Helper()
	f, err := p.focus()
	if err != nil {
		p.fatalf("ask what has the focus: %v", err)
	}
	return f
}

// AwaitFocus waits until what has a role and a name has the focus.
func (p *Page) AwaitFocus(role, name string) {
	p.tb.Helper()
	var at Focus
	want := named{role, name}
	_, ok := p.until(func() bool {
		var err error
		at, err = p.focus()
		return err == nil && (role == "" || at.Role == role) && want.fits(at.Name)
	})
	if !ok {
		p.fatalf("waited %s in vain for the focus at %s; it is at %s", p.patience, want, at)
	}
}

func (p *Page) focus() (Focus, error) {
	ctx, cancel := p.limited()
	defer cancel()
	at, err := chromedp.Call(ctx, runtime.Evaluate, runtime.EvaluateParams{Expression: "document.activeElement === document.body ? null : document.activeElement"})
	if err != nil || at.Result.ObjectID == "" {
		return Focus{}, err
	}
	no := false
	tree, err := chromedp.Call(ctx, accessibility.GetPartialAXTree, accessibility.GetPartialAXTreeParams{ObjectID: at.Result.ObjectID, FetchRelatives: &no})
	if err != nil || len(tree.Nodes) == 0 {
		return Focus{}, err
	}
	f := Focus{Role: wordOf(tree.Nodes[0].Role), Name: wordOf(tree.Nodes[0].Name)}
	err = call(ctx, at.Result.ObjectID, outlined, &f.Visible)
	return f, err
}

// TabTo presses Tab until what has a role and a name has the focus, and gives
// all that had it on the way, the last one included. It is a failure when the
// focus comes back to where it was before, or was not to be seen on the way.
func (p *Page) TabTo(role, name string) []Focus {
	p.tb.Helper()
	return p.walk("Tab", named{role, name})
}

// TabBackTo is TabTo the other way round.
func (p *Page) TabBackTo(role, name string) []Focus {
	p.tb.Helper()
	return p.walk("Shift+Tab", named{role, name})
}

func (p *Page) walk(key string, to named) []Focus {
	p.tb.Helper()
	var way []Focus
	for range mostStops {
		p.Press(key)
		f := p.Focus()
		way = append(way, f)
		if !f.Visible && f != (Focus{}) {
			p.tb.Errorf("the focus can't be seen at %s", f)
		}
		if (to.role == "" || f.Role == to.role) && to.fits(f.Name) {
			return way
		}
	}
	p.fatalf("%s never came to %s; it went by %v", key, to, slices.Compact(way))
	return nil
}

// Focused tells whether the focus is at the part, or in it.
func (pt *Part) Focused() bool {
	pt.page.tb.Helper()
	var in bool
	pt.Eval(`function () { return this.contains(document.activeElement); }`, &in)
	return in
}
