/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once
/*
 * What a worker has reached so far: written by it alone, read by the main thread
 * every second while it runs.
 */
#include <stdatomic.h>
#include <stdint.h>

struct meter {
	atomic_uint_fast64_t connects, read, written, completes, failed;
	atomic_uint_fast64_t time_us, count;
	atomic_uint_fast64_t max_us; /* since the main thread last took it */
};

static inline uint64_t
meter_get(atomic_uint_fast64_t *m)
{
	return atomic_load_explicit(m, memory_order_relaxed);
}

/* By the worker: nobody else adds. */
static inline void
meter_add(atomic_uint_fast64_t *m, uint64_t n)
{
	atomic_store_explicit(m, meter_get(m) + n, memory_order_relaxed);
}

/* A response took this long. */
void meter_time(struct meter *m, int64_t ns);

/* The sums of several meters; or what one second brought. */
struct meter_sum {
	uint64_t connects, read, written, completes, failed;
	uint64_t time_us, count;
	uint64_t max_us;
};

/* Adds what a meter shows, and takes its max_us. */
void meter_sum_add(struct meter_sum *s, struct meter *m);

/* now minus before, with now's max_us. */
struct meter_sum meter_since(const struct meter_sum *now, const struct meter_sum *before);
