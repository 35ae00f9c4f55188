#!/usr/bin/env bash
# Looks at the dashboard in a browser, on clusters of its own.
#
#   scripts/pages.sh pictures DIR   every page in every width and theme, of an
#                                   empty, a busy and a broken cluster, as PNG
#   scripts/pages.sh figures        size, first paint and pace with 1,000 apps
set -euo pipefail
cd "$(dirname "$0")/.."
. scripts/state.sh
. scripts/rig.sh

# pages runs the tests of the pages by a pattern.
pages() { go test $(cat internal/testkit/race/flags) -vet=off -count=1 -timeout 15m -v -run "$1" ./cmd/aortad -args "${@:2}"; }

pictures() {
	local dir=$1
	mkdir -p "$dir"
	dir=$(cd "$dir" && pwd)
	open_rig
	pages '^TestPages_OfA' -test.parallel 1 -pages.shots "$dir" >"$STATE/pages.log" 2>&1 || die_with_log "$STATE/pages.log" "the pages could not be shown as they should be"
	say "$(find "$dir" -name '*.png' | wc -l) pictures in $dir"
}

figures() {
	open_rig
	pages '^TestPages_WithAThousandApps$' -pages.figures >"$STATE/pages.log" 2>&1 || die_with_log "$STATE/pages.log" "the pages could not be measured"
	sed -n 's/^ *manyapps_test\.go:[0-9]*: //p' "$STATE/pages.log"
}

case ${1:-} in
pictures) pictures "${2:?the directory for the pictures}" ;;
figures) figures ;;
*) die "say pictures DIR or figures" ;;
esac
