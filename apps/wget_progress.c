/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Standard output has a line a second that programs read; the line of the
 * terminal goes to standard error and is cleared before anything else is said.
 */
#include "apps/wget_progress.h"

#include <stdio.h>

#define CLEAR "\r\033[K"

static void
print_second(const struct meter_sum *d)
{
	printf("[ ALL ] connect: %7lu, read: %4lu MB, write: %4lu MB, completes: %7lu "
	       "(resp_time avg: %4lu, max: %6lu us)\n",
	       (unsigned long)d->connects, (unsigned long)(d->read >> 20),
	       (unsigned long)(d->written >> 20), (unsigned long)d->completes,
	       (unsigned long)(d->count ? d->time_us / d->count : 0), (unsigned long)d->max_us);
	fflush(stdout);
}

/* How far a run of known length or size is. */
static void
print_stage(const struct progress *p, const struct meter_sum *now, int64_t passed_s)
{
	if (passed_s < p->warm_up_s)
		fprintf(stderr, "warming up, %ld s left", (long)(p->warm_up_s - passed_s));
	else if (p->duration_s > 0)
		fprintf(stderr, "%ld of %ld s", (long)(passed_s - p->warm_up_s), p->duration_s);
	else
		fprintf(stderr, "%ld s, %lu of %ld connections", (long)passed_s,
		        (unsigned long)now->completes, p->flows);
}

void
progress_tick(struct progress *p, const struct meter_sum *now, int64_t now_s)
{
	struct meter_sum d = meter_since(now, &p->last);

	p->last = *now;
	progress_end(p);
	print_second(&d);
	if (!p->shown)
		return;
	print_stage(p, now, now_s - p->begun_s);
	fprintf(stderr, ": %lu requests/s, avg %lu us, %lu failed", (unsigned long)d.count,
	        (unsigned long)(d.count ? d.time_us / d.count : 0), (unsigned long)now->failed);
	fflush(stderr);
}

void
progress_end(const struct progress *p)
{
	if (p->shown)
		fputs(CLEAR, stderr);
}
