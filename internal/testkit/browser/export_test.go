package browser

import "time"

// Impatient gives a page up at once.
func (p *Page) Impatient() *Page {
	p.patience = time.Millisecond
	return p
}
