/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * BBR (draft-ietf-ccwg-bbr-06) over a line with a rate and a queue: what the
 * model learns of it, and what it makes of that.
 */
#include <CUnit/CUnit.h>
#include <stdio.h>

#include "tcp/tcp_ecn.h"
#include "test/tcp/duo.h"

/* The file under its tests, by another name, so that its model is in reach. */
#define cc_bbr bbr_inside
#include "tcp/cc_bbr.c"
#undef cc_bbr

void suite_cc_bbr(void);

static void
uses_bbr(struct tcp_cfg *cfg, int who)
{
	cfg->cc = who == DUO_A ? tcp_cc_find("bbr") : &cc_cubic;
	cfg->sndbuf = cfg->sndbuf_max = 4000000;
	cfg->rcvbuf = cfg->rcvbuf_max = 8000000;
}

/* A line of so many Mbit/s, and a round trip of twice the latency. */
static struct duo *
line(uint32_t mbps, int64_t latency, int64_t queue_ns)
{
	struct duo_opts o = {
		.seed = 1, .cfg = uses_bbr, .latency = latency, .no_log = true, .ccs = 1
	};
	struct duo *d = duo_established(&o);

	d->rate_bps = (uint64_t)mbps * 1000000;
	d->queue_ns = queue_ns;
	return d;
}

static void
bulk(struct duo *d, int64_t ns)
{
	for (int64_t end = d->now + ns; d->now < end;) {
		(void)duo_write_pattern(&d->side[DUO_A], 1000000);
		duo_run(d, MS(1));
		(void)duo_read(&d->side[DUO_B], NULL, 8000000);
	}
}

static const struct bbr *
model(const struct duo *d)
{
	return state(&d->side[DUO_A].conn);
}

/* Startup finds the rate, Drain empties the queue, ProbeBW keeps to both. */
static void
test_the_path_is_learned(void)
{
	struct duo *d = line(20, MS(20), MS(200));
	const struct tcp_conn *c = &d->side[DUO_A].conn;
	uint64_t got;

	CU_ASSERT_EQUAL(model(d)->mode, STARTUP);
	bulk(d, SEC(2));
	CU_ASSERT_TRUE(model(d)->full_bw_reached);
	CU_ASSERT_TRUE(probing_bw_mode(model(d)));
	CU_ASSERT_TRUE(model(d)->max_bw > 2300000 && model(d)->max_bw < 2600000);
	CU_ASSERT_TRUE(model(d)->min_rtt >= MS(40) && model(d)->min_rtt < MS(43));
	got = tcp_bytes_acked(c);
	bulk(d, SEC(5));
	got = (tcp_bytes_acked(c) - got) / 5;
	CU_ASSERT_TRUE(got > 2500000 * 88 / 100); /* headers are 3 % */
	CU_ASSERT_TRUE(c->srtt_us >> 3 < 60000);
	CU_ASSERT_EQUAL(tcp_rare(c)->total_retrans, 0);
	duo_free(d);
}

/* 5.3.4: every 5 s the queue is emptied, to see the round trip without it. */
static void
test_probe_rtt(void)
{
	struct duo *d = line(10, MS(10), MS(100));
	int64_t first = 0, last = 0, t0 = d->now;
	unsigned probes = 0;
	uint8_t was = STARTUP;

	while (d->now < t0 + SEC(16)) {
		bulk(d, MS(2));
		if (model(d)->mode == PROBE_RTT && was != PROBE_RTT) {
			probes++;
			first = first ? first : d->now;
			last = d->now;
		}
		was = model(d)->mode;
	}
	CU_ASSERT_TRUE(probes >= 2 && probes <= 3);
	CU_ASSERT_TRUE((last - first) / (probes - 1) >= SEC(5));
	CU_ASSERT_TRUE(model(d)->min_rtt < MS(23));
	duo_free(d);
}

/* The cycle of 5.3.3 goes through all of its phases. */
static void
test_the_cycle(void)
{
	struct duo *d = line(10, MS(10), MS(100));
	bool seen[PROBE_RTT + 1] = { false };

	for (unsigned i = 0; i < 5000; i++) {
		bulk(d, MS(1));
		seen[model(d)->mode] = true;
	}
	for (unsigned i = STARTUP; i <= PROBE_RTT; i++)
		if (!seen[i])
			CU_ASSERT_EQUAL(i, PROBE_RTT); /* 5 s may be too short for that one */
	duo_free(d);
}

/* More bandwidth is found, less is believed. */
static void
test_the_rate_changes(void)
{
	struct duo *d = line(10, MS(10), MS(100));

	bulk(d, SEC(3));
	d->rate_bps = 40000000;
	bulk(d, SEC(8));
	CU_ASSERT_TRUE(model(d)->max_bw > 4200000);
	d->rate_bps = 10000000;
	bulk(d, SEC(12));
	CU_ASSERT_TRUE(model(d)->max_bw < 1500000);
	duo_free(d);
}

/* A loss in a hundred is not congestion: most of the line is used, where Reno would starve. */
static void
test_random_loss(void)
{
	struct duo *d = line(20, MS(40), MS(200));
	uint64_t got;

	d->loss_ppm = 5000;
	bulk(d, SEC(3));
	got = tcp_bytes_acked(&d->side[DUO_A].conn);
	bulk(d, SEC(10));
	got = (tcp_bytes_acked(&d->side[DUO_A].conn) - got) / 10;
	CU_ASSERT_TRUE(got > 1250000);
	duo_free(d);
}

/* A queue of a tenth of the BDP: inflight_longterm is found, and it still goes. */
static void
test_shallow_queue(void)
{
	struct duo *d = line(20, MS(20), MS(4));
	const struct tcp_conn *c = &d->side[DUO_A].conn;
	uint64_t got;

	bulk(d, SEC(3));
	got = tcp_bytes_acked(c);
	bulk(d, SEC(10));
	got = (tcp_bytes_acked(c) - got) / 10;
	CU_ASSERT_TRUE(got > 1700000);
	CU_ASSERT_TRUE((uint64_t)tcp_rare(c)->total_retrans * c->mss < tcp_bytes_acked(c) / 20);
	duo_free(d);
}

/* 5.4: from idle at the known rate, without slow start. */
static void
test_restart_from_idle(void)
{
	struct duo *d = line(20, MS(20), MS(200));
	const struct tcp_conn *c = &d->side[DUO_A].conn;
	uint64_t got;

	bulk(d, SEC(2));
	duo_run(d, SEC(3));
	(void)duo_read(&d->side[DUO_B], NULL, 8000000);
	duo_run(d, SEC(3));
	CU_ASSERT_EQUAL(tcp_flight(c), 0);
	got = tcp_bytes_acked(c);
	bulk(d, MS(240));
	CU_ASSERT_TRUE(tcp_bytes_acked(c) - got > 2500000 / 5 * 80 / 100);
	duo_free(d);
}

/* A dead link and back: time-outs leave the model alone. */
static void
test_blackout(void)
{
	struct duo *d = line(20, MS(20), MS(200));

	bulk(d, SEC(2));
	d->cut[DUO_A] = true;
	bulk(d, SEC(3));
	CU_ASSERT_TRUE(d->side[DUO_A].conn.cwnd <= 4u * d->side[DUO_A].conn.mss);
	d->cut[DUO_A] = false;
	bulk(d, SEC(8));
	CU_ASSERT_TRUE(model(d)->max_bw > 2000000);
	CU_ASSERT_TRUE(d->side[DUO_A].conn.cwnd > 40000);
	duo_free(d);
}

/* Without a record left CUBIC does the work; a connection that ends gives its own back. */
static void
test_no_record_left(void)
{
	struct duo_opts o = { .seed = 1, .cfg = uses_bbr };
	struct duo *d = duo_established(&o);

	CU_ASSERT_PTR_EQUAL(tcp_cc(&d->side[DUO_A].conn), &cc_cubic);
	CU_ASSERT_EQUAL(duo_write_pattern(&d->side[DUO_A], 10000), 10000);
	duo_run(d, MS(200));
	CU_ASSERT_EQUAL(duo_read_pattern(&d->side[DUO_B]), 10000);
	duo_free(d);
}

/* TCP_CONGESTION in the middle, there and back, also while loss is being repaired. */
static void
test_change_in_the_middle(void)
{
	struct duo *d = line(20, MS(20), MS(50));
	struct duo_side *a = &d->side[DUO_A];
	int bbr = -1, cubic = -1;

	for (int i = 0; tcp_cc_at((unsigned)i); i++) {
		bbr = tcp_cc_at((unsigned)i) == tcp_cc_find("bbr") ? i : bbr;
		cubic = tcp_cc_at((unsigned)i) == &cc_cubic ? i : cubic;
	}
	d->loss_ppm = 20000;
	for (int i = 0; i < 40; i++) {
		bulk(d, MS(97));
		duo_option(a, TCP_OPTION_CONGESTION, i & 1 ? bbr : cubic);
		CU_ASSERT_TRUE(a->conn.cwnd < 10000000);
		CU_ASSERT_EQUAL(a->env.ccs.used, (uint32_t)(i & 1));
	}
	duo_free(d);
}

/* Whatever the samples say, nothing overflows and something can be sent. */
static void
test_any_sample(void)
{
	struct duo *d = line(20, MS(20), MS(200));
	struct tcp_conn *c = &d->side[DUO_A].conn;
	struct rng rng = { 3 };
	int64_t now = d->now;

	for (unsigned i = 0; i < 20000; i++) {
		struct rate_sample rs = {
			.valid = true,
			.app_limited = rng_below(&rng, 2),
			.interval_ns = 1,
			.rtt_ns = (int64_t)(rng_u64(&rng) >> rng_below(&rng, 63) >> 1),
			.rate = rng_u64(&rng) >> rng_below(&rng, 64),
			.delivered = (uint32_t)(rng_u64(&rng) >> (32 + rng_below(&rng, 32))),
			.lost = (uint32_t)(rng_u64(&rng) >> (32 + rng_below(&rng, 32))),
			.mark.delivered = c->delivered - rng_below(&rng, 100000),
			.mark.in_flight = rng_below(&rng, 1u << 30),
		};
		struct cc_ack a = { .delivered = rng_below(&rng, 1u << 28),
			            .pipe = rng_below(&rng, 1u << rng_below(&rng, 30)),
			            .cwnd_limited = rng_below(&rng, 2),
			            .initial_cwnd = 14480,
			            .rtt_ns = -1,
			            .now = now += MS(rng_below(&rng, 100)),
			            .rate = &rs };

		c->delivered += a.delivered;
		cc_bbr.control(c, &a);
		CU_ASSERT_TRUE(c->cwnd >= MIN_PIPE * c->mss && c->cwnd <= CWND_MAX);
		CU_ASSERT_TRUE(model(d)->pacing_rate < UINT64_C(1) << 40);
		if (rng_below(&rng, 50) == 0)
			(void)cc_bbr.ssthresh(NULL, c, now);
		if (rng_below(&rng, 50) == 0)
			cc_bbr.undo(c, now);
		if (rng_below(&rng, 50) == 0)
			cc_bbr.on_recovered(c, now);
	}
	duo_free(d);
}

/* TCP_CC_INFO as Linux lays it out. */
static void
test_info(void)
{
	struct duo *d = line(20, MS(20), MS(200));
	uint32_t i[5];

	bulk(d, SEC(2));
	CU_ASSERT_EQUAL(cc_bbr.info(&d->side[DUO_A].conn, i, sizeof i), sizeof i);
	CU_ASSERT_TRUE(i[0] > 2000000 && i[1] == 0);
	CU_ASSERT_TRUE(i[2] >= 40000 && i[2] < 43000);
	CU_ASSERT_TRUE(i[4] >= 512);
	duo_free(d);
}

/* 5.5.11: what the model had given up for it comes back. */
static void
test_a_loss_that_was_none(void)
{
	struct duo *d = line(20, MS(20), MS(200));
	struct tcp_conn *c = &d->side[DUO_A].conn;
	struct bbr *b = state(c);
	uint32_t cwnd;

	bulk(d, SEC(2));
	b->inflight_long = b->inflight_short = 300000;
	b->bw_short = 2000000;
	cwnd = c->cwnd;
	(void)cc_bbr.ssthresh(NULL, c, d->now);
	c->cwnd = MIN_PIPE * c->mss;
	b->inflight_long = b->inflight_short = c->cwnd;
	b->bw_short = 1000;
	cc_bbr.undo(c, d->now);
	CU_ASSERT_EQUAL(c->cwnd, cwnd);
	CU_ASSERT_EQUAL(b->inflight_long, 300000);
	CU_ASSERT_EQUAL(b->inflight_short, 300000);
	CU_ASSERT_EQUAL(b->bw_short, 2000000);
	duo_free(d);
}

static void
both_know_ecn(struct tcp_cfg *cfg, int who)
{
	uses_bbr(cfg, who);
	cfg->ecn = TCP_ECN_ON;
}

static bool
can_be_marked(const struct duo_record *r)
{
	return r->s.ecn != IP_ECN_NONE;
}

static bool
speaks_of_ecn(const struct duo_record *r)
{
	return (r->s.flags & (TCP_SYN | TCP_ECE | TCP_CWR)) == (TCP_SYN | TCP_ECE | TCP_CWR);
}

/* 3.7.  It asks for no ECN; a peer that asks gets it for what the peer sends. */
static void
test_nothing_can_be_marked(void)
{
	for (int opens = DUO_A; opens <= DUO_B; opens++) {
		struct duo *d = duo_new(&(struct duo_opts){ .cfg = both_know_ecn, .ccs = 1 });

		duo_listen(&d->side[!opens]);
		duo_connect(&d->side[opens]);
		duo_run(d, MS(100));
		for (int who = DUO_A; who <= DUO_B; who++)
			(void)duo_write_pattern(&d->side[who], 10000);
		duo_run(d, MS(500));
		CU_ASSERT_EQUAL(duo_read_pattern(&d->side[DUO_B]), 10000);
		CU_ASSERT_EQUAL(duo_read_pattern(&d->side[DUO_A]), 10000);
		CU_ASSERT_EQUAL(duo_count(d, DUO_A, can_be_marked), 0);
		CU_ASSERT_EQUAL(duo_count(d, DUO_A, speaks_of_ecn), 0);
		CU_ASSERT_EQUAL(duo_count(d, DUO_B, can_be_marked) > 0, opens == DUO_B);
		duo_free(d);
	}
}

void
suite_cc_bbr(void)
{
	CU_pSuite s = CU_add_suite("cc_bbr", NULL, NULL);

	CU_add_test(s, "the path is learned (BBR: Startup)", test_the_path_is_learned);
	CU_add_test(s, "ProbeRTT comes every five seconds (BBR: ProbeRTT)", test_probe_rtt);
	CU_add_test(s, "ProbeBW goes through its phases (BBR: ProbeBW)", test_the_cycle);
	CU_add_test(s, "a rate that changes is followed", test_the_rate_changes);
	CU_add_test(s, "random loss is not congestion (BBR: loss)", test_random_loss);
	CU_add_test(s, "a shallow queue", test_shallow_queue);
	CU_add_test(s, "idle, and on at the known rate (BBR: idle)", test_restart_from_idle);
	CU_add_test(s, "a dead link and back", test_blackout);
	CU_add_test(s, "a loss that was none (BBR: spurious loss)", test_a_loss_that_was_none);
	CU_add_test(s, "nothing can be marked (BBR: marks)", test_nothing_can_be_marked);
	CU_add_test(s, "no record left", test_no_record_left);
	CU_add_test(s, "another algorithm in the middle", test_change_in_the_middle);
	CU_add_test(s, "any sample is survived", test_any_sample);
	CU_add_test(s, "what TCP_CC_INFO shows (option: TCP_CC_INFO)", test_info);
}
