#!/usr/bin/env bash
# Runs each fuzz target of the repository for FUZZTIME (60s), or those whose name
# holds ONLY. What one finds is kept as testdata/fuzz in its package, where go test
# runs it from then on: commit it with what mends it.
set -euo pipefail
cd "$(dirname "$0")/.."

FUZZTIME=${FUZZTIME:-60s}
ONLY=${ONLY:-}

failed=()
while IFS=: read -r file name; do
	case "$name" in *"$ONLY"*) ;; *) continue ;; esac
	echo "== ${file%/*} $name"
	go test -vet=off -run '^$' -fuzz "^$name\$" -fuzztime "$FUZZTIME" -fuzzminimizetime 2s "./${file%/*}" || failed+=("${file%/*} $name")
done < <(git ls-files '*_test.go' | xargs grep -o '^func Fuzz[A-Za-z0-9_]*' | sed 's/func //' | sort)

[ ${#failed[@]} = 0 ] || { printf 'found something: %s\n' "${failed[@]}" >&2; exit 1; }
