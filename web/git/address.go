package git

import (
	"net/http"
	"strings"

	"aorta/pacemaker/cluster"
)

// prefix is where repositories live in the URL space.
const prefix = "/git/"

// The services, by their names in git's protocol.
const (
	receivePack = "git-receive-pack"
	uploadPack  = "git-upload-pack"
)

// address is what a request asks for.
type address struct {
	app       string
	service   string
	advertise bool // the refs, before the conversation
}

// writes tells whether the request needs the right to push.
func (a address) writes() bool { return a.service == receivePack }

// parseAddress accepts exactly the requests that git makes. A path that could
// be written in another way is not one of them.
func parseAddress(r *http.Request) (address, error) {
	rest, ok := strings.CutPrefix(r.URL.Path, prefix)
	name, what, found := strings.Cut(rest, ".git/")
	if !ok || !found || r.URL.RawPath != "" {
		return address{}, cluster.NotFound("no repository at this address (use …/git/NAME.git)")
	}
	if err := cluster.ValidateName("app", name); err != nil {
		return address{}, cluster.NotFound("no repository at this address: %v", err)
	}
	a := address{app: name}
	switch what {
	case "info/refs":
		a.advertise = true
		a.service = r.URL.Query().Get("service")
	case receivePack, uploadPack:
		a.service = what
	default:
		return address{}, cluster.NotFound("no such file in a repository (use git over smart HTTP)")
	}
	if a.service != receivePack && a.service != uploadPack {
		return address{}, cluster.Forbidden("only git's smart HTTP is supported (git 1.6.6 or later)")
	}
	return a, nil
}

// method is the only one that the address answers to.
func (a address) method() string {
	if a.advertise {
		return http.MethodGet
	}
	return http.MethodPost
}
