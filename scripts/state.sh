# Sourced by the scripts beside it: where state lies, how they speak, and which
# process is meant by a number.
#
# STATE is the one directory that the scripts write to. A marker file tells it
# from any other directory, so that cleaning up never takes a wrong one.

STATE=${STATE:-.state}
case $STATE in /*) ;; *) STATE=$PWD/$STATE ;; esac
MARKER=$STATE/.aorta-state
export HOME="${HOME:-/root}"
PATH=$PATH:/usr/local/sbin:/usr/sbin:/sbin

# say prints progress; stdout is left to what callers capture.
say() { printf '%s\n' "$*" >&2; }

# die prints thing, cause and next step, and ends with 1.
die() {
	printf 'aorta: %s\n' "$*" >&2
	exit 1
}

# die_with_log LOG MESSAGE adds the last lines of a log and where it is.
die_with_log() {
	local log=$1
	shift
	if [ -s "$log" ]; then
		say "--- last lines of $log"
		tail -n 20 "$log" >&2
		say "---"
	fi
	die "$* (log: $log)"
}

# open_state makes the directory with its marker, and refuses one that holds
# something else. What a file system of its own has from the start is nothing.
open_state() {
	if [ ! -e "$MARKER" ] && [ -n "$(ls -A "$STATE" 2>/dev/null | grep -vx 'lost+found' || true)" ]; then
		die "STATE=$STATE exists and is not Aorta's (no $(basename "$MARKER") in it): name an empty or new directory"
	fi
	[ -e "$MARKER" ] || { mkdir -p "$STATE" && : >>"$MARKER"; }
}

# forget FILE… removes what was noted. On a disk that takes no writes it stays, which
# must keep nothing from being stopped.
forget() { rm -f "$@" || say "aorta: the above stays"; }

# use_go puts the Go that bootstrap.sh found or installed on the path.
use_go() {
	if [ -f "$STATE/env.sh" ]; then
		# shellcheck disable=SC1091
		. "$STATE/env.sh"
	fi
}

# start_time PID is when the process began, in the kernel's ticks: with the
# number it names one process for ever. Empty when there is none, or a zombie.
start_time() {
	local stat
	stat=$(cat "/proc/$1/stat" 2>/dev/null) || return 0
	stat=${stat##*) } # the name before may hold spaces and brackets
	set -- $stat
	[ "$1" = Z ] || echo "${20}"
}

# same_process PID START tells whether that very process lives.
same_process() { [ -n "$1" ] && [ -n "$2" ] && [ "$(start_time "$1")" = "$2" ]; }

# await SECONDS COMMAND… runs the command until it succeeds; 1 when it never did.
await() {
	local deadline=$((SECONDS + $1))
	shift
	until "$@"; do
		[ "$SECONDS" -lt "$deadline" ] || return 1
		sleep 0.1
	done
}

# gone PID START is the opposite of same_process, for await.
gone() { ! same_process "$1" "$2"; }

# end_process PID START SECONDS sends SIGTERM to that very process, and SIGKILL
# when it is still there after so many seconds.
end_process() {
	same_process "$1" "$2" || return 0
	kill -TERM "$1" 2>/dev/null || true
	await "$3" gone "$1" "$2" && return 0
	kill -KILL "$1" 2>/dev/null || true
	await 10 gone "$1" "$2" || die "process $1 does not end, not even by SIGKILL: look at its state in /proc/$1/status"
}
