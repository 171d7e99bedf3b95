/* SPDX-License-Identifier: BSD-3-Clause */
/* The histogram of times: three per cent everywhere, and nothing out of bounds. */
#include <CUnit/CUnit.h>
#include <stdlib.h>

#include "apps/latency.h"

static struct latency *
latency_new(void)
{
	struct latency *l = calloc(1, sizeof(*l));

	CU_ASSERT_PTR_NOT_NULL_FATAL(l);
	return l;
}

static void
test_an_empty_histogram_is_all_zero(void)
{
	struct latency *l = latency_new();

	CU_ASSERT_EQUAL(latency_mean(l), 0);
	CU_ASSERT_EQUAL(latency_quantile(l, 500000), 0);
	free(l);
}

/* Every power of two, its neighbours, and what lies between. */
static void
test_a_single_time_is_kept_to_three_per_cent(void)
{
	struct latency *l = latency_new();

	for (int shift = 0; shift < 42; shift++) {
		for (int64_t d = -1; d <= 1; d++) {
			int64_t ns = ((int64_t)1 << shift) + d;
			uint64_t q;

			*l = (struct latency){0};
			latency_add(l, ns);
			latency_add(l, INT64_MAX); /* else the maximum would hide the bucket */
			q = latency_quantile(l, 500000);
			CU_ASSERT_TRUE(q >= (uint64_t)ns && q <= (uint64_t)ns + (uint64_t)ns / 32);
		}
	}
	free(l);
}

static void
test_quantiles_of_a_ramp(void)
{
	struct latency *l = latency_new();

	for (int64_t us = 1; us <= 1000; us++)
		latency_add(l, us * 1000);
	CU_ASSERT_EQUAL(latency_mean(l), 500500);
	CU_ASSERT_TRUE(latency_quantile(l, 500000) >= 500000 && latency_quantile(l, 500000) < 516000);
	CU_ASSERT_TRUE(latency_quantile(l, 990000) >= 990000 && latency_quantile(l, 990000) <= 1000000);
	CU_ASSERT_EQUAL(latency_quantile(l, 1000000), 1000000);
	CU_ASSERT_TRUE(latency_quantile(l, 0) <= 1032);
	free(l);
}

static void
test_merging_is_adding_all(void)
{
	struct latency *a = latency_new(), *b = latency_new();

	latency_add(a, 10);
	latency_add(b, 20);
	latency_add(b, 31);
	latency_merge(a, b);
	CU_ASSERT_EQUAL(a->count, 3);
	CU_ASSERT_EQUAL(latency_quantile(a, 500000), 20);
	CU_ASSERT_EQUAL(a->max_ns, 31);
	free(a);
	free(b);
}

static void
test_extremes_stay_inside(void)
{
	struct latency *l = latency_new();

	latency_add(l, -5);
	latency_add(l, 0);
	latency_add(l, INT64_MAX);
	CU_ASSERT_EQUAL(l->count, 3);
	CU_ASSERT_EQUAL(latency_quantile(l, 1000), 0);
	CU_ASSERT_EQUAL(latency_quantile(l, 1000000), INT64_MAX);
	free(l);
}

/* What a file keeps of a bucket is its largest time, which must lead back to it. */
static void
test_a_bucket_is_known_by_its_largest_time(void)
{
	for (unsigned b = 0; b < LATENCY_BUCKETS; b++) {
		CU_ASSERT_EQUAL(latency_bucket(latency_top(b)), b);
		if (b + 1 < LATENCY_BUCKETS)
			CU_ASSERT_EQUAL(latency_bucket(latency_top(b) + 1), b + 1);
	}
}

static void
test_a_few_of_a_million_are_found(void)
{
	struct latency *l = latency_new();

	l->count = l->bucket[latency_bucket(1000)] = 999900;
	for (int i = 0; i < 100; i++)
		latency_add(l, 1000000);
	CU_ASSERT_TRUE(latency_quantile(l, 999900) < 1100);
	CU_ASSERT_EQUAL(latency_quantile(l, 999901), 1000000);
	l->count = l->bucket[0] = UINT64_C(1) << 62;
	CU_ASSERT_EQUAL(latency_quantile(l, 999999), 0);
	free(l);
}

void suite_latency(void);

void
suite_latency(void)
{
	CU_pSuite s = CU_add_suite("latency", NULL, NULL);

	CU_add_test(s, "an empty histogram is all zero", test_an_empty_histogram_is_all_zero);
	CU_add_test(s, "a single time is kept to three per cent",
	            test_a_single_time_is_kept_to_three_per_cent);
	CU_add_test(s, "quantiles of a ramp", test_quantiles_of_a_ramp);
	CU_add_test(s, "merging is adding all", test_merging_is_adding_all);
	CU_add_test(s, "a bucket is known by its largest time",
	            test_a_bucket_is_known_by_its_largest_time);
	CU_add_test(s, "a few of a million are found", test_a_few_of_a_million_are_found);
	CU_add_test(s, "extremes stay inside", test_extremes_stay_inside);
}
