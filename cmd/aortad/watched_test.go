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
	"TestBuilds_OfADeadBuilderGoElsewhere":            "builders that come and go",
	"TestCatchUp_MachineRestarts":                     "all that a start takes up at once",
	"TestChain_EveryVerbOfTheCLI":                     "each operation of the API",
	"TestChain_PushedAppServesAndIsCounted":           "the whole way of a push and of a request, and each way to end",
	"TestDoors_API":                                   "requests that are refused in the middle",
	"TestDoors_Pushes":                                "pushes that are refused in the middle",
	"TestExact_DaemonKilledUnderLoad":                 "the access log, read while it is written",
	"TestExact_ReloadAndRestartOfTheRouter":           "routers that are replaced under load",
	"TestExternalJobs_OverTLS":                        "the other transport of jobs, and a node that joins by it",
	"TestFullDisk_IsSaidAtEveryDoorAndHeals":          "writers that fail, and their retries",
	"TestImages_OldOnesAreCollected":                  "collection beside what is begun meanwhile",
	"TestLive_NamesTheRedisThatHangs":                 "streams of pages, of which one hangs",
	"TestLive_ShowsTrafficAndARestart":                "streams of pages under traffic",
	"TestNodes_CertificatesAreRenewedUnderLoad":       "certificates that are replaced on connections at work",
	"TestNodes_HeartAndRouterOfTheirOwn":              "nodes of one role each, and acks between them",
	"TestNodes_WithoutAHeartAreHeardAndMissed":        "liveness",
	"TestOutput_IsInTheLogOnceAcrossKillsAndRotation": "output, read while it is written, rotated and shipped",
	"TestPush_AfterOneThatFails":                      "a push that follows another one's operation",
	"TestPush_TwoAtOnce":                              "pushes to one app at the same time",
	"TestRedis_RoutesMasterKilled":                    "connections that are lost and taken up: routes",
	"TestRedis_StatsAwayForTenSeconds":                "connections that are lost and taken up: statistics",
	"TestRegistry_ABuilderIsKilledInAPush":            "images on their way, interrupted",
	"TestRegistry_OneOfTheOperatorsIsWatched":         "a registry of somebody else's",
	"TestRollout_ChangesUnderLoad":                    "changes of every kind under load",
	"TestRollout_DeploysUnderLoad":                    "deploys under load",
	"TestStatus_NamesWhatHangs":                       "an engine that hangs, and all that waits for it",
	"TestStorm_LeavesNothingLostDoubledOrOver":        "everything on four hosts, under faults",
	"TestTurns_ABuildHoldsNothingUp":                  "operations of one app at the same time: builds",
	"TestTurns_ABuiltDeployWaitsForItsTurn":           "operations of one app at the same time: deploys",
	"TestVerdict_OfACrashLoopNeverTurnsWellInBetween": "instances that come and go by themselves",
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

// A test that is called otherwise tomorrow is still watched.
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

	for _, name := range slices.Sorted(maps.Keys(watchedTests)) {
		if !slices.Contains(tests, name) {
			t.Errorf("there is no test %s, which is to be watched", name)
		}
	}
}
