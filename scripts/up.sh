#!/usr/bin/env bash
# Brings up a whole cluster on this machine with an app on it, and prints where
# everything is. Runs twice without harm; takes what is new into service without
# stopping an app.
#
#   STATE         directory of all state                    (.state)
#   LISTEN        API and git                               (127.0.0.1:7420)
#   ROUTER        where apps are served                     (:8080)
#   DOMAIN        apps are NAME.DOMAIN                      (aorta.localhost)
#   NODE_ADDRESS  private address for other machines        (none)
#
# What is not said again stays as it was the last time.
set -euo pipefail
cd "$(dirname "$0")/.."
. scripts/state.sh
. scripts/daemon.sh

# stop_for_upgrade ends the daemon alone: Redis, nginx and instances go on, and
# the next one adopts them.
stop_for_upgrade() {
	say "up: aortad or what it is told has changed, replacing process $(daemon pid)"
	end_process "$(daemon pid)" "$(daemon started)" 60
}

start_daemon() {
	local host=$1 sum=$2 pid
	local -a args
	mapfile -t args < <(daemon_args "$host")
	rm -f "$STOPPED"
	setsid bin/aortad run "${args[@]}" </dev/null >>"$LOG" 2>&1 &
	pid=$!
	printf 'pid=%s\nstarted=%s\nsum=%s\n' "$pid" "$(start_time "$pid")" "$sum" >"$RECORD"
}

ensure_daemon() {
	local host sum
	host=$(scripts/engine.sh host)
	sum=$(daemon_sum "$host")
	if daemon_runs && [ "$(daemon sum)" = "$sum" ]; then
		return
	fi
	! daemon_runs || stop_for_upgrade
	say "up: starting aortad, its log is $LOG"
	start_daemon "$host" "$sum"
}

# ready asks once, and shows what is waited for whenever that changes.
waits_for=
ready() {
	local answer code
	daemon_runs || return 0
	answer=$(curl -s --max-time 5 -H 'Accept: text/plain' -w '%{http_code}' "$API/readyz" 2>/dev/null) || return 1
	code=${answer##*$'\n'}
	[ "$code" != 200 ] || return 0
	# A line a role, of which those that work are not waited for.
	answer=$(sed '$d; / ready$/d; s/: starting$/ is starting/' <<<"$answer" | paste -sd ';' | sed 's/;/; /g' | cut -c1-300)
	if [ "$answer" != "$waits_for" ]; then
		waits_for=$answer
		say "up: waiting for the daemon: $waits_for"
	fi
	return 1
}

await_ready() {
	await 120 ready || die_with_log "$LOG" "aortad is not ready after 120 s; it last said: ${waits_for:-nothing}"
	daemon_runs || die_with_log "$LOG" "aortad ended while it was starting"
}

# use_client logs these scripts in, whatever context the person uses elsewhere.
use_client() {
	[ -s "$DATA/admin.token" ] || die_with_log "$LOG" "aortad is ready and left no token in $DATA/admin.token"
	unset AORTA_URL AORTA_TOKEN AORTA_APP
	export AORTA_CONFIG=$STATE/client.json
	bin/aorta login "$API" --token - <"$DATA/admin.token" >"$STATE/login.log" 2>&1 ||
		die_with_log "$STATE/login.log" "bin/aorta could not log in to $API"
}

print_ways() {
	local which=
	[ "$STATE" = "$PWD/.state" ] || which=" STATE=$STATE"
	cat <<-TEXT

		The app       http://hello.$DOMAIN:${ROUTER##*:}
		Dashboard     $API   (sign in with the token in ${DATA#"$PWD"/}/admin.token)
		API and git   $API
		Log in        bin/aorta login $API --token - < ${DATA#"$PWD"/}/admin.token

		Try next      bin/aorta status
		              bin/aorta ps scale web=3 -a hello
		              bin/aorta logs -f -a hello

		Stop it with  make down$which
	TEXT
}

main() {
	open_state
	[ "$(id -u)" = 0 ] || die "a cluster needs root, for containers and the router's port: run make up as root"
	free_or_ours "$LISTEN" LISTEN
	free_or_ours "$ROUTER" ROUTER
	if ! daemon_runs; then
		scripts/bootstrap.sh run
	fi
	use_go
	[ -x bin/aortad ] || say "up: building aortad and aorta, which takes minutes the first time"
	make --no-print-directory build STATE="$STATE" >&2
	scripts/engine.sh start
	ensure_daemon
	await_ready
	choose
	(
		use_client
		scripts/example.sh "$API" "$(reachable "$ROUTER")" "hello.$DOMAIN"
	)
	print_ways
}

main "$@"
