// Package heart is the agent of a node: it runs the instances assigned to its
// node, restarts them by the policy in their specs, and reports their states.
//
// It decides nothing about the cluster: which instances run where, and what is
// routed to them, is the pacemaker's choice. All that it needs is on its own
// disk, so that it works while the pacemaker is away.
package heart
