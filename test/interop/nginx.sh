#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
#
# nginx on mtcp (apps/nginx) on a TAP device and by AF_XDP on a veth pair, with one worker and with two: what a
# server has to do for curl, ab, wrk, h2load and openssl on the kernel's side, from a byte to a gigabyte, by HTTP,
# HTTPS and HTTP/2, as a proxy to either side, for WebSockets and plain streams; clients that leave; workers that are
# killed, reloads under load, wrong configurations; and nothing is left.
#
# Needs nginx to be built for this build folder: apps/nginx/build.sh --mtcp BUILD.
#
#   MTCP_NGINX_KINDS     devices (default "tap af_xdp")
#   MTCP_NGINX_WORKERS   how many workers, one run each (default "1 2")
#   MTCP_NGINX_LARGE     MB of the largest file (default 1024)
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/nginx_lib.sh"

quick=${MTCP_NGINX_QUICK:-no}
[ $quick = no ] || ng_objects=$build/nginx-quick/nginx/objs

# What there is to judge is built here, if its source can be had.
quick_build() {
	need_cmd dpkg-source make
	echo '#include <openssl/ssl.h>' | ${CC:-cc} -E - >/dev/null 2>&1 || skip "needs libssl-dev"
	if ! "$src/apps/nginx/build.sh" --mtcp "$build" --work "$build/nginx-quick" --quick --no-install; then
		[ -e "$build/nginx-quick/version" ] || skip "nginx's source cannot be fetched here"
		echo "FAIL  nginx is built"
		exit 1
	fi
}

if [ $quick = yes ]; then ng_find quick_build; else ng_find; fi
begin ab wrk nginx openssl curl sha256sum "$python3"

kind=tap workers=1
large_mb=${MTCP_NGINX_LARGE:-1024}
ng_begin
mkdir "$work/up"
chmod 777 "$work/up"

# Holes but for a line each 64 MB.
large_make() {
	local at
	for ((at = 0; at < large_mb; at += 64)); do
		echo "at $at MB" | dd of="$work/www/large" bs=1M seek=$at conv=notrunc status=none
	done
	truncate -s "${large_mb}M" "$work/www/large"
}

stream_lines() {
	ng_has_stream || return 0
	cat <<-NGINX
		stream {
			server { listen 7001; proxy_pass 127.0.0.1:8090; }
			server { listen 7002; proxy_pass $kernels:8090; proxy_half_close on; }
			server { listen 7003 ssl; proxy_pass $kernels:80; ssl_certificate cert.pem; ssl_certificate_key key.pem; }
		}
	NGINX
}

# $1: lines for the http block.
conf_nginx() {
	local dir=$work/ng
	cat >"$dir/conf/nginx.conf" <<-NGINX
		$(! ng_has_stream || echo "load_module $ng_objects/ngx_stream_module.so;")
		$(ng_conf_head $workers "mtcp_bypass *:8081;")
		http {
			log_format side '\$mtcp \$server_protocol \$status "\$mtcp_rtt" \$request_uri';
			access_log $dir/access.log side;
			$(ng_conf_paths "")
			$(ng_conf_proxy)
			proxy_cache_path $dir/tmp/cache keys_zone=c:1m;
			client_max_body_size 0;
			keepalive_requests 1000000;
			upstream near { server 127.0.0.1:8080; keepalive 8; }
			upstream far { server $kernels:80; keepalive 8; }
			resolver 127.0.0.1:5300 ipv6=off valid=1s;
			map \$http_upgrade \$onward { default upgrade; "" ""; }
			server {
				listen 80;
				listen 127.0.0.1:8080;
				listen 8081;
				listen 443 ssl http2;
				root $work/www;
				$(ng_conf_tls)
				ssl_protocols TLSv1.2 TLSv1.3;
				location /near/ { proxy_pass http://near/; }
				location /far/ { proxy_pass http://far/; }
				location /cached/ { proxy_pass http://far/; proxy_cache c; proxy_cache_valid 1m; add_header X-Cache \$upstream_cache_status; }
				location /gone/ { proxy_pass http://$kernels:9; }
				location /aio/ { aio threads; alias $work/www/; }
				location /slow/ { limit_rate 64k; alias $work/www/; }
				location /up/ { alias $work/up/; dav_methods PUT; }
				location = /status { stub_status; }
				location /near-app/ { proxy_pass http://127.0.0.1:8090/; proxy_request_buffering off; include up; }
				location /far-app/ { proxy_pass http://$kernels:8090/; include up; }
				location /named/ { set \$name \$arg_name; proxy_pass http://\$name:8090/hello; }
			}
		}
		$(stream_lines)
	NGINX
	echo 'proxy_set_header Upgrade $http_upgrade; proxy_set_header Connection $onward;' >"$dir/conf/up"
}

alone() { [ "$(pgrep -c -P "${pids[ng]}" -f "worker process")" = "$workers" ]; }

begin_server() {
	ng_net $workers || give_up "a network for $kind"
	ng_conf_mtcp $workers ""
	conf_nginx
	rm -f "$work"/ng/*.log
	ng_start $workers
	nginx_start $peer || give_up "the kernel's nginx"
	start far $peer "$python3" "$src/test/interop/web_peer.py" serve 8090
	[ $peer = a ] || start near a "$python3" "$src/test/interop/web_peer.py" serve 8090
	start names a "$python3" "$src/test/interop/web_peer.py" names 5300 near.test=127.0.0.1 far.test=$kernels
	wait_for 10 serves_apps || give_up "servers behind it"
}

# On the peer's side.
web() { in_peer "$python3" "$src/test/interop/web_peer.py" "$@"; }

serves_apps() { get --max-time 2 "http://$ours/near-app/hello" | grep -q asked && get --max-time 2 "http://$ours/far-app/hello" | grep -q asked; }

get() { in_peer curl -sS -k --max-time 30 "$@"; }
sum() { sha256sum | cut -d ' ' -f 1; }

whole() { # title, file, curl's arguments...
	local title=$1 file=$2
	shift 2
	same "$kind, $workers: $title" "$(sum_of "$work/www/$file")" "$(get "$@" | sum)"
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
	same "$kind, $workers: and it is said to be" HIT "$(get -o /dev/null -D - "$u/cached/64k" | tr -d '\r' | sed -n 's/^X-Cache: //p')"
	whole "by a pool of threads" big "$u/aio/big"
	same "$kind, $workers: an upstream that refuses is a bad gateway" 502 "$(get -o /dev/null -w '%{http_code}' "$u/gone/")"
	same "$kind, $workers: a range" "$(tail -c +100001 "$work/www/big" | head -c 5000 | sum)" "$(get -r 100000-104999 "$u/big" | sum)"
	get -T "$work/www/big" "$u/up/x$workers" >/dev/null
	same "$kind, $workers: PUT of $big_mb MB" "$(sum_of "$work/www/big")" "$(sum_of "$work/up/x$workers")"
	same "$kind, $workers: what the kernel keeps answers, too" x "$(by_kernel)"
	check "$kind, $workers: limit_rate takes its time" test "$(get -o /dev/null -r 0-191999 -w '%{time_total}' "$u/slow/big" | cut -d. -f1)" -ge 1
	check "$kind, $workers: stub_status counts" grep -q 'Active connections: [1-9]' <(get "$u/status")
	check "$kind, $workers: the log knows sides and round trips" grep -q '^mtcp HTTP/2.0 200 "[0-9][0-9]*" /big' "$work/ng/access.log"
	check "$kind, $workers: and the kernel's" grep -q '^kernel HTTP/1.1 200 "-" /1' "$work/ng/access.log"
}

by_kernel() {
	case $kind in
	tap) get "http://$kernels:8081/1" ;;
	*) in_ns a curl -sS --max-time 30 http://127.0.0.1:8081/1 ;;
	esac
}

by_size() {
	local sum
	sum=$(sum_of "$work/www/big")
	same "$kind, $workers: $large_mb MB" "$large_sum" "$(get --max-time 120 "http://$ours/large" | sum)"
	same "$kind, $workers: POST of $big_mb MB, by HTTP/2 to the kernel's side" "$sum" \
		"$(get --max-time 60 --http2 --data-binary "@$work/www/big" "https://$ours/near-app/")"
	same "$kind, $workers: ... to mtcp's side" "$sum" "$(get --max-time 60 --data-binary "@$work/www/big" "http://$ours/far-app/")"
	same "$kind, $workers: several ranges" 3 "$(get -r 0-9,100000-100009,-10 "http://$ours/big" | grep -ac '^Content-Range: ')"
	same "$kind, $workers: a range beyond the end" 416 "$(get -o /dev/null -w '%{http_code}' -r 10-20 "http://$ours/1")"
}

# /hello is answered with the name that was asked for.
by_name() {
	local side
	for side in near far; do
		same "$kind, $workers: an upstream by name, the $side one" "asked for $side.test:8090" \
			"$(get "http://$ours/named/?name=$side.test" | sed 's/ by .*//')"
	done
	same "$kind, $workers: one that has no address is a bad gateway" 502 "$(get -o /dev/null -w '%{http_code}' "http://$ours/named/?name=no.test")"
}

# Bytes that are no HTTP: WebSockets, through proxies of HTTP and of plain streams.
by_streams() {
	local sizes="0 1 125 126 65535 65536 1000000" u
	for u in $ours/near-app/ $ours/far-app/ $ours:7001/ $ours:7002/; do
		[[ $u != *:700* ]] || ng_has_stream || continue
		# shellcheck disable=SC2086
		same "$kind, $workers: a WebSocket at ${u#"$ours"}" "7 whole, closed" "$(web websocket "http://$u" $sizes 2>&1 | tail -n 1)"
	done
	ng_has_stream || return
	whole "a stream of TLS to mtcp's side, /big" big "https://$ours:7003/big"
	same "$kind, $workers: a half-closed client of a stream" "$(web half $kernels 8090 /hello)" "$(web half $ours 7002 /hello)"
}

by_tls() { # protocol of openssl's s_client
	local n
	rm -f "$work/session"
	printf 'GET /1 HTTP/1.0\r\n\r\n' | in_peer timeout 10 openssl s_client -connect $ours:443 "-$1" -ign_eof -sess_out "$work/session" >/dev/null 2>&1
	n=$(printf 'GET /1 HTTP/1.0\r\n\r\n' | in_peer timeout 10 openssl s_client -connect $ours:443 "-$1" -ign_eof -sess_in "$work/session" 2>/dev/null | grep -c '^Reused, TLS')
	same "$kind, $workers: a session that was kept, $1" 1 "$n"
}

by_h2load() { # title, requests, arguments...
	local title=$1 n=$2
	shift 2
	command -v h2load >/dev/null || return 0
	in_peer timeout 60 h2load -n "$n" "$@" >"$work/h2load.log" 2>&1
	same "$kind, $workers: h2load, $title ($(sed -n 's/^finished in .*, \(.*\) req.s.*/\1/p' "$work/h2load.log")/s)" \
		"$n succeeded, 0 failed, 0 errored, 0 timeout" "$(sed -n 's/^requests: .* done, //p' "$work/h2load.log")"
}

has_few_clients() { [ "$(get "http://$ours/status" | sed -n 's/^Active connections: //p')" -le 2 ]; }

by_leavers() {
	web abort $ours 80 /big 50
	web abort $ours 80 /far/big 20
	in_peer "$python3" "$src/test/interop/peer.py" abuse $ours 2 >/dev/null
	wait_for 10 has_few_clients
	check "$kind, $workers: clients that left are forgotten" has_few_clients
}

by_others() {
	local n
	n=$(printf 'GET /1 HTTP/1.1\r\nHost: x\r\n\r\n%.0s' 1 2 3 4 5 6 7 8 9 10 | in_peer timeout 2 nc -N $ours 80 | grep -ao 'HTTP/1.1 200' | wc -l)
	same "$kind, $workers: ten requests at once, and a half-closed client" 10 "$n"
	n=$(in_peer timeout 10 openssl s_client -connect $ours:443 -tls1_2 -reconnect </dev/null 2>/dev/null | grep -c '^Reused, TLSv1.2')
	same "$kind, $workers: TLS sessions are resumed" 5 "$n"
	by_tls tls1_2
	by_tls tls1_3
	for n in 1 2 3 4 5; do
		get --max-time 0.2 -o /dev/null "http://$ours/slow/big" 2>/dev/null
	done
	by_leavers
	by_h2load "HTTP/2 by TLS" 5000 -c 20 -m 10 "https://$ours/1"
	by_h2load "HTTP/1.1" 5000 -c 20 --h1 "http://$ours/64k"
	by_ab "$kind, $workers: ab" 4000
	by_ab "$kind, $workers: ab, kept" 20000 -k
	in_peer wrk -t 1 -c 100 -d 1 "http://$ours/64k" >"$work/wrk.log" 2>&1
	check "$kind, $workers: wrk ($(sed -n 's/^Requests.sec: *//p' "$work/wrk.log")/s of 64 KB), no error" \
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
	local before pid status n times=2 seconds=4
	# Where there are places for one of each only, workers are replaced one after the other, each when its
	# connections have ended.
	[ $kind = tap ] || times=1 seconds=9
	before=$(ng_started)
	start asks $peer "$python3" "$src/test/interop/peer.py" asks $ours $seconds
	for ((n = 1; n <= times; n++)); do
		sleep 0.3
		ng -s reload
		wait_for 20 ng_started_more_than $((before + n * workers - 1))
		sleep 1.2
	done
	finished asks 30
	status=$(sed -n 's/.* \([0-9]*\) failed$/\1/p' "$work/asks.log")
	check "$kind, $workers: $(tail -n 1 "$work/asks.log") while it was loaded anew ($times)" test "${status:-99}" = 0
	check "$kind, $workers: by new workers" test "$(ng_started)" = $((before + times * workers))
	wait_for 10 alone
	check "$kind, $workers: and the old ones have gone" alone
	cp "$work/ng/conf/nginx.conf" "$work/ng/conf/good"
	ng_conf_mtcp $workers "" "nonsense = 1"
	ng -s reload 2>/dev/null
	sleep 0.3
	check "$kind, $workers: a wrong file is refused" grep -q "unknown key 'nonsense'" "$work/ng/error.log"
	same "$kind, $workers: and it serves on" x "$(get "http://$ours/1")"
	ng_conf_mtcp $workers ""
	rm "$work/ng/access.log"
	ng -s reopen
	sleep 0.3
	get -o /dev/null "http://$ours/1"
	check "$kind, $workers: reopen" test -s "$work/ng/access.log"
	pid=$(pgrep -P "${pids[ng]}" -f "worker process" | head -n 1)
	same "$kind, $workers: a worker is nobody's, and has no rights of the superuser's" "nobody 0000000000000000" \
		"$(stat -c %U "/proc/$pid") $(sed -n 's/^CapEff:[^0-9a-f]*//p' "/proc/$pid/status")"
	before=$(ng_started)
	kill -KILL "$pid"
	wait_for 5 ng_started_more_than "$before"
	by_ab "$kind, $workers: a worker was killed, and started again" 2000
}

# Before anything runs: what is wrong is told, and no device is touched.
judge_files() {
	ns_add a || give_up "a namespace"
	ng_conf_mtcp $workers ""
	conf_nginx
	check "nginx -t finds nothing wrong" in_ns a "$ng_objects/nginx" -p "$work/ng" -c conf/nginx.conf -e "$work/t.log" -q -t
	ng_conf_mtcp $workers "" "num_cores = 3"
	sed -i '/num_cores = 1/d' "$work/ng/conf/mtcp.conf"
	check "nginx -t says when cores and workers do not fit" grep -q '"num_cores = 3".*does not fit "worker_processes' \
		<(in_ns a "$ng_objects/nginx" -p "$work/ng" -c conf/nginx.conf -e "$work/t.log" -t 2>&1)
	check "and has touched no device" test -z "$(in_ns a ip -br link | grep -v '^lo ')"
	net_clear
}

serves() {
	begin_server
	by_curl
	by_size
	by_name
	by_streams
	by_others
	reloads
	ends
}

ends() {
	ng -s quit
	finished ng 10
	same "$kind, $workers: quit ends it with status 0" 0 $?
	same "$kind, $workers: no alert in its log" "" "$(ng_alerts "unknown key")"
	check "$kind, $workers: nobody is left in the folder that they shared" ng_nobody_is_left
	cp "$work/ng/error.log" "$work/error-$kind-$workers.log"
	net_clear
}

quickly() {
	workers=2
	begin_server
	by_curl
	by_name
	by_streams
	by_tls tls1_3
	by_leavers
	reloads
	ends
}

judge_files
if [ $quick = yes ]; then
	quickly
	finish
fi
large_make
large_sum=$(sum_of "$work/www/large")
for kind in ${MTCP_NGINX_KINDS:-tap af_xdp}; do
	for workers in ${MTCP_NGINX_WORKERS:-1 2}; do
		serves
	done
done
finish
