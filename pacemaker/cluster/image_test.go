package cluster

import (
	"slices"
	"strings"
	"testing"
)

var (
	someDigest  = "sha256:" + strings.Repeat("0a", 32)
	otherDigest = "sha256:" + strings.Repeat("0b", 32)
)

func TestValidateImageRef(t *testing.T) {
	for ref, ok := range map[string]bool{
		"alpine": true, "alpine:3.20": true, "library/alpine": true, "registry.example.com/team/shop:1.2": true, "localhost:5000/shop": true,
		"127.0.0.1:5000/shop:v1": true, "a/b/c/d:e": true, "shop@" + someDigest: true, "shop:1@" + someDigest: true, someDigest: true,
		strings.Repeat("0a", 32): true, "Registry.Example.com/shop": true, "shop:" + strings.Repeat("t", 128): true, "a__b/c--d": true,

		"": false, " ": false, "-a": false, "Alpine": false, "team/Shop": false, "shop:": false, "shop:a b": false, "shop@": false,
		"shop@sha256:12": false, "shop@md5:" + strings.Repeat("0a", 16): false, "shop:" + strings.Repeat("t", 129): false, "/shop": false, "shop/": false,
		"a//b": false, "../shop": false, "shop\n": false, "shop\x00": false, "http://example.com/shop": false, "shop:1:2": false, "shöp": false,
		"--privileged": false, "shop;reboot": false, "$(reboot)": false, strings.Repeat("a", 256): false, strings.Repeat("a/", 300) + "b": false,
	} {
		wantInvalid(t, ref, ValidateImageRef("image", ref), "image", ok)
	}
}

func TestValidateImageRef_SaysCauseAndNextStep(t *testing.T) {
	err := ValidateImageRef("image", "Alpine:3")

	for _, want := range []string{`"Alpine:3"`, "must be lowercase", "registry.example.com/shop:1.2"} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want it to say %s", err, want)
		}
	}
}

func TestImage_PinnedIsItsRepositoryAtItsDigest(t *testing.T) {
	for ref, want := range map[string]string{
		"alpine": "alpine@", "alpine:3": "alpine@", "docker.io/library/alpine:3": "alpine@", "team/shop": "team/shop@",
		"registry.example.com:5000/shop": "registry.example.com:5000/shop@", "registry.example.com:5000/shop:7": "registry.example.com:5000/shop@",
		"shop@" + otherDigest: "shop@", "shop:1@" + otherDigest: "shop@",
	} {
		got, err := Image{Ref: ref, Digest: someDigest}.Pinned()

		if err != nil || got != want+someDigest {
			t.Errorf("%s: got %q, %v, want %s and the digest", ref, got, err, want)
		}
	}
	if got, err := (Image{Ref: "shop:1"}).Pinned(); got != "shop:1" || err != nil {
		t.Errorf("without a digest: got %q, %v, want the reference as it is", got, err)
	}
	for _, bad := range []Image{{Ref: "Shop", Digest: someDigest}, {Ref: "shop", Digest: "sha256:1"}, {Ref: "shop", Digest: "x --privileged"}} {
		if got, err := bad.Pinned(); CodeOf(err) != CodeInvalid {
			t.Errorf("%+v: got %q, %v, want it refused", bad, got, err)
		}
	}
}

func TestImage_IsWhatAnyEngineCallsIt(t *testing.T) {
	i := Image{Ref: "shop:1", ID: someDigest, Pushed: "sha256:pushed", Config: someDigest, Digest: "sha256:theirs"}

	for id, want := range map[string]bool{someDigest: true, "sha256:pushed": true, "sha256:theirs": true, otherDigest: false, "": false, "shop:1": false} {
		if got := i.Is(id); got != want {
			t.Errorf("%q: got %v, want %v", id, got, want)
		}
	}
	if got, want := i.IDs(), []string{someDigest, "sha256:pushed", "sha256:theirs"}; !slices.Equal(got, want) {
		t.Errorf("got the ids %q, want each once, the builder's first: %q", got, want)
	}
}

func TestDigestIn_IsThatOfTheSameRepository(t *testing.T) {
	names := []string{"mirror.example.com/shop@" + otherDigest, "junk", "alpine@" + someDigest}
	for ref, want := range map[string]string{
		"alpine:3": someDigest, "docker.io/library/alpine": someDigest, "mirror.example.com/shop:1": otherDigest, "shop": "", "Bad": "", "": "",
	} {
		if got := DigestIn(names, ref); got != want {
			t.Errorf("%s: got %q, want %q", ref, got, want)
		}
	}
}

func FuzzValidateImageRef(f *testing.F) {
	f.Add("registry.example.com:5000/team/shop:1.2@" + someDigest)
	f.Add("Alpine")
	f.Fuzz(func(t *testing.T, ref string) {
		if ValidateImageRef("image", ref) != nil {
			return
		}
		if strings.ContainsAny(ref, " \x00\n\r\t\"'$;\\|&<>`") || ref[0] == '-' {
			t.Errorf("%q was let in", ref)
		}
		if pinned, err := (Image{Ref: ref, Digest: someDigest}).Pinned(); err == nil && ValidateImageRef("image", pinned) != nil {
			t.Errorf("%q is pinned as %q, which is refused", ref, pinned)
		}
	})
}
