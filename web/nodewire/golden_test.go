package nodewire

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"aorta/pacemaker/cluster"
)

const (
	one = cluster.ID("0192d3a0-0000-7000-8000-000000000001")
	two = cluster.ID("0192d3a0-0000-7000-8000-000000000002")
)

var (
	at       = time.Date(2026, 1, 2, 3, 4, 5, 6, time.UTC)
	roles    = []cluster.Role{cluster.RoleHeart}
	image    = cluster.Image{Ref: "registry.example.com/shop:7", ID: "sha256:0a", Digest: "sha256:0b", Size: 5}
	limits   = cluster.Limits{Memory: 256 << 20, CPUs: 0.5}
	health   = cluster.Health{Path: "/up", Status: 204, StartTimeout: 90 * time.Second, Interval: 1500 * time.Millisecond}
	load     = cluster.Load{Score: 0.5, CPU: 0.25, CPUs: 2, MemoryUsed: 1, MemoryTotal: 2, DiskUsed: 0.75, DiskFree: 3, LoadAverage: 1.5}
	endpoint = cluster.RedisEndpoint{Network: "tcp", Addr: "10.0.0.1:6379", User: "u", Password: "p", DB: 1, Cluster: true, TLS: true, CA: "pem"}
	status   = cluster.InstanceStatus{
		ID: one, State: cluster.InstanceRunning, Crashing: true, Restarts: 3, Error: "e", Port: 20001, StartedAt: &at, Memory: 7, Gone: true,
	}
	process   = cluster.ProcessType{Name: "web", Command: "run", Quantity: new(2), Limits: limits, Health: health, StopGrace: time.Minute}
	container = cluster.ContainerOptions{
		CapDrop: []string{"CHOWN"}, ReadOnly: true, Tmpfs: []cluster.Tmpfs{{Path: "/run", Size: 16 << 20}, {Path: "/tmp"}},
		Ulimits: map[string]int64{"nofile": 4096}, ShmSize: 1 << 20,
	}
	route = cluster.RequestLimitsChange{Timeout: new(90 * time.Second), IdleTimeout: new(90 * time.Second), MaxBody: new(int64(1000))}
)

// TestShapes_KeepTheirJSON holds a cluster together while it is upgraded: nodes of
// one version and a pacemaker of another read what the other one writes. The
// files were written by a version before this one.
func TestShapes_KeepTheirJSON(t *testing.T) {
	golden(t, "hello", cluster.Hello{Session: "s", Hostname: "h", Pid: 1, Roles: roles, Address: "10.0.0.1", Version: "1"}, FromHello, Hello.Domain)
	golden(t, "welcome", cluster.Welcome{
		Cluster: one, Epoch: 1, NodeID: two, NodeName: "n1", Jobs: endpoint, Routes: endpoint, Stats: endpoint, Networks: []string{"10.0.0.0/8"},
	}, FromWelcome, Welcome.Domain)
	golden(t, "hello_lease", cluster.Hello{Roles: roles, Lease: "3.a", Copied: true}, FromHello, Hello.Domain)
	golden(t, "welcome_lease", cluster.Welcome{Networks: []string{}, Lease: "4.b"}, FromWelcome, Welcome.Domain)
	golden(t, "report", cluster.Report{
		Session: "s", Counter: 1, Epoch: 2, Revision: 3, Roles: roles, Address: "10.0.0.1", Load: load,
		Tags: map[string]string{"k": "v"}, Digest: "d", Full: true, Instances: []cluster.InstanceStatus{status},
	}, FromReport, Report.Domain)
	golden(t, "report_parts", cluster.Report{Roles: roles, Parts: []cluster.Part{
		{Kind: cluster.PartDisk, Name: "data disk"},
		{Kind: cluster.PartRedis, Name: "jobs Redis", Fault: "f", Minor: true, Ago: time.Second},
	}}, FromReport, Report.Domain)
	golden(t, "report_usage", cluster.Report{Roles: roles, Instances: []cluster.InstanceStatus{
		{ID: one, State: cluster.InstanceRunning, Memory: 7, CPU: new(0.25)},
	}}, FromReport, Report.Domain)
	golden(t, "report_answer", cluster.ReportAnswer{
		Epoch: 1, Revision: 2, Start: []cluster.ID{one}, Stop: []cluster.ID{two}, Forget: []cluster.ID{one}, SendFull: true,
	}, FromReportAnswer, ReportAnswer.Domain)
	places := cluster.Places{Addresses: []string{"10.0.0.1", "fd00::1"}, Public: []string{"10.0.0.1:80"}}
	golden(t, "report_places", cluster.Report{Roles: roles, Places: places, Neighbours: "d"}, FromReport, Report.Domain)
	golden(t, "report_answer_neighbours", cluster.ReportAnswer{
		Neighbours: &cluster.Neighbours{Digest: "d", Nodes: []cluster.Places{places, {}}},
	}, FromReportAnswer, ReportAnswer.Domain)
	golden(t, "report_answer_show", cluster.ReportAnswer{
		Show: []string{"10.0.0.9", "fd00::9"}, ShowAt: []string{"https://[fd00::1]:7421"},
	}, FromReportAnswer, ReportAnswer.Domain)
	golden(t, "neighbours", cluster.Neighbours{Digest: "d", Nodes: []cluster.Places{places}}, FromNeighbours, Neighbours.Domain)
	golden(t, "router_report", cluster.RouterReport{Epoch: 1, Generation: 2, Inflight: map[cluster.ID]int64{one: 3}, Workers: 4}, FromRouterReport, RouterReport.Domain)
	golden(t, "router_report_links", cluster.RouterReport{Epoch: 1, Generation: 2, Workers: 4, Age: 1500 * time.Millisecond, Lost: []string{"10.77.0.3"}}, FromRouterReport, RouterReport.Domain)
	golden(t, "instance_spec", cluster.InstanceSpec{
		ID: one, AppID: two, App: "shop", Release: "v7", Type: "web", Node: "n1", Commit: "c", Image: image, Command: "run",
		Env: map[string]string{"K": "v"}, Port: 20001, Limits: limits, Health: health, StopGrace: time.Minute, Revision: 5,
	}, FromInstanceSpec, InstanceSpec.Domain)
	golden(t, "build_spec", cluster.BuildSpec{
		ID: one, AppID: two, App: "shop", Kind: cluster.SourceCommit, Source: "c", State: cluster.BuildPending, Image: image, Cluster: two,
		Secrets: map[string]string{"K": "v"},
	}, FromBuildSpec, BuildSpec.Domain)
	golden(t, "build_result", cluster.BuildResult{
		State: cluster.BuildReady, Image: image, Processes: []cluster.ProcessType{process}, Route: route, Domains: []string{"a.b"}, Error: "e",
	}, FromBuildResult, BuildResult.Domain)
	golden(t, "instance_spec_container", cluster.InstanceSpec{ID: one, AppID: two, Env: map[string]string{}, Container: container, Grants: []string{"NET_RAW"}}, FromInstanceSpec, InstanceSpec.Domain)
	golden(t, "build_result_container", cluster.BuildResult{
		State: cluster.BuildReady, Processes: []cluster.ProcessType{{Name: "web", Container: container}},
	}, FromBuildResult, BuildResult.Domain)
	engineImage := cluster.EngineImage{ID: "sha256:0a", Names: []string{"a:1"}, Size: 5, CreatedAt: at, Origin: cluster.ImageBuilt, App: one, Build: two, InUse: true}
	golden(t, "engine_images", []cluster.EngineImage{engineImage}, FromEngineImages, DomainEngineImages)
	golden(t, "image_fates", []cluster.ImageFate{{
		EngineImage: engineImage, AppName: "shop", Releases: []string{"v7"}, Refs: []string{"a:1"}, Collect: true, Because: "b",
	}}, FromImageFates, ImageFates.Domain)
	golden(t, "log_part", cluster.LogPart{
		Instance: two, Type: "web", Release: "v7", From: "a", To: "b", Lines: []cluster.LogText{{Time: at, Stream: "stdout", Text: "t"}},
	}, fromLogPart, LogPart.domain)
	golden(t, "log_positions", []cluster.LogPosition{{Instance: two, At: "a"}}, FromLogPositions, LogPositions.Domain)
}

// golden compares a shape with its file, in both directions.
func golden[D, W any](t *testing.T, name string, value D, from func(D) W, domain func(W) D) {
	t.Helper()
	want, err := os.ReadFile(filepath.Join("testdata", name+".json"))
	if err != nil {
		t.Fatal(err)
	}
	got, err := json.MarshalIndent(from(value), "", "  ")
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(strings.TrimSpace(string(want)), string(got)); diff != "" {
		t.Errorf("%s is not written as it was (-want +got):\n%s", name, diff)
	}
	var read W
	if err := json.Unmarshal(want, &read); err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	if diff := cmp.Diff(value, domain(read)); diff != "" {
		t.Errorf("%s is not read as it was (-want +got):\n%s", name, diff)
	}
}
