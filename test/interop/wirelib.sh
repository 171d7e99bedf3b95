# SPDX-License-Identifier: BSD-3-Clause
# shellcheck shell=bash
#
# Two ends and a bad cable between them: sourced after lib.sh by what tries or measures
# the stack on an impaired path.  The cable (test/interop/wire) stands between two veth
# pairs, so a kernel and this stack meet the same line at the same MTU, both without
# offloads:
#
#   left end, namespace l          namespace w           right end, namespace r
#   198.18.0.1  end0 ------- w0  test/interop/wire  w1 ------- end0  198.18.0.2
#
# An end is of the kernel (k) when its interface has the address, or of one program of
# ours (o) on AF_PACKET, when the kernel has none there.

# shellcheck disable=SC2154  # src, build, work and python3 are of lib.sh
carried_from=0 goodput=
wire=$build/test/interop/wire perf=$build/apps/perf
declare -A address_of=([l]=198.18.0.1 [r]=198.18.0.2)
ours_lines=() # configuration of our ends
kernel_cc=""    # of socat's connections; a namespace may not change its default
ends_by=()    # words before the commands of bulk's ends

wire_end_add() { # namespace, interface of the wire
	ip link add end0 netns "mtcp-$$-$1" numrxqueues 1 numtxqueues 1 type veth \
		peer name "$2" netns "mtcp-$$-w" numrxqueues 1 numtxqueues 1 || return 1
	in_ns "$1" ip link set end0 up && in_ns w ip link set "$2" up || return 1
	# Frames as a cable carries them, with their sums.
	in_ns "$1" ethtool -K end0 tx off rx off tso off gso off gro off >/dev/null 2>&1
	in_ns w ethtool -K "$2" tx off rx off tso off gso off gro off >/dev/null 2>&1
	# One connection must not teach the next.
	in_ns "$1" sysctl -qw net.ipv4.tcp_no_metrics_save=1
}

wire_net() { ns_add l w r && wire_end_add l w0 && wire_end_add r w1; }

wire_start() { # KEY=VALUE...
	wire_stop
	start wire w "$wire" w0 w1 "$@" && wait_for 5 says wire "wire: up"
}

# What the cable did is in $work/wire.log; its status is not 0 when it did more than asked.
wire_stop() { stop wire TERM 5; }

# Who stands at an end from now on.
end_is() { # l or r, k or o
	in_ns "$1" ip address flush dev end0
	[ "$2" = o ] || in_ns "$1" ip address add "${address_of[$1]}/24" dev end0
}

# Each end of ours has a CPU of its own where there are two.
end_conf() { # l or r, lines...
	local mask=1
	[ "$1" = l ] || [ "$cpus" = 1 ] || mask=2
	printf '%s\n' "eal_args = --vdev=net_af_packet0,iface=end0,framesz=2048,framecnt=4096" \
		"port = net_af_packet0" "address = ${address_of[$1]}/24" "num_cores = 1" \
		"core_mask = $mask" "${ours_lines[@]}" "${@:2}" >"$work/$1.conf"
}

kernel_set() { # name=value of net.ipv4...
	local v
	for v in "$@"; do
		in_ns l sysctl -qw "net.ipv4.$v" && in_ns r sysctl -qw "net.ipv4.$v" || return 1
	done
}

listens() { in_ns "$1" ss -Hltn "sport = :$2" | grep -q .; }

# ---- bulk from left to right -------------------------------------------------

sink_start() { # k or o, cc
	end_is r "$1"
	if [ "$1" = k ]; then
		start sink r "${ends_by[@]}" "$python3" "$src/test/interop/peer.py" sink "$2" &&
			wait_for 10 listens r 5001
	else
		end_conf r "cc = $2"
		start sink r "${ends_by[@]}" "$perf" -s -1 -f "$work/r.conf" && wait_for 15 says sink listening
	fi
}

source_start() { # k or o, cc, seconds
	end_is l "$1"
	if [ "$1" = k ]; then
		start source l "${ends_by[@]}" "$python3" "$src/test/interop/peer.py" source "${address_of[r]}" "$3" "$2"
	else
		end_conf l "cc = $2"
		start source l "${ends_by[@]}" "$perf" -c "${address_of[r]}" -t "$3" -i 1 -f "$work/l.conf"
	fi
}

# Sets goodput: Mbit/s from the first byte read to the last, empty when it went wrong.
bulk() { # source: k or o, sink: k or o, cc, seconds
	local good=yes
	sink_start "$2" "$3" && source_start "$1" "$3" "$4" || good=no
	finished source $(($4 + 60)) || good=no
	finished sink 60 || good=no
	goodput=
	[ $good = no ] || goodput=$(sed -n 's|.*: \([0-9.]*\) Mbit/s.*|\1|p' "$work/sink.log" | tail -n 1)
}

# ---- files from left to right ------------------------------------------------

carried() { # title, expected sum, got
	same "$1 ($(($(now_ms) - carried_from)) ms)" "$2" "$3"
}

# A web server at the left end, a client at the right: the file arrives whole.
web_carries() { # source: k or o, sink: k or o, file, seconds, what the title ends with
	local got=
	end_is l "$1"
	end_is r "$2"
	if [ "$1" = k ]; then
		nginx_start l || give_up "nginx"
	else
		end_conf l
		start server l "$epserver" -p "$work/www" -f "$work/l.conf"
		wait_for 15 says server serving || give_up "epserver"
	fi
	rm -f "$work/out"
	carried_from=$(now_ms)
	if [ "$2" = k ]; then
		start client r curl -sS --fail --max-time "$4" -o "$work/out" "http://${address_of[l]}/$3"
	else
		end_conf r
		start client r "$epwget" "${address_of[l]}/$3" 1 -o "$work/out" -f "$work/r.conf"
	fi
	finished client $(($4 + 5))
	[ ! -e "$work/out" ] || got=$(sum_of "$work/out")
	carried "$([ "$1" = k ] && echo nginx || echo epserver) to $(
		[ "$2" = k ] && echo curl || echo epwget): $3$5" "$(sum_of "$work/www/$3")" "$got"
	stop nginx
	stop server
}

# The same by socat, or perf at our end.
bytes_carry() { # source: k or o, sink: k or o, bytes, seconds, what the title ends with
	local want got
	rm -f "$work/out"
	end_is l "$1"
	end_is r "$2"
	if [ "$2" = k ]; then
		start sink r socat -u TCP-LISTEN:5001,reuseaddr "CREATE:$work/out"
		wait_for 10 listens r 5001 || give_up socat
	else
		end_conf r
		start sink r "$perf" -s -1 --sha256 -f "$work/r.conf"
		wait_for 15 says sink listening || give_up perf
	fi
	if [ "$1" = k ]; then
		head -c "$3" "$work/www/big" >"$work/in"
		start source l socat -u "OPEN:$work/in" "TCP:${address_of[r]}:5001${kernel_cc:+,setsockopt-string=6:13:$kernel_cc}"
	else
		end_conf l
		start source l "$perf" -c "${address_of[r]}" -n "$3" --sha256 -f "$work/l.conf"
	fi
	carried_from=$(now_ms)
	finished source "$4"
	finished sink 10
	if [ "$1" = k ]; then want=$(sum_of "$work/in"); else want=$(digest_of source); fi
	if [ "$2" = k ]; then got=$(sum_of "$work/out"); else got=$(digest_of sink); fi
	carried "$([ "$1" = k ] && echo socat || echo perf) to $(
		[ "$2" = k ] && echo socat || echo perf): $3 bytes$5" "${want:-none sent}" "${got:-none came}"
}

digest_of() { sed -n 's/.* sha256 \([0-9a-f]*\).*/\1/p' "$work/$1.log" | tail -n 1; }
