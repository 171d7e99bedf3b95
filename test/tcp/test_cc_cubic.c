/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * CUBIC against RFC 9438's formulas in floating point: a twin gets the same ACKs
 * at the same times and must keep to the same cwnd.
 */
#include <CUnit/CUnit.h>
#include <math.h>
#include <stdio.h>

#include "base/rng.h"
#include "tcp/tcp.h"

/* The file under its tests, by another name, so that its integer root is in reach. */
#define cc_cubic cubic_inside
#include "tcp/cc_cubic.c"
#undef cc_cubic

void suite_cc_cubic(void);

#define MSS 1448u

static void
conn_init(struct tcp_conn *c, uint32_t cwnd, int64_t rtt_ns)
{
	static struct tcp_rare rare[2];
	static struct tcp_xmit xmit[2];
	static unsigned turn; /* no more than two live at a time */

	memset(c, 0, sizeof *c);
	c->rare = &rare[turn % 2];
	c->xmit = &xmit[turn++ % 2];
	memset(c->rare, 0xff, sizeof *c->rare);
	memset(c->xmit, 0xff, sizeof *c->xmit);
	c->mss = MSS;
	c->cwnd = cwnd;
	c->ssthresh = UINT32_MAX;
	c->snd_una = seq_of(UINT32_MAX - 70000);
	c->snd_nxt = seq_add(c->snd_una, cwnd);
	c->srtt_us = (uint32_t)(rtt_ns / 1000 * 8);
	c->min_rtt_us = (uint32_t)(rtt_ns / 1000);
	cc_cubic.init(NULL, c, 0);
}

/* A segment is acknowledged, and as much as cwnd allows leaves. */
static void
ack(struct tcp_conn *c, uint32_t bytes, int64_t rtt_ns, int64_t now)
{
	struct cc_ack a = { .hystart = TCP_HYSTART_DELAY,
		            .acked = bytes,
		            .flight = tcp_flight(c),
		            .cwnd_limited = true,
		            .rtt_ns = rtt_ns,
		            .now = now };

	c->snd_una = seq_add(c->snd_una, bytes);
	cc_cubic.on_ack(NULL, c, &a);
	c->snd_nxt = seq_add(c->snd_una, max(c->cwnd, tcp_flight(c)));
}

static void
reduce(struct tcp_conn *c, int64_t now)
{
	c->ssthresh = cc_cubic.ssthresh(NULL, c, now);
	c->cwnd = c->ssthresh;
	c->snd_nxt = seq_add(c->snd_una, c->cwnd);
	cc_cubic.on_recovered(c, now);
}

/* -------------------------------------------------------------- the root -- */

static void
root_is_right(uint64_t v)
{
	uint64_t r = cube_root(v);
	__extension__ unsigned __int128 next = r + 1;

	CU_ASSERT(r * r * r <= v);
	CU_ASSERT(next * next * next > v);
}

static void
test_the_root_is_exact(void)
{
	struct rng rng = { 3 };

	for (uint64_t v = 0; v < 3000; v++)
		root_is_right(v);
	for (uint64_t r = 1; r < 2097152; r += 1 + r / 100) {
		root_is_right(r * r * r - 1);
		root_is_right(r * r * r);
		root_is_right(r * r * r + 1);
	}
	for (unsigned i = 0; i < 3000; i++)
		root_is_right(rng_u64(&rng) >> (1 + rng_below(&rng, 63)));
}

/* --------------------------------------------------------------- the twin -- */

/* RFC 9438 4.1 to 4.5 as they are written: windows in segments, time in seconds. */
struct twin {
	double w_max, k, epoch, w_est, cwnd, cwnd_prior;
};

#define C_CUBIC 0.4

static void
twin_start(struct twin *t, double w_max, double cwnd_prior, double cwnd, double now)
{
	*t = (struct twin){ .w_max = max(w_max, cwnd), .epoch = now, .cwnd = cwnd, .w_est = cwnd };
	t->cwnd_prior = cwnd_prior;
	t->k = cbrt((t->w_max - cwnd) / C_CUBIC);
}

static double
twin_curve(const struct twin *t, double at)
{
	double d = at - t->epoch - t->k;

	return C_CUBIC * d * d * d + t->w_max;
}

static void
twin_ack(struct twin *t, double segments, double rtt, double now)
{
	double alpha = t->w_est < t->cwnd_prior ? 9.0 / 17.0 : 1.0, target;

	t->w_est += alpha * segments / t->cwnd;
	if (twin_curve(t, now) < t->w_est) {
		t->cwnd = max(t->cwnd, t->w_est); /* 4.3 */
		return;
	}
	target = twin_curve(t, now + rtt); /* 4.2 */
	target = max(target, t->cwnd);
	target = min(target, 1.5 * t->cwnd);
	t->cwnd += (target - t->cwnd) / t->cwnd * segments;
}

/* Both live through one stage after a reduction from `w_max` segments.  Returns how far they
 * were apart at most, beyond three segments (one steps, the other glides) and one part in a
 * hundred. */
static double
apart_in_a_stage(double w_max, int64_t rtt, int64_t how_long)
{
	int64_t now = SEC(1000), end = now + how_long;
	double worst = 0;
	struct tcp_conn c;
	struct twin t;

	conn_init(&c, (uint32_t)(w_max * MSS), rtt);
	reduce(&c, now);
	twin_start(&t, w_max, w_max, c.cwnd / (double)MSS, (double)now / 1e9);
	while (now < end) {
		double off;

		ack(&c, MSS, -1, now);
		twin_ack(&t, 1, (double)rtt / 1e9, (double)now / 1e9);
		off = fabs(c.cwnd / (double)MSS - t.cwnd) - 3 - t.cwnd / 100;
		worst = max(worst, off);
		now += rtt * MSS / c.cwnd;
	}
	return worst;
}

/* Long paths: the cubic curve decides (4.4, 4.5). */
static void
test_the_curve_is_followed_on_long_paths(void)
{
	double off;

	off = apart_in_a_stage(1000, MS(100), SEC(20));
	CU_ASSERT_EQUAL(off, 0);
	off = apart_in_a_stage(300, MS(200), SEC(20));
	CU_ASSERT_EQUAL(off, 0);
	off = apart_in_a_stage(5000, MS(50), SEC(25));
	CU_ASSERT_EQUAL(off, 0);
}

/* Short paths: what Reno would have decides (4.3). */
static void
test_reno_is_followed_on_short_paths(void)
{
	double off;

	off = apart_in_a_stage(20, MS(10), SEC(2));
	CU_ASSERT_EQUAL(off, 0);
	off = apart_in_a_stage(50, MS(5), SEC(2));
	CU_ASSERT_EQUAL(off, 0);
	off = apart_in_a_stage(8, MS(1), SEC(1));
	CU_ASSERT_EQUAL(off, 0);
}

static void
test_anything_between_is_followed(void)
{
	struct rng rng = { 9438 };

	for (unsigned i = 0; i < 40; i++) {
		double w_max = 6 + rng_below(&rng, 1000);
		int64_t rtt = MS(4 + rng_below(&rng, 200));
		double off = apart_in_a_stage(w_max, rtt, SEC(4));

		if (off > 0)
			printf("w_max %.0f, rtt %lld ms: %.2f\n", w_max,
			       (long long)(rtt / NS_PER_MS), off);
		CU_ASSERT_EQUAL(off, 0);
	}
}

/* ------------------------------------------------------------ its bounds -- */

/* Runs one RTT's worth of ACKs, one a segment. */
static void
one_rtt(struct tcp_conn *c, int64_t rtt, int64_t *now)
{
	for (uint32_t left = c->cwnd / MSS, gap = left; left; left--) {
		*now += rtt / gap;
		ack(c, MSS, -1, *now);
	}
}

/* 4.4: cwnd at most half as large again in an RTT, however late the curve. */
static void
test_growth_is_bounded_in_each_rtt(void)
{
	int64_t now = SEC(1000), rtt = MS(1000);
	struct tcp_conn c;

	conn_init(&c, 100 * MSS, rtt);
	reduce(&c, now);
	one_rtt(&c, rtt, &now);
	for (int i = 0; i < 20; i++) {
		uint32_t before = c.cwnd;

		one_rtt(&c, rtt, &now);
		CU_ASSERT(c.cwnd <= before + before / 2 + MSS);
	}
	CU_ASSERT(c.cwnd > 1000 * MSS); /* and the bound was met on the way */
}

/* A path that falls silent at the flat part of the curve: when it speaks again, what was
 * acknowledged there is not paid at the rate of the steep part. */
static void
test_growth_is_bounded_after_a_silence(void)
{
	for (int64_t silence = MS(100); silence < SEC(60); silence = silence * 2 + 1) {
		int64_t now = SEC(1000), rtt = MS(100);
		struct tcp_conn c;

		conn_init(&c, 1000 * MSS, rtt);
		reduce(&c, now);
		for (int i = 0; i < 120; i++) {
			uint32_t before = c.cwnd;

			if (i % 10 == 9)
				now += silence;
			for (uint32_t n = before / MSS; n; n--) {
				uint32_t was = c.cwnd;

				now += rtt * MSS / before;
				ack(&c, MSS, -1, now);
				CU_ASSERT(c.cwnd - was <= 2 * MSS);
			}
			CU_ASSERT(c.cwnd <= before + before / 2 + MSS);
			if (c.cwnd > 100000 * MSS)
				break;
		}
	}
}

/* A window of tens of megabytes, a byte from its target. */
static void
test_large_windows_grow_slowly_on_the_plateau(void)
{
	for (uint32_t cwnd = 3000000; cwnd < 300000000; cwnd += cwnd / 5 + 12345) {
		int64_t now = SEC(1000), rtt = MS(300);
		struct tcp_conn c;

		conn_init(&c, cwnd, rtt);
		c.ssthresh = cwnd;
		for (int ms = 0; ms < 200; ms++) {
			uint32_t was = c.cwnd;

			now += NS_PER_MS;
			ack(&c, MSS, -1, now);
			CU_ASSERT(c.cwnd - was <= 2 * MSS);
		}
	}
}

static void
test_cwnd_does_not_wrap(void)
{
	int64_t now = SEC(1000);
	struct tcp_conn c;

	conn_init(&c, 10 * MSS, MS(100));
	for (int i = 0; i < 200; i++) {
		uint32_t before = c.cwnd;

		now += SEC(10);
		ack(&c, c.cwnd, -1, now);
		CU_ASSERT(c.cwnd >= before);
		if (i == 100)
			c.ssthresh = MSS;
	}
	CU_ASSERT_EQUAL(c.cwnd, 1u << 30);
}

/* ------------------------------------------------------------- reductions -- */

/* 4.6: beta is 0.7; never below two segments. */
static void
test_a_loss_takes_three_tenths(void)
{
	struct tcp_conn c;

	conn_init(&c, 1000 * MSS, MS(100));
	CU_ASSERT_EQUAL(cc_cubic.ssthresh(NULL, &c, 0), 700 * MSS);
	c.cwnd = 2 * MSS;
	CU_ASSERT_EQUAL(cc_cubic.ssthresh(NULL, &c, 0), 2 * MSS);
}

/* Segments of cwnd after `seconds` without loss. */
static double
cwnd_after(struct tcp_conn *c, double seconds, int64_t rtt, int64_t *now)
{
	int64_t end = *now + (int64_t)(seconds * 1e9);

	while (*now < end) {
		ack(c, MSS, -1, *now);
		*now += rtt * MSS / c->cwnd;
	}
	return c->cwnd / (double)MSS;
}

/* 4.7: a second loss below the last plateau puts the next one lower still: 0.85 of cwnd. */
static void
test_fast_convergence_gives_way(void)
{
	int64_t now = SEC(1000), rtt = MS(100);
	double k = cbrt((0.85 - 0.7) * 700 / C_CUBIC), at;
	struct tcp_conn c;

	conn_init(&c, 1000 * MSS, rtt);
	reduce(&c, now);
	CU_ASSERT_EQUAL(c.cwnd, 700 * MSS);
	reduce(&c, now); /* at 700, below 1000: plateau at 595 */
	CU_ASSERT(c.cwnd <= 490 * MSS && c.cwnd > 489 * MSS);
	at = cwnd_after(&c, k, rtt, &now);
	CU_ASSERT(at > 590 && at < 600);
	at = cwnd_after(&c, 1, rtt, &now); /* flat there */
	CU_ASSERT(at > 590 && at < 605);
}

/* 4.7: above the last plateau the plateau is where the loss was. */
static void
test_a_higher_loss_is_the_new_plateau(void)
{
	int64_t now = SEC(1000), rtt = MS(100);
	struct tcp_conn c;
	double at;

	conn_init(&c, 500 * MSS, rtt);
	reduce(&c, now);
	c.cwnd = 1000 * MSS;
	reduce(&c, now);
	CU_ASSERT_EQUAL(c.cwnd, 700 * MSS);
	at = cwnd_after(&c, cbrt(300 / C_CUBIC), rtt, &now);
	CU_ASSERT(at > 990 && at < 1010);
}

/* 4.8: after a time-out the curve starts at its plateau: K is 0, whatever there was before. */
static void
test_a_time_out_forgets_the_plateau(void)
{
	int64_t now = SEC(1000), rtt = MS(100);
	struct tcp_conn c;
	double at;

	conn_init(&c, 1000 * MSS, rtt);
	c.ssthresh = cc_cubic.ssthresh(NULL, &c, now);
	CU_ASSERT_EQUAL(c.ssthresh, 700 * MSS);
	c.ca = TCP_CA_LOSS;
	c.cwnd = MSS;
	cc_cubic.on_recovered(&c, now);
	c.ca = TCP_CA_OPEN;
	cc_cubic.on_recovered(&c, now);
	c.cwnd = c.ssthresh;
	c.snd_nxt = seq_add(c.snd_una, c.cwnd);
	at = cwnd_after(&c, 2, rtt, &now); /* K from 1000 down would give 790 by now */
	CU_ASSERT(at > 702 && at < 720);
	at = cwnd_after(&c, 6, rtt, &now); /* 0.4 * 8^3 = 205 above 700 */
	CU_ASSERT(at > 890 && at < 925);
}

/* ------------------------------------------------------ the application -- */

/* 5.8: while the application is what limits, no time passes on the curve. */
static void
test_time_without_data_does_not_count(void)
{
	int64_t now = SEC(1000), rtt = MS(100);
	struct cc_ack idle = { .acked = MSS, .flight = 2 * MSS, .rtt_ns = -1 };
	struct tcp_conn c;
	double before, at;

	conn_init(&c, 1000 * MSS, rtt);
	reduce(&c, now);
	before = cwnd_after(&c, 2, rtt, &now);
	for (int i = 0; i < 600; i++) { /* a minute */
		now += MS(100);
		idle.now = now;
		cc_cubic.on_ack(NULL, &c, &idle);
	}
	CU_ASSERT_EQUAL(c.cwnd / (double)MSS, before);
	at = cwnd_after(&c, 0.1, rtt, &now);
	CU_ASSERT(at < before * 1.05);
}

/* The same for silence: only as much as without it. */
static void
test_idle_time_does_not_count(void)
{
	int64_t now = SEC(1000), rtt = MS(100), calm = now;
	struct tcp_conn c, d;
	double at;

	conn_init(&c, 1000 * MSS, rtt);
	conn_init(&d, 1000 * MSS, rtt);
	reduce(&c, now);
	reduce(&d, now);
	(void)cwnd_after(&c, 3, rtt, &now);
	(void)cwnd_after(&d, 3, rtt, &calm);
	CU_ASSERT_EQUAL(c.cwnd, d.cwnd);
	now += SEC(50);
	cc_cubic.on_restart(&c, SEC(50));
	at = cwnd_after(&c, 3, rtt, &now) - cwnd_after(&d, 3, rtt, &calm);
	CU_ASSERT(fabs(at) <= 1);
}

/* ---------------------------------------------------------------- HyStart -- */

/* A window of ACKs in slow start, each with the same delay. */
static void
slow_start_round(struct tcp_conn *c, int64_t rtt, int64_t *now)
{
	for (uint32_t left = c->cwnd / MSS; left; left--) {
		*now += US(10);
		ack(c, MSS, rtt, *now);
	}
}

static void
test_slow_start_doubles_while_the_delay_is_steady(void)
{
	int64_t now = SEC(1000);
	struct tcp_conn c;

	conn_init(&c, 10 * MSS, MS(40));
	for (uint32_t expected = 20; expected < 3000; expected *= 2) {
		slow_start_round(&c, MS(44), &now); /* 4 ms more is not yet a queue: 40/8 = 5 */
		CU_ASSERT_EQUAL(c.cwnd, expected * MSS);
	}
	CU_ASSERT_EQUAL(c.ssthresh, UINT32_MAX);
}

/* The threshold is an eighth of the smallest RTT, but 4 to 16 ms. */
static void
leaves_slow_start_at(int64_t min_rtt, int64_t more, bool leaves)
{
	int64_t now = SEC(1000);
	struct tcp_conn c;

	conn_init(&c, 16 * MSS, min_rtt);
	slow_start_round(&c, min_rtt + more, &now);
	CU_ASSERT_EQUAL(c.ssthresh != UINT32_MAX, leaves);
	if (leaves)
		CU_ASSERT(c.ssthresh >= 16 * MSS && c.ssthresh <= 24 * MSS);
}

static void
test_a_growing_delay_ends_slow_start(void)
{
	leaves_slow_start_at(MS(80), MS(10), true);
	leaves_slow_start_at(MS(80), MS(10) - US(1), false);
	leaves_slow_start_at(MS(8), MS(4), true);
	leaves_slow_start_at(MS(8), MS(4) - US(1), false);
	leaves_slow_start_at(MS(800), MS(16), true);
	leaves_slow_start_at(MS(800), MS(16) - US(1), false);
}

static void
test_eight_samples_make_a_judgment(void)
{
	int64_t now = SEC(1000);
	struct tcp_conn c;

	conn_init(&c, 64 * MSS, MS(40));
	for (int i = 0; i < 7; i++)
		ack(&c, MSS, MS(140), now);
	ack(&c, MSS, -1, now); /* no sample */
	CU_ASSERT_EQUAL(c.ssthresh, UINT32_MAX);
	ack(&c, MSS, MS(140), now);
	CU_ASSERT_NOT_EQUAL(c.ssthresh, UINT32_MAX);
}

/* One delayed segment is no queue: the smallest of the round's samples counts. */
static void
test_one_late_sample_does_not_end_slow_start(void)
{
	int64_t now = SEC(1000);
	struct tcp_conn c;

	conn_init(&c, 32 * MSS, MS(40));
	ack(&c, MSS, MS(40), now);
	for (int i = 0; i < 30; i++)
		ack(&c, MSS, MS(140), now);
	CU_ASSERT_EQUAL(c.ssthresh, UINT32_MAX);
}

/* Slow start's own bursts queue up towards the end of each flight, and drain.  Rounds begin
 * with the first ACK of a flight, not with the last of the flight before. */
static void
test_a_queue_that_drains_each_round_does_not_end_slow_start(void)
{
	int64_t now = SEC(1000);
	struct tcp_conn c;

	conn_init(&c, 16 * MSS, MS(40));
	for (int round = 0; round < 8; round++)
		for (uint32_t i = 0, n = c.cwnd / MSS; i < n; i++)
			ack(&c, MSS, MS(40) + MS(30) * i / n, now += US(10));
	CU_ASSERT_EQUAL(c.ssthresh, UINT32_MAX);
	CU_ASSERT_EQUAL(c.cwnd, 16 * MSS << 8);
}

static void
test_small_windows_stay_in_slow_start(void)
{
	int64_t now = SEC(1000);
	struct tcp_conn c;

	conn_init(&c, 4 * MSS, MS(40));
	c.snd_nxt = seq_add(c.snd_una, 100 * MSS);
	for (int i = 0; i < 11; i++)
		ack(&c, MSS, MS(140), now);
	CU_ASSERT_EQUAL(c.ssthresh, UINT32_MAX);
	for (int i = 0; i < 5; i++)
		ack(&c, MSS, MS(140), now);
	CU_ASSERT_NOT_EQUAL(c.ssthresh, UINT32_MAX);
}

/* 4.3: where Reno would be faster cwnd is W_est itself, not on its way to it; short
 * stages between losses, as on a short lossy path, would never get there. */
static void
test_the_friendly_region_is_w_est(void)
{
	int64_t now = SEC(1000);
	struct tcp_conn c;
	uint32_t acked = 0;

	conn_init(&c, 12 * MSS, US(200));
	c.ssthresh = c.cwnd;
	reduce(&c, now);
	for (; acked < 3 * c.cwnd * 17 / 9; acked += MSS)
		ack(&c, MSS, US(200), now += US(20));
	/* Three windows as large as the last one: 3.5 segments, none rounded away. */
	CU_ASSERT(c.cwnd >= c.ssthresh + 3 * MSS + MSS / 4);
	CU_ASSERT(c.cwnd <= c.ssthresh + 3 * MSS + MSS * 3 / 4);
}

/* ------------------------------------------------------------- HyStart++ -- */

/* A round of RFC 9406: `n` segments are acknowledged, each after `us`. */
static void
plus_round(struct tcp_conn *c, unsigned n, uint32_t us, bool paced)
{
	struct cc_ack a = { .hystart = TCP_HYSTART_PLUSPLUS,
		            .acked = MSS,
		            .cwnd_limited = true,
		            .paced = paced,
		            .rtt_ns = US(us),
		            .now = SEC(1) };

	/* One more: the first ACK of a round covers what the last one of it began with. */
	c->snd_nxt = seq_add(c->snd_una, (n + 1) * MSS);
	for (unsigned i = 0; i < n; i++) {
		c->snd_una = seq_add(c->snd_una, MSS);
		cc_cubic.on_ack(NULL, c, &a);
	}
}

/* 4.2: eight samples, an eighth more than the round before, between 4 and 16 ms. */
static void
test_css_is_entered(void)
{
	static const struct {
		uint32_t base_us, more_us;
		bool enters;
	} cases[] = {
		{ 100000, 12400, false }, { 100000, 12600, true }, { 10000, 3900, false },
		{ 10000, 4100, true },    { 300000, 15900, false }, { 300000, 16100, true },
	};

	for (unsigned i = 0; i < array_len(cases); i++) {
		struct tcp_conn c;

		conn_init(&c, 20 * MSS, US(cases[i].base_us));
		c.snd_nxt = c.snd_una;
		cc_cubic.init(NULL, &c, 0);
		plus_round(&c, 20, cases[i].base_us, false);
		plus_round(&c, 20, cases[i].base_us, false);
		plus_round(&c, 7, cases[i].base_us + cases[i].more_us, false);
		CU_ASSERT_EQUAL(c.xmit->hystart.css_rtt_us, 0);
		plus_round(&c, 20, cases[i].base_us, false);
		plus_round(&c, 20, cases[i].base_us + cases[i].more_us, false);
		CU_ASSERT_EQUAL(c.ssthresh, UINT32_MAX);
		CU_ASSERT_EQUAL(c.xmit->hystart.css_rtt_us != 0, cases[i].enters);
	}
}

static struct tcp_conn
in_css(void)
{
	struct tcp_conn c;

	conn_init(&c, 20 * MSS, MS(50));
	c.snd_nxt = c.snd_una;
	cc_cubic.init(NULL, &c, 0);
	plus_round(&c, 20, 50000, false);
	plus_round(&c, 20, 50000, false);
	plus_round(&c, 9, 60000, false);
	CU_ASSERT_NOT_EQUAL(c.xmit->hystart.css_rtt_us, 0);
	return c;
}

/* 4.2: a quarter of slow start's growth, then congestion avoidance after five rounds. */
static void
test_css_grows_slowly_and_ends(void)
{
	struct tcp_conn c = in_css();
	uint32_t before = c.cwnd;

	plus_round(&c, 20, 60000, false);
	CU_ASSERT_EQUAL(c.cwnd, before + 5 * MSS);
	for (unsigned i = 0; i < 3; i++) {
		plus_round(&c, 20, 60000, false);
		CU_ASSERT_EQUAL(c.ssthresh, UINT32_MAX);
	}
	plus_round(&c, 20, 60000, false);
	CU_ASSERT_TRUE(c.ssthresh != UINT32_MAX && c.ssthresh <= c.cwnd);
}

/* 4.2: the delay was none of a queue: slow start resumes. */
static void
test_css_was_a_mistake(void)
{
	struct tcp_conn c = in_css();
	uint32_t before;

	plus_round(&c, 20, 50000, false);
	CU_ASSERT_EQUAL(c.xmit->hystart.css_rtt_us, 0);
	before = c.cwnd;
	plus_round(&c, 20, 50000, false);
	CU_ASSERT_EQUAL(c.cwnd, before + 20 * MSS);
}

/* 4.2: L = 8 segments an ACK, unless they are paced. */
static void
test_slow_start_burst(void)
{
	for (int paced = 0; paced < 2; paced++) {
		struct tcp_conn c;
		struct cc_ack a = { .hystart = TCP_HYSTART_PLUSPLUS,
			            .acked = 20 * MSS,
			            .cwnd_limited = true,
			            .paced = paced,
			            .rtt_ns = -1 };

		conn_init(&c, 30 * MSS, MS(50));
		cc_cubic.on_ack(NULL, &c, &a);
		CU_ASSERT_EQUAL(c.cwnd, (30 + (paced ? 20 : 8)) * MSS);
	}
}

/* 4.3: later slow starts are what they were. */
static void
test_only_the_first_slow_start(void)
{
	struct tcp_conn c;

	conn_init(&c, 20 * MSS, MS(50));
	c.snd_nxt = c.snd_una;
	cc_cubic.init(NULL, &c, 0);
	c.ssthresh = 1000 * MSS;
	for (uint32_t i = 0; i < 5; i++)
		plus_round(&c, 20, 50000 + i * 20000, false);
	CU_ASSERT_EQUAL(c.cwnd, 120 * MSS);
	CU_ASSERT_EQUAL(c.ssthresh, 1000 * MSS);
}

void
suite_cc_cubic(void)
{
	CU_pSuite s = CU_add_suite("cc_cubic", NULL, NULL);

	CU_add_test(s, "the cube root is exact", test_the_root_is_exact);
	CU_add_test(s, "the curve is followed on long paths (RFC 9438 4.1, 4.2, 4.4, 4.5)",
	            test_the_curve_is_followed_on_long_paths);
	CU_add_test(s, "Reno is followed on short paths (RFC 9438 4.3)",
	            test_reno_is_followed_on_short_paths);
	CU_add_test(s, "anything between is followed", test_anything_between_is_followed);
	CU_add_test(s, "growth is bounded in each RTT (RFC 9438 4.2/clamp)",
	            test_growth_is_bounded_in_each_rtt);
	CU_add_test(s, "growth is bounded after a silence (RFC 9438 4.2/clamp, 5.8)",
	            test_growth_is_bounded_after_a_silence);
	CU_add_test(s, "large windows grow slowly on the plateau",
	            test_large_windows_grow_slowly_on_the_plateau);
	CU_add_test(s, "cwnd does not wrap", test_cwnd_does_not_wrap);
	CU_add_test(s, "a loss takes three tenths (RFC 9438 4.1, 4.6)",
	            test_a_loss_takes_three_tenths);
	CU_add_test(s, "fast convergence gives way (RFC 9438 4.7)",
	            test_fast_convergence_gives_way);
	CU_add_test(s, "a higher loss is the new plateau", test_a_higher_loss_is_the_new_plateau);
	CU_add_test(s, "a time-out forgets the plateau (RFC 9438 4.8)",
	            test_a_time_out_forgets_the_plateau);
	CU_add_test(s, "time without data does not count (RFC 9438 5.8)",
	            test_time_without_data_does_not_count);
	CU_add_test(s, "idle time does not count (RFC 9438 5.8)",
	            test_idle_time_does_not_count);
	CU_add_test(s, "slow start doubles while the delay is steady",
	            test_slow_start_doubles_while_the_delay_is_steady);
	CU_add_test(s, "a growing delay ends slow start (RFC 9438 4.10; "
	            "Linux: HyStart)",
	            test_a_growing_delay_ends_slow_start);
	CU_add_test(s, "eight samples make a judgment (Linux: HyStart)",
	            test_eight_samples_make_a_judgment);
	CU_add_test(s, "one late sample does not end slow start",
	            test_one_late_sample_does_not_end_slow_start);
	CU_add_test(s, "a queue that drains each round does not end slow start",
	            test_a_queue_that_drains_each_round_does_not_end_slow_start);
	CU_add_test(s, "the friendly region is W_est (RFC 9438 4.3)",
	            test_the_friendly_region_is_w_est);
	CU_add_test(s, "RFC 9406 4.2/samples, 4.2/threshold: conservative slow start is entered",
	            test_css_is_entered);
	CU_add_test(s, "RFC 9406 4.2/css: it grows slowly, and ends after five rounds",
	            test_css_grows_slowly_and_ends);
	CU_add_test(s, "RFC 9406 4.2/resume: it was a mistake", test_css_was_a_mistake);
	CU_add_test(s, "RFC 9406 4.2/paced: no growth of more than eight segments an ACK",
	            test_slow_start_burst);
	CU_add_test(s, "RFC 9406 4.3: only the first slow start", test_only_the_first_slow_start);
	CU_add_test(s, "small windows stay in slow start", test_small_windows_stay_in_slow_start);
}
