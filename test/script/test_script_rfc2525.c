/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * RFC 2525's known implementation problems, one test each.  Each says what a
 * tester on the wire would look for, whatever the code behind it.
 */
#include <CUnit/CUnit.h>

#include "test/script/peer.h"

void suite_script_rfc2525(void);

#define MSS 1460u

static const struct peer_opts no_sack = { .opts = TCP_OPT_MSS };

static void
test_2_1_no_initial_slow_start(void)
{
	struct peer p;

	peer_connected(&p, NULL);
	peer_a_writes(&p, 1000000);
	EXPECT_NUMBER(&p, peer_skips(&p), 10); /* RFC 6928, not the whole window */
	peer_free(&p);
}

static void
test_2_2_no_slow_start_after_retransmission(void)
{
	struct peer p;

	peer_connected(&p, &no_sack);
	peer_a_writes(&p, 10 * MSS);
	(void)peer_skips(&p);
	peer_sleeps(&p, MS(250));
	EXPECT_NUMBER(&p, peer_skips(&p), 1);
	SAY(&p, ".", 1, 0, 1 + MSS);
	EXPECT_NUMBER(&p, peer_skips(&p), 2);
	peer_free(&p);
}

static void
test_2_3_uninitialized_cwnd(void)
{
	struct peer p;

	peer_accepted(&p, &(struct peer_opts){ .opts = TCP_OPT_WSCALE });
	EXPECT_NUMBER(&p, p.a->conn.cwnd, 10 * 536);
	peer_a_writes(&p, 1000000);
	EXPECT_NUMBER(&p, peer_skips(&p), 10);
	peer_free(&p);
}

/* Retransmissions carry the same bytes, also when they are cut anew. */
static void
test_2_4_inconsistent_retransmission(void)
{
	struct duo *d = duo_established(NULL);

	CU_ASSERT_EQUAL(duo_write_pattern(&d->side[DUO_A], 14000), 14000);
	d->cut[DUO_A] = true;
	duo_run(d, MS(100));
	tcp_icmp_frag_needed(&d->side[DUO_A].env, &d->side[DUO_A].conn, 700, d->now);
	duo_run(d, MS(300));
	d->cut[DUO_A] = false;
	duo_run(d, SEC(30));
	CU_ASSERT_EQUAL(duo_read_pattern(&d->side[DUO_B]), 14000);
	duo_free(d);
}

static void
test_2_5_failure_to_retain_above_sequence_data(void)
{
	struct peer p;

	peer_connected(&p, &no_sack);
	for (uint32_t i = 1; i < 10; i++)
		SAY(&p, ".", 1 + i * MSS, MSS, 1);
	(void)peer_skips(&p);
	SAY(&p, ".", 1, MSS, 1);
	EXPECT(&p, ".", 1, 0, 1 + 10 * MSS);
	peer_free(&p);
}

static void
reno(struct tcp_cfg *cfg, int who)
{
	(void)who;
	cfg->cc = &cc_reno;
}

/* Congestion avoidance: a segment a round trip and not a constant more. */
static void
test_2_6_extra_additive_constant(void)
{
	struct peer p;
	uint32_t at = 1, cwnd;

	peer_connected(&p, &(struct peer_opts){ .cfg = reno, .opts = TCP_OPT_MSS });
	peer_a_writes(&p, 16384);
	for (int i = 0; i < 3; i++) /* into congestion avoidance by a loss */
		SAY(&p, ".", 1, 0, 1);
	at += 10 * MSS;
	SAY(&p, ".", 1, 0, at);
	peer_a_writes(&p, 1000000);
	cwnd = p.a->conn.cwnd;
	CU_ASSERT_EQUAL(p.a->conn.ssthresh, cwnd);
	for (int round = 0; round < 10; round++) {
		uint32_t end = seq_sub(p.a->conn.snd_nxt, p.a_iss);

		for (at += MSS; at <= end; at += MSS) {
			SAY(&p, ".", 1, 0, at);
			peer_a_writes(&p, 1000000);
		}
		at -= MSS;
		CU_ASSERT_TRUE(p.a->conn.cwnd <= cwnd + MSS);
		cwnd = p.a->conn.cwnd;
	}
	CU_ASSERT_TRUE(cwnd >= 5 * MSS + 8 * MSS);
	peer_free(&p);
}

static void
test_2_7_initial_rto_too_low(void)
{
	struct peer p;

	peer_new(&p, NULL);
	duo_connect(p.a);
	EXPECT(&p, "S", 0, 0, 0);
	peer_sleeps(&p, MS(999));
	EXPECT_NOTHING(&p);
	peer_sleeps(&p, MS(1));
	EXPECT(&p, "S", 0, 0, 0);
	peer_free(&p);
}

/* After fast recovery cwnd is ssthresh, not what duplicates blew it up to. */
static void
test_2_8_failure_of_window_deflation(void)
{
	struct peer p;

	peer_connected(&p, &no_sack);
	peer_a_writes(&p, 10 * MSS);
	for (int i = 0; i < 9; i++)
		SAY(&p, ".", 1, 0, 1);
	SAY(&p, ".", 1, 0, 1 + 10 * MSS);
	EXPECT_NUMBER(&p, p.a->conn.cwnd, p.a->conn.ssthresh);
	peer_free(&p);
}

static void
test_2_9_excessively_short_keepalive(void)
{
	struct peer p;

	peer_connected(&p, NULL);
	duo_flag(p.a, TCPF_KEEPALIVE, true);
	peer_sleeps(&p, SEC(7199));
	EXPECT_NOTHING(&p);
	peer_free(&p);
}

static void
test_2_10_failure_to_back_off(void)
{
	struct peer p;

	peer_connected(&p, &(struct peer_opts){ .cfg = peer_no_probes });
	peer_a_writes(&p, 100);
	peer_sleeps(&p, SEC(60));
	CU_ASSERT_TRUE(peer_skips(&p) <= 9); /* 0.21 s doubled, not 300 times 0.2 s */
	peer_free(&p);
}

static void
test_2_11_insufficient_interval_between_keepalives(void)
{
	struct peer p;
	int64_t at = 0;

	peer_connected(&p, NULL);
	duo_flag(p.a, TCPF_KEEPALIVE, true);
	peer_sleeps(&p, SEC(7200 + 8 * 75));
	CU_ASSERT_TRUE(p.d->n_log - p.at >= 8);
	for (; p.at < p.d->n_log; p.at++) {
		CU_ASSERT_TRUE(p.d->log[p.at].at - at >= SEC(75));
		at = p.d->log[p.at].at;
	}
	peer_free(&p);
}

static void
fixed(struct tcp_cfg *cfg, int who)
{
	(void)who;
	cfg->rcvbuf = cfg->rcvbuf_max = 20000; /* a window of 10000 */
	cfg->quickack = 0;
}

/* The window is full, a byte of it is read, and the peer probes with a byte of text: whatever
 * becomes of the byte, what the peer acknowledges meanwhile must count. */
static void
test_2_12_window_probe_deadlock(void)
{
	struct peer p;

	peer_connected(&p, &(struct peer_opts){ .cfg = fixed });
	peer_a_writes(&p, 1000);
	EXPECT(&p, "P.", 1, 1000, 1);
	for (uint32_t at = 1; at < 10001; at += 1000)
		SAY(&p, ".", at, 1000, 1);
	peer_sleeps(&p, MS(100));
	EXPECT_NUMBER(&p, duo_read(p.a, NULL, 1), 1);
	(void)peer_skips(&p);
	SAY(&p, ".", 10001, 1, 1);
	EXPECT(&p, ".", 1001, 0, 10001);
	EXPECT_NUMBER(&p, p.seen.s.wnd, 0);
	SAY_FATE(&p, ".", 10001, 1, 1001, DROP_ZERO_WINDOW);
	EXPECT(&p, ".", 1001, 0, 10001);
	EXPECT_NUMBER(&p, seq_sub(p.a->conn.snd_una, p.a_iss), 1001);
	EXPECT_NUMBER(&p, duo_read(p.a, NULL, 9999), 9999);
	EXPECT(&p, ".", 1001, 0, 10001);
	SAY_FATE(&p, "P.", 10001, 1, 1001, SEG_OK);
	peer_free(&p);
}

static bool
likes_full(const struct duo_record *r)
{
	return r->s.len == MSS - 12;
}

static void
test_2_13_stretch_ack_violation(void)
{
	struct duo *d = duo_established(NULL);
	struct duo_side *a = &d->side[DUO_A], *b = &d->side[DUO_B];
	uint32_t full;

	for (int i = 0; i < 60; i++) {
		(void)duo_write_pattern(a, 16384);
		duo_run(d, MS(10));
		(void)duo_read_pattern(b);
	}
	full = duo_count(d, DUO_A, likes_full);
	CU_ASSERT_TRUE(full > 500);
	CU_ASSERT_TRUE(b->sent + 2 >= full / 2);
	duo_free(d);
}

static void
test_2_14_retransmission_sends_multiple_packets(void)
{
	struct peer p;

	peer_connected(&p, &(struct peer_opts){ .cfg = peer_no_probes });
	peer_a_writes(&p, 10 * MSS);
	(void)peer_skips(&p);
	peer_sleeps(&p, MS(250));
	EXPECT(&p, ".", 1, MSS, 1);
	EXPECT_NOTHING(&p);
	peer_free(&p);
}

static void
test_2_15_failure_to_send_fin_notification_promptly(void)
{
	struct peer p;

	peer_connected(&p, NULL);
	peer_a_writes(&p, 10);
	peer_a_writes(&p, 10);
	(void)peer_skips(&p);
	duo_close(p.a);
	EXPECT(&p, "F.", 11, 10, 1);
	peer_free(&p);
}

static void
test_2_16_failure_to_send_a_rst_after_half_duplex_close(void)
{
	struct peer p;

	peer_connected(&p, NULL);
	duo_close(p.a);
	(void)peer_skips(&p);
	SAY(&p, "P.", 1, 10, 2);
	EXPECT(&p, "R.", 2, 0, 1);
	SAY(&p, "P.", 11, 10, 2); /* and whatever comes then */
	EXPECT(&p, "R", 2, 0, 0);
	peer_free(&p);
}

static void
test_2_17_failure_to_rst_on_close_with_data_pending(void)
{
	struct peer p;

	peer_connected(&p, NULL);
	SAY(&p, "P.", 1, 10, 1);
	(void)peer_skips(&p);
	duo_close(p.a);
	EXPECT(&p, "R.", 1, 0, 11);
	peer_free(&p);
}

static void
test_2_18_options_missing_from_mss_calculation(void)
{
	struct peer p;

	peer_connected(&p, &(struct peer_opts){ .opts = TCP_OPT_MSS | TCP_OPT_TS });
	peer_a_writes(&p, 5000);
	EXPECT(&p, ".", 1, MSS - 12, 1);
	peer_free(&p);
}

void
suite_script_rfc2525(void)
{
	CU_pSuite s = CU_add_suite("script_rfc2525", NULL, NULL);

	CU_add_test(s, "no initial slow start (RFC 2525 2.1; Linux: initial cwnd; RFC 5681 "
	            "3.1/initial-window)",
	            test_2_1_no_initial_slow_start);
	CU_add_test(s, "no slow start after retransmission (RFC 2525 2.2)",
	            test_2_2_no_slow_start_after_retransmission);
	CU_add_test(s, "uninitialized cwnd (RFC 2525 2.3)", test_2_3_uninitialized_cwnd);
	CU_add_test(s, "inconsistent retransmission (RFC 2525 2.4)",
	            test_2_4_inconsistent_retransmission);
	CU_add_test(s, "failure to retain above-sequence data (RFC 2525 2.5)",
	            test_2_5_failure_to_retain_above_sequence_data);
	CU_add_test(s, "extra additive constant (RFC 2525 2.6; RFC 5681 3.1/avoidance)",
	            test_2_6_extra_additive_constant);
	CU_add_test(s, "initial RTO too low (RFC 2525 2.7; RFC 8961 4/1)",
	            test_2_7_initial_rto_too_low);
	CU_add_test(s, "failure of window deflation (RFC 2525 2.8; RFC 6937 3/end)",
	            test_2_8_failure_of_window_deflation);
	CU_add_test(s, "excessively short keep-alive (RFC 2525 2.9)",
	            test_2_9_excessively_short_keepalive);
	CU_add_test(s, "failure to back off (RFC 2525 2.10)", test_2_10_failure_to_back_off);
	CU_add_test(s, "insufficient interval between keep-alives (RFC 2525 2.11)",
	            test_2_11_insufficient_interval_between_keepalives);
	CU_add_test(s, "window probe deadlock (RFC 2525 2.12)", test_2_12_window_probe_deadlock);
	CU_add_test(s, "stretch ACK violation (RFC 2525 2.13)",
	            test_2_13_stretch_ack_violation);
	CU_add_test(s, "retransmission sends multiple packets (RFC 2525 2.14)",
	            test_2_14_retransmission_sends_multiple_packets);
	CU_add_test(s, "failure to send FIN notification promptly (RFC 2525 2.15)",
	            test_2_15_failure_to_send_fin_notification_promptly);
	CU_add_test(s, "failure to send a RST after half-duplex close (RFC 2525 2.16)",
	            test_2_16_failure_to_send_a_rst_after_half_duplex_close);
	CU_add_test(s, "failure to RST on close with data pending (RFC 2525 2.17)",
	            test_2_17_failure_to_rst_on_close_with_data_pending);
	CU_add_test(s, "options missing from the MSS calculation (RFC 2525 2.18; RFC 6691 "
	            "2/subtract)",
	            test_2_18_options_missing_from_mss_calculation);
}
