#!/usr/bin/env bash
# Installs what is missing on Debian 12 or later, says what and why, and is quiet
# when nothing is. Nothing that runs is started, stopped or configured by it.
#
#   scripts/bootstrap.sh build   Go, a C compiler for -race, git
#   scripts/bootstrap.sh run     that, and a Docker engine, Redis, nginx with Lua
#   scripts/bootstrap.sh test    that, and what only tests and benchmarks use
#   scripts/bootstrap.sh apps    that, and what makes the base image of make test-apps
#
# The path to Go is left in $STATE/env.sh.
set -euo pipefail
cd "$(dirname "$0")/.."
. scripts/state.sh

TOOLCHAIN=1.26.8 # what is installed when there is no Go, or one too old for go.mod
GO_DIR=/usr/local/lib/aorta-go-$TOOLCHAIN
GUARD=/usr/sbin/policy-rc.d
GUARD_MARK='made by aorta: bootstrap.sh'
missing=()

have() { command -v "$1" >/dev/null 2>&1; }

# want PACKAGE REASON notes a package to install.
want() {
	missing+=("$1")
	say "bootstrap: installing $1: $2"
}

minimum_go() { awk '$1 == "go" { print $2 }' go.mod; }

# go_suits GO tells whether that binary is new enough. It is asked outside the
# module: an old Go does not understand this go.mod.
go_suits() {
	local version
	version=$(cd / && GOTOOLCHAIN=local "$1" env GOVERSION 2>/dev/null) || return 1
	printf '%s\n%s\n' "$(minimum_go)" "${version#go}" | sort -V -C
}

compiles_c() { have gcc && printf '#include <stdlib.h>\n' | gcc -E - >/dev/null 2>&1; }

# nginx_suits tells whether an nginx loads the Lua module and what our code needs.
nginx_suits() {
	local dir module
	have nginx || return 1
	dir=$(mktemp -d)
	for module in ndk_http_module ngx_http_lua_module; do
		[ ! -f "/usr/lib/nginx/modules/$module.so" ] || echo "load_module /usr/lib/nginx/modules/$module.so;"
	done >"$dir/nginx.conf"
	cat >>"$dir/nginx.conf" <<-CONF
		pid $dir/pid; error_log $dir/log; events {}
		http { access_log off; init_by_lua_block { require "resty.core" require "resty.lrucache" require "cjson" } }
	CONF
	nginx -t -q -p "$dir" -c "$dir/nginx.conf" -e "$dir/log" >/dev/null 2>&1
	local code=$?
	rm -rf "$dir"
	return $code
}

choose_build() {
	have git || want git "apps are pushed by it"
	have curl || want curl "it asks daemons whether they are ready"
	have make || want make "its targets are the two commands"
	[ -e /etc/ssl/certs/ca-certificates.crt ] || want ca-certificates "the Go module proxy speaks TLS"
	compiles_c || { want gcc "the race detector needs a C compiler" && want libc6-dev "its headers"; }
	have npm || { want nodejs "the dashboard's pages are built with it" && want npm "it fetches what their lock file names"; }
	{ have go && go_suits go; } || [ -x "$GO_DIR/bin/go" ] || have go || want golang-go "it fetches Go $TOOLCHAIN"
}

choose_run() {
	have ip || want iproute2 "nodes have addresses of their own"
	have ps || want procps "it names who holds a port"
	have iptables || want iptables "the engine and the firewall chain need it"
	scripts/engine.sh found || want docker.io "instances are containers"
	if [ "$(cat /sys/module/apparmor/parameters/enabled 2>/dev/null)" = Y ] && ! have apparmor_parser; then
		want apparmor "the kernel enforces it, so the engine must load its profile"
	fi
	have redis-server || want redis-server "routes, jobs and statistics live in it"
	have redis-cli || want redis-tools "to look into it"
	have nginx || want nginx-light "the router is nginx with Lua"
	nginx_suits || for package in libnginx-mod-http-lua lua-resty-core lua-resty-lrucache lua-cjson; do
		want "$package" "the router is nginx with Lua"
	done
}

choose_test() {
	have wrk || want wrk "benchmarks load the router with it"
	have chromium || have chromium-browser || have google-chrome-stable || have google-chrome || want chromium "the dashboard's pages are tested in it"
	[ -x /bin/busybox ] || want busybox-static "images of the tests have their shell from it"
	have nsenter || want util-linux "tests put nodes into network namespaces"
	compgen -G '/usr/lib/*/faketime/libfaketime.so.1' >/dev/null || want libfaketime "a test sets the clock of its Redis"
}

choose_apps() {
	have mmdebstrap || want mmdebstrap "it makes the image that tested apps are built on"
}

# guard_on keeps Debian from starting what is installed: its Redis and nginx
# would take ports. A policy that was there is put back by guard_off.
guard_on() {
	guard_off # a run that was killed left its own
	[ ! -e "$GUARD" ] || mv "$GUARD" "$GUARD.before-aorta"
	printf '#!/bin/sh\n# %s\nexit 101\n' "$GUARD_MARK" >"$GUARD"
	chmod 755 "$GUARD"
	trap guard_off EXIT
}

guard_off() {
	! grep -qs "$GUARD_MARK" "$GUARD" || rm -f "$GUARD"
	[ ! -e "$GUARD.before-aorta" ] || mv -f "$GUARD.before-aorta" "$GUARD"
}

# leave_off keeps a service that came with a package off after a reboot too.
leave_off() {
	local service
	for service in redis-server nginx; do
		case " ${missing[*]} " in
		*" $service"[\ -]*) systemctl disable -q "$service" 2>/dev/null ||
			DPKG_MAINTSCRIPT_PACKAGE=$service deb-systemd-helper disable "$service.service" >/dev/null 2>&1 || true ;;
		esac
	done
}

install_packages() {
	local log=$STATE/bootstrap.log
	[ "${#missing[@]}" -gt 0 ] || return 0
	have apt-get || die "no apt-get here: install ${missing[*]} (or what they are called on this system) and run this again"
	[ "$(id -u)" = 0 ] || die "installing ${missing[*]} needs root: run this as root, or install them first"
	export DEBIAN_FRONTEND=noninteractive
	apt-get -o DPkg::Lock::Timeout=120 update >"$log" 2>&1 </dev/null || say "bootstrap: apt-get update failed in part, going on with the lists there are"
	guard_on
	apt-get -o DPkg::Lock::Timeout=120 install -y --no-install-recommends "${missing[@]}" >>"$log" 2>&1 </dev/null ||
		die_with_log "$log" "apt-get could not install ${missing[*]}"
	leave_off
	guard_off
}

# install_go takes the toolchain as a module, whose checksum the checksum
# database vouches for.
install_go() {
	local arch tmp module
	[ "$(id -u)" = 0 ] || die "installing Go $TOOLCHAIN into $GO_DIR needs root: run this as root, or put Go $(minimum_go) or newer on the path"
	arch=$(dpkg --print-architecture)
	[ "$arch" != armhf ] || arch=armv6l
	say "bootstrap: installing Go $TOOLCHAIN into $GO_DIR: go.mod asks for $(minimum_go) or newer"
	tmp=$(mktemp -d)
	module=golang.org/toolchain@v0.0.1-go$TOOLCHAIN.linux-$arch
	(cd "$tmp" && GOTOOLCHAIN=local GOPATH=$tmp GOFLAGS=-modcacherw go mod download "$module") >"$STATE/bootstrap.log" 2>&1 ||
		die_with_log "$STATE/bootstrap.log" "could not fetch $module: is the Go module proxy reachable (GOPROXY)?"
	rm -rf "$GO_DIR.part"
	cp -r "$tmp/pkg/mod/$module" "$GO_DIR.part"
	chmod 755 "$GO_DIR.part"/bin/* "$GO_DIR.part"/pkg/tool/*/*
	race_compiles "$GO_DIR.part/bin/go" "$tmp" || die_with_log "$STATE/bootstrap.log" "the fetched Go does not compile a small program with -race"
	rm -rf "$tmp" "$GO_DIR"
	mv "$GO_DIR.part" "$GO_DIR"
}

race_compiles() {
	printf 'package main\n\nimport "C"\n\nfunc main() { println("ok") }\n' >"$2/main.go"
	(cd "$2" && CGO_ENABLED=1 "$1" run -race main.go) >"$STATE/bootstrap.log" 2>&1
}

# write_env leaves the path for the Makefile's recipes.
write_env() {
	local dir=$GO_DIR/bin
	if have go && go_suits go; then
		dir=$(dirname "$(command -v go)")
	elif [ ! -x "$GO_DIR/bin/go" ]; then
		install_go
	fi
	cat >"$STATE/env.sh" <<-ENV
		export HOME="\${HOME:-/root}"
		export PATH="$dir:\$PATH:/usr/sbin:/sbin"
	ENV
}

main() {
	local level=${1:-run}
	case $level in build | run | test | apps) ;; *) die "bootstrap.sh: no level \"$level\": build, run, test or apps" ;; esac
	open_state
	choose_build
	[ "$level" = build ] || choose_run
	case $level in test | apps) choose_test ;; esac
	[ "$level" != apps ] || choose_apps
	install_packages
	write_env
	[ "$level" = build ] || nginx_suits || die "nginx is there and does not load the Lua module with resty.core and cjson: nginx -V and the packages libnginx-mod-http-lua, lua-resty-core, lua-cjson tell more"
}

main "$@"
