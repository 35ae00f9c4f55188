# Sourced by up.sh and down.sh: the daemon of this state directory, where it
# listens, and whether it runs.

CHOSEN=$STATE/chosen # what the last make up that came up was told

# chosen VARIABLE is what it was then.
chosen() { sed -n "s/^$1=//p" "$CHOSEN" 2>/dev/null || true; }

# What is not said stays as it was.
LISTEN=${LISTEN:-$(chosen LISTEN)}
LISTEN=${LISTEN:-127.0.0.1:7420}
ROUTER=${ROUTER:-$(chosen ROUTER)}
ROUTER=${ROUTER:-:8080}
DOMAIN=${DOMAIN:-$(chosen DOMAIN)}
DOMAIN=${DOMAIN:-aorta.localhost}
NODE_ADDRESS=${NODE_ADDRESS:-$(chosen NODE_ADDRESS)}
DATA=$STATE/data
LOG=$STATE/aortad.log
RECORD=$STATE/aortad   # pid, started, sum
STOPPED=$STATE/stopped # there when down.sh has ended everything

# reachable ADDRESS is where a client finds what listens on it.
reachable() {
	case $1 in
	:* | 0.0.0.0:* | '[::]:'*) echo "127.0.0.1:${1##*:}" ;;
	*) echo "$1" ;;
	esac
}

API=http://$(reachable "$LISTEN")

# daemon FIELD reads what was noted at the daemon's start.
daemon() { sed -n "s/^$1=//p" "$RECORD" 2>/dev/null || true; }

daemon_runs() { same_process "$(daemon pid)" "$(daemon started)"; }

# daemon_args are the words of `aortad run`, one a line.
daemon_args() {
	printf '%s\n' --data-dir "$DATA" --docker-host "$1" --listen "$LISTEN" --router-listen "$ROUTER" --domain "$DOMAIN"
	[ -z "$NODE_ADDRESS" ] || printf '%s\n' --node-address "$NODE_ADDRESS"
}

# choose keeps what was said for the next time.
choose() {
	printf '%s\n' "LISTEN=$LISTEN" "ROUTER=$ROUTER" "DOMAIN=$DOMAIN" "NODE_ADDRESS=$NODE_ADDRESS" >"$CHOSEN.new"
	mv "$CHOSEN.new" "$CHOSEN"
}

# daemon_sum changes with the binary and with what it is told.
daemon_sum() { { daemon_args "$1" && cat bin/aortad; } | sha256sum | cut -d' ' -f1; }

# holders PORT prints the process ids that listen on a TCP port.
holders() { ss -H -ltnp "sport = :$1" | grep -o 'pid=[0-9]*' | cut -d= -f2 | sort -u; }

# is_ours PID tells a managed daemon, which outlives aortad, by its data directory.
is_ours() { tr '\0' ' ' <"/proc/$1/cmdline" 2>/dev/null | grep -qF "$DATA"; }

# who_holds PORT names the first of its holders.
who_holds() {
	local pid
	pid=$(holders "$1" | head -n1)
	[ -n "$pid" ] || { echo "a process that is not visible from here" && return; }
	echo "process $pid ($(tr '\0' ' ' <"/proc/$pid/cmdline" | cut -c1-80 | sed 's/ *$//'))"
}

# free_or_ours ADDRESS VARIABLE refuses an address that someone else holds.
free_or_ours() {
	local port=${1##*:} pid mine=no
	command -v ss >/dev/null || return 0 # the daemon says it then
	[ -n "$(ss -H -ltn "sport = :$port")" ] || return 0
	for pid in $(holders "$port"); do
		! is_ours "$pid" || mine=yes
	done
	[ "$mine" = no ] || return 0
	die "$2=$1 is in use by $(who_holds "$port"): stop it, or choose another address: make up $2=${1%:*}:$((port + 1))"
}
