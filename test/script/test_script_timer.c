/* SPDX-License-Identifier: BSD-3-Clause */
/* The retransmission timer (RFC 6298 5), and what a retransmission may carry. */
#include <CUnit/CUnit.h>

#include "test/script/peer.h"

void suite_script_timer(void);

#define MSS 1460u

/* 5.1 and 5.2: whatever is in flight is sent again in time; once it is acknowledged nothing is. */
static void
test_it_runs_while_something_is_in_flight(void)
{
	struct peer p;
	int64_t sent;

	peer_connected(&p, NULL);
	for (uint32_t i = 0; i < 5; i++) {
		peer_a_writes(&p, 100);
		EXPECT(&p, "P.", 1 + 100 * i, 100, 1);
		sent = p.d->now;
		peer_sleeps(&p, tcp_rto_ns(&p.a->conn));
		EXPECT(&p, ".", 1 + 100 * i, 100, 1);
		CU_ASSERT_TRUE(peer_after(&p, sent) <= tcp_rto_ns(&p.a->conn));
		peer_sleeps(&p, MS(10));
		(void)peer_skips(&p);
		SAY(&p, ".", 1, 0, 101 + 100 * i);
		peer_sleeps(&p, SEC(100));
		EXPECT_NOTHING(&p);
	}
	peer_free(&p);
}

/* A FIN is in flight like text. */
static void
test_a_fin_is_timed_too(void)
{
	struct peer p;

	peer_connected(&p, NULL);
	duo_shutdown(p.a);
	EXPECT(&p, "F.", 1, 0, 1);
	peer_sleeps(&p, SEC(1));
	EXPECT(&p, "F.", 1, 0, 1);
	(void)peer_skips(&p);
	SAY(&p, ".", 1, 0, 2);
	peer_sleeps(&p, SEC(50));
	EXPECT_NOTHING(&p);
	peer_free(&p);
}

/* 5.4: the earliest, and that alone; 5.5: then twice as late. */
static void
test_the_earliest_is_sent_again_twice_as_late(void)
{
	struct peer p;
	int64_t last = 0, gap = 0;

	peer_connected(&p, NULL);
	peer_a_writes(&p, 5 * MSS);
	EXPECT_NUMBER(&p, peer_skips(&p), 5);
	peer_sleeps(&p, SEC(100));
	for (unsigned n = 0; p.at < p.d->n_log; n++) {
		const struct duo_record *r = &p.d->log[p.at++];

		if (n >= 2) { /* a probe for the tail may come before the first */
			CU_ASSERT_TRUE(seq_eq(r->s.seq, seq_add(p.a_iss, 1)));
			CU_ASSERT_EQUAL(r->s.len, MSS);
		}
		if (n >= 4)
			CU_ASSERT_EQUAL(r->at - last, 2 * gap);
		gap = r->at - last;
		last = r->at;
	}
	CU_ASSERT_TRUE(gap > SEC(20));
	peer_free(&p);
}

/* RFC 9293 3.8.3: between R1 and R2 the application can see it. */
static void
test_expiries_can_be_asked_for(void)
{
	struct tcp_info_data info;
	struct peer p;

	peer_connected(&p, NULL);
	tcp_info_fill(&p.a->env, &p.a->conn, p.d->now, &info);
	EXPECT_NUMBER(&p, info.retransmits, 0);
	peer_a_writes(&p, 100);
	peer_sleeps(&p, SEC(30));
	tcp_info_fill(&p.a->env, &p.a->conn, p.d->now, &info);
	CU_ASSERT_TRUE(info.retransmits >= 3 && info.retransmits <= 8);
	CU_ASSERT_EQUAL(info.backoff, info.retransmits);
	SAY(&p, ".", 1, 0, 101);
	tcp_info_fill(&p.a->env, &p.a->conn, p.d->now, &info);
	EXPECT_NUMBER(&p, info.retransmits, 0);
	peer_free(&p);
}

/* Text without PSH is readable as soon as it is there. */
static void
test_a_push_is_not_waited_for(void)
{
	struct peer p;

	peer_connected(&p, NULL);
	SAY(&p, ".", 1, 10, 1);
	EXPECT_NUMBER(&p, peer_a_reads(&p), 10);
	SAY(&p, "P.", 11, 10, 1);
	EXPECT_NUMBER(&p, peer_a_reads(&p), 10);
	peer_free(&p);
}

/* RFC 6675 5: what the peer holds is not sent again, whatever happens. */
static void
test_what_was_sacked_is_not_sent_again(void)
{
	struct peer p;

	peer_connected(&p, NULL);
	peer_a_writes(&p, 10 * MSS);
	EXPECT_NUMBER(&p, peer_skips(&p), 10);
	peer_sleeps(&p, MS(10));
	peer_sack(&p, 1 + MSS, 1 + 4 * MSS, 1 + 5 * MSS, 1 + 10 * MSS, 0);
	SAY(&p, ".", 1, 0, 1); /* 1 and 5 are missing */
	peer_sleeps(&p, SEC(60));
	CU_ASSERT_TRUE(p.d->n_log - p.at >= 4);
	while (p.at < p.d->n_log) {
		uint32_t at = seq_sub(p.d->log[p.at].s.seq, p.a_iss);

		CU_ASSERT_TRUE(at == 1 || at == 1 + 4 * MSS);
		CU_ASSERT_EQUAL(p.d->log[p.at].s.len, MSS);
		p.at++;
	}
	SAY(&p, ".", 1, 0, 1 + 10 * MSS);
	peer_sleeps(&p, SEC(60));
	EXPECT_NOTHING(&p);
	peer_free(&p);
}

/* RFC 3042 2: a duplicate that SACKs nothing new may be a copy that the network made. */
static void
test_duplicates_without_news_let_nothing_go(void)
{
	struct peer p;

	peer_connected(&p, NULL);
	peer_a_writes(&p, 10 * MSS);
	EXPECT_NUMBER(&p, peer_skips(&p), 10);
	peer_a_writes(&p, 5 * MSS);
	EXPECT_NOTHING(&p); /* cwnd is used up */
	SAY(&p, ".", 1, 0, 1);
	SAY(&p, ".", 1, 0, 1);
	EXPECT_NOTHING(&p);
	peer_sack(&p, 1 + MSS, 1 + 2 * MSS, 0);
	SAY(&p, ".", 1, 0, 1);
	EXPECT(&p, ".", 1 + 10 * MSS, MSS, 1);
	peer_sack(&p, 1 + MSS, 1 + 2 * MSS, 0);
	SAY(&p, ".", 1, 0, 1); /* the same once more */
	EXPECT_NOTHING(&p);
	peer_free(&p);
}

/* RFC 9293 3.7.4: what was written in crumbs leaves as full segments. */
static void
test_crumbs_leave_as_full_segments(void)
{
	struct peer p;

	peer_connected(&p, NULL);
	peer_a_writes(&p, 10);
	EXPECT(&p, "P.", 1, 10, 1);
	for (int i = 0; i < 292; i++)
		peer_a_writes(&p, 15);
	(void)peer_skips(&p);
	peer_sleeps(&p, MS(10));
	SAY(&p, ".", 1, 0, 11);
	(void)peer_skips(&p);
	for (size_t i = 2; i < p.d->n_log; i++)
		CU_ASSERT_TRUE(p.d->log[i].s.len == MSS || p.d->log[i].s.len == 10 ||
		               p.d->log[i].s.len == 0);
	EXPECT_NUMBER(&p, seq_sub(p.a->conn.snd_nxt, p.a_iss), 11 + 3 * MSS);
	peer_free(&p);
}

void
suite_script_timer(void)
{
	CU_pSuite s = CU_add_suite("script_timer", NULL, NULL);

	CU_add_test(s, "it runs while something is in flight (RFC 6298 5.1, 5.2)",
	            test_it_runs_while_something_is_in_flight);
	CU_add_test(s, "a FIN is timed too (RFC 6298 5.1, 5.2)", test_a_fin_is_timed_too);
	CU_add_test(s, "the earliest is sent again, twice as late (RFC 6298 5.4, 5.5; RFC 2525 2.10)",
	            test_the_earliest_is_sent_again_twice_as_late);
	CU_add_test(s, "expiries can be asked for (RFC 9293 SHLD-9)",
	            test_expiries_can_be_asked_for);
	CU_add_test(s, "a push is not waited for (RFC 9293 MAY-17)",
	            test_a_push_is_not_waited_for);
	CU_add_test(s, "what was SACKed is not sent again (RFC 6675 5/not-sacked)",
	            test_what_was_sacked_is_not_sent_again);
	CU_add_test(s, "duplicates without news let nothing go (RFC 3042 2/news)",
	            test_duplicates_without_news_let_nothing_go);
	CU_add_test(s, "crumbs leave as full segments (RFC 9293 SHLD-28, MAY-16, SHLD-27)",
	            test_crumbs_leave_as_full_segments);
}
