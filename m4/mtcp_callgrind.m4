# SPDX-License-Identifier: BSD-3-Clause
# MTCP_CALLGRIND
# --------------
# Whether test/bench/exact, which counts instructions, is built: its requests to
# callgrind need valgrind's header.  Sanitizers have another price; there it is left
# out.  Sets the conditional WITH_CALLGRIND and mtcp_callgrind_says.
AC_DEFUN([MTCP_CALLGRIND], [
AC_CHECK_HEADER([valgrind/callgrind.h],
	[mtcp_callgrind_says=yes],
	[mtcp_callgrind_says="no: instructions are not counted (on Debian: apt-get install valgrind)"])
AS_IF([test -n "$mtcp_sanitize"],
	[mtcp_callgrind_says="no: instructions are not counted with sanitizers"])
AM_CONDITIONAL([WITH_CALLGRIND], [test "x$mtcp_callgrind_says" = xyes])
])
