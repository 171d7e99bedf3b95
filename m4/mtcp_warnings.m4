# SPDX-License-Identifier: BSD-3-Clause
# MTCP_WARNINGS
# -------------
# Every strict warning that this compiler knows, each probed alone;
# --enable-werror makes them errors (never while configure itself probes).
# Sets WARN_CFLAGS.
AC_DEFUN([MTCP_WARNINGS], [
AC_ARG_ENABLE([werror],
	[AS_HELP_STRING([--enable-werror], [a warning is an error])],
	[], [enable_werror=no])
WARN_CFLAGS=
mtcp_saved_CFLAGS=$CFLAGS
for mtcp_flag in -Wall -Wextra -Wshadow -Wconversion -Wno-sign-conversion \
	-Wstrict-prototypes -Wmissing-prototypes -Wold-style-definition -Wvla \
	-Wpointer-arith -Wcast-qual -Wundef -Wwrite-strings -Wformat=2; do
	AC_MSG_CHECKING([whether $CC understands $mtcp_flag])
	# gcc accepts any -Wno-..., and clang only warns: -Werror tells them apart.
	CFLAGS="$mtcp_saved_CFLAGS -Werror $mtcp_flag"
	AC_COMPILE_IFELSE([AC_LANG_SOURCE([int mtcp_probe; ])],
		[AC_MSG_RESULT([yes])
		WARN_CFLAGS="$WARN_CFLAGS $mtcp_flag"],
		[AC_MSG_RESULT([no])])
done
CFLAGS=$mtcp_saved_CFLAGS
AS_IF([test "x$enable_werror" != xno], [WARN_CFLAGS="$WARN_CFLAGS -Werror"])
AC_SUBST([WARN_CFLAGS])
])
