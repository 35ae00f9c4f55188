package browser

import (
	"context"
	"os/exec"
	"testing"
	"time"

	"github.com/chromedp/chromedp"

	"aorta/internal/testkit"
)

// programs are the names that systems give to Chromium, the first one found is used.
var programs = []string{"chromium", "chromium-browser", "google-chrome-stable", "google-chrome"}

// endTimeout bounds the end of a browser; what is left of it is killed then.
const endTimeout = 20 * time.Second

// Browser is one process of Chromium with a profile and a network of its own.
type Browser struct {
	ctx  context.Context
	room *room // nil: it shares the machine's network
}

// Start starts a browser, which ends with the test.
func Start(tb testing.TB) *Browser {
	tb.Helper()
	room := newRoom(tb)
	options := append(chromedp.DefaultExecAllocatorOptions[:],
		chromedp.ExecPath(program(tb)),
		chromedp.NoSandbox, // its own sandbox needs rights that a container lacks; it shows only what tests serve
		chromedp.DisableGPU,
		chromedp.Env("TMPDIR="+testkit.ShortDir(tb)), // it leaves files there
		chromedp.Flag("disable-component-update", true),
		chromedp.Flag("disable-domain-reliability", true),
		chromedp.Flag("no-proxy-server", true),
		chromedp.ModifyCmdFunc(room.lead),
	)
	parent, end := chromedp.NewExecAllocator(context.Background(), options...)
	ctx, _ := chromedp.NewContext(parent, chromedp.WithErrorf(tb.Logf))
	tb.Cleanup(func() {
		limited, cancel := context.WithTimeout(ctx, endTimeout)
		defer cancel()
		if err := chromedp.Cancel(limited); err != nil {
			tb.Logf("the browser did not end by itself: %v", err)
		}
		end()
	})
	if err := chromedp.Do(ctx); err != nil {
		tb.Fatalf("start the browser: %v", err)
	}
	return &Browser{ctx: ctx, room: room}
}

func program(tb testing.TB) string {
	tb.Helper()
	for _, name := range programs {
		if path, err := exec.LookPath(name); err == nil {
			return path
		}
	}
	tb.Fatal("no Chromium is installed, and the pages are tested in it: scripts/bootstrap.sh test installs it")
	return ""
}
