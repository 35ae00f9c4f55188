package buildkit

import (
	"fmt"

	"github.com/moby/buildkit/solver/pb"
	"github.com/opencontainers/go-digest"
	"google.golang.org/protobuf/proto"
)

// rewrite changes steps, of which each names those it needs by the digest of
// their encoding: whoever needs one that is changed is changed with it. Steps come
// after those that they need. What is said about a step goes with it.
func rewrite(d *pb.Definition, change func(*pb.Op) (bool, error)) (*pb.Definition, error) {
	if d == nil {
		return nil, nil
	}
	moved := map[string]string{}
	next := &pb.Definition{Metadata: map[string]*pb.OpMetadata{}, Source: d.Source}
	for _, raw := range d.Def {
		changed, err := rewriteOp(raw, moved, change)
		if err != nil {
			return nil, err
		}
		before, after := digest.FromBytes(raw).String(), digest.FromBytes(changed).String()
		if before != after {
			moved[before] = after
		}
		next.Def = append(next.Def, changed)
	}
	for of, said := range d.Metadata {
		next.Metadata[current(moved, of)] = said
	}
	if d.Source != nil {
		next.Source = &pb.Source{Infos: d.Source.Infos, Locations: map[string]*pb.Locations{}}
		for of, lines := range d.Source.Locations {
			next.Source.Locations[current(moved, of)] = lines
		}
	}
	return next, nil
}

func rewriteOp(raw []byte, moved map[string]string, change func(*pb.Op) (bool, error)) ([]byte, error) {
	var op pb.Op
	if err := proto.Unmarshal(raw, &op); err != nil {
		return nil, fmt.Errorf("read a step of the build: %w", err)
	}
	changed, err := change(&op)
	if err != nil {
		return nil, err
	}
	for _, in := range op.Inputs {
		if after := current(moved, in.Digest); after != in.Digest {
			in.Digest, changed = after, true
		}
	}
	if !changed {
		return raw, nil
	}
	// As BuildKit encodes: the same step has the same digest in each build.
	raw, err = proto.MarshalOptions{Deterministic: true}.Marshal(&op)
	if err != nil {
		return nil, fmt.Errorf("write a step of the build: %w", err)
	}
	return raw, nil
}

func current(moved map[string]string, of string) string {
	if after, ok := moved[of]; ok {
		return after
	}
	return of
}
