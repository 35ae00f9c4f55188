# Sourced by benchmarks after daemon.sh: which part of the daemon costs what.

# profile writes where the daemon's CPU time goes within SPAN seconds.
profile() {
	local socket
	socket=$(ss -Hlxp | grep "pid=$(daemon pid)," | grep -o '/[^ ]*/profile\.sock')
	curl -sf --unix-socket "$socket" -o "$STATE/profile" "http://aortad/debug/pprof/profile?seconds=$SPAN"
}

# parts shows the profile, the dearest part first, then what has no name, which is
# mostly the collection of garbage. It has a sample for 10 ms of CPU time.
parts() {
	go tool pprof -tags -unit=ms "$STATE/profile" 2>/dev/null | awk -v s="$SPAN" '
		function show(name, ms) { printf "  %-34s %5.2f %%\n", name, ms / 10 / s }
		/: Total/ { on = /part:/ }
		on && /: Total/ { rest = $5 - $3 }
		on && !/: Total/ && NF { ms = $1 + 0; sub(/^[^:]*: */, ""); show($0, ms) }
		END { show("no part", rest) }'
}
