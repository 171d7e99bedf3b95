/* SPDX-License-Identifier: BSD-3-Clause */
/* RACK's window, its witnesses, and what a time-out takes for lost; more clauses are in
 * test/script/test_script_loss.c. */
#include "tcp/tcp_rack.h"

#include <CUnit/CUnit.h>

#include "test/script/peer.h"

void suite_tcp_rack(void);

#define MSS 1460u

static const struct peer_opts plain = { .cfg = peer_no_probes };

static void
flight(struct peer *p, const struct peer_opts *o, unsigned n)
{
	peer_connected(p, o);
	p->a->conn.snd_limit = 1u << 20;
	peer_a_writes(p, n * MSS);
	EXPECT_NUMBER(p, peer_skips(p), n);
	peer_sleeps(p, MS(10));
}

/* The first of `n` overtook by three leaves again, and it was not needed. */
static void
unneeded(struct peer *p, uint32_t at)
{
	peer_sack(p, at + MSS, at + 4 * MSS, 0);
	SAY(p, ".", 1, 0, at);
	peer_sleeps(p, MS(10));
	EXPECT(p, ".", at, MSS, 1);
	peer_sack(p, at, at + MSS, 0);
	SAY(p, ".", 1, 0, at + 4 * MSS);
}

/* RFC 8985 6.2 step 4: a duplicate of what we sent again widens the window by min_rtt / 4. */
static void
test_a_dsack_widens_the_window(void)
{
	struct peer p;
	int64_t t0;

	flight(&p, &plain, 10);
	unneeded(&p, 1);
	EXPECT_NUMBER(&p, tcp_rare(&p.a->conn)->reo_mult, 1);
	EXPECT_NUMBER(&p, tcp_rare(&p.a->conn)->reo_persist, 16);
	SAY(&p, ".", 1, 0, 1 + 10 * MSS);
	peer_sleeps(&p, SEC(1));
	(void)peer_skips(&p);
	p.a->conn.cwnd = 10 * MSS;
	peer_a_writes(&p, 3 * MSS);
	EXPECT_NUMBER(&p, peer_skips(&p), 3);
	peer_sleeps(&p, MS(10));
	t0 = p.d->now;
	peer_sack(&p, 1 + 11 * MSS, 1 + 12 * MSS, 0);
	SAY(&p, ".", 1, 0, 1 + 10 * MSS);
	peer_sleeps(&p, MS(20));
	EXPECT(&p, ".", 1 + 10 * MSS, MSS, 1);
	EXPECT_NUMBER(&p, peer_after(&p, t0), 2 * US(2500));
	peer_free(&p);
}

static void
narrow_window(struct tcp_cfg *cfg, int who)
{
	peer_no_probes(cfg, who);
	cfg->recovery |= TCP_RECOVERY_STATIC;
}

/* As Linux's tcp_recovery & 2. */
static void
test_a_dsack_widens_nothing_by_choice(void)
{
	struct peer p;

	flight(&p, &(struct peer_opts){ .cfg = narrow_window }, 10);
	unneeded(&p, 1);
	EXPECT_NUMBER(&p, tcp_rare(&p.a->conn)->dsack_dups, 1);
	EXPECT_NUMBER(&p, tcp_rare(&p.a->conn)->reo_mult, 0);
	peer_free(&p);
}

static void
patient(struct tcp_cfg *cfg, int who)
{
	peer_no_probes(cfg, who);
	cfg->recovery |= TCP_RECOVERY_NO_DUPTHRESH;
}

/* As Linux's tcp_recovery & 4: three that have overtaken prove nothing before the time is up. */
static void
test_three_are_not_enough_by_choice(void)
{
	struct peer p;

	for (int by_choice = 0; by_choice < 2; by_choice++) {
		int64_t t0;

		flight(&p, by_choice ? &(struct peer_opts){ .cfg = patient } : &plain, 5);
		t0 = p.d->now;
		peer_sack(&p, 1 + MSS, 1 + 4 * MSS, 0);
		SAY(&p, ".", 1, 0, 1);
		peer_sleeps(&p, MS(10));
		EXPECT(&p, ".", 1, MSS, 1);
		EXPECT_NUMBER(&p, peer_after(&p, t0), by_choice ? US(2500) : 0);
		peer_free(&p);
	}
}

/* Several in one round trip count once. */
static void
test_once_in_a_round_trip(void)
{
	struct peer p;

	flight(&p, &plain, 10);
	peer_sack(&p, 1 + MSS, 1 + 4 * MSS, 0);
	SAY(&p, ".", 1, 0, 1);
	peer_sack(&p, 1 + 5 * MSS, 1 + 9 * MSS, 1 + MSS, 1 + 4 * MSS, 0);
	SAY(&p, ".", 1, 0, 1);
	EXPECT(&p, ".", 1, MSS, 1);
	EXPECT(&p, ".", 1 + 4 * MSS, MSS, 1);
	for (uint32_t i = 0; i < 2; i++) {
		peer_sack(&p, 1 + i * 4 * MSS, 1 + (i * 4 + 1) * MSS, 0);
		SAY(&p, ".", 1, 0, 1 + 9 * MSS);
	}
	EXPECT_NUMBER(&p, tcp_rare(&p.a->conn)->dsack_dups, 2);
	EXPECT_NUMBER(&p, tcp_rare(&p.a->conn)->reo_mult, 1);
	peer_free(&p);
}

/* A tail loss probe leaves because it is quiet: that it was not needed says nothing of reordering. */
static void
test_a_dsack_of_a_probe_widens_nothing(void)
{
	struct peer p;

	flight(&p, NULL, 3);
	peer_sleeps(&p, MS(11));
	EXPECT(&p, "P.", 1 + 2 * MSS, MSS, 1);
	peer_a_writes(&p, MSS);
	(void)peer_skips(&p);
	SAY(&p, ".", 1, 0, 1 + 3 * MSS); /* the originals */
	peer_sack(&p, 1 + 2 * MSS, 1 + 3 * MSS, 0);
	SAY(&p, ".", 1, 0, 1 + 3 * MSS);
	EXPECT_NUMBER(&p, tcp_rare(&p.a->conn)->dsack_dups, 1);
	EXPECT_NUMBER(&p, tcp_rare(&p.a->conn)->reo_mult, 0);
	EXPECT_NUMBER(&p, p.a->conn.ssthresh, UINT32_MAX);
	peer_free(&p);
}

/* RFC 8985 6.2 step 4 means retransmissions that were not needed; the network duplicates too. */
static void
test_duplicates_of_the_network_widen_nothing(void)
{
	struct peer p;

	flight(&p, &plain, 10);
	SAY(&p, ".", 1, 0, 1 + 4 * MSS);
	peer_sack(&p, 1 + 2 * MSS, 1 + 3 * MSS, 0);
	SAY(&p, ".", 1, 0, 1 + 4 * MSS);
	EXPECT_NUMBER(&p, tcp_rare(&p.a->conn)->dsack_dups, 1);
	EXPECT_NUMBER(&p, tcp_rare(&p.a->conn)->reo_mult, 0);
	peer_free(&p);
}

/* After 16 recoveries without another one the window is what it was. */
static void
test_the_width_is_forgotten(void)
{
	struct peer p;
	uint32_t at;

	flight(&p, &plain, 10);
	unneeded(&p, 1);
	SAY(&p, ".", 1, 0, 1 + 10 * MSS);
	at = 1 + 10 * MSS;
	for (unsigned i = 0; i < 16; i++) {
		EXPECT_NUMBER(&p, tcp_rare(&p.a->conn)->reo_mult, 1);
		peer_sleeps(&p, MS(100));
		p.a->conn.cwnd = 10 * MSS;
		peer_a_writes(&p, 5 * MSS);
		(void)peer_skips(&p);
		peer_sleeps(&p, MS(10));
		peer_sack(&p, at + MSS, at + 5 * MSS, 0);
		SAY(&p, ".", 1, 0, at);
		peer_sleeps(&p, MS(20));
		EXPECT_NUMBER(&p, p.a->conn.ca, TCP_CA_RECOVERY);
		(void)peer_skips(&p);
		at += 5 * MSS;
		SAY(&p, ".", 1, 0, at);
		EXPECT_NUMBER(&p, p.a->conn.ca, TCP_CA_OPEN);
	}
	EXPECT_NUMBER(&p, tcp_rare(&p.a->conn)->reo_mult, 0);
	peer_free(&p);
}

/* 6.3: a time-out takes for lost what has been out long enough, not what has just left. */
static void
test_a_time_out_spares_what_has_just_left(void)
{
	struct peer p;

	peer_connected(&p, &plain);
	duo_flag(p.a, TCPF_NODELAY, true);
	peer_a_writes(&p, 2 * MSS);
	peer_sleeps(&p, MS(205));
	peer_a_writes(&p, MSS);
	EXPECT_NUMBER(&p, peer_skips(&p), 3);
	peer_sleeps(&p, MS(6));
	EXPECT(&p, ".", 1, MSS, 1);
	EXPECT_NUMBER(&p, p.a->conn.ca, TCP_CA_LOSS);
	EXPECT_NUMBER(&p, tcp_sack_pipe(&p.a->conn), 2 * MSS); /* the first again, and the third */
	peer_free(&p);
}

/* How far the farthest came late, for TCP_INFO. */
static void
test_the_distance_is_remembered(void)
{
	struct peer p;
	struct tcp_info_data info;

	flight(&p, &plain, 10);
	tcp_info_fill(&p.a->env, &p.a->conn, p.d->now, &info);
	EXPECT_NUMBER(&p, info.reordering, 3);
	peer_sack(&p, 1 + 7 * MSS, 1 + 8 * MSS, 0);
	SAY(&p, ".", 1, 0, 1);
	SAY(&p, ".", 1, 0, 1 + MSS);
	EXPECT_NUMBER(&p, p.a->conn.reordering, 8);
	tcp_info_fill(&p.a->env, &p.a->conn, p.d->now, &info);
	EXPECT_NUMBER(&p, info.reordering, 8);
	peer_free(&p);
}

void
suite_tcp_rack(void)
{
	CU_pSuite s = CU_add_suite("tcp_rack", NULL, NULL);

	CU_add_test(s, "a D-SACK widens the window (RFC 8985 6.2/dsack)",
	            test_a_dsack_widens_the_window);
	CU_add_test(s, "a D-SACK widens nothing by choice (Linux: RACK)",
	            test_a_dsack_widens_nothing_by_choice);
	CU_add_test(s, "three are not enough by choice (Linux: RACK)",
	            test_three_are_not_enough_by_choice);
	CU_add_test(s, "once in a round trip (RFC 8985 6.2/dsack)", test_once_in_a_round_trip);
	CU_add_test(s, "duplicates of the network widen nothing (RFC 8985 6.2/dsack)",
	            test_duplicates_of_the_network_widen_nothing);
	CU_add_test(s, "a D-SACK of a tail loss probe widens nothing (RFC 8985 6.2/dsack)",
	            test_a_dsack_of_a_probe_widens_nothing);
	CU_add_test(s, "the width is forgotten (RFC 8985 6.2/dsack)", test_the_width_is_forgotten);
	CU_add_test(s, "a time-out spares what has just left (RFC 8985 6.2/step-5)",
	            test_a_time_out_spares_what_has_just_left);
	CU_add_test(s, "the distance is remembered (RFC 8985 6.2/step-3)",
	            test_the_distance_is_remembered);
}
