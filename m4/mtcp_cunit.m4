# SPDX-License-Identifier: BSD-3-Clause
# MTCP_CUNIT
# ----------
# CUnit runs the unit tests; only `make check' needs it, and says so loudly
# when it is missing.  Sets CUNIT_CFLAGS, CUNIT_LIBS.
AC_DEFUN([MTCP_CUNIT], [
PKG_CHECK_MODULES([CUNIT], [cunit >= 2.1],
	[mtcp_cunit_says=`$PKG_CONFIG --modversion cunit`],
	[mtcp_cunit_says="no: make check will fail (on Debian: apt-get install libcunit1-dev)"])
])
