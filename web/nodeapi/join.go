package nodeapi

import (
	"context"

	"github.com/danielgtaylor/huma/v2"

	"aorta/web/nodewire"
	"aorta/web/rest"
)

// renewPath is the one operation that a certificate out of its time is good for.
const renewPath = "/nodes/{id}/certificate"

type join struct {
	token string
	Body  nodewire.Join
}

// Resolve takes the token from its header, which no log has.
func (j *join) Resolve(ctx huma.Context) []error {
	j.token = rest.Bearer(ctx)
	return nil
}

type renew struct {
	NodePath
	Body nodewire.Renewal
}

func (a *API) join(ctx context.Context, in *join) (*rest.Reply[nodewire.Joined], error) {
	j := in.Body.Domain()
	j.Token = in.token
	return answer(nodewire.FromJoined)(a.pace.Members.Join(ctx, j))
}

func (a *API) renew(_ context.Context, in *renew) (*rest.Reply[nodewire.Renewal], error) {
	cert, err := a.pace.Members.Renew(in.Node(), in.Body.Request)
	return rest.OK(nodewire.Renewal{Certificate: cert}, err)
}
