/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A stack of free objects linked through their first words, and below it the
 * part of the region that was never given out.
 *
 * Under MTCP_CHECKS a freed object is filled with a pattern: reading it shows,
 * writing it is caught when the object is given out again, and freeing it twice
 * is caught at once.  The second word tells a freed object from others without
 * a search; only when it looks freed the free list is walked to be certain.
 */
#include "base/pool.h"

#ifdef MTCP_CHECKS
enum { CHECKS = 1 };
#else
enum { CHECKS = 0 };
#endif

#define POISON      0xa5
#define POISON_WORD UINT64_C(0xa5a5a5a5a5a5a5a5)

bool
pool_init(struct pool *p, struct region *mem, size_t size, uint32_t max)
{
	size_t stride = align_up(max(size, sizeof(void *)), sizeof(void *));

	*p = (struct pool){ .stride = to_u32(stride), .max = max };
	p->base = region_take(mem, stride * max);
	return p->base != NULL;
}

/* All but the first word, which links the free list. */
static void
poison(const struct pool *p, void *obj)
{
	memset((uint8_t *)obj + sizeof(void *), POISON, p->stride - sizeof(void *));
}

static bool
poison_intact(const struct pool *p, const void *obj)
{
	const uint8_t *b = obj;

	for (size_t i = sizeof(void *); i < p->stride; i++)
		if (b[i] != POISON)
			return false;
	return true;
}

static bool
looks_freed(const struct pool *p, const void *obj)
{
	uint64_t word;

	if (p->stride < 2 * sizeof word)
		return false;
	memcpy(&word, (const uint8_t *)obj + sizeof word, sizeof word);
	return word == POISON_WORD;
}

static bool
is_free(const struct pool *p, const void *obj)
{
	if (!looks_freed(p, obj))
		return false;
	for (const void *f = p->free; f; memcpy(&f, f, sizeof f))
		if (f == obj)
			return true;
	return false;
}

static void
check_untouched(const struct pool *p, const void *obj)
{
	bool untouched = !CHECKS || poison_intact(p, obj);

	assert(untouched); /* or somebody wrote into it after pool_put() */
	(void)untouched;
}

static void
check_not_free(const struct pool *p, const void *obj)
{
	bool twice = CHECKS && is_free(p, obj);

	assert(!twice);
	(void)twice;
}

static void *
get_fresh(struct pool *p)
{
	if (p->fresh == p->max)
		return NULL;
	p->used++;
	return p->base + (size_t)p->fresh++ * p->stride;
}

void *
pool_get(struct pool *p)
{
	void *obj = p->free;

	if (!obj)
		return get_fresh(p);
	memcpy(&p->free, obj, sizeof p->free);
	p->used++;
	check_untouched(p, obj);
	return obj;
}

void
pool_put(struct pool *p, void *obj)
{
	assert(pool_index(p, obj) < p->fresh);
	assert(p->used > 0);
	check_not_free(p, obj);
	if (CHECKS)
		poison(p, obj);
	memcpy(obj, &p->free, sizeof p->free);
	p->free = obj;
	p->used--;
}

uint32_t
pool_index(const struct pool *p, const void *obj)
{
	size_t at = (size_t)((const uint8_t *)obj - p->base);

	assert(at % p->stride == 0);
	assert(at / p->stride < p->max);
	return (uint32_t)(at / p->stride);
}

void *
pool_at(const struct pool *p, uint32_t index)
{
	assert(index < p->max);
	return p->base + (size_t)index * p->stride;
}
