#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
#
# What `make install' leaves is enough for somebody else's program: it compiles with
# nothing but pkg-config's flags, as C99 and as C++, links shared, and runs.
set -eu

where=$(mktemp -d)
trap 'rm -rf "$where"' EXIT
stage=$where/stage
passed=0

# The outer make's job server is not ours.
unset MAKEFLAGS MFLAGS MAKELEVEL
make -s -C "$MTCP_BUILDDIR" install DESTDIR="$stage" >"$where/install.log" 2>&1 || {
	tail -n 20 "$where/install.log"
	exit 1
}
pc=$(find "$stage" -name libmtcp.pc)
lib=$(dirname "$(dirname "$pc")")
export PKG_CONFIG_LIBDIR=$lib/pkgconfig PKG_CONFIG_SYSROOT_DIR=$stage
cflags=$(pkg-config --cflags libmtcp)
libs=$(pkg-config --libs libmtcp)

case "$cflags $libs" in
*rte_* | *march=*)
	echo "pkg-config gives programs DPDK's flags: $cflags $libs"
	exit 1
	;;
esac

cat >"$where/prog.c" <<'PROGRAM'
#include <arpa/inet.h>
#include <mtcp_api.h>
#include <mtcp_embed.h>
#include <mtcp_epoll.h>
#include <stdio.h>
#include <string.h>

/* An embedded stack opens a connection: a SYN leaves. */
static int
embedded(void)
{
	struct mtcp_embed_cfg cfg;
	struct mtcp_embed *e;
	struct sockaddr_in to;
	unsigned char packet[1500];
	int64_t when = 0;
	int s, ok;

	memset(&cfg, 0, sizeof(cfg));
	cfg.address = "192.0.2.1";
	cfg.config = "tcp_timestamps = off\n";
	e = mtcp_embed_new(&cfg);
	if (!e)
		return 0;
	memset(&to, 0, sizeof(to));
	to.sin_family = AF_INET;
	to.sin_port = htons(80);
	to.sin_addr.s_addr = htonl(0xc0000202);
	s = mtcp_socket(mtcp_embed_context(e), AF_INET, SOCK_STREAM, 0);
	mtcp_connect(mtcp_embed_context(e), s, (struct sockaddr *)&to, sizeof(to));
	mtcp_embed_step(e, 5000);
	ok = mtcp_embed_take(e, packet, sizeof(packet), &when) == 52 && packet[33] == 2;
	mtcp_embed_free(e);
	return ok;
}

int
main(void)
{
	char *name = EventToString(MTCP_EPOLLIN);

	if (!name || strlen(name) == 0)
		return 1;
	puts(name);
	return embedded() ? 0 : 1;
}
PROGRAM
cp "$where/prog.c" "$where/prog.cc"

# A sanitized library wants its runtime in the program.
sanitize=${MTCP_SANITIZE:+-fsanitize=${MTCP_SANITIZE//,fuzzer/}}

try() { # title, compiler and flags...
	local title=$1
	shift
	# Flags are lists on purpose.
	# shellcheck disable=SC2086
	if "$@" -Wall -Wextra -pedantic -Werror $sanitize $cflags -o "$where/prog" $libs \
		-Wl,--allow-shlib-undefined -Wl,-rpath,"$lib" && "$where/prog"; then
		passed=$((passed + 1))
	else
		echo "$title: does not compile, link or run"
		exit 1
	fi
}

# shellcheck disable=SC2086
try C99 $CC -std=c99 "$where/prog.c"
# shellcheck disable=SC2086
[ -z "$CXX" ] || try C++ $CXX -std=c++11 "$where/prog.cc"
[ -n "$(find "$stage" -name 'libmtcp.a')" ] && passed=$((passed + 1))
echo "$passed passed, 0 failed"
