package firewall

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"slices"
	"strings"
)

// plan gives the lines for iptables-restore by which a kernel's table gets what the
// policy wants of it, none where it has it. Rules of other owners stay, and so do
// those of whomever else.
func (p Policy) plan(f family, have table) []string {
	c := changes{owner: p.Owner, have: have}
	wanted := map[string]bool{}
	for _, h := range hooks {
		for _, b := range p.Bridges {
			wanted[h.chain(b.Name)] = true
			c.fill(h.chain(b.Name), p.pass(f, h, b), p.refuse(f, h))
			c.jump(h, b.Name)
		}
	}
	for _, chain := range have.ours() {
		if !wanted[chain] {
			c.leave(chain)
		}
	}
	return c.lines
}

// changes gathers what is to be done to a table.
type changes struct {
	owner Owner
	have  table
	lines []string
}

func (c *changes) add(format string, args ...any) {
	c.lines = append(c.lines, fmt.Sprintf(format, args...))
}

// fill makes the owner's rules in a chain what they should be: those that pass in
// front of all, those that refuse at the end.
func (c *changes) fill(chain string, pass, refuse []string) {
	want := marks(c.owner, pass, refuse)
	if rules, there := c.have[chain]; !there {
		c.add("-N %s", chain)
	} else if holds(rules, c.owner, want) {
		return
	}
	c.drop(chain)
	for i, rule := range pass {
		c.add("-I %s %d -m comment --comment %s %s", chain, i+1, want[i], rule)
	}
	for i, rule := range refuse {
		c.add("-A %s -m comment --comment %s %s", chain, want[len(pass)+i], rule)
	}
}

// marks are those of a set of rules, in its order.
func marks(owner Owner, pass, refuse []string) []mark {
	sum := sha256.Sum256([]byte(strings.Join(pass, "\n") + "\n\n" + strings.Join(refuse, "\n")))
	set := hex.EncodeToString(sum[:4])
	var all []mark
	for i := range pass {
		all = append(all, mark{owner, set, passing, fmt.Sprint(i)})
	}
	for i := range refuse {
		all = append(all, mark{owner, set, refusing, fmt.Sprint(i)})
	}
	return all
}

// holds says whether a chain has these marks of the owner, in their order and no
// others, with what passes in front of what refuses, whosever either is.
func holds(rules []string, owner Owner, want []mark) bool {
	var have []mark
	anyRefuses, ownRefuses := false, false
	for _, rule := range rules {
		m := markOf(rule)
		own := m.owner == owner
		if m.part == passing && (ownRefuses || own && anyRefuses) {
			return false
		}
		anyRefuses = anyRefuses || m.part == refusing
		ownRefuses = ownRefuses || own && m.part == refusing
		if own {
			have = append(have, m)
		}
	}
	return slices.Equal(have, want)
}

// drop deletes the owner's rules of a chain.
func (c *changes) drop(chain string) {
	for _, rule := range c.have[chain] {
		if markOf(rule).owner == c.owner {
			c.add("-D %s %s", chain, rule)
		}
	}
}

// jump has packets of the bridge come to its chain before anybody else has accepted
// them.
func (c *changes) jump(h hook, bridge string) {
	chain, parent := h.chain(bridge), c.have.parentOf(h)
	if c.first(parent, chain) {
		c.unjump(chain, parent)
		return
	}
	c.unjump(chain, "")
	c.add("-I %s 1 -i %s -j %s", parent, bridge, chain)
}

// first says whether the parent jumps to the chain once, before all that is not ours.
func (c *changes) first(parent, chain string) bool {
	if len(c.have.jumps(parent, chain)) != 1 {
		return false
	}
	for _, rule := range c.have[parent] {
		to := target(rule)
		if to == chain {
			return true
		}
		if _, ours := bridgeOf(to); !ours {
			return false
		}
	}
	return false
}

// unjump deletes all jumps to a chain, but for those of one parent.
func (c *changes) unjump(chain, but string) {
	for _, parent := range parents() {
		if parent == but {
			continue
		}
		for _, rule := range c.have.jumps(parent, chain) {
			c.add("-D %s %s", parent, rule)
		}
	}
}

// leave takes the owner's rules out of a chain, and the chain away when there is
// nothing else in it.
func (c *changes) leave(chain string) {
	c.drop(chain)
	for _, rule := range c.have[chain] {
		if markOf(rule).owner != c.owner {
			return
		}
	}
	c.unjump(chain, "")
	c.add("-X %s", chain)
}
