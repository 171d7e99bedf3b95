#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
#
# Programs written for the original API, in the style of epoll and in that of blocking
# calls, compile as C99 and as C++ against an installed tree, and talk to the kernel.
. "$(dirname "$0")/lib.sh"

begin pkg-config make "$python3"
stage=$work/stage
unset MAKEFLAGS MFLAGS MAKELEVEL
make -s -C "$build" install DESTDIR="$stage" >"$work/install.log" 2>&1 || give_up "make install"
lib=$(dirname "$(dirname "$(find "$stage" -name libmtcp.pc)")")
export PKG_CONFIG_LIBDIR=$lib/pkgconfig PKG_CONFIG_SYSROOT_DIR=$stage
sanitize=${MTCP_SANITIZE:+-fsanitize=${MTCP_SANITIZE//,fuzzer/}}

compiled() { # program, name, compiler and its words...
	local source=$src/test/interop/programs/$1.c out=$work/$2
	shift 2
	# Words on purpose: flags are lists.
	# shellcheck disable=SC2046,SC2086
	"$@" -Wall -Wextra $sanitize "$source" $(pkg-config --cflags --libs libmtcp) -o "$out" \
		-Wl,--allow-shlib-undefined -Wl,-rpath,"$lib"
}

peer_py() { in_peer timeout 20 "$python3" "$src/test/interop/peer.py" "$@"; }

listens() { in_ns "$1" ss -Hltn "sport = :$2" | grep -q LISTEN; } # namespace, port

# Five clients, of which four speak at the same time; then one after the other.
try_program() { # title, language's ending
	local i talks=() status=
	start server a "$work/by_epoll.$2" "$work/server.conf" 5
	tap_up server
	wait_for 5 peer_py talk $ours 1
	for i in 1 2 3 4; do
		peer_py talk $ours 1000000 &
		talks+=($!)
	done
	for i in "${talks[@]}"; do
		wait "$i"
		status+=$?
	done
	same "epoll style, $1: four clients get their echo" 0000 "$status"
	finished server 10
	same "epoll style, $1: ends with status 0" 0 $?

	start server a "$work/by_blocking.$2" "$work/server.conf" answer 2
	tap_up server
	wait_for 5 peer_py talk $ours 1
	peer_py talk $ours 1000000
	same "blocking style, $1: serves" 0 $?
	finished server 10
	same "blocking style, $1: ends with status 0" 0 $?

	start echo a "$python3" "$src/test/interop/peer.py" echo 1
	wait_for 5 listens a 7
	start server a "$work/by_blocking.$2" "$work/server.conf" ask $kernels
	tap_up server
	finished server 20
	same "blocking style, $1: asks" 0 $?
	stop echo
}

net_for tap || give_up "a namespace"
conf_write tap server
# shellcheck disable=SC2086
for program in by_epoll by_blocking; do
	check "$program compiles as C99" compiled $program $program.c ${CC:-cc} -std=c99 -D_DEFAULT_SOURCE -pedantic
	check "$program compiles as C++" compiled $program $program.cc ${CXX:-c++} -std=c++11 -x c++
done
try_program C99 c
try_program C++ cc
finish
