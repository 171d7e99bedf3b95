/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A log-linear histogram of non-negative 64-bit values: 32 linear steps in
 * each power of two, so a value is known to about 3 %.  Plain memory, no
 * pointers: it can be copied, sent and added.
 */
#pragma once

#include "base/base.h"

#define HISTOGRAM_SUB_BITS 5
#define HISTOGRAM_BUCKETS  ((65 - HISTOGRAM_SUB_BITS) << HISTOGRAM_SUB_BITS)

struct histogram {
	uint64_t n, sum, min, max; /* of the values; empty: min is UINT64_MAX */
	uint64_t bucket[HISTOGRAM_BUCKETS];
};

/* Empty. */
void histogram_init(struct histogram *h);

/* One more value. */
void histogram_add(struct histogram *h, uint64_t value);

/* Adds all of `from` to `to`. */
void histogram_merge(struct histogram *to, const struct histogram *from);

/* The value below which `permille` of 1000 values lie (upper edge of its
 * bucket, never above the maximum); 0 when empty. */
uint64_t histogram_permille(const struct histogram *h, uint32_t permille);
