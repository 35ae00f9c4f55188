package browser

import (
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"
)

// Slow makes the page's processor so many times slower than the machine's; 1 is
// the machine's own pace.
func (p *Page) Slow(times float64) {
	p.tb.Helper()
	ctx, cancel := p.limited()
	defer cancel()
	if _, err := chromedp.Call(ctx, emulation.SetCPUThrottlingRate, emulation.SetCPUThrottlingRateParams{Rate: times}); err != nil {
		p.fatalf("slow the page down: %v", err)
	}
}
