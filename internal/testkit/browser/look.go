package browser

import (
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"
)

// Size makes the window so many CSS pixels wide and high.
func (p *Page) Size(width, height int64) {
	p.tb.Helper()
	p.do("size the window", chromedp.EmulateViewport(width, height))
}

// Theme makes the system prefer "dark" or "light" colours, without motion.
func (p *Page) Theme(name string) {
	p.tb.Helper()
	p.media(&emulation.MediaFeature{Name: "prefers-color-scheme", Value: name},
		&emulation.MediaFeature{Name: "prefers-reduced-motion", Value: "reduce"})
}

func (p *Page) media(features ...*emulation.MediaFeature) {
	p.tb.Helper()
	ctx, cancel := p.limited()
	defer cancel()
	if _, err := chromedp.Call(ctx, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{Features: features}); err != nil {
		p.fatalf("set how the system looks: %v", err)
	}
}

// Screenshot is a picture (PNG) of what the window shows.
func (p *Page) Screenshot() []byte {
	p.tb.Helper()
	ctx, cancel := p.limited()
	defer cancel()
	picture, err := chromedp.Run(ctx, chromedp.CaptureScreenshot())
	if err != nil {
		p.fatalf("take a picture: %v", err)
	}
	return picture
}
