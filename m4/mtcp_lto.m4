# SPDX-License-Identifier: BSD-3-Clause
# MTCP_LTO
# --------
# A packet passes some fifty functions in thirty files, most of them a few lines long:
# optimized together at link time they take an eighth fewer instructions.  On by
# default where the compiler can, but not with --enable-checks or sanitizers, whose
# builds are linked often.  Objects hold machine code, too (-ffat-lto-objects), so that the
# static library serves who links without it.  Call it after MTCP_CHECKS and MTCP_SANITIZERS.
# Sets LTO_CFLAGS, and EXACT_LTO_CFLAGS for what is counted as it is shipped.
AC_DEFUN([MTCP_LTO], [
AC_ARG_ENABLE([lto],
	[AS_HELP_STRING([--disable-lto],
		[do not optimize at link time @<:@default: do, unless with checks or sanitizers@:>@])],
	[], [enable_lto=auto])
EXACT_LTO_CFLAGS="-flto=auto -ffat-lto-objects"
AC_MSG_CHECKING([whether $CC optimizes at link time])
mtcp_saved_CFLAGS=$CFLAGS
CFLAGS="$CFLAGS $EXACT_LTO_CFLAGS -Werror"
AC_LINK_IFELSE([AC_LANG_PROGRAM()],
	[mtcp_lto_works=yes],
	[mtcp_lto_works=no
	EXACT_LTO_CFLAGS=])
CFLAGS=$mtcp_saved_CFLAGS
AC_MSG_RESULT([$mtcp_lto_works])
AS_IF([test "x$enable_lto$mtcp_lto_works" = xyesno],
	[AC_MSG_ERROR([$CC cannot link with -flto; configure --disable-lto])])
AS_IF([test "x$enable_lto" = xauto], [
	enable_lto=$mtcp_lto_works
	AS_IF([test "x$enable_checks" != xno || test -n "$mtcp_sanitize"], [enable_lto=no])
])
LTO_CFLAGS=
AS_IF([test "x$enable_lto" = xyes], [LTO_CFLAGS=$EXACT_LTO_CFLAGS])
AC_SUBST([LTO_CFLAGS])
AC_SUBST([EXACT_LTO_CFLAGS])
])
