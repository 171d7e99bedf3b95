#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
#
# Whole files over a bad line: 2 % of the frames lost, 1 % twice, 1 % late, each way.
. "$(dirname "$0")/lib.sh"

begin curl nginx sha256sum
bad=("fault_loss = 2%" "fault_duplicate = 1%" "fault_reorder = 1%" "fault_reorder_delay = 1ms")

net_for tap || give_up "a namespace"
server_start tap "${bad[@]}" "fault_seed = 11" || give_up "epserver on a TAP"
fetch_ours big 90
fetch_ours 1 20
stop server

nginx_start $peer || give_up "nginx"
conf_write tap client "${bad[@]}" "fault_seed = 12"
fetch_by_us tap big 90 $kernels

server_start memif "${bad[@]}" "fault_seed = 13" || give_up "epserver on memif"
conf_write memif client
fetch_by_us memif big 90 $ours
many_by_us memif 500 64k -c 50
finish
