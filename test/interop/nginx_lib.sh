# SPDX-License-Identifier: BSD-3-Clause
# shellcheck shell=bash
#
# What the judges of nginx share, sourced after lib.sh: where it is, its folder, the lines that both of its
# files begin with, and the device.  All of it lies in $work/ng; $kind is tap or af_xdp.

ng_dir=
ng_objects=${MTCP_NGINX_OBJECTS:-$build/nginx/nginx/objs}

ng_find() { # a command that builds it
	[ -z "${MTCP_SANITIZE:-}" ] || skip "nginx itself is not instrumented"
	[ "${MTCP_WITH_DPDK:-yes}" = yes ] || skip "built without DPDK"
	"$@"
	[ -x "$ng_objects/nginx" ] || skip "needs nginx: apps/nginx/build.sh --mtcp $build --no-install"
}

# After begin().
ng_begin() {
	ng_dir=$work/ng
	export LD_LIBRARY_PATH=$build/.libs
	# DPDK's folders are made by workers, who are nobody.
	chmod 777 "$work/run"
	mkdir -p "$ng_dir/conf" "$ng_dir/logs" "$ng_dir/tmp"
	chmod 777 "$ng_dir/tmp"
	openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 30 -subj /CN=mtcp.test \
		-keyout "$ng_dir/conf/key.pem" -out "$ng_dir/conf/cert.pem" 2>/dev/null || give_up "a certificate"
}

# ---- its files ----------------------------------------------------------------

# On a TAP there are places for old workers and new ones at once; AF_XDP has as many as the interface has queues, and
# one that nobody reads would lose what arrives on it.
ng_conf_mtcp() { # workers, further words of eal_args, lines...
	local places=$((2 * $1)) words=$2 devices
	case $kind in
	tap) devices=("eal_args = $words --vdev=net_tap%q,iface=mtcp0,mac=fixed" "port = net_tap%q") ;;
	af_xdp) devices=("eal_args = $words --vdev=net_af_xdp%q,iface=mtcp0,start_queue=%q,busy_budget=0" "port = net_af_xdp%q")
		places=$1 ;;
	esac
	# One process needs no others.
	[ $places = 1 ] || devices+=("multiprocess = $places" "multiprocess_name = nginx-$$")
	shift 2
	printf '%s\n' "${devices[@]}" "address = $ours/24" "num_cores = 1" "$@" >"$ng_dir/conf/mtcp.conf"
}

# Up to the events block, and that.
ng_conf_head() { # workers, further lines of the events block
	cat <<-NGINX
		user nobody nogroup;
		worker_processes $1;
		daemon off;
		pid $ng_dir/pid;
		error_log $ng_dir/error.log notice;
		env RUNTIME_DIRECTORY;
		events {
			use mtcp;
			mtcp_conf mtcp.conf;
			worker_connections 4096;
			$2
		}
	NGINX
}

ng_has_module() { grep -q "ngx_http_$1_module" "$ng_objects/ngx_modules.c"; }
ng_has_stream() { [ -e "$ng_objects/ngx_stream_module.so" ]; }

# Paths that nginx would make elsewhere, for the http block.
ng_conf_paths() { # whose
	local m
	echo "client_body_temp_path $ng_dir/tmp/body$1; proxy_temp_path $ng_dir/tmp/proxy$1;"
	for m in fastcgi uwsgi scgi; do
		! ng_has_module $m || echo "${m}_temp_path $ng_dir/tmp/$m$1;"
	done
}

# What a server has, by HTTP and by TLS.
ng_conf_tls() { echo "ssl_certificate cert.pem; ssl_certificate_key key.pem; ssl_session_cache shared:s:1m;"; }

# A proxy keeps its connections.
ng_conf_proxy() { echo 'proxy_http_version 1.1; proxy_set_header Connection "";'; }

# ---- the device, and nginx on it -----------------------------------------------

# The interface outlives the workers.
ng_net() { # workers
	peer=a
	if [ "$kind" = tap ]; then
		ns_add a && in_ns a ip tuntap add dev mtcp0 mode tap multi_queue pi &&
			in_ns a ip address add $kernels/24 dev mtcp0 && in_ns a ip link set mtcp0 up
	else
		peer=b
		ns_add a b && veth_add a b "$1"
	fi
}

ng() { "$ng_objects/nginx" -p "$ng_dir" -c conf/nginx.conf -e "$ng_dir/error.log" "$@"; }
ng_started() { grep -c 'has started' "$ng_dir/error.log"; }
ng_started_more_than() { [ "$(ng_started)" -gt "$1" ]; }

ng_start() { # workers
	: >"$ng_dir/error.log"
	start ng a "$ng_objects/nginx" -p "$ng_dir" -c conf/nginx.conf -e "$ng_dir/error.log"
	wait_for 15 ng_started_more_than $(($1 - 1)) && return
	tail "$ng_dir/error.log"
	give_up "nginx on $kind with $1"
}

# What is wrong in its log, but for what was done to it; further patterns of what is not.
ng_alerts() {
	grep -E '\[(alert|crit|emerg)\]' "$ng_dir/error.log" | grep -v "exited on signal 9\|setrlimit${1:+\|$1}" | head -n 5
}

ng_nobody_is_left() { [ -z "$(ls -d /dev/shm/mtcp-*-nginx-$$ 2>/dev/null)" ]; }
