# SPDX-License-Identifier: BSD-3-Clause
# MTCP_JANSSON
# ------------
# epwget writes and reads its results with jansson.  Sets JANSSON_CFLAGS, JANSSON_LIBS.
AC_DEFUN([MTCP_JANSSON], [
PKG_CHECK_MODULES([JANSSON], [jansson >= 2.13], [],
	[AC_MSG_ERROR([jansson is missing; on Debian: apt-get install libjansson-dev])])
])
