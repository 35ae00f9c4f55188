package pacemaker

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"aorta/pacemaker/cluster"
)

// Word is how the cluster is: ok, warn or bad.
type Word string

// The words. Bad: requests fail, or changes can't be made. Warn: it works, and
// somebody should look.
const (
	WordOK   Word = "ok"
	WordWarn Word = "warn"
	WordBad  Word = "bad"
)

// Concern is one thing that is not as it should be.
type Concern struct {
	Word  Word
	Kind  string // job, node, app, router, redis or sql
	ID    string // of a job, node, router or instance; the name of a redis
	App   string // name, of an app or a job
	AppID cluster.ID
	Text  string
	Since time.Time // zero: nobody wrote it down
}

// Key names the concern while it lasts.
func (c Concern) Key() string { return c.Kind + " " + c.ID + c.App + " " + string(c.Word) }

// Reason is the text with the next step in a terminal, where the text has none.
func (c Concern) Reason() string {
	if c.Kind != "job" {
		return c.Text
	}
	return fmt.Sprintf("%s (aorta jobs show %s; once it is seen to: aorta jobs discard %[2]s)", strings.TrimSuffix(c.Text, "."), c.ID)
}

// Concerns lists what is wrong in what the glance shows, the worst first. away
// names Redis servers that do not answer.
func (g Glance) Concerns(away []string) []Concern {
	var out []Concern
	for _, name := range away {
		out = append(out, Concern{Word: WordBad, Kind: "redis", ID: name, Text: fmt.Sprintf("The %s does not answer: look at its log.", name)})
	}
	for _, a := range g.Apps {
		c, wrong := a.concern()
		if wrong {
			out = append(out, c)
		}
		if c.Word != WordBad { // which tells of them
			out = append(out, a.crashes()...)
		}
	}
	for _, n := range g.Nodes {
		out = append(out, n.concerns()...)
	}
	out = append(out, g.failures()...)
	slices.SortStableFunc(out, func(a, b Concern) int { return cmp.Compare(a.Word, b.Word) }) // bad before warn
	return out
}

func (a AppGlance) concern() (Concern, bool) {
	c := Concern{Kind: "app", App: a.Name, AppID: a.ID}
	changing := a.Operation != nil && a.Operation.Kind.Exclusive()
	switch {
	case a.Destroying:
		return c, false
	case a.State == AppFailed && a.Release != "":
		crashing := ""
		if n := len(a.Crashing); n > 0 {
			crashing = fmt.Sprintf(", %d crashing", n)
		}
		c.Word, c.Text = WordBad, fmt.Sprintf("%s has no instance that serves%s: see why with aorta logs -a %[1]s.", a.Name, crashing)
	case a.State == AppServing && a.Missing > 0 && !changing:
		c.Word, c.Text = WordWarn, fmt.Sprintf("%s lacks %d of %d instances.", a.Name, a.Missing, a.Wanted)
	default:
		return c, false
	}
	return c, true
}

func (a AppGlance) crashes() []Concern {
	out := make([]Concern, 0, len(a.Crashing))
	for _, in := range a.Crashing {
		out = append(out, Concern{
			Word: WordWarn, Kind: "app", ID: string(in.ID), App: a.Name, AppID: a.ID,
			Text: fmt.Sprintf("Instance %s of %s is crashing: aorta logs -a %[2]s -i %s", instanceName(in), a.Name, in.ID.Short()),
		})
	}
	return out
}

func (n NodeGlance) concerns() []Concern {
	if !n.Joined() {
		return nil
	}
	var out []Concern
	if n.RouterSilent {
		out = append(out, Concern{Word: WordBad, Kind: "router", ID: string(n.ID), Text: fmt.Sprintf("The router on %s says nothing: look at aortad and nginx there.", n.Name)})
	}
	if n.Unheard {
		c := Concern{Word: WordWarn, Kind: "node", ID: string(n.ID), Text: fmt.Sprintf("Node %s is silent: look at aortad and the network there.", n.Name)}
		if n.HeardAt != nil {
			c.Since = *n.HeardAt
		}
		return append(out, c)
	}
	if len(n.Unknown) > 0 {
		out = append(out, Concern{Word: WordWarn, Kind: "node", ID: string(n.ID), Text: fmt.Sprintf(
			"Node %s runs %d instances that this cluster does not know (%s): look at them with docker, and remove them there.", n.Name, len(n.Unknown), n.Unknown[0])})
	}
	return out
}

func (g Glance) failures() []Concern {
	names := make(map[cluster.ID]string, len(g.Apps))
	for _, a := range g.Apps {
		names[a.ID] = a.Name
	}
	out := make([]Concern, 0, len(g.Attention))
	for _, op := range g.Attention {
		c := Concern{Word: WordWarn, Kind: "job", ID: string(op.ID), App: names[op.AppID], AppID: op.AppID, Text: op.Title + " failed: " + firstLine(op.Error)}
		if op.EndedAt != nil {
			c.Since = *op.EndedAt
		}
		out = append(out, c)
	}
	return out
}

func firstLine(s string) string {
	line, _, _ := strings.Cut(s, "\n")
	return line
}

// Verdict is the cluster's state in a word and in words, with the concerns that
// Concerns found in it.
func (g Glance) Verdict(concerns []Concern) (Word, string) {
	if len(concerns) == 0 {
		return WordOK, g.wellWords() + g.workWords()
	}
	worst := concerns[0]
	if rest := len(concerns) - 1; rest > 0 {
		return worst.Word, fmt.Sprintf("%s And %d more.", worst.Text, rest)
	}
	return worst.Word, worst.Text
}

// Counts tells how many apps there are, and how many of them serve and are
// stopped. One that is being destroyed does not count.
func (g Glance) Counts() (total, serving, stopped int) {
	for _, a := range g.Apps {
		if a.Destroying {
			continue
		}
		total++
		switch {
		case a.State == AppServing, a.State == AppDeploying && a.Running > 0:
			serving++
		case a.State == AppStopped:
			stopped++
		}
	}
	return total, serving, stopped
}

func (g Glance) wellWords() string {
	total, serving, stopped := g.Counts()
	var s string
	switch {
	case total == 0:
		return "No app yet."
	case serving == 0:
		s = "No app serves"
	case serving == total && serving == 1:
		return "The one app serves."
	case serving == total:
		return fmt.Sprintf("All %d apps serve.", serving)
	default:
		s = fmt.Sprintf("%d of %d apps serve", serving, total)
	}
	if stopped > 0 {
		s += fmt.Sprintf(", %d stopped", stopped)
	}
	if rest := total - serving - stopped; rest > 0 {
		s += fmt.Sprintf(", %d not deployed yet", rest)
	}
	return s + "."
}

// workWords tells of what people asked for and is under way.
func (g Glance) workWords() string {
	var asked []cluster.Operation
	for _, op := range g.Open {
		if !op.Kind.Recurring() {
			asked = append(asked, op)
		}
	}
	switch len(asked) {
	case 0:
		return ""
	case 1:
		return " At work: " + asked[0].Title + "."
	}
	return fmt.Sprintf(" %d jobs are at work.", len(asked))
}
