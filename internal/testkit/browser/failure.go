package browser

import (
	"flag"
	"os"
	"path/filepath"
	"strings"

	"github.com/chromedp/chromedp"
)

// shots is the directory for a picture of each page whose test fails.
var shots = flag.String("browser.shots", "", "directory for a picture of each page whose test fails")

// excerpt is how many bytes of a page's text a failure shows.
const excerpt = 4000

func (p *Page) fatalf(format string, args ...any) {
	p.tb.Helper()
	p.logState()
	p.tb.Fatalf(format, args...)
}

// logState logs what a person would see, once.
func (p *Page) logState() {
	p.tb.Helper()
	if p.logged {
		return
	}
	p.logged = true
	var address, text string
	_ = p.eval("location.href", &address) // what can't be read is logged as empty
	_ = p.eval("document.body.innerText", &text)
	p.tb.Logf("the page is at %s and reads:\n%s", address, clip(text, excerpt))
	p.tb.Logf("its console:\n%s", strings.Join(p.watch.console(), "\n"))
	if *shots == "" {
		return
	}
	ctx, cancel := p.limited()
	defer cancel()
	picture, err := chromedp.Run(ctx, chromedp.CaptureScreenshot())
	if err == nil {
		name := strings.ReplaceAll(p.tb.Name(), "/", "-") + ".png"
		err = os.WriteFile(filepath.Join(*shots, name), picture, 0o644)
	}
	if err != nil {
		p.tb.Logf("no picture of it: %v", err)
	}
}

func clip(text string, most int) string {
	if len(text) > most {
		return text[:most] + "…"
	}
	return text
}
