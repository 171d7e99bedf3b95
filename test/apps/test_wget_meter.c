/* SPDX-License-Identifier: BSD-3-Clause */
/* Counters that one thread writes and another reads each second. */
#include <CUnit/CUnit.h>

#include "apps/wget_meter.h"

static void
test_a_second_is_a_difference(void)
{
	struct meter a = { 0 }, b = { 0 };
	struct meter_sum first = { 0 }, second = { 0 }, d;

	meter_time(&a, 5000000);
	meter_time(&b, 7000000);
	meter_add(&a.failed, 2);
	meter_sum_add(&first, &a);
	meter_sum_add(&first, &b);
	CU_ASSERT_EQUAL(first.max_us, 7000);
	meter_time(&a, 1000000);
	meter_time(&a, -1);
	meter_sum_add(&second, &a);
	meter_sum_add(&second, &b);
	d = meter_since(&second, &first);
	CU_ASSERT_EQUAL(d.count, 2);
	CU_ASSERT_EQUAL(d.time_us, 1000);
	CU_ASSERT_EQUAL(d.max_us, 1000);
	CU_ASSERT_EQUAL(d.failed, 0);
	CU_ASSERT_EQUAL(second.failed, 2);
}

void suite_wget_meter(void);

void
suite_wget_meter(void)
{
	CU_pSuite s = CU_add_suite("wget_meter", NULL, NULL);

	CU_add_test(s, "a second is the difference of two sums, its maximum its own",
	            test_a_second_is_a_difference);
}
