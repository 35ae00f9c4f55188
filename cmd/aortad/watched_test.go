package main_test

import (
	"flag"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"aorta/internal/testkit"
)

// watched is the directory in bin of what the race detector watches.
const watched = "watched"

var watchAll = flag.Bool("watched", false, "the race detector watches the daemon in all tests, and not only in those of watchedTests")

// watchedTests are those in which the race detector watches the daemon, and what comes
// together in each. It takes three times the processor time, and finds races between
// things that a test has happen at the same time: the other tests do one thing after the
// other, or what one of these does, too.
var watchedTests = map[string]string{
	"TestBuilds_EndWithAKilledDaemon":                 "builds, their cancelling and a start that takes them up",
	"TestCatchUp_MachineRestarts":                     "all that a start takes up at once",
	"TestChain_EveryVerbOfTheCLI":                     "each operation of the API",
	"TestExact_DaemonKilledUnderLoad":                 "the access log, read while it is written",
	"TestLive_ShowsTrafficAndARestart":                "streams of pages under traffic",
	"TestNodes_CertificatesAreRenewedUnderLoad":       "certificates that are replaced on connections at work",
	"TestNodes_HeartAndRouterOfTheirOwn":              "nodes of one role each, and acks between them",
	"TestNodes_WithoutAHeartAreHeardAndMissed":        "liveness",
	"TestOutput_IsInTheLogOnceAcrossKillsAndRotation": "output, read while it is written, rotated and shipped",
	"TestPush_TwoAtOnce":                              "pushes to one app at the same time",
	"TestRedis_RoutesMasterKilled":                    "connections that are lost and taken up",
	"TestRegistry_ABuilderIsKilledInAPush":            "images on their way, interrupted",
	"TestRollout_ChangesUnderLoad":                    "deploys, scaling and config under load",
	"TestStatus_NamesWhatHangs":                       "an engine that hangs, and all that waits for it",
	"TestStorm_LeavesNothingLostDoubledOrOver":        "everything on four hosts, under faults",
	"TestTurns_ABuildHoldsNothingUp":                  "operations of one app at the same time",
}

// daemonOf is the program that a test starts as its daemon: the very one that ships, or
// the same with the race detector.
func daemonOf(tb testing.TB) string {
	name, _, _ := strings.Cut(tb.Name(), "/")
	if _, chosen := watchedTests[name]; chosen || *watchAll {
		return filepath.Join(bin, watched, "aortad")
	}
	return filepath.Join(bin, "aortad")
}

// A test that is called otherwise tomorrow is still watched, and comes in its turn.
func TestWatched_NamesTests(t *testing.T) {
	files, err := filepath.Glob("*_test.go")
	testkit.Must(t, err)
	var tests []string
	for _, file := range files {
		text, err := os.ReadFile(file)
		testkit.Must(t, err)
		for _, m := range regexp.MustCompile(`(?m)^func (Test\w+)\(`).FindAllSubmatch(text, -1) {
			tests = append(tests, string(m[1]))
		}
	}

	for _, name := range slices.Concat(slices.Sorted(maps.Keys(watchedTests)), longest) {
		if !slices.Contains(tests, name) {
			t.Errorf("there is no test %s, which is to be watched or to come early", name)
		}
	}
}
