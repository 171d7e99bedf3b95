/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The causes of failed requests, in words and in names.
 */
#include "apps/wget_failure.h"

#include <errno.h>

static const struct {
	const char *key;
	const char *text;
} causes[FAILURES] = {
	[NO_FAILURE] = { "none", "no failure" },
	[REFUSED] = { "refused", "connection refused (is a server listening on this port?)" },
	[UNREACHABLE] = { "unreachable",
	                  "no route or no answer to ARP (check address, gateway and cable)" },
	[CONNECT_TIMEOUT] = { "connect_timed_out",
	                      "no answer to connecting (is the address right?)" },
	[RESET] = { "reset", "connection reset by the server" },
	[CUT_SHORT] = { "cut_short", "closed by the server before the response was complete" },
	[SILENT] = { "timed_out", "no progress within --timeout" },
	[BAD_HEAD] = { "bad_head",
	               "the response is not HTTP/1, or its head is longer than 8192 bytes" },
	[BAD_STATUS] = { "bad_status", "status other than 200" },
	[BAD_BODY] = { "bad_body",
	               "more data than the response announced, or malformed chunks" },
	[BAD_SIZE] = { "bad_size", "size differs from --expect-size" },
	[BAD_DIGEST] = { "bad_digest", "content differs from --expect-sha256" },
	[BAD_FILE] = { "output_failed", "the output file could not be written" },
	[NO_SOCKET] = { "no_socket",
	                "no socket or no local port (lower -c, or raise max_concurrency)" },
	[UNFINISHED] = { "unfinished", "not complete when the run ended" },
	[OTHER] = { "other", "other errors" },
};

const char *
failure_text(enum failure why)
{
	return causes[why].text;
}

const char *
failure_key(enum failure why)
{
	return causes[why].key;
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
