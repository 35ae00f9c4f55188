package buildkit

import (
	"slices"
	"testing"

	"github.com/moby/buildkit/client/llb"
	"github.com/moby/buildkit/solver/pb"
	"github.com/opencontainers/go-digest"

	"aorta/heart/docker/dockerfile"
)

// A rewritten definition hangs together: each step needs steps that are in it, and
// what is said of a step is said of one that is there.
func TestRewrite_TakesAllAlongThatNeedsAChangedStep(t *testing.T) {
	const run = "RUN --mount=type=secret,id=token make"
	lines := llb.NewSourceMap(nil, "Dockerfile", "", []byte(run))
	at := lines.Location([]*pb.Range{{Start: &pb.Position{Line: 1}, End: &pb.Position{Line: 1}}})
	base := llb.Image("base")
	made := base.Run(llb.Shlex("make"), llb.AddSecret("/run/secrets/token", llb.SecretID("token")), llb.AddSecret("TOKEN", llb.SecretID("token"), llb.SecretAsEnv(true)), llb.WithCustomName(run), at).Root()
	d, err := llb.Scratch().File(llb.Copy(base, "/a", "/a")).File(llb.Copy(made, "/x", "/x"), llb.WithCustomName("COPY")).Marshal(testContext, llb.LinuxAmd64)
	if err != nil {
		t.Fatal(err)
	}
	s := newSecrets(dockerfile.Recipe{Owner: "app", Secrets: map[string][]byte{"token": []byte("value")}})

	got, err := rewrite(d.ToPB(), func(op *pb.Op) (bool, error) { return s.rename(op), nil })
	if err != nil {
		t.Fatal(err)
	}

	there := map[string]*pb.Op{}
	var ids, named []string
	for _, raw := range got.Def {
		var op pb.Op
		if err := op.UnmarshalVT(raw); err != nil {
			t.Fatal(err)
		}
		for _, in := range op.Inputs {
			if there[in.Digest] == nil {
				t.Errorf("a step needs %s, which is not before it", in.Digest)
			}
		}
		id := digest.FromBytes(raw).String()
		there[id] = &op
		for _, m := range op.GetExec().GetMounts() {
			if m.SecretOpt != nil {
				ids = append(ids, m.SecretOpt.ID)
			}
		}
		for _, env := range op.GetExec().GetSecretenv() {
			ids = append(ids, env.ID)
		}
		if name := got.Metadata[id].GetDescription()["llb.customname"]; name != "" {
			named = append(named, name)
		}
	}
	for of := range got.Source.Locations {
		if there[of] == nil {
			t.Errorf("lines belong to step %s, which is not there", of)
		}
	}
	if len(got.Def) != len(d.Def) || len(got.Metadata) != len(d.Metadata) || len(got.Source.Locations) != len(d.Source.Locations) {
		t.Errorf("got %d steps, %d of them described, %d with lines; want %d, %d, %d", len(got.Def), len(got.Metadata), len(got.Source.Locations), len(d.Def), len(d.Metadata), len(d.Source.Locations))
	}
	if want := []string{s.name("token"), s.name("token")}; !slices.Equal(ids, want) {
		t.Errorf("got the secrets %v, want %v", ids, want)
	}
	if want := []string{run, "COPY"}; !slices.Equal(named, want) {
		t.Errorf("got steps with the names %v, want %v", named, want)
	}
}
