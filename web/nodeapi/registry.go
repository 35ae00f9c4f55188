package nodeapi

import (
	"net/http"

	"aorta/pacemaker/cluster"
	"aorta/pacemaker/registry"
	"aorta/web/rest"
)

// registry lets a node take and send the images that it has to do with. It speaks
// the registry's protocol, errors included.
func (a *API) registry(w http.ResponseWriter, r *http.Request) {
	node, err := a.caller(r.Context(), r.TLS, false)
	if node.ID == "" {
		a.strangers.report(originOf(r.Context(), r.RemoteAddr), err)
	}
	var ask cluster.RegistryRequest
	if err == nil {
		var leave func()
		if leave, err = a.pulls.enter(node, 0); err == nil {
			defer leave()
		}
	}
	if err == nil {
		ask, err = cluster.ParseRegistryRequest(r.Method, r.URL.Path, r.URL.Query())
	}
	if err == nil {
		err = a.pace.Images.Allow(r.Context(), node, ask)
	}
	if err != nil {
		status := rest.StatusOf(err)
		if status == http.StatusInternalServerError {
			a.Log.ErrorContext(r.Context(), "a node's request of the registry failed", "node", node.Name, "method", r.Method, "path", r.URL.Path, "err", err)
		}
		registry.Refuse(w, status, err)
		return
	}
	a.Registry(node.Name).ServeHTTP(w, r)
}
