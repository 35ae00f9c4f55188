package cluster

import (
	"slices"
	"strings"
	"testing"
)

func TestParseRoles(t *testing.T) {
	all := []Role{RolePacemaker, RoleHeart, RoleRouter, RoleBuilder}
	for names, want := range map[string][]Role{
		"heart": {RoleHeart}, "builder,heart": {RoleBuilder, RoleHeart}, "pacemaker,heart,router,builder": all,
		"": nil, "Heart": nil, "heart,heart": nil, "heart,": nil, "heart ": nil, "worker": nil, "heart,\x00": nil, strings.Repeat("x", 1000): nil,
	} {
		got, err := ParseRoles("roles", strings.Split(names, ","))

		wantInvalid(t, names, err, "roles", want != nil)
		if !slices.Equal(got, want) {
			t.Errorf("%.60q: got %v, want %v", names, got, want)
		}
	}
	if _, err := ParseRoles("roles", nil); CodeOf(err) != CodeInvalid {
		t.Errorf("no names: got %v, want a refusal", err)
	}
}

func TestNode_Has(t *testing.T) {
	n := Node{Roles: []Role{RoleHeart, RoleRouter}}
	if !n.Has(RoleHeart) || !n.Has(RoleRouter) || n.Has(RoleBuilder) || (Node{}).Has(RoleHeart) {
		t.Errorf("got other roles than %v", n.Roles)
	}
}

func TestValidateNodeAddress_IsPrivateAndOneOnly(t *testing.T) {
	for address, ok := range map[string]bool{
		"10.0.0.0": true, "10.255.255.255": true, "172.16.0.1": true, "172.31.255.255": true, "192.168.1.1": true,
		"100.64.0.1": true, "100.127.255.255": true, "fd00::1": true, "fdff:ffff::1": true,

		"": false, "9.255.255.255": false, "11.0.0.0": false, "172.15.255.255": false, "172.32.0.0": false, "192.167.1.1": false,
		"169.254.1.1": false, "100.100.100.200": false, "100.63.255.255": false, "100.128.0.0": false, "127.0.0.1": false, "::1": false, "0.0.0.0": false, "::": false, "8.8.8.8": false,
		"fe00::1": false, "fc00::1": false, "fd00::1%eth0": false, "::ffff:10.0.0.1": false, "2001:db8::1": false,
		"10.0.0.1:80": false, "10.0.0.1/8": false, "10.0.0.1 ": false, "010.0.0.1": false, "10.1": false, "localhost": false, "[fd00::1]": false,
	} {
		wantInvalid(t, address, ValidateNodeAddress("address", address), "address", ok)
	}
}
