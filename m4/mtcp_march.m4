# SPDX-License-Identifier: BSD-3-Clause
# MTCP_MARCH
# ----------
# --with-march=NAME chooses the instruction set for everything.  DPDK's headers
# need SSE4.2 on x86-64, so the default there is x86-64-v2 and not the
# compiler's; elsewhere it is the compiler's.  Sets MARCH_CFLAGS.
AC_DEFUN([MTCP_MARCH], [
AC_ARG_WITH([march],
	[AS_HELP_STRING([--with-march=NAME],
		[build for this instruction set: native, haswell, no for the compiler's default @<:@x86-64-v2 on x86-64@:>@])],
	[mtcp_march=$withval],
	[AS_CASE([$host_cpu], [x86_64], [mtcp_march=x86-64-v2], [mtcp_march=no])])
AS_CASE([$mtcp_march],
	[yes], [AC_MSG_ERROR([--with-march needs a name, such as native])],
	[no], [mtcp_march=])
MARCH_CFLAGS=
AS_IF([test -n "$mtcp_march"], [
	AC_MSG_CHECKING([whether $CC understands -march=$mtcp_march])
	mtcp_saved_CFLAGS=$CFLAGS
	CFLAGS="$CFLAGS -march=$mtcp_march"
	AC_COMPILE_IFELSE([AC_LANG_PROGRAM()],
		[AC_MSG_RESULT([yes])
		MARCH_CFLAGS="-march=$mtcp_march"],
		[AC_MSG_RESULT([no])
		AC_MSG_ERROR([$CC does not understand -march=$mtcp_march; choose another with --with-march])])
	CFLAGS=$mtcp_saved_CFLAGS
])
AC_SUBST([MARCH_CFLAGS])
])
