/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The causes of failed requests, in words.
 */
#include "apps/wget_failure.h"

#include <errno.h>

static const char *const texts[FAILURES] = {
	[NO_FAILURE] = "no failure",
	[REFUSED] = "connection refused (is a server listening on this port?)",
	[UNREACHABLE] = "no route or no answer to ARP (check address, gateway and cable)",
	[CONNECT_TIMEOUT] = "no answer to connecting (is the address right?)",
	[RESET] = "connection reset by the server",
	[CUT_SHORT] = "closed by the server before the response was complete",
	[SILENT] = "no progress within --timeout",
	[BAD_HEAD] = "the response is not HTTP/1, or its head is longer than 8192 bytes",
	[BAD_STATUS] = "status other than 200",
	[BAD_BODY] = "more data than the response announced, or malformed chunks",
	[BAD_SIZE] = "size differs from --expect-size",
	[BAD_DIGEST] = "content differs from --expect-sha256",
	[BAD_FILE] = "the output file could not be written",
	[NO_SOCKET] = "no socket or no local port (lower -c, or raise max_concurrency)",
	[OTHER] = "other errors",
};

const char *
failure_text(enum failure why)
{
	return texts[why];
}

enum failure
failure_of_errno(int error, bool connecting)
{
	switch (error) {
	case ECONNREFUSED:
		return REFUSED;
	case EHOSTUNREACH:
	case ENETUNREACH:
		return UNREACHABLE;
	case ETIMEDOUT:
		return connecting ? CONNECT_TIMEOUT : SILENT;
	case ECONNRESET:
	case EPIPE:
		return connecting ? REFUSED : RESET;
	default:
		return OTHER;
	}
}
