#!/usr/bin/env bash
# Measures the way of a line from a container to `aorta logs -f`, at RATE lines a
# second (50,000) for SPAN seconds (10), and its latency at 100 a second. The cluster is
# one of its own, brought up as make up does, and is removed afterwards.
set -euo pipefail
cd "$(dirname "$0")/.."

SPAN=${SPAN:-10}
RATE=${RATE:-50000}
PORT=${PORT:-17640}

STATE=$(mktemp -d /tmp/aorta-logs.XXXXXX)
LISTEN=127.0.0.1:$PORT ROUTER=127.0.0.1:$((PORT + 1)) DOMAIN=logs.localhost
export STATE LISTEN ROUTER DOMAIN
. scripts/state.sh
. scripts/daemon.sh

trap 'scripts/clean.sh >&2' EXIT

# deploy_printer pushes the app that prints.
deploy_printer() {
	local src=$STATE/printer
	mkdir -p "$src"
	CGO_ENABLED=0 go build -trimpath -buildvcs=false -ldflags '-s -w' -o "$src/app" ./scripts/bench/logs/printer
	printf 'FROM scratch\nCOPY app /app\nCMD ["/app"]\n' >"$src/Dockerfile"
	git -C "$src" init -q -b main
	git -C "$src" add -A
	git -C "$src" -c user.name=bench -c user.email=bench@localhost -c commit.gpgsign=false commit -q -m printer
	export PATH=$PWD/bin:$PATH # git asks the client for the token
	(cd "$src" && aorta apps create printer && git push aorta main)
}

main() {
	scripts/up.sh >"$STATE.log" 2>&1 || die_with_log "$STATE.log" "no cluster came up"
	use_go
	export AORTA_CONFIG=$STATE/client.json
	deploy_printer >"$STATE.log" 2>&1 || die_with_log "$STATE.log" "the app that prints does not come up"
	rm -f "$STATE.log"
	go run ./scripts/bench/logs --router "$ROUTER" --host "printer.$DOMAIN" --store "$DATA/logs" --pid "$(daemon pid)" --rate "$RATE" --seconds "$SPAN"
}

main
