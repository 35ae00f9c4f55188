package rest

import (
	"cmp"
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humachi"
	"github.com/go-chi/chi/v5"

	"aorta/web/access"
)

// Prefix is the path prefix of every operation.
const Prefix = "/api/v1"

// API is one document of operations on one listener.
type API struct {
	huma.API
	Log *slog.Logger
}

// New makes an API without operations on a router.
func New(r chi.Router, title, version string, log *slog.Logger) *API {
	config := huma.DefaultConfig(title, version)
	config.OpenAPIPath, config.DocsPath, config.SchemasPath = "", "", "" // served by ourselves
	config.Formats = formats()
	config.CreateHooks = nil // no $schema links in answers
	config.Components.SecuritySchemes = map[string]*huma.SecurityScheme{"token": {Type: "http", Scheme: "bearer"}}
	config.Security = []map[string][]string{{"token": {}}}
	return &API{API: humachi.New(r.With(lingering), config), Log: log}
}

// Route describes one operation.
type Route struct {
	Method, Path, Summary string
	Role                  access.Role
	Subject               access.Kind
	Status                int   // of success; 0: the default
	Stream                bool  // the body is read by the handler, without a limit of size or time
	Secret                bool  // the answer is kept nowhere, so a repeat is done again
	Bulk                  bool  // the body is a Bulk
	MaxBody               int64 // bytes; 0: the usual limit
}

// routeKey is where an operation's metadata keep its route.
const routeKey = "route"

// RouteOf is the route of an operation; every one was registered with one.
func RouteOf(op *huma.Operation) Route {
	rt, _ := op.Metadata[routeKey].(Route)
	return rt
}

// Register adds an operation and turns its errors into problem documents.
func Register[I, O any](h *API, rt Route, handle func(context.Context, *I) (*O, error)) {
	op := operation(rt)
	where := locations{}
	bound := binds[I](rt)
	huma.Register(h.API, op, func(ctx context.Context, in *I) (*O, error) {
		out, err := onSubject(ctx, in, bound, handle)
		if err != nil {
			return nil, h.problem(ctx, rt, where, err)
		}
		return out, nil
	})
	for documented := range Operations(h.OpenAPI()) {
		if documented.OperationID != op.OperationID {
			continue
		}
		for _, param := range documented.Parameters {
			where[param.Name] = param.In
		}
	}
}

// binds tells whether the input takes its subject. One on an app or a node must.
func binds[I any](rt Route) bool {
	_, bound := any(new(I)).(access.Bound)
	if !bound && (rt.Subject == access.OnApp || rt.Subject == access.OnNode) {
		panic(fmt.Sprintf("%s %s is on one %s, and its input does not take it", rt.Method, rt.Path, rt.Subject)) // a mistake in our code, at start
	}
	return bound
}

// onSubject binds the subject to the input and calls the handler. A subject that
// is not there is an error only here, behind the checks of the input.
func onSubject[I, O any](ctx context.Context, in *I, bound bool, handle func(context.Context, *I) (*O, error)) (*O, error) {
	if bound {
		subject, err := access.SubjectOf(ctx)
		if err != nil {
			return nil, err
		}
		any(in).(access.Bound).Bind(subject)
	}
	return handle(ctx, in)
}

// operation is the framework's description of a route.
func operation(rt Route) huma.Operation {
	op := huma.Operation{
		OperationID: operationID(rt), Method: rt.Method, Path: Prefix + rt.Path, Summary: rt.Summary,
		DefaultStatus: rt.Status, Metadata: map[string]any{routeKey: rt},
		SkipValidateBody: rt.Bulk, MaxBodyBytes: cmp.Or(rt.MaxBody, 4<<20), RejectUnknownQueryParameters: true, BodyReadTimeout: 30 * time.Second,
	}
	if rt.Stream {
		op.MaxBodyBytes, op.BodyReadTimeout = -1, -1
	}
	if rt.Role == access.Anyone { // a stranger costs as little as possible
		op.MaxBodyBytes, op.BodyReadTimeout, op.Security = 16<<10, 10*time.Second, []map[string][]string{}
	}
	if rt.keyed() {
		op.Parameters = []*huma.Param{keyParameter()}
	}
	return op
}

// problem maps an error to its problem document. What has no code is ours: it
// is logged in full, and the answer says no more than that it happened.
func (h *API) problem(ctx context.Context, rt Route, where locations, err error) error {
	p := problemOf(err)
	p.log(ctx, h.Log, rt.Method, Prefix+rt.Path)
	p.locate(where)
	return p
}

// The methods of routes.
const (
	Get    = http.MethodGet
	Post   = http.MethodPost
	Put    = http.MethodPut
	Patch  = http.MethodPatch
	Delete = http.MethodDelete
)
