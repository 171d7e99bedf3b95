/* SPDX-License-Identifier: BSD-3-Clause */
/* The protocol of the two rings of a channel, one thread playing both sides. */
#include <CUnit/CUnit.h>

#include <stdlib.h>

#include "core/sock.h"

#define N_SOCKS 8u

void suite_sock(void);

struct both_sides {
	struct channel ch;
	void *mem;
};

static void
setup(struct both_sides *b)
{
	struct region r = { .size = 1 << 16 };

	memset(b, 0, sizeof *b);
	b->mem = aligned_alloc(CACHE_LINE, r.size);
	CU_ASSERT_PTR_NOT_NULL_FATAL(b->mem);
	memset(b->mem, 0, r.size);
	r.base = b->mem;
	b->ch.n_socks = N_SOCKS;
	b->ch.socks = region_take(&r, N_SOCKS * sizeof *b->ch.socks);
	CU_ASSERT_FATAL(spsc_init_numbers(&b->ch.jobs, &r, 2 * N_SOCKS + 1));
	CU_ASSERT_FATAL(spsc_init_numbers(&b->ch.events, &r, N_SOCKS));
}

static void
teardown(struct both_sides *b)
{
	free(b->mem);
}

static struct sock *
next_job(struct both_sides *b)
{
	uint32_t job;

	if (sock_take_jobs(&b->ch, &job, 1) == 0)
		return NULL;
	CU_ASSERT_NOT_EQUAL(job, CHANNEL_CALL);
	return sock_of_job(&b->ch, job);
}

static void
test_a_request_arrives_with_its_bits(void)
{
	struct both_sides b;

	setup(&b);
	CU_ASSERT_PTR_NULL(next_job(&b));
	CU_ASSERT_TRUE(sock_ask(&b.ch, &b.ch.socks[3], SOCK_REQ_CONNECT));
	CU_ASSERT_PTR_EQUAL(next_job(&b), &b.ch.socks[3]);
	CU_ASSERT_EQUAL(sock_requests(&b.ch.socks[3]), SOCK_REQ_CONNECT);
	CU_ASSERT_PTR_NULL(next_job(&b));
	teardown(&b);
}

static void
test_bits_are_only_added(void)
{
	struct both_sides b;
	struct sock *s;

	setup(&b);
	s = &b.ch.socks[0];
	sock_ask(&b.ch, s, SOCK_REQ_CONNECT);
	sock_ask(&b.ch, s, SOCK_REQ_SHUT_WR);
	sock_ask(&b.ch, s, 0);
	CU_ASSERT_EQUAL(sock_requests(s), SOCK_REQ_CONNECT | SOCK_REQ_SHUT_WR);
	CU_ASSERT_EQUAL(atomic_load(&s->asked), 2); /* while it was on the ring */
	teardown(&b);
}

static void
test_a_socket_is_on_the_ring_once(void)
{
	struct both_sides b;
	struct sock *s;

	setup(&b);
	s = &b.ch.socks[1];
	CU_ASSERT_TRUE(sock_ask(&b.ch, s, SOCK_REQ_CONNECT));
	for (int i = 0; i < 1000; i++)
		CU_ASSERT_FALSE(sock_ask(&b.ch, s, 0));
	CU_ASSERT_PTR_EQUAL(next_job(&b), s);
	CU_ASSERT_PTR_NULL(next_job(&b));
	CU_ASSERT_TRUE(sock_ask(&b.ch, s, 0));
	CU_ASSERT_PTR_EQUAL(next_job(&b), s);
	teardown(&b);
}

static void
test_the_rings_hold_every_socket_and_a_call(void)
{
	struct both_sides b;
	uint32_t job[N_SOCKS + 1];
	struct sock *s[N_SOCKS];

	setup(&b);
	for (int round = 0; round < 3; round++) {
		for (uint32_t i = 0; i < N_SOCKS; i++) {
			CU_ASSERT_TRUE(sock_ask(&b.ch, &b.ch.socks[i], 0));
			CU_ASSERT_TRUE(sock_tell(&b.ch, &b.ch.socks[i], 0));
		}
		CU_ASSERT_TRUE(spsc_push_number(&b.ch.jobs, CHANNEL_CALL));
		CU_ASSERT_EQUAL(sock_take_jobs(&b.ch, job, 1), 1);
		CU_ASSERT_EQUAL(sock_take_jobs(&b.ch, job + 1, N_SOCKS), N_SOCKS);
		CU_ASSERT_EQUAL(sock_take_events(&b.ch, s, 1), 1);
		CU_ASSERT_EQUAL(sock_take_events(&b.ch, s + 1, N_SOCKS), N_SOCKS - 1);
		for (uint32_t i = 0; i < N_SOCKS; i++) {
			CU_ASSERT_PTR_EQUAL(sock_of_job(&b.ch, job[i]), &b.ch.socks[i]);
			CU_ASSERT_PTR_EQUAL(s[i], &b.ch.socks[i]);
		}
		CU_ASSERT_PTR_NULL(sock_of_job(&b.ch, job[N_SOCKS]));
		CU_ASSERT_EQUAL(sock_take_jobs(&b.ch, job, N_SOCKS), 0);
		CU_ASSERT_EQUAL(sock_take_events(&b.ch, s, N_SOCKS), 0);
	}
	teardown(&b);
}

static void
test_events_come_in_order_with_their_facts(void)
{
	struct both_sides b;

	setup(&b);
	CU_ASSERT_TRUE(sock_tell(&b.ch, &b.ch.socks[5], SOCK_CONNECTED));
	CU_ASSERT_TRUE(sock_tell(&b.ch, &b.ch.socks[2], SOCK_PEER_FIN));
	CU_ASSERT_FALSE(sock_tell(&b.ch, &b.ch.socks[5], SOCK_OVER));
	CU_ASSERT_PTR_EQUAL(sock_next_event(&b.ch), &b.ch.socks[5]);
	CU_ASSERT_EQUAL(sock_facts(&b.ch.socks[5]), SOCK_CONNECTED | SOCK_OVER);
	CU_ASSERT_PTR_EQUAL(sock_next_event(&b.ch), &b.ch.socks[2]);
	CU_ASSERT_EQUAL(sock_facts(&b.ch.socks[2]), SOCK_PEER_FIN);
	CU_ASSERT_PTR_NULL(sock_next_event(&b.ch));
	teardown(&b);
}

static void
test_the_goodbye_comes_by_itself_and_last(void)
{
	struct both_sides b;
	struct sock *s;

	setup(&b);
	s = &b.ch.socks[4];
	CU_ASSERT_TRUE(sock_ask(&b.ch, s, SOCK_REQ_SHUT_WR));
	CU_ASSERT_TRUE(sock_ask(&b.ch, s, SOCK_REQ_CLOSE));
	CU_ASSERT_PTR_EQUAL(next_job(&b), s);
	CU_ASSERT_FALSE(s->goodbye);
	CU_ASSERT_PTR_EQUAL(next_job(&b), s);
	CU_ASSERT_TRUE(s->goodbye);
	CU_ASSERT_PTR_NULL(next_job(&b));
	teardown(&b);
}

static void
test_events_of_closed_sockets_are_swallowed(void)
{
	struct both_sides b;

	setup(&b);
	sock_tell(&b.ch, &b.ch.socks[4], SOCK_PEER_FIN);
	sock_tell(&b.ch, &b.ch.socks[5], SOCK_PEER_FIN);
	sock_ask(&b.ch, &b.ch.socks[4], SOCK_REQ_CLOSE);
	CU_ASSERT_PTR_EQUAL(sock_next_event(&b.ch), &b.ch.socks[5]);
	CU_ASSERT_PTR_NULL(sock_next_event(&b.ch));
	CU_ASSERT_EQUAL(atomic_load(&b.ch.socks[4].events_taken), 1);
	teardown(&b);
}

/* They count to 256 and are compared only: pushed is at most one ahead of taken. */
static void
test_the_counters_may_wrap(void)
{
	struct both_sides b;
	struct sock *s;

	setup(&b);
	s = &b.ch.socks[7];
	for (int i = 0; i < 600; i++) {
		CU_ASSERT_TRUE_FATAL(sock_ask(&b.ch, s, 0));
		CU_ASSERT_FALSE_FATAL(sock_ask(&b.ch, s, 0));
		CU_ASSERT_TRUE_FATAL(sock_tell(&b.ch, s, 0));
		CU_ASSERT_FALSE_FATAL(sock_tell(&b.ch, s, 0));
		CU_ASSERT_PTR_EQUAL(next_job(&b), s);
		CU_ASSERT_PTR_EQUAL(sock_next_event(&b.ch), s);
	}
	CU_ASSERT_PTR_NULL(next_job(&b));
	CU_ASSERT_PTR_NULL(sock_next_event(&b.ch));
	teardown(&b);
}

/* While a socket waits on a ring, however often something is said meanwhile. */
static void
test_what_is_said_meanwhile_may_wrap(void)
{
	struct both_sides b;
	struct sock *s;

	setup(&b);
	s = &b.ch.socks[7];
	for (int i = 0; i < 5; i++) {
		CU_ASSERT_TRUE(sock_ask(&b.ch, s, 0));
		CU_ASSERT_TRUE(sock_tell(&b.ch, s, 0));
		for (int said = 0; said < 256; said++) {
			CU_ASSERT_FALSE_FATAL(sock_ask(&b.ch, s, 0));
			CU_ASSERT_FALSE_FATAL(sock_tell(&b.ch, s, 0));
		}
		CU_ASSERT_PTR_EQUAL(next_job(&b), s);
		CU_ASSERT_PTR_EQUAL(sock_next_event(&b.ch), s);
		CU_ASSERT_PTR_NULL(next_job(&b));
		CU_ASSERT_PTR_NULL(sock_next_event(&b.ch));
	}
	teardown(&b);
}

void
suite_sock(void)
{
	CU_pSuite suite = CU_add_suite("core/sock", NULL, NULL);

	CU_add_test(suite, "a request arrives with its bits",
	            test_a_request_arrives_with_its_bits);
	CU_add_test(suite, "bits are only added", test_bits_are_only_added);
	CU_add_test(suite, "a socket is on the ring once", test_a_socket_is_on_the_ring_once);
	CU_add_test(suite, "the rings hold every socket and a call",
	            test_the_rings_hold_every_socket_and_a_call);
	CU_add_test(suite, "events come in order with their facts",
	            test_events_come_in_order_with_their_facts);
	CU_add_test(suite, "the goodbye comes by itself, and last",
	            test_the_goodbye_comes_by_itself_and_last);
	CU_add_test(suite, "events of closed sockets are swallowed",
	            test_events_of_closed_sockets_are_swallowed);
	CU_add_test(suite, "the counters may wrap", test_the_counters_may_wrap);
	CU_add_test(suite, "what is said meanwhile may wrap",
	            test_what_is_said_meanwhile_may_wrap);
}
