package browser

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/chromedp/cdproto/accessibility"
	"github.com/chromedp/cdproto/dom"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"
)

// element is what was found.
type element struct {
	name   string
	object runtime.RemoteObjectID
}

// find gives all that has a role and a name in the part.
func (pt *Part) find(n named) ([]element, error) {
	ctx, cancel := pt.page.limited()
	defer cancel()
	root, err := pt.root(ctx)
	if err != nil {
		return nil, err
	}
	return below(ctx, root, n)
}

// root is the element that is the part.
func (pt *Part) root(ctx context.Context) (runtime.RemoteObjectID, error) {
	res, err := chromedp.Call(ctx, runtime.Evaluate, runtime.EvaluateParams{Expression: "document"})
	if err != nil {
		return "", err
	}
	at := res.Result.ObjectID
	for _, n := range pt.path {
		found, err := below(ctx, at, n)
		if err != nil {
			return "", err
		}
		if len(found) != 1 {
			return "", fmt.Errorf("there are %d of %s", len(found), n)
		}
		at = found[0].object
	}
	return at, nil
}

func below(ctx context.Context, root runtime.RemoteObjectID, n named) ([]element, error) {
	tree, err := chromedp.Call(ctx, accessibility.QueryAXTree, accessibility.QueryAXTreeParams{ObjectID: root, Role: n.role})
	if err != nil {
		return nil, err
	}
	var found []element
	for _, node := range tree.Nodes {
		name := wordOf(node.Name)
		if node.Ignored || node.BackendDOMNodeID == 0 || !n.fits(name) {
			continue
		}
		res, err := chromedp.Call(ctx, dom.ResolveNode, dom.ResolveNodeParams{BackendNodeID: node.BackendDOMNodeID})
		if err != nil {
			continue // it went while we looked
		}
		found = append(found, element{name, res.Object.ObjectID})
	}
	return found, nil
}

// wordOf is the text of a value of the accessibility tree.
func wordOf(v *accessibility.Value) string {
	var text string
	if v != nil {
		_ = json.Unmarshal(v.Value, &text) // what is no text has none
	}
	return text
}

// call calls a function with an object as its this, and awaits its promise.
func call(ctx context.Context, object runtime.RemoteObjectID, function string, into any) error {
	yes := true
	res, err := chromedp.Call(ctx, runtime.CallFunctionOn, runtime.CallFunctionOnParams{
		FunctionDeclaration: function, ObjectID: object, ReturnByValue: &yes, AwaitPromise: &yes,
	})
	if err != nil {
		return err
	}
	if res.ExceptionDetails != nil {
		return fmt.Errorf("the page threw: %s", thrown(res.ExceptionDetails))
	}
	if into == nil {
		return nil
	}
	return json.Unmarshal(res.Result.Value, into)
}
