# SPDX-License-Identifier: BSD-3-Clause
# MTCP_DPDK
# ---------
# Looks for DPDK by pkg-config; --without-dpdk builds everything but the DPDK
# engine.  Sets DPDK_CFLAGS, DPDK_LIBS and the conditional WITH_DPDK.
#
# DPDK's flags hold "-include rte_config.h" and "-march=": the first may only
# meet files that speak DPDK (see libmtcp_dpdk_la in Makefile.am), the second is
# ours to choose (MTCP_MARCH).  Its folders become system ones, since its inline
# functions do not pass our warnings.  Its libraries are the shared ones: drivers
# are plugins that the EAL loads from the folder fixed when DPDK was built, so
# nothing has to be linked whole.
AC_DEFUN([MTCP_DPDK], [
AC_ARG_WITH([dpdk],
	[AS_HELP_STRING([--without-dpdk], [build everything but the DPDK engine])],
	[], [with_dpdk=yes])
AS_IF([test "x$with_dpdk" = xno], [
	mtcp_dpdk_says="no: left out by --without-dpdk"
], [
	PKG_CHECK_MODULES([DPDK], [libdpdk >= 22.11], [],
		[AC_MSG_ERROR([DPDK 22.11 or later is missing; on Debian: apt-get install libdpdk-dev; or configure --without-dpdk])])
	mtcp_dpdk_cflags=
	for mtcp_flag in $DPDK_CFLAGS; do
		AS_CASE([$mtcp_flag],
			[-march=*|-mtune=*|-mcpu=*], [],
			[-I*], [mtcp_dpdk_cflags="$mtcp_dpdk_cflags -isystem `echo "$mtcp_flag" | sed 's/^-I//'`"],
			[mtcp_dpdk_cflags="$mtcp_dpdk_cflags $mtcp_flag"])
	done
	DPDK_CFLAGS=$mtcp_dpdk_cflags

	AC_MSG_CHECKING([whether DPDK's headers compile and its libraries link])
	mtcp_saved_CFLAGS=$CFLAGS
	mtcp_saved_LIBS=$LIBS
	CFLAGS="$CFLAGS $MARCH_CFLAGS -D_GNU_SOURCE $DPDK_CFLAGS"
	LIBS="$DPDK_LIBS $LIBS"
	AC_LINK_IFELSE([AC_LANG_PROGRAM([[
#include <rte_ethdev.h>
#include <rte_mbuf.h>]], [[
return rte_eth_dev_count_avail() > 0;]])],
		[AC_MSG_RESULT([yes])],
		[AC_MSG_RESULT([no])
		AC_MSG_ERROR([DPDK was found but does not compile and link; config.log tells why])])
	CFLAGS=$mtcp_saved_CFLAGS
	LIBS=$mtcp_saved_LIBS
	mtcp_dpdk_says=`$PKG_CONFIG --modversion libdpdk`
])
AM_CONDITIONAL([WITH_DPDK], [test "x$with_dpdk" != xno])
AC_SUBST([DPDK_CFLAGS])
AC_SUBST([DPDK_LIBS])
])
