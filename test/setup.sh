# SPDX-License-Identifier: BSD-3-Clause
# shellcheck shell=bash
#
# What ./quickstart and ./run-tests do before their work: install what is missing, make
# ./configure, configure a folder of its own below $build_root.  Expects $top, the source
# folder, as the working directory.

export LC_ALL=C DEBIAN_FRONTEND=noninteractive
build_root=$top/build
jobs=$(nproc 2>/dev/null || echo 2)
apt_updated=no

build_packages=(autoconf automake libtool make gcc libc6-dev binutils pkg-config
	xz-utils libdpdk-dev librte-meta-net librte-meta-mempool librte-meta-bus libnuma-dev
	libjansson-dev)

say() { printf '\n=== %s\n' "$*"; }

missing_of() { # packages...
	local p
	for p in "$@"; do
		[ "$(dpkg-query -W -f '${db:Status-Status}' "$p" 2>/dev/null)" = installed ] || echo "$p"
	done
}

# Packages such as nginx start a daemon when they are installed; this one file,
# there only while apt works, tells them not to.
apt_quietly() (
	policy=/usr/sbin/policy-rc.d
	if [ ! -e $policy ]; then
		trap 'rm -f $policy' EXIT
		printf '#!/bin/sh\nexit 101\n' >$policy
		chmod 755 $policy
	fi
	apt-get -y -qq -o Dpkg::Use-Pty=0 -o DPkg::Lock::Timeout=300 install --no-install-recommends "$@"
)

install_missing() { # packages...
	local missing
	command -v dpkg-query >/dev/null || {
		echo "no dpkg here: taking for granted that these are installed: $*"
		return 0
	}
	mapfile -t missing < <(missing_of "$@")
	[ ${#missing[@]} = 0 ] && return 0
	if [ "$(id -u)" != 0 ]; then
		echo "not root, so not installed; as root: apt-get install ${missing[*]}" >&2
		return 0
	fi
	say "installing ${missing[*]}"
	if [ $apt_updated = no ]; then
		apt-get -q -o DPkg::Lock::Timeout=300 update || return 1
		apt_updated=yes
	fi
	apt_quietly "${missing[@]}"
}

# ./configure, made again when something it is made of is newer.
make_configure() {
	if [ -e config.status ]; then
		echo "the source folder itself is configured; first run: make distclean" >&2
		return 1
	fi
	if [ -e configure ] && [ -e Makefile.in ] &&
		[ -z "$(find configure.ac Makefile.am m4 mtcp io_engine apps config doc test \
			\( -name configure.ac -o -name Makefile.am -o -name 'mtcp_*.m4' -o -name Makefile.inc \) \
			-newer Makefile.in -print -quit)" ]; then
		return 0
	fi
	say "autoreconf"
	./autogen.sh >"$build_root/autogen.log" 2>&1 || { tail -n 20 "$build_root/autogen.log"; return 1; }
}

# A build folder, configured once for the same arguments.
configure_in() { # name, configure arguments...
	local dir=$build_root/$1 want
	shift
	mkdir -p "$dir" || return 1
	want="$*"
	if [ -e "$dir/config.status" ] && [ ! configure -nt "$dir/config.status" ] &&
		[ "$(cat "$dir/configured-with" 2>/dev/null)" = "$want" ]; then
		return 0
	fi
	rm -rf "$dir" && mkdir -p "$dir" || return 1
	(cd "$dir" && "$top/configure" "$@") >"$dir/configure.out" 2>&1 || {
		tail -n 15 "$dir/configure.out"
		return 1
	}
	printf '%s' "$want" >"$dir/configured-with"
}
