/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Objects of one size, carved from a region.  The object freed last is given
 * out first, while its lines are still in the cache; an object never used is
 * memory never touched.  One thread owns a pool.
 */
#pragma once

#include "base/region.h"

struct pool {
	uint8_t *base;
	uint32_t stride; /* bytes from one object to the next             */
	uint32_t max;    /* objects there can ever be                     */
	uint32_t fresh;  /* objects ever given out; the rest is untouched */
	uint32_t used;   /* objects out now                               */
	void *free;      /* linked through the objects' first word        */
};

/* Takes `max` objects of `size` bytes from `mem`.  Objects are aligned to 8
 * bytes, and to a cache line if their size is a multiple of one.  False when
 * the region is too small (or only counts). */
bool pool_init(struct pool *p, struct region *mem, size_t size, uint32_t max);

/* An object, or NULL when all are out.  Its content is whatever its last
 * owner left (zero when fresh), but for the first word. */
void *pool_get(struct pool *p);

/* Gives an object back.  Builds with MTCP_CHECKS fill it with a pattern and
 * assert that it was out, and that nobody writes into it while it is free. */
void pool_put(struct pool *p, void *obj);

/* An object's number, 0..max-1, stable for its life, and back. */
uint32_t pool_index(const struct pool *p, const void *obj);
void *pool_at(const struct pool *p, uint32_t index);
