/* SPDX-License-Identifier: BSD-3-Clause */
#include <CUnit/CUnit.h>

#include "base/rng.h"

void suite_rng(void);

/* The generator's published first values for seed 1234567. */
static void
test_known_sequence(void)
{
	static const uint64_t want[] = { UINT64_C(6457827717110365317),
		                         UINT64_C(3203168211198807973),
		                         UINT64_C(9817491932198370423) };
	struct rng r = { 1234567 };

	for (unsigned i = 0; i < array_len(want); i++)
		CU_ASSERT_EQUAL(rng_u64(&r), want[i]);
}

static void
test_below_stays_below_and_reaches_all(void)
{
	struct rng r = { 1 };
	unsigned seen[7] = { 0 };

	for (int i = 0; i < 7000; i++) {
		uint32_t v = rng_below(&r, 7);

		CU_ASSERT_TRUE_FATAL(v < 7);
		seen[v]++;
	}
	for (unsigned i = 0; i < 7; i++)
		CU_ASSERT_TRUE(seen[i] > 800 && seen[i] < 1200);
	for (int i = 0; i < 100; i++)
		CU_ASSERT_EQUAL(rng_below(&r, 1), 0);
}

static void
test_chances(void)
{
	struct rng r = { 2 };
	unsigned hits = 0;

	for (int i = 0; i < 10000; i++) {
		CU_ASSERT_FALSE(rng_chance_ppm(&r, 0));
		CU_ASSERT_TRUE(rng_chance_ppm(&r, 1000000));
		hits += rng_chance_ppm(&r, 250000);
	}
	CU_ASSERT_TRUE(hits > 2300 && hits < 2700);
}

void
suite_rng(void)
{
	CU_pSuite s = CU_add_suite("rng", NULL, NULL);

	CU_add_test(s, "a seed gives the known sequence", test_known_sequence);
	CU_add_test(s, "numbers stay below their bound and reach all of it",
	            test_below_stays_below_and_reaches_all);
	CU_add_test(s, "chances are kept", test_chances);
}
