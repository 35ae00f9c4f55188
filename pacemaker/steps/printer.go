package steps

import "time"

// Printer prints steps for those who can't be shown them again in place: one line
// for each fact. It may get the same step any number of times. Make it with
// NewPrinter.
type Printer struct {
	line  func(text string)
	paint Paint
	seen  map[string]Step
	byJob map[string]string // step or line of each job
	early map[string][]Step // lines that came before their step, which has their heading
	last  string            // step under whose heading the last line was printed
}

// NewPrinter makes a printer that hands over lines without their ends.
func NewPrinter(line func(text string), paint Paint) *Printer {
	return &Printer{line: line, paint: paint, seen: map[string]Step{}, byJob: map[string]string{}, early: map[string][]Step{}}
}

// Step prints what is new of a step, or of a line below one.
func (p *Printer) Step(s Step) {
	if _, known := p.seen[s.Parent]; s.Parent != "" && !known {
		p.early[s.Parent] = append(p.early[s.Parent], s)
		return
	}
	before := p.seen[s.ID]
	p.seen[s.ID] = s
	for _, job := range s.Jobs {
		p.byJob[job] = s.ID
	}
	lines := p.early[s.ID]
	delete(p.early, s.ID)
	for _, line := range lines {
		p.Step(line)
	}
	switch {
	case before.Over() || !s.Begun():
	case s.Over():
		p.end(s)
	case s.Error != "" && s.Error != before.Error:
		p.under(s, p.paint(Muted, "… ")+s.Name+" is tried again: "+FirstLine(s.Error))
	case s.Parent == "":
		p.open(s.ID)
	case s.Progress.Text != "" && s.Progress.Text != before.Progress.Text:
		p.under(s, p.paint(Muted, "… ")+s.Name+": "+s.Progress.Text)
	}
}

// Log prints a line that a job of the tree wrote.
func (p *Printer) Log(job, text string) {
	s, known := p.seen[p.byJob[job]]
	if known && s.Parent != "" {
		text = s.Short() + ": " + text
	}
	if known {
		p.under(s, p.paint(Muted, "│ ")+text)
		return
	}
	p.line("  " + p.paint(Muted, "│ ") + text)
}

func (p *Printer) end(s Step) {
	text := s.Text(time.Time{}, p.paint)
	if s.Parent != "" {
		p.under(s, text)
		return
	}
	p.line(text)
	p.last = ""
}

// under prints a line under the heading of its step.
func (p *Printer) under(s Step, text string) {
	step := s.ID
	if s.Parent != "" {
		step = s.Parent
	}
	p.open(step)
	p.line("  " + text)
}

// open prints the heading of a step, unless it is the one above.
func (p *Printer) open(id string) {
	if p.last == id {
		return
	}
	p.last = id
	s := p.seen[id]
	text := p.paint("running", Symbol("running")) + " " + s.Name
	if s.Progress.M == 0 && s.Progress.Text != "" { // what is counted comes later
		text += "  " + s.Progress.Text
	}
	p.line(text)
}
