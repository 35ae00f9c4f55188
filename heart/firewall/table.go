package firewall

import (
	"maps"
	"regexp"
	"slices"
	"strings"
)

// table is what a kernel has of the filter table: the rules of each chain, as
// iptables-save prints them, without the chain's name.
type table map[string][]string

// parse reads the output of iptables-save.
func parse(saved string) table {
	t := table{}
	for line := range strings.Lines(saved) {
		line = strings.TrimSpace(line)
		if name, ok := strings.CutPrefix(line, ":"); ok {
			name, _, _ = strings.Cut(name, " ")
			t[name] = nil
		} else if rest, ok := strings.CutPrefix(line, "-A "); ok {
			name, rule, _ := strings.Cut(rest, " ")
			t[name] = append(t[name], rule)
		}
	}
	return t
}

// ours are the chains that some node made, in order.
func (t table) ours() []string {
	var names []string
	for _, name := range slices.Sorted(maps.Keys(t)) {
		if _, ours := bridgeOf(name); ours {
			names = append(names, name)
		}
	}
	return names
}

// jumps are the chain's rules that go to another one.
func (t table) jumps(chain, to string) []string {
	var found []string
	for _, rule := range t[chain] {
		if target(rule) == to {
			found = append(found, rule)
		}
	}
	return found
}

// target is where a rule leads.
func target(rule string) string {
	words := strings.Fields(rule)
	for i, w := range words[:max(0, len(words)-1)] {
		if w == "-j" || w == "-g" {
			return words[i+1]
		}
	}
	return ""
}

// parentOf is the chain that a hook's chains are jumped to from. The engine jumps to
// its chain for others before all that it accepts, wherever it puts its own rules
// when it starts; where it has none, or somebody has removed the jump, the kernel's
// chain is left.
func (t table) parentOf(h hook) string {
	if h.user != "" && len(t.jumps(h.parent, h.user)) > 0 {
		return h.user
	}
	return h.parent
}

// parents are all chains that may jump to ours.
func parents() []string {
	var all []string
	for _, h := range hooks {
		all = append(all, h.parent)
		if h.user != "" {
			all = append(all, h.user)
		}
	}
	return all
}

// The two parts of a chain.
const (
	passing  = "p"
	refusing = "r"
)

// mark is what the comment of a rule says: whose it is, of which set of rules, and
// its place there. A set that is complete and in order is the one that its owner
// wrote, however a version of iptables prints it.
type mark struct {
	owner Owner
	set   string
	part  string
	place string
}

func (m mark) String() string {
	return strings.Join([]string{string(m.owner), m.set, m.part + m.place}, "-")
}

var marked = regexp.MustCompile(`--comment "?(aorta-[0-9a-f]{8}-[0-9a-f]{8})-([0-9a-f]{8})-([pr])([0-9]+)"?(?: |$)`)

// markOf reads the mark of a rule; the zero one when it has none.
func markOf(rule string) mark {
	m := marked.FindStringSubmatch(rule)
	if m == nil {
		return mark{}
	}
	return mark{Owner(m[1]), m[2], m[3], m[4]}
}
