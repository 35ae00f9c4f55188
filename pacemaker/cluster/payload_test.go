package cluster

import (
	"encoding/json"
	"flag"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

var update = flag.Bool("update", false, "write testdata/payloads anew: only for a payload that no released program sends")

// payloads are the arguments of jobs and of operations, each with all of its
// fields set.
func payloads() map[string]any {
	id, other := ID("0192d3a0-0000-7000-8000-000000000001"), ID("0192d3a0-0000-7000-8000-000000000002")
	return map[string]any{
		"operation_args": OperationArgs{Operation: id},
		"instance_args":  InstanceArgs{Operation: id, Instance: other, Rebuilt: true},
		"build_args":     BuildArgs{Operation: id, Build: other},
		"prune_args":     PruneArgs{Node: id, App: other},
		"request": Request{
			Build: id, Commit: "c", Message: "m", Author: "a", Cause: "deploy", Domains: []string{"a.b"}, Ref: "refs/heads/main", Old: "o",
			Serving: true, Replace: []ID{id}, Relimited: []string{"web"}, Retagged: []string{"worker"}, Types: []string{"web"}, AtMost: map[string]int{"web": 1}, Move: "drain", Reason: "why", Revive: true, Retries: other, Rollback: true, Nodes: []ID{id}, Registry: true,
		},
	}
}

// TestPayloads_KeepTheirJSON holds a cluster together while it is upgraded: the
// programs of two versions read each other's payloads, and those in SQL and Redis.
func TestPayloads_KeepTheirJSON(t *testing.T) {
	for name, value := range payloads() {
		path := filepath.Join("testdata", "payloads", name+".json")
		got, err := json.MarshalIndent(value, "", "  ")
		if err != nil {
			t.Fatal(err)
		}
		if *update {
			if err := os.WriteFile(path, append(got, '\n'), 0o644); err != nil {
				t.Fatal(err)
			}
		}
		want, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(strings.TrimSpace(string(want)), string(got)); diff != "" {
			t.Errorf("%s is not written as it was (-want +got):\n%s", name, diff)
		}
		back := reflect.New(reflect.TypeOf(value))
		if err := json.Unmarshal(want, back.Interface()); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if diff := cmp.Diff(value, back.Elem().Interface()); diff != "" {
			t.Errorf("%s is not read as it was (-want +got):\n%s", name, diff)
		}
	}
}

// TestPayloads_SetEveryField makes sure that the test above sees all there is.
func TestPayloads_SetEveryField(t *testing.T) {
	for name, value := range payloads() {
		wantAllSet(t, name, reflect.ValueOf(value))
	}
}

func wantAllSet(t *testing.T, path string, v reflect.Value) {
	t.Helper()
	if v.IsZero() {
		t.Errorf("%s is not set", path)
		return
	}
	switch v.Kind() {
	case reflect.Struct:
		for i := range v.NumField() {
			if f := v.Type().Field(i); f.IsExported() && f.Type.PkgPath() != "time" {
				wantAllSet(t, path+"."+f.Name, v.Field(i))
			}
		}
	case reflect.Slice:
		wantAllSet(t, path+"[0]", v.Index(0))
	}
}
