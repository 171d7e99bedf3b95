/* SPDX-License-Identifier: BSD-3-Clause */
/* Results add up, whatever the order. */
#include <CUnit/CUnit.h>
#include <stdio.h>
#include <string.h>

#include "apps/wget_result.h"
#include "test/apps/results.h"

static void
test_add(void)
{
	struct result *a = small_result("a", 5000), *b = small_result("b", 9000000);
	struct result *sum = result_new();

	CU_ASSERT_PTR_NOT_NULL_FATAL(sum);
	b->elapsed_ns = 3000000000;
	CU_ASSERT_TRUE(result_add(sum, a) && result_add(sum, b));
	CU_ASSERT_EQUAL(sum->machines, 2);
	CU_ASSERT_STRING_EQUAL(sum->machine[1].host, "b");
	CU_ASSERT_EQUAL(sum->elapsed_ns, 3000000000);
	CU_ASSERT_EQUAL(sum->count[REQUESTS_COMPLETED], 6);
	CU_ASSERT_EQUAL(sum->failures[RESET], 2);
	CU_ASSERT_EQUAL(sum->latency[RESPONSE].count, 6);
	CU_ASSERT_EQUAL(sum->latency[RESPONSE].max_ns, 9000000);
	CU_ASSERT_EQUAL(sum->latency[RESPONSE].sum_ns, 2 * 3000 + 5000 + 9000000);
	CU_ASSERT_EQUAL(sum->series.at[0].completed, 4);
	CU_ASSERT_EQUAL(sum->series.at[1].completed, 2);
	CU_ASSERT_EQUAL(sum->series.at[0].failed, 2);
	result_free(a);
	result_free(b);
	result_free(sum);
}

static void
test_many(void)
{
	struct result *a = small_result("a", 5000), *sum = result_new();

	CU_ASSERT_PTR_NOT_NULL_FATAL(sum);
	for (unsigned i = 0; i < MACHINES_MAX; i++)
		CU_ASSERT_TRUE(result_add(sum, a));
	CU_ASSERT_FALSE(result_add(sum, a));
	CU_ASSERT_EQUAL(sum->count[REQUESTS_FAILED], MACHINES_MAX);
	result_free(a);
	result_free(sum);
}

static void
test_good(void)
{
	struct result *r = result_new();

	CU_ASSERT_PTR_NOT_NULL_FATAL(r);
	CU_ASSERT_TRUE(result_good(r));
	CU_ASSERT_TRUE(result_seconds(r) > 0);
	r->count[REQUESTS_NOT_STARTED] = 1;
	CU_ASSERT_FALSE(result_good(r));
	r->count[REQUESTS_NOT_STARTED] = 0;
	r->count[REQUESTS_FAILED] = 1;
	CU_ASSERT_FALSE(result_good(r));
	result_free(r);
	result_free(NULL);
}

static void
test_keys(void)
{
	for (int i = 0; i < COUNTS; i++)
		for (int j = 0; j < i; j++)
			CU_ASSERT_STRING_NOT_EQUAL(count_key((enum count)i),
			                           count_key((enum count)j));
	CU_ASSERT_STRING_NOT_EQUAL(timing_key(RESPONSE), timing_key(SERVICE));
	CU_ASSERT_STRING_NOT_EQUAL(timing_key(CONNECT), timing_key(SERVICE));
}

void suite_wget_result(void);

void
suite_wget_result(void)
{
	CU_pSuite s = CU_add_suite("wget_result", NULL, NULL);

	CU_add_test(s, "a sum has all counts, buckets and intervals of both", test_add);
	CU_add_test(s, "more machines than fit are refused, and nothing is added", test_many);
	CU_add_test(s, "one failure or one thing not started is not good", test_good);
	CU_add_test(s, "counts and histograms have names of their own", test_keys);
}
