# SPDX-License-Identifier: BSD-3-Clause
# MTCP_NUMA
# ---------
# libnuma puts each core's memory on its own node.  Sets NUMA_CFLAGS, NUMA_LIBS.
AC_DEFUN([MTCP_NUMA], [
PKG_CHECK_MODULES([NUMA], [numa], [],
	[AC_MSG_ERROR([libnuma is missing; on Debian: apt-get install libnuma-dev])])
])
