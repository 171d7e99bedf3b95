/* SPDX-License-Identifier: BSD-3-Clause */
/* What a pair has cost: time cannot be told beforehand, but what it must agree with can. */
#include "api/usage.h"

#include <CUnit/CUnit.h>
#include <time.h>

void suite_usage(void);

static void
test_the_counter_never_goes_back(void)
{
	uint64_t last = usage_cycles();

	for (int i = 0; i < 1000; i++) {
		uint64_t now = usage_cycles();

		CU_ASSERT_TRUE(now >= last);
		last = now;
	}
}

static void
test_busy_steps_add_up(void)
{
	uint64_t before = usage_cycles();
	struct mtcp_usage out;
	struct usage u;

	usage_init(&u);
	usage_busy(&u, usage_cycles());
	usage_busy(&u, before);
	usage_read(&u, &out);
	CU_ASSERT_EQUAL(out.busy_steps, 2);
	CU_ASSERT_TRUE(out.busy_cycles > 0);
	CU_ASSERT_TRUE(out.busy_cycles <= 2 * (usage_cycles() - before));
}

/* Work until the thread's own clock has moved. */
static void
test_the_application_s_time_is_its_threads(void)
{
	struct mtcp_usage out;
	struct usage u;

	usage_init(&u);
	do
		usage_read(&u, &out);
	while (out.app_ns < 100000);
	CU_ASSERT_TRUE(out.cycles_per_s > 1000000);
	CU_ASSERT_EQUAL(out.busy_steps, 0);
	CU_ASSERT_EQUAL(out.busy_cycles, 0);
}

void
suite_usage(void)
{
	CU_pSuite s = CU_add_suite("usage", NULL, NULL);

	CU_add_test(s, "the counter never goes back", test_the_counter_never_goes_back);
	CU_add_test(s, "busy steps and their cycles add up", test_busy_steps_add_up);
	CU_add_test(s, "the application's time is its thread's", test_the_application_s_time_is_its_threads);
}
