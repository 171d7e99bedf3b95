/* SPDX-License-Identifier: BSD-3-Clause */
/* Cores of several processes behind one address: they die, come again, and leave garbage. */
#include <CUnit/CUnit.h>

#include <stdio.h>

#include "test/core/town.h"

void suite_census(void);

#define ALL 0xffu

/* How frames to side 0 find a queue. */
struct chooser {
	struct town *t;
	enum { ANY, BY_FLOW } how;
	unsigned shift; /* BY_FLOW: the port's number is looked at from this bit on */
};

static struct town t;
static struct chooser chooser;

static unsigned
choose(void *arg, unsigned side, unsigned queue, const uint8_t *frame, uint32_t len)
{
	struct chooser *c = arg;
	unsigned queues = max(c->t->cfg.queues, 1u);

	(void)queue;
	if (side != 1)
		return 0;
	if (c->how == ANY || len < 38)
		return rng_below(&c->t->rng, queues);
	return (frame[35] >> c->shift) % queues; /* of the sender's TCP port */
}

/* Side 0: `cores` cores with a queue each, `per` of them a process; side 1 a core. */
static void
open_town(unsigned cores, unsigned per, int how)
{
	memset(&t, 0, offsetof(struct town, side));
	t.tune = NULL;
	t.fenced = false;
	t.rng = (struct rng){ 17 };
	t.per = per;
	chooser = (struct chooser){ .t = &t, .how = how == ANY ? ANY : BY_FLOW };
	t.cfg = (struct io_mem_config){ .queues = cores, .steer = choose, .steer_arg = &chooser };
	town_open(&t, cores, 1);
	town_run(&t, MS(1));
}

/* What the process that notices the death of another does. */
static void
bury(unsigned core, unsigned by)
{
	struct hall *h = t.side[0].view[by];

	CU_ASSERT_TRUE(hall_bury(h, core, hall_post(h, core)));
}

static unsigned
living_talks(unsigned from, unsigned to)
{
	unsigned n = 0;

	for (unsigned i = from; i < to; i++)
		n += t.talk[i].got == TOWN_SAYS && !t.talk[i].failed;
	return n;
}

static void
say_again(unsigned from, unsigned to)
{
	for (unsigned i = from; i < to; i++)
		town_again(&t.talk[i]);
}

/* -- all is well ------------------------------------------------------------------- */

static void
test_connections_live_whichever_process_their_packets_reach(void)
{
	open_town(4, 2, ANY);
	town_listen(&t, 0, ALL);
	town_listen(&t, 1, ALL);
	for (unsigned i = 0; i < 150; i++) {
		(void)town_talk(&t, 1, 0, 0, false);
		(void)town_talk(&t, 0, i % 4, (uint16_t)(i % 3 ? 0 : 5000 + i), false);
	}
	town_run(&t, SEC(3));
	CU_ASSERT_EQUAL(town_heard(&t), 300);
	CU_ASSERT_EQUAL(town_fates(&t, 0, DROP_NO_CONN), 0);
	CU_ASSERT_EQUAL(town_dropped(&t, 0), 0);
	CU_ASSERT_TRUE(town_out(&t, 0) > 500);
	for (unsigned i = 0; i < 4; i++)
		CU_ASSERT_TRUE(t.side[0].accepted[i] > 10);
	town_run(&t, SEC(200));
	CU_ASSERT_EQUAL(town_exceptions(&t, 0), 0);
	town_close(&t);
}

/* Where the device does not scatter a flow, a process serves what its own queue brings. */
static void
test_what_a_queue_brings_stays_with_its_process(void)
{
	open_town(2, 1, BY_FLOW);
	town_listen(&t, 0, ALL);
	for (unsigned i = 0; i < 100; i++)
		(void)town_talk(&t, 1, 0, 0, true);
	town_run(&t, SEC(1));
	CU_ASSERT_EQUAL(town_heard(&t), 100);
	CU_ASSERT_EQUAL(town_out(&t, 0), 0);
	CU_ASSERT_EQUAL(t.side[0].accepted[0] + t.side[0].accepted[1], 100);
	town_close(&t);
}

static void
test_a_listener_of_another_process_is_found(void)
{
	open_town(2, 1, ANY);
	town_listen(&t, 0, 1 << 1);
	for (unsigned i = 0; i < 60; i++)
		(void)town_talk(&t, 1, 0, 0, false);
	town_run(&t, SEC(3));
	CU_ASSERT_EQUAL(town_heard(&t), 60);
	CU_ASSERT_EQUAL(t.side[0].accepted[1], 60);
	town_close(&t);
}

/* -- death ------------------------------------------------------------------------- */

/* Half of the connections end with their process, the others go on, and new ones all work. */
static void
test_a_death_ends_nothing_of_the_others(void)
{
	unsigned mine, n = 100;

	open_town(2, 1, BY_FLOW);
	town_listen(&t, 0, ALL);
	for (unsigned i = 0; i < n; i++)
		(void)town_talk(&t, 1, 0, 0, true);
	town_run(&t, SEC(1));
	CU_ASSERT_EQUAL(town_heard(&t), n);
	mine = t.side[0].accepted[0];
	CU_ASSERT_TRUE(mine > 10 && mine < n - 10);
	town_kill(&t, 0, 1);
	bury(1, 0);
	t.cfg.queues = 1; /* the device has noticed, too: its queue has gone */
	say_again(0, n);
	town_run(&t, SEC(1));
	CU_ASSERT_EQUAL(living_talks(0, n), mine);
	for (unsigned i = 0; i < 50; i++)
		(void)town_talk(&t, 1, 0, 0, true);
	town_run(&t, SEC(1));
	CU_ASSERT_EQUAL(living_talks(n, n + 50), 50);
	town_close(&t);
}

/* What a process has accepted while the other was gone hashes to that one's cores for a half.
 * The packets come to the new one's queue then, and it knows whose they are. */
static void
test_who_comes_again_is_told_what_others_keep(void)
{
	unsigned n = 50;

	open_town(2, 1, BY_FLOW);
	town_listen(&t, 0, ALL);
	town_run(&t, MS(1));
	town_kill(&t, 0, 1);
	bury(1, 0);
	t.cfg.queues = 1;
	for (unsigned i = 0; i < n; i++)
		(void)town_talk(&t, 1, 0, 0, true);
	town_run(&t, SEC(1));
	CU_ASSERT_EQUAL(town_heard(&t), n);
	CU_ASSERT_EQUAL(t.side[0].accepted[0], n);
	t.cfg.queues = 2;
	chooser.how = ANY;
	t.side[0].dead[0] = true;
	town_revive(&t, 0, 1);
	town_listen(&t, 0, 1 << 1);
	say_again(0, n);
	town_run(&t, MS(2)); /* nobody has told it anything */
	t.side[0].dead[0] = false;
	town_run(&t, SEC(2));
	CU_ASSERT_EQUAL(town_heard(&t), n);
	CU_ASSERT_TRUE(town_out(&t, 0) > n / 4);
	CU_ASSERT_EQUAL(town_fates(&t, 0, DROP_NO_CONN), 0);
	CU_ASSERT_EQUAL(town_dropped(&t, 0), 0);
	for (unsigned i = 0; i < n; i++)
		(void)town_talk(&t, 1, 0, 0, false);
	town_run(&t, SEC(2));
	CU_ASSERT_EQUAL(living_talks(n, 2 * n), n);
	CU_ASSERT_TRUE(t.side[0].accepted[1] > 10);
	town_close(&t);
}

/* `n` connections that two of three keep; then the third, a home of some, dies. */
static void
lose_a_home(unsigned n)
{
	open_town(3, 1, ANY);
	town_listen(&t, 0, 1 << 0 | 1 << 1);
	for (unsigned i = 0; i < n; i++)
		(void)town_talk(&t, 1, 0, 0, true);
	town_run(&t, SEC(1));
	CU_ASSERT_EQUAL(town_heard(&t), n);
	town_kill(&t, 0, 2);
	bury(2, 1);
	t.cfg.queues = 2;
}

/* The same with three: home moves to a stand-in, and back. */
static void
test_homes_move_and_come_back(void)
{
	unsigned n = 150;

	lose_a_home(n);
	town_run(&t, MS(5));
	say_again(0, n);
	town_run(&t, SEC(1));
	CU_ASSERT_EQUAL(town_heard(&t), n);
	t.cfg.queues = 3;
	town_revive(&t, 0, 2);
	say_again(0, n);
	town_run(&t, SEC(2));
	CU_ASSERT_EQUAL(town_heard(&t), n);
	CU_ASSERT_EQUAL(town_fates(&t, 0, DROP_NO_CONN), 0);
	CU_ASSERT_EQUAL(town_dropped(&t, 0), 0);
	town_close(&t);
}

/* The same, but who keeps them is slow to say so: the stand-in resets none of them. */
static void
test_a_stand_in_waits_until_it_is_told(void)
{
	unsigned n = 150;

	lose_a_home(n);
	t.side[0].dead[0] = true; /* stopped: it tells nobody anything */
	say_again(0, n);
	town_run(&t, MS(1500));
	CU_ASSERT_TRUE(town_fates(&t, 0, DROP_NO_CONN) > 0);
	t.side[0].dead[0] = false;
	town_run(&t, SEC(2));
	CU_ASSERT_EQUAL(living_talks(0, n), n);
	CU_ASSERT_EQUAL(town_heard(&t), n);
	town_close(&t);
}

/* Nobody has noticed yet: what is left for the dead is lost, and nothing else. */
static void
test_a_death_unnoticed_costs_only_what_was_handed_over(void)
{
	open_town(2, 1, BY_FLOW);
	town_listen(&t, 0, ALL);
	town_run(&t, MS(1));
	town_kill(&t, 0, 1);
	t.cfg.queues = 1;
	for (unsigned i = 0; i < 200; i++)
		(void)town_talk(&t, 1, 0, 0, true);
	town_run(&t, SEC(1)); /* SYNs stay; ACKs find their connections */
	CU_ASSERT_EQUAL(town_heard(&t), 200);
	town_revive(&t, 0, 1); /* before anybody has noticed */
	town_listen(&t, 0, 1 << 1);
	t.cfg.queues = 2;
	chooser.how = ANY;
	say_again(0, 200);
	town_run(&t, SEC(2));
	CU_ASSERT_EQUAL(town_heard(&t), 200);
	CU_ASSERT_EQUAL(town_fates(&t, 0, DROP_NO_CONN), 0);
	town_close(&t);
}

/* Who does not run cannot greet: the new one waits for a moment, not for ever. */
static void
test_who_is_stopped_holds_up_nobody(void)
{
	open_town(3, 1, BY_FLOW);
	town_kill(&t, 0, 2);
	bury(2, 0);
	town_run(&t, MS(1));
	t.side[0].dead[0] = true; /* stopped */
	town_revive(&t, 0, 2);
	town_run(&t, MS(100));
	CU_ASSERT_EQUAL(hall_state(t.side[0].view[2], 2), HALL_JOINS);
	town_run(&t, MS(200));
	CU_ASSERT_EQUAL(hall_state(t.side[0].view[2], 2), HALL_RUNS);
	t.side[0].dead[0] = false;
	town_run(&t, MS(10));
	town_close(&t);
}

/* Who listened listens no more, since another does; that one still waits for greetings. */
static void
test_who_listens_while_it_joins_is_sent_to(void)
{
	open_town(3, 1, BY_FLOW);
	town_listen(&t, 0, 1 << 0);
	town_kill(&t, 0, 1);
	bury(1, 0);
	town_run(&t, MS(1));
	t.cfg.queues = 1;
	t.side[0].dead[2] = true; /* stopped */
	town_revive(&t, 0, 1);
	town_listen(&t, 0, 1 << 1);
	CU_ASSERT_EQUAL(listener_retire(t.side[0].core[0].st, t.side[0].listener[0]), 0);
	for (unsigned i = 0; i < 32; i++)
		(void)town_talk(&t, 1, 0, 0, false);
	town_run(&t, MS(50));
	CU_ASSERT_EQUAL(hall_state(t.side[0].view[1], 1), HALL_JOINS);
	t.side[0].dead[2] = false;
	town_run(&t, SEC(2));
	CU_ASSERT_EQUAL(town_fates(&t, 0, DROP_NO_CONN), 0);
	CU_ASSERT_EQUAL(living_talks(0, 32), 32);
	CU_ASSERT_EQUAL(t.side[0].accepted[1], 32);
	town_close(&t);
}

/* -- queues of others ----------------------------------------------------------------- */

static uint64_t adopted[8]; /* by each core, as its engine was told */

static bool
note_adopted(struct io *io, uint64_t cores)
{
	for (unsigned i = 0; i < 3; i++)
		if (io_mem_end(t.wire, 0, i) == io)
			adopted[i] = cores;
	return true;
}

/* A queue has one who looks at it, and never two. */
static void
check_adopted(unsigned living, uint64_t absent)
{
	uint64_t all = 0;

	for (unsigned i = 0; i < 3; i++) {
		if (!(living >> i & 1))
			continue;
		CU_ASSERT_EQUAL(all & adopted[i], 0);
		all |= adopted[i];
	}
	CU_ASSERT_EQUAL(all, absent);
}

static void
test_queues_of_who_is_not_there_are_looked_at_by_one(void)
{
	static struct io_ops ops;

	open_town(3, 1, BY_FLOW);
	ops = *io_mem_end(t.wire, 0, 0)->ops;
	ops.adopt = note_adopted;
	for (unsigned i = 0; i < 3; i++) {
		io_mem_end(t.wire, 0, i)->ops = &ops;
		t.side[0].core[i].st->steer.census.can_adopt = true;
		adopted[i] = 0;
	}
	town_kill(&t, 0, 1);
	bury(1, 0);
	town_run(&t, MS(5));
	check_adopted(5, 1 << 1);
	town_kill(&t, 0, 2);
	bury(2, 0);
	town_run(&t, MS(5));
	check_adopted(1, 1 << 1 | 1 << 2);
	t.side[0].dead[0] = true; /* stopped: it may look at any moment */
	town_revive(&t, 0, 1);
	adopted[1] = 0;
	town_run(&t, MS(300));
	CU_ASSERT_EQUAL(hall_state(t.side[0].view[1], 1), HALL_JOINS);
	t.side[0].dead[0] = false;
	town_run(&t, MS(5));
	CU_ASSERT_EQUAL(hall_state(t.side[0].view[1], 1), HALL_RUNS);
	check_adopted(3, 1 << 2);
	town_revive(&t, 0, 2);
	town_run(&t, MS(5));
	check_adopted(7, 0);
	town_close(&t);
}

/* -- garbage ----------------------------------------------------------------------- */

/* Whatever stands in what is shared: no crash, no endless loop, and our own connections,
 * whose packets come to our own queue, go on. */
static void
test_garbage_harms_nobody(void)
{
	for (unsigned round = 0; round < 12; round++) {
		struct rng rng = { round + 1 };
		struct region *shared = &t.side[0].hall_mem;

		open_town(2, 1, BY_FLOW);
		town_listen(&t, 0, ALL);
		for (unsigned i = 0; i < 20; i++)
			(void)town_talk(&t, 1, 0, 0, true);
		town_run(&t, MS(500));
		CU_ASSERT_EQUAL(town_heard(&t), 20);
		town_kill(&t, 0, 1);
		t.cfg.queues = 1;
		chooser.how = BY_FLOW;
		for (size_t at = 0; at + 8 <= shared->size; at += 8) {
			uint64_t v = round % 3 == 0   ? UINT64_MAX
			             : round % 3 == 1 ? rng_u64(&rng)
			                              : (rng_u64(&rng) & 0x0000040100000401);

			memcpy(shared->base + at, &v, sizeof v);
		}
		town_run(&t, MS(50));
		hall_sweep(t.side[0].view[1], 1);
		hall_enter(t.side[0].view[1], 1, HALL_GONE);
		hall_enter(t.side[0].view[0], 0, HALL_RUNS);
		say_again(0, 20);
		town_run(&t, SEC(1));
		CU_ASSERT_EQUAL(living_talks(0, 20), t.side[0].accepted[0]);
		town_close(&t);
	}
}

void
suite_census(void)
{
	CU_pSuite s = CU_add_suite("census", NULL, NULL);

	CU_add_test(s, "connections live whichever process their packets reach",
	            test_connections_live_whichever_process_their_packets_reach);
	CU_add_test(s, "what a queue brings stays with its process",
	            test_what_a_queue_brings_stays_with_its_process);
	CU_add_test(s, "a listener of another process is found",
	            test_a_listener_of_another_process_is_found);
	CU_add_test(s, "a death ends nothing of the others",
	            test_a_death_ends_nothing_of_the_others);
	CU_add_test(s, "who comes again is told what others keep",
	            test_who_comes_again_is_told_what_others_keep);
	CU_add_test(s, "homes move and come back", test_homes_move_and_come_back);
	CU_add_test(s, "a stand-in waits until it is told", test_a_stand_in_waits_until_it_is_told);
	CU_add_test(s, "a death unnoticed costs only what was handed over",
	            test_a_death_unnoticed_costs_only_what_was_handed_over);
	CU_add_test(s, "who is stopped holds up nobody", test_who_is_stopped_holds_up_nobody);
	CU_add_test(s, "who listens while it joins is sent to", test_who_listens_while_it_joins_is_sent_to);
	CU_add_test(s, "queues of who is not there are looked at by one",
	            test_queues_of_who_is_not_there_are_looked_at_by_one);
	CU_add_test(s, "garbage harms nobody", test_garbage_harms_nobody);
}
