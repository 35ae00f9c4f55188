#!/usr/bin/env bash
# Upgrades a running cluster of an older version by this tree's make up, and
# checks that its apps served all along and that nothing was lost.
#
#   scripts/upgrade-test.sh [GIT-REF]    the older version (default: see older_version)
#
# The older version is checked out below /tmp, and both trees' make up use one
# STATE there, which is removed afterwards. As root, like make up. PORT (17420)
# and the one above it must be free.
set -euo pipefail
cd "$(dirname "$0")/.."

NEW=$PWD
PORT=${PORT:-17420}
ROOT=$(mktemp -d /tmp/aorta-upgrade.XXXXXX)
STATE=$ROOT/state LISTEN=127.0.0.1:$PORT ROUTER=:$((PORT + 1)) DOMAIN=upgrade.localhost
export STATE LISTEN ROUTER DOMAIN
. scripts/state.sh
. scripts/daemon.sh

OLD=$ROOT/old
APP=steady
AT=http://$(reachable "$ROUTER")/
ANSWERS=$ROOT/answers # one line for each request: its status code
ENOUGH=$ROOT/enough   # there when the requests are to end
LOOP=

# older_version is the version before the code got its present packages, else
# the last tag.
older_version() {
	git rev-parse --verify --quiet 'b703203^{commit}' || git describe --tags --abbrev=0 HEAD^ 2>/dev/null ||
		die "this clone has no older version to upgrade from: name one (scripts/upgrade-test.sh GIT-REF)"
}

# up TREE brings the cluster up from that tree.
up() {
	make -C "$1" --no-print-directory up >"$ROOT/up.log" 2>&1 || die_with_log "$ROOT/up.log" "make up in $1 failed"
}

# aorta TREE WORDS… runs that tree's client.
aorta() { (cd "$ROOT" && AORTA_CONFIG=$STATE/client.json "$1/bin/aorta" "${@:2}"); }

# field NAME prints the values of one field of JSON, a line each.
field() { grep -o "\"$1\": *\"\?[^\",}]*" | sed 's/^[^:]*: *"\?//'; }

deploy_app() {
	aorta "$OLD" apps create "$APP" && aorta "$OLD" deploy examples/hello -a "$APP"
}

# requests asks the app without a pause until it is enough.
requests() {
	until [ -e "$ENOUGH" ]; do
		curl -s -o /dev/null -w '%{http_code}\n' --max-time 60 -H "Host: $APP.$DOMAIN" "$AT" >>"$ANSWERS" || true
	done
}

some_answers() { [ -s "$ANSWERS" ] && [ "$(wc -l <"$ANSWERS")" -gt "$1" ]; }

end_requests() {
	: >"$ENOUGH"
	[ -z "$LOOP" ] || wait "$LOOP" || true
	LOOP=
}

sent() { wc -l <"$ANSWERS"; }

counted() { aorta "$1" stats -a "$APP" --json | field requests | head -n1; }

all_counted() { [ "$(counted "$1")" = "$(sent)" ]; }

# releases prints the app's releases with their images.
releases() {
	local list
	list=$(aorta "$1" releases -n 0 -a "$APP" --json)
	{ field release <<<"$list" && field image <<<"$list"; } | paste -sd' '
}

# processes prints what outlives aortad: Redis, nginx and the app's containers.
processes() {
	local record
	for record in "$DATA"/state/*.pid.json; do
		echo "$(basename "$record" .pid.json) $(field pid <"$record" | head -n1)"
	done
	aorta "$1" ps -a "$APP" --json | field id
}

clean_up() {
	local code=$?
	end_requests
	if [ "$code" != 0 ] && [ -e "$LOG" ]; then
		say "--- the daemon's log ends so:"
		tail -n 30 "$LOG" >&2
	fi
	scripts/clean.sh >"$ROOT.clean.log" 2>&1 || die_with_log "$ROOT.clean.log" "$STATE could not be removed"
	rm -rf "$ROOT" "$ROOT.clean.log"
}

main() {
	local old_releases old_processes failed
	trap clean_up EXIT
	git clone -q --no-checkout . "$OLD"
	git -C "$OLD" checkout -q --detach "$(git rev-parse --verify "${1:-$(older_version)}^{commit}")"
	say "upgrade: a cluster of $(git -C "$OLD" describe --tags --always)"
	up "$OLD"
	cp -r "$OLD/examples" "$ROOT/"
	deploy_app >"$ROOT/deploy.log" 2>&1 || die_with_log "$ROOT/deploy.log" "the app could not be deployed"
	old_releases=$(releases "$OLD")
	old_processes=$(processes "$OLD")
	: >"$ANSWERS"
	requests &
	LOOP=$!
	await 30 some_answers 100 || die "the app does not answer at $AT"

	say "upgrade: to $(git describe --tags --always --dirty), under requests"
	up "$NEW"
	await 30 some_answers $(($(sent) + 100)) || die "the app does not answer after the upgrade"
	end_requests

	[ "$(readlink "/proc/$(daemon pid)/exe")" = "$NEW/bin/aortad" ] || die "the daemon is not this tree's"
	failed=$(grep -cvx 200 "$ANSWERS" || true)
	[ "$failed" = 0 ] || die "$failed of $(sent) requests failed: $(sort "$ANSWERS" | uniq -c | paste -sd' ')"
	await 60 all_counted "$NEW" || die "$(sent) requests were answered, $(counted "$NEW") are counted"
	[ "$(releases "$NEW")" = "$old_releases" ] || die "the releases were $old_releases and are $(releases "$NEW")"
	say "upgrade: what outlives the daemon, before and after:"
	diff <(echo "$old_processes") <(processes "$NEW") >&2 && say "the same processes and instances" || true
	echo "upgrade: $(sent) requests, 0 failed; all counted; releases unchanged"
}

main "$@"
