/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Results are sums: of counts, of buckets, of intervals.
 */
#include "apps/wget_result.h"

#include <stdlib.h>
#include <string.h>

static const char *const count_keys[COUNTS] = {
	[CONNECTIONS_STARTED] = "connections_started",
	[CONNECTIONS_ESTABLISHED] = "connections_established",
	[CONNECTIONS_GOOD] = "connections_good",
	[CONNECTIONS_FAILED] = "connections_failed",
	[CONNECTIONS_INCOMPLETE] = "connections_incomplete",
	[CONNECTIONS_NOT_STARTED] = "connections_not_started",
	[CONNECTIONS_ENDED_EARLY] = "connections_ended_early",
	[REQUESTS_STARTED] = "requests_started",
	[REQUESTS_COMPLETED] = "requests_completed",
	[REQUESTS_FAILED] = "requests_failed",
	[REQUESTS_NOT_STARTED] = "requests_not_started",
	[BYTES_READ] = "bytes_read",
	[BYTES_WRITTEN] = "bytes_written",
};

const char *
count_key(enum count c)
{
	return count_keys[c];
}

const char *
timing_key(enum timing t)
{
	return t == RESPONSE ? "response" : t == SERVICE ? "service" : "connect";
}

struct result *
result_new(void)
{
	struct result *r = calloc(1, sizeof(*r));

	if (r && !series_begin(&r->series)) {
		free(r);
		return NULL;
	}
	return r;
}

void
result_free(struct result *r)
{
	if (!r)
		return;
	series_end(&r->series);
	free(r);
}

bool
result_add(struct result *r, const struct result *from)
{
	if (r->machines + from->machines > MACHINES_MAX)
		return false;
	for (unsigned i = 0; i < from->machines; i++)
		r->machine[r->machines++] = from->machine[i];
	if (from->elapsed_ns > r->elapsed_ns)
		r->elapsed_ns = from->elapsed_ns;
	for (int i = 0; i < COUNTS; i++)
		r->count[i] += from->count[i];
	for (int i = 0; i < FAILURES; i++)
		r->failures[i] += from->failures[i];
	if (from->other_errno)
		r->other_errno = from->other_errno;
	if (from->bad_status)
		r->bad_status = from->bad_status;
	for (int i = 0; i < TIMINGS; i++)
		latency_merge(&r->latency[i], &from->latency[i]);
	series_merge(&r->series, &from->series);
	return true;
}

double
result_seconds(const struct result *r)
{
	return (double)(r->elapsed_ns > 0 ? r->elapsed_ns : 1) / 1e9;
}

bool
result_is_open_loop(const struct result *r)
{
	for (unsigned i = 0; i < r->machines; i++)
		if (r->machine[i].rate > 0)
			return true;
	return false;
}

bool
result_good(const struct result *r)
{
	return r->count[CONNECTIONS_FAILED] == 0 && r->count[CONNECTIONS_INCOMPLETE] == 0 &&
	       r->count[CONNECTIONS_NOT_STARTED] == 0 && r->count[REQUESTS_FAILED] == 0 &&
	       r->count[REQUESTS_NOT_STARTED] == 0;
}
