package browser

import (
	"strings"

	"github.com/chromedp/cdproto/input"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
)

// keys are the named ones; every other key is the letter that it types.
var keys = map[string]string{
	"Enter": kb.Enter, "Escape": kb.Escape, "Tab": kb.Tab, "Space": " ", "Backspace": kb.Backspace, "Delete": kb.Delete,
	"ArrowDown": kb.ArrowDown, "ArrowUp": kb.ArrowUp, "ArrowLeft": kb.ArrowLeft, "ArrowRight": kb.ArrowRight,
	"Home": kb.Home, "End": kb.End, "PageUp": kb.PageUp, "PageDown": kb.PageDown,
}

var modifiers = map[string]chromedp.Modifier{
	"Shift": chromedp.ModifierShift, "Ctrl": chromedp.ModifierCtrl, "Alt": chromedp.ModifierAlt,
}

// Press presses a key, or keys one after the other, where the focus is: a
// letter, or Enter, Escape, Tab, Space, Backspace, an arrow (ArrowDown), with
// Shift, Ctrl or Alt before it (Shift+Tab).
func (p *Page) Press(names ...string) {
	p.tb.Helper()
	for _, name := range names {
		parts := strings.Split(name, "+")
		key, known := keys[parts[len(parts)-1]]
		if !known {
			key = parts[len(parts)-1]
		}
		var held []chromedp.Modifier
		for _, m := range parts[:len(parts)-1] {
			held = append(held, modifiers[m])
		}
		p.do("press "+name, typed(key, chromedp.KeyModifiers(held...)))
	}
}

// Write types a text where the focus is, key by key.
func (p *Page) Write(text string) {
	p.tb.Helper()
	p.do("type "+text, typed(text))
}

// typed presses keys as a keyboard does: what a key types is dropped by the
// browser when the page has used up the key's going down.
func typed(text string, options ...chromedp.KeyOption) chromedp.Action[chromedp.Void] {
	return chromedp.KeyEvent(text, append(options, func(e *input.DispatchKeyEventParams) {
		if e.Type == kb.KeyDown {
			e.Type = input.DispatchKeyEventTypeRawKeyDown
		}
	})...)
}
