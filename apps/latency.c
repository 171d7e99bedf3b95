/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Buckets: a time below 32 ns has its own; above, the highest bit chooses the
 * row and the five bits below it the part.
 */
#include "apps/latency.h"

unsigned
latency_bucket(uint64_t ns)
{
	unsigned shift, b;

	if (ns < LATENCY_PARTS)
		return (unsigned)ns;
	shift = 63u - 5u - (unsigned)__builtin_clzll(ns);
	b = (shift + 1u) * LATENCY_PARTS + ((unsigned)(ns >> shift) & (LATENCY_PARTS - 1u));
	return b < LATENCY_BUCKETS ? b : LATENCY_BUCKETS - 1u;
}

uint64_t
latency_top(unsigned b)
{
	unsigned shift;

	if (b < LATENCY_PARTS)
		return b;
	shift = b / LATENCY_PARTS - 1u;
	return ((uint64_t)(LATENCY_PARTS + b % LATENCY_PARTS + 1u) << shift) - 1u;
}

void
latency_add(struct latency *l, int64_t ns)
{
	uint64_t t = ns > 0 ? (uint64_t)ns : 0;

	l->count++;
	l->sum_ns += t;
	if (t > l->max_ns)
		l->max_ns = t;
	l->bucket[latency_bucket(t)]++;
}

void
latency_merge(struct latency *l, const struct latency *from)
{
	l->count += from->count;
	l->sum_ns += from->sum_ns;
	if (from->max_ns > l->max_ns)
		l->max_ns = from->max_ns;
	for (unsigned b = 0; b < LATENCY_BUCKETS; b++)
		l->bucket[b] += from->bucket[b];
}

uint64_t
latency_quantile(const struct latency *l, uint32_t per_million)
{
	/* In two steps: count times a million may not fit. */
	uint64_t want =
	    l->count / LATENCY_WHOLE * per_million +
	    (l->count % LATENCY_WHOLE * per_million + LATENCY_WHOLE - 1) / LATENCY_WHOLE;
	uint64_t seen = 0;

	if (want == 0)
		want = 1;
	for (unsigned b = 0; b < LATENCY_BUCKETS - 1u && l->count > 0; b++) {
		seen += l->bucket[b];
		if (seen >= want)
			return latency_top(b) < l->max_ns ? latency_top(b) : l->max_ns;
	}
	return l->max_ns;
}

uint64_t
latency_mean(const struct latency *l)
{
	return l->count ? l->sum_ns / l->count : 0;
}
