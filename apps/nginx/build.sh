#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
#
# nginx on mtcp: Debian's source, unchanged, with Debian's own flags and the module of this folder.
# Fetches the source with apt into a folder of its own, without a change to the system's lists;
# configures, builds, installs.  A second run builds only what has changed.

set -u
export LC_ALL=C
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd -P) || exit 1
MTCP_SRC=$(cd "$here/../.." && pwd -P)
MTCP_BUILD=
prefix=/usr/local/nginx-mtcp
work=
source=
version=
jobs=$(nproc)
few=no
quick=no
install=yes

usage() {
	cat <<TEXT
usage: apps/nginx/build.sh [--prefix DIR] [--mtcp DIR] [--work DIR] [--source DIR]
                           [--version V] [--jobs N] [--few] [--quick] [--no-install] [--help]

  --prefix DIR    where nginx and libmtcp.so are installed ($prefix)
  --mtcp DIR      the folder that mtcp was built in (build/release, build/check, or the source's own)
  --work DIR      for nginx's source and objects (nginx/ in the folder of --mtcp)
  --source DIR    nginx's source, instead of fetching Debian's
  --version V     Debian's version to fetch (the newest that the archive still has)
  --jobs N        make -j ($jobs)
  --few           without dynamic modules but for stream, which halves the time
  --quick         what test/interop/nginx_quick.sh asks for, not optimized: for tests
  --no-install    build only
  --help          this text

Needs dpkg-dev, make, gcc, libpcre2-dev, libssl-dev, zlib1g-dev, and deb.debian.org or another archive
that apt knows.  Dynamic modules whose libraries are not installed are left out.
TEXT
}

fail() {
	echo "build.sh: $*" >&2
	exit 1
}

say() { echo "build.sh: $*"; }

absolute() { # path that need not exist yet
	mkdir -p "$1" && (cd "$1" && pwd -P)
}

# ---- mtcp's own build ---------------------------------------------------------

find_build() {
	local d
	for d in "$MTCP_BUILD" "$MTCP_SRC/build/release" "$MTCP_SRC/build/check" "$MTCP_SRC"; do
		if [ -n "$d" ] && [ -e "$d/.libs/libmtcp.so" ] && [ -e "$d/.libs/libmtcp_posix.a" ]; then
			MTCP_BUILD=$(cd "$d" && pwd -P)
			return
		fi
		[ -z "$d" ] || [ "$d" != "$MTCP_BUILD" ] || fail "$d has no libmtcp.so: build mtcp there first"
	done
	fail "mtcp is not built: run ./quickstart, or say --mtcp DIR"
}

# ---- nginx's source -----------------------------------------------------------

# apt with lists of its own, so that nobody's sources.list changes and no root is needed.
apt_here() { # command, arguments...
	local command=$1
	shift
	"$command" -o Dir::Etc::SourceList=/dev/null -o Dir::Etc::SourceParts="$work/apt/parts" \
		-o Dir::State::Lists="$work/apt/lists" -o Dir::Cache="$work/apt/cache" \
		-o APT::Sandbox::User="$(id -un)" -o Dpkg::Use-Pty=0 "$@"
}

# Debian's own archives, at this machine's mirrors where it has any, for its release.
debian_sources() {
	local code mirror
	code=$(. /etc/os-release && echo "${VERSION_CODENAME:-bookworm}")
	mirror=$(apt-get indextargets --format '$(SITE) $(RELEASE)' 2>/dev/null |
		awk '$1 ~ /\/debian\/?$/ { print $1; exit }')
	[ -n "$mirror" ] || fail "apt knows no archive of Debian's: say --source DIR, or add one to its sources"
	cat <<-SOURCES
		Types: deb-src
		URIs: $mirror
		Suites: $code $code-updates
		Components: main
		Signed-By: /usr/share/keyrings/debian-archive-keyring.gpg

		Types: deb-src
		URIs: ${mirror%/}-security
		Suites: $code-security
		Components: main
		Signed-By: /usr/share/keyrings/debian-archive-keyring.gpg
	SOURCES
}

newest_first() {
	apt_here apt-cache showsrc --only-source nginx 2>/dev/null | sed -n 's/^Version: //p' | sort -u |
		while read -r v; do echo "$v"; done | sort -rV
}

# A revision that a newer one has replaced may have left the archive, and the newest not have reached it.
fetch() {
	local v tried=
	command -v dpkg-source >/dev/null || fail "needs dpkg-source: install dpkg-dev"
	mkdir -p "$work/apt/parts" "$work/apt/lists/partial" "$work/apt/cache/archives/partial" "$work/fetched"
	debian_sources >"$work/apt/parts/debian.sources"
	apt_here apt-get -qq update || fail "apt-get update failed"
	for v in ${version:-$(newest_first)}; do
		say "fetching nginx $v"
		if (cd "$work/fetched" && apt_here apt-get -qq source --download-only "nginx=$v") 2>"$work/apt/log"; then
			rm -rf "$work/nginx"
			dpkg-source --extract "$work/fetched/nginx_${v#*:}.dsc" "$work/nginx" >"$work/extract.log" 2>&1 ||
				fail "dpkg-source failed, see $work/extract.log"
			echo "$v" >"$work/version"
			return
		fi
		tried+=" $v"
	done
	cat "$work/apt/log" >&2
	fail "the archive has none of:${tried:- nginx}"
}

get_source() {
	if [ -n "$source" ]; then
		[ -x "$source/configure" ] || fail "$source holds no nginx"
		[ "$(cat "$work/version" 2>/dev/null)" = "$source" ] && return
		rm -rf "$work/nginx"
		cp -r "$source" "$work/nginx" && echo "$source" >"$work/version"
	elif [ ! -e "$work/version" ] || { [ -n "$version" ] && [ "$(cat "$work/version")" != "$version" ]; }; then
		fetch
	fi
	say "nginx $(cat "$work/version")"
}

# ---- configure ----------------------------------------------------------------

# What debian/rules would call configure with; nothing for a source that is not Debian's.
debian_flags() {
	[ -e "$work/nginx/debian/rules" ] || return 0
	# shellcheck disable=SC2016
	printf 'include debian/rules\nmtcp-flags:\n\t@printf "%%s\\n" %s\n' \
		"'"'$(subst '"'"','"'"'\'"''"'",$(or $(bin_configure_flags),$(full_configure_flags),$(common_configure_flags)))'"'" \
		>"$work/flags.mk"
	make -s -C "$work/nginx" -f "$work/flags.mk" mtcp-flags 2>/dev/null
}

has_header() { echo "#include <$1>" | ${CC:-cc} -E - >/dev/null 2>&1; }

links() { echo 'int main(void) { return 0; }' | ${CC:-cc} -x c -o /dev/null - "$@" 2>/dev/null; }

# Modules that cannot be built here, or need not be.
is_left_out() { # flag
	case $1 in
	--with-stream=dynamic) ;;
	*=dynamic) [ $few = no ] || return 0 ;;
	esac
	case $1 in
	--with-http_geoip_module* | --with-stream_geoip_module*) ! has_header GeoIP.h ;;
	--with-http_image_filter_module*) ! has_header gd.h ;;
	--with-http_xslt_module*) ! pkg-config --exists libxslt 2>/dev/null ;;
	--with-http_perl_module*) ! links -lperl ;;
	*) return 1 ;;
	esac
}

quick_flags() {
	printf -- '--with-%s\n' cc-opt="-O0 -g0" http_ssl_module http_v2_module threads http_stub_status_module http_dav_module
	printf -- '--without-http_%s_module\n' charset gzip ssi userid access auth_basic mirror autoindex geo split_clients \
		referer fastcgi uwsgi scgi grpc memcached limit_conn limit_req empty_gif browser upstream_hash \
		upstream_ip_hash upstream_least_conn upstream_random upstream_zone
}

configure() {
	local words=() flags=() w cc='' ld=''
	if [ $quick = yes ]; then
		mapfile -t words < <(quick_flags)
	else
		mapfile -t words < <(debian_flags | xargs -n 1 printf '%s\n')
	fi
	[ ${#words[@]} -gt 0 ] || words=(--with-http_ssl_module --with-http_v2_module --with-threads
		--with-http_stub_status_module --with-stream --with-stream_ssl_module)
	for w in "${words[@]}"; do
		case $w in
		--with-cc-opt=*) cc=${w#*=} ;;
		--with-ld-opt=*) ld=${w#*=} ;;
		*) if is_left_out "$w"; then say "without ${w#--with-}"; else flags+=("$w"); fi ;;
		esac
	done
	# What stands last counts; modules that are left out know nothing of paths.
	[ $quick = yes ] || flags+=(--http-fastcgi-temp-path="$prefix/tmp/fastcgi"
		--http-uwsgi-temp-path="$prefix/tmp/uwsgi" --http-scgi-temp-path="$prefix/tmp/scgi")
	flags+=(--prefix="$prefix" --sbin-path="$prefix/sbin/nginx" --conf-path="$prefix/conf/nginx.conf"
		--modules-path="$prefix/modules" --error-log-path="$prefix/logs/error.log"
		--http-log-path="$prefix/logs/access.log" --pid-path="$prefix/run/nginx.pid"
		--lock-path="$prefix/run/nginx.lock" --http-client-body-temp-path="$prefix/tmp/body"
		--http-proxy-temp-path="$prefix/tmp/proxy"
		--with-cc="${CC:-cc}" --with-cc-opt="$cc" --with-ld-opt="$ld" --add-module="$here")
	(
		cd "$work/nginx" || exit 1
		export MTCP_SRC MTCP_BUILD MTCP_LIB=$prefix/lib
		./configure "${flags[@]}"
	) >"$work/configure.log" 2>&1 || fail "configure failed, see $work/configure.log"
}

# Everything that configure was told, so that it runs again only when something changed.
configuration() {
	cat "$work/version" "$here/config" "${BASH_SOURCE[0]}"
	echo "$MTCP_SRC $MTCP_BUILD $prefix $few $quick ${CC:-cc}"
	# A module's library may have come since.
	ls -d /usr/include/{GeoIP,gd}.h /usr/include/libxslt /usr/lib/*/libperl.so 2>/dev/null
	return 0
}

# ---- build and install --------------------------------------------------------

build() {
	if [ "$(configuration | sha256sum)" != "$(cat "$work/configured" 2>/dev/null)" ]; then
		configure
		configuration | sha256sum >"$work/configured"
	fi
	# nginx's make does not know of these.
	[ "$work/nginx/objs/nginx" -nt "$MTCP_BUILD/.libs/libmtcp.so" ] &&
		[ "$work/nginx/objs/nginx" -nt "$MTCP_BUILD/.libs/libmtcp_posix.a" ] || rm -f "$work/nginx/objs/nginx"
	make -C "$work/nginx" -j"$jobs" >"$work/make.log" 2>&1 || {
		tail -n 30 "$work/make.log" >&2
		fail "make failed, see $work/make.log"
	}
}

install_all() {
	mkdir -p "$prefix"/{lib,run,tmp,logs} || fail "cannot write to $prefix"
	make -C "$work/nginx" install >"$work/install.log" 2>&1 || fail "make install failed, see $work/install.log"
	cp -P "$MTCP_BUILD"/.libs/libmtcp.so* "$prefix/lib/" || fail "cannot copy libmtcp.so"
	say "installed $prefix/sbin/nginx"
}

while [ $# -gt 0 ]; do
	case $1 in
	--prefix | --mtcp | --work | --source | --version | --jobs)
		[ $# -gt 1 ] || { usage >&2; exit 2; }
		;;&
	--prefix) prefix=$2 && shift ;;
	--mtcp) MTCP_BUILD=$2 && shift ;;
	--work) work=$2 && shift ;;
	--source) source=$(cd "$2" && pwd -P) && shift ;;
	--version) version=$2 && shift ;;
	--jobs) jobs=$2 && shift ;;
	--few) few=yes ;;
	--quick) quick=yes ;;
	--no-install) install=no ;;
	--help | -h) usage; exit 0 ;;
	*) usage >&2; exit 2 ;;
	esac
	shift
done
find_build
work=$(absolute "${work:-$MTCP_BUILD/nginx}") || fail "cannot write to ${work:-$MTCP_BUILD/nginx}"
case $prefix in /*) ;; *) prefix=$PWD/$prefix ;; esac
get_source
build
[ $install = no ] || install_all
