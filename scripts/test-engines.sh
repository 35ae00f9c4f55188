#!/usr/bin/env bash
# The tests of what uses the Docker engine, on the engines of other Debian releases
# (SUITES="trixie sid"): each in a root directory and a network namespace of its own.
# A release is fetched once; its root is kept in STATE/engines.
set -euo pipefail
cd "$(dirname "$0")/.."
. scripts/state.sh

SUITES=${SUITES:-trixie sid}
MIRROR=${MIRROR:-http://deb.debian.org/debian}
PACKAGES=(./heart/docker ./heart ./heart/build)
LIMIT=30m # of the tests of one engine; it ends a hang

[ "$(id -u)" = 0 ] || die "engines are started by root: sudo make test-engines"
open_state
scripts/bootstrap.sh test
[ ! -f "$STATE/env.sh" ] || . "$STATE/env.sh"

# root_of SUITE makes the release's root with its engine, once.
root_of() {
	local root=$STATE/engines/$1
	[ ! -d "$root.part" ] || rm -rf "$root.part"
	[ -d "$root" ] && return
	say "engines: fetching the engine of Debian $1"
	mkdir -p "$STATE/engines"
	# A mirror that stands still will do: what it has is signed all the same.
	mmdebstrap --variant=essential --aptopt='Acquire::Check-Valid-Until "false"' --include=docker.io,iptables,ca-certificates,kmod,mount "$1" "$root.part" "$MIRROR" >"$root.log" 2>&1 ||
		die_with_log "$root.log" "the engine of Debian $1 could not be fetched from $MIRROR"
	mv "$root.part" "$root"
}

# within SUITE COMMAND… runs it in the network namespace of that engine.
within() {
	local suite=$1
	shift
	nsenter --net="/run/netns/aorta-engine-$suite" "$@"
}

# serve SUITE runs the engine, with its data at one path inside and outside of its root.
serve() {
	local root=$STATE/engines/$1 data=$STATE/engines/$1.data
	mkdir -p "$data" "$root/$data" "$root/.old"
	within "$1" unshare -m bash -euc '
		root=$1 data=$2
		mount --make-rprivate /
		mount --bind "$root" "$root"
		for dir in proc sys dev run tmp; do mount --rbind "/$dir" "$root/$dir"; done
		mount --bind "$data" "$root/$data"
		cd "$root"
		pivot_root . .old
		umount -l /.old
		exec dockerd --host "unix://$data/docker.sock" --data-root "$data/docker" --exec-root "$data/exec" --pidfile "$data/docker.pid"
	' - "$root" "$data" >"$root.log" 2>&1 &
	starter=$!
}

# stop SUITE ends the engine and what it left, and forgets its data.
stop() {
	local data=$STATE/engines/$1.data
	[ ! -f "$data/docker.pid" ] || kill "$(cat "$data/docker.pid")" 2>/dev/null || true
	wait "$starter" 2>/dev/null || true # for the engine, which took its place
	ip netns delete "aorta-engine-$1" 2>/dev/null || true
	rm -rf "$data"
}

answers() { [ "$(curl -s --unix-socket "$STATE/engines/$1.data/docker.sock" http://engine/_ping)" = OK ]; }

# tested SUITE runs the tests on that engine.
tested() {
	local host=unix://$STATE/engines/$1.data/docker.sock
	ip netns add "aorta-engine-$1"
	within "$1" ip link set lo up
	trap 'stop "'"$1"'"' EXIT
	serve "$1"
	until answers "$1"; do
		kill -0 "$starter" 2>/dev/null || die_with_log "$STATE/engines/$1.log" "the engine of Debian $1 does not start"
		sleep 0.2
	done
	say "engines: Docker $(curl -s --unix-socket "${host#unix://}" http://engine/version | grep -o '"Version":"[^"]*"' | head -1 | cut -d'"' -f4) of Debian $1"
	within "$1" env DOCKER_HOST="$host" go test -p 1 -count=1 -timeout "$LIMIT" "${PACKAGES[@]}"
}

for suite in $SUITES; do
	root_of "$suite"
	(tested "$suite")
done
