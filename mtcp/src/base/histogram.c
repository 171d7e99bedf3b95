/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Values below 32 have a bucket each.  Above, a value's bucket is named by the
 * place of its highest bit and the five bits after it.
 */
#include "base/histogram.h"

#define SUB (1u << HISTOGRAM_SUB_BITS)

static unsigned
bucket_of(uint64_t v)
{
	unsigned shift;

	if (v < SUB)
		return (unsigned)v;
	shift = 63 - (unsigned)__builtin_clzll(v) - HISTOGRAM_SUB_BITS;
	return (shift + 1) * SUB + ((unsigned)(v >> shift) & (SUB - 1));
}

/* The largest value that falls into a bucket. */
static uint64_t
bucket_edge(unsigned bucket)
{
	unsigned shift;
	uint64_t low;

	if (bucket < SUB)
		return bucket;
	shift = bucket / SUB - 1;
	low = (uint64_t)(SUB + bucket % SUB) << shift;
	return low + (UINT64_C(1) << shift) - 1;
}

void
histogram_init(struct histogram *h)
{
	memset(h, 0, sizeof *h);
	h->min = UINT64_MAX;
}

void
histogram_add(struct histogram *h, uint64_t value)
{
	h->n++;
	h->sum += value;
	h->min = min(h->min, value);
	h->max = max(h->max, value);
	h->bucket[bucket_of(value)]++;
}

void
histogram_merge(struct histogram *to, const struct histogram *from)
{
	to->n += from->n;
	to->sum += from->sum;
	to->min = min(to->min, from->min);
	to->max = max(to->max, from->max);
	for (unsigned i = 0; i < HISTOGRAM_BUCKETS; i++)
		to->bucket[i] += from->bucket[i];
}

uint64_t
histogram_permille(const struct histogram *h, uint32_t permille)
{
	uint64_t rank, below = 0;

	if (h->n == 0)
		return 0;
	/* n * permille / 1000, rounded up, without the product's overflow */
	rank = h->n / 1000 * permille + (h->n % 1000 * permille + 999) / 1000;
	for (unsigned i = 0; i < HISTOGRAM_BUCKETS; i++) {
		below += h->bucket[i];
		if (below > 0 && below >= rank)
			return min(bucket_edge(i), h->max);
	}
	return h->max;
}
