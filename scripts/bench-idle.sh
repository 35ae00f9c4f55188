#!/usr/bin/env bash
# Measures what an idle cluster costs, without an app and with APPS (100) quiet
# ones: CPU time over SPAN seconds (60) and resident memory of aortad, and for
# information of its Redis servers and nginx; then where the CPU time of aortad
# went, part by part, as its profile has it. The cluster is one of its own,
# brought up as make up does, and is removed afterwards; so is its Docker engine,
# since a daemon hears of all that others do on one that it shares with them.
set -euo pipefail
cd "$(dirname "$0")/.."

SPAN=${SPAN:-60}
SETTLE=${SETTLE:-45} # what a start and deploys leave to do ends meanwhile
APPS=${APPS:-100}
PORT=${PORT:-17620}

STATE=${STATE_WITHIN:-$(mktemp -d /tmp/aorta-idle.XXXXXX)}
LISTEN=127.0.0.1:$PORT ROUTER=127.0.0.1:$((PORT + 1)) DOMAIN=idle.localhost
export STATE LISTEN ROUTER DOMAIN
. scripts/state.sh
. scripts/daemon.sh
. scripts/parts.sh

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

# resident KIND PIDS… adds up their resident memory in kB: VmRSS is all, RssAnon
# what is theirs alone, the rest being pages of the program.
resident() {
	local kind=$1 pid sum=0
	shift
	for pid; do
		sum=$((sum + $(awk -v kind="$kind:" '$1 == kind { print $2 }' "/proc/$pid/status")))
	done
	echo "$sum"
}

quiet() { [ "$(bin/aorta jobs --json 2>/dev/null | grep -c '"state": *"running"')" = 0 ]; }

come_to_rest() {
	await 600 quiet || die "the cluster in $STATE does not come to rest: bin/aorta jobs"
	sleep "$SETTLE"
}

# show NAME TICKS KB KB
show() {
	awk -v name="$1" -v t="$2" -v kb="$3" -v own="$4" -v hz="$(getconf CLK_TCK)" -v s="$SPAN" \
		'BEGIN { printf "%-22s %5.2f %% of a core, %5.1f MB resident, %5.1f of them its own\n", name, 100 * t / hz / s, kb / 1024, own / 1024 }'
}

# measure WHAT prints the figures of the cluster as it is.
measure() {
	local name pids
	local -A before
	local -a names=(aortad redis-routes redis-jobs redis-stats redis-routes-replica nginx)
	for name in "${names[@]}"; do
		before[$name]=$(ticks $(processes "$name"))
	done
	profile
	echo "idle for $SPAN s, $1:"
	for name in "${names[@]}"; do
		pids=$(processes "$name")
		show "$name" $(($(ticks $pids) - ${before[$name]})) "$(resident VmRSS $pids)" "$(resident RssAnon $pids)"
	done
	parts
}

processes() { [ "$1" = aortad ] && daemon pid || family "$(managed "$1")"; }

# deploy_quiet makes the apps, four at a time; each has one instance.
deploy_quiet() {
	local n src=$STATE/quiet
	mkdir "$src"
	cp examples/hello/{Dockerfile,aorta.yml,hello} "$src"
	for n in $(seq "$APPS"); do
		(cd / && "$OLDPWD/bin/aorta" apps create "quiet-$n") >/dev/null
		bin/aorta deploy "$src" --detach -a "quiet-$n" >/dev/null
	done
}

# enter goes on in a network of its own, where no other engine's firewall rules are,
# and with an empty /run, where no other engine is found. What has to be fetched for
# that is fetched before: there is no way out from there.
enter() {
	[ "$(id -u)" = 0 ] || die "a cluster and its engine need root: run make bench-idle as root"
	open_state
	scripts/bootstrap.sh run
	use_go
	make --no-print-directory build STATE="$STATE" >&2
	exec env -u DOCKER_HOST STATE_WITHIN="$STATE" unshare --net --mount scripts/bench-idle.sh
}

main() {
	mount -t tmpfs -o mode=755 tmpfs /run
	ip link set lo up
	scripts/up.sh >"$STATE.log" 2>&1 || die_with_log "$STATE.log" "no cluster came up"
	rm -f "$STATE.log"
	use_go
	export AORTA_CONFIG=$STATE/client.json
	bin/aorta apps destroy hello --confirm hello >/dev/null
	come_to_rest
	measure "no app"
	deploy_quiet
	come_to_rest
	measure "$APPS apps with one instance each"
}

if [ -n "${STATE_WITHIN:-}" ]; then main; else enter; fi
