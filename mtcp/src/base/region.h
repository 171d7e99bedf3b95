/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A piece of address space, handed down by whoever may ask the system for
 * memory, and carved once at set-up.  It is zero and untouched when it comes:
 * what is never used costs no memory.
 */
#pragma once

#include "base/base.h"

struct region {
	uint8_t *base;
	size_t size;
	size_t used;
};

/* `size` bytes aligned to a cache line, or NULL when the region is too small.
 * With base == NULL nothing is carved but `used` still counts: the way to ask
 * how large a region has to be. */
static inline void *
region_take(struct region *r, size_t size)
{
	size_t at = align_up(r->used, CACHE_LINE);

	if (!r->base) {
		r->used = at + size;
		return NULL;
	}
	if (at > r->size || size > r->size - at)
		return NULL;
	r->used = at + size;
	return r->base + at;
}
