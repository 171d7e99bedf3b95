/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * DCTCP (RFC 8257): the estimate against a twin in floating point, the cut that
 * follows from it, and two ends over a switch that marks.
 */
#include <CUnit/CUnit.h>
#include <math.h>

#include "base/rng.h"
#include "tcp/tcp_ecn.h"
#include "test/tcp/duo.h"

/* The file under its tests, by another name, so that its state is in reach. */
#define cc_dctcp dctcp_inside
#include "tcp/cc_dctcp.c"
#undef cc_dctcp

void suite_cc_dctcp(void);

#define MSS 1000u

static struct tcp_conn
conn(uint32_t cwnd)
{
	static struct tcp_rare rare;
	struct tcp_conn c;

	memset(&c, 0, sizeof c);
	memset(&rare, 0xff, sizeof rare);
	c.rare = &rare;
	c.mss = MSS;
	c.cwnd = cwnd;
	c.ssthresh = cwnd;
	c.snd_una = seq_of(UINT32_MAX - 5000);
	c.snd_nxt = seq_add(c.snd_una, cwnd);
	cc_dctcp.init(NULL, &c, 0);
	return c;
}

/* An ACK of so many bytes; what it frees leaves at once. */
static void
ack(struct tcp_conn *c, uint32_t bytes, bool ece)
{
	struct cc_ack a = { .acked = bytes, .ece = ece, .rtt_ns = -1 };

	c->snd_una = seq_add(c->snd_una, bytes);
	cc_dctcp.watch(c, &a);
	c->snd_nxt = seq_add(c->snd_una, c->cwnd);
}

/* 3.3: alpha = (1 - g) alpha + g M, once a window. */
static void
test_the_estimate(void)
{
	struct rng rng = { 8257 };

	for (unsigned run = 0; run < 20; run++) {
		struct tcp_conn c = conn(20 * MSS);
		double alpha = 1.0, acked = 0, marked = 0;
		seq_t end = c.snd_nxt;
		uint32_t often = rng_below(&rng, 100);

		end = state(&c)->window_end;
		for (unsigned i = 0; i < 2000; i++) {
			uint32_t bytes = 1 + rng_below(&rng, 2 * MSS);
			bool ece = rng_below(&rng, 100) < often;
			seq_t nxt = c.snd_nxt;

			acked += bytes;
			marked += ece ? bytes : 0;
			if (seq_lt(end, seq_add(c.snd_una, bytes))) {
				alpha = alpha * 15 / 16 + marked / acked / 16;
				acked = marked = 0;
				end = nxt;
			}
			ack(&c, bytes, ece);
			CU_ASSERT_TRUE(fabs((double)state(&c)->alpha / ALPHA_ONE - alpha) < 1e-4);
		}
	}
}

/* 3.3: it begins at 1, so that the first mark halves. */
static void
test_the_first_mark_halves(void)
{
	struct tcp_conn c = conn(100 * MSS);

	CU_ASSERT_EQUAL(cc_dctcp.on_ecn(NULL, &c, 0), 50 * MSS);
}

static void
test_the_cut_follows_the_estimate(void)
{
	struct tcp_conn c = conn(100 * MSS);

	state(&c)->alpha = ALPHA_ONE / 4;
	CU_ASSERT_EQUAL(cc_dctcp.on_ecn(NULL, &c, 0), 100 * MSS - 100 * MSS / 8);
	state(&c)->alpha = 0;
	CU_ASSERT_EQUAL(cc_dctcp.on_ecn(NULL, &c, 0), 100 * MSS);
	c.cwnd = 2 * MSS;
	state(&c)->alpha = ALPHA_ONE;
	CU_ASSERT_EQUAL(cc_dctcp.on_ecn(NULL, &c, 0), 2 * MSS);
}

/* A path that stops marking is forgotten, to the last bit. */
static void
test_the_estimate_falls_to_nothing(void)
{
	struct tcp_conn c = conn(10 * MSS);

	for (unsigned i = 0; i < 500; i++)
		ack(&c, 11 * MSS, false);
	CU_ASSERT_EQUAL(state(&c)->alpha, 0);
	for (unsigned i = 0; i < 500; i++)
		ack(&c, 11 * MSS, true);
	CU_ASSERT_TRUE(state(&c)->alpha > ALPHA_ONE - ALPHA_ONE / 1000);
}

/* 3.5: loss halves, whatever the estimate says. */
static void
test_loss_is_as_reno(void)
{
	struct tcp_conn c = conn(30 * MSS);

	state(&c)->alpha = 0;
	CU_ASSERT_EQUAL(cc_dctcp.ssthresh(NULL, &c, 0), cc_reno.ssthresh(NULL, &c, 0));
}

/* ------------------------------------------------------------ two ends -- */

static void
both(struct tcp_cfg *cfg, int who)
{
	(void)who;
	cfg->cc = tcp_cc_find("dctcp");
	cfg->sndbuf = cfg->sndbuf_max = 2000000;
	cfg->rcvbuf = cfg->rcvbuf_max = 4000000;
}

static void
reno_marks(struct tcp_cfg *cfg, int who)
{
	both(cfg, who);
	cfg->cc = &cc_reno;
	cfg->ecn = TCP_ECN_ON;
}

static uint64_t
goodput(void (*cfg)(struct tcp_cfg *, int), int64_t mark_ns, uint32_t *srtt_us)
{
	struct duo_opts o = { .seed = 1, .cfg = cfg, .latency = US(500), .no_log = true };
	struct duo *d = duo_established(&o);
	const struct tcp_conn *c = &d->side[DUO_A].conn;
	uint64_t bytes;

	d->rate_bps = 100000000;
	d->queue_ns = MS(50);
	d->mark_ns = mark_ns;
	for (int64_t end = d->now + SEC(2); d->now < end;) {
		(void)duo_write_pattern(&d->side[DUO_A], 200000);
		duo_run(d, US(500));
		(void)duo_read(&d->side[DUO_B], NULL, 4000000);
	}
	CU_ASSERT_EQUAL(c->ecn & ECN_OK, ECN_OK);
	CU_ASSERT_EQUAL(tcp_rare(c)->total_retrans, 0);
	*srtt_us = c->srtt_us >> 3;
	bytes = tcp_bytes_acked(c);
	duo_free(d);
	return bytes / 2;
}

/* The point of it: the line is full, and the queue is not. */
static void
test_full_line_and_short_queue(void)
{
	uint32_t dctcp_us, reno_us;
	uint64_t dctcp = goodput(both, US(300), &dctcp_us), reno = goodput(reno_marks, US(300), &reno_us);

	CU_ASSERT_TRUE(dctcp > 11000000);
	CU_ASSERT_TRUE(dctcp >= reno);
	CU_ASSERT_TRUE(dctcp_us < 2200);
}

void
suite_cc_dctcp(void)
{
	CU_pSuite s = CU_add_suite("cc_dctcp", NULL, NULL);

	CU_add_test(s, "RFC 8257 3.3: the estimate", test_the_estimate);
	CU_add_test(s, "RFC 8257 3.3: the first mark halves", test_the_first_mark_halves);
	CU_add_test(s, "RFC 8257 3.3: the cut follows the estimate",
	            test_the_cut_follows_the_estimate);
	CU_add_test(s, "RFC 8257 4.2: the estimate falls to nothing",
	            test_the_estimate_falls_to_nothing);
	CU_add_test(s, "RFC 8257 3.5: loss is as Reno", test_loss_is_as_reno);
	CU_add_test(s, "the line is full and the queue short", test_full_line_and_short_queue);
}
