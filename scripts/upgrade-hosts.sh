#!/usr/bin/env bash
# Upgrades a cluster of four hosts of a lab, host by host and under load, from an older
# version to this tree's, and checks that no request fails, that the same containers run
# afterwards and that a deploy works.
#
#   scripts/upgrade-hosts.sh [GIT-REF]    the older version (default: the last tag)
#
# The older version is checked out and built below /tmp. As root, like any lab.
set -euo pipefail
cd "$(dirname "$0")/.."

NEW=$PWD
ROOT=$(mktemp -d /tmp/aorta-upgrade.XXXXXX)
. scripts/state.sh

main() {
	local ref=${1:-}
	trap 'rm -rf "$ROOT"' EXIT
	open_state
	scripts/bootstrap.sh run
	use_go
	[ -n "$ref" ] || ref=$(git describe --tags --abbrev=0 HEAD^ 2>/dev/null) ||
		die "this clone has no older version to upgrade from: name one (scripts/upgrade-hosts.sh GIT-REF)"
	git clone -q --no-checkout . "$ROOT/old"
	git -C "$ROOT/old" checkout -q --detach "$(git rev-parse --verify "$ref^{commit}")"
	make --no-print-directory build STATE="$STATE" >&2
	make -C "$ROOT/old" --no-print-directory build STATE="$ROOT/state" >&2
	say "upgrade: four hosts, from $(git -C "$ROOT/old" describe --tags --always) to $(git describe --tags --always --dirty)"
	go run ./scripts/upgradehosts "$ROOT/old" "$NEW"
}

main "$@"
