#!/usr/bin/env bash
# Runs every test on real daemons, after installing what is missing. A Docker
# engine is started when none answers, and stopped again.
#
# Its last line is the test runner's: N passed, N failed, N skipped.
set -euo pipefail
cd "$(dirname "$0")/.."
. scripts/state.sh

# stop_engine speaks into a file: the closing line is to stay the last.
stop_engine() { STATE=$STATE/test scripts/engine.sh stop 2>>"$STATE/test.log"; }

main() {
	local code=0
	open_state
	scripts/bootstrap.sh test
	use_go
	make --no-print-directory build STATE="$STATE" >&2
	trap stop_engine EXIT # the engine of make up is in another record and stays
	STATE=$STATE/test scripts/engine.sh start
	DOCKER_HOST=$(STATE=$STATE/test scripts/engine.sh host)
	export DOCKER_HOST
	go build -o "$STATE/testreport" ./scripts/testreport
	"$STATE/testreport" -race -count=1 -timeout 30m "$@" ./... </dev/null || code=$?
	exit "$code"
}

main "$@"
