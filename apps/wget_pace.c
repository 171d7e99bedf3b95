/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Constant arrivals are counted, not added up, so that no rounding accumulates;
 * Poisson arrivals are sums of exponential gaps.
 */
#include "apps/wget_pace.h"

#include <math.h>

/* splitmix64 (Steele, Lea, Flood 2014), as a number above 0 and at most 1. */
static double
draw(struct pace *p)
{
	uint64_t z = p->random += UINT64_C(0x9e3779b97f4a7c15);

	z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
	z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
	z ^= z >> 31;
	return (double)((z >> 11) + 1) * 0x1p-53;
}

/* Each worker has an equal share of the rate: gaps that much longer. */
static double
draw_gap(struct pace *p)
{
	return -log(draw(p)) * p->gap_ns * p->workers;
}

void
pace_begin(struct pace *p, int64_t start, double per_second, bool poisson, unsigned workers,
	       unsigned index, uint64_t seed)
{
	*p = (struct pace){
		.start = start,
		.gap_ns = 1e9 / per_second,
		.workers = workers,
		.poisson = poisson,
		.index = index,
		.random = seed + index,
	};
	if (poisson)
		p->after_ns = draw_gap(p);
}

int64_t
pace_due(const struct pace *p)
{
	return p->start + (int64_t)(p->poisson ? p->after_ns : (double)p->index * p->gap_ns);
}

void
pace_take(struct pace *p)
{
	if (p->poisson)
		p->after_ns += draw_gap(p);
	else
		p->index += p->workers;
}

uint64_t
pace_skip(struct pace *p, int64_t from, int64_t until)
{
	uint64_t n = 0;

	for (int64_t due; (due = pace_due(p)) < until; pace_take(p))
		n += due >= from;
	return n;
}
