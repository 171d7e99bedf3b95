/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Counters between a worker and the main thread.
 */
#include "apps/wget_meter.h"

void
meter_time(struct meter *m, int64_t ns)
{
	uint64_t us = ns > 0 ? (uint64_t)ns / 1000 : 0;

	meter_add(&m->time_us, us);
	meter_add(&m->count, 1);
	if (us > meter_get(&m->max_us))
		atomic_store_explicit(&m->max_us, us, memory_order_relaxed);
}

void
meter_sum_add(struct meter_sum *s, struct meter *m)
{
	uint64_t max = atomic_exchange_explicit(&m->max_us, 0, memory_order_relaxed);

	s->connects += meter_get(&m->connects);
	s->read += meter_get(&m->read);
	s->written += meter_get(&m->written);
	s->completes += meter_get(&m->completes);
	s->failed += meter_get(&m->failed);
	s->time_us += meter_get(&m->time_us);
	s->count += meter_get(&m->count);
	if (max > s->max_us)
		s->max_us = max;
}

struct meter_sum
meter_since(const struct meter_sum *now, const struct meter_sum *before)
{
	return (struct meter_sum){
		.connects = now->connects - before->connects,
		.read = now->read - before->read,
		.written = now->written - before->written,
		.completes = now->completes - before->completes,
		.failed = now->failed - before->failed,
		.time_us = now->time_us - before->time_us,
		.count = now->count - before->count,
		.max_us = now->max_us,
	};
}
