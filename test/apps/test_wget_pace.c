/* SPDX-License-Identifier: BSD-3-Clause */
/* The schedule of an open loop: nobody can delay it. */
#include <CUnit/CUnit.h>
#include <stdlib.h>

#include "apps/wget_pace.h"

static void
test_constant(void)
{
	struct pace p[3];

	for (unsigned i = 0; i < 3; i++)
		pace_begin(&p[i], 1000, 3e6, false, 3, i, 0);
	for (int64_t n = 0; n < 3000000; n++) {
		/* A third of a microsecond apart. */
		if (pace_due(&p[n % 3]) != 1000 + n * 1000 / 3)
			CU_ASSERT_TRUE(llabs(pace_due(&p[n % 3]) - (1000 + n * 1000 / 3)) <= 1);
		pace_take(&p[n % 3]);
	}
}

static void
test_late(void)
{
	struct pace p;

	pace_begin(&p, 0, 1000, false, 1, 0, 0);
	for (int i = 0; i < 500; i++)
		pace_take(&p);
	CU_ASSERT_EQUAL(pace_due(&p), 500000000);
}

static void
test_skip(void)
{
	struct pace p;

	pace_begin(&p, 0, 1000, false, 1, 0, 0);
	CU_ASSERT_EQUAL(pace_skip(&p, 100000000, 200000000), 100);
	CU_ASSERT_EQUAL(pace_due(&p), 200000000);
	CU_ASSERT_EQUAL(pace_skip(&p, 100000000, 200000000), 0);
}

static void
test_poisson(void)
{
	struct pace p;
	double sum = 0, squares = 0;
	int64_t last = 0;

	/* Fixed seed: the figures are always the same. */
	pace_begin(&p, 0, 4000, true, 2, 1, 7);
	for (int i = 0; i < 100000; i++) {
		double gap = (double)(pace_due(&p) - last);

		CU_ASSERT_TRUE(gap >= 0);
		last = pace_due(&p);
		sum += gap;
		squares += gap * gap;
		pace_take(&p);
	}
	/* One of two workers: 2000 a second, 500 us; an exponential's deviation is its mean. */
	CU_ASSERT_DOUBLE_EQUAL(sum / 100000, 500000, 5000);
	CU_ASSERT_DOUBLE_EQUAL(squares / 100000, 2 * 500000.0 * 500000.0, 1e10);
}

void suite_wget_pace(void);

void
suite_wget_pace(void)
{
	CU_pSuite s = CU_add_suite("wget_pace", NULL, NULL);

	CU_add_test(s, "at a constant rate workers take turns and no rounding adds up",
	            test_constant);
	CU_add_test(s, "what is taken late keeps its time", test_late);
	CU_add_test(s, "skipping counts what is due in the measurement", test_skip);
	CU_add_test(s, "Poisson arrivals have the rate, and gaps as uneven as they are long",
	            test_poisson);
}
