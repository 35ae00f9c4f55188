#!/usr/bin/env bash
# Stops everything that up.sh started: the daemon, its Redis and nginx, the
# instances, and the Docker engine when it was started there too. State stays.
set -euo pipefail
cd "$(dirname "$0")/.."
. scripts/state.sh
. scripts/daemon.sh

# stop_cluster is done once: afterwards the engine may be gone that it asks.
stop_cluster() {
	[ -d "$DATA" ] && [ ! -e "$STOPPED" ] || return 0
	if [ ! -x bin/aortad ]; then
		use_go
		make --no-print-directory build STATE="$STATE" >&2 || die "bin/aortad is needed to stop the cluster in $DATA and does not build: see above"
	fi
	say "down: stopping the cluster in $DATA"
	[ ! -e "$STATE/engine" ] || scripts/engine.sh start # ours, and it may have died: its containers live on
	stop_daemon
	end_process "$(daemon pid)" "$(daemon started)" 60
	forget "$RECORD"
	{ : >"$STOPPED"; } 2>/dev/null || true # then it is stopped again the next time
}

# stop_daemon keeps its words in a log, unless the disk takes no writes.
stop_daemon() {
	local log=$STATE/down.log
	if ! : 2>/dev/null >"$log"; then
		bin/aortad stop --data-dir "$DATA" --all >&2 || die "aortad stop --data-dir $DATA --all failed: see above"
		return
	fi
	bin/aortad stop --data-dir "$DATA" --all >"$log" 2>&1 || die_with_log "$log" "aortad stop --data-dir $DATA --all failed"
}

main() {
	[ -e "$MARKER" ] || { say "down: nothing was started in $STATE" && return; }
	stop_cluster
	scripts/engine.sh stop
	say "down: all stopped; make up starts it again, make clean removes its state"
}

main "$@"
