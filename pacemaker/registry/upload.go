package registry

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"maps"
	"net/url"

	"aorta/pacemaker/cluster"
)

// errForeignUpload is for an upload that was not begun here.
var errForeignUpload = errors.New("no such upload was begun")

// sealUpload is where a node goes on with an upload: the registry's own address for it,
// which may be anywhere, in a form that no node can make up.
func (o *Outside) sealUpload(app cluster.ID, at *url.URL) string {
	text := at.String()
	sealed := base64.RawURLEncoding.EncodeToString(append(o.seal(app, text), text...))
	return cluster.RegistryPath + string(app) + "/blobs/uploads/outside?" + url.Values{sealedAt: {sealed}}.Encode()
}

// sealedAt is the parameter that has the address.
const sealedAt = "_at"

// openUpload is the registry's address of an upload, with what was asked of it; one
// without a host when the upload is none of ours.
func (o *Outside) openUpload(app cluster.ID, query url.Values) *url.URL {
	raw, err := base64.RawURLEncoding.DecodeString(query.Get(sealedAt))
	if err != nil || len(raw) < sha256.Size {
		return &url.URL{}
	}
	text := string(raw[sha256.Size:])
	at, err := url.Parse(text)
	if err != nil || !hmac.Equal(raw[:sha256.Size], o.seal(app, text)) {
		return &url.URL{}
	}
	all := at.Query()
	query.Del(sealedAt)
	maps.Copy(all, query)
	at.RawQuery = all.Encode()
	return at
}

func (o *Outside) seal(app cluster.ID, text string) []byte {
	mac := hmac.New(sha256.New, []byte(o.cfg.Secret))
	mac.Write([]byte(string(app) + " " + text))
	return mac.Sum(nil)
}
