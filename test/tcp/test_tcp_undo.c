/* SPDX-License-Identifier: BSD-3-Clause */
/* Reductions that were wrong are taken back, and no others. */
#include "tcp/tcp_undo.h"

#include <CUnit/CUnit.h>

#include "test/script/peer.h"

void suite_tcp_undo(void);

#define MSS 1460u
#define TS_MSS 1448u

static const struct peer_opts stamped = { .opts = TCP_OPT_MSS | TCP_OPT_SACK_OK | TCP_OPT_TS,
	                                  .cfg = peer_no_probes };
static const struct peer_opts plain = { .cfg = peer_no_probes };

/* Ten are out and the first is late; three that overtook it make it leave again. */
static void
overtaken(struct peer *p, const struct peer_opts *o, uint32_t mss)
{
	peer_connected(p, o);
	peer_a_writes(p, 10 * mss);
	EXPECT_NUMBER(p, peer_skips(p), 10);
	peer_sleeps(p, MS(10));
	peer_sack(p, 1 + mss, 1 + 4 * mss, 0);
	SAY(p, ".", 1, 0, 1);
	EXPECT(p, ".", 1, mss, 1);
	EXPECT_NUMBER(p, p->a->conn.ca, TCP_CA_RECOVERY);
	EXPECT_NUMBER(p, p->a->conn.ssthresh, 7 * mss);
}

/* The next ACK echoes a segment that left `ms` ago. */
static void
echo_of(struct peer *p, uint32_t ms)
{
	p->with.opts |= TCP_OPT_TS;
	p->with.tsval = p->tsval + (uint32_t)((p->d->now - DUO_T0) / NS_PER_MS) + 1;
	p->with.tsecr = tcp_ts_now(&p->a->conn, p->d->now) - ms;
}

static void
test_a_dsack_of_the_only_retransmission(void)
{
	struct peer p;

	overtaken(&p, &plain, MSS);
	peer_sleeps(&p, MS(1));
	SAY(&p, ".", 1, 0, 1 + 4 * MSS); /* the original */
	EXPECT_NUMBER(&p, p.a->conn.ca, TCP_CA_RECOVERY);
	peer_sleeps(&p, MS(9));
	peer_sack(&p, 1, 1 + MSS, 0);
	SAY(&p, ".", 1, 0, 1 + 4 * MSS);
	EXPECT_NUMBER(&p, p.a->conn.ca, TCP_CA_OPEN);
	EXPECT_NUMBER(&p, p.a->conn.ssthresh, UINT32_MAX);
	CU_ASSERT_TRUE(p.a->conn.cwnd >= 10 * MSS);
	EXPECT_NUMBER(&p, tcp_rare(&p.a->conn)->dsack_dups, 1);
	CU_ASSERT_TRUE(p.a->conn.flags & TCPF_REORDER); /* three are no proof any more */
	peer_free(&p);
}

/* The ACK that tells of it may cover all there is. */
static void
test_a_dsack_with_the_last_ack(void)
{
	struct peer p;

	overtaken(&p, &plain, MSS);
	peer_sack(&p, 1, 1 + MSS, 0);
	SAY(&p, ".", 1, 0, 1 + 10 * MSS);
	EXPECT_NUMBER(&p, p.a->conn.ca, TCP_CA_OPEN);
	EXPECT_NUMBER(&p, p.a->conn.ssthresh, UINT32_MAX);
	CU_ASSERT_TRUE(p.a->conn.cwnd >= 10 * MSS);
	peer_free(&p);
}

/* The last of five had left again as a probe before the fourth was found lost: that the probe was
 * one too many does not mean that the fourth was. */
static void
test_a_dsack_of_what_left_before_the_reduction(void)
{
	struct peer p;

	peer_connected(&p, NULL);
	peer_a_writes(&p, 5 * MSS);
	EXPECT_NUMBER(&p, peer_skips(&p), 5);
	peer_sleeps(&p, MS(10));
	SAY(&p, ".", 1, 0, 1 + 3 * MSS);
	peer_sleeps(&p, MS(21));
	EXPECT(&p, "P.", 1 + 4 * MSS, MSS, 1);
	peer_sleeps(&p, MS(10));
	peer_sack(&p, 1 + 4 * MSS, 1 + 5 * MSS, 0);
	SAY(&p, ".", 1, 0, 1 + 3 * MSS);
	peer_sleeps(&p, MS(20));
	EXPECT(&p, ".", 1 + 3 * MSS, MSS, 1);
	CU_ASSERT_TRUE(p.a->conn.ssthresh < 10 * MSS);
	peer_sack(&p, 1 + 4 * MSS, 1 + 5 * MSS, 1 + 4 * MSS, 1 + 5 * MSS, 0);
	SAY(&p, ".", 1, 0, 1 + 3 * MSS);
	EXPECT_NUMBER(&p, tcp_rare(&p.a->conn)->dsack_dups, 1);
	CU_ASSERT_TRUE(p.a->conn.ssthresh < 10 * MSS);
	peer_free(&p);
}

/* It may come when recovery is long over. */
static void
test_a_dsack_after_the_end(void)
{
	struct peer p;

	overtaken(&p, &plain, MSS);
	peer_a_writes(&p, 10 * MSS);
	peer_sack(&p, 1 + MSS, 1 + 9 * MSS, 0);
	SAY(&p, ".", 1, 0, 1);
	CU_ASSERT_TRUE(peer_skips(&p) > 0); /* new text is on its way */
	SAY(&p, ".", 1, 0, 1 + 10 * MSS);
	EXPECT_NUMBER(&p, p.a->conn.ca, TCP_CA_OPEN);
	EXPECT_NUMBER(&p, p.a->conn.ssthresh, 7 * MSS);
	(void)peer_skips(&p);
	peer_sack(&p, 1, 1 + MSS, 0);
	SAY(&p, ".", 1, 0, 1 + 10 * MSS);
	EXPECT_NUMBER(&p, p.a->conn.ssthresh, UINT32_MAX);
	CU_ASSERT_TRUE(p.a->conn.cwnd >= 10 * MSS);
	peer_free(&p);
}

/* The network duplicates too: only what was sent again is a witness. */
static void
test_a_duplicate_of_an_original_proves_nothing(void)
{
	struct peer p;

	overtaken(&p, &plain, MSS);
	SAY(&p, ".", 1, 0, 1 + 4 * MSS);
	peer_sack(&p, 1 + MSS, 1 + 2 * MSS, 0);
	SAY(&p, ".", 1, 0, 1 + 4 * MSS);
	EXPECT_NUMBER(&p, p.a->conn.ca, TCP_CA_RECOVERY);
	EXPECT_NUMBER(&p, p.a->conn.ssthresh, 7 * MSS);
	EXPECT_NUMBER(&p, tcp_rare(&p.a->conn)->dsack_dups, 1);
	peer_free(&p);
}

/* Every retransmission has to be one too many. */
static void
test_one_of_two_is_not_enough(void)
{
	struct peer p;

	overtaken(&p, &plain, MSS);
	peer_sack(&p, 1 + 5 * MSS, 1 + 9 * MSS, 1 + MSS, 1 + 4 * MSS, 0);
	SAY(&p, ".", 1, 0, 1);
	EXPECT(&p, ".", 1 + 4 * MSS, MSS, 1);
	SAY(&p, ".", 1, 0, 1 + 4 * MSS);
	peer_sack(&p, 1, 1 + MSS, 1 + 5 * MSS, 1 + 9 * MSS, 0);
	SAY(&p, ".", 1, 0, 1 + 4 * MSS);
	EXPECT_NUMBER(&p, p.a->conn.ca, TCP_CA_RECOVERY);
	peer_sack(&p, 1 + 4 * MSS, 1 + 5 * MSS, 1 + 9 * MSS, 1 + 9 * MSS, 0);
	SAY(&p, ".", 1, 0, 1 + 9 * MSS);
	EXPECT_NUMBER(&p, p.a->conn.ssthresh, UINT32_MAX);
	peer_free(&p);
}

/* The first copy was lost too, or late: one D-SACK leaves open whether both were needed. */
static void
test_a_range_that_left_twice_again(void)
{
	struct peer p;

	overtaken(&p, &plain, MSS);
	peer_a_writes(&p, 10 * MSS);
	peer_sack(&p, 1 + MSS, 1 + 10 * MSS, 0);
	SAY(&p, ".", 1, 0, 1);
	CU_ASSERT_TRUE(peer_skips(&p) >= 2);
	peer_sleeps(&p, MS(10));
	peer_sack(&p, 1 + MSS, 1 + 12 * MSS, 0);
	SAY(&p, ".", 1, 0, 1);
	EXPECT(&p, ".", 1, MSS, 1);
	SAY(&p, ".", 1, 0, 1 + 12 * MSS);
	peer_sack(&p, 1, 1 + MSS, 0);
	SAY(&p, ".", 1, 0, 1 + 12 * MSS);
	EXPECT_NUMBER(&p, p.a->conn.ssthresh, 7 * MSS);
	peer_sack(&p, 1, 1 + MSS, 0);
	SAY(&p, ".", 1, 0, 1 + 12 * MSS);
	EXPECT_NUMBER(&p, p.a->conn.ssthresh, UINT32_MAX);
	peer_free(&p);
}

/* A peer that lies of more than was ever sent. */
static void
test_impossible_dsacks_are_ignored(void)
{
	struct peer p;

	overtaken(&p, &plain, MSS);
	peer_sack(&p, 0x80000000u, 1 + MSS, 0);
	SAY(&p, ".", 1, 0, 1 + 4 * MSS);
	peer_sack(&p, 0x90000000u, 1 + MSS, 0); /* in order, and longer than any window */
	SAY(&p, ".", 1, 0, 1 + 4 * MSS);
	EXPECT_NUMBER(&p, p.a->conn.ca, TCP_CA_RECOVERY);
	EXPECT_NUMBER(&p, tcp_rare(&p.a->conn)->dsack_dups, 0);
	peer_free(&p);
}

/* The ACK that tells of one of two may come twice, by the network or from a liar. */
static void
test_a_repeated_dsack_is_one(void)
{
	struct peer p;

	overtaken(&p, &plain, MSS);
	peer_sack(&p, 1 + 5 * MSS, 1 + 9 * MSS, 1 + MSS, 1 + 4 * MSS, 0);
	SAY(&p, ".", 1, 0, 1);
	EXPECT(&p, ".", 1 + 4 * MSS, MSS, 1);
	for (int i = 0; i < 3; i++) {
		peer_sack(&p, 1, 1 + MSS, 1 + 5 * MSS, 1 + 9 * MSS, 0);
		SAY(&p, ".", 1, 0, 1 + 4 * MSS);
	}
	EXPECT_NUMBER(&p, p.a->conn.ca, TCP_CA_RECOVERY);
	EXPECT_NUMBER(&p, p.a->conn.ssthresh, 7 * MSS);
	peer_free(&p);
}

static void
test_eifel_in_recovery(void)
{
	struct peer p;

	overtaken(&p, &stamped, TS_MSS);
	peer_sleeps(&p, MS(1));
	echo_of(&p, 11);
	SAY(&p, ".", 1, 0, 1 + 4 * TS_MSS);
	EXPECT_NUMBER(&p, p.a->conn.ca, TCP_CA_OPEN);
	EXPECT_NUMBER(&p, p.a->conn.ssthresh, UINT32_MAX);
	CU_ASSERT_TRUE(p.a->conn.cwnd >= 10 * TS_MSS);
	peer_free(&p);
}

/* The echo of the retransmission itself: it was needed. */
static void
test_no_eifel_when_the_retransmission_is_echoed(void)
{
	struct peer p;

	overtaken(&p, &stamped, TS_MSS);
	peer_sleeps(&p, MS(10));
	echo_of(&p, 10);
	SAY(&p, ".", 1, 0, 1 + 4 * TS_MSS);
	EXPECT_NUMBER(&p, p.a->conn.ca, TCP_CA_RECOVERY);
	EXPECT_NUMBER(&p, p.a->conn.ssthresh, 7 * TS_MSS);
	peer_free(&p);
}

/* RFC 4015: after a time-out the rest is not sent again, and cwnd is as it was. */
static void
test_eifel_after_a_time_out(void)
{
	struct peer p;

	peer_connected(&p, &stamped);
	peer_a_writes(&p, 10 * TS_MSS);
	EXPECT_NUMBER(&p, peer_skips(&p), 10);
	peer_sleeps(&p, MS(300));
	EXPECT(&p, ".", 1, TS_MSS, 1);
	EXPECT_NUMBER(&p, p.a->conn.ca, TCP_CA_LOSS);
	EXPECT_NUMBER(&p, p.a->conn.cwnd, TS_MSS);
	echo_of(&p, 300);
	SAY(&p, ".", 1, 0, 1 + TS_MSS);
	EXPECT_NOTHING(&p);
	EXPECT_NUMBER(&p, p.a->conn.ca, TCP_CA_OPEN);
	EXPECT_NUMBER(&p, p.a->conn.ssthresh, UINT32_MAX);
	CU_ASSERT_TRUE(p.a->conn.cwnd >= 10 * TS_MSS);
	EXPECT_NUMBER(&p, tcp_sack_pipe(&p.a->conn), 9 * TS_MSS);
	peer_free(&p);
}

/* F-RTO waited for its second ACK: what is lost next is not kept back for new text. */
static void
test_nothing_is_doubted_after_it(void)
{
	struct peer p;

	peer_connected(&p, &stamped);
	peer_a_writes(&p, 11 * TS_MSS);
	EXPECT_NUMBER(&p, peer_skips(&p), 10);
	peer_sleeps(&p, MS(300));
	EXPECT(&p, ".", 1, TS_MSS, 1);
	echo_of(&p, 300);
	SAY(&p, ".", 1, 0, 1 + TS_MSS);
	EXPECT(&p, "P.", 1 + 10 * TS_MSS, TS_MSS, 1);
	EXPECT_NUMBER(&p, p.a->conn.ca, TCP_CA_OPEN);
	peer_sack(&p, 1 + 2 * TS_MSS, 1 + 5 * TS_MSS, 0);
	echo_of(&p, 0);
	SAY(&p, ".", 1, 0, 1 + TS_MSS);
	EXPECT_NUMBER(&p, p.a->conn.ca, TCP_CA_RECOVERY);
	EXPECT(&p, ".", 1 + TS_MSS, TS_MSS, 1);
	peer_free(&p);
}

/* A loss that a probe repaired afterwards was one, and keeps its reduction. */
static void
test_a_probe_that_repaired_ends_it(void)
{
	struct peer p;
	uint32_t ssthresh;

	overtaken(&p, NULL, MSS);
	peer_a_writes(&p, 3 * MSS);
	peer_sack(&p, 1 + MSS, 1 + 9 * MSS, 0);
	SAY(&p, ".", 1, 0, 1);
	SAY(&p, ".", 1, 0, 1 + 10 * MSS);
	EXPECT_NUMBER(&p, peer_skips(&p), 3);
	peer_sleeps(&p, MS(50));
	EXPECT(&p, "P.", 1 + 12 * MSS, MSS, 1);
	peer_a_writes(&p, 2 * MSS);
	EXPECT_NUMBER(&p, peer_skips(&p), 2);
	SAY(&p, ".", 1, 0, 1 + 14 * MSS);
	ssthresh = p.a->conn.ssthresh;
	CU_ASSERT_TRUE(ssthresh < 7 * MSS);
	peer_sack(&p, 1, 1 + MSS, 0);
	SAY(&p, ".", 1, 0, 1 + 14 * MSS);
	EXPECT_NUMBER(&p, p.a->conn.ssthresh, ssthresh);
	peer_free(&p);
}

static void
test_dsack_after_a_time_out(void)
{
	struct peer p;

	peer_connected(&p, &plain);
	peer_a_writes(&p, 10 * MSS);
	EXPECT_NUMBER(&p, peer_skips(&p), 10);
	peer_sleeps(&p, MS(300));
	EXPECT(&p, ".", 1, MSS, 1);
	peer_sack(&p, 1, 1 + MSS, 0); /* all had arrived, their ACKs were lost */
	SAY(&p, ".", 1, 0, 1 + 9 * MSS);
	EXPECT_NUMBER(&p, p.a->conn.ssthresh, UINT32_MAX);
	EXPECT_NUMBER(&p, p.a->conn.ca, TCP_CA_OPEN);
	EXPECT_NOTHING(&p);
	peer_free(&p);
}

void
suite_tcp_undo(void)
{
	CU_pSuite s = CU_add_suite("tcp_undo", NULL, NULL);

	CU_add_test(s, "a D-SACK of the only retransmission (RFC 2883 4)",
	            test_a_dsack_of_the_only_retransmission);
	CU_add_test(s, "a D-SACK with the last ACK", test_a_dsack_with_the_last_ack);
	CU_add_test(s, "a D-SACK of what left before the reduction",
	            test_a_dsack_of_what_left_before_the_reduction);
	CU_add_test(s, "a D-SACK after the end", test_a_dsack_after_the_end);
	CU_add_test(s, "a duplicate of an original proves nothing",
	            test_a_duplicate_of_an_original_proves_nothing);
	CU_add_test(s, "one of two is not enough", test_one_of_two_is_not_enough);
	CU_add_test(s, "a repeated D-SACK is one (RFC 2883 4)", test_a_repeated_dsack_is_one);
	CU_add_test(s, "a range that left twice again (RFC 2883 4)",
	            test_a_range_that_left_twice_again);
	CU_add_test(s, "impossible D-SACKs are ignored", test_impossible_dsacks_are_ignored);
	CU_add_test(s, "Eifel in recovery (RFC 3522 3)", test_eifel_in_recovery);
	CU_add_test(s, "no Eifel when the retransmission is echoed (RFC 3522 3)",
	            test_no_eifel_when_the_retransmission_is_echoed);
	CU_add_test(s, "Eifel after a time-out (RFC 3522 3; RFC 4015 3)",
	            test_eifel_after_a_time_out);
	CU_add_test(s, "nothing is doubted after it (RFC 4015 3)", test_nothing_is_doubted_after_it);
	CU_add_test(s, "a probe that repaired ends it (RFC 8985 7.4)",
	            test_a_probe_that_repaired_ends_it);
	CU_add_test(s, "D-SACK after a time-out", test_dsack_after_a_time_out);
}
