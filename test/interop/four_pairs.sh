#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
#
# Four pairs of threads on each side, whatever the number of CPUs, over memif with four
# queues: every connection is served, on every core.
. "$(dirname "$0")/lib.sh"

begin sha256sum
server_start memif "cores 4" || give_up "epserver with four cores"
conf_write memif client "cores 4"

many_by_us memif 8000 1 -N 4 -c 200
each=$((2000 / share))
for core in 0 1 2 3; do
	same "core $core completed its $each" "[CPU $core] Completed $each connections, errors: 0 incompletes: 0" \
		"$(grep "^\[CPU $core\]" "$work/client.log")"
done
many_by_us memif 400 64k -N 4 -c 40 --keep-alive=20
many_by_us memif 4 big -N 4 -c 4
check "SIGTERM ends epserver with status 0" stop server TERM 10
echo "      $(tail -n 1 "$work/server.log")"
finish
