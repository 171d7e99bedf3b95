/* SPDX-License-Identifier: BSD-3-Clause */
/* Regions for tests: zeroed, aligned to a cache line, and given back whole. */
#pragma once

#include <stdlib.h>

#include "base/region.h"

static inline struct region
memory_new(size_t size)
{
	struct region mem = { .size = align_up(size, CACHE_LINE) };

	mem.base = aligned_alloc(CACHE_LINE, mem.size);
	if (!mem.base)
		abort();
	memset(mem.base, 0, mem.size);
	return mem;
}

static inline void
memory_free(struct region *mem)
{
	free(mem->base);
}
