#!/usr/bin/env bash
# Runs the apps of scripts/apps as people run theirs: pushed, used, changed under
# load, scaled, destroyed, on the very cluster of make up. The first run makes the
# image that most of them are built on.
#
# Its last line is the test runner's: N passed, N failed, N skipped.
set -euo pipefail
cd "$(dirname "$0")/.."
. scripts/state.sh
. scripts/rig.sh

main() {
	local code=0
	open_rig apps
	scripts/apps/base.sh
	go build -o "$STATE/testreport" ./scripts/testreport
	"$STATE/testreport" $(cat internal/testkit/race/flags) -vet=off -tags apps -run '^TestApps_' -count=1 -timeout 60m "$@" ./scripts </dev/null || code=$?
	exit "$code"
}

main "$@"
