package cluster

import (
	"net/url"
	"strings"
)

// RegistryPath is where the registry's protocol is spoken.
const RegistryPath = "/v2/"

// RegistryRequest is what a request in the registry's protocol is about. An app's
// images are in one repository, which has the app's id for its name: it never comes
// back for another app.
type RegistryRequest struct {
	App      ID     // empty: the request asks only whether this is a registry
	Push     bool   // it writes
	Manifest string // the tag or digest of the manifest that it reads or writes
	Blob     string // the digest of the blob that it reads
	From     ID     // the repository that a blob is taken over from
}

// ParseRegistryRequest finds out what a request is about. What nodes have no need
// for, such as lists of repositories and removals, is forbidden.
func ParseRegistryRequest(method, path string, query url.Values) (RegistryRequest, error) {
	var r RegistryRequest
	rest, ok := strings.CutPrefix(path, RegistryPath)
	read := method == "GET" || method == "HEAD"
	if ok && rest == "" && read {
		return r, nil
	}
	repository, what, _ := strings.Cut(rest, "/")
	app, err := ParseID(repository)
	if err != nil || !ok {
		return r, NotFound("%s is no path of the cluster's registry", Clip(path))
	}
	r.App, r.Push = app, !read
	kind, name, _ := strings.Cut(what, "/")
	upload, isUpload := strings.CutPrefix(name, "uploads/")
	switch {
	case kind == "blobs" && name == "uploads/" && method == "POST":
		return r.from(query)
	case kind == "blobs" && isUpload && isName(upload) && (read || method == "PATCH" || method == "PUT" || method == "DELETE"):
		r.Push = true
		return r, nil
	case kind == "manifests" && isName(name) && (read || method == "PUT"):
		r.Manifest = name
		return r, nil
	case kind == "blobs" && isName(name) && read:
		r.Blob = name
		return r, nil
	}
	return r, Forbidden("no node may %s %s of the cluster's registry", method, Clip(path))
}

// isName says that a part of a path is one, and leads nowhere else.
func isName(part string) bool {
	return part != "" && part != "." && part != ".." && !strings.Contains(part, "/")
}

func (r RegistryRequest) from(query url.Values) (RegistryRequest, error) {
	name := query.Get("from")
	if name == "" {
		return r, nil
	}
	app, err := ParseID(name)
	if err != nil {
		return r, NotFound("%s is no repository of the cluster's registry", Clip(name))
	}
	r.From = app
	return r, nil
}
