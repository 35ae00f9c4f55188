#!/usr/bin/env bash
# Runs the tests that docs/FAULTS.md names under "Hosts and what they cost", and prints
# that table anew. Flags such as -defaults go to the tests (cmd/aortad/siege_test.go).
#
# Its last line is the test runner's: N passed, N failed, N skipped.
set -euo pipefail
cd "$(dirname "$0")/.."
. scripts/state.sh
. scripts/rig.sh

main() {
	local code=0 names costs said
	names=$(sed -n '/^## Hosts and what they cost/,/^## /p' docs/FAULTS.md | grep -oE '`TestLab_[A-Za-z0-9]+`' | tr -d '`' | sort -u | paste -sd'|')
	open_rig
	costs=$(realpath "$STATE")/costs.md
	rm -f "$costs"
	go build -o "$STATE/testreport" ./scripts/testreport
	said=$("$STATE/testreport" $(cat internal/testkit/race/flags) -vet=off -count=1 -timeout 2h -run "^($names)\$" ./cmd/aortad -args -costs "$costs" "$@" </dev/null) || code=$?
	[ ! -e "$costs" ] || cat "$costs"
	echo "$said"
	exit "$code"
}

main "$@"
