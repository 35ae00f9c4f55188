#!/usr/bin/env bash
# Stops everything and removes its state, and the images that the cluster built.
# Only a directory that bears our marker is removed, and nothing that is mounted
# below it.
set -euo pipefail
cd "$(dirname "$0")/.."
. scripts/state.sh
. scripts/daemon.sh

# remove_images takes the cluster's images from an engine that is not ours; one
# of our own has them below STATE.
remove_images() {
	local cluster=$1 socket=${2#unix://}
	[ -n "$cluster" ] && [ -S "$socket" ] || return 0
	curl -s --max-time 60 --unix-socket "$socket" -X POST -o /dev/null \
		"http://engine/images/prune?filters=%7B%22dangling%22%3A%5B%22false%22%5D%2C%22label%22%3A%5B%22aorta.cluster%3D$cluster%22%5D%7D" || true
}

main() {
	local cluster engine
	if [ ! -e "$STATE" ]; then
		return
	fi
	[ -e "$MARKER" ] || die "$STATE has no $(basename "$MARKER") in it, so it is not Aorta's to remove"
	cluster=$(cat "$DATA/cluster.id" 2>/dev/null || true)
	engine=$(cat "$DATA/docker.host" 2>/dev/null || true)
	scripts/down.sh
	remove_images "$cluster" "$engine"
	if grep -qF " $STATE/" /proc/self/mountinfo; then
		die "something is still mounted below $STATE: $(awk -v s="$STATE/" 'index($5, s) == 1 { print $5; exit }' /proc/self/mountinfo); unmount it, then make clean again"
	fi
	rm -rf --one-file-system "$STATE"
	say "clean: $STATE removed"
}

main "$@"
