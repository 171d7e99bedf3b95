/* SPDX-License-Identifier: BSD-3-Clause */
/* What somebody may try who knows the addresses: RFC 5961, RFC 7323 5, RFC 5927, RFC 9293 3.10.7.4. */
#include <CUnit/CUnit.h>

#include "test/script/peer.h"

void suite_script_blind(void);

/* RFC 5961 3.2. */
static void
test_reset_exact(void)
{
	struct peer p;

	peer_connected(&p, NULL);
	SAY_FATE(&p, "R", 1, 0, 0, DROP_RESET);
	EXPECT_STATE(&p, TCP_CLOSED);
	EXPECT_NOTHING(&p);
	peer_free(&p);
}

static void
test_reset_in_window_is_challenged(void)
{
	struct peer p;

	peer_connected(&p, NULL);
	SAY_FATE(&p, "R", 2, 0, 0, DROP_RST_CHALLENGED);
	EXPECT(&p, ".", 1, 0, 1);
	SAY_FATE(&p, "R.", 65535, 0, 1, DROP_RST_CHALLENGED);
	EXPECT(&p, ".", 1, 0, 1);
	EXPECT_STATE(&p, TCP_ESTABLISHED);
	EXPECT_NOTHING(&p);
	peer_free(&p);
}

static void
test_reset_outside_is_dropped(void)
{
	struct peer p;

	peer_connected(&p, NULL);
	SAY_FATE(&p, "R", 0, 0, 0, DROP_OUTSIDE_WINDOW);
	SAY_FATE(&p, "R", 100000, 0, 0, DROP_OUTSIDE_WINDOW);
	SAY_FATE(&p, "R", 0x80000000u, 0, 0, DROP_OUTSIDE_WINDOW);
	EXPECT_STATE(&p, TCP_ESTABLISHED);
	EXPECT_NOTHING(&p);
	peer_free(&p);
}

/* A peer that has filled the window stands at its right edge: what it says there is heard, as
 * on Linux; a reset there is not exact, and challenged (RFC 5961 3.2). */
static void
test_the_right_edge_is_inside(void)
{
	struct peer p;
	uint32_t edge;

	peer_connected(&p, NULL);
	peer_a_writes(&p, 100);
	(void)peer_skips(&p);
	edge = 1 + tcp_rcv_wnd(&p.a->conn);
	SAY_FATE(&p, ".", edge, 0, 101, SEG_OK);
	EXPECT_NUMBER(&p, tcp_flight(&p.a->conn), 0);
	EXPECT_NOTHING(&p);
	SAY_FATE(&p, "R", edge, 0, 0, DROP_RST_CHALLENGED);
	EXPECT(&p, ".", 101, 0, 1);
	SAY_FATE(&p, "R", edge + 1, 0, 0, DROP_OUTSIDE_WINDOW);
	EXPECT_NOTHING(&p);
	peer_free(&p);
}

/* SHLD-2: a reset may carry text, which says why. */
static void
test_reset_with_text(void)
{
	struct peer p;

	peer_connected(&p, NULL);
	SAY_FATE(&p, "R.", 1, 20, 1, DROP_RESET);
	EXPECT_STATE(&p, TCP_CLOSED);
	EXPECT_NUMBER(&p, duo_readable(p.a), 0);
	peer_free(&p);
}

/* MUST-66. */
static void
test_reset_with_a_closed_window(void)
{
	struct peer p;
	uint32_t at = 1;

	peer_connected(&p, NULL);
	while (tcp_rcv_wnd(&p.a->conn) > 0) {
		uint32_t n = min(tcp_rcv_wnd(&p.a->conn), 1460u);

		SAY(&p, ".", at, n, 1);
		at += n;
		peer_sleeps(&p, MS(300));
	}
	(void)peer_skips(&p);
	SAY_FATE(&p, ".", at, 100, 1, DROP_ZERO_WINDOW);
	EXPECT(&p, ".", 1, 0, at);
	EXPECT_NUMBER(&p, p.last->s.wnd, 0);
	SAY_FATE(&p, "R", at + 1, 0, 0, DROP_OUTSIDE_WINDOW);
	SAY_FATE(&p, "R", at, 0, 0, DROP_RESET);
	EXPECT_STATE(&p, TCP_CLOSED);
	peer_free(&p);
}

/* RFC 5961 4.2. */
static void
test_syn_is_challenged(void)
{
	struct peer p;

	peer_connected(&p, NULL);
	SAY_FATE(&p, "S", 1, 0, 0, DROP_SYN_CHALLENGED);
	EXPECT(&p, ".", 1, 0, 1);
	SAY_FATE(&p, "S", 0x40000000u, 0, 0, DROP_OUTSIDE_WINDOW);
	EXPECT(&p, ".", 1, 0, 1);
	SAY_FATE(&p, "S.", 0, 0, 1, DROP_OUTSIDE_WINDOW); /* our ACK of it was lost */
	EXPECT(&p, ".", 1, 0, 1);
	EXPECT_STATE(&p, TCP_ESTABLISHED);
	EXPECT_NUMBER(&p, p.a->conn.mss, 1460);
	peer_free(&p);
}

/* RFC 5961 5.2: [SND.UNA - MAX.SND.WND, SND.NXT]. */
static void
test_which_acks_are_acceptable(void)
{
	struct peer p;
	uint32_t nxt;

	peer_connected(&p, &(struct peer_opts){ .wnd = 5000 });
	for (nxt = 1; nxt < 20000; nxt += 1000) {
		peer_a_writes(&p, 1000);
		(void)peer_skips(&p);
		SAY(&p, ".", 1, 0, nxt + 1000);
	}
	SAY_FATE(&p, "P.", 1, 1, nxt, SEG_OK);
	(void)peer_skips(&p);
	SAY_FATE(&p, "P.", 2, 1, nxt + 1, DROP_ACK_UNSENT);
	EXPECT(&p, ".", nxt, 0, 2);
	SAY_FATE(&p, "P.", 2, 1, nxt - 5001, DROP_ACK_OLD);
	EXPECT(&p, ".", nxt, 0, 2);
	SAY_FATE(&p, "P.", 2, 1, nxt + 0x80000001u, DROP_ACK_OLD);
	EXPECT(&p, ".", nxt, 0, 2);
	SAY_FATE(&p, "P", 2, 1, 0, DROP_NO_ACK);
	EXPECT_NOTHING(&p);
	SAY_FATE(&p, "P.", 2, 1, nxt - 5000, SEG_OK); /* its text counts */
	EXPECT_NUMBER(&p, peer_a_reads(&p), 2);
	peer_free(&p);
}

/* RFC 5961 7: so many a second, counted for each connection alone. */
static void
test_challenges_are_limited(void)
{
	struct peer p;

	peer_connected(&p, NULL);
	peer_sleeps(&p, SEC(2));
	for (int i = 0; i < 500; i++)
		SAY(&p, "R", 5, 0, 0);
	EXPECT_NUMBER(&p, peer_skips(&p), 100);
	peer_sleeps(&p, MS(900));
	for (int i = 0; i < 500; i++)
		SAY(&p, "S", 5, 0, 0);
	EXPECT_NUMBER(&p, peer_skips(&p), 0);
	peer_sleeps(&p, MS(100));
	for (int i = 0; i < 500; i++)
		SAY(&p, "P.", 1, 1, 12345);
	EXPECT_NUMBER(&p, peer_skips(&p), 100);
	EXPECT_STATE(&p, TCP_ESTABLISHED);
	peer_free(&p);
}

static void
few(struct tcp_cfg *cfg, int who)
{
	(void)who;
	cfg->challenge_ack_per_s = 2;
}

static void
test_challenges_are_limited_as_configured(void)
{
	struct peer p;

	peer_connected(&p, &(struct peer_opts){ .cfg = few });
	for (int i = 0; i < 10; i++)
		SAY(&p, "R", 5, 0, 0);
	EXPECT_NUMBER(&p, peer_skips(&p), 2);
	peer_free(&p);
}

static void
test_text_outside_the_window(void)
{
	struct peer p;

	peer_connected(&p, NULL);
	SAY_FATE(&p, "P.", 65540, 10, 1, DROP_OUTSIDE_WINDOW);
	EXPECT(&p, ".", 1, 0, 1);
	SAY_FATE(&p, ".", 65536 + 2, 0, 1, DROP_OUTSIDE_WINDOW);
	EXPECT(&p, ".", 1, 0, 1);
	SAY_FATE(&p, ".", 0, 0, 1, DROP_OUTSIDE_WINDOW); /* a keep-alive probe */
	EXPECT(&p, ".", 1, 0, 1);
	EXPECT_NUMBER(&p, duo_readable(p.a), 0);
	peer_free(&p);
}

/* RFC 9293 3.10.7.4: what reaches over the right edge is cut. */
static void
test_text_over_the_edge_is_cut(void)
{
	struct peer p;

	peer_connected(&p, NULL);
	SAY(&p, "P.", 65000, 1460, 1);
	EXPECT(&p, ".", 1, 0, 1);
	EXPECT_NUMBER(&p, p.last->s.n_sack, 1);
	EXPECT_NUMBER(&p, seq_sub(p.last->s.sack[0].end, p.iss),
	              seq_sub(p.a->conn.rcv_adv, p.iss));
	peer_free(&p);
}

/* ------------------------------------------------------------- PAWS -- */

static const struct peer_opts with_ts = { .opts = TCP_OPT_MSS | TCP_OPT_SACK_OK | TCP_OPT_TS };

static void
test_paws(void)
{
	struct peer p;

	peer_connected(&p, &with_ts);
	peer_sleeps(&p, SEC(5));
	SAY_FATE(&p, "P.", 1, 10, 1, SEG_OK);
	EXPECT(&p, ".", 1, 0, 11);
	p.tsval -= 100;
	SAY_FATE(&p, "P.", 11, 10, 1, DROP_PAWS);
	EXPECT(&p, ".", 1, 0, 11);
	EXPECT_NUMBER(&p, p.last->s.tsecr, p.tsval + 100);
	EXPECT_NUMBER(&p, p.last->s.n_sack, 0);
	SAY_FATE(&p, "F.", 40, 0, 1, DROP_PAWS);
	EXPECT(&p, ".", 1, 0, 11);
	EXPECT_NUMBER(&p, p.last->s.n_sack, 0);
	SAY_FATE(&p, ".", 11, 0, 1, DROP_PAWS); /* overtaken: not answered */
	EXPECT_NOTHING(&p);
	p.tsval += 100;
	SAY_FATE(&p, "P.", 11, 10, 1, SEG_OK);
	EXPECT(&p, ".", 1, 0, 21);
	peer_free(&p);
}

/* RFC 7323 5.2: a reset is never refused for its timestamp. */
static void
test_paws_spares_resets(void)
{
	struct peer p;

	peer_connected(&p, &with_ts);
	p.tsval -= 100;
	SAY_FATE(&p, "R.", 1, 0, 1, DROP_RESET);
	EXPECT_STATE(&p, TCP_CLOSED);
	peer_free(&p);
}

/* RFC 7323 5.5: after 24 days of silence TS.Recent means nothing, and is replaced. */
static void
test_paws_after_24_days(void)
{
	struct peer p;
	uint32_t old;

	peer_connected(&p, &with_ts);
	peer_sleeps(&p, SEC(23 * 86400));
	p.tsval = 5;
	SAY_FATE(&p, "P.", 1, 10, 1, DROP_PAWS);
	peer_sleeps(&p, SEC(86400 + 10));
	p.tsval = old = 5;
	(void)peer_skips(&p);
	SAY_FATE(&p, "P.", 1, 10, 1, SEG_OK);
	EXPECT(&p, ".", 1, 0, 11);
	EXPECT_NUMBER(&p, p.last->s.tsecr, old);
	p.tsval = 4;
	SAY_FATE(&p, "P.", 11, 10, 1, DROP_PAWS);
	peer_free(&p);
}

/* The timestamp clock wraps as sequence numbers do. */
static void
test_paws_across_the_wrap(void)
{
	struct peer p;

	peer_new(&p, &with_ts);
	duo_connect(p.a);
	p.tsval = UINT32_MAX;
	peer_syn_options(&p);
	SAY(&p, "S.", 0, 0, 1);
	p.tsval = 3;
	SAY_FATE(&p, "P.", 1, 10, 1, SEG_OK);
	EXPECT_NUMBER(&p, p.a->conn.ts_recent, 3);
	p.tsval = UINT32_MAX;
	SAY_FATE(&p, "P.", 11, 10, 1, DROP_PAWS);
	peer_free(&p);
}

/* TCP.md: a segment without the negotiated option is accepted, as Linux does. */
static void
test_missing_timestamp(void)
{
	struct peer p;

	peer_connected(&p, &with_ts);
	p.ts = false;
	SAY_FATE(&p, "P.", 1, 10, 1, SEG_OK);
	EXPECT(&p, ".", 1, 0, 11);
	peer_free(&p);
}

/* RFC 7323 4.3: TS.Recent is of the segment that the ACK was about. */
static void
test_ts_recent_is_of_the_left_edge(void)
{
	struct peer p;
	uint32_t first;

	peer_connected(&p, &with_ts);
	peer_sleeps(&p, SEC(1));
	first = p.a->conn.ts_recent;
	SAY(&p, ".", 101, 100, 1); /* beyond a hole: its timestamp is not echoed */
	EXPECT(&p, ".", 1, 0, 1);
	EXPECT_NUMBER(&p, p.last->s.tsecr, first);
	peer_sleeps(&p, SEC(1));
	SAY(&p, ".", 1, 100, 1);
	EXPECT(&p, ".", 1, 0, 201);
	EXPECT_NUMBER(&p, p.last->s.tsecr, p.tsval);
	peer_free(&p);
}

/* ------------------------------------------------------------- ICMP -- */

/* RFC 5927 4.1 and 5.2: only what is in flight, and never the end of it. */
static void
test_icmp(void)
{
	struct peer p;

	peer_connected(&p, NULL);
	peer_a_writes(&p, 100);
	SAY(&p, ".", 1, 0, 51);
	CU_ASSERT_FALSE(tcp_icmp_valid(&p.a->conn, seq_add(p.a_iss, 50)));
	CU_ASSERT_TRUE(tcp_icmp_valid(&p.a->conn, seq_add(p.a_iss, 51)));
	CU_ASSERT_TRUE(tcp_icmp_valid(&p.a->conn, seq_add(p.a_iss, 100)));
	CU_ASSERT_FALSE(tcp_icmp_valid(&p.a->conn, seq_add(p.a_iss, 101)));
	tcp_icmp_unreachable(&p.a->env, &p.a->conn, TCP_E_HOSTUNREACH, p.d->now);
	EXPECT_STATE(&p, TCP_ESTABLISHED);
	SAY(&p, ".", 1, 0, 101); /* it got through after all: nothing is held against it */
	SAY(&p, "F.", 1, 0, 101);
	duo_close(p.a);
	SAY(&p, ".", 2, 0, 102);
	EXPECT_STATE(&p, TCP_CLOSED);
	EXPECT_NUMBER(&p, p.a->conn.err, TCP_E_NONE);
	peer_free(&p);
}

/* ... but when retransmission gives up, it is the reason. */
static void
test_icmp_is_the_reason_in_the_end(void)
{
	struct peer p;

	peer_connected(&p, NULL);
	peer_a_writes(&p, 100);
	tcp_icmp_unreachable(&p.a->env, &p.a->conn, TCP_E_HOSTUNREACH, p.d->now);
	peer_sleeps(&p, SEC(3600));
	EXPECT_STATE(&p, TCP_CLOSED);
	EXPECT_NUMBER(&p, p.a->conn.err, TCP_E_HOSTUNREACH);
	peer_free(&p);
}

/* RFC 1191, RFC 5927 7: at once, smaller, and not as if it were congestion. */
static void
test_fragmentation_needed(void)
{
	struct peer p;
	uint32_t cwnd;

	peer_connected(&p, NULL);
	cwnd = p.a->conn.cwnd;
	peer_a_writes(&p, 2920);
	EXPECT(&p, ".", 1, 1460, 1);
	EXPECT(&p, ".", 1461, 1460, 1);
	tcp_icmp_frag_needed(&p.a->env, &p.a->conn, 1000, p.d->now);
	duo_pump(p.a);
	EXPECT(&p, ".", 1, 960, 1);
	EXPECT(&p, ".", 961, 500, 1);
	EXPECT(&p, ".", 1461, 960, 1);
	EXPECT(&p, ".", 2421, 500, 1);
	EXPECT_NOTHING(&p);
	EXPECT_NUMBER(&p, p.a->conn.cwnd, cwnd);
	EXPECT_NUMBER(&p, p.a->conn.ca, TCP_CA_OPEN);
	SAY(&p, ".", 1, 0, 2921);
	/* never up again by it, and never below 552; what contradicts it has to fail first */
	tcp_icmp_frag_needed(&p.a->env, &p.a->conn, 1400, p.d->now);
	EXPECT_NUMBER(&p, p.a->conn.mss, 960);
	peer_a_writes(&p, 960);
	tcp_icmp_frag_needed(&p.a->env, &p.a->conn, 68, p.d->now);
	EXPECT_NUMBER(&p, p.a->conn.mss, 960);
	peer_sleeps(&p, SEC(2));
	EXPECT_NUMBER(&p, p.a->conn.mss, 512);
	/* a socket option does not forget it either */
	duo_option(p.a, TCP_OPTION_MAXSEG, 1200);
	EXPECT_NUMBER(&p, p.a->conn.mss, 512);
	peer_free(&p);
}

void
suite_script_blind(void)
{
	CU_pSuite s = CU_add_suite("script_blind", NULL, NULL);

	CU_add_test(s, "reset exactly at RCV.NXT (RFC 5961 3.2/exact; RFC 9293 MUST-12)",
	            test_reset_exact);
	CU_add_test(s, "reset in the window is challenged (RFC 5961 3.2/window; attack: blind "
	            "RST)",
	            test_reset_in_window_is_challenged);
	CU_add_test(s, "reset outside is dropped (RFC 5961 3.2/outside; attack: blind RST)",
	            test_reset_outside_is_dropped);
	CU_add_test(s, "the right edge is inside (RFC 5961 3.2/window)",
	            test_the_right_edge_is_inside);
	CU_add_test(s, "reset with text (RFC 9293 SHLD-2)", test_reset_with_text);
	CU_add_test(s, "reset with a closed window (RFC 9293 MUST-66)",
	            test_reset_with_a_closed_window);
	CU_add_test(s, "SYN is challenged (RFC 5961 4.2; attack: blind SYN)",
	            test_syn_is_challenged);
	CU_add_test(s, "which ACKs are acceptable (RFC 5961 5.2; RFC 9293 MAY-12; attack: "
	            "blind ACK; attack: optimistic ACKs)",
	            test_which_acks_are_acceptable);
	CU_add_test(s, "challenges are limited (RFC 5961 7)", test_challenges_are_limited);
	CU_add_test(s, "challenges are limited as configured (RFC 5961 7)",
	            test_challenges_are_limited_as_configured);
	CU_add_test(s, "text outside the window (attack: blind data)",
	            test_text_outside_the_window);
	CU_add_test(s, "text over the edge is cut", test_text_over_the_edge_is_cut);
	CU_add_test(s, "PAWS (RFC 7323 5.3, 5.3/pure-ACK)", test_paws);
	CU_add_test(s, "PAWS spares resets (RFC 7323 5.3)", test_paws_spares_resets);
	CU_add_test(s, "PAWS after 24 days (RFC 7323 5.5)", test_paws_after_24_days);
	CU_add_test(s, "PAWS across the wrap (RFC 7323 5.3)", test_paws_across_the_wrap);
	CU_add_test(s, "a missing timestamp (RFC 7323 3.2/missing)", test_missing_timestamp);
	CU_add_test(s, "TS.Recent is of the left edge (RFC 7323 4.3)",
	            test_ts_recent_is_of_the_left_edge);
	CU_add_test(s, "ICMP unreachable (RFC 9293 MUST-56, SHLD-25; RFC 1122 4.2.3.9; RFC "
	            "5927 4.1, 5.2; attack: forged ICMP unreachable)",
	            test_icmp);
	CU_add_test(s, "ICMP is the reason in the end (RFC 9293 SHLD-25)",
	            test_icmp_is_the_reason_in_the_end);
	CU_add_test(s, "fragmentation needed (RFC 1191 3/lowers, 3/floor, 6.4; attack: forged "
	            "frag-needed)",
	            test_fragmentation_needed);
}
