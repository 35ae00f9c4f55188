package buildkit

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"maps"
	"slices"
	"strings"

	"github.com/moby/buildkit/solver/pb"

	"aorta/heart/docker/dockerfile"
)

// secrets are a build's, under names that say whose they are and what they hold.
// A finished step is found again by the name of a secret that it mounts, not by
// its value: under plain names one app would be given what another's step made of
// its secret, and a step would not see that its secret has changed.
type secrets struct {
	owner  string
	values map[string][]byte
	plain  *strings.Replacer // from what was added to names to nothing
}

func newSecrets(r dockerfile.Recipe) secrets {
	s := secrets{owner: r.Owner, values: r.Secrets}
	added := []string{s.suffix(""), ""}
	for _, id := range slices.Sorted(maps.Keys(r.Secrets)) {
		added = append(added, s.suffix(id), "")
	}
	s.plain = strings.NewReplacer(added...)
	return s
}

// suffix is of the owner alone when there is no such secret.
func (s secrets) suffix(id string) string {
	sum := hmac.New(sha256.New, []byte(s.owner))
	if value, ok := s.values[id]; ok {
		sum.Write(append([]byte{1}, value...))
	}
	return "." + hex.EncodeToString(sum.Sum(nil))
}

func (s secrets) name(id string) string { return id + s.suffix(id) }

// named is what the session answers with.
func (s secrets) named() map[string][]byte {
	named := map[string][]byte{}
	for id, value := range s.values {
		named[s.name(id)] = value
	}
	return named
}

// attributes of a source that name a secret.
var secretAttributes = []string{pb.AttrAuthHeaderSecret, pb.AttrAuthTokenSecret, pb.AttrHTTPAuthHeaderSecret}

// rename gives the secrets of a step their names, and tells whether it has any.
func (s secrets) rename(op *pb.Op) bool {
	renamed := false
	for _, m := range op.GetExec().GetMounts() {
		if m.SecretOpt != nil {
			m.SecretOpt.ID, renamed = s.name(m.SecretOpt.ID), true
		}
	}
	for _, env := range op.GetExec().GetSecretenv() {
		env.ID, renamed = s.name(env.ID), true
	}
	attrs := op.GetSource().GetAttrs()
	for _, key := range secretAttributes {
		if id := attrs[key]; id != "" {
			attrs[key], renamed = s.name(id), true
		}
	}
	return renamed
}
