# SPDX-License-Identifier: BSD-3-Clause
# shellcheck shell=bash
#
# Networks and programs for scripts that try the stack on a live kernel.  All that is
# made here is of this process alone (namespaces carry its number, everything else is
# inside them or below $work) and net_end() takes it away, whatever happened.
#
#   our side     198.18.0.2, interface mtcp0, namespace a
#   the kernel   198.18.0.1, namespace $peer: a itself behind a TAP, b behind a veth pair
#
# A kind is tap, af_packet or af_xdp, with the kernel as peer; or memif or vhost, where
# the server is one process of ours, the client another, and no namespace is needed.

export LC_ALL=C
ours=198.18.0.2 kernels=198.18.0.1
src=${MTCP_SRCDIR:-$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd -P)}
build=${MTCP_BUILDDIR:-$src/build/check}
epserver=$build/apps/epserver epwget=$build/apps/epwget
python3=${PYTHON3:-python3}
cpus=$(nproc)
peer=a
work=
spaces=()
declare -A pids=()

# ---- begin and end ----------------------------------------------------------

net_begin() {
	work=$(mktemp -d "${TMPDIR:-/tmp}/mtcp-XXXXXX") || exit 1
	chmod 755 "$work"
	trap net_end EXIT
	trap 'exit 130' INT
	trap 'exit 143' TERM HUP
	# Where DPDK keeps a folder of each process.
	mkdir "$work/run"
	export RUNTIME_DIRECTORY=$work/run
	# libxdp keeps 80 bytes a socket, and a device that is left open for other processes is
	# not given back; what DPDK's threads say to each other, a checker that has not seen them
	# compiled cannot follow.
	printf 'leak:%s\n' xsk_umem__create xsk_socket__create libxdp libbpf librte_net_ >"$work/lsan"
	printf 'race:librte_%s\n' '*' >"$work/tsan"
	export LSAN_OPTIONS=suppressions=$work/lsan:print_suppressions=0
	export TSAN_OPTIONS=suppressions=$work/tsan:print_suppressions=0
	ulimit -n 65536 2>/dev/null || ulimit -n "$(ulimit -Hn)"
}

# Ends what runs and removes all namespaces, and with them their interfaces.
net_clear() {
	local name space
	for name in "${!pids[@]}"; do
		stop "$name" TERM 3
	done
	for space in "${spaces[@]}"; do
		ip netns del "$space"
	done
	spaces=()
}

net_end() {
	# A second interrupt must not stop the clearing up.
	trap '' INT TERM HUP
	net_clear
	[ -n "$work" ] && rm -rf "$work"
}

# ---- time -------------------------------------------------------------------

now_ms() { echo $((${EPOCHREALTIME/./} / 1000)); }

# Repeats a command until it succeeds.
wait_for() { # seconds, command...
	local until=$(($(now_ms) + $1 * 1000))
	shift
	until "$@"; do
		[ "$(now_ms)" -lt $until ] || return 1
		sleep 0.05
	done
}

# ---- processes --------------------------------------------------------------

# Its output goes to $work/NAME.log.  `ip netns exec' becomes the command, so the
# number kept is the command's own.  What one of that name said before is gone when this returns.
start() { # name, namespace or -, command...
	local name=$1 space=$2 enter=()
	shift 2
	: >"$work/$name.log"
	[ "$space" = - ] || enter=(ip netns exec "mtcp-$$-$space")
	"${enter[@]}" "$@" >"$work/$name.log" 2>&1 </dev/null &
	pids[$name]=$!
}

gone() { ! kill -0 "$1" 2>/dev/null; }
alive() { kill -0 "${pids[$1]:-0}" 2>/dev/null; }

# Waits for an end; the result is the process's own, 124 if it had to be killed.
finished() { # name, seconds
	local pid=${pids[$1]:-}
	[ -n "$pid" ] || return 127
	unset "pids[$1]"
	if wait_for "$2" gone "$pid"; then
		{ wait "$pid"; } 2>/dev/null
		return
	fi
	kill -KILL "$pid" 2>/dev/null
	{ wait "$pid"; } 2>/dev/null
	return 124
}

stop() { # name, signal, seconds
	[ -n "${pids[$1]:-}" ] || return 0
	kill "-${2:-TERM}" "${pids[$1]}" 2>/dev/null
	# What is killed ends at once, and bash would tell.
	[ "${2:-}" != KILL ] || { wait "${pids[$1]}"; } 2>/dev/null
	finished "$1" "${3:-5}"
}

# ---- namespaces and links ---------------------------------------------------

ns_add() { # letters...
	local n
	for n in "$@"; do
		ip netns add "mtcp-$$-$n" || return 1
		spaces+=("mtcp-$$-$n")
		in_ns "$n" sysctl -qw net.ipv6.conf.all.disable_ipv6=1 \
			net.ipv6.conf.default.disable_ipv6=1 2>/dev/null
		# Short connections by the ten thousand need ports.
		in_ns "$n" sysctl -qw net.ipv4.ip_local_port_range="1024 65000"
		in_ns "$n" ip link set lo up || return 1
	done
}

in_ns() { # letter, command...
	local space=mtcp-$$-$1
	shift
	ip netns exec "$space" "$@"
}

in_peer() { in_ns $peer "$@"; }

# One queue unless we open more, since one that nobody has opened would be the kernel's.  What the kernel
# sends must carry its checksums: the device has nobody who would add them.
veth_add() { # our namespace, the peer's, queues
	local q=${3:-1}
	ip link add mtcp0 netns "mtcp-$$-$1" numrxqueues "$q" numtxqueues "$q" type veth \
		peer name peer0 netns "mtcp-$$-$2" numrxqueues "$q" numtxqueues "$q" || return 1
	in_ns "$1" ip link set mtcp0 up &&
		in_ns "$2" ip link set peer0 up &&
		in_ns "$2" ip address add $kernels/24 dev peer0 &&
		in_ns "$2" ethtool -K peer0 tx off >/dev/null
}

has_link() { in_ns "$1" ip link show dev "$2" >/dev/null 2>&1; }

# A TAP is there once the program has opened its port.
tap_up() { # name of the program
	wait_for 15 tap_or_end "$1"
	has_link a mtcp0 || return 1
	in_ns a ip address add $kernels/24 dev mtcp0 && in_ns a ip link set mtcp0 up
}

tap_or_end() { has_link a mtcp0 || ! alive "$1"; }

net_for() { # kind
	case $1 in
	tap) ns_add a && peer=a ;;
	af_packet | af_xdp) ns_add a b && peer=b && veth_add a b ;;
	af_xdp4) ns_add a b && peer=b && veth_add a b 4 ;;
	esac
}

# ---- our programs -----------------------------------------------------------

port_lines() { # kind, server or client, cores
	local pairs=
	case $1-$2 in
	tap-*) echo "eal_args = --vdev=net_tap0,iface=mtcp0
			port = net_tap0" ;;
	af_packet-*) echo "eal_args = --vdev=net_af_packet0,iface=mtcp0,qpairs=$3,framesz=2048
			port = net_af_packet0" ;;
	af_xdp-*) echo "eal_args = --vdev=net_af_xdp0,iface=mtcp0,start_queue=0,busy_budget=0
			port = net_af_xdp0" ;;
	af_xdp4-*) echo "eal_args = $(for i in 0 1 2 3; do
			printf -- ' --vdev=net_af_xdp%d,iface=mtcp0,start_queue=%d,busy_budget=0' $i $i
		done)
			port = net_af_xdp0,net_af_xdp1,net_af_xdp2,net_af_xdp3" ;;
	memif-*) echo "eal_args = --vdev=net_memif0,role=$2,socket=$work/memif.sock,socket-abstract=no
			port = net_memif0" ;;
	vhost-server) echo "eal_args = --vdev=net_vhost0,iface=$work/vhost.sock,queues=$3
			port = net_vhost0" ;;
	vhost-client) echo "eal_args = --vdev=net_virtio_user0,path=$work/vhost.sock,queues=$3
			port = net_virtio_user0" ;;
	esac | sed 's/^[[:blank:]]*//'
	case $1-$2 in
	memif-client | vhost-client) echo "address = $kernels/24" ;;
	*) echo "address = $ours/24" ;;
	esac
	echo "num_cores = $3"
}

# Further lines stand last; a line "cores N" is for this function.
conf_write() { # kind, server or client, lines...
	local kind=$1 role=$2 cores=1 line lines=()
	shift 2
	for line in "$@"; do
		case $line in
		cores\ *) cores=${line#cores } ;;
		*) lines+=("$line") ;;
		esac
	done
	{
		port_lines "$kind" "$role" "$cores"
		# The client has a CPU of its own where there are two.
		[ "$role" = client ] && [ "$cores" = 1 ] && [ "$cpus" -gt 1 ] && echo "core_mask = 2"
		[ ${#lines[@]} = 0 ] || printf '%s\n' "${lines[@]}"
	} >"$work/$role.conf"
}

space_of() { case $1 in memif | vhost) echo - ;; *) echo a ;; esac; }

answers() { in_peer curl -s -o /dev/null --max-time 1 "http://$1/"; }
says() { grep -q "$2" "$work/$1.log" 2>/dev/null; }

# epserver with $work/www, up and answering.
server_start() { # kind, lines of configuration...
	conf_write "$1" server "${@:2}"
	server_run "$1"
}

server_run() { # kind
	start server "$(space_of "$1")" "$epserver" -p "$work/www" -f "$work/server.conf"
	case $1 in
	tap) tap_up server && server_listens ;;
	af_*) server_listens ;;
	memif) server_ready says server serving && wait_for 5 test -S "$work/memif.sock" ;;
	vhost) server_ready says server serving && wait_for 5 test -S "$work/vhost.sock" ;;
	esac
}

# On every core: else those that do get the connections of the others.
server_listens() { server_ready says server serving && server_ready answers $ours; }

ready_or_end() { "$@" || ! alive server; }

server_ready() { # command...
	wait_for 15 ready_or_end "$@" && alive server && return
	echo "epserver did not start:"
	tail -n 10 "$work/server.log"
	return 1
}

# epwget to its end; its output is in $work/client.log.
client_run() { # kind, seconds, arguments...
	local kind=$1 seconds=$2
	shift 2
	start client "$(space_of "$kind")" "$epwget" "$@" -f "$work/client.conf"
	[ "$kind" != tap ] || tap_up client
	finished client "$seconds"
}

# ---- the kernel's own server ------------------------------------------------

# With nothing of the system's own: neither its configuration nor its folders.
nginx_start() { # namespace, further words before the command...
	local dir=$work/nginx space=$1
	shift
	mkdir -p "$dir"
	cat >"$dir/nginx.conf" <<-NGINX
		daemon off;
		master_process off;
		worker_rlimit_nofile 65536;
		pid $dir/pid;
		error_log stderr;
		events { worker_connections 16384; multi_accept on; }
		http {
			access_log off;
			sendfile on;
			tcp_nopush on;
			keepalive_requests 100000000;
			client_body_temp_path $dir/body;
			proxy_temp_path $dir/proxy;
			fastcgi_temp_path $dir/fastcgi;
			uwsgi_temp_path $dir/uwsgi;
			scgi_temp_path $dir/scgi;
			server {
				listen 80 backlog=16384 reuseport;
				listen [::]:80 backlog=16384 reuseport;
				root $work/www;
			}
		}
	NGINX
	in_ns "$space" sysctl -qw net.core.somaxconn=16384
	start nginx "$space" "$@" nginx -p "$dir" -c "$dir/nginx.conf" -e stderr
	wait_for 10 in_ns "$space" curl -s -o /dev/null --max-time 1 http://127.0.0.1/ && return
	echo "nginx did not start:"
	tail -n 10 "$work/nginx.log"
	return 1
}

# ---- files to serve ---------------------------------------------------------

www_make() { # MB of the big one
	mkdir -p "$work/www"
	printf x >"$work/www/1"
	head -c 65536 /dev/urandom >"$work/www/64k"
	head -c $(($1 << 20)) /dev/urandom >"$work/www/big"
	printf 'It works.\n' >"$work/www/index.html"
}

sum_of() { sha256sum <"$1" | cut -d ' ' -f 1; }
