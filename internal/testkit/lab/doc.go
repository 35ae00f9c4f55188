// Package lab is several hosts on one machine: each has a network of its own with
// an address of 10.77.0.0/24 and of fd77::/64, a Docker engine and aortad, as the
// shipped programs with the flags of make up. They are joined by a switch, in which
// links are cut, and clients stand beside them in a network of theirs. Nothing of it
// leads out of the machine.
//
// What a lab has made is known without a list: it lies in the lab's directory and in
// its run directory, and its processes are in its control group. So it can be taken
// away wholly by whoever comes next, also after its maker was killed at any moment.
//
// It is for tests and for people who try things out; it needs root. It is no way to
// run apps, and bounds what its hosts take, so that they harm nobody else.
package lab
