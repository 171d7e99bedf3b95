/* SPDX-License-Identifier: BSD-3-Clause */
/* One thread plays both sides; test/stress/stress_base.c has two. */
#include <CUnit/CUnit.h>

#include "base/rng.h"
#include "base/spsc.h"
#include "test/base/memory.h"

void suite_spsc(void);

static void
test_words_come_out_in_order(void)
{
	struct region mem = memory_new(4096);
	struct spsc q;
	uint64_t w;

	CU_ASSERT_TRUE(spsc_init(&q, &mem, 5)); /* rounded up to 8 */
	CU_ASSERT_FALSE(spsc_ready(&q));
	CU_ASSERT_FALSE(spsc_pop(&q, &w));
	for (uint64_t i = 0; i < 8; i++)
		CU_ASSERT_TRUE(spsc_push(&q, i));
	CU_ASSERT_FALSE(spsc_push(&q, 8));
	CU_ASSERT_EQUAL(spsc_room(&q), 0);
	CU_ASSERT_TRUE(spsc_ready(&q));
	for (uint64_t i = 0; i < 8; i++) {
		CU_ASSERT_TRUE(spsc_pop(&q, &w));
		CU_ASSERT_EQUAL(w, i);
	}
	CU_ASSERT_FALSE(spsc_pop(&q, &w));
	CU_ASSERT_EQUAL(spsc_room(&q), 8);
	memory_free(&mem);
}

static void
test_indices_may_wrap(void)
{
	struct region mem = memory_new(4096);
	uint64_t in = 0, out = 0, w;
	struct rng rng = { 5 };
	struct spsc q;

	CU_ASSERT_TRUE(spsc_init(&q, &mem, 4));
	atomic_store(&q.tail, UINT32_MAX - 100);
	atomic_store(&q.head, UINT32_MAX - 100);
	q.head_seen = q.tail_seen = UINT32_MAX - 100;
	for (int i = 0; i < 2000; i++) {
		CU_ASSERT_EQUAL(spsc_ready(&q), in != out);
		if (rng_below(&rng, 2)) {
			CU_ASSERT_EQUAL(spsc_push(&q, in), in - out < 4);
			in += in - out < 4;
		} else if (spsc_pop(&q, &w)) {
			CU_ASSERT_EQUAL(w, out);
			out++;
		} else {
			CU_ASSERT_EQUAL(in, out);
		}
		CU_ASSERT_EQUAL(spsc_room(&q), 4 - (in - out));
	}
	CU_ASSERT_TRUE(out > 200);
	memory_free(&mem);
}

/* The largest number too; a ring of them takes half of the room. */
static void
test_numbers_come_out_in_order(void)
{
	struct region mem = memory_new(64);
	uint32_t in = UINT32_MAX - 50, out = in, n;
	struct rng rng = { 6 };
	struct spsc q;

	CU_ASSERT_TRUE(spsc_init_numbers(&q, &mem, 16));
	CU_ASSERT_EQUAL(mem.used, 16 * sizeof(uint32_t));
	for (int i = 0; i < 1000; i++) {
		CU_ASSERT_EQUAL(spsc_ready(&q), in != out);
		if (rng_below(&rng, 2)) {
			CU_ASSERT_EQUAL(spsc_push_number(&q, in), in - out < 16);
			in += in - out < 16;
		} else if (spsc_pop_number(&q, &n)) {
			CU_ASSERT_EQUAL(n, out);
			out++;
		} else {
			CU_ASSERT_EQUAL(in, out);
		}
		CU_ASSERT_EQUAL(spsc_room(&q), 16 - (in - out));
	}
	CU_ASSERT_TRUE(out < 1000);
	memory_free(&mem);
}

static void
test_region_too_small(void)
{
	struct region mem = memory_new(64);
	struct spsc q;

	CU_ASSERT_FALSE(spsc_init(&q, &mem, 9));
	CU_ASSERT_FALSE(spsc_init_numbers(&q, &mem, 17));
	CU_ASSERT_TRUE(spsc_init(&q, &mem, 8));
	memory_free(&mem);
}

static void
test_sides_do_not_share_lines(void)
{
	CU_ASSERT_TRUE(offsetof(struct spsc, head) - offsetof(struct spsc, tail) >= CACHE_LINE);
	CU_ASSERT_TRUE(offsetof(struct spsc, slot) - offsetof(struct spsc, head) >= CACHE_LINE);
}

void
suite_spsc(void)
{
	CU_pSuite s = CU_add_suite("spsc", NULL, NULL);

	CU_add_test(s, "words come out in order", test_words_come_out_in_order);
	CU_add_test(s, "indices may wrap", test_indices_may_wrap);
	CU_add_test(s, "numbers come out in order", test_numbers_come_out_in_order);
	CU_add_test(s, "a region too small is noticed", test_region_too_small);
	CU_add_test(s, "the two sides do not share cache lines", test_sides_do_not_share_lines);
}
