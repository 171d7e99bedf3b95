/* SPDX-License-Identifier: BSD-3-Clause */
#include <CUnit/CUnit.h>

#include "base/rng.h"
#include "base/seq.h"

void suite_seq(void);

static void
test_order_holds_across_the_wrap(void)
{
	seq_t a = seq_of(UINT32_MAX - 1), b = seq_add(a, 3);

	CU_ASSERT_EQUAL(b.v, 1);
	CU_ASSERT_TRUE(seq_lt(a, b));
	CU_ASSERT_FALSE(seq_lt(b, a));
	CU_ASSERT_TRUE(seq_le(a, a));
	CU_ASSERT_FALSE(seq_lt(a, a));
	CU_ASSERT_TRUE(seq_eq(seq_max(a, b), b));
	CU_ASSERT_TRUE(seq_eq(seq_min(a, b), a));
	CU_ASSERT_TRUE(seq_eq(seq_max(b, a), b));
	CU_ASSERT_TRUE(seq_eq(seq_min(b, a), a));
	CU_ASSERT_EQUAL(seq_sub(b, a), 3);
}

/* RFC 9293 3.4: less-than means up to 2^31 - 1 ahead. */
static void
test_half_of_the_space_lies_ahead(void)
{
	struct rng rng = { 3 };

	for (int i = 0; i < 1000; i++) {
		seq_t a = seq_of((uint32_t)rng_u64(&rng));
		uint32_t ahead = 1 + rng_below(&rng, INT32_MAX);

		CU_ASSERT_TRUE(seq_lt(a, seq_add(a, ahead)));
		CU_ASSERT_FALSE(seq_le(seq_add(a, ahead), a));
		CU_ASSERT_EQUAL(seq_sub(seq_add(a, ahead), a), ahead);
	}
}

void
suite_seq(void)
{
	CU_pSuite s = CU_add_suite("seq", NULL, NULL);

	CU_add_test(s, "order holds across the wrap", test_order_holds_across_the_wrap);
	CU_add_test(s, "half of the space lies ahead", test_half_of_the_space_lies_ahead);
}
