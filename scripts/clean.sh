#!/usr/bin/env bash
# Stops everything and removes its state. Only a directory that bears our marker
# is removed, and nothing that is mounted below it.
set -euo pipefail
cd "$(dirname "$0")/.."
. scripts/state.sh

main() {
	if [ ! -e "$STATE" ]; then
		return
	fi
	[ -e "$MARKER" ] || die "$STATE has no $(basename "$MARKER") in it, so it is not Aorta's to remove"
	scripts/down.sh
	if grep -qF " $STATE/" /proc/self/mountinfo; then
		die "something is still mounted below $STATE: $(awk -v s="$STATE/" 'index($5, s) == 1 { print $5; exit }' /proc/self/mountinfo); unmount it, then make clean again"
	fi
	rm -rf --one-file-system "$STATE"
	say "clean: $STATE removed"
}

main "$@"
