package browser

import (
	"github.com/chromedp/cdproto/input"
	"github.com/chromedp/chromedp"
)

// MouseDown presses the mouse's main button at a place of the window, in CSS
// pixels; MouseUp lets go of it.
func (p *Page) MouseDown(x, y float64) {
	p.tb.Helper()
	p.mouse(input.DispatchMouseEventTypeMousePressed, x, y)
}

// MouseUp lets go of the mouse's main button.
func (p *Page) MouseUp(x, y float64) {
	p.tb.Helper()
	p.mouse(input.DispatchMouseEventTypeMouseReleased, x, y)
}

func (p *Page) mouse(what input.DispatchMouseEventType, x, y float64) {
	p.tb.Helper()
	p.do(string(what), chromedp.MouseEvent(what, x, y, func(e *input.DispatchMouseEventParams) {
		e.Button, e.ClickCount = input.MouseButtonLeft, 1
	}))
}
