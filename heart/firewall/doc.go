// Package firewall keeps containers from what is the platform's: they reach the
// internet, the operator's other machines and what is public here, which are the
// routers' ports. Rules are pure values, computed from a Policy; a Keeper sees to it
// that the kernel has them, by iptables as the engine uses it.
//
// The rules only take away. What they let pass goes on to the operator's own rules,
// and the engine's. Each bridge has two chains, of packets for this machine
// (AORTA-IN-BRIDGE) and of those that go through it (AORTA-FW-BRIDGE), which nodes
// share where they share a bridge: the engine's default one, or one engine that two
// nodes use. Each rule bears the mark of its owner. What an owner lets pass is put
// in front of what any refuses, so that none closes what is another one's to open.
package firewall
