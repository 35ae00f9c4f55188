#!/usr/bin/env bash
# Measures how long a prebuilt image takes from the deploy command to the first
# answer by the new release, on the cluster of make up. ROUNDS of them (10), on
# an app of its own that is destroyed afterwards.
set -euo pipefail
cd "$(dirname "$0")/.."
. scripts/state.sh
. scripts/daemon.sh

APP=bench-deploy
IMAGE=aorta-bench:hello
ROUNDS=${ROUNDS:-10}
AT=http://$(reachable "$ROUTER")/
AORTA=$PWD/bin/aorta
JOB=$STATE/bench-job
LOG=$STATE/bench-deploy.log

# to_engine METHOD PATH [curl's words] talks to the cluster's engine.
to_engine() {
	local host
	host=$(cat "$DATA/docker.host")
	[ "${host#unix://}" != "$host" ] || die "the engine is at $host: this benchmark reaches it by unix socket only"
	curl -sS --unix-socket "${host#unix://}" -X "$1" "http://engine$2" "${@:3}"
}

# make_image builds the example's image on the engine, from a tar of two files.
make_image() {
	local answer
	answer=$(tar -C examples/hello -c Dockerfile hello |
		to_engine POST "/build?t=$IMAGE&q=1" -H 'Content-Type: application/x-tar' --data-binary @-)
	! grep -q '"errorDetail"' <<<"$answer" || die "the image does not build: $answer"
}

# image_gone removes the image, which the engine refuses while a container runs by it.
image_gone() {
	case $(to_engine DELETE "/images/$IMAGE?force=true" -o "$STATE/bench-image" -w '%{http_code}') in
	200 | 404) rm -f "$STATE/bench-image" ;;
	*) return 1 ;;
	esac
}

# release prints which release answers now.
release() {
	curl -s --max-time 5 -H "Host: $APP.$DOMAIN" -H 'Accept: application/json' "$AT" | grep -o '"release":"[^"]*"' | cut -d'"' -f4 || true
}

milliseconds() { echo $(($(date +%s%N) / 1000000)); }

# changed tells whether another release than the given one answers.
changed() {
	local now
	now=$(release)
	[ -n "$now" ] && [ "$now" != "$1" ]
}

# round prints the milliseconds of one deploy.
round() {
	local before started deadline
	before=$(release)
	started=$(milliseconds)
	deadline=$((started + 60000))
	"$AORTA" deploy --image "$IMAGE" --detach -a "$APP" >"$JOB"
	until changed "$before"; do
		[ "$(milliseconds)" -lt "$deadline" ] || die "no new release answers after 60 s: bin/aorta jobs show $(cat "$JOB")"
	done
	echo $(($(milliseconds) - started))
	"$AORTA" jobs follow "$(cat "$JOB")" >"$LOG" 2>&1 || die_with_log "$LOG" "the deploy failed"
}

end_app() {
	"$AORTA" apps destroy "$APP" --confirm "$APP" >"$LOG" 2>&1 || true
	rm -f "$JOB"
}

clean_up() {
	end_app
	await 60 image_gone || say "the image $IMAGE stays on the engine: $(cat "$STATE/bench-image")"
}

# create_app stands outside of any repository: the client would give it a remote.
create_app() { (cd / && "$AORTA" apps create "$APP") >"$LOG" 2>&1 || die_with_log "$LOG" "the app $APP could not be made"; }

main() {
	local n times=$STATE/bench-times
	daemon_runs || die "no cluster runs in $STATE: make up first"
	unset AORTA_URL AORTA_TOKEN AORTA_APP
	export AORTA_CONFIG=$STATE/client.json
	make_image
	end_app
	trap clean_up EXIT
	create_app
	for n in $(seq "$ROUNDS"); do round; done | tee "$times.all" | sort -n >"$times"
	say "each, in order: $(paste -sd' ' "$times.all") ms"
	awk '{ t[NR] = $1 } END { printf "deploy to serving: median %d ms, slowest %d ms, %d rounds\n", t[int((NR + 1) / 2)], t[NR], NR }' "$times"
	rm -f "$times" "$times.all"
}

main
