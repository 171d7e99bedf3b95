#!/bin/sh
# SPDX-License-Identifier: BSD-3-Clause
#
# Runs one judge for `make check': bounds its time, keeps it from standard input,
# and lets those that need root run alone, or says why they do not run.
# Exit status: the judge's own; 77 means skipped.
#
#   MTCP_TEST_TIMEOUT  seconds for one judge (default 400)
#   MTCP_INTEROP=no    skip interop scripts

judge=$1
shift
seconds=${MTCP_TEST_TIMEOUT:-400}

skip() {
	echo "skipped: $*"
	exit 77
}

case $judge in
*/interop/*)
	[ "${MTCP_INTEROP:-yes}" = no ] && skip "interop is switched off (MTCP_INTEROP=no)"
	[ "$(id -u)" = 0 ] || skip "needs root: makes network namespaces"
	# One at a time, whatever make's -j: they share CPUs, names and hugepages.
	exec 9>"${MTCP_BUILDDIR:-.}/interop.lock"
	flock 9 || exit 99
	;;
esac

case $judge in
*.py)
	[ -n "$PYTHON3" ] || skip "needs python3"
	set -- "$PYTHON3" "$judge" "$@"
	;;
*.sh) set -- bash "$judge" "$@" ;;
*) set -- "$judge" "$@" ;;
esac

# The lock stays with this shell: a process that outlives its script must not hold it.
# In the background, so that an interrupt reaches the judge and it can clean up; env
# undoes that a shell lets its background ignore interrupts.
timeout --kill-after=10 "$seconds" env --default-signal=INT,QUIT "$@" </dev/null 9>&- &
pid=$!
trap 'kill -TERM $pid; wait $pid; exit 99' INT TERM HUP
wait $pid
status=$?
[ $status = 124 ] && echo "FAILED: $judge took more than $seconds s"
exit $status
