#!/usr/bin/env bash
# The tests of what uses the Docker engine, on the engines of other Debian releases, and
# on one that none has yet (SUITES="trixie sid moby"): each in a root directory and a
# network namespace of its own. A release is fetched once, and what is built of moby is
# built once; both are kept in STATE/engines.
set -euo pipefail
cd "$(dirname "$0")/.."
. scripts/state.sh

SUITES=${SUITES:-trixie sid moby}
MOBY=v2.0.0-beta.24 # of github.com/moby/moby/v2: Docker 29, in the root of MOBY_SUITE
MOBY_SUITE=sid
MIRROR=${MIRROR:-http://deb.debian.org/debian}
PACKAGES=(./heart/docker ./heart ./heart/build ./heart/images)
LIMIT=30m # of the tests of one engine; it ends a hang

[ "$(id -u)" = 0 ] || die "engines are started by root: sudo make test-engines"
open_state
scripts/bootstrap.sh apps
[ ! -f "$STATE/env.sh" ] || . "$STATE/env.sh"

# suite_of SUITE is the Debian release whose root the engine has.
suite_of() {
	if [ "$1" = moby ]; then echo "$MOBY_SUITE"; else echo "$1"; fi
}

# programs_of moby builds the engine of that module, once, without what needs C.
programs_of() {
	local at=$STATE/engines/moby-$MOBY of=github.com/moby/moby/v2
	[ ! -d "$at" ] || return 0
	say "engines: building $of $MOBY"
	rm -rf "$at.part"
	mkdir -p "$at.part/module"
	(
		cd "$at.part/module" &&
			go mod init engine &&
			go get "$of/cmd/dockerd@$MOBY" &&
			CGO_ENABLED=0 go build -o .. -tags exclude_graphdriver_btrfs -ldflags "-X $of/dockerversion.Version=29-$MOBY" "$of/cmd/dockerd" "$of/cmd/docker-proxy"
	) >"$at.log" 2>&1 || die_with_log "$at.log" "$of $MOBY could not be built"
	mv "$at.part" "$at"
}

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
	local root data=$STATE/engines/$1.data programs=
	root=$STATE/engines/$(suite_of "$1")
	[ "$1" != moby ] || programs=$STATE/engines/moby-$MOBY
	mkdir -p "$data" "$root/$data" "$root/.old"
	within "$1" unshare -m bash -euc '
		root=$1 data=$2 programs=$3
		mount --make-rprivate /
		mount --bind "$root" "$root"
		for dir in proc sys dev run tmp; do mount --rbind "/$dir" "$root/$dir"; done
		mount --bind "$data" "$root/$data"
		if [ -n "$programs" ]; then
			for program in dockerd docker-proxy; do mount --bind "$programs/$program" "$root/usr/sbin/$program"; done
		fi
		cd "$root"
		pivot_root . .old
		umount -l /.old
		exec dockerd --host "unix://$data/docker.sock" --data-root "$data/docker" --exec-root "$data/exec" --pidfile "$data/docker.pid"
	' - "$root" "$data" "$programs" >"$data.log" 2>&1 &
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
		kill -0 "$starter" 2>/dev/null || die_with_log "$STATE/engines/$1.data.log" "the engine of $1 does not start"
		sleep 0.2
	done
	say "engines: Docker $(curl -s --unix-socket "${host#unix://}" http://engine/version | grep -o '"Version":"[^"]*"' | head -1 | cut -d'"' -f4) in the root of Debian $(suite_of "$1")"
	within "$1" env DOCKER_HOST="$host" go test -p 1 -count=1 -timeout "$LIMIT" "${PACKAGES[@]}"
}

for suite in $SUITES; do
	root_of "$(suite_of "$suite")"
	[ "$suite" != moby ] || programs_of moby
	(tested "$suite")
done
