#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
#
# Files of three sizes over AF_XDP on a veth pair, to the kernel's curl and from its nginx;
# and a server that is started while another still has its queue.
. "$(dirname "$0")/lib.sh"

begin curl nginx sha256sum

says_not() { ! says "$@"; }
files_both_ways af_xdp

server_start af_xdp || give_up "epserver on AF_XDP"
start heir a "$epserver" -p "$work/www" -f "$work/server.conf"
sleep 0.7
check "the queue is taken" says_not heir serving
fetch_ours 64k 10 # by who has it
stop server TERM 5
check "who is started while another ends gets the queue from it" wait_for 10 says heir serving
fetch_ours 64k 10
check "SIGTERM ends it with status 0" stop heir TERM 5
start guest a "$epserver" -p "$work/www" -f "$work/server.conf"
wait_for 15 says guest serving || give_up "epserver once more"
start heir a "$epserver" -p "$work/www" -f "$work/server.conf"
finished heir 15
check "who gets no queue says so" says heir "Failed to create xsk socket"
fetch_ours 64k 10
finish
