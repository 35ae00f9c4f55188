#!/usr/bin/env bash
# A storm over four hosts: random faults, one each 20 s, under load, for MINUTES (30), at
# the will of SEED (another one each time, which is said). The same seed has the same plan.
# What happens is said while it does.
set -euo pipefail
cd "$(dirname "$0")/.."
. scripts/state.sh
. scripts/rig.sh

MINUTES=${MINUTES:-30}

open_rig
go test $(cat internal/testkit/race/flags) -vet=off -count=1 -v -timeout "$((MINUTES * 3 + 30))m" -run '^TestStorm_' ./cmd/aortad \
	-args -storm.seed "${SEED:-0}" -storm.minutes "$MINUTES" </dev/null
