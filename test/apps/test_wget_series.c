/* SPDX-License-Identifier: BSD-3-Clause */
/* Intervals that double in length when there are too many, and lose nothing. */
#include <CUnit/CUnit.h>
#include <stdlib.h>

#include "apps/wget_series.h"

static const int64_t second = SERIES_SHORTEST_NS;

static uint64_t
sum_of(const struct series *s)
{
	uint64_t n = 0;

	for (unsigned i = 0; i < s->n; i++)
		n += s->at[i].completed;
	return n;
}

static void
test_places(void)
{
	struct series s;

	CU_ASSERT_TRUE_FATAL(series_begin(&s));
	series_at(&s, 0)->completed++;
	series_at(&s, -5)->completed++;
	series_at(&s, 2 * second)->completed++;
	series_at(&s, 3 * second - 1)->completed++;
	CU_ASSERT_EQUAL(s.n, 3);
	CU_ASSERT_EQUAL(s.at[0].completed, 2);
	CU_ASSERT_EQUAL(s.at[1].completed, 0);
	CU_ASSERT_EQUAL(s.at[2].completed, 2);
	series_end(&s);
}

static void
test_doubles(void)
{
	struct series s;

	CU_ASSERT_TRUE_FATAL(series_begin(&s));
	for (unsigned i = 0; i < 3 * SERIES_MAX; i++) {
		struct interval *at = series_at(&s, i * second);

		at->completed += 1 + i;
		latency_add(&at->response, i);
	}
	CU_ASSERT_EQUAL(s.length_ns, 4 * second);
	CU_ASSERT_EQUAL(s.n, 3 * SERIES_MAX / 4);
	for (unsigned i = 0; i < s.n; i++) {
		CU_ASSERT_EQUAL(s.at[i].completed, 4 * 4 * i + 10);
		CU_ASSERT_EQUAL(s.at[i].response.count, 4);
		CU_ASSERT_EQUAL(s.at[i].response.max_ns, 4 * i + 3);
	}
	series_end(&s);
}

static void
test_merge(void)
{
	struct series a, b, c;

	CU_ASSERT_TRUE_FATAL(series_begin(&a) && series_begin(&b) && series_begin(&c));
	for (unsigned i = 0; i < 100; i++)
		series_at(&a, i * second)->completed++;
	for (unsigned i = 0; i < 2 * SERIES_MAX; i++)
		series_at(&b, i * second)->completed++;
	series_merge(&c, &a);
	series_merge(&c, &b);
	series_merge(&b, &a);
	CU_ASSERT_EQUAL(c.length_ns, 2 * second);
	CU_ASSERT_EQUAL(c.n, b.n);
	CU_ASSERT_EQUAL(sum_of(&c), 100 + 2 * SERIES_MAX);
	CU_ASSERT_EQUAL(sum_of(&b), sum_of(&c));
	CU_ASSERT_EQUAL(b.at[49].completed, 4);
	CU_ASSERT_EQUAL(b.at[50].completed, 2);
	series_end(&a);
	series_end(&b);
	series_end(&c);
}

void suite_wget_series(void);

void
suite_wget_series(void)
{
	CU_pSuite s = CU_add_suite("wget_series", NULL, NULL);

	CU_add_test(s, "a time falls into its second", test_places);
	CU_add_test(s, "a long run has longer intervals, and all it counted", test_doubles);
	CU_add_test(s, "series of different lengths add up in either order", test_merge);
}
