#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
#
# Minutes, or an hour, of mixed load on nginx on mtcp with two workers: kept connections and short ones, POST,
# HTTPS, clients that break off, while it is reloaded and workers are killed.  Each request that failed is
# put down to a reload or to a killed worker, or is one too many; memory stays flat; nothing is left.
#
#   nginx_soak.sh [tap|af_xdp]      tap, unless told otherwise
#
#   MTCP_SOAK_SECONDS   how long (default 120; 3600 is the hour, with the defaults that follow)
#   MTCP_SOAK_CALM      the last of these seconds, in which nothing happens to nginx, so that workers live for long enough
#                       to tell of their memory (default a fourth, at most 300)
#   MTCP_SOAK_RELOAD    seconds from a reload to the next (default a ninth of it, at most 60)
#   MTCP_SOAK_KILL      seconds from a worker's end to the next (default a third of it, at most 300)
#
# Needs nginx to be built for this build folder: apps/nginx/build.sh --mtcp BUILD.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/nginx_lib.sh"

kind=${1:-tap}
case $kind in tap | af_xdp) ;; *) skip "knows tap and af_xdp, not $kind" ;; esac
ng_find
"${PYTHON3:-python3}" -c 'import asyncio; asyncio.timeout' 2>/dev/null || skip "needs Python 3.11"
begin wrk openssl "$python3"

at_most() { if [ "$1" -lt "$2" ]; then echo "$1"; else echo "$2"; fi; }

workers=2
seconds=${MTCP_SOAK_SECONDS:-120}
reload=${MTCP_SOAK_RELOAD:-$(at_most $((seconds / 9)) 60)}
calm=${MTCP_SOAK_CALM:-$(at_most $((seconds / 4)) 300)}
kill=${MTCP_SOAK_KILL:-$(at_most $((seconds / 3)) 300)}
ng_begin
dir=$ng_dir
head -c 4000000 "$work/www/big" >"$work/www/part" && mv "$work/www/part" "$work/www/big"

conf_nginx() {
	cat <<-NGINX
		$(ng_conf_head $workers "")
		worker_shutdown_timeout 5s;
		http {
			access_log off;
			$(ng_conf_paths "")
			$(ng_conf_proxy)
			keepalive_requests 1000000;
			add_header X-Worker \$pid always;
			server {
				listen 80;
				listen 443 ssl;
				root $work/www;
				$(ng_conf_tls)
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
			$(ng_conf_paths 2)
			server {
				listen 127.0.0.1:8080;
				location = /post { client_max_body_size 1m; return 200 "got"; }
			}
		}
	NGINX
}

value() { sed -n "s/^$1 //p" "$work/load.log"; }
is_flat() { awk -v by="${1:-x}" 'BEGIN { exit !(by ~ /[0-9]/ && by <= 2) }'; }

begin_server() {
	ng_net $workers || give_up "a network for $kind"
	# Without hugepages, which others may take or leave meanwhile: what a worker has would be told in part.
	ng_conf_mtcp $workers --no-huge
	conf_nginx >"$dir/conf/nginx.conf"
	conf_behind >"$dir/conf/behind.conf"
	start behind a "$ng_objects/nginx" -p "$dir" -c conf/behind.conf -e "$dir/behind.log"
	ng_start $workers
	wait_for 10 answers $ours && return
	tail "$dir/error.log"
	give_up "nginx on $kind"
}

# An hour's notes are many; what failed is never left out.
show() {
	grep '^note' "$work/load.log" | grep -v '^note failed' | tail -n 40 | sed 's/^note/     /'
	grep '^note failed' "$work/load.log" | cut -d ' ' -f 2- | sed 's/begun [0-9.]*, after [0-9.]* s, port [0-9]*, //
		s/opened [0-9.]*/a new connection/; s/worker [0-9]*/an old connection/; s/between [0-9.]* and [0-9.]*: //' |
		sort | uniq -c | sed 's/^/    /'
	grep '^note failed, unexplained\|^note failed, reload, new' "$work/load.log" | head -n 30 | sed 's/^note/     /'
}

begin_server
start load $peer "$python3" "$src/test/interop/nginx_soak.py" $ours "${pids[ng]}" $workers "$dir/error.log" \
	"$seconds" "$calm" "$reload" "$kill"
finished load $((seconds + 120))
same "$kind: the load came to its end" 0 $?
show
same "$kind: $(value asked) requests, $(value reloads) reloads ($(value reload_longest) s at most), $(value kills) workers killed; \
$(value reload) failed during reloads, $(value killed) on killed workers' connections; unexplained" 0 "$(value unexplained)"
same "$kind: and none of those during reloads was on a new connection" 0 "$(value reload_fresh)"
same "$kind: nginx did as it was told each time" 1 "$(value in_time)"
same "$kind: workers that nobody heard" 0 "$(value deaf)"
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
same "$kind: no alert in its log" "" "$(ng_alerts)"
check "$kind: nobody is left in the folder that they shared" ng_nobody_is_left
stop behind
same "$kind: no process of nginx is left" "" "$(pgrep -f "$dir/error.log" | tr '\n' ' ')"
same "$kind: no folder in /tmp is left" "" \
	"$(find /tmp -maxdepth 1 -name 'mtcp-*' -user nobody -newer "$dir/conf/key.pem" | tr '\n' ' ')"
same "$kind: what arrived and was not sent on is no file of the server's" "" "$(find "$dir/tmp" -type f | head -n 3)"
finish
