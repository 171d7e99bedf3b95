/* SPDX-License-Identifier: BSD-3-Clause */
/* What a stack's thread does when it has nothing to do. */
#include <CUnit/CUnit.h>

#include "api/idle.h"

void suite_idle(void);

/* Lets `i` be idle from `now` until it does something else than `act`; when. */
static int64_t
until_not(struct idle *i, enum idle_act act, int64_t now, bool shared, bool sleeps)
{
	int64_t nap;

	while (idle_next(i, now, shared, sleeps, &nap) == act)
		now += US(1);
	return now;
}

static void
test_it_looks_a_while_then_sleeps_until_woken(void)
{
	struct idle i;
	int64_t nap, end;

	idle_init(&i, US(50), US(500), true, 0);
	end = until_not(&i, IDLE_LOOK, 0, false, false);
	CU_ASSERT_EQUAL(end, US(50));
	CU_ASSERT_EQUAL(idle_next(&i, end, false, false, &nap), IDLE_SLEEP);
	CU_ASSERT_EQUAL(nap, TIME_NEVER);
}

static void
test_naps_grow_where_ports_cannot_wake(void)
{
	struct idle i;
	int64_t nap, last = 0, now = US(50);

	idle_init(&i, US(50), US(500), false, 0);
	for (int n = 0; n < 20; n++) {
		CU_ASSERT_EQUAL(idle_next(&i, now, false, true, &nap), IDLE_SLEEP);
		CU_ASSERT(nap >= last && nap <= US(500));
		last = nap;
		now += nap;
	}
	CU_ASSERT_EQUAL(last, US(500));
	idle_busy(&i, now);
	CU_ASSERT_EQUAL(idle_next(&i, now + US(50), false, true, &nap), IDLE_SLEEP);
	CU_ASSERT_EQUAL(nap, US(20));
}

static void
test_looking_that_never_pays_is_cut(void)
{
	struct idle i;
	int64_t now = 0, nap;

	idle_init(&i, US(80), US(500), true, 0);
	for (int n = 0; n < 16; n++) {
		now = until_not(&i, IDLE_LOOK, now, false, true) + MS(1);
		idle_busy(&i, now);
	}
	CU_ASSERT_EQUAL(until_not(&i, IDLE_LOOK, now, false, true) - now, US(10));
	/* A find within the short look brings the long one back. */
	idle_busy(&i, now);
	CU_ASSERT_EQUAL(idle_next(&i, now + US(5), false, true, &nap), IDLE_LOOK);
	idle_busy(&i, now + US(6));
	now += US(6);
	CU_ASSERT_EQUAL(until_not(&i, IDLE_LOOK, now, false, true) - now, US(80));
}

static void
test_sharing_a_cpu_it_never_looks_while_the_application_works(void)
{
	struct idle i;
	int64_t nap;

	idle_init(&i, US(50), US(500), true, 0);
	CU_ASSERT_EQUAL(idle_next(&i, US(1), true, false, &nap), IDLE_YIELD);
	CU_ASSERT_EQUAL(idle_next(&i, US(2), true, false, &nap), IDLE_YIELD);
	for (int64_t now = US(3); now < MS(10); now += nap) {
		CU_ASSERT_EQUAL(idle_next(&i, now, true, false, &nap), IDLE_NAP);
		CU_ASSERT(nap <= US(200));
	}
	CU_ASSERT_EQUAL(idle_next(&i, MS(11), true, false, &nap), IDLE_SLEEP);
	CU_ASSERT_EQUAL(nap, TIME_NEVER);
}

static void
test_sharing_a_cpu_it_looks_when_the_application_sleeps(void)
{
	struct idle i;
	int64_t nap;

	idle_init(&i, US(50), US(500), true, 0);
	CU_ASSERT_EQUAL(idle_next(&i, US(1), true, true, &nap), IDLE_LOOK);
}

void
suite_idle(void)
{
	CU_pSuite s = CU_add_suite("api/idle", NULL, NULL);

	CU_add_test(s, "it looks a while, then sleeps until woken",
	            test_it_looks_a_while_then_sleeps_until_woken);
	CU_add_test(s, "naps grow where ports cannot wake", test_naps_grow_where_ports_cannot_wake);
	CU_add_test(s, "looking that never pays is cut", test_looking_that_never_pays_is_cut);
	CU_add_test(s, "sharing a CPU it never looks while the application works",
	            test_sharing_a_cpu_it_never_looks_while_the_application_works);
	CU_add_test(s, "sharing a CPU it looks when the application sleeps",
	            test_sharing_a_cpu_it_looks_when_the_application_sleeps);
}
