#!/usr/bin/env bash
# Deploys examples/hello by a real git push and fetches its page.
#
#   scripts/example.sh API-URL ROUTER-ADDRESS HOST
#
# The client is logged in by AORTA_CONFIG. The repository is kept in
# $STATE/hello, so that an unchanged app is not deployed again.
set -euo pipefail
cd "$(dirname "$0")/.."
. scripts/state.sh

API=$1 ROUTER=$2 HOST=$3
AORTA=$PWD/bin/aorta
REPO=$STATE/hello
LOG=$STATE/deploy.log

in_repo() { git -C "$REPO" -c user.name=Aorta -c user.email=aorta@localhost "$@"; }

# commit_example copies the app with its binary, and commits what differs.
commit_example() {
	[ -d "$REPO/.git" ] || git init -q -b main "$REPO"
	cp examples/hello/{Dockerfile,aorta.yml,hello} "$REPO/"
	in_repo add -A -f .
	in_repo diff --cached --quiet 2>/dev/null || in_repo -c commit.gpgsign=false commit -q -m "hello $(date +%F)"
}

# create_app makes the app unless it is there, and points the remote there.
create_app() {
	local code=0
	"$AORTA" apps info -a hello >"$LOG" 2>&1 || code=$?
	case $code in
	0) ;;
	4) (cd "$REPO" && "$AORTA" apps create hello) >"$LOG" 2>&1 || die_with_log "$LOG" "the app hello could not be made" ;;
	*) die_with_log "$LOG" "the cluster does not say whether the app hello is there (exit code $code)" ;;
	esac
	# The API may have moved since the last run.
	in_repo remote set-url aorta "$API/git/hello.git" 2>/dev/null || in_repo remote add aorta "$API/git/hello.git"
	# This cluster's own helper, and no other that the machine may have.
	in_repo config --replace-all "credential.$API.helper" ""
	in_repo config --add "credential.$API.helper" "!AORTA_CONFIG='$AORTA_CONFIG' '$AORTA' git-credential"
}

push() {
	say "up: git push aorta main (in $REPO)"
	: >"$LOG"
	GIT_TERMINAL_PROMPT=0 in_repo push aorta main >>"$LOG" 2>&1 </dev/null &
	local pid=$!
	tail -f --pid="$pid" "$LOG" >&2 &
	local tail=$!
	local code=0
	wait "$pid" || code=$?
	wait "$tail" || true
	[ "$code" = 0 ] || die "git push failed, see above (log: $LOG); try again: git -C $REPO push aorta main"
}

answers() { [ "$(curl -s -o "$STATE/hello.html" -w '%{http_code}' --max-time 5 -H "Host: $HOST" "http://$ROUTER/")" = 200 ]; }

main() {
	commit_example
	create_app
	push
	await 30 answers || die "http://$ROUTER/ does not answer 200 for the host $HOST within 30 s: bin/aorta ps -a hello; bin/aorta logs -a hello"
	say "up: $(grep -o '<title>[^<]*' "$STATE/hello.html" | cut -d'>' -f2) answers at http://$ROUTER/ (Host: $HOST)"
}

main
