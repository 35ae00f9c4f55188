package browser

import "encoding/json"

// Listen records from now on what the document says in its status parts, which may be
// gone again before a test looks.
func (p *Page) Listen() {
	p.tb.Helper()
	p.Eval(`(() => {
		const said = window.aortaSaid = new Set();
		const note = () => document.querySelectorAll("[role=status]").forEach((part) => said.add(part.textContent));
		note();
		new MutationObserver(note).observe(document, { subtree: true, childList: true, characterData: true });
	})()`, nil)
}

// AwaitSaid waits until a text was said since Listen.
func (p *Page) AwaitSaid(text string) {
	p.tb.Helper()
	quoted, err := json.Marshal(text)
	if err != nil {
		p.fatalf("wait for %q: %v", text, err)
	}
	p.Await("it to say "+text, "[...window.aortaSaid].some((said) => said.includes("+string(quoted)+"))")
}
