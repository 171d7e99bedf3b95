/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Recovery as a whole: what leaves while it lasts, and cwnd at its end.  The
 * clauses are in test/script/test_script_loss.c.
 */
#include <CUnit/CUnit.h>

#include "tcp/tcp_recovery.h"
#include "test/script/peer.h"

void suite_tcp_recovery(void);

#define MSS 1460u

static const struct peer_opts wide = { .wscale = 4 };
static const struct peer_opts no_sack = { .opts = TCP_OPT_MSS };

/* cwnd is grown to `n` segments, all in flight, 10 ms ago. */
static uint32_t
grown(struct peer *p, const struct peer_opts *o, unsigned n)
{
	uint32_t at = 1;

	peer_connected(p, o);
	p->a->conn.snd_limit = 1u << 20;
	peer_a_writes(p, 1u << 20);
	while (p->a->conn.cwnd < n * MSS) {
		at += MSS;
		SAY(p, ".", 1, 0, at);
	}
	peer_sleeps(p, MS(10));
	(void)peer_skips(p);
	return at;
}

/* RFC 6937: as the flight drains, about ssthresh / flight of it is sent. */
static void
test_prr_sends_in_proportion(void)
{
	struct peer p;
	uint32_t at = grown(&p, &wide, 40), flight = tcp_flight(&p.a->conn) / MSS;
	uint32_t sent = 0, worst = 0;

	for (uint32_t i = 1; i < flight; i++) { /* only the first is lost */
		unsigned n;

		peer_sack(&p, at + MSS, at + (1 + i) * MSS, 0);
		SAY(&p, ".", 1, 0, at);
		n = peer_skips(&p);
		sent += n;
		worst = max(worst, n);
	}
	EXPECT_NUMBER(&p, p.a->conn.ca, TCP_CA_RECOVERY);
	CU_ASSERT_TRUE(worst <= 2); /* no burst */
	CU_ASSERT_TRUE(sent * 10 >= flight * 6 && sent * 10 <= flight * 8 + 30);
	SAY(&p, ".", 1, 0, seq_sub(p.a->conn.recover, p.a_iss));
	EXPECT_NUMBER(&p, p.a->conn.ca, TCP_CA_OPEN);
	EXPECT_NUMBER(&p, p.a->conn.cwnd, p.a->conn.ssthresh);
	peer_free(&p);
}

/* The first SACK may tell of a loss; of a path that is known to reorder it tells of delivery. */
static void
test_cwnd_grows_by_sacks_where_segments_overtake(void)
{
	struct peer p;
	uint32_t at = grown(&p, &wide, 40), cwnd = p.a->conn.cwnd;

	peer_sack(&p, at + MSS, at + 2 * MSS, 0);
	SAY(&p, ".", 1, 0, at);
	EXPECT_NUMBER(&p, p.a->conn.ca, TCP_CA_DISORDER);
	EXPECT_NUMBER(&p, p.a->conn.cwnd, cwnd);
	SAY(&p, ".", 1, 0, at + 2 * MSS);
	EXPECT_NUMBER(&p, p.a->conn.ca, TCP_CA_OPEN);
	EXPECT_NUMBER(&p, p.a->conn.cwnd, cwnd + MSS);
	peer_sack(&p, at + 3 * MSS, at + 4 * MSS, 0);
	SAY(&p, ".", 1, 0, at + 2 * MSS);
	EXPECT_NUMBER(&p, p.a->conn.ca, TCP_CA_DISORDER);
	EXPECT_NUMBER(&p, p.a->conn.cwnd, cwnd + 2 * MSS);
	(void)peer_skips(&p);
	peer_free(&p);
}

/* RFC 9937 6.1: what ACKs before this one had SACKed is not part of RecoverFS. */
static void
test_prr_leaves_out_what_was_sacked_before(void)
{
	struct peer p;

	peer_connected(&p, NULL);
	peer_a_writes(&p, 10 * MSS);
	EXPECT_NUMBER(&p, peer_skips(&p), 10);
	peer_sleeps(&p, MS(10));
	for (uint32_t i = 1; i <= 3; i++) {
		peer_sack(&p, 1 + MSS, 1 + (1 + i) * MSS, 0);
		SAY(&p, ".", 1, 0, 1);
	}
	EXPECT_NUMBER(&p, p.a->conn.ca, TCP_CA_RECOVERY);
	EXPECT_NUMBER(&p, p.a->conn.xmit->prr_flight, 8 * MSS);
	peer_free(&p);
}

/* Half of the flight is lost: slow start carries it back to ssthresh. */
static void
test_prr_after_heavy_loss(void)
{
	struct peer p;
	uint32_t at = grown(&p, &wide, 40), flight = tcp_flight(&p.a->conn) / MSS;
	unsigned round = 0;

	peer_sack(&p, at + flight / 2 * MSS, at + flight * MSS, 0);
	SAY(&p, ".", 1, 0, at);
	CU_ASSERT_TRUE(peer_skips(&p) >= 1);
	while (p.a->conn.ca == TCP_CA_RECOVERY && round++ < 100) {
		uint32_t una = seq_sub(p.a->conn.snd_una, p.a_iss);

		peer_sleeps(&p, MS(1));
		if (una + MSS <= at + flight / 2 * MSS)
			peer_sack(&p, at + flight / 2 * MSS, at + flight * MSS, 0);
		SAY(&p, ".", 1, 0, una + MSS);
		CU_ASSERT_TRUE(peer_skips(&p) <= 3);
	}
	EXPECT_NUMBER(&p, p.a->conn.ca, TCP_CA_OPEN);
	EXPECT_NUMBER(&p, p.a->conn.cwnd, p.a->conn.ssthresh);
	peer_free(&p);
}

/* Every hole is filled by itself, in any pattern, without a time-out. */
static void
pattern(uint64_t lost, bool sack)
{
	struct peer p;
	uint32_t held[32] = { 0 }, n = 20, una = 0, dups = 0;

	peer_connected(&p, sack ? NULL : &no_sack);
	p.a->conn.cwnd = 20 * MSS; /* as if it had grown */
	p.a->conn.snd_limit = 1u << 20;
	peer_a_writes(&p, n * MSS);
	EXPECT_NUMBER(&p, peer_skips(&p), n);
	peer_sleeps(&p, MS(10));
	for (uint32_t i = 0; i < n; i++) {
		held[i] = !(lost >> i & 1);
		while (held[una])
			una++;
		if (!held[i])
			continue;
		if (sack && una <= i)
			peer_sack(&p, 1 + i * MSS, 1 + (i + 1) * MSS, 0);
		SAY(&p, ".", 1, 0, 1 + una * MSS);
		dups += una <= i;
	}
	for (unsigned round = 0; round < 25 && una < n; round++) {
		peer_sleeps(&p, MS(10));
		while (p.at < p.d->n_log) {
			const struct tcp_seg *s = &p.d->log[p.at++].s;
			uint32_t i = (seq_sub(s->seq, p.a_iss) - 1) / MSS;

			CU_ASSERT_FALSE(sack && held[i]); /* never what it holds */
			held[i] = 1;
			while (held[una])
				una++;
			if (sack && una <= i)
				peer_sack(&p, 1 + i * MSS, 1 + (i + 1) * MSS, 0);
			SAY(&p, ".", 1, 0, 1 + una * MSS);
		}
	}
	if (dups >= 3) {
		CU_ASSERT_EQUAL(una, n);
		CU_ASSERT_EQUAL(p.a->conn.ca, TCP_CA_OPEN);
		CU_ASSERT_EQUAL(p.a->conn.retries, 0);
		CU_ASSERT_TRUE(p.d->now - DUO_T0 < SEC(1));
	}
	peer_free(&p);
}

static void
test_any_pattern_of_loss(void)
{
	struct rng r = { 3 };

	for (int i = 0; i < 200; i++) { /* the last four arrive */
		pattern(rng_u64(&r) & rng_u64(&r) & 0xffff, true);
		pattern(rng_u64(&r) & rng_u64(&r) & 0xffff, false);
	}
}

/* `recover` must not come around after two gigabytes. */
static void
test_recover_follows(void)
{
	struct peer p;

	peer_connected(&p, &no_sack);
	p.a->conn.recover = seq_add(p.a->conn.snd_una, (uint32_t)-(1 << 30) - 10);
	peer_a_writes(&p, 10 * MSS);
	SAY(&p, ".", 1, 0, 1 + MSS);
	EXPECT_NUMBER(&p, seq_sub(p.a->conn.snd_una, p.a->conn.recover), 1);
	for (int i = 0; i < 3; i++)
		SAY(&p, ".", 1, 0, 1 + MSS);
	EXPECT_NUMBER(&p, p.a->conn.ca, TCP_CA_RECOVERY);
	peer_free(&p);
}

/* A time-out in recovery takes over; what was marked then is marked now. */
static void
test_time_out_in_recovery(void)
{
	struct peer p;
	uint32_t at = grown(&p, NULL, 20), flight = tcp_flight(&p.a->conn) / MSS;

	peer_sack(&p, at + MSS, at + 5 * MSS, 0);
	SAY(&p, ".", 1, 0, at);
	EXPECT_NUMBER(&p, p.a->conn.ca, TCP_CA_RECOVERY);
	(void)peer_skips(&p);
	peer_sleeps(&p, MS(300));
	EXPECT_NUMBER(&p, p.a->conn.ca, TCP_CA_LOSS);
	EXPECT(&p, ".", at, MSS, 1);
	EXPECT_NOTHING(&p);
	EXPECT_NUMBER(&p, p.a->conn.cwnd, MSS);
	EXPECT_NUMBER(&p, p.a->conn.xmit->sacked, 4 * MSS); /* not forgotten */
	SAY(&p, ".", 1, 0, at + 5 * MSS);
	EXPECT(&p, ".", at + 5 * MSS, MSS, 1);
	SAY(&p, ".", 1, 0, seq_sub(p.a->conn.snd_nxt, p.a_iss));
	EXPECT_NUMBER(&p, p.a->conn.ca, TCP_CA_OPEN);
	CU_ASSERT_TRUE(flight >= 20);
	peer_free(&p);
}

/* Each round trip tells of one loss; a time-out counted from the first of them makes an end. */
static void
test_many_losses_without_sack_end_by_the_time_out(void)
{
	struct peer p;
	int64_t first_at, rto;
	unsigned acks;

	peer_connected(&p, &no_sack);
	p.a->conn.cwnd = 40 * MSS; /* as if it had grown */
	p.a->conn.snd_limit = 1u << 20;
	peer_a_writes(&p, 40 * MSS);
	EXPECT_NUMBER(&p, peer_skips(&p), 40);
	peer_sleeps(&p, MS(50));
	for (int i = 0; i < 3; i++)
		SAY(&p, ".", 1, 0, 1);
	EXPECT_NUMBER(&p, p.a->conn.ca, TCP_CA_RECOVERY);
	SAY(&p, ".", 1, 0, 1 + MSS);
	first_at = p.d->now;
	rto = tcp_rto_ns(&p.a->conn);
	for (acks = 2; p.a->conn.ca == TCP_CA_RECOVERY && acks < 30; acks++) {
		peer_sleeps(&p, MS(50));
		if (p.a->conn.ca == TCP_CA_RECOVERY)
			SAY(&p, ".", 1, 0, 1 + acks * MSS);
	}
	EXPECT_NUMBER(&p, p.a->conn.ca, TCP_CA_LOSS);
	CU_ASSERT_TRUE(acks > 4 && p.d->now - first_at >= rto && p.d->now - first_at < rto + MS(100));
	EXPECT_NUMBER(&p, p.a->conn.cwnd, MSS);
	(void)peer_skips(&p);
	SAY(&p, ".", 1, 0, 1 + 30 * MSS);
	EXPECT_NUMBER(&p, peer_skips(&p), 2); /* slow start through what is lost */
	peer_free(&p);
}

void
suite_tcp_recovery(void)
{
	CU_pSuite s = CU_add_suite("tcp_recovery", NULL, NULL);

	CU_add_test(s, "PRR sends in proportion (RFC 6937 3/proportional; Linux: recovery)",
	            test_prr_sends_in_proportion);
	CU_add_test(s, "PRR leaves out what was SACKed before (RFC 6937 3/proportional)",
	            test_prr_leaves_out_what_was_sacked_before);
	CU_add_test(s, "PRR after heavy loss (RFC 6937 3/bound)", test_prr_after_heavy_loss);
	CU_add_test(s, "cwnd grows by SACKs where segments overtake each other",
	            test_cwnd_grows_by_sacks_where_segments_overtake);
	CU_add_test(s, "any pattern of loss", test_any_pattern_of_loss);
	CU_add_test(s, "`recover` follows", test_recover_follows);
	CU_add_test(s, "a time-out in recovery", test_time_out_in_recovery);
	CU_add_test(s, "only the first partial ACK restarts the time-out (RFC 6582 3.2/timer)",
	            test_many_losses_without_sack_end_by_the_time_out);
}
