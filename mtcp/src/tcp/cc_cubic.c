/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * CUBIC (RFC 9438) with HyStart by delay, in integers: the golden figures must
 * be the same on every machine.  Time is milliseconds, windows are bytes.
 *
 *	W_cubic(t) = C * (t - K)^3 + W_max,  K = cbrt((W_max - cwnd_epoch) / C)
 *
 * with C = 0.4 segments/s^3, hence 4 * mss * t_ms^3 / 10^10 bytes.
 */

#include "tcp/tcp_rare.h"

#define CWND_MAX           (1u << 30)
#define BETA_PERMILLE      700u          /* 4.6: multiplicative decrease      */
#define HYSTART_MIN_CWND   16u           /* segments                          */
#define HYSTART_SAMPLES    8u
#define HYSTART_DELAY_MIN  4000u         /* us */
#define HYSTART_DELAY_MAX  16000u        /* us */
#define CSS_DIVISOR        4u            /* RFC 9406 4.3 */
#define CSS_ROUNDS         5u
#define CSS_BURST          8u            /* segments; L when not paced */

#define RTT_MAX            ((1u << 27) - 1) /* us: two minutes                   */
#define OWED_MASK          ((1u << 20) - 1)
#define K_MASK             ((1u << 21) - 1)
#define EPOCH_NS_MASK      ((1u << 20) - 1)

/* What is known since the first reduction, or since slow start ended without one.  What HyStart
 * finds out stands where what is in flight does: its rounds end with that, so those by delay lose
 * nothing when a connection falls idle.  HyStart++ compares with the round before, and then has
 * none; a conservative slow start is over, since the queue it was about has gone. */
struct cubic {
	uint32_t w_max;         /* bytes                                              */
	uint32_t undo_w_max;    /* w_max before the last reduction                    */
	uint32_t cwnd_prior;    /* cwnd at the last reduction (alpha becomes 1 there) */
	uint32_t epoch_ms;      /* start of this congestion avoidance stage; 0: none  */
	/* of a stage */
	uint64_t owed : 20;     /* growth not yet granted, 1/16 of a byte: less than a segment */
	uint64_t k_ms : 21;
	uint64_t epoch_ns : 20; /* what epoch_ms leaves out                           */
	uint32_t w_est;         /* what Reno would have (4.3)                         */
	uint32_t est_acked;     /* bytes not yet turned into growth of w_est          */
};

static_assert(sizeof(struct cubic) <= CC_STATE_WORDS * 8, "fits the record");

/* To be read, and with a record written: while nothing is known it is all zeros. */
static const struct cubic *
known(const struct tcp_conn *c)
{
	return (const struct cubic *)(const void *)tcp_rare(c)->cc_state;
}

static struct cubic *
state(struct tcp_rare *r)
{
	return (struct cubic *)(void *)r->cc_state;
}

/* The integer cube root, rounded down: one bit of the result a round. */
static uint32_t
cube_root(uint64_t v)
{
	uint64_t r = 0;

	for (int bit = 20; bit >= 0; bit--) {
		uint64_t t = r | UINT64_C(1) << bit;

		if (t * t * t <= v)
			r = t;
	}
	return (uint32_t)r;
}

static void
hystart_begin(struct tcp_conn *c)
{
	if (c->xmit) /* which otherwise begins like this */
		c->xmit->hystart = cc_hystart_none(c->snd_nxt);
}

static void
cubic_init(struct tcp_env *e, struct tcp_conn *c, int64_t now)
{
	(void)e, (void)now;
	if (c->rare)
		memset(c->rare->cc_state, 0, sizeof c->rare->cc_state);
	hystart_begin(c);
}

static void
epoch_end(struct tcp_conn *c)
{
	if (likely(!c->rare) || known(c)->epoch_ms == 0)
		return;
	state(c->rare)->epoch_ms = 0;
	hystart_begin(c);
}

/* RFC 9406 4.2: conservative slow start has lasted long enough. */
static void
css_round_ends(struct tcp_conn *c)
{
	struct cc_hystart *q = &c->xmit->hystart;

	if (q->css_rtt_us && ++q->css_rounds >= CSS_ROUNDS) {
		c->ssthresh = c->cwnd;
		q->css_rtt_us = 0;
	}
}

/* One more sample of this round, if there is one. */
static bool
round_sampled(struct tcp_conn *c, const struct cc_ack *a)
{
	struct cc_hystart *q = &c->xmit->hystart;
	uint32_t n;

	if (seq_lt(q->round_end, c->snd_una)) { /* by the first of a flight: its queue is short */
		q->round_end = c->snd_nxt;
		q->last_rtt_us = q->round_rtt_us == UINT32_MAX ? 0 : q->round_rtt_us & RTT_MAX;
		q->round_samples = 0;
		q->round_rtt_us = UINT32_MAX;
		css_round_ends(c);
	}
	if (a->rtt_ns < 0)
		return false;
	q->round_rtt_us = min(q->round_rtt_us,
	                      (uint32_t)min(a->rtt_ns / NS_PER_US, (int64_t)RTT_MAX));
	n = min(q->round_samples + 1u, HYSTART_SAMPLES);
	q->round_samples = n & 31;
	return n == HYSTART_SAMPLES;
}

static uint32_t
delay_limit(uint32_t rtt_us)
{
	return min(max(rtt_us / 8, HYSTART_DELAY_MIN), HYSTART_DELAY_MAX);
}

/* HyStart by delay, as Linux: the delay of this round shows a queue building up;
 * slow start ends before the loss it would end with. */
static void
hystart_delay(struct tcp_conn *c, const struct cc_ack *a)
{
	const struct cc_hystart *q = &c->xmit->hystart;

	if (c->cwnd < HYSTART_MIN_CWND * c->mss && tcp_flight(c) == 0)
		return; /* with nothing in flight the round is forgotten */
	if (round_sampled(c, a) && c->cwnd >= HYSTART_MIN_CWND * c->mss &&
	    q->round_rtt_us >= c->min_rtt_us + delay_limit(c->min_rtt_us))
		c->ssthresh = c->cwnd;
}

/* RFC 9406 4.2: against the round before; and what looked like a queue may have
 * been none.  4.3: for the first slow start only. */
static void
hystart_plusplus(struct tcp_conn *c, const struct cc_ack *a)
{
	struct cc_hystart *q = &c->xmit->hystart;

	if (c->ssthresh != UINT32_MAX || !round_sampled(c, a))
		return;
	if (q->css_rtt_us) {
		if (q->round_rtt_us < q->css_rtt_us)
			q->css_rtt_us = 0; /* slow start resumes */
	} else if (q->last_rtt_us &&
	           q->round_rtt_us >= q->last_rtt_us + delay_limit(q->last_rtt_us)) {
		q->css_rtt_us = max(q->round_rtt_us, 1u) & RTT_MAX;
		q->css_rounds = q->css_owed = 0;
	}
}

/* A part of what is acknowledged: everything; in conservative slow start a
 * quarter; and with HyStart++ never a large burst's worth, unless pacing
 * spreads it. */
static uint32_t
slow_start_growth(struct tcp_conn *c, const struct cc_ack *a, uint32_t acked)
{
	struct cc_hystart *q;

	if (a->hystart != TCP_HYSTART_PLUSPLUS || c->ssthresh != UINT32_MAX || !c->xmit)
		return acked;
	q = &c->xmit->hystart;
	if (!a->paced)
		acked = min(acked, CSS_BURST * c->mss);
	if (!q->css_rtt_us)
		return acked;
	acked += q->css_owed;
	q->css_owed = acked % CSS_DIVISOR & 3;
	return acked / CSS_DIVISOR;
}

static void
hystart(struct tcp_conn *c, const struct cc_ack *a)
{
	switch (a->hystart) {
	case TCP_HYSTART_DELAY:
		hystart_delay(c, a);
		break;
	case TCP_HYSTART_PLUSPLUS:
		hystart_plusplus(c, a);
		break;
	case TCP_HYSTART_OFF:
		break;
	}
}

static void
epoch_set(struct cubic *q, int64_t ms, int64_t ns)
{
	q->epoch_ms = max((uint32_t)ms, 1u);
	q->epoch_ns = (uint64_t)ns & EPOCH_NS_MASK;
}

/* Whole milliseconds since the stage started. */
static int64_t
epoch_lasted(const struct cubic *q, int64_t now)
{
	uint32_t ms = (uint32_t)(now / NS_PER_MS) - q->epoch_ms;

	return (int64_t)ms - ((uint64_t)(now % NS_PER_MS) < q->epoch_ns);
}

/* 4.2: the stage starts; K is where the curve meets W_max again. */
static void
epoch_start(const struct tcp_conn *c, struct cubic *q, int64_t now)
{
	epoch_set(q, now / NS_PER_MS, now % NS_PER_MS);
	q->owed = 0;
	q->est_acked = 0;
	q->w_est = c->cwnd;
	if (c->cwnd >= q->w_max) {
		q->w_max = c->cwnd;
		q->k_ms = 0;
	} else {
		q->k_ms = K_MASK & cube_root((uint64_t)(q->w_max - c->cwnd) *
		                             UINT64_C(2500000000) / c->mss);
	}
}

/* Where the curve stands one RTT ahead (4.2's target). */
static uint32_t
curve(const struct tcp_conn *c, const struct cubic *q, int64_t now)
{
	int64_t t = epoch_lasted(q, now) + (c->srtt_us >> 3) / 1000 - (int64_t)q->k_ms;
	int64_t cube, w;

	t = min(max(t, INT64_C(-1000000)), INT64_C(1000000));
	cube = t * t * t / 10000; /* 10^18 at most: room for the factor below */
	w = q->w_max + cube / 250 * c->mss / 1000;
	return (uint32_t)min(max(w, (int64_t)2 * c->mss), (int64_t)CWND_MAX);
}

/* 4.3: alpha = 3 (1 - beta) / (1 + beta) = 9/17 until w_est has reached what
 * cwnd was before the reduction, then 1.  By bytes: in whole segments each stage would
 * lose half of one, and with losses often that is a tenth of what there is. */
static void
reno_estimate(struct tcp_conn *c, struct cubic *q, uint32_t acked)
{
	uint64_t per_mss = q->w_est < q->cwnd_prior ? (uint64_t)c->cwnd * 17 / 9 : c->cwnd;
	uint32_t grow;

	q->est_acked += acked;
	grow = (uint32_t)((uint64_t)q->est_acked * c->mss / per_mss);
	q->est_acked -= (uint32_t)min(grow * per_mss / c->mss, (uint64_t)q->est_acked);
	q->w_est = min(q->w_est + grow, CWND_MAX);
}

static void
avoid_congestion(struct tcp_conn *c, struct cubic *q, const struct cc_ack *a, uint32_t acked)
{
	uint32_t target, segments;
	uint64_t owed;

	if (q->epoch_ms == 0)
		epoch_start(c, q, a->now);
	reno_estimate(c, q, acked);
	target = curve(c, q, a->now);
	if (target < q->w_est) { /* 4.3: the Reno-friendly region */
		c->cwnd = max(c->cwnd, q->w_est);
		q->owed = 0;
		return;
	}
	target = min(target, c->cwnd + c->cwnd / 2); /* 4.4: at most 1.5 in an RTT */
	if (target <= c->cwnd) {
		q->owed = 0;
		return;
	}
	/* (target - cwnd) / cwnd per acknowledged byte, at the rate of its own time:
	 * what came while the curve was flat earns nothing when it is steep.  In
	 * whole segments. */
	owed = q->owed + (uint64_t)acked * (target - c->cwnd) * 16 / c->cwnd;
	segments = (uint32_t)(owed / 16 / c->mss);
	q->owed = (owed - (uint64_t)segments * c->mss * 16) & OWED_MASK;
	c->cwnd = min(c->cwnd + segments * c->mss, CWND_MAX);
}

static void
cubic_on_ack(struct tcp_env *e, struct tcp_conn *c, const struct cc_ack *a)
{
	uint32_t acked = a->acked;

	/* 5.8: time in which the application had nothing to send is not counted in t: the
	 * stage starts anew. */
	if (!a->cwnd_limited || c->cwnd < c->ssthresh)
		epoch_end(c);
	if (c->cwnd < c->ssthresh && c->xmit)
		hystart(c, a);
	if (!a->cwnd_limited)
		return;
	if (c->cwnd < c->ssthresh) {
		uint32_t room = c->ssthresh - c->cwnd;
		uint32_t grow = min(slow_start_growth(c, a, acked), room);

		c->cwnd = min(c->cwnd + grow, CWND_MAX);
		acked = grow < room ? 0 : acked - min(grow, acked);
	}
	if (acked)
		avoid_congestion(c, state(tcp_rare_own(e, c)), a, acked);
}

/* 4.6 and 4.7: fast convergence gives a newcomer room when W_max falls. */
static uint32_t
cubic_ssthresh(struct tcp_env *e, struct tcp_conn *c, int64_t now)
{
	struct cubic *q = state(tcp_rare_own(e, c));

	(void)now;
	epoch_end(c);
	q->cwnd_prior = c->cwnd;
	q->undo_w_max = q->w_max;
	if (c->cwnd < q->w_max)
		q->w_max = (uint32_t)((uint64_t)c->cwnd * (1000 + BETA_PERMILLE) / 2000);
	else
		q->w_max = c->cwnd;
	return max((uint32_t)((uint64_t)c->cwnd * BETA_PERMILLE / 1000), 2u * c->mss);
}

/* 4.8: after a time-out the curve starts at its plateau, wherever that will be. */
static void
cubic_on_recovered(struct tcp_conn *c, int64_t now)
{
	(void)now;
	if (c->ca == TCP_CA_LOSS && c->rare)
		state(c->rare)->w_max = 0;
	epoch_end(c);
	if (c->xmit)
		c->xmit->hystart.round_end = c->snd_nxt;
}

/* 4.9: the plateau was right where it was. */
static void
cubic_undo(struct tcp_conn *c, int64_t now)
{
	(void)now;
	if (c->rare)
		state(c->rare)->w_max = known(c)->undo_w_max;
	epoch_end(c);
}

static void
cubic_on_restart(struct tcp_conn *c, int64_t idle_ns)
{
	const struct cubic *q = known(c);

	if (q->epoch_ms) /* 5.8: idle time does not count either */
		epoch_set(state(c->rare), q->epoch_ms + (idle_ns + (int64_t)q->epoch_ns) / NS_PER_MS,
		          (idle_ns + (int64_t)q->epoch_ns) % NS_PER_MS);
}

const struct cc_ops cc_cubic = {
	.name = "cubic",
	.number = TCP_CC_cubic,
	.init = cubic_init,
	.on_ack = cubic_on_ack,
	.ssthresh = cubic_ssthresh,
	.on_recovered = cubic_on_recovered,
	.on_restart = cubic_on_restart,
	.undo = cubic_undo,
};
