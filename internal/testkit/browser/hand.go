package browser

import (
	_ "embed"
	"errors"
	"fmt"

	"github.com/chromedp/cdproto/input"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"
)

// pointJS says where an element is to be clicked, or why that can't be done.
//
//go:embed point.js
var pointJS string

// metJS says what a press met at that place.
const metJS = `function () { const aim = this[Symbol.for("aim")]; aim.end(); return aim.met; }`

// fields are the roles of what takes text.
var fields = []string{"textbox", "searchbox", "combobox", "spinbutton"}

// Click clicks what has a role and a name with the mouse, once it is there, at
// rest, enabled, and not covered. More than one that fits is a failure.
func (pt *Part) Click(role, name string) {
	pt.page.tb.Helper()
	n := named{role, name}
	pt.patiently("click "+n.String(), func() error {
		found, err := pt.find(n)
		if err != nil {
			return err
		}
		if len(found) != 1 {
			return fmt.Errorf("there are %d of them", len(found))
		}
		return pt.page.click(found[0].object)
	})
}

// Type replaces the text of the field that a label names.
func (pt *Part) Type(label, text string) {
	pt.page.tb.Helper()
	pt.patiently("type into “"+label+"”", func() error {
		field, err := pt.field(label)
		if err != nil {
			return err
		}
		if err := pt.page.click(field); err != nil {
			return err
		}
		ctx, cancel := pt.page.limited()
		defer cancel()
		if err := call(ctx, field, `function () { this.focus(); this.select(); }`, nil); err != nil {
			return err
		}
		if text == "" {
			return chromedp.Do(ctx, typed(keys["Backspace"]))
		}
		_, err = chromedp.Call(ctx, input.InsertText, input.InsertTextParams{Text: text})
		return err
	})
}

// Choose chooses, in the list that a label names, the option with a text.
func (pt *Part) Choose(label, option string) {
	pt.page.tb.Helper()
	pt.patiently("choose "+option+" in “"+label+"”", func() error {
		found, err := pt.find(named{"combobox", label})
		if err != nil {
			return err
		}
		if len(found) != 1 {
			return fmt.Errorf("there are %d such lists", len(found))
		}
		ctx, cancel := pt.page.limited()
		defer cancel()
		if err := call(ctx, found[0].object, `function () { this.focus(); }`, nil); err != nil {
			return err
		}
		// A closed list goes to the option whose text is typed.
		if err := chromedp.Do(ctx, typed(option)); err != nil {
			return err
		}
		var at string
		if err := call(ctx, found[0].object, `function () { return this.selectedOptions[0]?.text ?? ""; }`, &at); err != nil {
			return err
		}
		if at != option {
			return fmt.Errorf("it is at %q", at)
		}
		return nil
	})
}

// Value is what the field that a label names holds.
func (pt *Part) Value(label string) string {
	pt.page.tb.Helper()
	var text string
	pt.patiently("read “"+label+"”", func() error {
		field, err := pt.field(label)
		if err != nil {
			return err
		}
		ctx, cancel := pt.page.limited()
		defer cancel()
		return call(ctx, field, `function () { return this.value; }`, &text)
	})
	return text
}

func (pt *Part) field(label string) (runtime.RemoteObjectID, error) {
	var all []element
	for _, role := range fields {
		found, err := pt.find(named{role, label})
		if err != nil {
			return "", err
		}
		all = append(all, found...)
	}
	if len(all) != 1 {
		return "", fmt.Errorf("there are %d such fields", len(all))
	}
	return all[0].object, nil
}

// patiently tries until it works. A page that lives draws itself anew at any
// time, so what was just found may be gone.
func (pt *Part) patiently(what string, try func() error) {
	pt.page.tb.Helper()
	var last error
	if _, ok := pt.page.until(func() bool { last = try(); return last == nil }); !ok {
		pt.page.fatalf("could not %s in %s for %s: %v", what, pt, pt.page.patience, last)
	}
}

// click presses an element, or nothing: what came into its place is not pressed.
func (p *Page) click(object runtime.RemoteObjectID) error {
	ctx, cancel := p.limited()
	defer cancel()
	var at struct {
		X, Y float64
		Why  string
	}
	if err := call(ctx, object, pointJS, &at); err != nil {
		return err
	}
	if at.Why != "" {
		return errors.New(at.Why)
	}
	if err := chromedp.Do(ctx, chromedp.MouseClickXY(at.X, at.Y)); err != nil {
		return err
	}
	// Where the press led to another document, there is nobody to ask.
	var met string
	if err := call(ctx, object, metJS, &met); err == nil && met != "it" {
		return errors.New("the page moved, and the press met " + met)
	}
	return nil
}
