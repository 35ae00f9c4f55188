#!/usr/bin/env bash
# Makes the image that apps here are built on, aorta-apps-base, of Debian's
# packages: once, and again when their list or the release of Debian changes. No
# build needs the network from then on.
#
# The engine of DOCKER_HOST keeps it. $STATE/apps-base names that engine, so that
# make clean can remove it.
set -euo pipefail
cd "$(dirname "$0")/../.."
. scripts/state.sh

IMAGE=aorta-apps-base
LOG=$STATE/apps-base.log
TAR=$STATE/apps-base.tar
PACKAGES=(
	ca-certificates curl gosu procps # what entry points and health checks call
	python3 python3-flask python3-django python3-grpcio gunicorn
	nodejs node-express node-ws
	apache2 php-fpm
	ruby ruby-sinatra puma
	nginx-light
	postgresql redis-server
	default-jdk-headless
)

# sources prints where apt of this machine takes Debian from, as lines for apt.
sources() {
	apt-get indextargets --format '$(ORIGIN) deb $(REPO_URI) $(CODENAME) $(COMPONENT)' 'Created-By: Packages' |
		sed -n 's/^Debian //p' | sort -u
}

# suite is the release of Debian that this machine has.
suite() { (. /etc/os-release && echo "${VERSION_CODENAME:-}"); }

# content changes with what is in the image.
content() { { suite && echo "${PACKAGES[*]}" && declare -f unpack; } | sha256sum | cut -c1-16; }

# unpack makes the tree as a tar. Neither manuals nor translations are in it (a
# package of Java fails without their folder), nor the database that the
# postgresql package makes: an app makes its own.
unpack() {
	mmdebstrap --variant=minbase --include="$(IFS=,; echo "${PACKAGES[*]}")" \
		--dpkgopt=force-unsafe-io --essential-hook='mkdir -p "$1"/usr/share/man/man1' \
		--dpkgopt='path-exclude=/usr/share/doc/*' --dpkgopt='path-exclude=/usr/share/man/*' \
		--dpkgopt='path-exclude=/usr/share/locale/*' --dpkgopt='path-exclude=/usr/lib/jvm/*/jmods/*' \
		--customize-hook='rm -rf "$1"/var/lib/postgresql/*/main "$1"/etc/postgresql/*/main' \
		"$(suite)" "$1" -
}

# ask METHOD PATH CURL-ARGUMENTS… talks to the engine.
ask() {
	local method=$1 path=$2
	shift 2
	case $DOCKER_HOST in
	unix://*) curl -s --unix-socket "${DOCKER_HOST#unix://}" -X "$method" "$@" "http://engine$path" ;;
	*) curl -s -X "$method" "$@" "http://${DOCKER_HOST#tcp://}$path" ;;
	esac
}

main() {
	open_state
	echo "$DOCKER_HOST" >"$STATE/apps-base"
	! ask GET "/images/$IMAGE/json" | grep -q "\"aorta.base\":\"$(content)\"" || return 0
	[ -n "$(sources)" ] || die "apt of this machine knows no archive of Debian to take packages from: apt-get update, then try again"
	say "apps: making the image $IMAGE of Debian's packages: some minutes, 1 GB (log: $LOG)"
	sources | unpack "$TAR" >"$LOG" 2>&1 || die_with_log "$LOG" "mmdebstrap could not make the image $IMAGE"
	ask POST "/images/create?fromSrc=-&repo=$IMAGE&tag=latest&changes=LABEL%20aorta.base=$(content)" -T "$TAR" -o "$STATE/apps-base.json"
	rm -f "$TAR"
	ask GET "/images/$IMAGE/json" | grep -q "\"aorta.base\":\"$(content)\"" || die_with_log "$STATE/apps-base.json" "the engine did not take the image $IMAGE"
}

main "$@"
