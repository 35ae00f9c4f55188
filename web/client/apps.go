package client

import (
	"context"
	"iter"
	"net/http"
	"net/url"

	"aorta/web/wire"
)

// Whoami is the caller as the server knows it.
func (c *Client) Whoami(ctx context.Context) (wire.Whoami, error) {
	return get[wire.Whoami](ctx, c, nil, "whoami")
}

// SignInLink is a link that signs a browser in as the caller, once.
func (c *Client) SignInLink(ctx context.Context) (wire.SignInLink, error) {
	return write[wire.SignInLink](ctx, c, input{}, "session", "links")
}

// Apps are all apps, in the server's order.
func (c *Client) Apps(ctx context.Context) iter.Seq2[wire.App, error] {
	return items[wire.App](ctx, c, nil, "apps")
}

// CreateApp makes an app; a name in use is a conflict.
func (c *Client) CreateApp(ctx context.Context, name string) (wire.App, error) {
	return write[wire.App](ctx, c, input{body: wire.NewApp{Name: name}}, "apps")
}

// App is one app by its name.
func (c *Client) App(ctx context.Context, app string) (wire.App, error) {
	return get[wire.App](ctx, c, nil, "apps", app)
}

// RenameApp gives an app another name. A version that is not the present one
// is a conflict; zero goes for whatever it is.
func (c *Client) RenameApp(ctx context.Context, app string, change wire.RenameApp) (wire.App, error) {
	return write[wire.App](ctx, c, input{method: http.MethodPatch, body: change}, "apps", app)
}

// DestroyApp ends an app with all that is its own.
func (c *Client) DestroyApp(ctx context.Context, app string) (wire.Accepted, error) {
	p, err := path("apps", app)
	if err != nil {
		return wire.Accepted{}, err
	}
	return do[wire.Accepted](ctx, c, call{
		method: http.MethodDelete, path: p, query: url.Values{"confirm": {app}},
		header: idempotent(), limit: callTimeout,
	})
}

// Config is an app's config vars.
func (c *Client) Config(ctx context.Context, app string) (wire.Config, error) {
	return get[wire.Config](ctx, c, nil, "apps", app, "config")
}

// ChangeConfig sets and unsets config vars in one step. There is no job before
// the app's first release.
func (c *Client) ChangeConfig(ctx context.Context, app string, change wire.ConfigChange) (wire.Accepted, error) {
	return write[wire.Accepted](ctx, c, input{method: http.MethodPatch, body: change}, "apps", app, "config")
}

// BuildSecrets are the names of what the app's builds may mount as secrets.
func (c *Client) BuildSecrets(ctx context.Context, app string) (wire.BuildSecrets, error) {
	return get[wire.BuildSecrets](ctx, c, nil, "apps", app, "build-secrets")
}

// ChangeBuildSecrets sets and unsets build secrets in one step.
func (c *Client) ChangeBuildSecrets(ctx context.Context, app string, change wire.BuildSecretsChange) (wire.BuildSecrets, error) {
	return write[wire.BuildSecrets](ctx, c, input{method: http.MethodPatch, body: change}, "apps", app, "build-secrets")
}

// Route is what requests to an app may take.
func (c *Client) Route(ctx context.Context, app string) (wire.Route, error) {
	return get[wire.Route](ctx, c, nil, "apps", app, "route")
}

// ChangeRoute changes what requests to an app may take.
func (c *Client) ChangeRoute(ctx context.Context, app string, change wire.RouteChange) (wire.Route, error) {
	return write[wire.Route](ctx, c, input{method: http.MethodPatch, body: change}, "apps", app, "route")
}

// ChangeGrants grants capabilities to an app and revokes some, which admins may.
func (c *Client) ChangeGrants(ctx context.Context, app string, change wire.GrantsChange) (wire.Grants, error) {
	return write[wire.Grants](ctx, c, input{method: http.MethodPatch, body: change}, "apps", app, "grants")
}

// Domains are an app's hostnames.
func (c *Client) Domains(ctx context.Context, app string) ([]wire.Domain, error) {
	return Collect(items[wire.Domain](ctx, c, nil, "apps", app, "domains"), 0)
}

// AddDomain gives an app a hostname; one that another app has is a conflict.
func (c *Client) AddDomain(ctx context.Context, app, host string) (wire.Domain, error) {
	return write[wire.Domain](ctx, c, input{body: wire.NewDomain{Host: host}}, "apps", app, "domains")
}

// RemoveDomain takes a hostname from an app.
func (c *Client) RemoveDomain(ctx context.Context, app, host string) error {
	_, err := write[nothing](ctx, c, input{method: http.MethodDelete}, "apps", app, "domains", host)
	return err
}
