/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * BBR version 3, as draft-ietf-ccwg-bbr-06 writes it down: a model of the path,
 * its bandwidth and its smallest round trip, made of rate samples, decides how
 * fast to send and how much to have in flight.  Section numbers are the draft's,
 * and so are the names of steps.  Bytes, nanoseconds and bytes a second; gains
 * are in hundredths; no infinity, but NONE, which no path reaches.
 *
 * What differs: an offload budget has nothing to budget for here, but a quantum
 * is what the pacing timer may be late by, so it stands; 10 rounds of extra ACKed
 * data are kept as two slots of 5.  The draft leaves the answer to ECN's marks open, and
 * only demands one of those who send what can get a mark (3.7): nothing of ours can.
 */

#include "base/rng.h"
#include "tcp/tcp_rare.h"
#include "tcp/tcp_rate.h"
#include "tcp/tcp_sack.h"

#define NONE               UINT32_MAX
#define BW_NONE            UINT64_MAX
#define BW_MAX             (UINT64_C(1) << 36)
#define CWND_MAX           (1u << 30)
#define GAIN_STARTUP       277u /* 5.3.1.1 */
#define GAIN_DRAIN         50u
#define CWND_GAIN          200u
#define CWND_GAIN_UP       225u
#define CWND_GAIN_RTT      50u
#define BETA               70u
#define HEADROOM           15u  /* 5.3.3.1 */
#define MARGIN             1u   /* 5.6.2 */
#define LOSS_THRESH        2u
#define STARTUP_LOSSES     6u
#define MIN_PIPE           4u   /* segments */
#define MIN_RTT_FILTER     SEC(10)
#define PROBE_RTT_INTERVAL SEC(5)
#define PROBE_RTT_DURATION MS(200)
#define EXTRA_ROUNDS       5u   /* in each of two slots */

enum bbr_mode { STARTUP, DRAIN, DOWN, CRUISE, REFILL, UP, PROBE_RTT };
enum bbr_acks { ACKS_INIT, ACKS_REFILLING, ACKS_STARTING, ACKS_FEEDBACK, ACKS_STOPPING };

struct bbr {
	int64_t now;                /* of the ACK that is looked at             */
	struct rng rng;
	uint64_t bw, max_bw, bw_slot[2], bw_short, bw_latest, full_bw;
	uint64_t pacing_rate, undo_bw_short, extra_bytes;
	int64_t min_rtt, min_rtt_at, probe_rtt_min, probe_rtt_min_at, probe_rtt_done_at;
	int64_t cycle_at, probe_wait, extra_at;
	uint32_t round, next_round; /* the next begins with this delivered     */
	uint32_t loss_round;        /* likewise for rounds of losses           */
	uint32_t inflight_long, inflight_short, inflight_latest;
	uint32_t undo_short, undo_long, prior_cwnd;
	uint32_t up_acked, up_per_inc, rounds_since_up, drain_round;
	uint32_t extra_acked, extra_slot[2], extra_rounds;
	uint32_t lost_end, losses;  /* runs found lost in this round            */
	uint8_t mode, acks, undo_mode, up_rounds, full_bw_count;
	bool round_start, loss_round_start, loss_in_round, full_bw_now, full_bw_reached;
	bool probe_sample, too_high, precautionary, idle_restart, rtt_round_done, rtt_expired;
};

static_assert(sizeof(struct bbr) <= CC_RECORD_SIZE, "fits a record");

static struct bbr *
state(const struct tcp_conn *c)
{
	return (struct bbr *)(uintptr_t)c->rare->cc_state[0]; /* since bbr_attach() */
}

static uint32_t
cap32(uint64_t v)
{
	return (uint32_t)min(v, (uint64_t)CWND_MAX);
}

/* ------------------------------------------------------------- the model -- */

/* 5.6.4.2. */
static uint32_t
bdp_of(const struct tcp_conn *c, uint64_t bw, uint32_t gain)
{
	const struct bbr *b = state(c);
	uint64_t us;

	if (b->min_rtt == TIME_NEVER)
		return max(c->cwnd, 10u * c->mss);
	us = (uint64_t)max(b->min_rtt / NS_PER_US, INT64_C(1));
	return cap32(min(bw, BW_MAX) * min(us, UINT64_C(100000000)) / 1000000 * gain / 100);
}

static uint32_t
quantization_budget(const struct tcp_conn *c, uint32_t inflight)
{
	const struct bbr *b = state(c);
	uint32_t quantum = cap32(min(b->pacing_rate / 1000, UINT64_C(65536)));

	quantum = max(quantum, 2u * c->mss); /* 5.6.3 */
	inflight = max(inflight, 3 * quantum);
	inflight = max(inflight, MIN_PIPE * c->mss);
	return b->mode == UP ? inflight + 2u * c->mss : inflight;
}

static uint32_t
inflight_at(const struct tcp_conn *c, uint64_t bw, uint32_t gain)
{
	return quantization_budget(c, bdp_of(c, bw, gain));
}

static bool
probing_bw_mode(const struct bbr *b)
{
	return b->mode >= DOWN && b->mode <= UP;
}

/* 5.3.3.9: leave room in the buffer for others. */
static uint32_t
inflight_with_headroom(const struct tcp_conn *c)
{
	const struct bbr *b = state(c);
	uint32_t room;

	if (b->inflight_long == NONE)
		return NONE;
	room = max((uint32_t)((uint64_t)b->inflight_long * HEADROOM / 100), (uint32_t)c->mss);
	return max(b->inflight_long - min(room, b->inflight_long), MIN_PIPE * c->mss);
}

static uint32_t
target_inflight(const struct tcp_conn *c)
{
	return min(bdp_of(c, state(c)->bw, 100), c->cwnd);
}

static void
start_round(const struct tcp_conn *c, struct bbr *b)
{
	b->next_round = c->delivered;
}

static void
reset_full_bw(struct bbr *b)
{
	b->full_bw = 0;
	b->full_bw_count = 0;
	b->full_bw_now = false;
}

static void
reset_congestion_signals(struct bbr *b)
{
	b->loss_in_round = false;
	b->bw_latest = 0;
	b->inflight_latest = 0;
}

static void
reset_short_term_model(struct bbr *b)
{
	b->bw_short = BW_NONE;
	b->inflight_short = NONE;
}

/* -------------------------------------------------------------- the modes -- */

static void
enter_startup(struct bbr *b)
{
	b->mode = STARTUP;
}

static uint32_t
pacing_gain(const struct bbr *b)
{
	static const uint16_t gains[] = {
		[STARTUP] = GAIN_STARTUP, [DRAIN] = GAIN_DRAIN, [DOWN] = 90,       [CRUISE] = 100,
		[REFILL] = 100,           [UP] = 125,           [PROBE_RTT] = 100,
	};

	return gains[b->mode];
}

static uint32_t
cwnd_gain(const struct bbr *b)
{
	if (b->mode == PROBE_RTT)
		return CWND_GAIN_RTT;
	return b->mode == UP ? CWND_GAIN_UP : CWND_GAIN;
}

static void
start_down(const struct tcp_conn *c, struct bbr *b)
{
	reset_congestion_signals(b);
	b->up_per_inc = NONE;
	b->rounds_since_up = rng_below(&b->rng, 2);
	b->probe_wait = SEC(2) + MS(rng_below(&b->rng, 1000));
	b->cycle_at = b->now;
	b->acks = ACKS_STOPPING;
	start_round(c, b);
	b->mode = DOWN;
}

static void
start_refill(const struct tcp_conn *c, struct bbr *b)
{
	reset_short_term_model(b);
	b->up_rounds = 0;
	b->up_acked = 0;
	b->precautionary = false;
	b->acks = ACKS_REFILLING;
	start_round(c, b);
	b->mode = REFILL;
}

static void
raise_inflight_long_slope(const struct tcp_conn *c, struct bbr *b)
{
	uint32_t growth = 1u << b->up_rounds;

	b->up_rounds = (uint8_t)min(b->up_rounds + 1, 30);
	b->up_per_inc = max(c->cwnd / growth, (uint32_t)c->mss);
}

static void
start_up(const struct tcp_conn *c, struct bbr *b, uint64_t rate)
{
	b->acks = ACKS_STARTING;
	start_round(c, b);
	reset_full_bw(b);
	b->full_bw = rate;
	b->mode = UP;
	raise_inflight_long_slope(c, b);
}

/* -------------------------------------------------- cwnd, saved and restored -- */

static void
save_cwnd(const struct tcp_conn *c, struct bbr *b)
{
	if (c->ca < TCP_CA_RECOVERY && b->mode != PROBE_RTT)
		b->prior_cwnd = c->cwnd;
	else
		b->prior_cwnd = max(b->prior_cwnd, c->cwnd);
}

static void
restore_cwnd(struct tcp_conn *c, const struct bbr *b)
{
	c->cwnd = max(c->cwnd, b->prior_cwnd);
}

/* 5.5.11.1. */
static void
save_state_upon_loss(const struct tcp_conn *c, struct bbr *b)
{
	save_cwnd(c, b);
	b->undo_mode = CRUISE; /* none that there is a way back to */
	b->undo_bw_short = b->bw_short;
	b->undo_short = b->inflight_short;
	b->undo_long = b->inflight_long;
}

/* ---------------------------------------------------- losses (5.5.10) -- */

static bool
inflight_too_high(const struct tcp_conn *c, uint32_t lost, uint32_t in_flight)
{
	return (uint64_t)lost * 100 > (uint64_t)in_flight * LOSS_THRESH ||
	       (lost > 0 && !(c->flags & TCPF_SACK));
}

static void
handle_inflight_too_high(const struct tcp_conn *c, struct bbr *b, uint32_t in_flight,
                         bool app_limited)
{
	uint32_t least = (uint32_t)((uint64_t)target_inflight(c) * BETA / 100);

	b->too_high = true;
	b->probe_sample = false; /* once per probe */
	if (!app_limited)
		b->inflight_long = max(in_flight, least);
	if (b->mode == UP) {
		b->undo_mode = UP;
		start_down(c, b);
	}
}

/* How much of the range could have been lost without too high a rate. */
static uint32_t
inflight_at_loss(const struct tcp_sent *r, uint32_t lost)
{
	uint32_t size = seq_sub(r->end, r->start);
	int64_t before = (int64_t)r->mark.in_flight - size;
	int64_t lost_before = (int64_t)lost - size;
	int64_t prefix = (before * LOSS_THRESH - lost_before * 100) / (100 - LOSS_THRESH);

	return cap32((uint64_t)max(before + prefix, INT64_C(0)));
}

static void
bbr_on_lost(struct tcp_conn *c, const struct tcp_sent *r)
{
	struct bbr *b = state(c);
	uint32_t lost = c->xmit->rate.lost - r->mark.lost;

	if (!b->loss_in_round) {
		b->loss_round = c->delivered;
		save_state_upon_loss(c, b);
	}
	b->loss_in_round = true;
	if (b->losses == 0 || !seq_eq(r->start, seq_of(b->lost_end)))
		b->losses++;
	b->lost_end = seq_sub(r->end, seq_of(0));
	if (b->probe_sample && inflight_too_high(c, lost, r->mark.in_flight))
		handle_inflight_too_high(c, b, inflight_at_loss(r, lost),
		                         (r->flags & SENT_APP_LIMITED) != 0);
}

/* ------------------------------------------- what an ACK tells (5.2.3) -- */

static void
update_latest_delivery_signals(const struct tcp_conn *c, struct bbr *b,
                               const struct rate_sample *rs)
{
	b->loss_round_start = false;
	b->bw_latest = max(b->bw_latest, rs->rate);
	b->inflight_latest = max(b->inflight_latest, rs->delivered);
	if ((int32_t)(rs->mark.delivered - b->loss_round) >= 0) {
		b->loss_round = c->delivered;
		b->loss_round_start = true;
	}
}

/* 5.5.1, 5.5.5: the window covers this cycle of probing and the last. */
static void
update_max_bw(const struct tcp_conn *c, struct bbr *b, const struct rate_sample *rs)
{
	b->round_start = (int32_t)(rs->mark.delivered - b->next_round) >= 0;
	if (b->round_start) {
		start_round(c, b);
		b->round++;
		b->rounds_since_up++;
	}
	if (rs->rate > 0 && (rs->rate >= b->max_bw || !rs->app_limited))
		b->bw_slot[1] = max(b->bw_slot[1], min(rs->rate, BW_MAX));
	b->max_bw = max(b->bw_slot[0], b->bw_slot[1]);
}

static void
advance_max_bw_filter(struct bbr *b)
{
	if (b->bw_slot[1] == 0)
		return; /* an empty cycle shall not empty the filter */
	b->bw_slot[0] = b->bw_slot[1];
	b->bw_slot[1] = 0;
}

static bool
is_probing_bw(const struct bbr *b)
{
	return b->mode == STARTUP || b->mode == REFILL || b->mode == UP;
}

/* Once a round with losses, while not probing: no lower than what came through,
 * and not by more than CUBIC would. */
static void
adapt_lower_bounds(const struct tcp_conn *c, struct bbr *b)
{
	if (is_probing_bw(b) || !b->loss_in_round)
		return;
	if (b->bw_short == BW_NONE)
		b->bw_short = b->max_bw;
	if (b->inflight_short == NONE)
		b->inflight_short = c->cwnd;
	b->bw_short = max(b->bw_latest, b->bw_short * BETA / 100);
	b->inflight_short = max(b->inflight_latest,
	                        (uint32_t)((uint64_t)b->inflight_short * BETA / 100));
}

static void
update_congestion_signals(const struct tcp_conn *c, struct bbr *b, const struct rate_sample *rs)
{
	update_max_bw(c, b, rs);
	if (!b->loss_round_start)
		return;
	adapt_lower_bounds(c, b);
	b->loss_in_round = false;
}

static void
keep_extra_acked(struct bbr *b, uint32_t extra)
{
	uint32_t rounds = b->full_bw_reached ? EXTRA_ROUNDS : 1;

	if (b->round_start && ++b->extra_rounds >= rounds) {
		b->extra_rounds = 0;
		b->extra_slot[0] = b->extra_slot[1];
		b->extra_slot[1] = 0;
	}
	b->extra_slot[1] = max(b->extra_slot[1], extra);
	b->extra_acked = max(b->extra_slot[0], b->extra_slot[1]);
}

/* 5.5.9: ACKs that come in lumps. */
static void
update_ack_aggregation(const struct tcp_conn *c, struct bbr *b, const struct cc_ack *a)
{
	uint64_t us = (uint64_t)min((b->now - b->extra_at) / NS_PER_US, INT64_C(100000000));
	uint64_t expected = min(b->bw, BW_MAX) * us / 1000000;

	if (b->extra_bytes <= expected) {
		b->extra_bytes = 0;
		b->extra_at = b->now;
		expected = 0;
	}
	b->extra_bytes += a->delivered;
	keep_extra_acked(b, cap32(min(b->extra_bytes - min(b->extra_bytes, expected),
	                              (uint64_t)c->cwnd)));
}

/* 5.3.1.2: three rounds without a quarter more. */
static void
check_full_bw_reached(struct bbr *b, const struct rate_sample *rs)
{
	if (b->full_bw_now || !b->round_start || rs->app_limited)
		return;
	if (rs->rate >= b->full_bw + b->full_bw / 4) {
		reset_full_bw(b);
		b->full_bw = rs->rate;
		return;
	}
	b->full_bw_now = ++b->full_bw_count >= 3;
	b->full_bw_reached |= b->full_bw_now;
}

/* 5.3.1.3. */
static void
check_startup_high_loss(const struct tcp_conn *c, struct bbr *b, const struct rate_sample *rs)
{
	uint32_t enough = c->flags & TCPF_SACK ? STARTUP_LOSSES : 1;

	if (b->loss_round_start && c->ca == TCP_CA_RECOVERY && b->losses >= enough &&
	    inflight_too_high(c, rs->lost, rs->mark.in_flight)) {
		b->undo_mode = STARTUP;
		b->full_bw_reached = true;
		b->inflight_long = max(bdp_of(c, b->bw, 100), b->inflight_latest);
	}
	if (b->loss_round_start)
		b->losses = 0;
}

static void
check_startup_done(const struct tcp_conn *c, struct bbr *b, const struct rate_sample *rs)
{
	if (b->mode != STARTUP)
		return;
	check_startup_high_loss(c, b, rs);
	if (!b->full_bw_reached)
		return;
	b->mode = DRAIN;
	b->drain_round = b->round;
}

static void
check_drain_done(const struct tcp_conn *c, struct bbr *b, uint32_t inflight)
{
	if (b->mode == DRAIN && (inflight <= inflight_at(c, b->bw, 100) ||
	                         b->round - b->drain_round > 3))
		start_down(c, b);
}

/* ---------------------------------------------------- ProbeBW (5.3.3) -- */

/* 5.3.3.8: as often as Reno would, or every two to three seconds. */
static bool
is_time_to_probe(const struct tcp_conn *c, struct bbr *b)
{
	uint32_t rounds = min(target_inflight(c) / c->mss, 63u);

	if (b->now <= b->cycle_at + b->probe_wait && b->rounds_since_up < rounds)
		return false;
	start_refill(c, b);
	return true;
}

static bool
is_time_to_go_down(struct tcp_conn *c, struct bbr *b, const struct cc_ack *a)
{
	if (b->too_high && a->pipe >= b->inflight_long) {
		b->precautionary = true;
		return true;
	}
	if (a->cwnd_limited && c->cwnd >= b->inflight_long) {
		reset_full_bw(b);
		b->full_bw = a->rate->rate;
		return false;
	}
	return b->full_bw_now;
}

static void
probe_inflight_long_upward(const struct tcp_conn *c, struct bbr *b, const struct cc_ack *a)
{
	uint32_t delta;

	if (!a->cwnd_limited || c->cwnd < b->inflight_long)
		return;
	b->up_acked += a->delivered;
	if (b->up_acked >= b->up_per_inc) {
		delta = b->up_acked / b->up_per_inc;
		b->up_acked -= delta * b->up_per_inc;
		b->inflight_long = cap32((uint64_t)b->inflight_long + (uint64_t)delta * c->mss);
	}
	if (b->round_start)
		raise_inflight_long_slope(c, b);
}

/* The samples of the last probe are all in.  True: it begins another one. */
static bool
probe_feedback_ends(const struct tcp_conn *c, struct bbr *b, const struct rate_sample *rs)
{
	b->probe_sample = false;
	b->acks = ACKS_INIT;
	if (!probing_bw_mode(b))
		return false;
	if (!rs->app_limited)
		advance_max_bw_filter(b);
	if (!b->precautionary || b->too_high)
		return false;
	start_refill(c, b);
	return true;
}

static bool
adapt_long_term_model(const struct tcp_conn *c, struct bbr *b, const struct cc_ack *a)
{
	const struct rate_sample *rs = a->rate;

	if (b->acks == ACKS_STARTING && b->round_start)
		b->acks = ACKS_FEEDBACK;
	if (b->acks == ACKS_STOPPING && b->round_start && probe_feedback_ends(c, b, rs))
		return true;
	if (inflight_too_high(c, rs->lost, rs->mark.in_flight) || b->inflight_long == NONE)
		return false;
	b->inflight_long = max(b->inflight_long, rs->mark.in_flight);
	if (b->mode == UP)
		probe_inflight_long_upward(c, b, a);
	return false;
}

static void
update_probe_bw_cycle(struct tcp_conn *c, struct bbr *b, const struct cc_ack *a)
{
	if (!b->full_bw_reached || adapt_long_term_model(c, b, a))
		return;
	switch ((enum bbr_mode)b->mode) {
	case DOWN:
		if (!is_time_to_probe(c, b) && a->pipe <= inflight_with_headroom(c) &&
		    a->pipe <= inflight_at(c, b->max_bw, 100))
			b->mode = CRUISE;
		break;
	case CRUISE:
		(void)is_time_to_probe(c, b);
		break;
	case REFILL:
		if (b->round_start) {
			b->probe_sample = true;
			start_up(c, b, a->rate->rate);
		}
		break;
	case UP:
		if (is_time_to_go_down(c, b, a)) {
			b->too_high = false;
			start_down(c, b);
		}
		break;
	case STARTUP:
	case DRAIN:
	case PROBE_RTT:
		break;
	}
}

/* --------------------------------------------------- ProbeRTT (5.3.4) -- */

static void
update_min_rtt(struct bbr *b, int64_t rtt)
{
	b->rtt_expired = b->now > b->probe_rtt_min_at + PROBE_RTT_INTERVAL;
	if (rtt >= 0 && (rtt < b->probe_rtt_min || b->rtt_expired)) {
		b->probe_rtt_min = rtt;
		b->probe_rtt_min_at = b->now;
	}
	if (b->probe_rtt_min < b->min_rtt || b->now > b->min_rtt_at + MIN_RTT_FILTER) {
		b->min_rtt = b->probe_rtt_min;
		b->min_rtt_at = b->probe_rtt_min_at;
	}
}

static uint32_t
probe_rtt_cwnd(const struct tcp_conn *c)
{
	return max(bdp_of(c, state(c)->bw, CWND_GAIN_RTT), MIN_PIPE * c->mss);
}

static void
check_probe_rtt_done(struct tcp_conn *c, struct bbr *b)
{
	if (b->probe_rtt_done_at == 0 || b->now <= b->probe_rtt_done_at)
		return;
	b->probe_rtt_min_at = b->now;
	restore_cwnd(c, b);
	reset_short_term_model(b);
	if (b->full_bw_reached) { /* 5.3.4.4: what is in flight is below the BDP already */
		start_down(c, b);
		b->mode = CRUISE;
	} else {
		enter_startup(b);
	}
}

static void
handle_probe_rtt(struct tcp_conn *c, struct bbr *b, uint32_t inflight)
{
	tcp_rate_limited(c);
	if (b->probe_rtt_done_at == 0 && inflight <= probe_rtt_cwnd(c)) {
		b->probe_rtt_done_at = b->now + PROBE_RTT_DURATION;
		b->rtt_round_done = false;
		start_round(c, b);
	} else if (b->probe_rtt_done_at != 0) {
		b->rtt_round_done |= b->round_start;
		if (b->rtt_round_done)
			check_probe_rtt_done(c, b);
	}
}

static void
check_probe_rtt(struct tcp_conn *c, struct bbr *b, const struct cc_ack *a)
{
	if (b->mode != PROBE_RTT && b->rtt_expired && !b->idle_restart) {
		save_cwnd(c, b);
		b->mode = PROBE_RTT;
		b->probe_rtt_done_at = 0;
		b->acks = ACKS_STOPPING;
		start_round(c, b);
	}
	if (b->mode == PROBE_RTT)
		handle_probe_rtt(c, b, a->pipe);
	if (a->rate->delivered > 0)
		b->idle_restart = false;
}

/* ------------------------------------------------ what follows (5.6) -- */

static void
set_pacing_rate(struct bbr *b, uint32_t gain)
{
	uint64_t rate = min(b->bw, BW_MAX) * gain / 100 * (100 - MARGIN) / 100;

	if (b->full_bw_reached || rate > b->pacing_rate)
		b->pacing_rate = rate;
}

/* 5.6.4.7. */
static void
bound_cwnd_for_model(struct tcp_conn *c, const struct bbr *b)
{
	uint32_t cap = NONE;

	if (b->mode == PROBE_RTT || b->mode == CRUISE)
		cap = inflight_with_headroom(c);
	else if (probing_bw_mode(b))
		cap = b->inflight_long;
	cap = max(min(cap, b->inflight_short), MIN_PIPE * c->mss);
	c->cwnd = min(c->cwnd, cap);
}

static void
set_cwnd(struct tcp_conn *c, const struct bbr *b, const struct cc_ack *a)
{
	uint32_t most = cap32((uint64_t)bdp_of(c, b->bw, cwnd_gain(b)) + b->extra_acked);

	most = quantization_budget(c, most);
	if (b->full_bw_reached)
		c->cwnd = min(c->cwnd + a->delivered, most);
	else if (c->cwnd < most || tcp_bytes_acked(c) < a->initial_cwnd)
		c->cwnd = min(c->cwnd + a->delivered, CWND_MAX);
	c->cwnd = max(c->cwnd, MIN_PIPE * c->mss);
	if (b->mode == PROBE_RTT)
		c->cwnd = min(c->cwnd, probe_rtt_cwnd(c));
	bound_cwnd_for_model(c, b);
}

static void
update_model_and_state(struct tcp_conn *c, struct bbr *b, const struct cc_ack *a)
{
	const struct rate_sample *rs = a->rate;

	update_latest_delivery_signals(c, b, rs);
	update_congestion_signals(c, b, rs);
	update_ack_aggregation(c, b, a);
	check_full_bw_reached(b, rs);
	check_startup_done(c, b, rs);
	check_drain_done(c, b, a->pipe);
	update_probe_bw_cycle(c, b, a);
	update_min_rtt(b, rs->retransmitted ? a->rtt_ns : rs->rtt_ns);
	check_probe_rtt(c, b, a);
	if (b->loss_round_start) { /* 5.5.10.3: AdvanceLatestDeliverySignals() */
		b->bw_latest = rs->rate;
		b->inflight_latest = rs->delivered;
	}
	b->bw = min(b->max_bw, b->bw_short);
}

/* ---------------------------------------------------------------- the seam -- */

static void
bbr_control(struct tcp_conn *c, const struct cc_ack *a)
{
	struct bbr *b = state(c);

	b->now = a->now;
	if (!a->rate) /* nothing was delivered, nothing is known */
		return;
	update_model_and_state(c, b, a);
	if (b->bw > 0) {
		set_pacing_rate(b, pacing_gain(b));
		set_cwnd(c, b, a);
	}
}

/* 5.2.1. */
static void
bbr_init(struct tcp_env *e, struct tcp_conn *c, int64_t now)
{
	struct bbr *b = state(c);
	uint64_t us = c->srtt_us ? c->srtt_us >> 3 : 1000;

	(void)e;
	memset(b, 0, sizeof *b);
	b->now = now;
	b->rng.state = (uint64_t)seq_sub(c->iss, seq_of(0)) << 16 | tcp_name(c)->lport;
	b->min_rtt = b->probe_rtt_min = c->srtt_us ? US(us) : TIME_NEVER;
	b->min_rtt_at = b->probe_rtt_min_at = b->extra_at = b->now;
	b->next_round = b->loss_round = c->delivered;
	b->inflight_long = b->up_per_inc = b->undo_long = NONE;
	b->undo_mode = CRUISE;
	reset_short_term_model(b);
	b->pacing_rate = (uint64_t)c->cwnd * 1000000 / max(us, UINT64_C(1)) * GAIN_STARTUP / 100;
	c->ssthresh = UINT32_MAX;
	enter_startup(b);
}

/* Loss and time-outs, 5.6.4.4: ssthresh means nothing here. */
static uint32_t
bbr_ssthresh(struct tcp_env *e, struct tcp_conn *c, int64_t now)
{
	(void)e, (void)now;
	save_state_upon_loss(c, state(c));
	return c->ssthresh;
}

static void
bbr_on_recovered(struct tcp_conn *c, int64_t now)
{
	(void)now;
	if (c->ca != TCP_CA_LOSS)
		restore_cwnd(c, state(c));
}

/* 5.4.1: on the way again from idle, at the rate that is known, without a queue. */
static void
bbr_on_transmit(struct tcp_conn *c, int64_t now)
{
	struct bbr *b = state(c);

	b->now = now;
	if (tcp_flight(c) > 0 || !(c->flags & TCPF_APP_LIMITED))
		return;
	b->idle_restart = true;
	b->extra_at = now;
	if (probing_bw_mode(b))
		set_pacing_rate(b, 100);
	else if (b->mode == PROBE_RTT)
		check_probe_rtt_done(c, b);
}

/* 5.5.11.2: the losses were none. */
static void
bbr_undo(struct tcp_conn *c, int64_t now)
{
	struct bbr *b = state(c);

	b->now = now;
	restore_cwnd(c, b);
	b->loss_in_round = false;
	reset_full_bw(b);
	b->bw_short = max(b->bw_short, b->undo_bw_short);
	b->inflight_short = max(b->inflight_short, b->undo_short);
	b->inflight_long = max(b->inflight_long, b->undo_long);
	if (b->undo_mode == STARTUP && b->mode != STARTUP) {
		b->full_bw_reached = false;
		if (b->mode != PROBE_RTT)
			enter_startup(b);
	} else if (b->undo_mode == UP && b->mode != UP && b->mode != PROBE_RTT) {
		start_refill(c, b);
	}
	b->undo_mode = CRUISE;
}

static uint64_t
bbr_pacing_rate(const struct tcp_conn *c)
{
	return state(c)->pacing_rate;
}

static void
bbr_on_ack(struct tcp_env *e, struct tcp_conn *c, const struct cc_ack *a)
{
	(void)e;
	bbr_control(c, a);
}

static void
bbr_on_restart(struct tcp_conn *c, int64_t idle_ns)
{
	(void)c, (void)idle_ns; /* bbr_on_transmit() does what there is to do */
}

static bool
bbr_attach(struct tcp_env *e, struct tcp_conn *c)
{
	uint64_t record = (uint64_t)(uintptr_t)pool_get(&e->ccs);

	if (record)
		tcp_rare_own(e, c)->cc_state[0] = record;
	return record != 0;
}

static void
bbr_detach(struct tcp_env *e, struct tcp_conn *c)
{
	if (!c->rare || !c->rare->cc_state[0])
		return;
	pool_put(&e->ccs, state(c));
	c->rare->cc_state[0] = 0;
}

/* Linux's struct tcp_bbr_info; its gains are in 1/256. */
static uint32_t
bbr_info(const struct tcp_conn *c, void *out, uint32_t room)
{
	const struct bbr *b = state(c);
	struct {
		uint32_t bw_lo, bw_hi, min_rtt_us, pacing_gain, cwnd_gain;
	} i = { (uint32_t)b->bw, (uint32_t)(b->bw >> 32),
		(uint32_t)min(b->min_rtt / NS_PER_US, (int64_t)UINT32_MAX),
		pacing_gain(b) * 256 / 100, cwnd_gain(b) * 256 / 100 };
	uint32_t n = min(room, (uint32_t)sizeof i);

	memcpy(out, &i, n);
	return n;
}

const struct cc_ops cc_bbr = {
	.name = "bbr",
	.number = TCP_CC_bbr,
	.init = bbr_init,
	.on_ack = bbr_on_ack,
	.ssthresh = bbr_ssthresh,
	.on_recovered = bbr_on_recovered,
	.on_restart = bbr_on_restart,
	.control = bbr_control,
	.undo = bbr_undo,
	.on_lost = bbr_on_lost,
	.on_transmit = bbr_on_transmit,
	.pacing_rate = bbr_pacing_rate,
	.attach = bbr_attach,
	.detach = bbr_detach,
	.info = bbr_info,
	.no_ecn = true,
};
