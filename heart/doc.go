// Package heart is the agent of a node: it runs the instances that its node was
// given, keeps them running by the policy in their specs, and reports what is.
//
// It decides nothing about the cluster: which instances, where, and what is
// routed to them is the pacemaker's choice. It remembers all that it needs on
// its own disk, so that it does its work while the pacemaker is away.
package heart
