#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
#
# Replays the corpora of the fuzz targets that play with a whole stack: what a
# fuzzer once found interesting, or fatal, is tried by every build.

set -u
src=${MTCP_SRCDIR:?run by make check} build=${MTCP_BUILDDIR:?run by make check}
passed=0 failed=0

for target in step jobs; do
	if ! "$build/test/fuzz/replay_$target" "$src/test/fuzz/corpus/$target" >"replay-$target.out" 2>&1; then
		tail -n 3 "replay-$target.out"
		failed=$((failed + 1))
	else
		passed=$((passed + $(tail -n 1 "replay-$target.out" | cut -d" " -f1)))
	fi
	rm -f "replay-$target.out"
done
echo "$passed passed, $failed failed"
[ $failed = 0 ]
