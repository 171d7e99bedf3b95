/* SPDX-License-Identifier: BSD-3-Clause */
/* When nothing happens: keep-alive (RFC 9293 3.8.4), idle limits. */
#include <CUnit/CUnit.h>

#include "test/script/peer.h"

void suite_script_idle(void);

/* MUST-25. */
static void
test_no_keepalive_by_default(void)
{
	struct peer p;

	peer_connected(&p, NULL);
	peer_sleeps(&p, SEC(30 * 86400));
	EXPECT_NOTHING(&p);
	EXPECT_STATE(&p, TCP_ESTABLISHED);
	EXPECT_NUMBER(&p, p.a->conn.wait_at, TIME_NEVER);
	peer_free(&p);
}

/* MUST-28, MUST-29, SHLD-12. */
static void
test_keepalive_of_a_dead_peer(void)
{
	struct peer p;
	int64_t t0;

	peer_connected(&p, NULL);
	t0 = p.d->now;
	duo_flag(p.a, TCPF_KEEPALIVE, true);
	peer_sleeps(&p, SEC(7200 + 9 * 75 - 1));
	EXPECT_STATE(&p, TCP_ESTABLISHED);
	for (int i = 0; i < 9; i++) {
		EXPECT(&p, ".", 0, 0, 1);
		EXPECT_NUMBER(&p, peer_after(&p, t0), SEC(7200 + 75 * i));
	}
	EXPECT_NOTHING(&p);
	peer_sleeps(&p, SEC(1));
	EXPECT(&p, "R.", 1, 0, 1);
	EXPECT_STATE(&p, TCP_CLOSED);
	EXPECT_NUMBER(&p, p.a->conn.err, TCP_E_TIMEDOUT);
	peer_free(&p);
}

static void
test_keepalive_of_a_living_peer(void)
{
	struct peer p;

	peer_connected(&p, NULL);
	duo_flag(p.a, TCPF_KEEPALIVE, true);
	duo_option(p.a, TCP_OPTION_KEEPIDLE, 10);
	duo_option(p.a, TCP_OPTION_KEEPINTVL, 3);
	duo_option(p.a, TCP_OPTION_KEEPCNT, 2);
	for (int i = 0; i < 20; i++) {
		int64_t t0 = p.d->now;

		peer_sleeps(&p, SEC(10));
		EXPECT(&p, ".", 0, 0, 1);
		EXPECT_NUMBER(&p, peer_after(&p, t0), SEC(10));
		if (i & 1) { /* the first is lost */
			peer_sleeps(&p, SEC(3));
			EXPECT(&p, ".", 0, 0, 1);
		}
		SAY(&p, ".", 1, 0, 1);
		EXPECT_NUMBER(&p, p.a->conn.probes, 0);
	}
	EXPECT_STATE(&p, TCP_ESTABLISHED);
	peer_free(&p);
}

/* MUST-26: text that arrives counts as a sign of life. */
static void
test_keepalive_waits_for_silence(void)
{
	struct peer p;

	peer_connected(&p, NULL);
	duo_flag(p.a, TCPF_KEEPALIVE, true);
	duo_option(p.a, TCP_OPTION_KEEPIDLE, 10);
	for (uint32_t i = 0; i < 20; i++) {
		peer_sleeps(&p, SEC(7));
		SAY(&p, "P.", 1 + i, 1, 1);
		peer_sleeps(&p, SEC(1));
		EXPECT(&p, ".", 1, 0, 2 + i);
		EXPECT_NOTHING(&p);
	}
	peer_sleeps(&p, MS(9001)); /* 10 s after the last */
	EXPECT(&p, ".", 0, 0, 21);
	peer_free(&p);
}

/* While text is in flight or waits for a window, its own timers do the asking. */
static void
test_keepalive_leaves_retransmission_alone(void)
{
	struct peer p;

	peer_connected(&p, NULL);
	duo_flag(p.a, TCPF_KEEPALIVE, true);
	duo_option(p.a, TCP_OPTION_KEEPIDLE, 2);
	duo_option(p.a, TCP_OPTION_KEEPINTVL, 1);
	duo_option(p.a, TCP_OPTION_KEEPCNT, 3);
	peer_a_writes(&p, 100);
	peer_sleeps(&p, SEC(60));
	EXPECT_STATE(&p, TCP_ESTABLISHED);
	while (p.at < p.d->n_log)
		EXPECT(&p, "P.", 1, 100, 1);
	peer_free(&p);
}

static void
test_keepalive_probe_is_answered(void)
{
	struct peer p;

	peer_connected(&p, NULL);
	peer_sleeps(&p, SEC(7200));
	SAY(&p, ".", 0, 0, 1);
	EXPECT(&p, ".", 1, 0, 1);
	SAY(&p, ".", 0, 1, 1); /* MAY-6: with an octet of garbage */
	EXPECT(&p, ".", 1, 0, 1);
	EXPECT_NUMBER(&p, duo_readable(p.a), 0);
	peer_free(&p);
}

/* A peer that has forgotten us says so. */
static void
test_keepalive_finds_a_restarted_peer(void)
{
	struct duo *d = duo_established(NULL);

	d->cut[DUO_B] = true;
	duo_abort(&d->side[DUO_B]);
	d->cut[DUO_B] = false;
	duo_flag(&d->side[DUO_A], TCPF_KEEPALIVE, true);
	duo_run(d, SEC(7201));
	CU_ASSERT_EQUAL(d->side[DUO_A].conn.state, TCP_CLOSED);
	CU_ASSERT_EQUAL(d->side[DUO_A].conn.err, TCP_E_RESET);
	duo_free(d);
}

static void
idle_limit(struct tcp_cfg *cfg, int who)
{
	(void)who;
	cfg->idle_timeout_ns = SEC(30);
}

static void
test_idle_limit(void)
{
	struct peer p;

	peer_connected(&p, &(struct peer_opts){ .cfg = idle_limit });
	peer_sleeps(&p, SEC(20));
	SAY(&p, "P.", 1, 1, 1);
	EXPECT(&p, ".", 1, 0, 2);
	peer_sleeps(&p, MS(29900));
	EXPECT_STATE(&p, TCP_ESTABLISHED);
	peer_sleeps(&p, MS(100));
	EXPECT(&p, "R.", 1, 0, 2);
	EXPECT_STATE(&p, TCP_CLOSED);
	EXPECT_NUMBER(&p, p.a->conn.err, TCP_E_TIMEDOUT);
	peer_free(&p);
}

/* The idle limit comes before the first keep-alive probe, and is not forgotten for it. */
static void
test_idle_limit_beside_keepalive(void)
{
	struct peer p;

	peer_connected(&p, &(struct peer_opts){ .cfg = idle_limit });
	duo_flag(p.a, TCPF_KEEPALIVE, true);
	peer_sleeps(&p, SEC(20));
	SAY(&p, "P.", 1, 1, 1);
	(void)peer_skips(&p);
	peer_sleeps(&p, SEC(31));
	EXPECT_STATE(&p, TCP_CLOSED);
	peer_free(&p);
}

void
suite_script_idle(void)
{
	CU_pSuite s = CU_add_suite("script_idle", NULL, NULL);

	CU_add_test(s, "no keep-alive by default (RFC 9293 MUST-25; RFC 1122 4.2.3.6)",
	            test_no_keepalive_by_default);
	CU_add_test(s, "keep-alive of a dead peer (RFC 9293 MAY-5, MUST-24, MUST-28, SHLD-12, "
	            "MAY-6; Linux: keep-alive)",
	            test_keepalive_of_a_dead_peer);
	CU_add_test(s, "keep-alive of a living peer (RFC 9293 MUST-29)",
	            test_keepalive_of_a_living_peer);
	CU_add_test(s, "keep-alive waits for silence (RFC 9293 MUST-26, MUST-27)",
	            test_keepalive_waits_for_silence);
	CU_add_test(s, "keep-alive leaves retransmission alone (RFC 9293 MUST-26)",
	            test_keepalive_leaves_retransmission_alone);
	CU_add_test(s, "a keep-alive probe is answered", test_keepalive_probe_is_answered);
	CU_add_test(s, "keep-alive finds a restarted peer",
	            test_keepalive_finds_a_restarted_peer);
	CU_add_test(s, "idle limit", test_idle_limit);
	CU_add_test(s, "idle limit beside keep-alive", test_idle_limit_beside_keepalive);
}
