/* SPDX-License-Identifier: BSD-3-Clause */
#include <CUnit/CUnit.h>
#include <stdlib.h>

#include "base/histogram.h"
#include "base/rng.h"

void suite_histogram(void);

static struct histogram *
histogram_new(void)
{
	struct histogram *h = malloc(sizeof *h);

	if (!h)
		abort();
	histogram_init(h);
	return h;
}

static void
test_empty(void)
{
	struct histogram *h = histogram_new();

	CU_ASSERT_EQUAL(histogram_permille(h, 0), 0);
	CU_ASSERT_EQUAL(histogram_permille(h, 500), 0);
	CU_ASSERT_EQUAL(histogram_permille(h, 1000), 0);
	free(h);
}

static void
test_small_values_are_exact(void)
{
	struct histogram *h = histogram_new();

	for (uint64_t v = 0; v < 64; v++) {
		histogram_init(h);
		histogram_add(h, v);
		histogram_add(h, 1000); /* or the maximum would cut the edge */
		CU_ASSERT_EQUAL(histogram_permille(h, 500), v);
	}
	free(h);
}

/* Every power of two, its neighbours, and values between. */
static void
test_each_value_is_known_to_3_percent(void)
{
	struct histogram *h = histogram_new();
	struct rng rng = { 1 };

	for (unsigned i = 0; i < 64 * 50; i++) {
		uint64_t v = (UINT64_C(1) << i % 64) - 1 + rng_below(&rng, 3), got;

		if (i >= 64 * 5)
			v = rng_u64(&rng) >> i % 64;
		histogram_init(h);
		histogram_add(h, v);
		histogram_add(h, UINT64_MAX);
		got = histogram_permille(h, 500);
		CU_ASSERT_TRUE(got >= v);
		CU_ASSERT_TRUE(got - v <= v / 32);
	}
	free(h);
}

static void
test_the_maximum_is_exact(void)
{
	struct histogram *h = histogram_new();

	histogram_add(h, 10);
	histogram_add(h, 1000001);
	CU_ASSERT_EQUAL(histogram_permille(h, 1000), 1000001);
	CU_ASSERT_EQUAL(histogram_permille(h, 0), 10);
	CU_ASSERT_EQUAL(h->min, 10);
	CU_ASSERT_EQUAL(h->max, 1000001);
	CU_ASSERT_EQUAL(h->sum, 1000011);
	free(h);
}

static void
test_permille_of_a_known_row(void)
{
	struct histogram *h = histogram_new();

	for (uint64_t v = 1; v <= 20; v++)
		for (int i = 0; i < 50; i++)
			histogram_add(h, v);
	CU_ASSERT_EQUAL(h->n, 1000);
	CU_ASSERT_EQUAL(histogram_permille(h, 50), 1);
	CU_ASSERT_EQUAL(histogram_permille(h, 51), 2);
	CU_ASSERT_EQUAL(histogram_permille(h, 500), 10);
	CU_ASSERT_EQUAL(histogram_permille(h, 999), 20);
	free(h);
}

static void
test_merging_equals_adding(void)
{
	struct histogram *a = histogram_new(), *b = histogram_new(), *all = histogram_new();
	struct rng rng = { 7 };

	for (int i = 0; i < 1000; i++) {
		uint64_t v = rng_u64(&rng) >> rng_below(&rng, 64);

		histogram_add(rng_below(&rng, 2) ? a : b, v);
		histogram_add(all, v);
	}
	histogram_merge(a, b);
	CU_ASSERT_EQUAL(memcmp(a, all, sizeof *a), 0);
	histogram_init(b);
	histogram_merge(a, b); /* an empty one changes nothing */
	CU_ASSERT_EQUAL(memcmp(a, all, sizeof *a), 0);
	free(a);
	free(b);
	free(all);
}

void
suite_histogram(void)
{
	CU_pSuite s = CU_add_suite("histogram", NULL, NULL);

	CU_add_test(s, "an empty histogram answers 0", test_empty);
	CU_add_test(s, "small values are exact", test_small_values_are_exact);
	CU_add_test(s, "each value is known to 3 percent",
	            test_each_value_is_known_to_3_percent);
	CU_add_test(s, "the maximum is exact", test_the_maximum_is_exact);
	CU_add_test(s, "permille of a known row are known", test_permille_of_a_known_row);
	CU_add_test(s, "merging equals adding", test_merging_equals_adding);
}
