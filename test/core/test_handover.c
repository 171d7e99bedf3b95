/* SPDX-License-Identifier: BSD-3-Clause */
/* Packets from core to core: no queue, no room, nobody there, nobody awake. */
#include <CUnit/CUnit.h>

#include "test/core/town.h"

void suite_handover(void);

static void
test_cores_may_be_more_than_queues(void)
{
	static struct town t;

	town_open_random(&t, 5, 2);
	town_listen(&t, 0, TOWN_ALL);
	town_listen(&t, 1, TOWN_ALL);
	for (unsigned i = 0; i < 100; i++) {
		(void)town_talk(&t, 1, 0, 0, false);
		(void)town_talk(&t, 0, i % 5, 0, false);
	}
	town_run(&t, SEC(3));
	CU_ASSERT_EQUAL(town_heard(&t), 200);
	for (unsigned i = 0; i < 5; i++)
		CU_ASSERT_TRUE(t.side[0].accepted[i] > 8);
	town_check_accounts(&t, 0);
	for (unsigned i = 2; i < 5; i++) /* what they sent others have sent */
		CU_ASSERT_EQUAL(atomic_load(&stack_stats(t.side[0].core[i].st)->tx_pkts), 0);
	town_close(&t);
}

/* A core that does not run for a while: its lane fills, what is too much is counted, and TCP
 * sends it again. */
static void
test_a_full_lane_loses_and_counts(void)
{
	static struct town t;
	int64_t until;

	town_open_random(&t, 2, 2);
	town_listen(&t, 0, TOWN_ALL);
	for (unsigned i = 0; i < 400; i++)
		(void)town_talk(&t, 1, 0, 0, false);
	until = net_now(t.clock) + MS(100);
	t.side[0].left = 1; /* core 0 is held up */
	while (net_now(t.clock) < until)
		town_run(&t, MS(10));
	CU_ASSERT_TRUE(town_dropped(&t, 0) == 0 || town_fates(&t, 0, DROP_HANDOVER_FULL) > 0);
	t.side[0].left = 0;
	town_run(&t, SEC(10));
	CU_ASSERT_EQUAL(town_heard(&t), 400);
	CU_ASSERT_EQUAL(town_out(&t, 0), town_in(&t, 0));
	CU_ASSERT_EQUAL(town_fates(&t, 0, DROP_HANDOVER_FULL), town_dropped(&t, 0));
	town_close(&t);
}

static void
test_a_core_that_has_ended_gets_nothing(void)
{
	static struct town t;
	uint64_t gone;

	town_open_random(&t, 3, 3);
	town_listen(&t, 0, TOWN_ALL);
	town_run(&t, MS(10));
	town_leave(&t, 0, 0);
	for (unsigned i = 0; i < 60; i++)
		(void)town_talk(&t, 1, 0, 0, false);
	town_run(&t, MS(50));
	gone = town_fates(&t, 0, DROP_CORE_GONE);
	CU_ASSERT_TRUE(gone > 0);
	CU_ASSERT_EQUAL(town_dropped(&t, 0), gone);
	town_close(&t);
}

static void
test_a_sleeping_core_is_named_once(void)
{
	static struct town t;
	uint64_t woken = 0;
	unsigned times = 0;

	town_open_random(&t, 2, 2);
	town_listen(&t, 0, TOWN_ALL);
	town_run(&t, MS(10));
	t.side[0].left = 1; /* core 0 sleeps */
	CU_ASSERT_TRUE(stack_may_sleep(t.side[0].core[0].st));
	for (unsigned i = 0; i < 40; i++)
		(void)town_talk(&t, 1, 0, 0, false);
	for (unsigned i = 0; i < 50; i++) {
		uint64_t wakes;

		town_run(&t, US(20));
		wakes = stack_take_wakes(t.side[0].core[1].st);
		woken |= wakes;
		times += wakes != 0;
	}
	CU_ASSERT_EQUAL(woken, 1);
	CU_ASSERT_EQUAL(times, 1);
	CU_ASSERT_FALSE(stack_may_sleep(t.side[0].core[0].st)); /* there is something for it */
	stack_woke(t.side[0].core[0].st);
	t.side[0].left = 0;
	town_run(&t, SEC(4));
	CU_ASSERT_EQUAL(town_heard(&t), 40);
	CU_ASSERT_TRUE(stack_may_sleep(t.side[0].core[0].st));
	stack_woke(t.side[0].core[0].st);
	town_close(&t);
}

void
suite_handover(void)
{
	CU_pSuite s = CU_add_suite("core/handover", NULL, NULL);

	CU_add_test(s, "cores may be more than queues", test_cores_may_be_more_than_queues);
	CU_add_test(s, "a full lane loses, and counts", test_a_full_lane_loses_and_counts);
	CU_add_test(s, "a core that has ended gets nothing",
	            test_a_core_that_has_ended_gets_nothing);
	CU_add_test(s, "a sleeping core is named once", test_a_sleeping_core_is_named_once);
}
