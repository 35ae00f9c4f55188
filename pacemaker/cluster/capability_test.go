package cluster

import (
	"slices"
	"strings"
	"testing"
)

func TestInstanceSpec_CapabilitiesAreGivenAndTakenAway(t *testing.T) {
	for _, test := range []struct {
		grants, drop []string
		want         string
	}{
		{nil, nil, strings.Join(DefaultCapabilities, " ")},
		{nil, []string{"ALL"}, ""},
		{[]string{"NET_RAW"}, []string{"ALL"}, ""},
		{[]string{"NET_RAW"}, []string{"CHOWN", "KILL", "SYS_ADMIN"}, "DAC_OVERRIDE FOWNER FSETID NET_BIND_SERVICE SETGID SETUID NET_RAW"},
		{[]string{"NET_RAW", "SYS_NICE"}, []string{"NET_RAW"}, strings.Join(DefaultCapabilities, " ") + " SYS_NICE"},
	} {
		s := InstanceSpec{Grants: test.grants, Container: ContainerOptions{CapDrop: test.drop}}

		if got := strings.Join(s.Capabilities(), " "); got != test.want {
			t.Errorf("granted %v, dropped %v: got %q, want %q", test.grants, test.drop, got, test.want)
		}
	}
}

func TestParseGrants_KnowsWhatStaysInTheContainer(t *testing.T) {
	got, err := ParseGrants("grant", []string{"cap_net_raw", "SYS_PTRACE"})
	if want := []string{"NET_RAW", "SYS_PTRACE"}; err != nil || !slices.Equal(got, want) {
		t.Errorf("got %v and %v, want %v", got, err, want)
	}
	for name, says := range map[string]string{
		"SYS_ADMIN": "can't be granted", "ALL": "can't be granted", "": "can't be granted", "MAGIC": "can't be granted", "NET_ADMIN": "can't be granted",
		"CHOWN": "each app has",
	} {
		if _, err := ParseGrants("grant", []string{name}); CodeOf(err) != CodeInvalid || !strings.Contains(err.Error(), says) {
			t.Errorf("%q: got %v, want invalid with %q", name, err, says)
		}
	}
	for _, name := range append(slices.Clone(grantable), DefaultCapabilities...) {
		if !slices.Contains(capabilities, name) {
			t.Errorf("%s is no capability", name)
		}
	}
}
