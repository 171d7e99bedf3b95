#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
#
# One program, compiled for the kernel's sockets and for ours, sets and gets every option,
# uses the calls wrongly, and prints what was returned.  Each line that differs must stand
# in programs/by_option.differs, with its reason.
. "$(dirname "$0")/lib.sh"

begin pkg-config make "$python3"
stage=$work/stage
unset MAKEFLAGS MFLAGS MAKELEVEL
make -s -C "$build" install DESTDIR="$stage" >"$work/install.log" 2>&1 || give_up "make install"
lib=$(dirname "$(dirname "$(find "$stage" -name libmtcp.pc)")")
export PKG_CONFIG_LIBDIR=$lib/pkgconfig PKG_CONFIG_SYSROOT_DIR=$stage
sanitize=${MTCP_SANITIZE:+-fsanitize=${MTCP_SANITIZE//,fuzzer/}}

compiled() { # name, flags...
	local out=$work/$1
	shift
	# Words on purpose: flags are lists.
	# shellcheck disable=SC2046,SC2086
	${CC:-cc} -std=gnu11 -D_GNU_SOURCE -Wall -Wextra $sanitize "$@" \
		"$src/test/interop/programs/by_option.c" $(pkg-config --cflags --libs libmtcp) \
		-o "$out" -Wl,--allow-shlib-undefined -Wl,-rpath,"$lib"
}

listens() { in_ns "$1" ss -Hltn "sport = :$2" | grep -q LISTEN; } # namespace, port

echo_in() { # namespace
	start "echo_$1" "$1" "$python3" "$src/test/interop/peer.py" echo 9
	start "urgent_$1" "$1" "$python3" "$src/test/interop/peer.py" urgent 2
	wait_for 5 listens "$1" 7
	wait_for 5 listens "$1" 13
}

# Titles of lines that differ and are not on the list.
unexplained() {
	diff "$work/kernel.out" "$work/ours.out" | sed -n 's/^[<>] //p' | sed 's/:.*//' | sort -u |
		while IFS= read -r title; do
			grep -v '^#' "$src/test/interop/programs/by_option.differs" |
				sed 's/ *|.*//' | grep -qxF -- "$title" || echo "$title"
		done
}

# Titles on the list that do not differ any more.
settled() {
	grep -v '^#' "$src/test/interop/programs/by_option.differs" | sed 's/ *|.*//' |
		while IFS= read -r title; do
			diff "$work/kernel.out" "$work/ours.out" | grep -qF -- " $title:" || echo "$title"
		done
}

net_for tap || give_up "a namespace"
ns_add c d && veth_add c d && in_ns c ip address add $ours/24 dev mtcp0 || give_up "a veth pair"
conf_write tap ours
check "compiles for the kernel's sockets" compiled kernel -DKERNEL
check "compiles for ours" compiled ours

echo_in a
echo_in d
in_ns c timeout 60 "$work/kernel" - $kernels >"$work/kernel.out"
same "the kernel's ends with status 0" 0 $?
start ours a "$work/ours" "$work/ours.conf" $kernels
tap_up ours
finished ours 60
same "ours ends with status 0" 0 $?
grep -v '^mtcp: ' "$work/ours.log" >"$work/ours.out"
stop echo_a
stop echo_d
stop urgent_a
stop urgent_d
same "as many lines" "$(wc -l <"$work/kernel.out")" "$(wc -l <"$work/ours.out")"
differs=$(unexplained)
same "no line differs without a reason" "" "$differs"
[ -z "$differs" ] || diff "$work/kernel.out" "$work/ours.out"
# What another kernel answers may be what we answer: that is no fault.
settled | sed 's/^/note: the same here: /'
finish
