/* SPDX-License-Identifier: BSD-3-Clause */
/* Connections kept elsewhere than at home, by cores behind one address. */
#include <CUnit/CUnit.h>

#include "tcp/tcp_cookie.h"
#include "test/core/town.h"

void suite_keeper(void);

/* The program's own ports: claimed at home, and let go of when the connection is over. */
static void
test_ports_of_the_programs_choice_are_claimed(void)
{
	static struct town t;

	town_open_random(&t, 4, 4);
	town_listen(&t, 1, TOWN_ALL);
	for (unsigned i = 0; i < 64; i++)
		(void)town_talk(&t, 0, i % 4, (uint16_t)(2000 + i), false);
	town_run(&t, MS(1500));
	CU_ASSERT_EQUAL(town_heard(&t), 64);
	CU_ASSERT_TRUE(town_exceptions(&t, 0) >= 64); /* in TIME-WAIT still */
	town_check_accounts(&t, 0);
	town_run(&t, SEC(200));
	CU_ASSERT_EQUAL(town_exceptions(&t, 0), 0);
	town_close(&t);
}

static void
test_one_core_may_listen_for_all(void)
{
	static struct town t;

	town_open_random(&t, 4, 4);
	town_listen(&t, 0, 1 << 2);
	for (unsigned i = 0; i < 100; i++)
		(void)town_talk(&t, 1, 0, 0, false);
	town_run(&t, SEC(3));
	CU_ASSERT_EQUAL(town_heard(&t), 100);
	CU_ASSERT_EQUAL(t.side[0].accepted[2], 100);
	town_check_accounts(&t, 0);
	town_run(&t, SEC(200));
	CU_ASSERT_EQUAL(town_exceptions(&t, 0), 0);
	town_close(&t);
}

/* Whoever listens later gets what is new; what was there stays where it is. */
static void
test_listeners_may_move(void)
{
	static struct town t;

	town_open_random(&t, 4, 4);
	town_listen(&t, 0, 1 << 1);
	for (unsigned i = 0; i < 50; i++)
		(void)town_talk(&t, 1, 0, 0, true);
	town_run(&t, SEC(1));
	CU_ASSERT_EQUAL(town_heard(&t), 50);
	town_deaf(&t, 0, 1);
	town_listen(&t, 0, 1 << 0 | 1 << 2 | 1 << 3);
	for (unsigned i = 0; i < 50; i++) {
		town_again(&t.talk[i]);
		(void)town_talk(&t, 1, 0, 0, false);
	}
	town_run(&t, SEC(2));
	CU_ASSERT_EQUAL(town_heard(&t), 100);
	CU_ASSERT_EQUAL(t.side[0].accepted[1], 50);
	CU_ASSERT_EQUAL(t.side[0].accepted[0] + t.side[0].accepted[2] + t.side[0].accepted[3], 50);
	town_check_accounts(&t, 0);
	town_close(&t);
}

/* One that retires beside others loses nobody: they get what is new. */
static void
test_a_retired_listener_leaves_the_new_to_others(void)
{
	static struct town t;

	town_open_random(&t, 4, 4);
	town_listen(&t, 0, 1 << 1 | 1 << 2);
	for (unsigned i = 0; i < 50; i++)
		(void)town_talk(&t, 1, 0, 0, true);
	town_run(&t, MS(1));
	CU_ASSERT_EQUAL(host_listen(&t.side[0].core[1], t.side[0].listener[1], 0), 0);
	town_run(&t, SEC(1));
	CU_ASSERT_EQUAL(town_heard(&t), 50);
	CU_ASSERT_TRUE(t.side[0].accepted[1] > 0);
	t.side[0].accepted[1] = 0;
	for (unsigned i = 0; i < 50; i++)
		(void)town_talk(&t, 1, 0, 0, false);
	town_run(&t, SEC(2));
	CU_ASSERT_EQUAL(town_heard(&t), 100);
	CU_ASSERT_EQUAL(t.side[0].accepted[1], 0);
	town_check_accounts(&t, 0);
	town_close(&t);
}

/* The server ends all that is open, then the clients do. */
static void
all_end(struct town *t)
{
	for (unsigned i = 0; i < t->n_served; i++) {
		host_close(t->served[i].host, t->served[i].s);
		t->served[i].over = true;
	}
	town_run(t, MS(100));
	for (unsigned i = 0; i < t->n_talks; i++)
		host_close(t->talk[i].host, t->talk[i].s);
	town_run(t, MS(100));
}

/* RFC 6191: a port that is used again opens its TIME-WAIT, where nobody listens any more. */
static void
test_time_wait_does_not_keep_a_port_from_other_listeners(void)
{
	static struct town t;

	town_open_random(&t, 4, 4);
	town_listen(&t, 0, 1 << 1);
	for (unsigned i = 0; i < 32; i++)
		(void)town_talk(&t, 1, 0, (uint16_t)(2000 + i), true);
	town_run(&t, SEC(1));
	CU_ASSERT_EQUAL(t.side[0].accepted[1], 32);
	all_end(&t);
	town_listen(&t, 0, 1 << 2);
	CU_ASSERT_EQUAL(host_listen(&t.side[0].core[1], t.side[0].listener[1], 0), 0);
	for (unsigned i = 0; i < 32; i++)
		(void)town_talk(&t, 1, 0, (uint16_t)(2000 + i), false);
	town_run(&t, SEC(4));
	CU_ASSERT_EQUAL(town_heard(&t), 64);
	CU_ASSERT_EQUAL(t.side[0].accepted[2], 32);
	CU_ASSERT_EQUAL(town_fates(&t, 0, DROP_NO_CONN), 0);
	CU_ASSERT_TRUE(town_fates(&t, 0, DROP_CORE_GONE) > 0); /* came to the keeper */
	town_check_accounts(&t, 0);
	town_close(&t);
}

/* Who was to keep them listened when they were handed over, and does not when it looks. */
static void
test_a_syn_that_finds_its_keeper_deaf_comes_again_to_another(void)
{
	static struct town t;

	town_open_random(&t, 4, 4);
	town_listen(&t, 0, 1 << 1);
	t.side[0].dead[1] = true; /* stopped */
	for (unsigned i = 0; i < 32; i++)
		(void)town_talk(&t, 1, 0, 0, false);
	town_run(&t, MS(5));
	town_listen(&t, 0, 1 << 2);
	CU_ASSERT_EQUAL(listener_retire(t.side[0].core[1].st, t.side[0].listener[1]), 0);
	t.side[0].dead[1] = false;
	town_run(&t, SEC(4));
	CU_ASSERT_EQUAL(town_heard(&t), 32);
	CU_ASSERT_EQUAL(town_fates(&t, 0, DROP_NO_CONN), 0);
	CU_ASSERT_TRUE(town_fates(&t, 0, DROP_CORE_GONE) > 0);
	town_check_accounts(&t, 0);
	town_close(&t);
}

static void
tune_cookies(struct stack_cfg *c, unsigned side, unsigned core)
{
	(void)side;
	(void)core;
	c->tcp.syn_cookies = TCP_COOKIES_ALWAYS;
}

/* Nobody remembers the SYN; the keeper claims what its cookie has made. */
static void
test_cookies_come_back_to_the_keeper(void)
{
	static struct town t;

	memset(&t, 0, offsetof(struct town, side));
	t.rng = (struct rng){ 5 };
	t.tune = tune_cookies;
	t.cfg = (struct io_mem_config){ .queues = 4, .steer = town_anywhere, .steer_arg = &t };
	town_open(&t, 4, 1);
	town_listen(&t, 0, 1 << 3);
	for (unsigned i = 0; i < 60; i++)
		(void)town_talk(&t, 1, 0, 0, false);
	town_run(&t, SEC(3));
	CU_ASSERT_EQUAL(town_heard(&t), 60);
	CU_ASSERT_EQUAL(t.side[0].accepted[3], 60);
	CU_ASSERT_EQUAL(town_fates(&t, 0, COOKIE_TAKEN), 60);
	town_run(&t, SEC(200));
	CU_ASSERT_EQUAL(town_exceptions(&t, 0), 0);
	town_close(&t);
}

/* A keeper that ends is forgotten by home, and the next connection goes to another. */
static void
test_the_keepers_end_is_noticed(void)
{
	static struct town t;

	town_open_random(&t, 3, 3);
	town_listen(&t, 0, 1 << 0);
	for (unsigned i = 0; i < 30; i++)
		(void)town_talk(&t, 1, 0, 0, true);
	town_run(&t, SEC(1));
	CU_ASSERT_EQUAL(town_heard(&t), 30);
	town_leave(&t, 0, 0);
	town_listen(&t, 0, 1 << 1 | 1 << 2);
	for (unsigned i = 0; i < 30; i++) /* to somebody who does not know them */
		town_again(&t.talk[i]);
	town_run(&t, SEC(2));
	CU_ASSERT_TRUE(town_fates(&t, 0, DROP_NO_CONN) > 0);
	town_close(&t);
}

void
suite_keeper(void)
{
	CU_pSuite s = CU_add_suite("core/keeper", NULL, NULL);

	CU_add_test(s, "ports of the program's choice are claimed",
	            test_ports_of_the_programs_choice_are_claimed);
	CU_add_test(s, "one core may listen for all", test_one_core_may_listen_for_all);
	CU_add_test(s, "listeners may move", test_listeners_may_move);
	CU_add_test(s, "a retired listener leaves the new to others",
	            test_a_retired_listener_leaves_the_new_to_others);
	CU_add_test(s, "TIME-WAIT does not keep a port from other listeners",
	            test_time_wait_does_not_keep_a_port_from_other_listeners);
	CU_add_test(s, "a SYN that finds its keeper deaf comes again to another",
	            test_a_syn_that_finds_its_keeper_deaf_comes_again_to_another);
	CU_add_test(s, "cookies come back to the keeper", test_cookies_come_back_to_the_keeper);
	CU_add_test(s, "the keeper's end is noticed", test_the_keepers_end_is_noticed);
}
