#!/usr/bin/env bash
# Runs every test on real daemons, after installing what is missing, or those of
# PACKAGES. Flags go to go test. A Docker engine is started when none answers, and
# stopped again.
#
# Its last line is the test runner's: N passed, N failed, N skipped.
set -euo pipefail
cd "$(dirname "$0")/.."
. scripts/state.sh
. scripts/rig.sh

main() {
	local code=0
	open_rig
	go build -o "$STATE/testreport" ./scripts/testreport
	# What go vet finds, make check says. Each step has its own bound, and a package
	# takes as long as a slow machine needs for it. Tests wait for daemons most of
	# the time, so there are more of them than processors, and one package more: the
	# clusters' is at work throughout.
	"$STATE/testreport" $(cat internal/testkit/race/flags) -vet=off -count=1 -p $(($(nproc) + 1)) -parallel $((2 * $(nproc))) -timeout 3h ${PACKAGES:-./...} "$@" </dev/null || code=$?
	exit "$code"
}

main "$@"
