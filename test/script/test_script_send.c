/* SPDX-License-Identifier: BSD-3-Clause */
/* When text leaves: Nagle, cork, PSH, congestion window, idle restart. */
#include <CUnit/CUnit.h>

#include "tcp/tcp_rare.h"
#include "test/script/peer.h"

void suite_script_send(void);

/* RFC 9293 3.7.4: SHLD-7. */
static void
test_nagle(void)
{
	struct peer p;

	peer_connected(&p, NULL);
	peer_a_writes(&p, 10);
	EXPECT(&p, "P.", 1, 10, 1);
	peer_a_writes(&p, 10);
	peer_a_writes(&p, 10);
	EXPECT_NOTHING(&p);
	peer_a_writes(&p, 1500); /* a full segment does not wait, its rest does */
	EXPECT(&p, ".", 11, 1460, 1);
	EXPECT_NOTHING(&p);
	SAY(&p, ".", 1, 0, 11);
	EXPECT(&p, "P.", 1471, 60, 1); /* Minshall: no small one is out any more */
	EXPECT_NOTHING(&p);
	peer_free(&p);
}

/* MUST-17. */
static void
test_nodelay(void)
{
	struct peer p;

	peer_connected(&p, NULL);
	duo_flag(p.a, TCPF_NODELAY, true);
	for (uint32_t i = 0; i < 5; i++) {
		peer_a_writes(&p, 10);
		EXPECT(&p, "P.", 1 + 10 * i, 10, 1);
	}
	peer_free(&p);
}

static void
test_nodelay_lets_go_of_what_waits(void)
{
	struct peer p;

	peer_connected(&p, NULL);
	peer_a_writes(&p, 10);
	peer_a_writes(&p, 10);
	EXPECT(&p, "P.", 1, 10, 1);
	EXPECT_NOTHING(&p);
	duo_flag(p.a, TCPF_NODELAY, true);
	EXPECT(&p, "P.", 11, 10, 1);
	peer_free(&p);
}

static void
test_cork_and_its_ceiling(void)
{
	struct peer p;
	int64_t t0;

	peer_connected(&p, NULL);
	duo_flag(p.a, TCPF_CORK, true);
	t0 = p.d->now;
	peer_a_writes(&p, 10);
	peer_sleeps(&p, MS(100));
	peer_a_writes(&p, 10);
	EXPECT_NOTHING(&p);
	peer_sleeps(&p, MS(100));
	EXPECT(&p, "P.", 1, 20, 1);
	EXPECT_NUMBER(&p, peer_after(&p, t0), MS(200));
	peer_a_writes(&p, 10); /* the cork is still in */
	EXPECT_NOTHING(&p);
	duo_flag(p.a, TCPF_CORK, false);
	SAY(&p, ".", 1, 0, 21);
	EXPECT(&p, "P.", 21, 10, 1);
	peer_free(&p);
}

static void
short_cork(struct tcp_cfg *cfg, int who)
{
	(void)who;
	cfg->cork_max_ns = MS(50);
}

static void
test_the_ceiling_is_a_choice(void)
{
	struct peer p;
	int64_t t0;

	peer_connected(&p, &(struct peer_opts){ .cfg = short_cork });
	duo_flag(p.a, TCPF_CORK, true);
	t0 = p.d->now;
	peer_a_writes(&p, 10);
	peer_sleeps(&p, MS(100));
	EXPECT(&p, "P.", 1, 10, 1);
	EXPECT_NUMBER(&p, peer_after(&p, t0), MS(50));
	peer_free(&p);
}

static void
test_cork_lets_full_segments_go(void)
{
	struct peer p;

	peer_connected(&p, NULL);
	duo_flag(p.a, TCPF_CORK | TCPF_NODELAY, true);
	peer_a_writes(&p, 2000);
	EXPECT(&p, ".", 1, 1460, 1);
	EXPECT_NOTHING(&p);
	duo_flag(p.a, TCPF_CORK, false);
	EXPECT(&p, "P.", 1461, 540, 1);
	peer_free(&p);
}

static void
test_more_to_come(void)
{
	struct peer p;

	peer_connected(&p, NULL);
	p.a->conn.flags |= TCPF_MORE;
	peer_a_writes(&p, 10);
	EXPECT_NOTHING(&p);
	p.a->conn.flags &= ~(uint32_t)TCPF_MORE;
	peer_a_writes(&p, 10);
	EXPECT(&p, "P.", 1, 20, 1);
	EXPECT_NOTHING(&p);
	peer_sleeps(&p, MS(150));
	EXPECT_NUMBER(&p, tcp_rare(&p.a->conn)->cork_at, TIME_NEVER);
	peer_free(&p);
}

/* The ceiling of a cork that has nothing to let go of must not let the next
 * small segment past Nagle. */
static void
test_an_empty_cork_leaves_nothing_behind(void)
{
	struct peer p;

	peer_connected(&p, NULL);
	duo_flag(p.a, TCPF_CORK, true);
	peer_a_writes(&p, 10);
	peer_a_writes(&p, 1450);
	EXPECT(&p, "P.", 1, 1460, 1);
	peer_sleeps(&p, MS(190));
	EXPECT_NUMBER(&p, tcp_rare(&p.a->conn)->cork_at, TIME_NEVER);
	EXPECT_NUMBER(&p, p.a->conn.flags & TCPF_PUSH_SMALL, 0);
	peer_free(&p);
}

/* MUST-61 and SHLD-27, SHLD-28. */
static void
test_push(void)
{
	struct peer p;

	peer_connected(&p, NULL);
	peer_a_writes(&p, 3000);
	EXPECT(&p, ".", 1, 1460, 1);
	CU_ASSERT_EQUAL(p.last->s.flags & TCP_PSH, 0);
	EXPECT(&p, ".", 1461, 1460, 1);
	CU_ASSERT_EQUAL(p.last->s.flags & TCP_PSH, 0);
	EXPECT(&p, "P.", 2921, 80, 1);
	peer_free(&p);
}

/* RFC 6928 2, RFC 5681 3.1. */
/* Linux: a bulk transfer says PSH once for each half of the largest window that it fills. */
static void
test_push_when_half_the_window_is_filled(void)
{
	struct peer p;
	uint32_t pushed = 1;

	peer_connected(&p, &(struct peer_opts){ .wnd = 8 * 1460 });
	peer_a_writes(&p, 16384);
	EXPECT_NUMBER(&p, p.d->n_log - p.at, 8);
	for (unsigned i = 1; i <= 8; i++) {
		bool half = 1 + i * 1460 - pushed > 4 * 1460;

		EXPECT(&p, ".", 1 + (i - 1) * 1460, 1460, 1);
		EXPECT_NUMBER(&p, (p.seen.s.flags & TCP_PSH) != 0, half);
		pushed = half ? 1 + i * 1460 : pushed;
	}
	CU_ASSERT_TRUE(pushed > 1);
	peer_free(&p);
}

/* What comes next waits for its ACK: the peer's delayed ACK would hold it up. */
static void
test_push_when_cwnd_is_full(void)
{
	struct peer p;

	peer_connected(&p, NULL);
	peer_a_writes(&p, 16384);
	EXPECT_NUMBER(&p, p.d->n_log - p.at, 10);
	for (unsigned i = 1; i <= 10; i++) {
		EXPECT(&p, ".", 1 + (i - 1) * 1460, 1460, 1);
		EXPECT_NUMBER(&p, (p.seen.s.flags & TCP_PSH) != 0, i == 10);
	}
	peer_free(&p);
}

static void
test_initial_window_and_slow_start(void)
{
	struct peer p;
	uint32_t at = 1;

	peer_connected(&p, NULL);
	peer_a_writes(&p, 1000000);
	EXPECT_NUMBER(&p, peer_skips(&p), 10);
	/* each ACK of two segments lets four go */
	for (uint32_t i = 0; i < 5; i++) {
		at += 2920;
		peer_sleeps(&p, MS(2));
		SAY(&p, ".", 1, 0, at);
		peer_a_writes(&p, 1000000);
		EXPECT_NUMBER(&p, peer_skips(&p), 4);
	}
	EXPECT_NUMBER(&p, p.a->conn.cwnd, 20 * 1460);
	peer_free(&p);
}

/* RFC 5681 3.1: cwnd grows only by what it let go. */
static void
test_cwnd_does_not_grow_while_it_does_not_limit(void)
{
	struct peer p;

	peer_connected(&p, NULL);
	duo_flag(p.a, TCPF_NODELAY, true);
	for (uint32_t i = 0; i < 100; i++) {
		peer_a_writes(&p, 10);
		SAY(&p, ".", 1, 0, 11 + 10 * i);
	}
	EXPECT_NUMBER(&p, p.a->conn.cwnd, 10 * 1460);
	peer_free(&p);
}

/* RFC 5681 4.1. */
static void
test_idle_restart(void)
{
	struct peer p;
	uint32_t at = 1, cwnd = 0;

	peer_connected(&p, NULL);
	peer_a_writes(&p, 1000000);
	while (p.a->conn.cwnd < 40 * 1460) {
		at += 1460;
		SAY(&p, ".", 1, 0, at);
		peer_a_writes(&p, 1000000);
	}
	while (tcp_flight(&p.a->conn)) {
		SAY(&p, ".", 1, 0, seq_sub(p.a->conn.snd_nxt, p.a_iss));
		cwnd = p.a->conn.cwnd;
	}
	(void)peer_skips(&p);
	peer_sleeps(&p, SEC(10));
	EXPECT_NUMBER(&p, p.a->conn.cwnd, cwnd);
	peer_a_writes(&p, 1000000);
	EXPECT_NUMBER(&p, peer_skips(&p), 10);
	peer_free(&p);
}

static void
no_restart(struct tcp_cfg *cfg, int who)
{
	(void)who;
	cfg->slow_start_after_idle = false;
}

static void
test_no_idle_restart_by_choice(void)
{
	struct peer p;
	uint32_t cwnd;

	peer_connected(&p, &(struct peer_opts){ .cfg = no_restart });
	peer_a_writes(&p, 1000000);
	SAY(&p, ".", 1, 0, 14601);
	peer_a_writes(&p, 1000000);
	while (tcp_flight(&p.a->conn))
		SAY(&p, ".", 1, 0, seq_sub(p.a->conn.snd_nxt, p.a_iss));
	cwnd = p.a->conn.cwnd;
	CU_ASSERT_TRUE(cwnd >= 20 * 1460);
	(void)peer_skips(&p);
	peer_sleeps(&p, SEC(10));
	peer_a_writes(&p, 1000000);
	EXPECT_NUMBER(&p, p.a->conn.cwnd, cwnd);
	EXPECT_NUMBER(&p, peer_skips(&p), min(cwnd, 65535u) / 1460);
	peer_free(&p);
}

/* Blocked by the window while idle: asking again and again changes nothing. */
static void
test_waiting_for_a_window_is_no_restart(void)
{
	struct peer p;
	struct tcp_rare before;

	peer_connected(&p, &(struct peer_opts){ .wnd = 1000 });
	peer_a_writes(&p, 5000);
	p.wnd = 0;
	SAY(&p, ".", 1, 0, 1001);
	peer_sleeps(&p, SEC(60));
	before = *tcp_rare(&p.a->conn);
	for (int i = 0; i < 10; i++)
		duo_pump(p.a);
	CU_ASSERT_EQUAL(memcmp(&before, tcp_rare(&p.a->conn), sizeof before), 0);
	peer_free(&p);
}

/* RFC 9293 3.7.1, MUST-16 with RFC 2018: SACK blocks count as options too. */
static void
test_options_make_text_shorter(void)
{
	struct peer p;

	peer_connected(&p, &(struct peer_opts){ .opts = TCP_OPT_MSS | TCP_OPT_SACK_OK |
	                                                TCP_OPT_TS });
	for (uint32_t i = 0; i < 5; i++)
		SAY(&p, ".", 101 + 200 * i, 100, 1);
	(void)peer_skips(&p);
	peer_a_writes(&p, 5000);
	EXPECT(&p, ".", 1, 1460 - 12 - 4 - 24, 1);
	EXPECT_NUMBER(&p, p.last->s.n_sack, 3);
	peer_free(&p);

	peer_connected(&p, &(struct peer_opts){ .opts = TCP_OPT_MSS | TCP_OPT_SACK_OK });
	for (uint32_t i = 0; i < 5; i++)
		SAY(&p, ".", 101 + 200 * i, 100, 1);
	SAY(&p, ".", 101, 100, 1); /* with a D-SACK as well */
	(void)peer_skips(&p);
	peer_a_writes(&p, 5000);
	EXPECT(&p, ".", 1, 1460 - 4 - 32, 1);
	EXPECT_NUMBER(&p, p.last->s.n_sack, 4);
	peer_free(&p);
}

/* No memory for the scoreboard: nothing leaves, and it is tried again. */
static void
test_scoreboard_is_full(void)
{
	struct peer p;

	peer_connected(&p, &(struct peer_opts){ .sents = 2 });
	peer_a_writes(&p, 14600);
	EXPECT(&p, ".", 1, 1460, 1);
	EXPECT(&p, ".", 1461, 1460, 1);
	EXPECT_NOTHING(&p);
	SAY(&p, ".", 1, 0, 2921);
	EXPECT(&p, ".", 2921, 1460, 1);
	EXPECT(&p, ".", 4381, 1460, 1);
	peer_free(&p);
}

/* What has to leave again in smaller segments, with no record to split it, does so one by one. */
static void
test_scoreboard_is_full_and_the_path_narrow(void)
{
	struct peer p;

	peer_connected(&p, &(struct peer_opts){ .sents = 1 });
	peer_a_writes(&p, 1460);
	EXPECT(&p, "P.", 1, 1460, 1);
	tcp_icmp_frag_needed(&p.a->env, &p.a->conn, 640, p.d->now);
	duo_pump(p.a);
	for (uint32_t at = 1; at + 600 <= 1461; at += 600) {
		EXPECT(&p, ".", at, 600, 1);
		EXPECT_NOTHING(&p);
		SAY(&p, ".", 1, 0, at + 600);
	}
	EXPECT(&p, "P.", 1201, 260, 1);
	peer_free(&p);
}

void
suite_script_send(void)
{
	CU_pSuite s = CU_add_suite("script_send", NULL, NULL);

	CU_add_test(s, "with a full scoreboard a narrow path is used one segment at a time",
	            test_scoreboard_is_full_and_the_path_narrow);
	CU_add_test(s, "Nagle (RFC 9293 SHLD-7, MAY-16; Linux: Nagle)", test_nagle);
	CU_add_test(s, "TCP_NODELAY (RFC 9293 MUST-17)", test_nodelay);
	CU_add_test(s, "TCP_NODELAY lets go of what waits", test_nodelay_lets_go_of_what_waits);
	CU_add_test(s, "cork and its ceiling (RFC 9293 MUST-60; Linux: cork ceiling)",
	            test_cork_and_its_ceiling);
	CU_add_test(s, "the ceiling is a choice (Linux: cork ceiling)",
	            test_the_ceiling_is_a_choice);
	CU_add_test(s, "cork lets full segments go", test_cork_lets_full_segments_go);
	CU_add_test(s, "more to come", test_more_to_come);
	CU_add_test(s, "an empty cork leaves nothing behind",
	            test_an_empty_cork_leaves_nothing_behind);
	CU_add_test(s, "PSH on the last that cwnd lets leave (Linux: PSH of a burst)",
	            test_push_when_cwnd_is_full);
	CU_add_test(s, "PSH (RFC 9293 SHLD-27, MUST-61, MAY-15; Linux: PSH last)", test_push);
	CU_add_test(s, "PSH when half the window is filled (Linux: PSH half window)",
	            test_push_when_half_the_window_is_filled);
	CU_add_test(s, "initial window and slow start (RFC 5681 3.1/slow-start; Linux: initial "
	            "cwnd; Linux: slow start)",
	            test_initial_window_and_slow_start);
	CU_add_test(s, "cwnd does not grow while it does not limit (RFC 7661 4; Linux: slow "
	            "start)",
	            test_cwnd_does_not_grow_while_it_does_not_limit);
	CU_add_test(s, "idle restart (RFC 5681 4.1; RFC 7661 4.4; Linux: idle restart)",
	            test_idle_restart);
	CU_add_test(s, "no idle restart by choice", test_no_idle_restart_by_choice);
	CU_add_test(s, "waiting for a window is no restart",
	            test_waiting_for_a_window_is_no_restart);
	CU_add_test(s, "options make text shorter (RFC 6691 2/subtract; RFC 9293 MUST-16)",
	            test_options_make_text_shorter);
	CU_add_test(s, "the scoreboard is full", test_scoreboard_is_full);
}
