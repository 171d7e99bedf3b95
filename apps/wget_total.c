/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The summary of a run.
 */
#include "apps/wget_total.h"

#include <stdio.h>
#include <string.h>

void
total_add(struct total *t, struct client *k)
{
	if (k->begun_at && (!t->begun_at || k->begun_at < t->begun_at))
		t->begun_at = k->begun_at;
	if (k->ended_at > t->ended_at)
		t->ended_at = k->ended_at;
	t->connects += meter_get(&k->meter.connects);
	t->requests += meter_get(&k->meter.count);
	t->read += meter_get(&k->meter.read);
	t->done += k->done;
	t->failed += k->failed;
	t->incomplete += k->incomplete;
	t->unstarted += k->to_start;
	t->early += k->early;
	for (int i = 0; i < FAILURES; i++)
		t->failures[i] += k->failures[i];
	if (k->other_errno)
		t->other_errno = k->other_errno;
	if (k->bad_status)
		t->bad_status = k->bad_status;
	latency_merge(&t->latency, &k->latency);
}

static void
print_exceptions(const struct total *t)
{
	for (int i = 1; i < FAILURES; i++) {
		if (t->failures[i] == 0)
			continue;
		printf("  failed           %llu: %s", (unsigned long long)t->failures[i],
		       failure_text(i));
		if (i == BAD_STATUS)
			printf(" (%d)", t->bad_status);
		if (i == OTHER)
			printf(" (%s)", strerror(t->other_errno));
		putchar('\n');
	}
	if (t->early > 0)
		printf("  ended early      %ld: the server's limit of requests on a connection\n",
		       t->early);
	if (t->unstarted > 0)
		printf("  not started      %ld\n", t->unstarted);
}

void
total_print(const struct total *t, long flows)
{
	double s = (double)(t->ended_at - t->begun_at + 1) / 1e9; /* never 0 */
	const struct latency *l = &t->latency;

	printf("\nepwget: %ld of %ld connections good, %llu responses, %.1f MB in %.3f s\n",
	       t->done, flows, (unsigned long long)t->requests,
	       (double)t->read / 1e6, s);
	printf("  connections/s    %.1f\n", (double)t->connects / s);
	printf("  requests/s       %.1f\n", (double)t->requests / s);
	printf("  Gbit/s           %.3f\n", (double)t->read * 8 / 1e9 / s);
	printf("  response us      avg %.1f, p50 %.1f, p99 %.1f, max %.1f\n",
	       (double)latency_mean(l) / 1e3, (double)latency_quantile(l, 500) / 1e3,
	       (double)latency_quantile(l, 990) / 1e3, (double)l->max_ns / 1e3);
	print_exceptions(t);
}
