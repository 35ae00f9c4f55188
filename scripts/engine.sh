#!/usr/bin/env bash
# The Docker engine that the cluster or the tests use.
#
#   scripts/engine.sh found   0 when an engine answers or can be started
#   scripts/engine.sh start   makes sure that one answers
#   scripts/engine.sh host    prints its address, as DOCKER_HOST has it
#   scripts/engine.sh stop    stops it, when start started it
#
# An engine that answers is used as it is: the one of DOCKER_HOST, the usual
# socket, or one that runs in this network namespace on a socket of its own (two
# there would wipe each other's firewall chains). Else the service manager starts
# Docker's unit, and where there is none, dockerd is started here.
set -euo pipefail
cd "$(dirname "$0")/.."
. scripts/state.sh
. scripts/engine-leftovers.sh

USUAL=unix:///var/run/docker.sock
SOCKET=${AORTA_ENGINE_SOCKET:-} # where an engine of our own listens, if not on the usual socket
RECORD=$STATE/engine            # what start started: how, host, pid, started, run

# answers HOST asks the engine whether it is there.
answers() {
	local url
	case $1 in
	unix://*) url=(--unix-socket "${1#unix://}" http://engine/_ping) ;;
	tcp://*) url=("http://${1#tcp://}/_ping") ;;
	*) die "DOCKER_HOST=$1: only unix:// and tcp:// addresses are understood" ;;
	esac
	command -v curl >/dev/null && [ "$(curl -s --max-time 5 "${url[@]}" 2>/dev/null)" = OK ]
}

# others prints the process ids of engines that run in this network namespace.
others() {
	local dir
	for dir in /proc/[0-9]*; do
		[ "$(cat "$dir/comm" 2>/dev/null)" = dockerd ] || continue
		[ "$(readlink "$dir/ns/net" 2>/dev/null)" != "$(readlink /proc/self/ns/net)" ] || echo "${dir#/proc/}"
	done
}

# host_of PID is the first unix socket on that engine's command line.
host_of() { tr '\0' '\n' <"/proc/$1/cmdline" | grep -o -m1 'unix://[^ ]*' || echo "$USUAL"; }

# current prints the address of an engine that answers; 1 when there is none.
current() {
	local pid host
	for host in "${DOCKER_HOST:-}" "$(recorded host)" "$USUAL"; do
		if [ -n "$host" ] && answers "$host"; then
			echo "$host"
			return
		fi
	done
	for pid in $(others); do
		host=$(host_of "$pid")
		if answers "$host"; then
			echo "$host"
			return
		fi
	done
	return 1
}

# recorded FIELD reads what start wrote down; empty when it started nothing.
recorded() { sed -n "s/^$1=//p" "$RECORD" 2>/dev/null || true; }

# no_leftover_conflict refuses to start beside an engine that hangs.
no_leftover_conflict() {
	local pid
	[ -z "${DOCKER_HOST:-}" ] || die "no engine answers at DOCKER_HOST=$DOCKER_HOST: start it, or unset DOCKER_HOST to have one started"
	for pid in $(others); do
		die "a Docker engine runs as process $pid and does not answer at $(host_of "$pid"): restart it, or set DOCKER_HOST to where it listens"
	done
}

start_by_unit() {
	say "engine: starting docker.service"
	systemctl start docker.service || die "docker.service does not start: journalctl -u docker.service tells why"
	await 60 answers "$USUAL" || die "docker.service runs and does not answer at $USUAL: journalctl -u docker.service tells more"
	printf 'how=unit\nhost=%s\n' "$USUAL" >"$RECORD"
}

# mount_cgroups does what an init would have done, where there was none.
mount_cgroups() {
	local controller
	if [ -e /sys/fs/cgroup/cgroup.controllers ] || [ -d /sys/fs/cgroup/devices ]; then
		return 0
	fi
	mount -t cgroup2 cgroup2 /sys/fs/cgroup 2>/dev/null && [ -s /sys/fs/cgroup/cgroup.controllers ] && return 0
	umount /sys/fs/cgroup 2>/dev/null || true
	mount -t tmpfs -o mode=755 cgroup /sys/fs/cgroup || die "no control groups are mounted and they cannot be: run this on a machine, or in a container that has /sys/fs/cgroup"
	for controller in $(awk '!/^#/ && $4 == 1 { print $1 }' /proc/cgroups); do
		mkdir -p "/sys/fs/cgroup/$controller"
		mount -t cgroup -o "$controller" cgroup "/sys/fs/cgroup/$controller" || rmdir "/sys/fs/cgroup/$controller"
	done
}

# start_by_hand runs dockerd in a session of its own, so that it outlives this.
start_by_hand() {
	local host run log=$STATE/dockerd.log pid
	command -v dockerd >/dev/null || die "no Docker engine answers and dockerd is not installed: scripts/bootstrap.sh run"
	[ "$(id -u)" = 0 ] || die "starting a Docker engine needs root: run this as root, or set DOCKER_HOST to one that runs"
	host=${SOCKET:+unix://$SOCKET}
	host=${host:-$USUAL}
	run=/run/aorta-dk-$(printf %s "$STATE" | cksum | cut -d' ' -f1) # short: sockets lie below it
	mount_cgroups
	mkdir -p "$STATE/docker" "$run"
	say "engine: starting dockerd on $host, its data in $STATE/docker"
	[ -e "$STATE/engine-before" ] || before_engine >"$STATE/engine-before" # one that was killed left what it made
	DOCKER_HOST='' setsid dockerd --data-root "$STATE/docker" --exec-root "$run" --pidfile "$run/docker.pid" \
		--live-restore -H "$host" </dev/null >"$log" 2>&1 &
	pid=$!
	printf 'how=hand\nhost=%s\npid=%s\nstarted=%s\nrun=%s\n' "$host" "$pid" "$(start_time "$pid")" "$run" >"$RECORD"
	await 60 answers_or_gone "$host" "$pid" && answers "$host" && return
	stop
	die_with_log "$log" "dockerd does not come up"
}

answers_or_gone() { answers "$1" || [ -z "$(start_time "$2")" ]; }

start() {
	local host
	open_state
	if host=$(current); then
		return
	fi
	rm -f "$RECORD" # of an engine that is no more
	no_leftover_conflict
	if [ -z "$SOCKET" ] && [ -d /run/systemd/system ] && systemctl cat docker.service >/dev/null 2>&1; then
		start_by_unit
	else
		start_by_hand
	fi
}

stop() {
	case $(recorded how) in
	unit)
		say "engine: stopping docker.service"
		systemctl stop docker.service docker.socket
		;;
	hand)
		say "engine: stopping dockerd"
		stop_by_hand
		;;
	esac
	forget "$RECORD" "$STATE/engine-before"
}

# stop_by_hand ends the containers first: with live-restore they would stay.
stop_by_hand() {
	local host bridges
	host=$(recorded host)
	bridges=$(engine_bridges "$host")
	kill_containers "$host"
	end_process "$(recorded pid)" "$(recorded started)" 60
	unmount_below "$STATE/docker"
	unmount_below "$(recorded run)"
	rm -rf "$(recorded run)"
	[ -e "$STATE/engine-before" ] && remove_network "$STATE/engine-before" $bridges
	[ -n "$(others)" ] || rm -f "${host#unix://}"
}

case ${1:-} in
found) current >/dev/null || command -v dockerd >/dev/null ;;
start) start ;;
host) current || die "no Docker engine answers: scripts/engine.sh start" ;;
stop) stop ;;
*) die "engine.sh: found, start, host or stop" ;;
esac
