package nodeapi

import (
	"context"

	"aorta/web/nodewire"
	"aorta/web/rest"
)

// renewPath is the one operation that a certificate out of its time is good for.
const renewPath = "/nodes/{id}/certificate"

type join struct {
	Body nodewire.Join
}

// tokenKey is where the context of a request to join has the token of its header, which
// no log has.
type tokenKey struct{}

type renew struct {
	NodePath
	Body nodewire.Renewal
}

func (a *API) join(ctx context.Context, in *join) (*rest.Reply[nodewire.Joined], error) {
	j := in.Body.Domain()
	j.Token, _ = ctx.Value(tokenKey{}).(string)
	return answer(nodewire.FromJoined)(a.pace.Members.Join(ctx, j))
}

func (a *API) renew(_ context.Context, in *renew) (*rest.Reply[nodewire.Renewal], error) {
	cert, err := a.pace.Members.Renew(in.Node(), in.Body.Request)
	return rest.OK(nodewire.Renewal{Certificate: cert}, err)
}
