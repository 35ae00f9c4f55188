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

# make_image builds the example's image on the engine, from a tar of two files.
make_image() {
	local host answer
	host=$(scripts/engine.sh host)
	[ "${host#unix://}" != "$host" ] || die "the engine is at $host: this benchmark reaches it by unix socket only"
	answer=$(tar -C examples/hello -c Dockerfile hello | curl -sS --unix-socket "${host#unix://}" -X POST \
		-H 'Content-Type: application/x-tar' --data-binary @- "http://engine/build?t=$IMAGE&q=1")
	grep -q '"errorDetail"' <<<"$answer" && die "the image does not build: $answer"
	return 0
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
	bin/aorta deploy --image "$IMAGE" --detach -a "$APP" >"$STATE/bench-job"
	until changed "$before"; do
		[ "$(milliseconds)" -lt "$deadline" ] || die "no new release answers after 60 s: bin/aorta jobs show $(cat "$STATE/bench-job")"
	done
	echo $(($(milliseconds) - started))
	bin/aorta jobs follow "$(cat "$STATE/bench-job")" >/dev/null 2>&1 # the old release goes; the next deploy waits for that
}

end_app() {
	bin/aorta apps destroy "$APP" --confirm "$APP" >/dev/null 2>&1 || true
	rm -f "$STATE/bench-job"
}

main() {
	local n times=$STATE/bench-times
	daemon_runs || die "no cluster runs in $STATE: make up first"
	unset AORTA_URL AORTA_TOKEN AORTA_APP
	export AORTA_CONFIG=$STATE/client.json
	make_image
	end_app
	trap end_app EXIT
	bin/aorta apps create "$APP" >/dev/null 2>&1 || die "the app $APP could not be made: bin/aorta status"
	for n in $(seq "$ROUNDS"); do round; done | tee "$times.all" | sort -n >"$times"
	say "each, in order: $(paste -sd' ' "$times.all") ms"
	awk '{ t[NR] = $1 } END { printf "deploy to serving: median %d ms, slowest %d ms, %d rounds\n", t[int((NR + 1) / 2)], t[NR], NR }' "$times"
	rm -f "$times" "$times.all"
}

main
