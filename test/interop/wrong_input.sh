#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
#
# What is wrong is said in one line, the exit status tells it, nothing is left behind.
. "$(dirname "$0")/lib.sh"

begin setpriv
net_for af_packet || give_up "a veth pair"
links_before=$(in_ns a ip -br link)

# One line on standard error that matches, and a status that is a program's own.
refused() { # title, pattern, command...
	local title=$1 pattern=$2 status lines
	shift 2
	timeout 20 ip netns exec "mtcp-$$-a" "$@" >"$work/stdout" 2>"$work/stderr" </dev/null
	status=$?
	lines=$(wc -l <"$work/stderr")
	if [ $status = 0 ] || [ $status -ge 124 ] || [ "$lines" != 1 ] ||
		! grep -qE "$pattern" "$work/stderr"; then
		fail "$title" "status $status, $lines lines on standard error:" "$(head -n 5 "$work/stderr")"
	else
		ok "$title: $(sed "s|$work/||" "$work/stderr")"
	fi
	same "  and no interface" "$links_before" "$(in_ns a ip -br link)"
	same "  and no folder of DPDK's" "" "$(runtime_dirs)"
}

conf() { # lines...
	printf '%s\n' "$@" >"$work/wrong.conf"
}

serve() { echo "$epserver" -p "$work/www" -f "$work/wrong.conf"; }
read -ra serve < <(serve)

tap=("eal_args = --vdev=net_tap0,iface=mtcp1" "port = net_tap0")
here="address = $ours/24"

conf "${tap[@]}" "adress = $ours/24" "$here"
refused "an unknown key" "wrong.conf:3: .*adress.*did you mean 'address'" "${serve[@]}"
refused "an unknown key, only checked" "wrong.conf:3: " "$epserver" --check-config "$work/wrong.conf"

refused "a missing file" "$work/none.conf" "$epserver" -p "$work/www" -f "$work/none.conf"
refused "a missing folder" "$work/none" "$epserver" -p "$work/none" -f "$work/wrong.conf"
refused "no configuration" "epserver: " "$epserver" -p "$work/www"

conf "${tap[@]}"
refused "no address" "address" "${serve[@]}"

conf "${tap[@]}" "address = 10.0.0.300/24"
refused "a bad address" "wrong.conf:3: .*10.0.0.300" "${serve[@]}"

conf "eal_args = --vdev=net_tap0,iface=mtcp1" "port = net_tap7" "$here" "num_cores = 1"
refused "a port that does not exist" "net_tap7" "${serve[@]}"

conf "eal_args = --vdev=net_nothing0" "port = net_nothing0" "$here" "num_cores = 1"
refused "a driver that does not exist" "net_nothing" "${serve[@]}"

conf "eal_args = --vdev=net_af_packet0,iface=nothing0" "port = net_af_packet0" "$here" "num_cores = 1"
refused "an interface that does not exist" "nothing0|net_af_packet0" "${serve[@]}"

conf "eal_args = --vdev=net_null0 --vdev=net_null1" "port = net_null0,net_null1" "$here" "num_cores = 1"
refused "more devices than cores" "2 devices need as many cores" "${serve[@]}"

conf "${tap[@]}" "$here" "num_cores = 1"
refused "a core that is not configured" "core 3" "${serve[@]}" -c 3
refused "not root" "root" env -u RUNTIME_DIRECTORY setpriv --reuid=65534 --regid=65534 --clear-groups "${serve[@]}"

# The kernel at the other end has the address already.
conf "eal_args = --vdev=net_af_packet0,iface=mtcp0,qpairs=1,framesz=2048" "port = net_af_packet0" \
	"address = $kernels/24" "num_cores = 1"
refused "an address that another host has" "$kernels is taken on port net_af_packet0" "${serve[@]}"

refused "epwget without arguments" "epwget: " "$epwget"
conf "${tap[@]}" "$here" "num_cores = 1"
refused "epwget with a name" "not an IP address" "$epwget" localhost/ 1 -f "$work/wrong.conf"
finish
