# SPDX-License-Identifier: BSD-3-Clause
# shellcheck shell=bash
#
# A judge that needs root: sourced by each script of this folder.  It begins with
# begin(), says ok() or fail(), and ends with finish(), which adds a verdict of its own:
# that nothing is left behind.

. "$(dirname "${BASH_SOURCE[0]}")/net.sh"
passed=0 failed=0 complete=no
# Instrumented programs are some ten times slower.
big_mb=100 share=1
[ -z "${MTCP_SANITIZE:-}" ] || big_mb=10 share=10

skip() {
	echo "skipped: $*"
	trap net_end EXIT
	exit 77
}

need_cmd() {
	local c
	for c in "$@"; do
		command -v "$c" >/dev/null || skip "needs $c"
	done
}

# Checks what the script needs, and starts.
begin() { # commands that are needed...
	[ "$(id -u)" = 0 ] || skip "needs root: makes network namespaces"
	[ "${MTCP_WITH_DPDK:-yes}" = yes ] || skip "built without DPDK"
	[ -c /dev/net/tun ] || skip "needs /dev/net/tun"
	need_cmd ip ethtool sysctl "$@"
	ip netns add "mtcp-$$-try" 2>/dev/null || skip "cannot make network namespaces here"
	ip netns del "mtcp-$$-try"
	[ -x "$epserver" ] || skip "no $epserver: run make first"
	huge_before=$(huge_used)
	net_begin
	trap conclude EXIT
	www_make $big_mb
}

ok() {
	passed=$((passed + 1))
	echo "ok    $*"
}

fail() { # title, lines...
	failed=$((failed + 1))
	echo "FAIL  $1"
	shift
	[ $# = 0 ] || printf '      %s\n' "$@"
}

check() { # title, command...
	local title=$1
	shift
	if "$@"; then ok "$title"; else fail "$title"; fi
}

same() { # title, expected, got
	if [ "$2" = "$3" ]; then ok "$1"; else fail "$1" "expected $2" "got      $3"; fi
}

# The script's last word.
finish() {
	complete=yes
	exit 0
}

# Without a network nothing can be judged.
give_up() {
	fail "$1"
	finish
}

conclude() {
	[ $complete = yes ] || fail "ended before its last line"
	[ $failed = 0 ] || tail -n 15 "$work"/*.log
	net_clear
	left_over
	net_end
	printf '%d passed, %d failed\n' $passed $failed
	[ $failed = 0 ] || exit 1
	exit 0
}

huge_used() { awk '/HugePages_Total/ { t = $2 } /HugePages_Free/ { f = $2 } END { print t - f }' /proc/meminfo; }
runtime_dirs() { find "$RUNTIME_DIRECTORY" -mindepth 2 | tr '\n' ' '; }

left_over() {
	local left=
	! ip netns list | grep -q "^mtcp-$$-" || left+=" namespace"
	[ "$(huge_used)" -le "$huge_before" ] || left+=" hugepages"
	[ -z "$(runtime_dirs)" ] || left+=" $(runtime_dirs)"
	[ -z "$(jobs -rp)" ] || left+=" process $(jobs -rp)"
	same "nothing is left behind" "" "$left"
}

# ---- what several scripts do ------------------------------------------------

# The kernel fetches a file from us and it arrives whole.
fetch_ours() { # file, seconds
	local got from=${EPOCHREALTIME/./} us
	got=$(in_peer curl -sS --fail --max-time "$2" "http://$ours/$1" | sha256sum | cut -d ' ' -f 1)
	us=$((${EPOCHREALTIME/./} - from))
	same "curl fetches /$1 ($((us / 1000)) ms, $(mbits "$1" $us) Mbit/s)" "$(sum_of "$work/www/$1")" "$got"
}

# We fetch a file and it arrives whole.
fetch_by_us() { # kind, file, seconds, server's address
	local from=${EPOCHREALTIME/./} us status
	rm -f "$work/out"
	client_run "$1" "$3" "$4/$2" 1 -o "$work/out"
	status=$?
	us=$((${EPOCHREALTIME/./} - from))
	if [ $status = 0 ]; then
		same "epwget fetches /$2 ($((us / 1000)) ms with its start)" \
			"$(sum_of "$work/www/$2")" "$(sum_of "$work/out")"
	else
		fail "epwget fetches /$2: status $status" "$(tail -n 3 "$work/client.log")"
	fi
	rm -f "$work/out"
}

mbits() { echo $(($(stat -c %s "$work/www/$1") * 8 / $2)); }

# Three sizes each way, the kernel at the other end.
files_both_ways() { # kind
	local file
	net_for "$1" || give_up "a network for $1"
	server_start "$1" || give_up "epserver on $1"
	for file in 1 64k big; do
		fetch_ours $file 60
	done
	check "SIGTERM ends epserver with status 0" stop server TERM 5
	nginx_start $peer || give_up "nginx in the peer's namespace"
	conf_write "$1" client
	for file in 1 64k big; do
		fetch_by_us "$1" $file 60 $kernels
	done
}

# Two processes of ours: one large file, then many small requests.
files_between_ours() { # kind
	server_start "$1" || give_up "epserver on $1"
	conf_write "$1" client
	fetch_by_us "$1" big 60 $ours
	many_by_us "$1" 2000 64k --keep-alive=1 -c 50
	many_by_us "$1" 20000 1 -c 100
	many_by_us "$1" 100 1 --keep-alive=200 -c 100
	check "SIGTERM ends epserver with status 0" stop server TERM 5
}

many_by_us() { # kind, connections, file, arguments...
	local kind=$1 n=$2 file=$3 status
	shift 3
	[ "$n" -lt 100 ] || n=$((n / share))
	client_run "$kind" 60 "$ours/$file" "$n" --expect-sha256 "$(sum_of "$work/www/$file")" "$@"
	status=$?
	same "epwget $n times /$file $* ($(sed -n 's/ *requests.s *//p' "$work/client.log") requests/s)" 0 $status
}

# So many short connections to us, each opened by the kernel.
ab_ours() { # title, connections, at once
	in_peer ab -q -n "$2" -c "$3" -s 20 "http://$ours/1" >"$work/ab.log" 2>&1
	same "$1: ab, $2 connections ($(sed -n 's/^Requests per second: *\([0-9]*\).*/\1/p' "$work/ab.log")/s), none failed" \
		"$2 0" "$(awk '/^Complete requests/ { c = $3 } /^Failed requests/ { f = $3 } END { print c, f }' "$work/ab.log")"
}

# The lines that cores say when they end: out, in, dropped of all.
handed() { # name of the program
	awk '/handed over:/ { gsub(",", ""); o += $(NF - 4); i += $(NF - 2); d += $NF } END { printf "%d %d %d", o, i, d }' \
		"$work/$1.log"
}
