# Sourced by engine.sh: what an engine of ours leaves in the machine when it is
# gone, and how it is taken away again. Only what was not there before it.

# ask HOST METHOD PATH talks to the engine; failures print nothing.
ask() { curl -s --max-time 20 --unix-socket "${1#unix://}" -X "$2" "http://engine$3" 2>/dev/null || true; }

# kill_containers ends every container that runs on the engine.
kill_containers() {
	local id
	for id in $(ask "$1" GET /containers/json | grep -o '"Id":"[0-9a-f]\{64\}"' | cut -d'"' -f4); do
		ask "$1" POST "/containers/$id/kill" >/dev/null
		ask "$1" POST "/containers/$id/wait" >/dev/null
	done
}

# engine_bridges prints the bridge interfaces of the engine's own networks.
engine_bridges() {
	local networks
	networks=$(ask "$1" GET /networks)
	grep -o '"com.docker.network.bridge.name":"[^"]*"' <<<"$networks" | cut -d'"' -f4 || true
	grep -o '"Id":"[0-9a-f]\{64\}"' <<<"$networks" | cut -d'"' -f4 | sed 's/^\(.\{12\}\).*/br-\1/' || true
}

# before_engine prints what the engine will change: bridges, chains, policy and
# forwarding, a line each.
before_engine() {
	local tool
	ip -o link show type bridge | awk -F': ' '{ print "bridge " $2 }'
	for tool in iptables ip6tables; do
		$tool -S FORWARD 2>/dev/null | awk -v t="$tool" '$1 == "-P" { print t " policy " $3 }'
		$tool -n -L DOCKER-USER >/dev/null 2>&1 && echo "$tool chains"
	done
	echo "forward $(cat /proc/sys/net/ipv4/ip_forward)"
}

# remove_network BEFORE BRIDGE… takes away what BEFORE did not list.
remove_network() {
	local before=$1 bridge tool
	shift
	for bridge in "$@"; do
		grep -qx "bridge $bridge" "$before" || ip link del "$bridge" 2>/dev/null || true
	done
	for tool in iptables ip6tables; do
		command -v "$tool" >/dev/null || continue
		grep -qx "$tool chains" "$before" || remove_chains "$tool" "$@"
		! grep -qx "$tool policy ACCEPT" "$before" || $tool -P FORWARD ACCEPT 2>/dev/null || true
	done
	! grep -qx "forward 0" "$before" || echo 0 >/proc/sys/net/ipv4/ip_forward
}

# remove_chains TOOL BRIDGE… deletes Docker's chains, the jumps to them and the
# rules that name its bridges.
remove_chains() {
	local tool=$1 table rule chain names
	shift
	names=$(printf '%s\n' "$@" | paste -sd'|')
	for table in filter nat raw; do
		$tool -t "$table" -S 2>/dev/null | grep -E -- "-j DOCKER|^-A DOCKER| (-i|-o) ($names) " |
			while read -r _ rule; do
				# shellcheck disable=SC2086 # a rule is words
				$tool -t "$table" -D $rule 2>/dev/null || true
			done || true # grep found none
		for chain in $($tool -t "$table" -S 2>/dev/null | awk '$1 == "-N" && $2 ~ /^DOCKER/ { print $2 }'); do
			$tool -t "$table" -F "$chain" 2>/dev/null || true
			$tool -t "$table" -X "$chain" 2>/dev/null || true
		done
	done
}

# unmount_below DIR unmounts DIR and all below it, the deepest first.
unmount_below() {
	local point
	[ -n "$1" ] || return 0
	awk -v d="$1" '$5 == d || index($5, d "/") == 1 { print $5 }' /proc/self/mountinfo | sort -r |
		while read -r point; do umount -l "$point" 2>/dev/null || true; done
}
