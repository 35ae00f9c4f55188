package cluster

import (
	"slices"
	"strings"
)

// AllCapabilities stands for each of them where capabilities are dropped.
const AllCapabilities = "ALL"

// DefaultCapabilities are what stock images need to start: to give their files to
// a user of their own and to become that user, as nginx, postgres, apache and all
// that use gosu do. They reach no further than the container's own files and
// processes.
var DefaultCapabilities = []string{"CHOWN", "DAC_OVERRIDE", "FOWNER", "FSETID", "KILL", "NET_BIND_SERVICE", "SETGID", "SETUID"}

// capabilities are those of Linux 6, without their CAP_.
var capabilities = strings.Fields(`
	AUDIT_CONTROL AUDIT_READ AUDIT_WRITE BLOCK_SUSPEND BPF CHECKPOINT_RESTORE CHOWN DAC_OVERRIDE DAC_READ_SEARCH FOWNER
	FSETID IPC_LOCK IPC_OWNER KILL LEASE LINUX_IMMUTABLE MAC_ADMIN MAC_OVERRIDE MKNOD NET_ADMIN NET_BIND_SERVICE
	NET_BROADCAST NET_RAW PERFMON SETFCAP SETGID SETPCAP SETUID SYSLOG SYS_ADMIN SYS_BOOT SYS_CHROOT SYS_MODULE
	SYS_NICE SYS_PACCT SYS_PTRACE SYS_RAWIO SYS_RESOURCE SYS_TIME SYS_TTY_CONFIG WAKE_ALARM`)

// grantable are what an admin may grant: they reach no further than the container
// and its share of the node. The others reach the kernel's settings, other
// containers or the node's files (SYS_ADMIN, SYS_MODULE, NET_ADMIN,
// DAC_READ_SEARCH …), so that an app that has one may as well have the node.
var grantable = []string{"AUDIT_WRITE", "IPC_LOCK", "MKNOD", "NET_RAW", "SETFCAP", "SETPCAP", "SYS_CHROOT", "SYS_NICE", "SYS_PTRACE"}

// ParseGrants reads what is to be granted to an app, or revoked.
func ParseGrants(field string, names []string) ([]string, error) {
	var out []string
	for _, written := range names {
		name := CapabilityName(written)
		switch {
		case slices.Contains(DefaultCapabilities, name):
			return nil, Invalid(field, "%s is one that each app has (cap_drop in its aorta.yml takes it away)", name)
		case !slices.Contains(grantable, name):
			return nil, Invalid(field, "%q can't be granted: it is none of %s, which reach no further than the app's own containers", Clip(written), strings.Join(grantable, ", "))
		}
		out = append(out, name)
	}
	return out, nil
}

// CapabilityName is a capability's name as the kernel's headers have it, without
// its CAP_: people write cap_chown, too.
func CapabilityName(s string) string { return strings.TrimPrefix(strings.ToUpper(s), "CAP_") }

// Capabilities are those that a container has: the default ones and what was
// granted, without what its process type drops.
func (s InstanceSpec) Capabilities() []string {
	var kept []string
	for _, name := range slices.Concat(DefaultCapabilities, s.Grants) {
		if !slices.Contains(s.Container.CapDrop, name) && !slices.Contains(s.Container.CapDrop, AllCapabilities) {
			kept = append(kept, name)
		}
	}
	return kept
}
