package nodeapi

import (
	"context"
	"errors"
	"net/netip"

	"aorta/pacemaker/store"
	"aorta/web/nodewire"
	"aorta/web/rest"
)

// renewPath is the one operation that a certificate out of its time is good for.
const renewPath = "/nodes/{id}/certificate"

type join struct {
	Body nodewire.Join
}

// asking is who asks to join: the token of the header, which no log has, and from where.
type asking struct {
	token string
	from  netip.Addr
}

// tokenKey is where the context of a request to join has that.
type tokenKey struct{}

type renew struct {
	NodePath
	Body nodewire.Renewal
}

func (a *API) join(ctx context.Context, in *join) (*rest.Reply[nodewire.Joined], error) {
	j := in.Body.Domain()
	by, _ := ctx.Value(tokenKey{}).(asking)
	j.Token = by.token
	joined, err := a.pace.Members.Join(ctx, j)
	if errors.Is(err, store.ErrBadToken) {
		err = a.strangers.refuse(by.from, err)
	}
	return answer(nodewire.FromJoined)(joined, err)
}

func (a *API) renew(_ context.Context, in *renew) (*rest.Reply[nodewire.Renewal], error) {
	cert, err := a.pace.Members.Renew(in.Node(), in.Body.Request)
	return rest.OK(nodewire.Renewal{Certificate: cert}, err)
}
