package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
)

// wrkScript goes through all hosts, each thread from another start. The last
// line is for us to read.
const wrkScript = `
local n = 0
local hosts = %d
local requests = {}
function init()
  math.randomseed(tonumber(tostring({}):match("0x(%%x+)"), 16) %% 2147483647)
  n = math.random(0, hosts - 1)
  for i = 0, hosts - 1 do
    requests[i] = wrk.format("GET", "/", {Host = string.format("host-%%05d.example.com", i)})
  end
end
function request()
  n = n + 7919
  return requests[n %% hosts]
end
function done(summary, latency)
  local e = summary.errors
  io.write(string.format("RESULT %%d %%d %%d %%d\n", summary.requests, summary.duration, latency:percentile(99),
    e.connect + e.read + e.write + e.status + e.timeout))
end
`

// result is one round.
type result struct {
	rate   float64 // requests per second
	p99    float64 // milliseconds
	cpu    float64 // microseconds of the proxy's workers per request
	errors int
}

var resultRule = regexp.MustCompile(`RESULT (\d+) (\d+) (\d+) (\d+)`)

// load runs wrk against the address for one slice.
func (l *lab) load(ctx context.Context, url string, slice time.Duration) (result, error) {
	before := l.proxyTime(url)
	// wrk counts whole seconds.
	seconds := max(1, int(slice.Round(time.Second)/time.Second))
	out, err := exec.CommandContext(ctx, "wrk", "-t1", "-c", strconv.Itoa(l.connections),
		"-d", strconv.Itoa(seconds), "-s", l.script, url).CombinedOutput()
	if err != nil {
		return result{}, fmt.Errorf("run wrk (apt-get install wrk): %w: %s", err, out)
	}
	used := l.proxyTime(url) - before
	found := resultRule.FindSubmatch(out)
	if found == nil {
		return result{}, fmt.Errorf("wrk said no result: %s", out)
	}
	var numbers [4]float64
	for i := range numbers {
		numbers[i], _ = strconv.ParseFloat(string(found[i+1]), 64)
	}
	return result{
		rate: numbers[0] / numbers[1] * 1e6, p99: numbers[2] / 1000,
		cpu: used.Seconds() * 1e6 / numbers[0], errors: int(numbers[3]),
	}, nil
}

// proxyTime is the processor time that the proxy behind the address has used,
// over its workers, by the scheduler's count: that of clock ticks is too coarse.
func (l *lab) proxyTime(url string) time.Duration {
	var used time.Duration
	for _, dir := range l.workerDirs(url) {
		text, err := os.ReadFile(filepath.Join(dir, "schedstat"))
		if err != nil {
			continue
		}
		first, _, _ := strings.Cut(string(text), " ")
		ns, _ := strconv.ParseInt(first, 10, 64)
		used += time.Duration(ns)
	}
	return used
}

// workerDirs are those of the kernel about each worker of that proxy.
func (l *lab) workerDirs(url string) []string {
	master := l.staticPid
	if url == l.routerURL {
		master = l.router.Pid()
	}
	dirs, _ := filepath.Glob("/proc/[0-9]*")
	return slices.DeleteFunc(dirs, func(dir string) bool {
		fields := statOf(dir)
		return len(fields) < 2 || fields[1] != strconv.Itoa(master)
	})
}

// statOf are the words of a process's stat behind its name; none when it is gone.
func statOf(dir string) []string {
	text, err := os.ReadFile(filepath.Join(dir, "stat"))
	if err != nil {
		return nil
	}
	_, after, _ := strings.Cut(string(text), ") ")
	return strings.Fields(after)
}
