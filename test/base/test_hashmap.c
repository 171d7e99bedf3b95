/* SPDX-License-Identifier: BSD-3-Clause */
/* The map beside an unordered array of pairs. */
#include <CUnit/CUnit.h>
#include <stdio.h>

#include "base/hashmap.h"
#include "base/rng.h"
#include "test/base/memory.h"

void suite_hashmap(void);

static uint32_t
count(const struct hashmap *m, uint32_t hash)
{
	uint32_t n = 0;

	for (uint32_t v, i = hashmap_first(m, hash); hashmap_next(m, hash, &i, &v);)
		n++;
	return n;
}

static void
test_values_are_found_by_hash(void)
{
	struct region mem = memory_new(4096);
	struct hashmap m;
	uint32_t v, i;

	CU_ASSERT_TRUE(hashmap_init(&m, &mem, 10));
	CU_ASSERT_TRUE(hashmap_add(&m, 7, 0));
	CU_ASSERT_TRUE(hashmap_add(&m, 8, 99)); /* same slot, another hash */
	i = hashmap_first(&m, 7);
	CU_ASSERT_TRUE(hashmap_next(&m, 7, &i, &v));
	CU_ASSERT_EQUAL(v, 0);
	CU_ASSERT_FALSE(hashmap_next(&m, 7, &i, &v));
	CU_ASSERT_EQUAL(count(&m, 9), 0);
	CU_ASSERT_FALSE(hashmap_del(&m, 7, 99));
	CU_ASSERT_TRUE(hashmap_del(&m, 7, 0));
	CU_ASSERT_FALSE(hashmap_del(&m, 7, 0));
	CU_ASSERT_EQUAL(count(&m, 8), 1);
	memory_free(&mem);
}

static void
test_one_hash_may_have_many_values(void)
{
	struct region mem = memory_new(4096);
	struct hashmap m;

	CU_ASSERT_TRUE(hashmap_init(&m, &mem, 10));
	for (uint32_t v = 0; v < 10; v++)
		CU_ASSERT_TRUE(hashmap_add(&m, UINT32_MAX, v));
	CU_ASSERT_EQUAL(count(&m, UINT32_MAX), 10);
	CU_ASSERT_TRUE(hashmap_del(&m, UINT32_MAX, 3));
	CU_ASSERT_EQUAL(count(&m, UINT32_MAX), 9);
	memory_free(&mem);
}

static void
test_a_value_takes_the_place_of_another(void)
{
	struct region mem = memory_new(4096);
	struct hashmap m;
	uint32_t v, i;

	CU_ASSERT_TRUE(hashmap_init(&m, &mem, 2));
	CU_ASSERT_TRUE(hashmap_add(&m, 7, 1));
	CU_ASSERT_TRUE(hashmap_add(&m, 8, 1));
	CU_ASSERT_FALSE(hashmap_replace(&m, 7, 2, 3));
	CU_ASSERT_FALSE(hashmap_replace(&m, 9, 1, 3));
	CU_ASSERT_TRUE(hashmap_replace(&m, 8, 1, UINT32_MAX - 1)); /* in a full map, too */
	i = hashmap_first(&m, 8);
	CU_ASSERT_TRUE(hashmap_next(&m, 8, &i, &v));
	CU_ASSERT_EQUAL(v, UINT32_MAX - 1);
	i = hashmap_first(&m, 7);
	CU_ASSERT_TRUE(hashmap_next(&m, 7, &i, &v));
	CU_ASSERT_EQUAL(v, 1);
	CU_ASSERT_EQUAL(m.n, 2);
	memory_free(&mem);
}

static void
test_full_map_refuses(void)
{
	struct region mem = memory_new(4096);
	struct hashmap m;

	CU_ASSERT_TRUE(hashmap_init(&m, &mem, 5));
	for (uint32_t v = 0; v < 5; v++)
		CU_ASSERT_TRUE(hashmap_add(&m, v, v));
	CU_ASSERT_FALSE(hashmap_add(&m, 5, 5));
	CU_ASSERT_TRUE(hashmap_del(&m, 2, 2));
	CU_ASSERT_TRUE(hashmap_add(&m, 5, UINT32_MAX - 1));
	CU_ASSERT_EQUAL(m.n, 5);
	CU_ASSERT_TRUE(m.mask + 1 >= 2 * 5);
	memory_free(&mem);
}

static void
test_region_too_small(void)
{
	struct region mem = memory_new(64), counting = { 0 };
	struct hashmap m;

	CU_ASSERT_FALSE(hashmap_init(&m, &mem, 1000));
	CU_ASSERT_FALSE(hashmap_init(&m, &counting, 1000));
	CU_ASSERT_EQUAL(counting.used, 2048 * sizeof(struct hashmap_slot));
	CU_ASSERT_TRUE(hashmap_init(&m, &mem, 0));
	CU_ASSERT_FALSE(hashmap_add(&m, 1, 1));
	memory_free(&mem);
}

/* Whatever there is room for, entries lie together; and each addition takes a few steps only. */
static void
test_a_map_takes_as_much_memory_as_it_has_entries(void)
{
	struct region mem = memory_new((size_t)1 << 24);
	struct rng rng = { 3 };
	struct hashmap m;
	uint32_t used = 0, longest = 0;

	CU_ASSERT_TRUE(hashmap_init(&m, &mem, 1000000));
	for (uint32_t v = 0; v < 60000; v++) {
		uint32_t hash = (uint32_t)rng_u64(&rng), before = m.split;

		CU_ASSERT_TRUE_FATAL(hashmap_add(&m, hash, v));
		if (before != HASHMAP_WHOLE && m.split != HASHMAP_WHOLE)
			longest = max(longest, before - m.split);
	}
	for (uint32_t i = 0; i <= m.mask; i++)
		if (m.slot[i].value)
			used = i;
	CU_ASSERT_TRUE(used < (1 << 17) + 200);
	CU_ASSERT_TRUE(longest > 0 && longest < 200);
	memory_free(&mem);
}

/* -- twin ----------------------------------------------------------------- */

#define PAIRS_MAX 300u

struct twin {
	struct hashmap m;
	struct hashmap_slot pair[PAIRS_MAX];
	uint32_t n, max;
	uint32_t hashes; /* how many different hashes there are */
	uint32_t first;  /* one of them ...                     */
	uint32_t apart;  /* ... and how far the next is from it */
	struct rng rng;
};

static uint32_t
nth_hash(const struct twin *t, uint32_t n)
{
	return t->first + n * t->apart;
}

static bool
twin_del(struct twin *t, uint32_t hash, uint32_t value)
{
	for (uint32_t i = 0; i < t->n; i++)
		if (t->pair[i].hash == hash && t->pair[i].value == value) {
			t->pair[i] = t->pair[--t->n];
			return true;
		}
	return false;
}

static bool
twin_add(struct twin *t, uint32_t hash, uint32_t value)
{
	if (t->n == t->max)
		return false;
	t->pair[t->n++] = (struct hashmap_slot){ hash, value };
	return true;
}

/* `adds` of four are no removals. */
static bool
twin_step(struct twin *t, uint32_t adds)
{
	uint32_t hash = nth_hash(t, rng_below(&t->rng, t->hashes)), value = rng_below(&t->rng, 4);

	if (rng_below(&t->rng, 2) && t->n > 0) { /* one that is there */
		hash = t->pair[t->n / 2].hash;
		value = t->pair[t->n / 2].value;
	}
	if (rng_below(&t->rng, 4) < adds)
		return hashmap_add(&t->m, hash, value) == twin_add(t, hash, value);
	return hashmap_del(&t->m, hash, value) == twin_del(t, hash, value);
}

/* Takes each value that the map finds from a copy of the pairs; all must go. */
static bool
contents_agree(const struct twin *t)
{
	struct twin left = *t;

	for (uint32_t k = 0; k < t->hashes; k++) {
		uint32_t v, h = nth_hash(t, k), i = hashmap_first(&t->m, h);

		while (hashmap_next(&t->m, h, &i, &v))
			if (!twin_del(&left, h, v))
				return false;
	}
	return left.n == 0 && t->m.n == t->n;
}

static bool
twin_run(uint64_t seed)
{
	struct region mem = memory_new(1 << 16);
	struct twin t = { .rng = { seed } };
	bool good;

	t.max = rng_below(&t.rng, 2) ? 24 : 1 + rng_below(&t.rng, PAIRS_MAX);
	good = hashmap_init(&t.m, &mem, t.max);
	if (t.m.shift < 26) { /* begins with 64 slots, and grows up to four times */
		t.m.shift = 26;
		t.m.grow_at = 16;
	}
	/* Few hashes make long clusters; those near the last run over the end. */
	t.hashes = 1 + rng_below(&t.rng, 3 * t.max);
	t.apart = UINT32_C(1) << rng_below(&t.rng, 23); /* no two of them are the same */
	t.first = rng_below(&t.rng, 2) ? UINT32_MAX - rng_below(&t.rng, 8) * t.apart
	                               : (uint32_t)rng_u64(&t.rng);
	for (uint32_t i = 0; i < 5 * t.max + 100 && good; i++)
		good = twin_step(&t, i < 3 * t.max ? 3 : 1) &&
		       (i % (t.max / 8 + 1) || contents_agree(&t));
	good &= contents_agree(&t);
	memory_free(&mem);
	return good;
}

static void
test_map_equals_an_array_of_pairs(void)
{
	uint64_t seed;

	for (seed = 1; seed <= 200; seed++)
		if (!twin_run(seed))
			break;
	CU_ASSERT_EQUAL(seed, 201);
	if (seed <= 200)
		printf("\n  seed %llu\n", (unsigned long long)seed);
}

void
suite_hashmap(void)
{
	CU_pSuite s = CU_add_suite("hashmap", NULL, NULL);

	CU_add_test(s, "values are found by hash", test_values_are_found_by_hash);
	CU_add_test(s, "one hash may have many values", test_one_hash_may_have_many_values);
	CU_add_test(s, "a value takes the place of another",
	            test_a_value_takes_the_place_of_another);
	CU_add_test(s, "a full map refuses", test_full_map_refuses);
	CU_add_test(s, "a region too small is noticed", test_region_too_small);
	CU_add_test(s, "a map takes as much memory as it has entries",
	            test_a_map_takes_as_much_memory_as_it_has_entries);
	CU_add_test(s, "a map equals an array of pairs", test_map_equals_an_array_of_pairs);
}
