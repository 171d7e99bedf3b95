/* SPDX-License-Identifier: BSD-3-Clause */
/* Tail loss probes: when they leave, what they are, and what their ACKs mean. */
#include "tcp/tcp_tlp.h"

#include <CUnit/CUnit.h>

#include "test/script/peer.h"

void suite_tcp_tlp(void);

#define MSS 1460u

static const struct peer_opts no_sack = { .opts = TCP_OPT_MSS };

/* `n` full segments have just left; the round trip is 10 ms, the RTO 210 ms. */
static void
flight(struct peer *p, const struct peer_opts *o, unsigned n)
{
	peer_connected(p, o);
	peer_a_writes(p, n * MSS);
	for (unsigned i = 0; i < n; i++)
		EXPECT(p, ".", 1 + i * MSS, MSS, 1);
	EXPECT_NOTHING(p);
}

static void
test_the_last_leaves_again_after_two_round_trips(void)
{
	struct peer p;
	int64_t t0;

	flight(&p, NULL, 3);
	t0 = p.d->now;
	peer_sleeps(&p, MS(19));
	EXPECT_NOTHING(&p);
	peer_sleeps(&p, MS(2));
	EXPECT(&p, "P.", 1 + 2 * MSS, MSS, 1);
	EXPECT_NUMBER(&p, peer_after(&p, t0), MS(20));
	EXPECT_NOTHING(&p);
	EXPECT_NUMBER(&p, p.a->conn.cwnd, 10 * MSS);
	EXPECT_NUMBER(&p, p.a->conn.ca, TCP_CA_OPEN);
	peer_free(&p);
}

/* A handshake on an empty path says nothing of a queue that the text will fill. */
static void
test_a_short_path_gets_ten_milliseconds(void)
{
	struct peer p;
	int64_t t0;

	peer_new(&p, NULL);
	duo_connect(p.a);
	EXPECT(&p, "S", 0, 0, 0);
	peer_sleeps(&p, US(100));
	peer_syn_options(&p);
	SAY(&p, "S.", 0, 0, 1);
	EXPECT(&p, ".", 1, 0, 1);
	peer_a_writes(&p, 2 * MSS);
	EXPECT(&p, ".", 1, MSS, 1);
	EXPECT(&p, "P.", 1 + MSS, MSS, 1);
	t0 = p.d->now;
	peer_sleeps(&p, MS(11));
	EXPECT(&p, "P.", 1 + MSS, MSS, 1);
	EXPECT_NUMBER(&p, peer_after(&p, t0), MS(10));
	peer_free(&p);
}

static void
long_rto(struct tcp_cfg *cfg, int who)
{
	(void)who;
	cfg->rto_min_ns = SEC(1);
}

/* One segment may wait for the peer's delayed ACK. */
static void
test_one_segment_waits_for_the_delayed_ack(void)
{
	struct peer p;
	int64_t t0;

	flight(&p, &(struct peer_opts){ .cfg = long_rto }, 1);
	t0 = p.d->now;
	peer_sleeps(&p, MS(500));
	EXPECT(&p, "P.", 1, MSS, 1);
	EXPECT_NUMBER(&p, peer_after(&p, t0), MS(220));
	EXPECT_NOTHING(&p);
	peer_free(&p);
}

/* Never later than the time-out would be. */
static void
test_the_rto_is_the_limit(void)
{
	struct peer p;
	int64_t t0;

	flight(&p, NULL, 1);
	t0 = p.d->now;
	peer_sleeps(&p, MS(300));
	EXPECT(&p, "P.", 1, MSS, 1);
	EXPECT_NUMBER(&p, peer_after(&p, t0), MS(210));
	EXPECT_NUMBER(&p, p.a->conn.retries, 0);
	peer_free(&p);
}

/* Each transmission and each ACK that advances start the wait anew; the RTO runs on. */
static void
test_what_is_sent_starts_the_wait_anew(void)
{
	struct peer p;
	int64_t t0, t1;

	flight(&p, NULL, 3);
	t0 = p.d->now;
	for (int i = 0; i < 13; i++) {
		peer_sleeps(&p, MS(15));
		peer_a_writes(&p, 1);
		duo_flag(p.a, TCPF_NODELAY, true);
		EXPECT_NUMBER(&p, peer_skips(&p), 1);
	}
	t1 = p.d->now;
	peer_sleeps(&p, MS(30));
	CU_ASSERT_TRUE(peer_skips(&p) >= 1);
	CU_ASSERT_TRUE(p.d->log[p.d->n_log - 1].at <= t0 + MS(210) + MS(20));
	CU_ASSERT_TRUE(p.a->conn.tlp & TLP_OUT);
	CU_ASSERT_TRUE(t1 < t0 + MS(210));
	peer_free(&p);
}

/* New text is worth more, and leaves beyond cwnd. */
static void
test_new_text_goes_first(void)
{
	struct peer p;

	flight(&p, NULL, 10);
	peer_a_writes(&p, 2 * MSS);
	EXPECT_NOTHING(&p);
	peer_sleeps(&p, MS(25));
	EXPECT(&p, ".", 1 + 10 * MSS, MSS, 1);
	EXPECT_NOTHING(&p);
	peer_free(&p);
}

/* The window is closed to new text: the last again. */
static void
test_a_full_window_is_respected(void)
{
	struct peer p;

	peer_connected(&p, &(struct peer_opts){ .wnd = 3 * MSS });
	peer_a_writes(&p, 5 * MSS);
	EXPECT_NUMBER(&p, peer_skips(&p), 3);
	peer_sleeps(&p, MS(25));
	EXPECT(&p, ".", 1 + 2 * MSS, MSS, 1);
	EXPECT_NOTHING(&p);
	peer_free(&p);
}

/* One probe; then the time-out, counted from the probe. */
static void
test_one_probe_and_then_the_time_out(void)
{
	struct peer p;
	int64_t t0;

	flight(&p, NULL, 3);
	peer_sleeps(&p, MS(21));
	EXPECT(&p, "P.", 1 + 2 * MSS, MSS, 1);
	t0 = p.last->at;
	peer_sleeps(&p, MS(208));
	EXPECT_NOTHING(&p);
	peer_sleeps(&p, MS(2));
	EXPECT(&p, ".", 1, MSS, 1);
	EXPECT_NUMBER(&p, peer_after(&p, t0), MS(210));
	EXPECT_NUMBER(&p, p.a->conn.ca, TCP_CA_LOSS);
	peer_free(&p);
}

/* Another one needs a measurement since: retransmissions give none (Karn), and probes alone
 * would keep SRTT as it is for ever. */
static void
test_no_probe_without_a_measurement(void)
{
	struct peer p;

	flight(&p, NULL, 1);
	peer_sleeps(&p, MS(211));
	EXPECT(&p, "P.", 1, MSS, 1);
	SAY(&p, ".", 1, 0, 1 + MSS);
	peer_a_writes(&p, 3 * MSS);
	EXPECT_NUMBER(&p, peer_skips(&p), 3);
	peer_sleeps(&p, MS(200));
	EXPECT_NOTHING(&p);
	SAY(&p, ".", 1, 0, 1 + 2 * MSS); /* measures */
	peer_sleeps(&p, MS(3000));
	EXPECT(&p, "P.", 1 + 3 * MSS, MSS, 1);
	peer_free(&p);
}

/* The probe has been judged, by a D-SACK; that measured nothing. */
static void
test_no_probe_without_a_measurement_after_a_judged_one(void)
{
	struct peer p;

	flight(&p, NULL, 1);
	peer_sleeps(&p, MS(211));
	EXPECT(&p, "P.", 1, MSS, 1);
	SAY(&p, ".", 1, 0, 1 + MSS);
	peer_sack(&p, 1, 1 + MSS, 0);
	SAY(&p, ".", 1, 0, 1 + MSS);
	CU_ASSERT_FALSE(p.a->conn.tlp & TLP_OUT);
	peer_a_writes(&p, 3 * MSS);
	EXPECT_NUMBER(&p, peer_skips(&p), 3);
	peer_sleeps(&p, MS(200));
	EXPECT_NOTHING(&p);
	peer_free(&p);
}

/* The probe is out still; what measures is the ACK of something before it. */
static void
test_no_probe_beside_another(void)
{
	struct peer p;

	flight(&p, NULL, 3);
	peer_sleeps(&p, MS(21));
	EXPECT(&p, "P.", 1 + 2 * MSS, MSS, 1);
	SAY(&p, ".", 1, 0, 1 + MSS);
	CU_ASSERT_EQUAL(p.a->conn.tlp & (TLP_OUT | TLP_STALE), TLP_OUT);
	peer_sleeps(&p, MS(200));
	EXPECT_NOTHING(&p);
	peer_free(&p);
}

/* Something is SACKed: RACK knows more than a probe could tell. */
static void
test_no_probe_beside_sacked_ranges(void)
{
	struct peer p;
	int64_t t0;

	flight(&p, NULL, 10);
	peer_sleeps(&p, MS(10));
	peer_sack(&p, 1 + 9 * MSS, 1 + 10 * MSS, 0);
	t0 = p.d->now;
	SAY(&p, ".", 1, 0, 1);
	peer_sleeps(&p, MS(100));
	EXPECT(&p, ".", 1, MSS, 1);
	EXPECT_NUMBER(&p, peer_after(&p, t0), US(2500)); /* the reordering timer, not the probe's */
	CU_ASSERT_FALSE(p.a->conn.tlp & TLP_OUT);
	peer_free(&p);
}

/* A long path, where the RTO comes before two round trips.  RACK would wait beyond it for what
 * is missing, and what leaves meanwhile does not bring a probe in its place. */
static void
test_no_probe_instead_of_the_time_out(void)
{
	struct peer p;

	peer_connected(&p, NULL);
	p.a->conn.srtt_us = 300000u << 3; /* as if measured */
	p.a->conn.min_rtt_us = 300000;
	p.a->conn.rttvar_us = 0;
	p.a->conn.rto_us = 500000;
	peer_a_writes(&p, 3 * MSS);
	EXPECT_NUMBER(&p, peer_skips(&p), 3);
	peer_sleeps(&p, MS(499));
	peer_sack(&p, 1 + 2 * MSS, 1 + 3 * MSS, 0);
	SAY(&p, ".", 1, 0, 1);
	peer_a_writes(&p, MSS);
	EXPECT(&p, "P.", 1 + 3 * MSS, MSS, 1);
	peer_sleeps(&p, MS(2));
	EXPECT(&p, ".", 1, MSS, 1);
	EXPECT_NUMBER(&p, p.a->conn.ca, TCP_CA_LOSS);
	peer_free(&p);
}

static void
test_no_probe_without_sack(void)
{
	struct peer p;

	flight(&p, &no_sack, 3);
	peer_sleeps(&p, MS(209));
	EXPECT_NOTHING(&p);
	peer_free(&p);
}

/* The probe's SACK shows a lost tail, and RACK repairs it. */
static void
test_the_probe_starts_recovery(void)
{
	struct peer p;

	flight(&p, NULL, 5); /* 3, 4 and 5 are lost */
	peer_sleeps(&p, MS(10));
	SAY(&p, ".", 1, 0, 1 + 2 * MSS);
	peer_sleeps(&p, MS(21));
	EXPECT(&p, "P.", 1 + 4 * MSS, MSS, 1);
	peer_sleeps(&p, MS(10));
	peer_sack(&p, 1 + 4 * MSS, 1 + 5 * MSS, 0);
	SAY(&p, ".", 1, 0, 1 + 2 * MSS);
	peer_sleeps(&p, MS(5));
	EXPECT(&p, ".", 1 + 2 * MSS, MSS, 1);
	EXPECT_NUMBER(&p, p.a->conn.ca, TCP_CA_RECOVERY);
	peer_free(&p);
}

/* ------------------------------------------------------------------- 7.4 -- */

/* Two of three arrive; the probe brings the third. */
static void
probed(struct peer *p)
{
	flight(p, NULL, 3);
	peer_sleeps(p, MS(10));
	SAY(p, ".", 1, 0, 1 + 2 * MSS);
	p->wnd = 60000;
	p->a->conn.cwnd = 10 * MSS; /* as if nothing had grown */
	peer_sleeps(p, MS(211));
	EXPECT(p, "P.", 1 + 2 * MSS, MSS, 1);
	peer_sleeps(p, MS(10));
	SAY(p, ".", 1, 0, 1 + 3 * MSS);
	EXPECT_NUMBER(p, tcp_flight(&p->a->conn), 0);
	EXPECT_NUMBER(p, p->a->conn.cwnd >= 10 * MSS, true); /* not known yet */
}

static void
more_is_acknowledged(struct peer *p)
{
	peer_a_writes(p, MSS);
	EXPECT(p, "P.", 1 + 3 * MSS, MSS, 1);
	peer_sleeps(p, MS(10));
	SAY(p, ".", 1, 0, 1 + 4 * MSS);
}

static void
test_a_repaired_loss_lowers_cwnd(void)
{
	struct peer p;
	uint32_t cwnd;

	probed(&p);
	cwnd = p.a->conn.cwnd;
	more_is_acknowledged(&p);
	CU_ASSERT_TRUE(p.a->conn.cwnd < cwnd);
	EXPECT_NUMBER(&p, p.a->conn.ssthresh, cwnd * 7 / 10);
	CU_ASSERT_FALSE(p.a->conn.tlp & TLP_OUT);
	peer_free(&p);
}

static void
test_a_dsack_says_that_the_probe_was_not_needed(void)
{
	struct peer p;

	probed(&p);
	peer_sack(&p, 1 + 2 * MSS, 1 + 3 * MSS, 0);
	SAY(&p, ".", 1, 0, 1 + 3 * MSS);
	CU_ASSERT_FALSE(p.a->conn.tlp & TLP_OUT);
	more_is_acknowledged(&p);
	EXPECT_NUMBER(&p, p.a->conn.ssthresh, UINT32_MAX);
	peer_free(&p);
}

static void
test_a_duplicate_ack_says_the_same(void)
{
	struct peer p;

	probed(&p);
	p.wnd++; /* a window update says nothing */
	SAY(&p, ".", 1, 0, 1 + 3 * MSS);
	CU_ASSERT_TRUE(p.a->conn.tlp & TLP_OUT);
	SAY(&p, ".", 1, 0, 1 + 3 * MSS);
	CU_ASSERT_FALSE(p.a->conn.tlp & TLP_OUT);
	more_is_acknowledged(&p);
	EXPECT_NUMBER(&p, p.a->conn.ssthresh, UINT32_MAX);
	peer_free(&p);
}

static void
test_a_probe_of_new_text_proves_no_loss(void)
{
	struct peer p;

	flight(&p, NULL, 10);
	peer_a_writes(&p, MSS);
	peer_sleeps(&p, MS(25));
	EXPECT(&p, "P.", 1 + 10 * MSS, MSS, 1);
	SAY(&p, ".", 1, 0, 1 + 11 * MSS);
	EXPECT_NUMBER(&p, p.a->conn.ssthresh, UINT32_MAX);
	CU_ASSERT_FALSE(p.a->conn.tlp & TLP_OUT);
	peer_free(&p);
}

/* Nor does it when one ACK covers it and what was sent behind it. */
static void
test_a_probe_of_new_text_among_others_proves_no_loss(void)
{
	struct peer p;

	flight(&p, NULL, 10);
	peer_a_writes(&p, MSS);
	peer_sleeps(&p, MS(25));
	EXPECT(&p, "P.", 1 + 10 * MSS, MSS, 1);
	SAY(&p, ".", 1, 0, 1 + 5 * MSS);
	peer_a_writes(&p, MSS);
	EXPECT(&p, "P.", 1 + 11 * MSS, MSS, 1);
	SAY(&p, ".", 1, 0, 1 + 12 * MSS);
	EXPECT_NUMBER(&p, p.a->conn.ssthresh, UINT32_MAX);
	peer_free(&p);
}

/* The last is waiting to be sent again anyway: that there was a probe is not remembered. */
static void
test_a_probe_that_cannot_leave_is_not_out(void)
{
	struct peer p;

	flight(&p, NULL, 3);
	tcp_sack_last(&p.a->conn)->flags |= SENT_LOST | SENT_RETRANS; /* as an undo leaves it */
	peer_sleeps(&p, MS(50));
	EXPECT_NOTHING(&p);
	CU_ASSERT_FALSE(p.a->conn.tlp & TLP_OUT);
	peer_free(&p);
}

static void
test_it_can_be_switched_off(void)
{
	struct peer p;

	flight(&p, &(struct peer_opts){ .cfg = peer_no_probes }, 3);
	peer_sleeps(&p, MS(209));
	EXPECT_NOTHING(&p);
	peer_free(&p);
}

void
suite_tcp_tlp(void)
{
	CU_pSuite s = CU_add_suite("tcp_tlp", NULL, NULL);

	CU_add_test(s, "the last leaves again after two round trips (RFC 8985 7.2, 7.3)",
	            test_the_last_leaves_again_after_two_round_trips);
	CU_add_test(s, "a short path gets ten milliseconds (Linux: TLP)",
	            test_a_short_path_gets_ten_milliseconds);
	CU_add_test(s, "one segment waits for the delayed ACK (RFC 8985 7.2)",
	            test_one_segment_waits_for_the_delayed_ack);
	CU_add_test(s, "the RTO is the limit (RFC 8985 7.2; Linux: TLP)", test_the_rto_is_the_limit);
	CU_add_test(s, "what is sent starts the wait anew (RFC 8985 7.2)",
	            test_what_is_sent_starts_the_wait_anew);
	CU_add_test(s, "new text goes first (RFC 8985 7.3)", test_new_text_goes_first);
	CU_add_test(s, "a full window is respected (RFC 8985 7.3)",
	            test_a_full_window_is_respected);
	CU_add_test(s, "one probe, and then the time-out (RFC 8985 7.3)",
	            test_one_probe_and_then_the_time_out);
	CU_add_test(s, "no probe without a measurement (RFC 8985 7.3)",
	            test_no_probe_without_a_measurement);
	CU_add_test(s, "no probe without a measurement after a judged one (RFC 8985 7.3)",
	            test_no_probe_without_a_measurement_after_a_judged_one);
	CU_add_test(s, "no probe beside another (RFC 8985 7.3)", test_no_probe_beside_another);
	CU_add_test(s, "no probe beside SACKed ranges (RFC 8985 7.2)",
	            test_no_probe_beside_sacked_ranges);
	CU_add_test(s, "no probe instead of the time-out (RFC 8985 7.2)",
	            test_no_probe_instead_of_the_time_out);
	CU_add_test(s, "no probe without SACK", test_no_probe_without_sack);
	CU_add_test(s, "the probe starts recovery (RFC 8985 7.3)", test_the_probe_starts_recovery);
	CU_add_test(s, "a repaired loss lowers cwnd (RFC 8985 7.4)",
	            test_a_repaired_loss_lowers_cwnd);
	CU_add_test(s, "a D-SACK says that the probe was not needed (RFC 8985 7.4)",
	            test_a_dsack_says_that_the_probe_was_not_needed);
	CU_add_test(s, "a duplicate ACK says the same (RFC 8985 7.4)",
	            test_a_duplicate_ack_says_the_same);
	CU_add_test(s, "a probe of new text proves no loss (RFC 8985 7.4)",
	            test_a_probe_of_new_text_proves_no_loss);
	CU_add_test(s, "a probe of new text among others proves no loss (RFC 8985 7.4)",
	            test_a_probe_of_new_text_among_others_proves_no_loss);
	CU_add_test(s, "a probe that cannot leave is not out (RFC 8985 7.3)",
	            test_a_probe_that_cannot_leave_is_not_out);
	CU_add_test(s, "it can be switched off", test_it_can_be_switched_off);
}
