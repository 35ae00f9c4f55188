#!/usr/bin/env bash
# Stops everything and removes its state, the images that the cluster built, and
# the names by which it marked what it pulled.
# Only a directory that bears our marker is removed, and nothing that is mounted
# below it.
set -euo pipefail
cd "$(dirname "$0")/.."
. scripts/state.sh
. scripts/daemon.sh

# remove_images takes what the cluster built, and its names off what was pulled
# for it, from an engine that is not ours; one of our own has them below STATE.
# An image that somebody made of one of ours bears our label too: only those with
# a name of ours go, and those that have no name at all.
remove_images() {
	local cluster=$1 socket=${2#unix://} status=200
	[ -n "$cluster" ] && [ -S "$socket" ] || return 0
	remove_named "$socket" '"reference":["aorta/*"],"label":["aorta.cluster='"$cluster"'"]' 'aorta/[^/"]*'
	remove_named "$socket" '"reference":["aorta/pulled/'"$cluster"'"]' "aorta/pulled/$cluster:[^\"]*"
	[ "$status" != 200 ] || await 300 prune "$socket" "$cluster" || true
	[ "$status" = 200 ] || say "clean: the engine at $socket kept images of this cluster (it answered $status); see them by: docker images --filter label=aorta.cluster=$cluster"
}

# remove_named SOCKET FILTERS PATTERN removes the names that match the pattern from the
# images of the filters. What has no other name goes with them. The answer of a
# removal that failed is left in status.
remove_named() {
	local name answer
	for name in $(curl -sG --max-time 60 --unix-socket "$1" --data-urlencode "filters={$2}" http://engine/images/json | grep -oE "\"$3\"" | tr -d '"'); do
		answer=$(curl -s --max-time 60 -o /dev/null -w '%{http_code}' --unix-socket "$1" -X DELETE "http://engine/images/$name" || true)
		case $answer in
		200 | 404) ;;
		*) status=$answer ;;
		esac
	done
}

# prune SOCKET CLUSTER removes what has no name, and leaves the answer in status: 000
# where the engine gave none. It fails while the engine prunes for somebody else.
prune() {
	status=$(curl -s --max-time 300 -o /dev/null -w '%{http_code}' --unix-socket "$1" -X POST \
		"http://engine/images/prune?filters=%7B%22dangling%22%3A%5B%22true%22%5D%2C%22label%22%3A%5B%22aorta.cluster%3D$2%22%5D%7D" || true)
	[ "$status" != 409 ]
}

# remove_apps_base takes the image that make test-apps builds on.
remove_apps_base() {
	local socket status
	socket=$(sed -n 's,^unix://,,p' "$STATE/apps-base" 2>/dev/null || true)
	[ -S "$socket" ] || return 0
	status=$(curl -s --max-time 300 -o /dev/null -w '%{http_code}' --unix-socket "$socket" -X DELETE http://engine/images/aorta-apps-base || true)
	case $status in
	200 | 404) ;;
	*) say "clean: the engine at $socket kept the image aorta-apps-base (it answered $status); remove it by: docker rmi aorta-apps-base" ;;
	esac
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
	[ ! -e "$STATE/lab/lab.json" ] || scripts/lab down
	remove_images "$cluster" "$engine"
	remove_apps_base
	if grep -qF " $STATE/" /proc/self/mountinfo; then
		die "something is still mounted below $STATE: $(awk -v s="$STATE/" 'index($5, s) == 1 { print $5; exit }' /proc/self/mountinfo); unmount it, then make clean again"
	fi
	remove_state
}

# remove_state keeps the directory itself where a file system of its own is mounted
# on it, and what that has of itself.
remove_state() {
	if mountpoint -q "$STATE"; then
		find "$STATE" -mindepth 1 -maxdepth 1 ! -name lost+found -exec rm -rf --one-file-system {} +
		say "clean: $STATE is empty; it stays, since a file system is mounted there"
		return
	fi
	rm -rf --one-file-system "$STATE"
	say "clean: $STATE removed"
}

main "$@"
