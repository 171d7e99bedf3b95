/* SPDX-License-Identifier: BSD-3-Clause */
/* The wheel beside an array of deadlines that is searched from end to end. */
#include <CUnit/CUnit.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/rng.h"
#include "base/wheel.h"

void suite_wheel(void);

#define TICK WHEEL_TICK
#define SPAN (INT64_C(1) << (WHEEL_LEVELS * WHEEL_SLOT_BITS)) /* in ticks */

/* Advances to `now`; whether exactly `n` is due. */
static bool
only_due(struct wheel *w, int64_t now, struct wheel_node *n)
{
	wheel_advance(w, now);
	return wheel_pop(w) == n && (!n || !wheel_pop(w));
}

static void
test_never_early_and_at_most_a_tick_late(void)
{
	struct wheel w;
	struct wheel_node n = { 0 };

	wheel_init(&w, 5);
	wheel_set(&w, &n, MS(3) + 1);
	CU_ASSERT_TRUE(wheel_is_set(&n));
	CU_ASSERT_TRUE(only_due(&w, MS(3) + 1, NULL));
	CU_ASSERT_TRUE(only_due(&w, MS(3) + TICK - 1, NULL));
	CU_ASSERT_TRUE(only_due(&w, MS(3) + TICK, &n));
	CU_ASSERT_FALSE(wheel_is_set(&n));
	CU_ASSERT_EQUAL(w.n, 0);

	wheel_set(&w, &n, MS(5)); /* a deadline on a tick is exact */
	CU_ASSERT_EQUAL(wheel_next(&w), MS(5));
	CU_ASSERT_TRUE(only_due(&w, MS(5) - 1, NULL));
	CU_ASSERT_TRUE(only_due(&w, MS(5), &n));
}

static void
test_passed_deadline_is_due_at_next_advance(void)
{
	struct wheel w;
	struct wheel_node n = { 0 };

	wheel_init(&w, SEC(10));
	wheel_set(&w, &n, SEC(3));
	CU_ASSERT_PTR_NULL(wheel_pop(&w)); /* or a loop that sets and pops never ends */
	CU_ASSERT_TRUE(wheel_next(&w) <= SEC(10));
	CU_ASSERT_TRUE(only_due(&w, SEC(10), &n));
	CU_ASSERT_EQUAL(wheel_next(&w), TIME_NEVER);
}

static void
test_cancelled_and_moved_timers_do_not_fire(void)
{
	struct wheel w;
	struct wheel_node a = { 0 }, b = { 0 }, c = { 0 };

	wheel_init(&w, 0);
	wheel_cancel(&w, &a); /* not set: fine */
	wheel_set(&w, &a, MS(1));
	wheel_set(&w, &b, MS(1));
	wheel_set(&w, &c, MS(1));
	wheel_cancel(&w, &a);
	wheel_set(&w, &b, MS(9));
	wheel_set(&w, &c, TIME_NEVER);
	CU_ASSERT_EQUAL(w.n, 1);
	CU_ASSERT_EQUAL(wheel_next(&w), MS(9));
	CU_ASSERT_TRUE(only_due(&w, MS(8), NULL));
	CU_ASSERT_TRUE(only_due(&w, MS(9), &b));

	wheel_set(&w, &a, MS(10)); /* due already, and then cancelled */
	wheel_advance(&w, MS(11));
	wheel_cancel(&w, &a);
	CU_ASSERT_PTR_NULL(wheel_pop(&w));
	CU_ASSERT_EQUAL(wheel_next(&w), TIME_NEVER);
	CU_ASSERT_EQUAL(w.n, 0);
}

static void
test_timers_fire_in_order(void)
{
	struct wheel w;
	struct wheel_node n[100] = { 0 };
	int64_t last = 0;
	unsigned popped = 0;
	struct wheel_node *p;

	wheel_init(&w, 0);
	for (unsigned i = 0; i < array_len(n); i++)
		wheel_set(&w, &n[i], (int64_t)(i * 37 % 100) * (i * 37 % 100) * TICK + TICK);
	wheel_advance(&w, SEC(60));
	for (; (p = wheel_pop(&w)); popped++) {
		CU_ASSERT_TRUE(p->at >= last);
		last = p->at;
	}
	CU_ASSERT_EQUAL(popped, array_len(n));
}

/* Were each tick visited, this would take years. */
static void
test_skipped_ticks_cost_nothing(void)
{
	struct wheel w;
	struct wheel_node n = { 0 };
	int64_t far = INT64_MAX - SEC(1);

	wheel_init(&w, 0);
	wheel_set(&w, &n, far);
	CU_ASSERT_TRUE(only_due(&w, far - TICK, NULL));
	CU_ASSERT_TRUE(only_due(&w, far + TICK, &n));
	wheel_set(&w, &n, TIME_NEVER - 1); /* the end of time does not overflow */
	CU_ASSERT_TRUE(wheel_next(&w) > far);
	CU_ASSERT_TRUE(only_due(&w, TIME_NEVER - 1, &n));
}

static void
test_beyond_the_span(void)
{
	struct wheel w;
	struct wheel_node n = { 0 };
	int64_t start = (SPAN - 1) * TICK, at = (3 * SPAN + 5) * TICK;
	unsigned hops = 0;

	wheel_init(&w, start);
	wheel_set(&w, &n, at);
	while (wheel_next(&w) < at && hops++ < 20)
		CU_ASSERT_TRUE(only_due(&w, wheel_next(&w), NULL));
	CU_ASSERT_TRUE(hops <= 4);
	CU_ASSERT_EQUAL(wheel_next(&w), at);
	CU_ASSERT_TRUE(only_due(&w, at, &n));
}

static void
test_time_before_zero(void)
{
	struct wheel w;
	struct wheel_node n = { 0 }, m = { 0 };

	wheel_init(&w, -SEC(1) - 1);
	wheel_set(&w, &n, -MS(1) - 1);
	wheel_set(&w, &m, MS(1));
	CU_ASSERT_TRUE(only_due(&w, -MS(1) - 1, NULL));
	CU_ASSERT_TRUE(only_due(&w, -MS(1), &n));
	CU_ASSERT_TRUE(only_due(&w, MS(1), &m));
}

static void
test_clock_that_steps_back_is_ignored(void)
{
	struct wheel w;
	struct wheel_node n = { 0 };

	wheel_init(&w, SEC(5));
	wheel_set(&w, &n, SEC(6));
	CU_ASSERT_TRUE(only_due(&w, SEC(1), NULL));
	CU_ASSERT_EQUAL(w.tick, SEC(5) / TICK);
	CU_ASSERT_TRUE(only_due(&w, SEC(6), &n));
}

/* -- twin ----------------------------------------------------------------- */

#define TIMERS 40u

struct twin {
	struct wheel w;
	struct wheel_node node[TIMERS];
	int64_t at[TIMERS]; /* TIME_NEVER: not set */
	int64_t now;
	struct rng rng;
	int reach; /* times are drawn below 2^reach ticks */
};

/* The first moment, on a tick, that is not before `at`; for at >= 0. */
static int64_t
fires_at(int64_t at)
{
	return (at + TICK - 1) / TICK * TICK;
}

static int64_t
some_time(struct twin *t)
{
	uint64_t ticks = rng_u64(&t->rng) >> (64 - 1 - rng_below(&t->rng, (uint32_t)t->reach));

	return (int64_t)ticks * TICK + (rng_below(&t->rng, 2) ? rng_below(&t->rng, TICK) : 0);
}

static int64_t
earliest(const struct twin *t)
{
	int64_t first = TIME_NEVER;

	for (unsigned i = 0; i < TIMERS; i++)
		if (t->at[i] != TIME_NEVER)
			first = min(first, fires_at(t->at[i]));
	return first;
}

/* Pops all; each must be one that the array says is due, in order. */
static bool
pops_agree(struct twin *t)
{
	int64_t last = 0, began = t->w.tick * TICK;
	struct wheel_node *n;

	wheel_advance(&t->w, t->now);
	while ((n = wheel_pop(&t->w))) {
		int64_t *at = &t->at[n - t->node];
		int64_t fired = *at == TIME_NEVER ? TIME_NEVER : fires_at(*at);

		if (fired > t->now || n->at != *at)
			return false;
		fired = max(fired, began); /* overdue ones come first, in any order */
		if (fired < last)
			return false;
		last = fired;
		*at = TIME_NEVER;
	}
	return earliest(t) > t->now;
}

static bool
bits_agree(const struct twin *t)
{
	for (unsigned l = 0; l < WHEEL_LEVELS; l++)
		for (unsigned s = 0; s < WHEEL_SLOTS; s++)
			if (list_empty(&t->w.slot[l][s]) == (t->w.busy[l] >> s & 1))
				return false;
	return true;
}

static bool
next_agrees(const struct twin *t)
{
	int64_t next = wheel_next(&t->w), first = earliest(t);

	if (first == TIME_NEVER)
		return next == TIME_NEVER && t->w.n == 0;
	return next <= max(first, t->now); /* never late */
}

static void
twin_set(struct twin *t)
{
	unsigned i = rng_below(&t->rng, TIMERS);
	int64_t at = t->now + some_time(t);

	if (rng_below(&t->rng, 8) == 0)
		at = TIME_NEVER;
	else if (rng_below(&t->rng, 8) == 0)
		at = max(t->now - some_time(t), INT64_C(0));
	wheel_set(&t->w, &t->node[i], at);
	t->at[i] = at;
}

static bool
twin_step(struct twin *t)
{
	int64_t next;

	switch (rng_below(&t->rng, 4)) {
	case 0:
		t->now += some_time(t);
		return pops_agree(t);
	case 1:
		next = wheel_next(&t->w);
		if (next != TIME_NEVER)
			t->now = max(t->now, next);
		return pops_agree(t);
	default:
		twin_set(t);
		return true;
	}
}

static bool
twin_run(uint64_t seed)
{
	struct twin t = { .rng = { seed } };

	t.reach = 1 + (int)rng_below(&t.rng, 33);
	t.now = some_time(&t);
	if (rng_below(&t.rng, 2)) /* just before digits wrap */
		t.now = (INT64_C(1) << rng_below(&t.rng, 34)) * TICK - 1 - rng_below(&t.rng, 3);
	wheel_init(&t.w, t.now);
	for (unsigned i = 0; i < TIMERS; i++)
		t.at[i] = TIME_NEVER;
	for (int i = 0; i < 300; i++)
		if (!twin_step(&t) || !bits_agree(&t) || !next_agrees(&t))
			return false;
	return true;
}

static void
test_wheel_equals_a_search_through_all(void)
{
	uint64_t seed;

	for (seed = 1; seed <= 500; seed++)
		if (!twin_run(seed))
			break;
	CU_ASSERT_EQUAL(seed, 501);
	if (seed <= 500)
		printf("\n  seed %llu\n", (unsigned long long)seed);
}

void
suite_wheel(void)
{
	CU_pSuite s = CU_add_suite("wheel", NULL, NULL);

	CU_add_test(s, "a timer is never early and at most a tick late",
	            test_never_early_and_at_most_a_tick_late);
	CU_add_test(s, "a deadline that has passed is due at the next advance",
	            test_passed_deadline_is_due_at_next_advance);
	CU_add_test(s, "cancelled and moved timers do not fire",
	            test_cancelled_and_moved_timers_do_not_fire);
	CU_add_test(s, "timers fire in order", test_timers_fire_in_order);
	CU_add_test(s, "skipped ticks cost nothing", test_skipped_ticks_cost_nothing);
	CU_add_test(s, "a timer beyond the span cascades and fires", test_beyond_the_span);
	CU_add_test(s, "time may lie before zero", test_time_before_zero);
	CU_add_test(s, "a clock that steps back is ignored",
	            test_clock_that_steps_back_is_ignored);
	CU_add_test(s, "a wheel equals a search through all timers",
	            test_wheel_equals_a_search_through_all);
}
