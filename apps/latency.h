/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once
/*
 * A histogram of times that keeps three per cent everywhere: powers of two, each
 * cut into 32 equal parts.  Fixed size, no allocation, 1 ns to 2^42 ns (73 min).
 */
#include <stdint.h>

#define LATENCY_PARTS 32u
#define LATENCY_BUCKETS (38u * LATENCY_PARTS)
#define LATENCY_WHOLE 1000000u /* of latency_quantile() */

/* All zero is empty. */
struct latency {
	uint64_t count;
	uint64_t sum_ns;
	uint64_t max_ns;
	uint64_t bucket[LATENCY_BUCKETS];
};

/* Counts one time; what is negative counts as 0. */
void latency_add(struct latency *l, int64_t ns);

/* Adds all of from to l. */
void latency_merge(struct latency *l, const struct latency *from);

/* The time that per_million of a million did not exceed, to three per cent; 0 when
 * empty. */
uint64_t latency_quantile(const struct latency *l, uint32_t per_million);

/* The mean in ns; 0 when empty. */
uint64_t latency_mean(const struct latency *l);

/* The bucket of a time, and the largest time of a bucket: what lies above the last one's
 * is counted there too. */
unsigned latency_bucket(uint64_t ns);
uint64_t latency_top(unsigned b);
