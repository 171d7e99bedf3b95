/* SPDX-License-Identifier: BSD-3-Clause */
/* Seats and lanes, from one thread; test/stress/stress_hall.c has many. */
#include <CUnit/CUnit.h>

#include <stdlib.h>

#include "core/hall.h"
#include "test/base/memory.h"

void suite_hall(void);

static const uint8_t key[RSS_KEY_LEN] = { 1, 2, 3 };

static struct hall *
open_hall(struct region *mem, unsigned cores)
{
	struct hall *h;

	*mem = memory_new(hall_size(cores));
	h = hall_new(mem, cores, key);
	CU_ASSERT_PTR_NOT_NULL_FATAL(h);
	return h;
}

static union hall_slot
word_of(uint32_t n)
{
	union hall_slot s;

	memset(&s, 0, sizeof s);
	s.word.n = n;
	return s;
}

static void
test_lanes_keep_order_and_apart(void)
{
	struct region mem;
	struct hall *h = open_hall(&mem, 5);
	union hall_slot s;

	for (uint32_t i = 0; i < 3000; i++) {
		unsigned from = i % 5, to = i / 5 % 5, kind = i / 25 % HALL_LANES;

		s = word_of(i);
		CU_ASSERT_TRUE(hall_push(h, from, to, (enum hall_lane_kind)kind, &s));
	}
	for (uint32_t i = 0; i < 3000; i++) {
		unsigned from = i % 5, to = i / 5 % 5, kind = i / 25 % HALL_LANES;

		CU_ASSERT_TRUE(hall_pop(h, from, to, (enum hall_lane_kind)kind, &s));
		CU_ASSERT_EQUAL(s.word.n, i);
	}
	for (unsigned i = 0; i < 25; i++)
		CU_ASSERT_FALSE(hall_pop(h, i % 5, i / 5, HALL_WORDS, &s));
	memory_free(&mem);
}

static void
test_a_full_lane_takes_no_more(void)
{
	struct region mem;
	struct hall *h = open_hall(&mem, 2);
	union hall_slot s = word_of(0);
	unsigned n = 0;

	while (n < 10000 && hall_push(h, 0, 1, HALL_PACKETS, &s))
		n++;
	CU_ASSERT_TRUE(n >= 256 && n < 10000);
	CU_ASSERT_TRUE(hall_push(h, 1, 0, HALL_PACKETS, &s));
	CU_ASSERT_TRUE(hall_pop(h, 0, 1, HALL_PACKETS, &s));
	CU_ASSERT_TRUE(hall_push(h, 0, 1, HALL_PACKETS, &s));
	CU_ASSERT_FALSE(hall_push(h, 0, 1, HALL_PACKETS, &s));
	memory_free(&mem);
}

static void
test_who_sleeps_is_woken_once(void)
{
	struct region mem;
	struct hall *h = open_hall(&mem, 64);

	CU_ASSERT_FALSE(hall_ring(h, 63, 1)); /* awake: it will look */
	CU_ASSERT_FALSE(hall_sleep(h, 1));    /* and so may not sleep */
	CU_ASSERT_EQUAL(hall_heard(h, 1), UINT64_C(1) << 63);
	CU_ASSERT_EQUAL(hall_heard(h, 1), 0);
	CU_ASSERT_TRUE(hall_sleep(h, 1));
	CU_ASSERT_TRUE(hall_ring(h, 0, 1));
	CU_ASSERT_FALSE(hall_ring(h, 5, 1));
	hall_rouse(h, 1);
	CU_ASSERT_EQUAL(hall_heard(h, 1), 1 | 1 << 5);
	memory_free(&mem);
}

static void
test_a_listener_is_found_among_those_that_run(void)
{
	struct region mem;
	struct hall *h = open_hall(&mem, 4);
	unsigned seen[4] = { 0 };

	for (unsigned i = 0; i < 4; i++)
		hall_enter(h, i, HALL_RUNS);
	CU_ASSERT_EQUAL(hall_listener(h, 0, 80, 7), HALL_CORES_MAX);
	hall_listen(h, 0, 80, true);
	CU_ASSERT_EQUAL(hall_listener(h, 0, 80, 7), HALL_CORES_MAX); /* itself does not count */
	hall_listen(h, 2, 80, true);
	hall_listen(h, 3, 80, true);
	hall_listen(h, 3, 81, true);
	for (uint32_t hash = 0; hash < 100; hash++) {
		unsigned core = hall_listener(h, 0, 80, hash);

		CU_ASSERT_TRUE_FATAL(core < 4);
		seen[core]++;
		CU_ASSERT_EQUAL(core, hall_listener(h, 0, 80, hash));
	}
	CU_ASSERT_TRUE(seen[2] == 50 && seen[3] == 50);
	hall_enter(h, 3, HALL_LEAVES);
	CU_ASSERT_EQUAL(hall_listener(h, 0, 80, 1), 2);
	CU_ASSERT_EQUAL(hall_listener(h, 0, 81, 1), HALL_CORES_MAX);
	hall_listen(h, 2, 80, false);
	CU_ASSERT_EQUAL(hall_listener(h, 0, 80, 1), HALL_CORES_MAX);
	CU_ASSERT_TRUE(hall_listens(h, 3, 80) && hall_listens(h, 3, 81));
	memory_free(&mem);
}

static void
test_others_are_waited_for_until_quiet(void)
{
	struct region mem;
	struct hall *h = open_hall(&mem, 3);

	hall_enter(h, 0, HALL_RUNS);
	hall_enter(h, 1, HALL_RUNS);
	CU_ASSERT_FALSE(hall_others_quiet(h, 0));
	hall_enter(h, 1, HALL_LEAVES);
	CU_ASSERT_FALSE(hall_others_quiet(h, 0));
	hall_enter(h, 1, HALL_QUIET);
	CU_ASSERT_TRUE(hall_others_quiet(h, 0)); /* core 2 never was there */
	hall_enter(h, 1, HALL_GONE);
	CU_ASSERT_TRUE(hall_others_quiet(h, 0));
	CU_ASSERT_EQUAL(hall_turn(h, 1), 1);
	hall_enter(h, 1, HALL_RUNS);
	CU_ASSERT_EQUAL(hall_turn(h, 1), 2);
	memory_free(&mem);
}

static void
test_a_hall_has_its_size(void)
{
	struct region mem = memory_new(hall_size(3));

	CU_ASSERT_PTR_NULL(hall_new(&mem, 4, key));
	CU_ASSERT_PTR_NULL(hall_new(&mem, 0, key));
	CU_ASSERT_PTR_NULL(hall_new(&mem, HALL_CORES_MAX + 1, key));
	CU_ASSERT_PTR_NOT_NULL(hall_new(&mem, 3, key));
	memory_free(&mem);
}

void
suite_hall(void)
{
	CU_pSuite s = CU_add_suite("core/hall", NULL, NULL);

	CU_add_test(s, "lanes keep order, and apart", test_lanes_keep_order_and_apart);
	CU_add_test(s, "a full lane takes no more", test_a_full_lane_takes_no_more);
	CU_add_test(s, "who sleeps is woken once", test_who_sleeps_is_woken_once);
	CU_add_test(s, "a listener is found among those that run",
	            test_a_listener_is_found_among_those_that_run);
	CU_add_test(s, "others are waited for until quiet", test_others_are_waited_for_until_quiet);
	CU_add_test(s, "a hall has its size", test_a_hall_has_its_size);
}
