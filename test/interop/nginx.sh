#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
#
# nginx on mtcp (apps/nginx) on a TAP device, with one worker and with two: what a server has to do for curl, ab, wrk
# and openssl on the kernel's side, from a byte to a large file, by HTTP, HTTPS and HTTP/2, as a proxy to either
# side; workers that are killed, reloads under load, wrong configurations; and nothing is left.
#
# Needs nginx to be built for this build folder: apps/nginx/build.sh --mtcp BUILD.
. "$(dirname "$0")/lib.sh"

objects=$build/nginx/nginx/objs
[ -z "${MTCP_SANITIZE:-}" ] || skip "nginx itself is not instrumented"
[ -x "$objects/nginx" ] || skip "needs nginx: apps/nginx/build.sh --mtcp $build --no-install"
begin ab wrk nginx openssl curl sha256sum "$python3"

workers=1
export LD_LIBRARY_PATH=$build/.libs
# DPDK's folders are made by workers, who are nobody.
chmod 777 "$work/run"
mkdir -p "$work/ng/conf" "$work/ng/logs" "$work/ng/tmp" "$work/up"
chmod 777 "$work/ng/tmp" "$work/up"
openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 30 -subj /CN=mtcp.test \
	-keyout "$work/ng/conf/key.pem" -out "$work/ng/conf/cert.pem" 2>/dev/null || give_up "a certificate"

conf_mtcp() { # lines...
	printf '%s\n' "eal_args = --vdev=net_tap%q,iface=mtcp0,mac=fixed" "port = net_tap%q" \
		"address = $ours/24" "num_cores = 1" "multiprocess = $((2 * workers))" \
		"multiprocess_name = nginx-$$" "$@" >"$work/ng/conf/mtcp.conf"
}

# $1: lines for the http block.
conf_nginx() {
	local dir=$work/ng
	cat >"$dir/conf/nginx.conf" <<-NGINX
		user nobody nogroup;
		worker_processes $workers;
		daemon off;
		pid $dir/pid;
		error_log $dir/error.log notice;
		env RUNTIME_DIRECTORY;
		events {
			use mtcp;
			mtcp_conf mtcp.conf;
			mtcp_bypass *:8081;
			worker_connections 4096;
		}
		http {
			log_format side '\$mtcp \$server_protocol \$status "\$mtcp_rtt" \$request_uri';
			access_log $dir/access.log side;
			client_body_temp_path $dir/tmp/body;
			proxy_temp_path $dir/tmp/proxy;
			fastcgi_temp_path $dir/tmp/fastcgi;
			uwsgi_temp_path $dir/tmp/uwsgi;
			scgi_temp_path $dir/tmp/scgi;
			proxy_cache_path $dir/tmp/cache keys_zone=c:1m;
			client_max_body_size 0;
			keepalive_requests 1000000;
			proxy_http_version 1.1;
			proxy_set_header Connection "";
			upstream near { server 127.0.0.1:8080; keepalive 8; }
			upstream far { server $kernels:80; keepalive 8; }
			server {
				listen 80;
				listen 127.0.0.1:8080;
				listen 8081;
				listen 443 ssl http2;
				root $work/www;
				ssl_certificate cert.pem;
				ssl_certificate_key key.pem;
				ssl_session_cache shared:s:1m;
				location /near/ { proxy_pass http://near/; }
				location /far/ { proxy_pass http://far/; }
				location /cached/ { proxy_pass http://far/; proxy_cache c; proxy_cache_valid 1m; add_header X-Cache \$upstream_cache_status; }
				location /gone/ { proxy_pass http://$kernels:9; }
				location /aio/ { aio threads; alias $work/www/; }
				location /slow/ { limit_rate 64k; alias $work/www/; }
				location /up/ { alias $work/up/; dav_methods PUT; }
				location = /status { stub_status; }
			}
		}
	NGINX
}

ng() { "$objects/nginx" -p "$work/ng" -c conf/nginx.conf -e "$work/ng/error.log" "$@"; }
alone() { [ "$(pgrep -c -P "${pids[ng]}" -f "worker process")" = "$workers" ]; }
started_more_than() { [ "$(grep -c 'has started' "$work/ng/error.log")" -gt "$1" ]; }
all_listen() { [ "$(grep -c 'has started' "$work/ng/error.log")" -ge "$workers" ]; }

# The interface outlives the workers.
begin_server() {
	ns_add a || give_up "a namespace"
	in_ns a ip tuntap add dev mtcp0 mode tap multi_queue pi && in_ns a ip address add $kernels/24 dev mtcp0 &&
		in_ns a ip link set mtcp0 up || give_up "a TAP that stays"
	conf_mtcp
	conf_nginx
	rm -f "$work"/ng/*.log
	: >"$work/ng/error.log"
	start ng a "$objects/nginx" -p "$work/ng" -c conf/nginx.conf -e "$work/ng/error.log"
	wait_for 15 all_listen || {
		tail "$work/ng/error.log"
		give_up "nginx with $workers"
	}
	nginx_start a || give_up "the kernel's nginx"
}

get() { in_peer curl -sS -k --max-time 30 "$@"; }
sum() { sha256sum | cut -d ' ' -f 1; }

whole() { # title, file, curl's arguments...
	local title=$1 file=$2
	shift 2
	same "$workers: $title" "$(sum_of "$work/www/$file")" "$(get "$@" | sum)"
}

by_curl() {
	local u=http://$ours s=https://$ours
	for f in 1 64k big; do
		whole "HTTP, /$f" $f "$u/$f"
	done
	whole "HTTPS, /64k" 64k --http1.1 "$s/64k"
	whole "HTTP/2, /big" big --http2 "$s/big"
	whole "a proxy to the kernel's side, /64k" 64k "$u/near/64k"
	whole "a proxy to mtcp's side, /64k" 64k "$u/far/64k"
	whole "... /big" big "$u/far/big"
	whole "cached, first" 64k "$u/cached/64k"
	whole "cached, then" 64k "$u/cached/64k"
	same "$workers: and it is said to be" HIT "$(get -o /dev/null -D - "$u/cached/64k" | tr -d '\r' | sed -n 's/^X-Cache: //p')"
	whole "by a pool of threads" big "$u/aio/big"
	same "$workers: an upstream that refuses is a bad gateway" 502 "$(get -o /dev/null -w '%{http_code}' "$u/gone/")"
	same "$workers: a range" "$(tail -c +100001 "$work/www/big" | head -c 5000 | sum)" "$(get -r 100000-104999 "$u/big" | sum)"
	get -T "$work/www/big" "$u/up/x$workers" >/dev/null
	same "$workers: PUT of $big_mb MB" "$(sum_of "$work/www/big")" "$(sum_of "$work/up/x$workers")"
	same "$workers: what the kernel keeps answers, too" x "$(get "http://$kernels:8081/1")"
	check "$workers: limit_rate takes its time" test "$(get -o /dev/null -r 0-191999 -w '%{time_total}' "$u/slow/big" | cut -d. -f1)" -ge 1
	check "$workers: stub_status counts" grep -q 'Active connections: [1-9]' <(get "$u/status")
	check "$workers: the log knows sides and round trips" grep -q '^mtcp HTTP/2.0 200 "[0-9][0-9]*" /big' "$work/ng/access.log"
	check "$workers: and the kernel's" grep -q '^kernel HTTP/1.1 200 "-" /1' "$work/ng/access.log"
}

by_others() {
	local n
	n=$(printf 'GET /1 HTTP/1.1\r\nHost: x\r\n\r\n%.0s' 1 2 3 4 5 6 7 8 9 10 | in_peer timeout 2 nc -N $ours 80 | grep -ao 'HTTP/1.1 200' | wc -l)
	same "$workers: ten requests at once, and a half-closed client" 10 "$n"
	n=$(in_peer timeout 10 openssl s_client -connect $ours:443 -tls1_2 -reconnect </dev/null 2>/dev/null | grep -c '^Reused, TLSv1.2')
	same "$workers: TLS sessions are resumed" 5 "$n"
	for n in 1 2 3 4 5; do
		get --max-time 0.2 -o /dev/null "http://$ours/slow/big" 2>/dev/null
	done
	by_ab "$workers: ab" 4000
	by_ab "$workers: ab, kept" 20000 -k
	in_peer wrk -t 1 -c 100 -d 1 "http://$ours/64k" >"$work/wrk.log" 2>&1
	check "$workers: wrk ($(sed -n 's/^Requests.sec: *//p' "$work/wrk.log")/s of 64 KB), no error" \
		test -z "$(grep -E 'Socket errors|Non-2xx' "$work/wrk.log")"
}

by_ab() { # title, requests, arguments...
	local title=$1 n=$2
	shift 2
	in_peer ab -q -s 20 -n "$n" -c 50 "$@" "http://$ours/1" >"$work/ab.log" 2>&1
	same "$title, $n requests ($(sed -n 's/^Requests per second: *\([0-9]*\).*/\1/p' "$work/ab.log")/s), none failed" \
		"$n 0" "$(awk '/^Complete requests/ { c = $3 } /^Failed requests/ { f = $3 } END { print c, f }' "$work/ab.log")"
}

# Each connection is one of its own, so that whoever listens is asked.
reloads() {
	local before pid status
	before=$(grep -c 'has started' "$work/ng/error.log")
	start asks a "$python3" "$src/test/interop/peer.py" asks $ours 4
	for _ in 1 2; do
		sleep 0.3
		ng -s reload
		sleep 1.5
	done
	finished asks 20
	status=$?
	same "$workers: $(sed -n 's/, [0-9]* failed$//p' "$work/asks.log") while it was loaded anew twice, none failed" 0 $status
	check "$workers: by new workers" test "$(grep -c 'has started' "$work/ng/error.log")" = $((before + 2 * workers))
	wait_for 5 alone
	check "$workers: and the old ones have gone" alone
	cp "$work/ng/conf/nginx.conf" "$work/ng/conf/good"
	conf_mtcp "nonsense = 1"
	ng -s reload 2>/dev/null
	sleep 0.3
	check "$workers: a wrong file is refused" grep -q "unknown key 'nonsense'" "$work/ng/error.log"
	same "$workers: and it serves on" x "$(get "http://$ours/1")"
	conf_mtcp
	rm "$work/ng/access.log"
	ng -s reopen
	sleep 0.3
	get -o /dev/null "http://$ours/1"
	check "$workers: reopen" test -s "$work/ng/access.log"
	pid=$(pgrep -P "${pids[ng]}" -f "worker process" | head -n 1)
	before=$(grep -c 'has started' "$work/ng/error.log")
	kill -KILL "$pid"
	wait_for 5 started_more_than "$before"
	by_ab "$workers: a worker was killed, and started again" 2000
}

# Before anything runs: what is wrong is told, and no device is touched.
judge_files() {
	ns_add a || give_up "a namespace"
	conf_mtcp
	conf_nginx
	check "nginx -t finds nothing wrong" in_ns a "$objects/nginx" -p "$work/ng" -c conf/nginx.conf -e "$work/t.log" -q -t
	conf_mtcp "num_cores = 3"
	sed -i '/num_cores = 1/d' "$work/ng/conf/mtcp.conf"
	check "nginx -t says when cores and workers do not fit" grep -q '"num_cores = 3".*does not fit "worker_processes' \
		<(in_ns a "$objects/nginx" -p "$work/ng" -c conf/nginx.conf -e "$work/t.log" -t 2>&1)
	check "and has touched no device" test -z "$(in_ns a ip -br link | grep -v '^lo ')"
	net_clear
}

judge_files
for workers in 1 2; do
	begin_server
	by_curl
	by_others
	reloads
	ng -s quit
	finished ng 10
	same "$workers: quit ends it with status 0" 0 $?
	same "$workers: no alert in its log" "" "$(grep -E '\[(alert|crit|emerg)\]' "$work/ng/error.log" | grep -v 'exited on signal 9\|unknown key\|setrlimit')"
	check "$workers: nobody is left in the folder that they shared" test -z "$(ls -d /dev/shm/mtcp-*-nginx-$$ 2>/dev/null)"
	cp "$work/ng/error.log" "$work/error$workers.log"
	net_clear
done
finish
