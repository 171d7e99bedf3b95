#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
#
# Minutes, or an hour, of mixed load on nginx on mtcp with two workers: kept connections and short ones, POST,
# HTTPS, clients that break off, while it is reloaded and workers are killed.  Each request that failed is
# put down to a reload or to a killed worker, or is one too many; memory stays flat; nothing is left.
#
#   nginx_soak.sh [tap|af_xdp]      tap, unless told otherwise
#
#   MTCP_SOAK_SECONDS   how long (default 120)
#   MTCP_SOAK_RELOAD    seconds from a reload to the next (default a ninth of it, at most 60)
#   MTCP_SOAK_KILL      seconds from a worker's end to the next (default a third of it, at most 300)
#
# Needs nginx to be built for this build folder: apps/nginx/build.sh --mtcp BUILD.
. "$(dirname "$0")/lib.sh"

kind=${1:-tap}
case $kind in tap | af_xdp) ;; *) skip "knows tap and af_xdp, not $kind" ;; esac
nginx=${MTCP_NGINX:-$build/nginx/nginx/objs/nginx}
[ -z "${MTCP_SANITIZE:-}" ] || skip "nginx itself is not instrumented"
[ -x "$nginx" ] || skip "needs nginx: apps/nginx/build.sh --mtcp $build --no-install"
"${PYTHON3:-python3}" -c 'import asyncio; asyncio.timeout' 2>/dev/null || skip "needs Python 3.11"
begin wrk openssl "$python3"

at_most() { if [ "$1" -lt "$2" ]; then echo "$1"; else echo "$2"; fi; }

workers=2 outage=0
[ "$kind" = tap ] || outage=1 # when all places are taken, as README.md of apps/nginx says
seconds=${MTCP_SOAK_SECONDS:-120}
reload=${MTCP_SOAK_RELOAD:-$(at_most $((seconds / 9)) 60)}
kill=${MTCP_SOAK_KILL:-$(at_most $((seconds / 3)) 300)}
dir=$work/ng
export LD_LIBRARY_PATH=$build/.libs
chmod 777 "$work/run"
mkdir -p "$dir/tmp"
chmod 777 "$dir/tmp"
head -c 4000000 "$work/www/big" >"$work/www/part" && mv "$work/www/part" "$work/www/big"
openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 30 -subj /CN=mtcp.test \
	-keyout "$dir/key.pem" -out "$dir/cert.pem" 2>/dev/null || give_up "a certificate"

# On TAP there are places for old workers beside new ones; AF_XDP has as many as the interface has queues,
# since what arrives on one without a process is lost.
# Without hugepages, which others may take or leave meanwhile: what a worker has would be told in part.
conf_mtcp() {
	local places=$((2 * workers))
	if [ "$kind" = tap ]; then
		echo "eal_args = --no-huge --vdev=net_tap%q,iface=mtcp0,mac=fixed"
		echo "port = net_tap%q"
	else
		places=$workers
		echo "eal_args = --no-huge --vdev=net_af_xdp%q,iface=mtcp0,start_queue=%q,busy_budget=0"
		echo "port = net_af_xdp%q"
	fi
	printf '%s\n' "address = $ours/24" "num_cores = 1" "multiprocess = $places" "multiprocess_name = soak-$$"
}

conf_nginx() {
	local user="nobody nogroup"
	[ "$kind" = tap ] || user=root
	cat <<-NGINX
		user $user;
		worker_processes $workers;
		worker_shutdown_timeout 5s;
		daemon off;
		pid $dir/pid;
		error_log $dir/error.log notice;
		env RUNTIME_DIRECTORY;
		events {
			use mtcp;
			mtcp_conf mtcp.conf;
			worker_connections 4096;
		}
		http {
			access_log off;
			client_body_temp_path $dir/tmp/body;
			proxy_temp_path $dir/tmp/proxy;
			fastcgi_temp_path $dir/tmp/fastcgi;
			uwsgi_temp_path $dir/tmp/uwsgi;
			scgi_temp_path $dir/tmp/scgi;
			keepalive_requests 1000000;
			proxy_http_version 1.1;
			proxy_set_header Connection "";
			add_header X-Worker \$pid always;
			server {
				listen 80;
				listen 443 ssl;
				root $work/www;
				ssl_certificate cert.pem;
				ssl_certificate_key key.pem;
				ssl_session_cache shared:s:1m;
				location = /post { client_max_body_size 1m; proxy_pass http://127.0.0.1:8080; }
			}
		}
	NGINX
}

# Whom POST is sent on to, a process of its own so that it outlives workers.
conf_behind() {
	cat <<-NGINX
		user nobody nogroup;
		daemon off;
		master_process off;
		pid $dir/behind.pid;
		error_log $dir/behind.log;
		events { }
		http {
			access_log off;
			client_body_temp_path $dir/tmp/body2;
			proxy_temp_path $dir/tmp/proxy2;
			fastcgi_temp_path $dir/tmp/fastcgi2;
			uwsgi_temp_path $dir/tmp/uwsgi2;
			scgi_temp_path $dir/tmp/scgi2;
			server {
				listen 127.0.0.1:8080;
				location = /post { client_max_body_size 1m; return 200 "got"; }
			}
		}
	NGINX
}

all_listen() { [ "$(grep -c 'has started' "$dir/error.log")" -ge "$workers" ]; }
value() { sed -n "s/^$1 //p" "$work/load.log"; }
is_flat() { awk -v by="${1:-x}" 'BEGIN { exit !(by ~ /[0-9]/ && by <= 2) }'; }

begin_server() {
	if [ "$kind" = tap ]; then
		# The interface outlives the workers.
		ns_add a && in_ns a ip tuntap add dev mtcp0 mode tap multi_queue pi &&
			in_ns a ip address add $kernels/24 dev mtcp0 && in_ns a ip link set mtcp0 up
	else
		ns_add a b && peer=b && veth_add a b $workers
	fi || give_up "a network for $kind"
	conf_mtcp >"$dir/mtcp.conf"
	conf_nginx >"$dir/nginx.conf"
	conf_behind >"$dir/behind.conf"
	: >"$dir/error.log"
	start behind a "$nginx" -p "$dir" -c behind.conf -e "$dir/behind.log"
	start ng a "$nginx" -p "$dir" -c nginx.conf -e "$dir/error.log"
	wait_for 15 all_listen && wait_for 10 answers $ours && return
	tail "$dir/error.log"
	give_up "nginx on $kind"
}

# An hour's notes are many; what failed is never left out.
show() {
	grep '^note' "$work/load.log" | grep -v '^note failed' | tail -n 40 | sed 's/^note/     /'
	grep '^note failed' "$work/load.log" | cut -d ' ' -f 2- | sed 's/begun [0-9.]*, after [0-9.]* s, //
		s/opened [0-9.]*/a new connection/; s/worker [0-9]*/an old connection/; s/between [0-9.]* and [0-9.]*: //' |
		sort | uniq -c | sed 's/^/    /'
	grep '^note failed, unexplained\|^note failed, reload, new' "$work/load.log" | head -n 30 | sed 's/^note/     /'
}

begin_server
start load $peer "$python3" "$src/test/interop/nginx_soak.py" $ours "${pids[ng]}" $workers $outage "$dir/error.log" \
	"$seconds" "$reload" "$kill"
finished load $((seconds + 120))
same "$kind: the load came to its end" 0 $?
show
same "$kind: $(value asked) requests, $(value reloads) reloads ($(value reload_longest) s at most), $(value kills) workers killed; \
$(value reload) failed during reloads, $(value killed) on killed workers' connections; unexplained" 0 "$(value unexplained)"
[ $outage = 1 ] || same "$kind: and none of those during reloads was on a new connection" 0 "$(value reload_fresh)"
same "$kind: nginx did as it was told each time" 1 "$(value in_time)"
# Only workers that lived for long tell.
for what in inside across; do
	if [ -n "$(value growth_$what)" ]; then
		check "$kind: memory is flat, $what workers' lives ($(value growth_$what) %)" is_flat "$(value growth_$what)"
	else
		echo "      memory $what workers' lives is not judged: too few lived for long"
	fi
done
check "$kind: and so is the master's ($(value growth_master) %)" is_flat "$(value growth_master)"
kill -QUIT "${pids[ng]}"
finished ng 15
same "$kind: quit ends it with status 0" 0 $?
same "$kind: no alert in its log" "" "$(grep -E '\[(alert|crit|emerg)\]' "$dir/error.log" | grep -v 'exited on signal 9\|setrlimit' | head -n 5)"
check "$kind: nobody is left in the folder that they shared" test -z "$(ls -d /dev/shm/mtcp-*-soak-$$ 2>/dev/null)"
stop behind
same "$kind: no process of nginx is left" "" "$(pgrep -f "$dir/error.log" | tr '\n' ' ')"
same "$kind: no folder in /tmp is left" "" \
	"$(find /tmp -maxdepth 1 -name 'mtcp-*' -user nobody -newer "$dir/key.pem" | tr '\n' ' ')"
same "$kind: what arrived and was not sent on is no file of the server's" "" "$(find "$dir/tmp" -type f | head -n 3)"
finish
