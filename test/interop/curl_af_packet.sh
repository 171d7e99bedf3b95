#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
#
# Files of three sizes over AF_PACKET on a veth pair, to the kernel's curl and from its nginx.
. "$(dirname "$0")/lib.sh"

begin curl nginx sha256sum
files_both_ways af_packet
finish
