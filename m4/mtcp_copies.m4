# SPDX-License-Identifier: BSD-3-Clause
# MTCP_COPIES
# -----------
# How a compiler copies and clears records and short runs of bytes.  For some sizes gcc
# writes a string instruction (rep movs, rep stos), which takes some forty cycles to
# begin with: for a segment, ten times.  Loops of vector moves, and the C library for
# what is long, cost a tenth of that.  Sets COPY_CFLAGS; empty where the compiler has no
# such choice.
AC_DEFUN([MTCP_COPIES], [
COPY_CFLAGS=
mtcp_strategy=vector_loop:512:noalign,libcall:-1:noalign
mtcp_flags="-mmemset-strategy=$mtcp_strategy -mmemcpy-strategy=$mtcp_strategy"
mtcp_saved_CFLAGS=$CFLAGS
AC_MSG_CHECKING([whether $CC can copy without string instructions])
CFLAGS="$mtcp_saved_CFLAGS -Werror $mtcp_flags"
AC_COMPILE_IFELSE([AC_LANG_SOURCE([int mtcp_probe; ])],
	[AC_MSG_RESULT([yes])
	COPY_CFLAGS=$mtcp_flags],
	[AC_MSG_RESULT([no])])
CFLAGS=$mtcp_saved_CFLAGS
AC_SUBST([COPY_CFLAGS])
])
