#!/usr/bin/env bash
# Prints what make up starts a daemon with on that engine, a word a line: STATE,
# LISTEN, ROUTER, DOMAIN and NODE_ADDRESS say where. For what starts one beside it.
#
#   scripts/daemon-args.sh DOCKER-HOST
set -euo pipefail
cd "$(dirname "$0")/.."
. scripts/state.sh
. scripts/daemon.sh

daemon_args "$1"
