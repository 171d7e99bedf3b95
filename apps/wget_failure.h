/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once
/*
 * Why a request of epwget failed: one list for what is counted, printed and
 * written to files.
 */
#include <stdbool.h>

enum failure {
	NO_FAILURE,
	REFUSED,
	UNREACHABLE,
	CONNECT_TIMEOUT,
	RESET,
	CUT_SHORT,
	SILENT,
	BAD_HEAD,
	BAD_STATUS,
	BAD_BODY,
	BAD_SIZE,
	BAD_DIGEST,
	BAD_FILE,
	NO_SOCKET,
	UNFINISHED,
	OTHER,
	FAILURES
};

/* What it means and what to look at, for people. */
const char *failure_text(enum failure why);

/* Its name in files. */
const char *failure_key(enum failure why);

/* Which one an errno of the connection is; connecting: it was not yet established. */
enum failure failure_of_errno(int error, bool connecting);
