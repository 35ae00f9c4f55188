#!/usr/bin/env bash
# Injects the faults of docs/FAULTS.md: runs the tests that its tables name. All
# that they start is bounded to MEMORY (8G) by a cgroup, where one can be made, so
# that a bound of ours that fails hurts nobody else.
#
# Its last line is the test runner's: N passed, N failed, N skipped.
set -euo pipefail
cd "$(dirname "$0")/.."
. scripts/state.sh
. scripts/rig.sh

MEMORY=${MEMORY:-8G}
GROUP=

# enclose moves this process, and with it what it starts, into a group of its own.
enclose() {
	local root=/sys/fs/cgroup limit=memory.max group
	if [ -d "$root/memory" ]; then
		root+=/memory limit=memory.limit_in_bytes
	fi
	group=$root/aorta-hostile-$$
	if mkdir "$group" 2>/dev/null && { echo "$MEMORY" >"$group/$limit"; } 2>/dev/null && echo $$ >"$group/cgroup.procs"; then
		GROUP=$group
		return
	fi
	[ ! -d "$group" ] || rmdir "$group"
	say "hostile: no memory cgroup can be made here, so nothing bounds the tests but the product"
}

# leave goes back, so that the group can be removed.
leave() {
	[ -n "$GROUP" ] || return 0
	echo $$ >"${GROUP%/*}/cgroup.procs" && rmdir "$GROUP" 2>/dev/null || say "hostile: something goes on in $GROUP; remove it later: rmdir $GROUP"
}

main() {
	local code=0 names
	local -a packages
	names=$(grep -oE '`Test[A-Za-z0-9]*_[A-Za-z0-9_]+`' docs/FAULTS.md | tr -d '`' | sort -u | paste -sd'|')
	mapfile -t packages < <(git grep -lE "^func ($names)\(" -- '*_test.go' | xargs -n1 dirname | sort -u | sed 's,^,./,')
	open_rig
	go build -o "$STATE/testreport" ./scripts/testreport
	enclose
	"$STATE/testreport" $(cat internal/testkit/race/flags) -vet=off -count=1 -timeout 3h -run "^($names)\$" "$@" "${packages[@]}" </dev/null || code=$?
	leave >&2
	exit "$code"
}

main "$@"
