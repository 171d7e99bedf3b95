#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
#
# A million connections between two processes over memif, from 64 addresses: all are opened,
# kept, and answer one request each when the last is open.  Prints what each costs.
#
#   MTCP_MILLION   how many (default 1000000)
. "$(dirname "$0")/lib.sh"

n=${MTCP_MILLION:-1000000}
[ -z "${MTCP_SANITIZE:-}" ] || skip "an instrumented program needs many times the memory"
begin nginx wrk taskset sysctl "$python3"
# Both processes, in kB: a kilobyte and a half each, and what a page cache wants.
free_kb=$(awk '/^MemAvailable/ { print $2 }' /proc/meminfo)
[ "$free_kb" -gt $((4 * n)) ] || skip "needs $((4 * n / 1000)) MB of memory"

if "$python3" "$src/test/bench/bench.py" --only million --million "$n" \
	--json "$work/bench.json" >"$work/bench.log" 2>&1; then
	ok "$n connections were opened, kept and asked"
else
	fail "$n connections were opened, kept and asked" "$(tail -n 8 "$work/bench.log")"
fi
grep '^| ' "$work/bench.log"

value() { "$python3" -c "import json; print(int(json.load(open('$work/bench.json'))['million']['$1']))"; }
same "each was answered" "$n" "$(value answered)"
most() { [ "$(value "$1")" -le "$2" ] || { echo "$(value "$1") bytes"; return 1; }; }
# The stack's share, an epoll's registration, and the program's own record.
check "one takes at most 750 bytes of the server" most server_bytes 750
check "one takes at most 660 bytes of the client" most client_bytes 660
check "room for ten million takes at most 64 MB" most empty_bytes 64000000
finish
