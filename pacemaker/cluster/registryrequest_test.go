package cluster

import (
	"net/url"
	"testing"
)

const (
	oneApp   = ID("01912345-6789-7abc-8def-0123456789ab")
	otherApp = ID("01912345-6789-7abc-8def-0123456789ac")
)

func TestParseRegistryRequest_SaysWhatItIsAbout(t *testing.T) {
	repo := "/v2/" + string(oneApp)
	for ask, want := range map[string]RegistryRequest{
		"GET /v2/":                                 {},
		"HEAD " + repo + "/manifests/tag":          {App: oneApp, Manifest: "tag"},
		"GET " + repo + "/manifests/" + someDigest: {App: oneApp, Manifest: someDigest},
		"PUT " + repo + "/manifests/tag":           {App: oneApp, Manifest: "tag", Push: true},
		"GET " + repo + "/blobs/" + someDigest:     {App: oneApp, Blob: someDigest},
		"POST " + repo + "/blobs/uploads/":         {App: oneApp, Push: true},
		"POST " + repo + "/blobs/uploads/?mount=" + someDigest + "&from=" + string(otherApp): {App: oneApp, Push: true, From: otherApp},
		"PATCH " + repo + "/blobs/uploads/x?_state=y":                                        {App: oneApp, Push: true},
		"PUT " + repo + "/blobs/uploads/x":                                                   {App: oneApp, Push: true},
		"DELETE " + repo + "/blobs/uploads/x":                                                {App: oneApp, Push: true},
		"GET " + repo + "/blobs/uploads/x":                                                   {App: oneApp, Push: true},
	} {
		got, err := parsed(t, ask)

		if err != nil || got != want {
			t.Errorf("%s: got %+v, %v, want %+v", ask, got, err, want)
		}
	}
}

func TestParseRegistryRequest_RefusesWhatNoNodeNeeds(t *testing.T) {
	repo := "/v2/" + string(oneApp)
	for ask, want := range map[string]Code{
		"GET /v2/_catalog":           CodeNotFound,
		"GET /v2":                    CodeNotFound,
		"POST /v2/":                  CodeNotFound,
		"GET /v2/shop/manifests/tag": CodeNotFound,
		"GET /v2/a/b/manifests/tag":  CodeNotFound,
		"GET /v1/" + string(oneApp) + "/manifests/tag":     CodeNotFound,
		"GET " + repo + "/tags/list":                       CodeForbidden,
		"GET " + repo + "/referrers/" + someDigest:         CodeForbidden,
		"DELETE " + repo + "/manifests/tag":                CodeForbidden,
		"DELETE " + repo + "/blobs/" + someDigest:          CodeForbidden,
		"GET " + repo + "/manifests/":                      CodeForbidden,
		"GET " + repo + "/manifests/a/b":                   CodeForbidden,
		"GET " + repo:                                      CodeForbidden,
		"POST " + repo + "/blobs/uploads":                  CodeForbidden,
		"POST " + repo + "/blobs/uploads/?from=../other":   CodeNotFound,
		"POST " + repo + "/blobs/uploads/?from=someone":    CodeNotFound,
		"PUT " + repo + "/blobs/uploads/../x":              CodeForbidden,
		"PUT " + repo + "/blobs/uploads/..":                CodeForbidden,
		"CONNECT " + repo + "/blobs/uploads/x":             CodeForbidden,
		"GET /v2/" + string(oneApp) + "x/manifests/latest": CodeNotFound,
	} {
		got, err := parsed(t, ask)

		if CodeOf(err) != want || err == nil {
			t.Errorf("%s: got %+v, %v, want it %s", ask, got, err, want)
		}
	}
}

func parsed(t *testing.T, ask string) (RegistryRequest, error) {
	t.Helper()
	var method, target string
	for i := range ask {
		if ask[i] == ' ' {
			method, target = ask[:i], ask[i+1:]
			break
		}
	}
	u, err := url.Parse(target)
	if err != nil {
		t.Fatal(err)
	}
	return ParseRegistryRequest(method, u.Path, u.Query())
}
