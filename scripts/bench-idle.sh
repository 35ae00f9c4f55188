#!/usr/bin/env bash
# Measures what an idle cluster with one small app costs: CPU time over SECONDS
# (60) and resident memory of aortad, and for information of its Redis servers
# and nginx. The cluster is one of its own, brought up as make up does, and is
# removed afterwards.
set -euo pipefail
cd "$(dirname "$0")/.."

SPAN=${SPAN:-60}
SETTLE=${SETTLE:-45} # what a start and a first deploy leave to do ends meanwhile
PORT=${PORT:-17620}

STATE=$(mktemp -d /tmp/aorta-idle.XXXXXX)
LISTEN=127.0.0.1:$PORT ROUTER=127.0.0.1:$((PORT + 1)) DOMAIN=idle.localhost
export STATE LISTEN ROUTER DOMAIN
. scripts/state.sh
. scripts/daemon.sh

trap 'scripts/clean.sh >&2' EXIT

# managed NAME is the process id of a managed daemon.
managed() { grep -o '"pid": *[0-9]*' "$DATA/state/$1.pid.json" | grep -o '[0-9]*$'; }

# family PID prints it and its children.
family() { echo "$1" && pgrep -P "$1" || true; }

# ticks PIDS… adds up their CPU time, user and system, in ticks.
ticks() {
	local pid stat sum=0
	for pid; do
		stat=$(cat "/proc/$pid/stat")
		set -- ${stat##*) }
		sum=$((sum + ${12} + ${13}))
	done
	echo "$sum"
}

# resident PIDS… adds up their resident memory in kB.
resident() {
	local pid sum=0
	for pid; do
		sum=$((sum + $(awk '/^VmRSS/ { print $2 }' "/proc/$pid/status")))
	done
	echo "$sum"
}

quiet() { [ "$(bin/aorta jobs --json 2>/dev/null | grep -c '"state": *"running"')" = 0 ]; }

# show NAME TICKS KB
show() {
	awk -v name="$1" -v t="$2" -v kb="$3" -v hz="$(getconf CLK_TCK)" -v s="$SPAN" \
		'BEGIN { printf "%-22s %5.2f %% of a core, %5.1f MB resident\n", name, 100 * t / hz / s, kb / 1024 }'
}

main() {
	local name pids
	local -A before
	scripts/up.sh >"$STATE.log" 2>&1 || die_with_log "$STATE.log" "no cluster came up"
	rm -f "$STATE.log"
	export AORTA_CONFIG=$STATE/client.json
	await 60 quiet || die "the cluster in $STATE does not come to rest: bin/aorta jobs"
	sleep "$SETTLE"
	local -a names=(aortad redis-routes redis-jobs redis-stats redis-routes-replica nginx)
	for name in "${names[@]}"; do
		pids=$([ "$name" = aortad ] && daemon pid || family "$(managed "$name")")
		before[$name]=$(ticks $pids)
	done
	sleep "$SPAN"
	for name in "${names[@]}"; do
		pids=$([ "$name" = aortad ] && daemon pid || family "$(managed "$name")")
		show "$name" $(($(ticks $pids) - ${before[$name]})) "$(resident $pids)"
	done
	say "idle for $SPAN s, one app with one instance"
}

main
