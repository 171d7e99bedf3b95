/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * CUBIC (RFC 9438) with HyStart by delay, in integers: the golden figures must
 * be the same on every machine.  Time is milliseconds, windows are bytes.
 *
 *	W_cubic(t) = C * (t - K)^3 + W_max,  K = cbrt((W_max - cwnd_epoch) / C)
 *
 * with C = 0.4 segments/s^3, hence 4 * mss * t_ms^3 / 10^10 bytes.
 */

#include "tcp/tcp.h"

#define CWND_MAX           (1u << 30)
#define BETA_PERMILLE      700u          /* 4.6: multiplicative decrease      */
#define HYSTART_MIN_CWND   16u           /* segments                          */
#define HYSTART_SAMPLES    8u
#define HYSTART_DELAY_MIN  4000u         /* us */
#define HYSTART_DELAY_MAX  16000u        /* us */

struct cubic {
	int64_t epoch_at;       /* start of this congestion avoidance stage; 0: none  */
	uint64_t owed;          /* growth not yet granted, 1/16 of a byte             */
	uint32_t w_max;         /* bytes                                              */
	uint32_t w_est;         /* what Reno would have (4.3)                         */
	uint32_t k_ms;
	uint32_t cwnd_prior;    /* cwnd at the last reduction (alpha becomes 1 there) */
	uint32_t est_acked;     /* bytes not yet turned into growth of w_est          */
	seq_t round_end;        /* HyStart: this round of RTT samples ends            */
	uint32_t round_rtt_us;  /* smallest sample in the round                       */
	uint32_t round_samples;
};

static_assert(sizeof(struct cubic) <= CC_STATE_WORDS * 8, "fits the connection");

static struct cubic *
state(struct tcp_conn *c)
{
	return (struct cubic *)(void *)c->cc_state;
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
cubic_init(struct tcp_conn *c)
{
	memset(c->cc_state, 0, sizeof c->cc_state);
	state(c)->round_end = c->snd_nxt;
	state(c)->round_rtt_us = UINT32_MAX;
}

/* HyStart: the delay of this round shows a queue building up; slow start ends
 * before the loss it would end with. */
static void
hystart(struct tcp_conn *c, const struct cc_ack *a)
{
	struct cubic *q = state(c);
	uint32_t us, limit;

	if (seq_le(q->round_end, c->snd_una)) {
		q->round_end = c->snd_nxt;
		q->round_samples = 0;
		q->round_rtt_us = UINT32_MAX;
	}
	if (a->rtt_ns < 0)
		return;
	us = (uint32_t)min(a->rtt_ns / NS_PER_US, (int64_t)UINT32_MAX);
	q->round_rtt_us = min(q->round_rtt_us, us);
	if (++q->round_samples < HYSTART_SAMPLES || c->cwnd < HYSTART_MIN_CWND * c->mss)
		return;
	limit = min(max(c->min_rtt_us / 8, HYSTART_DELAY_MIN), HYSTART_DELAY_MAX);
	if (q->round_rtt_us >= c->min_rtt_us + limit)
		c->ssthresh = c->cwnd;
}

/* 4.2: the stage starts; K is where the curve meets W_max again. */
static void
epoch_start(struct tcp_conn *c, int64_t now)
{
	struct cubic *q = state(c);

	q->epoch_at = max(now, INT64_C(1));
	q->owed = q->est_acked = 0;
	q->w_est = c->cwnd;
	if (c->cwnd >= q->w_max) {
		q->w_max = c->cwnd;
		q->k_ms = 0;
	} else {
		q->k_ms = cube_root((uint64_t)(q->w_max - c->cwnd) * UINT64_C(2500000000) /
		                    c->mss);
	}
}

/* Where the curve stands one RTT ahead (4.2's target). */
static uint32_t
curve(const struct tcp_conn *c, const struct cubic *q, int64_t now)
{
	int64_t t = (now - q->epoch_at) / NS_PER_MS + (c->srtt_us >> 3) / 1000 - q->k_ms;
	int64_t cube, w;

	t = min(max(t, INT64_C(-1000000)), INT64_C(1000000));
	cube = t * t * t / 10000; /* 10^18 at most: room for the factor below */
	w = q->w_max + cube / 250 * c->mss / 1000;
	return (uint32_t)min(max(w, (int64_t)2 * c->mss), (int64_t)CWND_MAX);
}

/* 4.3: alpha = 3 (1 - beta) / (1 + beta) = 9/17 until w_est has reached what
 * cwnd was before the reduction, then 1. */
static void
reno_estimate(struct tcp_conn *c, struct cubic *q, uint32_t acked)
{
	uint64_t per_mss = q->w_est < q->cwnd_prior ? (uint64_t)c->cwnd * 17 / 9 : c->cwnd;

	q->est_acked += acked;
	if (q->est_acked >= per_mss) {
		q->est_acked -= (uint32_t)per_mss;
		q->w_est = min(q->w_est + c->mss, CWND_MAX);
	}
}

static void
avoid_congestion(struct tcp_conn *c, const struct cc_ack *a, uint32_t acked)
{
	struct cubic *q = state(c);
	uint32_t target, segments;

	if (q->epoch_at == 0)
		epoch_start(c, a->now);
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
	q->owed += (uint64_t)acked * (target - c->cwnd) * 16 / c->cwnd;
	segments = (uint32_t)(q->owed / 16 / c->mss);
	q->owed -= (uint64_t)segments * c->mss * 16;
	c->cwnd = min(c->cwnd + segments * c->mss, CWND_MAX);
}

static void
cubic_on_ack(struct tcp_conn *c, const struct cc_ack *a)
{
	uint32_t acked = a->acked;

	if (c->cwnd < c->ssthresh)
		hystart(c, a);
	if (!a->cwnd_limited) {
		/* 5.8: time in which the application had nothing to send is not
		 * counted in t: the stage starts anew. */
		state(c)->epoch_at = 0;
		return;
	}
	if (c->cwnd < c->ssthresh) {
		uint32_t grow = min(acked, c->ssthresh - c->cwnd);

		c->cwnd = min(c->cwnd + grow, CWND_MAX);
		acked -= grow;
	}
	if (acked)
		avoid_congestion(c, a, acked);
}

/* 4.6 and 4.7: fast convergence gives a newcomer room when W_max falls. */
static uint32_t
cubic_ssthresh(struct tcp_conn *c, int64_t now)
{
	struct cubic *q = state(c);

	(void)now;
	q->epoch_at = 0;
	q->cwnd_prior = c->cwnd;
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
	if (c->ca == TCP_CA_LOSS)
		state(c)->w_max = 0;
	state(c)->epoch_at = 0;
	state(c)->round_end = c->snd_nxt;
}

static void
cubic_on_restart(struct tcp_conn *c, int64_t idle_ns)
{
	struct cubic *q = state(c);

	if (q->epoch_at) /* 5.8: idle time does not count either */
		q->epoch_at += idle_ns;
}

const struct cc_ops cc_cubic = {
	.name = "cubic",
	.init = cubic_init,
	.on_ack = cubic_on_ack,
	.ssthresh = cubic_ssthresh,
	.on_recovered = cubic_on_recovered,
	.on_restart = cubic_on_restart,
};
