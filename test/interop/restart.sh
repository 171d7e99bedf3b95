#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
#
# Connections never outlive their server in silence.  Killed and started again, it answers
# their segments by resets; told to end, it ends every one of them.
. "$(dirname "$0")/lib.sh"

begin curl nginx ss "$python3"
net_for af_packet || give_up "a veth pair"
client=$src/test/interop/peer.py

hold() { # client's arguments...
	start hold b "$python3" "$client" hold $ours 20 "$@"
	wait_for 10 says hold ready
}

server_start af_packet || give_up "epserver on AF_PACKET"
hold "$work/go" || give_up "20 connections"
stop server KILL
rm -rf "$RUNTIME_DIRECTORY"/dpdk # a process that is killed cannot
server_run af_packet || give_up "epserver again"
touch "$work/go"
finished hold 15
same "after kill -9 and a new start, old connections are reset" "fin 0 reset 20 nothing 0" \
	"$(sed -n 's/ slowest.*//; /^fin/p' "$work/hold.log")"
fetch_ours 64k 10

hold || give_up "20 connections"
check "SIGTERM ends epserver with status 0" stop server TERM 5
finished hold 15
echo "      $(tail -n 1 "$work/hold.log")"
check "SIGTERM ends every connection" grep -q "nothing 0" "$work/hold.log"
check "and no time-out was needed" awk '/slowest/ { exit $(NF - 1) > 1000 }' "$work/hold.log"

# The same for connections that we opened, at an end in their middle.
still_open() { in_peer ss -Htn state established "( sport = :80 )" | wc -l; }
some_open() { [ "$(still_open)" -ge 20 ]; }
none_open() { [ "$(still_open)" = 0 ]; }

nginx_start b || give_up nginx
conf_write af_packet client
start client a "$epwget" $kernels/big 1000000 -c 20 -f "$work/client.conf"
check "epwget holds 20 connections" wait_for 10 some_open
stop client INT 5
same "SIGINT ends epwget with status 1" 1 $?
check "and nginx has none left" wait_for 1 none_open
finish
