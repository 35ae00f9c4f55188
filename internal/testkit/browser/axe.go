package browser

import (
	"encoding/json"
	"fmt"
	"os"
	"strings"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"
)

// Violation is one rule of axe-core that a page breaks.
type Violation struct {
	Rule   string   // its id: color-contrast
	Impact string   // minor, moderate, serious or critical
	Help   string   // what is asked
	Where  []string // each place: selector, its HTML, what is wrong
}

// String is the whole on several lines.
func (v Violation) String() string {
	return fmt.Sprintf("%s %s: %s\n\t%s", v.Impact, v.Rule, v.Help, strings.Join(v.Where, "\n\t"))
}

// axeJS asks for what is broken, and leaves out all that is not told.
const axeJS = `axe.run(document, {resultTypes: ["violations"]}).then((r) => JSON.stringify(r.violations.map((v) => ({
	rule: v.id, impact: v.impact, help: v.help, where: v.nodes.map((n) => n.target.join(" ") + "  " + n.html.slice(0, 200) + "  " + n.failureSummary)}))))`

// Axe looks at the page with axe-core, whose script is the file at path. The
// script runs in a world of its own: the page's policy is not asked, and the
// page does not see it.
func (p *Page) Axe(path string) []Violation {
	p.tb.Helper()
	script, err := os.ReadFile(path)
	if err != nil {
		p.fatalf("read axe-core: %v (npm ci --ignore-scripts in web/dashboard/ui fetches it)", err)
	}
	found, err := p.axe(string(script))
	if err != nil {
		p.fatalf("run axe-core: %v", err)
	}
	return found
}

func (p *Page) axe(script string) ([]Violation, error) {
	ctx, cancel := p.limited()
	defer cancel()
	tree, err := chromedp.Call(ctx, page.GetFrameTree, cdp.Empty{})
	if err != nil {
		return nil, err
	}
	world, err := chromedp.Call(ctx, page.CreateIsolatedWorld, page.CreateIsolatedWorldParams{FrameID: tree.FrameTree.Frame.ID, WorldName: "axe"})
	if err != nil {
		return nil, err
	}
	inWorld := func(e *runtime.EvaluateParams) { e.ContextID = world.ExecutionContextID }
	if _, err := chromedp.Run(ctx, chromedp.Evaluate[chromedp.Void](script, inWorld)); err != nil {
		return nil, err
	}
	told, err := chromedp.Run(ctx, chromedp.Evaluate[string](axeJS, inWorld, awaited))
	if err != nil {
		return nil, err
	}
	var found []Violation
	err = json.Unmarshal([]byte(told), &found)
	return found, err
}
