/* SPDX-License-Identifier: BSD-3-Clause */
/* Deadlines: which there are, which comes next, and that none is left behind. */
#include <CUnit/CUnit.h>

#include "tcp/tcp_timer.h"
#include "test/script/peer.h"

void suite_tcp_timer(void);

static void
test_the_next_is_the_earliest(void)
{
	struct tcp_rare rare = { .cork_at = 10, .pace_at = 5 };
	struct tcp_conn c = { .rtx_at = 40, .ack_at = 30, .wait_at = 20, .rare = &rare };

	c.flags = TCPF_PACED;
	CU_ASSERT_EQUAL(tcp_timer_next(&c), 5);
	c.flags = 0;
	CU_ASSERT_EQUAL(tcp_timer_next(&c), 10);
	c.rare = NULL;
	CU_ASSERT_EQUAL(tcp_timer_next(&c), 20);
	c.wait_at = TIME_NEVER;
	CU_ASSERT_EQUAL(tcp_timer_next(&c), 30);
	c.ack_at = TIME_NEVER;
	CU_ASSERT_EQUAL(tcp_timer_next(&c), 40);
	c.rtx_at = TIME_NEVER;
	CU_ASSERT_EQUAL(tcp_timer_next(&c), TIME_NEVER);
}

static void
test_an_idle_connection_has_no_deadline(void)
{
	struct peer p;

	peer_connected(&p, NULL);
	CU_ASSERT_EQUAL(tcp_timer_next(&p.a->conn), TIME_NEVER);
	peer_a_writes(&p, 100);
	CU_ASSERT_NOT_EQUAL(tcp_timer_next(&p.a->conn), TIME_NEVER);
	SAY(&p, ".", 1, 0, 101);
	CU_ASSERT_EQUAL(tcp_timer_next(&p.a->conn), TIME_NEVER);
	peer_free(&p);
}

static void
test_closed_has_no_deadline(void)
{
	struct peer p;

	peer_connected(&p, NULL);
	duo_flag(p.a, TCPF_KEEPALIVE | TCPF_CORK, true);
	peer_a_writes(&p, 100);
	duo_flag(p.a, TCPF_CORK, false);
	peer_a_writes(&p, 100);
	for (uint32_t i = 0; i < 30; i++)
		SAY(&p, "P.", 1 + i, 1, 1);
	CU_ASSERT_NOT_EQUAL(tcp_timer_next(&p.a->conn), TIME_NEVER);
	duo_abort(p.a);
	CU_ASSERT_EQUAL(tcp_timer_next(&p.a->conn), TIME_NEVER);
	CU_ASSERT_EQUAL(p.a->conn.rtx_kind, RTX_NONE);
	peer_free(&p);
}

/* What waits for something earlier goes back to it, after an expiry too. */
static void
test_the_rto_is_remembered(void)
{
	struct peer p;

	peer_connected(&p, NULL);
	peer_a_writes(&p, 100);
	EXPECT_NUMBER(&p, p.a->conn.rtx_kind, RTX_TLP);
	EXPECT_NUMBER(&p, p.a->conn.xmit->rto_at - p.d->now, tcp_rto_ns(&p.a->conn));
	for (unsigned i = 0; i < 3; i++) {
		peer_sleeps(&p, SEC(1));
		EXPECT_NUMBER(&p, p.a->conn.rtx_kind, RTX_RTO);
		EXPECT_NUMBER(&p, p.a->conn.xmit->rto_at, p.a->conn.rtx_at);
	}
	peer_free(&p);
}

/* Running early does nothing; running late does what was due, once. */
static void
test_early_and_late(void)
{
	struct peer p;
	struct tcp_env *e;
	struct tcp_conn *c;
	int64_t at;

	peer_connected(&p, &(struct peer_opts){ .cfg = peer_no_probes });
	e = &p.a->env;
	c = &p.a->conn;
	peer_a_writes(&p, 100);
	at = tcp_timer_next(c);
	tcp_timer_run(e, c, at - 1);
	CU_ASSERT_EQUAL(c->retries, 0);
	CU_ASSERT_EQUAL(tcp_timer_next(c), at);
	tcp_timer_run(e, c, at + SEC(1000));
	CU_ASSERT_EQUAL(c->retries, 1);
	CU_ASSERT_TRUE(tcp_timer_next(c) > at + SEC(1000));
	duo_abort(p.a);
	peer_free(&p);
}

/* All four at the same moment. */
static void
test_all_at_once(void)
{
	struct peer p;
	struct tcp_conn *c;

	peer_connected(&p, NULL);
	c = &p.a->conn;
	peer_a_writes(&p, 100);
	duo_flag(p.a, TCPF_KEEPALIVE | TCPF_CORK, true);
	peer_a_writes(&p, 100);
	c->quickacks = 0;
	SAY(&p, "P.", 1, 1, 1);
	(void)peer_skips(&p);
	CU_ASSERT_NOT_EQUAL(c->rtx_at, TIME_NEVER);
	CU_ASSERT_NOT_EQUAL(c->ack_at, TIME_NEVER);
	CU_ASSERT_NOT_EQUAL(c->wait_at, TIME_NEVER);
	CU_ASSERT_NOT_EQUAL(tcp_rare(c)->cork_at, TIME_NEVER);
	p.d->now += SEC(8000);
	tcp_timer_run(&p.a->env, c, p.d->now);
	CU_ASSERT_TRUE(tcp_timer_next(c) > p.d->now);
	duo_pump(p.a);
	EXPECT(&p, ".", 1, 100, 2);
	EXPECT_STATE(&p, TCP_ESTABLISHED);
	peer_free(&p);
}

/* Whatever the configuration allows, a byte counts the expiries. */
static void
many(struct tcp_cfg *cfg, int who)
{
	(void)who;
	cfg->retries = 100000;
	cfg->rto_max_ns = SEC(1);
}

static void
test_expiries_do_not_wrap(void)
{
	struct peer p;

	peer_connected(&p, &(struct peer_opts){ .cfg = many });
	peer_a_writes(&p, 100);
	peer_sleeps(&p, SEC(1000));
	EXPECT_STATE(&p, TCP_CLOSED);
	CU_ASSERT_TRUE(peer_skips(&p) <= 257);
	peer_free(&p);

	peer_connected(&p, &(struct peer_opts){ .cfg = many, .wnd = 100 });
	peer_a_writes(&p, 200);
	p.wnd = 0;
	SAY(&p, ".", 1, 0, 101);
	peer_sleeps(&p, SEC(1000));
	EXPECT_STATE(&p, TCP_CLOSED);
	peer_free(&p);
}

/* An ACK restarts the timer; RACK's comes back to it. */
static void
test_reordering_timer_gives_way(void)
{
	struct tcp_conn c = { .rtx_kind = RTX_RTO, .rtx_at = 1000 };

	tcp_timer_reorder(&c, 2000);
	CU_ASSERT_EQUAL(c.rtx_at, 1000); /* never later */
	CU_ASSERT_EQUAL(c.rtx_kind, RTX_RTO);
	tcp_timer_reorder(&c, 500);
	CU_ASSERT_EQUAL(c.rtx_at, 500);
	CU_ASSERT_EQUAL(c.rtx_kind, RTX_REORDER);
	c.rtx_kind = RTX_NONE;
	c.rtx_at = TIME_NEVER;
	tcp_timer_reorder(&c, 500); /* nothing is in flight */
	CU_ASSERT_EQUAL(c.rtx_at, TIME_NEVER);
}

static void
test_delayed_ack_bounds(void)
{
	static const int64_t round_trips[] = { MS(1), MS(60), MS(300), SEC(10) };
	static const int64_t delays[] = { MS(40), MS(40), MS(150), MS(200) };
	struct peer p;

	peer_connected(&p, NULL);
	for (unsigned i = 0; i < array_len(delays); i++) {
		struct tcp_conn *c = &p.a->conn;

		c->srtt_us = (uint32_t)(round_trips[i] / NS_PER_US) << 3;
		c->ack_at = TIME_NEVER;
		tcp_timer_delay_ack(&p.a->env, c, p.d->now);
		EXPECT_NUMBER(&p, c->ack_at - p.d->now, delays[i]);
		tcp_timer_delay_ack(&p.a->env, c, p.d->now + MS(10)); /* not again */
		EXPECT_NUMBER(&p, c->ack_at - p.d->now, delays[i]);
	}
	p.a->conn.ack_at = TIME_NEVER;
	peer_free(&p);
}

void
suite_tcp_timer(void)
{
	CU_pSuite s = CU_add_suite("tcp_timer", NULL, NULL);

	CU_add_test(s, "the next is the earliest", test_the_next_is_the_earliest);
	CU_add_test(s, "an idle connection has no deadline",
	            test_an_idle_connection_has_no_deadline);
	CU_add_test(s, "CLOSED has no deadline", test_closed_has_no_deadline);
	CU_add_test(s, "the RTO is remembered (RFC 8985 7.2)", test_the_rto_is_remembered);
	CU_add_test(s, "early and late", test_early_and_late);
	CU_add_test(s, "all at once", test_all_at_once);
	CU_add_test(s, "expiries do not wrap", test_expiries_do_not_wrap);
	CU_add_test(s, "the reordering timer gives way", test_reordering_timer_gives_way);
	CU_add_test(s, "bounds of the delayed ACK", test_delayed_ack_bounds);
}
