/* SPDX-License-Identifier: BSD-3-Clause */
/* Loss: RFC 5681, RFC 6298, RFC 6582, RFC 6937, RFC 8985, RFC 3042, RFC 2018, RFC 9293 3.8. */
#include <CUnit/CUnit.h>

#include "test/script/peer.h"

void suite_script_loss(void);

#define MSS 1460u

static const struct peer_opts no_sack = { .opts = TCP_OPT_MSS };
static const struct peer_opts no_probes = { .cfg = peer_no_probes };

/* `n` full segments are in flight, the round trip is 10 ms, and 10 ms have passed. */
static void
in_flight(struct peer *p, const struct peer_opts *o, unsigned n)
{
	peer_connected(p, o);
	peer_a_writes(p, n * MSS);
	for (unsigned i = 0; i < n; i++)
		EXPECT(p, ".", 1 + i * MSS, MSS, 1);
	EXPECT_NOTHING(p);
	peer_sleeps(p, MS(10));
}

/* ------------------------------------------------------- without SACK -- */

/* RFC 5681 3.2, RFC 6582 3.2. */
static void
test_fast_retransmit_on_the_third_duplicate(void)
{
	struct peer p;

	in_flight(&p, &no_sack, 10);
	SAY(&p, ".", 1, 0, 1);
	EXPECT_NOTHING(&p);
	SAY(&p, ".", 1, 0, 1);
	EXPECT_NOTHING(&p);
	SAY(&p, ".", 1, 0, 1);
	EXPECT(&p, ".", 1, MSS, 1);
	EXPECT_NOTHING(&p);
	EXPECT_NUMBER(&p, p.a->conn.ca, TCP_CA_RECOVERY);
	EXPECT_NUMBER(&p, p.a->conn.ssthresh, 7 * MSS); /* CUBIC: 0.7 */
	peer_free(&p);
}

/* RFC 3042: one new segment for each of the first two. */
static void
limited_transmit(const struct peer_opts *o)
{
	struct peer p;

	in_flight(&p, o, 10);
	peer_a_writes(&p, 10 * MSS);
	EXPECT_NOTHING(&p); /* cwnd is used up */
	for (unsigned i = 1; i <= 2; i++) {
		if (!o)
			peer_sack(&p, 1 + MSS, 1 + (1 + i) * MSS, 0);
		SAY(&p, ".", 1, 0, 1);
		EXPECT(&p, ".", 1 + (9 + i) * MSS, MSS, 1);
		EXPECT_NOTHING(&p);
	}
	peer_free(&p);
}

static void
test_limited_transmit(void)
{
	limited_transmit(&no_sack);
	limited_transmit(NULL);
}

/* RFC 6582 3.2 step 3, and PRR's cwnd at the end. */
static void
test_newreno_partial_acks(void)
{
	struct peer p;

	in_flight(&p, &no_sack, 10); /* 1, 4 and 7 are lost */
	for (int i = 0; i < 7; i++)
		SAY(&p, ".", 1, 0, 1);
	EXPECT(&p, ".", 1, MSS, 1);
	EXPECT_NOTHING(&p);
	peer_sleeps(&p, MS(10));
	SAY(&p, ".", 1, 0, 1 + 3 * MSS);
	EXPECT(&p, ".", 1 + 3 * MSS, MSS, 1);
	EXPECT_NOTHING(&p);
	EXPECT_NUMBER(&p, p.a->conn.ca, TCP_CA_RECOVERY);
	peer_sleeps(&p, MS(10));
	SAY(&p, ".", 1, 0, 1 + 6 * MSS);
	EXPECT(&p, ".", 1 + 6 * MSS, MSS, 1);
	EXPECT_NOTHING(&p);
	peer_sleeps(&p, MS(10));
	SAY(&p, ".", 1, 0, 1 + 10 * MSS);
	EXPECT_NUMBER(&p, p.a->conn.ca, TCP_CA_OPEN);
	EXPECT_NUMBER(&p, p.a->conn.cwnd / MSS, 7); /* the last ACK begins to let it grow */
	peer_free(&p);
}

/* RFC 6937: while duplicates come, new text leaves at ssthresh / flight of their rate. */
static void
test_prr_without_sack(void)
{
	struct peer p;
	unsigned sent;

	in_flight(&p, &no_sack, 10);
	peer_a_writes(&p, 20 * MSS);
	for (int i = 0; i < 9; i++)
		SAY(&p, ".", 1, 0, 1);
	sent = peer_skips(&p); /* 2 by limited transmit, 1 again, the rest by PRR */
	CU_ASSERT_TRUE(sent >= 6 && sent <= 8);
	peer_free(&p);
}

/* RFC 6582 3.2 step 2: duplicates of what the time-out sent again mean nothing. */
static void
test_no_second_recovery_for_the_same_flight(void)
{
	struct peer p;

	in_flight(&p, &no_sack, 10);
	peer_sleeps(&p, MS(300));
	EXPECT(&p, ".", 1, MSS, 1);
	EXPECT_NUMBER(&p, p.a->conn.ca, TCP_CA_LOSS);
	SAY(&p, ".", 1, 0, 1 + MSS); /* it was the original */
	(void)peer_skips(&p);
	for (int i = 0; i < 5; i++)
		SAY(&p, ".", 1, 0, 1 + MSS);
	EXPECT_NUMBER(&p, p.a->conn.ca, TCP_CA_LOSS);
	SAY(&p, ".", 1, 0, 1 + 10 * MSS);
	EXPECT_NUMBER(&p, p.a->conn.ca, TCP_CA_OPEN);
	/* Nor when what is new is in flight already. */
	peer_a_writes(&p, 16384);
	(void)peer_skips(&p);
	CU_ASSERT_TRUE(tcp_flight(&p.a->conn) >= 2 * MSS);
	for (int i = 0; i < 5; i++)
		SAY(&p, ".", 1, 0, 1 + 10 * MSS);
	CU_ASSERT_NOT_EQUAL(p.a->conn.ca, TCP_CA_RECOVERY);
	peer_free(&p);
}

/* After two time-outs the peer has `n` segments of ten, and three more leave again, unless they
 * are the last. */
static void
has_only(struct peer *p, unsigned n)
{
	CU_ASSERT_TRUE(tcp_rto_ns(&p->a->conn) > MS(700));
	SAY(p, ".", 1, 0, 1 + MSS);
	EXPECT(p, ".", 1 + MSS, MSS, 1);
	EXPECT(p, ".", 1 + 2 * MSS, MSS, 1);
	peer_sleeps(p, MS(10));
	SAY(p, ".", 1, 0, 1 + n * MSS);
	for (unsigned i = n; i < n + 3; i++)
		EXPECT(p, ".", 1 + i * MSS, MSS, 1);
	EXPECT_NOTHING(p);
	EXPECT_NUMBER(p, p->a->conn.ca, TCP_CA_LOSS);
}

static void
timed_out_twice(struct peer *p, unsigned n)
{
	in_flight(p, &no_sack, 10);
	peer_sleeps(p, MS(300));
	EXPECT(p, ".", 1, MSS, 1);
	peer_sleeps(p, MS(500));
	EXPECT(p, ".", 1, MSS, 1);
	has_only(p, n);
}

/* RFC 6582 4.1: the fourth, sent again, is lost again, and so is the sixth.  No third time-out is
 * waited for, nor would it be as long as those before. */
static void
test_what_was_sent_again_is_lost_again(void)
{
	struct peer p;

	timed_out_twice(&p, 3);
	peer_sleeps(&p, MS(10));
	SAY(&p, ".", 1, 0, 1 + 3 * MSS);
	SAY(&p, ".", 1, 0, 1 + 3 * MSS);
	EXPECT_NOTHING(&p);
	SAY(&p, ".", 1, 0, 1 + 3 * MSS);
	EXPECT(&p, ".", 1 + 3 * MSS, MSS, 1);
	EXPECT_NUMBER(&p, p.a->conn.ca, TCP_CA_RECOVERY);
	CU_ASSERT_TRUE(tcp_rto_ns(&p.a->conn) < MS(300));
	(void)peer_skips(&p);
	peer_sleeps(&p, MS(10));
	SAY(&p, ".", 1, 0, 1 + 5 * MSS);
	EXPECT(&p, ".", 1 + 5 * MSS, MSS, 1);
	SAY(&p, ".", 1, 0, 1 + 10 * MSS);
	EXPECT_NUMBER(&p, p.a->conn.ca, TCP_CA_OPEN);
	peer_free(&p);
}

/* A peer that has no room for what is out of order speaks SACK, and yet has nothing to say of what
 * it throws away; of what it has twice it does, and of what it keeps. */
static void
test_thrown_away_is_lost_again(void)
{
	struct peer p;

	in_flight(&p, NULL, 10);
	while (p.a->conn.retries < 2) { /* a tail loss probe comes first */
		peer_sleeps(&p, MS(10));
		(void)peer_skips(&p);
	}
	has_only(&p, 3);
	peer_sleeps(&p, MS(10));
	peer_sack(&p, 1, 1 + MSS, 0); /* RFC 2883 */
	SAY(&p, ".", 1, 0, 1 + 3 * MSS);
	peer_sack(&p, 1 + 4 * MSS, 1 + 5 * MSS, 0);
	SAY(&p, ".", 1, 0, 1 + 3 * MSS);
	(void)peer_skips(&p); /* RACK finds the first, and cwnd has room for more */
	peer_sleeps(&p, MS(10));
	SAY(&p, ".", 1, 0, 1 + 3 * MSS);
	SAY(&p, ".", 1, 0, 1 + 3 * MSS);
	EXPECT_NOTHING(&p);
	SAY(&p, ".", 1, 0, 1 + 3 * MSS);
	EXPECT(&p, ".", 1 + 3 * MSS, MSS, 1);
	EXPECT_NUMBER(&p, p.a->conn.ca, TCP_CA_LOSS);
	EXPECT_NOTHING(&p);
	SAY(&p, ".", 1, 0, 1 + 10 * MSS);
	EXPECT_NUMBER(&p, p.a->conn.ca, TCP_CA_OPEN);
	peer_free(&p);
}

/* RFC 6582 4.1: five segments at once were there before, and so may be what left again since; and
 * duplicates that are already there when it leaves tell nothing of it. */
static void
test_what_was_sent_again_in_vain_is_not_lost(void)
{
	struct peer p;

	timed_out_twice(&p, 6);
	peer_sleeps(&p, MS(10));
	for (int i = 0; i < 5; i++)
		SAY(&p, ".", 1, 0, 1 + 6 * MSS);
	EXPECT_NOTHING(&p);
	EXPECT_NUMBER(&p, p.a->conn.ca, TCP_CA_LOSS);
	peer_free(&p);
	timed_out_twice(&p, 3);
	for (int i = 0; i < 5; i++)
		SAY(&p, ".", 1, 0, 1 + 3 * MSS);
	EXPECT_NOTHING(&p);
	EXPECT_NUMBER(&p, p.a->conn.ca, TCP_CA_LOSS);
	peer_free(&p);
}

/* Three duplicates of the ACK before: not for window updates, text, or after all is acknowledged. */
static void
test_what_is_no_duplicate(void)
{
	struct peer p;

	in_flight(&p, &no_sack, 10);
	for (uint32_t i = 0; i < 5; i++) { /* (b) with text */
		SAY(&p, ".", 1 + i, 1, 1);
		(void)peer_skips(&p);
	}
	EXPECT_NUMBER(&p, p.a->conn.ca, TCP_CA_OPEN);
	for (int i = 0; i < 5; i++) { /* (e) another window */
		p.wnd = (uint16_t)(60000 + i);
		SAY(&p, ".", 6, 0, 1);
	}
	EXPECT_NUMBER(&p, p.a->conn.ca, TCP_CA_OPEN);
	SAY(&p, ".", 6, 0, 1 + 10 * MSS);
	for (int i = 0; i < 5; i++) /* (a) nothing outstanding */
		SAY(&p, ".", 6, 0, 1 + 10 * MSS);
	EXPECT_NUMBER(&p, p.a->conn.ca, TCP_CA_OPEN);
	peer_free(&p);
}

/* ----------------------------------------------------------- with SACK -- */

static void
test_rack_marks_what_was_overtaken(void)
{
	struct peer p;

	in_flight(&p, NULL, 10); /* 1 and 3 are lost */
	peer_sack(&p, 1 + MSS, 1 + 2 * MSS, 0);
	SAY(&p, ".", 1, 0, 1);
	EXPECT_NOTHING(&p); /* it may still come: the reordering window */
	peer_sack(&p, 1 + 3 * MSS, 1 + 4 * MSS, 1 + MSS, 1 + 2 * MSS, 0);
	SAY(&p, ".", 1, 0, 1);
	EXPECT_NOTHING(&p);
	peer_sack(&p, 1 + 3 * MSS, 1 + 5 * MSS, 1 + MSS, 1 + 2 * MSS, 0);
	SAY(&p, ".", 1, 0, 1); /* three have overtaken: lost */
	EXPECT(&p, ".", 1, MSS, 1);
	EXPECT_NUMBER(&p, p.a->conn.ca, TCP_CA_RECOVERY);
	peer_sack(&p, 1 + 3 * MSS, 1 + 6 * MSS, 1 + MSS, 1 + 2 * MSS, 0);
	SAY(&p, ".", 1, 0, 1);
	peer_sack(&p, 1 + 3 * MSS, 1 + 7 * MSS, 1 + MSS, 1 + 2 * MSS, 0);
	SAY(&p, ".", 1, 0, 1);
	EXPECT(&p, ".", 1 + 2 * MSS, MSS, 1);
	EXPECT_NOTHING(&p); /* nothing that was SACKed leaves again */
	SAY(&p, ".", 1, 0, 1 + 10 * MSS);
	EXPECT_NUMBER(&p, p.a->conn.ca, TCP_CA_OPEN);
	EXPECT_NUMBER(&p, p.a->conn.cwnd / MSS, 7); /* the last ACK begins to let it grow */
	peer_free(&p);
}

/* RFC 8985 6.3: the reordering timer, a quarter of the smallest round trip. */
static void
test_rack_reordering_timer(void)
{
	struct peer p;
	int64_t t0;

	in_flight(&p, NULL, 3);
	peer_sack(&p, 1 + MSS, 1 + 2 * MSS, 0);
	t0 = p.d->now;
	SAY(&p, ".", 1, 0, 1);
	EXPECT_NOTHING(&p);
	peer_sleeps(&p, MS(20));
	EXPECT(&p, ".", 1, MSS, 1);
	EXPECT_NUMBER(&p, peer_after(&p, t0), US(2500));
	/* and nothing else: the third was sent after the one that arrived */
	EXPECT_NOTHING(&p);
	peer_free(&p);
}

/* Late but not lost: nothing is repeated, and the lesson is remembered. */
static void
test_reordering_is_learned(void)
{
	struct peer p;

	in_flight(&p, NULL, 10);
	peer_sack(&p, 1 + MSS, 1 + 2 * MSS, 0);
	SAY(&p, ".", 1, 0, 1);
	peer_sleeps(&p, MS(1));
	SAY(&p, ".", 1, 0, 1 + 2 * MSS);
	EXPECT_NOTHING(&p);
	CU_ASSERT_TRUE(p.a->conn.flags & TCPF_REORDER);
	/* now three that overtake are no longer enough */
	peer_sack(&p, 1 + 3 * MSS, 1 + 7 * MSS, 0);
	SAY(&p, ".", 1, 0, 1 + 2 * MSS);
	EXPECT_NOTHING(&p);
	peer_sleeps(&p, MS(5));
	EXPECT(&p, ".", 1 + 2 * MSS, MSS, 1);
	peer_free(&p);
}

/* Blocks of several losses told at once, or beside an ACK, are no reordering. */
static void
test_lost_acks_are_no_reordering(void)
{
	struct peer p;

	in_flight(&p, NULL, 10); /* 2, 4, 6 are lost, and all ACKs but this one */
	peer_sack(&p, 1 + 6 * MSS, 1 + 10 * MSS, 1 + 4 * MSS, 1 + 5 * MSS, 1 + 2 * MSS,
	          1 + 3 * MSS, 0);
	SAY(&p, ".", 1, 0, 1 + MSS);
	CU_ASSERT_FALSE(p.a->conn.flags & TCPF_REORDER);
	EXPECT(&p, ".", 1 + MSS, MSS, 1);
	peer_free(&p);
}

/* RFC 8985 6.2: a retransmission that is lost is found out by what was sent after it. */
static void
test_lost_retransmission(void)
{
	struct peer p;

	in_flight(&p, NULL, 10); /* 1 and 2 are lost, and 1 again */
	peer_a_writes(&p, 10 * MSS);
	peer_sack(&p, 1 + 2 * MSS, 1 + 10 * MSS, 0);
	SAY(&p, ".", 1, 0, 1);
	EXPECT(&p, ".", 1, MSS, 1);
	(void)peer_skips(&p);
	peer_sleeps(&p, MS(10));
	peer_sack(&p, 1 + MSS, 1 + 10 * MSS, 0); /* the second came through */
	SAY(&p, ".", 1, 0, 1);
	peer_sleeps(&p, MS(5));
	peer_sack(&p, 1 + MSS, 1 + 11 * MSS, 0);
	SAY(&p, ".", 1, 0, 1);
	peer_sleeps(&p, MS(5));
	{
		unsigned again = 0;

		while (p.at < p.d->n_log)
			again += seq_eq(p.d->log[p.at++].s.seq, seq_add(p.a_iss, 1));
		CU_ASSERT_EQUAL(again, 1);
	}
	peer_free(&p);
}

/* RFC 6675 4, NextSeg() rule 1: a peer that has no room for what is beyond a hole tells of nothing
 * until it is filled. */
static void
test_what_is_lost_again_goes_before_what_waits(void)
{
	struct peer p;

	in_flight(&p, &no_probes, 10); /* all are lost */
	peer_sleeps(&p, MS(300));
	EXPECT(&p, ".", 1, MSS, 1);
	SAY(&p, ".", 1, 0, 1 + MSS);
	EXPECT(&p, ".", 1 + MSS, MSS, 1);
	EXPECT(&p, ".", 1 + 2 * MSS, MSS, 1);
	EXPECT_NOTHING(&p); /* the others wait for cwnd */
	peer_sleeps(&p, MS(10));
	peer_sack(&p, 1 + 2 * MSS, 1 + 3 * MSS, 0);
	SAY(&p, ".", 1, 0, 1 + MSS); /* the second is lost again */
	EXPECT(&p, ".", 1 + MSS, MSS, 1);
	EXPECT(&p, ".", 1 + 3 * MSS, MSS, 1);
	EXPECT_NOTHING(&p);
	peer_free(&p);
}

/* SACK is advice: text that the peer forgets again is sent again (RFC 2018 8). */
static void
test_reneging(void)
{
	struct peer p;

	in_flight(&p, NULL, 4);
	peer_sack(&p, 1 + MSS, 1 + 3 * MSS, 0);
	SAY(&p, ".", 1, 0, 1);
	(void)peer_skips(&p);
	peer_sleeps(&p, MS(10));
	(void)peer_skips(&p);
	SAY(&p, ".", 1, 0, 1 + MSS); /* the ACK stops short of what it had claimed */
	peer_sleeps(&p, SEC(1));
	{
		bool second = false, third = false;

		for (int i = 0; i < 10; i++) {
			SAY(&p, ".", 1, 0, 1 + MSS);
			peer_sleeps(&p, SEC(1));
		}
		while (p.at < p.d->n_log) {
			const struct tcp_seg *s = &p.d->log[p.at++].s;

			second |= seq_eq(s->seq, seq_add(p.a_iss, 1 + MSS));
			third |= seq_eq(s->seq, seq_add(p.a_iss, 1 + 2 * MSS));
			if (second && !third)
				SAY(&p, ".", 1, 0, 1 + 2 * MSS);
		}
		CU_ASSERT_TRUE(second);
		peer_sleeps(&p, SEC(20));
		while (p.at < p.d->n_log)
			third |= seq_eq(p.d->log[p.at++].s.seq, seq_add(p.a_iss, 1 + 2 * MSS));
		CU_ASSERT_TRUE(third);
	}
	peer_free(&p);
}

/* Blocks that claim what was never sent, below SND.UNA, empty or reversed. */
static void
test_blocks_that_cannot_be(void)
{
	struct peer p;

	in_flight(&p, NULL, 10);
	SAY(&p, ".", 1, 0, 1 + 2 * MSS);
	peer_sack(&p, 1 + 9 * MSS, 1 + 20 * MSS, 1 + 30 * MSS, 1 + 31 * MSS, 1 + 5 * MSS,
	          1 + 4 * MSS, 1 + 6 * MSS, 1 + 6 * MSS, 0);
	SAY(&p, ".", 1, 0, 1 + 2 * MSS);
	EXPECT_NUMBER(&p, p.a->conn.xmit->sacked, 0);
	peer_sack(&p, 0x80000000u, 0x80001000u, 1 + MSS, 1 + 3 * MSS, 0);
	SAY(&p, ".", 1, 0, 1 + 2 * MSS);
	EXPECT_NUMBER(&p, p.a->conn.xmit->sacked, 0);
	peer_free(&p);
}

/* A peer that SACKs single bytes must not make us split hairs. */
static void
test_blocks_of_single_bytes(void)
{
	struct peer p;
	uint32_t used;

	in_flight(&p, NULL, 10);
	used = p.a->env.sents.used;
	for (uint32_t i = 0; i < 3000; i++) {
		peer_sack(&p, 2 + 2 * i, 3 + 2 * i, 0);
		SAY(&p, ".", 1, 0, 1);
	}
	CU_ASSERT_TRUE(p.a->env.sents.used <= used);
	EXPECT_NUMBER(&p, p.a->conn.xmit->sacked, 0);
	SAY(&p, ".", 1, 0, 1 + 10 * MSS);
	EXPECT_NUMBER(&p, p.a->env.sents.used, 0);
	peer_free(&p);
}

/* A FIN beyond a hole: peers count it into the block, or they do not. */
static void
test_sack_of_a_fin(void)
{
	for (unsigned fin = 0; fin < 2; fin++) {
		struct peer p;

		peer_connected(&p, NULL);
		peer_a_writes(&p, 2 * MSS);
		duo_close(p.a);
		(void)peer_skips(&p);
		EXPECT_NUMBER(&p, seq_sub(p.a->conn.snd_nxt, p.a_iss), 2 + 2 * MSS);
		peer_sleeps(&p, MS(10));
		peer_sack(&p, 1 + MSS, 1 + 2 * MSS + fin, 0);
		SAY(&p, ".", 1, 0, 1);
		peer_sleeps(&p, MS(10));
		EXPECT(&p, ".", 1, MSS, 1);
		SAY(&p, ".", 1, 0, 2 + 2 * MSS);
		EXPECT_STATE(&p, TCP_FIN_WAIT_2);
		peer_free(&p);
	}
}

/* ---------------------------------------------------------- time-outs -- */

/* RFC 6298 5.5, RFC 9293 MUST-19, 3.8.3. */
static void
test_rto_backs_off_and_gives_up(void)
{
	struct peer p;
	int64_t rto, at, gap;
	unsigned n = 0;

	peer_connected(&p, &(struct peer_opts){ .cfg = peer_no_probes });
	peer_a_writes(&p, 100);
	EXPECT(&p, "P.", 1, 100, 1);
	at = p.last->at;
	rto = tcp_rto_ns(&p.a->conn);
	peer_sleeps(&p, SEC(2000));
	while (p.at < p.d->n_log) {
		EXPECT(&p, "P.", 1, 100, 1);
		gap = peer_after(&p, at);
		EXPECT_NUMBER(&p, gap, min(rto << n, SEC(120)));
		at = p.last->at;
		n++;
	}
	EXPECT_NUMBER(&p, n, 15);
	EXPECT_STATE(&p, TCP_CLOSED);
	EXPECT_NUMBER(&p, p.a->conn.err, TCP_E_TIMEDOUT);
	CU_ASSERT_TRUE(at - DUO_T0 > SEC(100)); /* SHLD-11 */
	peer_free(&p);
}

/* MUST-18. */
static void
test_karn(void)
{
	struct peer p;
	int64_t rto;
	uint32_t srtt;

	peer_connected(&p, &(struct peer_opts){ .cfg = peer_no_probes });
	peer_a_writes(&p, 100);
	srtt = p.a->conn.srtt_us;
	rto = tcp_rto_ns(&p.a->conn);
	peer_sleeps(&p, rto);
	(void)peer_skips(&p);
	EXPECT_NUMBER(&p, tcp_rto_ns(&p.a->conn), 2 * rto);
	SAY(&p, ".", 1, 0, 101);
	EXPECT_NUMBER(&p, p.a->conn.srtt_us, srtt);
	EXPECT_NUMBER(&p, tcp_rto_ns(&p.a->conn), 2 * rto); /* until there is a sample */
	peer_a_writes(&p, 100);
	peer_sleeps(&p, MS(10));
	SAY(&p, ".", 1, 0, 201);
	CU_ASSERT_TRUE(tcp_rto_ns(&p.a->conn) <= rto);
	peer_free(&p);
}

/* RFC 7323 4: an echoed timestamp tells which transmission was acknowledged. */
static void
test_timestamps_measure_retransmissions(void)
{
	struct peer p;
	int64_t rto;

	peer_connected(&p, &(struct peer_opts){ .opts = TCP_OPT_MSS | TCP_OPT_TS });
	peer_a_writes(&p, 100);
	rto = tcp_rto_ns(&p.a->conn);
	peer_sleeps(&p, rto);
	peer_sleeps(&p, MS(10));
	SAY(&p, ".", 1, 0, 101);
	CU_ASSERT_TRUE(tcp_rto_ns(&p.a->conn) <= rto);
	peer_free(&p);
}

/* The first one's ACK was lost, or it waited as long as our time-out: which is not known. */
static void
test_no_sample_of_an_earlier_transmission(void)
{
	struct peer p;
	uint32_t srtt;
	int64_t rto;

	peer_connected(&p, &(struct peer_opts){ .cfg = peer_no_probes,
	                                        .opts = TCP_OPT_MSS | TCP_OPT_TS });
	p.with.tsecr = tcp_ts_now(&p.a->conn, p.d->now);
	peer_a_writes(&p, 100);
	srtt = p.a->conn.srtt_us;
	rto = tcp_rto_ns(&p.a->conn);
	peer_sleeps(&p, rto);
	peer_sleeps(&p, MS(10));
	(void)peer_skips(&p);
	p.with.opts = TCP_OPT_MSS | TCP_OPT_TS;
	p.with.tsval = p.tsval;
	SAY(&p, ".", 1, 0, 101);
	EXPECT_NUMBER(&p, p.a->conn.srtt_us, srtt);
	EXPECT_NUMBER(&p, tcp_rto_ns(&p.a->conn), 2 * rto);
	peer_free(&p);
}

/* What had waited behind a hole gives no sample, or one loss would look like a
 * slow path. */
static void
test_no_sample_from_behind_a_hole(void)
{
	struct peer p;
	uint32_t srtt;

	in_flight(&p, &no_sack, 10);
	srtt = p.a->conn.srtt_us;
	for (int i = 0; i < 3; i++)
		SAY(&p, ".", 1, 0, 1);
	peer_sleeps(&p, MS(150));
	SAY(&p, ".", 1, 0, 1 + 10 * MSS);
	EXPECT_NUMBER(&p, p.a->conn.srtt_us, srtt);
	peer_free(&p);
}

/* RFC 5681 3.1: the loss window, and slow start again. */
static void
test_cwnd_after_a_time_out(void)
{
	struct peer p;

	in_flight(&p, &no_probes, 10);
	peer_sleeps(&p, MS(300));
	EXPECT(&p, ".", 1, MSS, 1); /* one, not ten */
	EXPECT_NOTHING(&p);
	EXPECT_NUMBER(&p, p.a->conn.cwnd, MSS);
	EXPECT_NUMBER(&p, p.a->conn.ssthresh, 7 * MSS);
	SAY(&p, ".", 1, 0, 1 + MSS);
	EXPECT(&p, ".", 1 + MSS, MSS, 1);
	EXPECT(&p, ".", 1 + 2 * MSS, MSS, 1);
	EXPECT_NOTHING(&p);
	/* One ACK of all that had arrived: not a burst (RFC 3465 2.3). */
	peer_a_writes(&p, 16384);
	(void)peer_skips(&p);
	SAY(&p, ".", 1, 0, 1 + 10 * MSS);
	EXPECT_NUMBER(&p, p.a->conn.cwnd, 3 * MSS);
	EXPECT_NUMBER(&p, peer_skips(&p), 3);
	peer_free(&p);
}

/* RFC 5681 3.1: ssthresh is set once, not by each expiry. */
static void
test_ssthresh_survives_the_second_time_out(void)
{
	struct peer p;

	in_flight(&p, &no_probes, 10);
	peer_sleeps(&p, SEC(3));
	CU_ASSERT_TRUE(p.a->conn.retries > 2);
	EXPECT_NUMBER(&p, p.a->conn.ssthresh, 7 * MSS);
	EXPECT_NUMBER(&p, p.a->conn.cwnd, MSS);
	peer_free(&p);
}

/* Pure ACKs that say nothing new must not postpone the time-out. */
static void
test_old_news_do_not_restart_the_timer(void)
{
	struct peer p;
	int64_t at;

	peer_connected(&p, NULL);
	peer_a_writes(&p, 100);
	EXPECT(&p, "P.", 1, 100, 1);
	at = p.a->conn.rtx_at;
	for (uint32_t i = 0; i < 20; i++) {
		peer_sleeps(&p, MS(5));
		SAY(&p, ".", 1, 0, 1);
		SAY(&p, "R", 900, 0, 0); /* challenged */
		SAY(&p, "P.", 1 + i, 1, 1);
	}
	EXPECT_NUMBER(&p, p.a->conn.rtx_at, at);
	peer_free(&p);
}

/* RFC 6298 5.3: restart when new text is acknowledged. */
static void
test_timer_restarts_with_progress(void)
{
	struct peer p;

	in_flight(&p, &no_probes, 4);
	for (uint32_t i = 1; i < 4; i++) {
		peer_sleeps(&p, MS(100));
		SAY(&p, ".", 1, 0, 1 + i * MSS);
		EXPECT_NUMBER(&p, p.a->conn.rtx_at, p.d->now + tcp_rto_ns(&p.a->conn));
	}
	SAY(&p, ".", 1, 0, 1 + 4 * MSS);
	EXPECT_NUMBER(&p, p.a->conn.rtx_at, TIME_NEVER);
	EXPECT_NOTHING(&p);
	peer_free(&p);
}

/* RFC 5482, TCP_USER_TIMEOUT. */
static void
test_user_timeout(void)
{
	struct peer p;
	int64_t t0;

	peer_connected(&p, NULL);
	duo_option(p.a, TCP_OPTION_USER_TIMEOUT, 5000);
	t0 = p.d->now;
	peer_a_writes(&p, 100);
	peer_sleeps(&p, MS(4990));
	EXPECT_STATE(&p, TCP_ESTABLISHED);
	peer_sleeps(&p, MS(20));
	EXPECT_STATE(&p, TCP_CLOSED);
	EXPECT_NUMBER(&p, p.a->conn.err, TCP_E_TIMEDOUT);
	CU_ASSERT_TRUE(p.d->now - t0 < SEC(6));
	peer_free(&p);
}

static void
test_user_timeout_of_a_closed_window(void)
{
	struct peer p;

	peer_connected(&p, &(struct peer_opts){ .wnd = 100 });
	duo_option(p.a, TCP_OPTION_USER_TIMEOUT, 5000);
	peer_a_writes(&p, 200);
	p.wnd = 0;
	SAY(&p, ".", 1, 0, 101);
	for (int i = 0; i < 4; i++) { /* although it answers */
		peer_sleeps(&p, SEC(1));
		SAY(&p, ".", 1, 0, 101);
	}
	EXPECT_STATE(&p, TCP_ESTABLISHED);
	peer_sleeps(&p, MS(1100));
	EXPECT_STATE(&p, TCP_CLOSED);
	EXPECT_NUMBER(&p, p.a->conn.err, TCP_E_TIMEDOUT);
	peer_free(&p);
}

/* Neither text of the peer's nor new text of ours is progress; an ACK of something is. */
static void
test_user_timeout_counts_from_the_last_progress(void)
{
	struct peer p;

	peer_connected(&p, NULL);
	duo_option(p.a, TCP_OPTION_USER_TIMEOUT, 5000);
	duo_flag(p.a, TCPF_NODELAY, true);
	peer_a_writes(&p, 100);
	peer_sleeps(&p, SEC(3));
	peer_a_writes(&p, 100);
	SAY(&p, ".", 1, 0, 101);
	for (uint32_t i = 0; i < 4; i++) {
		peer_sleeps(&p, SEC(1));
		peer_a_writes(&p, 100);
		SAY(&p, ".", 1 + i, 1, 101);
	}
	EXPECT_STATE(&p, TCP_ESTABLISHED);
	peer_sleeps(&p, MS(1100));
	EXPECT_STATE(&p, TCP_CLOSED);
	peer_free(&p);
}

static void
test_user_timeout_ends_keepalive(void)
{
	struct peer p;

	peer_connected(&p, NULL);
	duo_option(p.a, TCP_OPTION_KEEPIDLE, 10);
	duo_option(p.a, TCP_OPTION_KEEPINTVL, 2);
	duo_option(p.a, TCP_OPTION_USER_TIMEOUT, 13000);
	duo_flag(p.a, TCPF_KEEPALIVE, true);
	tcp_set_opts(&p.a->env, &p.a->conn, p.a->conn.opts, p.d->now);
	peer_sleeps(&p, MS(13900));
	EXPECT_STATE(&p, TCP_ESTABLISHED);
	peer_sleeps(&p, MS(300));
	EXPECT_STATE(&p, TCP_CLOSED); /* after two probes */
	EXPECT_NUMBER(&p, p.a->conn.err, TCP_E_TIMEDOUT);
	peer_free(&p);
}

/* A retransmission is what was sent, whatever is said about it meanwhile. */
static void
test_partly_acknowledged_segment(void)
{
	struct peer p;

	peer_connected(&p, NULL);
	peer_a_writes(&p, 1000);
	EXPECT(&p, "P.", 1, 1000, 1);
	SAY(&p, ".", 1, 0, 401);
	peer_sleeps(&p, MS(300));
	EXPECT(&p, "P.", 401, 600, 1);
	SAY(&p, ".", 1, 0, 1001);
	EXPECT_NUMBER(&p, tcp_flight(&p.a->conn), 0);
	peer_sleeps(&p, SEC(10));
	EXPECT_NOTHING(&p);
	peer_free(&p);
}

/* ACKs of single bytes (RFC 3465's attack): cwnd grows by bytes, not by ACKs. */
static void
test_split_acks(void)
{
	struct peer p;

	peer_connected(&p, NULL);
	peer_a_writes(&p, 1000000);
	(void)peer_skips(&p);
	for (uint32_t i = 0; i < 1460; i++)
		SAY(&p, ".", 1, 0, 2 + i);
	EXPECT_NUMBER(&p, p.a->conn.cwnd, 11 * MSS);
	peer_free(&p);
}

/* RFC 5681 3.1, RFC 7661: ACKs that arrive in one burst, before anything can leave, find
 * ever less in flight; cwnd had held text back all the same, and grows by all of them. */
static void
test_a_burst_of_acks_grows_cwnd(void)
{
	struct peer p;

	in_flight(&p, NULL, 10);
	peer_a_writes(&p, 16384);
	p.a->conn.ssthresh = 10 * MSS; /* congestion avoidance */
	EXPECT_NOTHING(&p);
	p.a->opened = 0; /* a core takes its whole burst first */
	for (uint32_t i = 1; i <= 10; i++)
		SAY(&p, ".", 1, 0, 1 + i * MSS);
	p.a->opened = 1;
	EXPECT_NUMBER(&p, (p.a->conn.cwnd + MSS / 10) / MSS, 11);
	peer_free(&p);
}

/* RFC 3042 2: a duplicate that SACKs nothing new says that nothing has left the network. */
static void
test_no_limited_transmit_without_news(void)
{
	struct peer p;

	in_flight(&p, NULL, 10);
	peer_a_writes(&p, 10 * MSS);
	peer_sack(&p, 1 + MSS, 1 + 2 * MSS, 0);
	SAY(&p, ".", 1, 0, 1);
	EXPECT(&p, ".", 1 + 10 * MSS, MSS, 1);
	for (int i = 0; i < 2; i++) {
		peer_sack(&p, 1 + MSS, 1 + 2 * MSS, 0);
		SAY(&p, ".", 1, 0, 1);
		EXPECT_NOTHING(&p);
	}
	peer_free(&p);
}

/* RFC 6298 5.1, 5.2: it runs while something is in flight, and only then. */
static void
test_the_timer_runs_with_the_flight(void)
{
	struct peer p;

	peer_connected(&p, &no_probes);
	EXPECT_NUMBER(&p, p.a->conn.rtx_at, TIME_NEVER);
	peer_a_writes(&p, 100);
	EXPECT_NUMBER(&p, p.a->conn.rtx_at, p.d->now + tcp_rto_ns(&p.a->conn));
	peer_sleeps(&p, MS(5));
	SAY(&p, ".", 1, 0, 101);
	EXPECT_NUMBER(&p, p.a->conn.rtx_at, TIME_NEVER);
	peer_free(&p);
}

/* RFC 3522: the SYN came through and its answer was slow; nothing was lost, IW is what it was. */
static void
test_a_slow_syn_ack_costs_nothing(void)
{
	struct peer p;

	peer_new(&p, &(struct peer_opts){ .opts = TCP_OPT_MSS | TCP_OPT_TS });
	duo_connect(p.a);
	EXPECT(&p, "S", 0, 0, 0);
	peer_sleeps(&p, MS(1500));
	EXPECT(&p, "S", 0, 0, 0);
	peer_syn_options(&p);
	p.with.tsval = 1;
	p.with.tsecr = tcp_ts_now(&p.a->conn, DUO_T0); /* the first one's */
	SAY(&p, "S.", 0, 0, 1);
	EXPECT_STATE(&p, TCP_ESTABLISHED);
	EXPECT_NUMBER(&p, p.a->conn.cwnd, 10 * p.a->conn.mss);
	EXPECT_NUMBER(&p, p.a->conn.srtt_us >> 3, 1500000);
	peer_free(&p);
}

/* All of a flight but the ACKs is lost, everything wraps, and it still comes right. */
static void
test_sequence_numbers_wrap_in_recovery(void)
{
	struct peer_opts o = { .a_iss = seq_of((uint32_t)-(int32_t)(5 * MSS)) };
	struct peer p;

	in_flight(&p, &o, 10);
	peer_sack(&p, 1 + 3 * MSS, 1 + 8 * MSS, 0);
	SAY(&p, ".", 1, 0, 1);
	EXPECT(&p, ".", 1, MSS, 1);
	(void)peer_skips(&p);
	peer_sleeps(&p, MS(10));
	SAY(&p, ".", 1, 0, 1 + 8 * MSS);
	EXPECT_NUMBER(&p, tcp_flight(&p.a->conn), 2 * MSS);
	SAY(&p, ".", 1, 0, 1 + 10 * MSS);
	EXPECT_NUMBER(&p, tcp_flight(&p.a->conn), 0);
	peer_free(&p);
}

void
suite_script_loss(void)
{
	CU_pSuite s = CU_add_suite("script_loss", NULL, NULL);

	CU_add_test(s, "fast retransmit on the third duplicate (RFC 5681 3.2; RFC 6675 "
	            "4/IsLost)",
	            test_fast_retransmit_on_the_third_duplicate);
	CU_add_test(s, "limited transmit (RFC 3042 2/two, 2/bound)", test_limited_transmit);
	CU_add_test(s, "NewReno: partial ACKs (RFC 6582 3.2/partial, 3.2/no-sack)",
	            test_newreno_partial_acks);
	CU_add_test(s, "PRR without SACK (RFC 6937 3/proportional; Linux: recovery)",
	            test_prr_without_sack);
	CU_add_test(s, "what a time-out sent again is lost again (RFC 6582 4.1/ack-heuristic)",
	            test_what_was_sent_again_is_lost_again);
	CU_add_test(s, "what the peer throws away is lost again (RFC 6582 4.1/no-room)",
	            test_thrown_away_is_lost_again);
	CU_add_test(s, "what it sent again in vain is not lost (RFC 6582 4.1/in-vain)",
	            test_what_was_sent_again_in_vain_is_not_lost);
	CU_add_test(s, "no second recovery for the same flight (RFC 6582 3.2/recover)",
	            test_no_second_recovery_for_the_same_flight);
	CU_add_test(s, "what is no duplicate", test_what_is_no_duplicate);
	CU_add_test(s, "RACK marks what was overtaken (RFC 8985 6.2/step-2, 6.2/step-5; RFC "
	            "6675 4/IsLost; Linux: RACK)",
	            test_rack_marks_what_was_overtaken);
	CU_add_test(s, "RACK's reordering timer (RFC 8985 6.2/timer, 6.2/step-4)",
	            test_rack_reordering_timer);
	CU_add_test(s, "reordering is learned (RFC 8985 6.2/step-3)",
	            test_reordering_is_learned);
	CU_add_test(s, "lost ACKs are no reordering", test_lost_acks_are_no_reordering);
	CU_add_test(s, "a lost retransmission (RFC 8985 6.2/lost-retransmission)",
	            test_lost_retransmission);
	CU_add_test(s, "what is lost again goes before what waits (RFC 6675 4/NextSeg)",
	            test_what_is_lost_again_goes_before_what_waits);
	CU_add_test(s, "reneging (RFC 2018 8; RFC 6675 5.1)", test_reneging);
	CU_add_test(s, "blocks that cannot be (RFC 2018 5; RFC 2883 5)",
	            test_blocks_that_cannot_be);
	CU_add_test(s, "blocks of single bytes", test_blocks_of_single_bytes);
	CU_add_test(s, "SACK of a FIN", test_sack_of_a_fin);
	CU_add_test(s, "the RTO backs off and gives up (RFC 9293 MUST-19, MUST-20, SHLD-11; "
	            "RFC 1122 4.2.3.5; RFC 6298 5.4, 5.5; RFC 8961 4/3)",
	            test_rto_backs_off_and_gives_up);
	CU_add_test(s, "Karn (RFC 9293 MUST-18; RFC 6298 3)", test_karn);
	CU_add_test(s, "timestamps measure retransmissions (RFC 6298 3; RFC 7323 4.1)",
	            test_timestamps_measure_retransmissions);
	CU_add_test(s, "no sample of an earlier transmission (RFC 6298 3; RFC 7323 4.1)",
	            test_no_sample_of_an_earlier_transmission);
	CU_add_test(s, "no sample from behind a hole (RFC 6298 3)",
	            test_no_sample_from_behind_a_hole);
	CU_add_test(s, "cwnd after a time-out (RFC 9293 MUST-19; RFC 5681 3.1/loss-window; RFC "
	            "8961 4/4)",
	            test_cwnd_after_a_time_out);
	CU_add_test(s, "ssthresh survives the second time-out (RFC 5681 3.1/ssthresh)",
	            test_ssthresh_survives_the_second_time_out);
	CU_add_test(s, "old news do not restart the timer",
	            test_old_news_do_not_restart_the_timer);
	CU_add_test(s, "the timer restarts with progress (RFC 6298 5.3)",
	            test_timer_restarts_with_progress);
	CU_add_test(s, "user time-out (RFC 9293 MUST-21; RFC 5482 3.1)", test_user_timeout);
	CU_add_test(s, "user time-out of a closed window (RFC 5482 3.1)",
	            test_user_timeout_of_a_closed_window);
	CU_add_test(s, "a user time-out counts from the last progress (RFC 5482 3.1; option: "
	               "TCP_USER_TIMEOUT)", test_user_timeout_counts_from_the_last_progress);
	CU_add_test(s, "a user time-out ends keep-alive (option: TCP_USER_TIMEOUT)",
	            test_user_timeout_ends_keepalive);
	CU_add_test(s, "a partly acknowledged segment", test_partly_acknowledged_segment);
	CU_add_test(s, "split ACKs (attack: split ACKs)", test_split_acks);
	CU_add_test(s, "a burst of ACKs grows cwnd (RFC 5681 3.1/avoidance)",
	            test_a_burst_of_acks_grows_cwnd);
	CU_add_test(s, "no limited transmit without news (RFC 3042 2/news)",
	            test_no_limited_transmit_without_news);
	CU_add_test(s, "the timer runs with the flight (RFC 6298 5.1, 5.2)",
	            test_the_timer_runs_with_the_flight);
	CU_add_test(s, "a slow SYN-ACK costs nothing (RFC 3522 3)",
	            test_a_slow_syn_ack_costs_nothing);
	CU_add_test(s, "sequence numbers wrap in recovery",
	            test_sequence_numbers_wrap_in_recovery);
}
