# Sourced by what runs tests on real daemons.
#
# open_rig [LEVEL] installs what is missing for that level of bootstrap.sh (test),
# builds everything and starts a Docker engine when none answers (it stops at the end):
# DOCKER_HOST names it.

# stop_engine speaks into a file: the last line is to stay the caller's. One
# that does not stop is told of, and makes no green run red.
stop_engine() {
	STATE=$STATE/test scripts/engine.sh stop 2>>"$STATE/test.log" || say "the Docker engine of the tests did not stop (log: $STATE/test.log)"
}

# page_packages fetches what only the tests of the pages use. A build leaves it
# out, and takes it away again.
page_packages() {
	[ ! -e web/dashboard/ui/node_modules/axe-core ] || return 0
	(cd web/dashboard/ui && npm ci --ignore-scripts --no-audit --no-fund --loglevel=error) >&2
}

open_rig() {
	open_state
	scripts/bootstrap.sh "${1:-test}"
	use_go
	make --no-print-directory build STATE="$STATE" >&2
	page_packages
	trap stop_engine EXIT # the engine of make up is in another record and stays
	STATE=$STATE/test scripts/engine.sh start
	DOCKER_HOST=$(STATE=$STATE/test scripts/engine.sh host)
	export DOCKER_HOST
}
