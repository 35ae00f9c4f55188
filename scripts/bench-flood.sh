#!/usr/bin/env bash
# Measures what an app that prints as fast as it can takes from its neighbour: the
# neighbour's response times alone, beside the flood, and beside an app that burns
# one core without a line, each for SPAN seconds (10); and who has the processor
# time meanwhile, of aortad the four dearest parts. It needs a machine on which
# nothing else is busy. The cluster is one of its own, brought up as make up does,
# and is removed afterwards. The client goes before all of it, since clients have
# machines of their own.
set -euo pipefail
cd "$(dirname "$0")/.."

SPAN=${SPAN:-10}
PORT=${PORT:-17660}

STATE=$(mktemp -d /tmp/aorta-flood.XXXXXX)
LISTEN=127.0.0.1:$PORT ROUTER=127.0.0.1:$((PORT + 1)) DOMAIN=flood.localhost
export STATE LISTEN ROUTER DOMAIN
. scripts/state.sh
. scripts/daemon.sh
. scripts/parts.sh

trap 'scripts/clean.sh >&2' EXIT

# deploy_printer pushes the app that prints, and burns.
deploy_printer() {
	local src=$STATE/printer
	mkdir -p "$src"
	CGO_ENABLED=0 go build -trimpath -buildvcs=false -ldflags '-s -w' -o "$src/app" ./scripts/bench/logs/printer
	printf 'FROM scratch\nCOPY app /app\nCMD ["/app"]\n' >"$src/Dockerfile"
	(cd / && "$OLDPWD/bin/aorta" apps create printer) && bin/aorta deploy "$src" -a printer
}

# ours prints the processes of this cluster, but for its containers.
ours() {
	local record pid
	daemon pid
	for record in "$DATA"/state/*.pid.json; do
		pid=$(grep -o '"pid": *[0-9]*' "$record" | grep -o '[0-9]*$')
		echo "$pid" && pgrep -P "$pid" || true
	done
}

# spent prints each process that takes part, and its CPU time in ticks: ours, the
# client, and those of the engine and of containers with these two apps, whosever.
spent() {
	local pid stat name
	for pid in $(ours) $(pgrep -x 'dockerd|containerd|containerd-shim|app|hello|wrk'); do
		name=$(cat "/proc/$pid/comm" 2>/dev/null) && stat=$(cat "/proc/$pid/stat" 2>/dev/null) || continue
		set -- ${stat##*) }
		echo "$name $pid $((${12} + ${13}))"
	done
}

# ahead COMMAND… runs it in a session of its own, and before others. A kernel that
# does not share processor time by session has no such file.
ahead() {
	setsid -w bash -c '{ echo -10 >/proc/self/autogroup; } 2>/dev/null; exec nice -n -10 "$@"' - "$@"
}

# beside WHAT [QUERY] asks the neighbour for SPAN seconds, while the printer does what
# the query says.
beside() {
	local what=$1 query=${2:-} asked= profiled
	if [ -n "$query" ]; then
		curl -s --max-time $((SPAN + 2)) -H "Host: printer.$DOMAIN" "http://$ROUTER/?$query" >/dev/null &
		asked=$!
		sleep 1
	fi
	spent >"$STATE/before"
	profile &
	profiled=$!
	ahead wrk -t1 -c2 -d"$SPAN" --latency -H "Host: hello.$DOMAIN" "http://$ROUTER/" >"$STATE/wrk"
	spent >"$STATE/after"
	printf '%-28s %s\n' "$what" "$(awk '$1 == "50%" || $1 == "99%" { printf "p%s %-9s ", $1, $2 } /Requests.sec/ { printf "%s requests/s", $2 }' "$STATE/wrk")"
	awk -v s="$SPAN" -v hz="$(getconf CLK_TCK)" 'NR == FNR { before[$2] = $3; next } $2 in before { sum[$1] += $3 - before[$2] }
		END { for (n in sum) if (sum[n] / hz / s >= 0.01) printf "    %-16s %3.0f %% of a core\n", n, 100 * sum[n] / hz / s }' "$STATE/before" "$STATE/after" | sort -k2 -rn
	wait "$profiled"
	[ -z "$query" ] || parts | sed -n 1,4p
	[ -z "$asked" ] || wait "$asked" || true
}

main() {
	scripts/up.sh >"$STATE.log" 2>&1 || die_with_log "$STATE.log" "no cluster came up"
	use_go
	export AORTA_CONFIG=$STATE/client.json
	deploy_printer >"$STATE.log" 2>&1 || die_with_log "$STATE.log" "the app that prints does not come up"
	rm -f "$STATE.log"
	beside "alone"
	beside "beside an app that burns" "burn=$((SPAN + 1))"
	sleep 3
	beside "beside a flood of lines" "rate=10000000&seconds=$((SPAN + 1))"
	sleep 3
	beside "alone again"
}

main
