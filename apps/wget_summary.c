/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * One line a fact; what did not happen has no line.
 */
#include "apps/wget_summary.h"

#include <string.h>

static void
print_machines(FILE *f, const struct result *r)
{
	for (unsigned i = 0; i < r->machines && r->machines > 1; i++)
		fprintf(f, "  machine          %s: %s\n", r->machine[i].host,
		        r->machine[i].url);
}

static unsigned long
asked_for(const struct result *r)
{
	return (unsigned long)(r->count[CONNECTIONS_STARTED] +
	                       r->count[CONNECTIONS_NOT_STARTED]);
}

static void
print_rates(FILE *f, const struct result *r)
{
	double s = result_seconds(r);

	fprintf(f, "\nepwget: %lu of %lu connections good, %lu responses, %.1f MB in %.3f s\n",
	        (unsigned long)r->count[CONNECTIONS_GOOD], asked_for(r),
	        (unsigned long)r->count[REQUESTS_COMPLETED], (double)r->count[BYTES_READ] / 1e6,
	        s);
	print_machines(f, r);
	fprintf(f, "  connections/s    %.1f\n", (double)r->count[CONNECTIONS_ESTABLISHED] / s);
	fprintf(f, "  requests/s       %.1f\n", (double)r->count[REQUESTS_COMPLETED] / s);
	fprintf(f, "  Gbit/s           %.3f\n", (double)r->count[BYTES_READ] * 8 / 1e9 / s);
}

static double
quantile_us(const struct latency *l, uint32_t per_million)
{
	return (double)latency_quantile(l, per_million) / 1e3;
}

static void
print_times(FILE *f, const char *name, const struct latency *l)
{
	fprintf(f,
	        "  %-16s avg %.1f, p50 %.1f, p90 %.1f, p99 %.1f, p99.9 %.1f, p99.99 %.1f, max "
	        "%.1f\n",
	        name, (double)latency_mean(l) / 1e3, quantile_us(l, 500000),
	        quantile_us(l, 900000), quantile_us(l, 990000), quantile_us(l, 999000),
	        quantile_us(l, 999900), (double)l->max_ns / 1e3);
}

/* In an open loop a response is timed from when the request was due: what of that was
 * spent before it was sent shows in the difference to the service. */
static void
print_latencies(FILE *f, const struct result *r)
{
	print_times(f, "response us", &r->latency[RESPONSE]);
	if (result_is_open_loop(r))
		print_times(f, "  once sent", &r->latency[SERVICE]);
	if (r->latency[CONNECT].count > 0)
		print_times(f, "connect us", &r->latency[CONNECT]);
}

static void
print_failures(FILE *f, const struct result *r)
{
	for (int i = 1; i < FAILURES; i++) {
		if (r->failures[i] == 0)
			continue;
		fprintf(f, "  failed           %lu: %s", (unsigned long)r->failures[i],
		        failure_text((enum failure)i));
		if (i == BAD_STATUS && r->bad_status)
			fprintf(f, " (%d)", r->bad_status);
		if (i == OTHER && r->other_errno)
			fprintf(f, " (%s)", strerror(r->other_errno));
		fputc('\n', f);
	}
}

static void
print_exceptions(FILE *f, const struct result *r)
{
	const uint64_t *n = r->count;

	print_failures(f, r);
	if (n[CONNECTIONS_ENDED_EARLY] > 0)
		fprintf(
		    f,
		    "  ended early      %lu: the server's limit of requests on a connection\n",
		    (unsigned long)n[CONNECTIONS_ENDED_EARLY]);
	if (n[CONNECTIONS_NOT_STARTED] > 0)
		fprintf(f, "  not started      %lu\n",
		        (unsigned long)n[CONNECTIONS_NOT_STARTED]);
	if (result_is_open_loop(r))
		fprintf(f, "  requests due     %lu, of them not started: %lu\n",
		        (unsigned long)(n[REQUESTS_STARTED] + n[REQUESTS_NOT_STARTED]),
		        (unsigned long)n[REQUESTS_NOT_STARTED]);
}

void
summary_print(FILE *f, const struct result *r)
{
	print_rates(f, r);
	print_latencies(f, r);
	print_exceptions(f, r);
}
