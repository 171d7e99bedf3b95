# SPDX-License-Identifier: BSD-3-Clause
# MTCP_CHECKS
# -----------
# --enable-checks keeps assert() and runs every object's _check() after each
# step (MTCP_CHECKS=1); without it NDEBUG is defined.  Sets CHECKS_CPPFLAGS.
AC_DEFUN([MTCP_CHECKS], [
AC_ARG_ENABLE([checks],
	[AS_HELP_STRING([--enable-checks],
		[keep assertions and verify all invariants after every step])],
	[], [enable_checks=no])
AS_IF([test "x$enable_checks" = xno],
	[CHECKS_CPPFLAGS=-DNDEBUG],
	[CHECKS_CPPFLAGS=-DMTCP_CHECKS=1])
AC_SUBST([CHECKS_CPPFLAGS])
])
