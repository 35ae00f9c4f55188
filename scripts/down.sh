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
	bin/aortad stop --data-dir "$DATA" --all >"$STATE/down.log" 2>&1 ||
		die_with_log "$STATE/down.log" "aortad stop --data-dir $DATA --all failed"
	end_process "$(daemon pid)" "$(daemon started)" 60
	rm -f "$RECORD"
	: >"$STOPPED"
}

main() {
	[ -e "$MARKER" ] || { say "down: nothing was started in $STATE" && return; }
	stop_cluster
	scripts/engine.sh stop
	say "down: all stopped; make up starts it again, make clean removes its state"
}

main "$@"
