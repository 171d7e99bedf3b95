# SPDX-License-Identifier: BSD-3-Clause
# MTCP_SANITIZERS
# ---------------
# --enable-sanitize=LIST: comma-separated address, undefined, leak, thread, and
# (clang only) fuzzer, which instruments everything and lets `make fuzz' link.
# Every finding ends the program.  ThreadSanitizer does not see stand-alone
# fences, so DPDK's rings must use C11 atomics under it.
# Sets SANITIZE_CPPFLAGS, SANITIZE_CFLAGS, SANITIZE_LDFLAGS, FUZZ_LDFLAGS.
AC_DEFUN([MTCP_SANITIZERS], [
AC_ARG_ENABLE([sanitize],
	[AS_HELP_STRING([--enable-sanitize=LIST],
		[compile with these sanitizers: address,undefined or thread; fuzzer with clang])],
	[], [enable_sanitize=no])
SANITIZE_CPPFLAGS=
SANITIZE_CFLAGS=
SANITIZE_LDFLAGS=
FUZZ_LDFLAGS=
mtcp_sanitize=
AS_IF([test "x$enable_sanitize" = xyes],
	[AC_MSG_ERROR([--enable-sanitize needs a list, such as address,undefined])])
AS_IF([test "x$enable_sanitize" != xno], [
	mtcp_sanitize=$enable_sanitize
	mtcp_compile_list=
	mtcp_link_list=
	for mtcp_one in `echo "$mtcp_sanitize" | tr , ' '`; do
		AS_CASE([$mtcp_one],
			[fuzzer], [mtcp_compile_list="$mtcp_compile_list,fuzzer-no-link"
				FUZZ_LDFLAGS=-fsanitize=fuzzer],
			[thread], [SANITIZE_CPPFLAGS=-DRTE_USE_C11_MEM_MODEL
				mtcp_compile_list="$mtcp_compile_list,thread"
				mtcp_link_list="$mtcp_link_list,thread"],
			[address|undefined|leak], [mtcp_compile_list="$mtcp_compile_list,$mtcp_one"
				mtcp_link_list="$mtcp_link_list,$mtcp_one"],
			[AC_MSG_ERROR([--enable-sanitize: unknown sanitizer "$mtcp_one"])])
	done
	mtcp_compile_list=`echo "$mtcp_compile_list" | sed 's/^,//'`
	mtcp_link_list=`echo "$mtcp_link_list" | sed 's/^,//'`
	SANITIZE_CFLAGS="-fsanitize=$mtcp_compile_list -fno-sanitize-recover=all -fno-omit-frame-pointer"
	AS_IF([test -n "$mtcp_link_list"], [SANITIZE_LDFLAGS="-fsanitize=$mtcp_link_list"])

	AC_MSG_CHECKING([whether $CC links with the sanitizers $mtcp_sanitize])
	mtcp_saved_CFLAGS=$CFLAGS
	mtcp_saved_LDFLAGS=$LDFLAGS
	CFLAGS="$CFLAGS $SANITIZE_CFLAGS"
	LDFLAGS="$LDFLAGS $SANITIZE_LDFLAGS"
	AC_LINK_IFELSE([AC_LANG_PROGRAM()],
		[AC_MSG_RESULT([yes])],
		[AC_MSG_RESULT([no])
		AC_MSG_ERROR([$CC cannot link with -fsanitize=$mtcp_compile_list])])
	CFLAGS=$mtcp_saved_CFLAGS
	LDFLAGS=$mtcp_saved_LDFLAGS
])
AC_SUBST([SANITIZE_CPPFLAGS])
AC_SUBST([SANITIZE_CFLAGS])
AC_SUBST([SANITIZE_LDFLAGS])
AC_SUBST([FUZZ_LDFLAGS])
AC_SUBST([mtcp_sanitize])
])
