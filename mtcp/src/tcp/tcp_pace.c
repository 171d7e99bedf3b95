/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Each segment moves the time at which the next may leave by what it takes at
 * the rate.  Timers are never on time: what they are late by is made good, up
 * to a quantum; after a pause, up to a burst, all of which leaves at one time.
 */

#include "tcp/tcp_pace.h"

#include "tcp/tcp_sack.h"

#define QUANTUM_NS MS(1) /* draft-ietf-ccwg-bbr 5.6.3: a millisecond's worth at a time */

static uint64_t
limit(const struct tcp_env *e, const struct tcp_conn *c)
{
	int64_t most;

	if (likely(!(c->opts->set & 1u << TCP_OPTION_MAX_PACING_RATE)))
		return UINT64_MAX;
	most = tcp_opt_value(e, c->opts, TCP_OPTION_MAX_PACING_RATE);
	return most > 0 && most < INT64_MAX ? (uint64_t)most : UINT64_MAX;
}

uint64_t
tcp_pace_rate(const struct tcp_env *e, const struct tcp_conn *c)
{
	uint64_t percent = c->cwnd < c->ssthresh / 2 ? e->cfg->pacing_ss_ratio
	                                             : e->cfg->pacing_ca_ratio;
	uint64_t rate = UINT64_MAX;

	if (tcp_cc(c)->pacing_rate)
		rate = tcp_cc(c)->pacing_rate(c);
	else if (c->srtt_us) /* kept times 8 */
		rate = (uint64_t)max(c->cwnd, tcp_sack_pipe(c)) * percent * 80000 / c->srtt_us;
	return max(min(rate, limit(e, c)), UINT64_C(1));
}

bool
tcp_pace_limited(const struct tcp_env *e, const struct tcp_conn *c)
{
	return limit(e, c) != UINT64_MAX;
}

bool
tcp_pace_allows(const struct tcp_env *e, struct tcp_conn *c, int64_t now)
{
	if (likely(!c->rare) || now >= c->rare->pace_at || !tcp_pace_on(e, c) ||
	    (c->flags & TCPF_RETRANSMIT_NOW)) {
		c->flags &= ~(uint32_t)TCPF_PACED;
		return true;
	}
	c->flags |= TCPF_PACED;
	return false;
}

static int64_t
time_of(uint32_t bytes, uint64_t rate)
{
	return (int64_t)((uint64_t)bytes * NS_PER_S / rate);
}

void
tcp_pace_sent(struct tcp_env *e, struct tcp_conn *c, uint32_t bytes, int64_t now)
{
	struct tcp_rare *r;
	uint64_t rate;
	int64_t late;

	if (!tcp_pace_on(e, c))
		return;
	rate = tcp_pace_rate(e, c);
	if (rate == UINT64_MAX)
		return; /* the handshake gave no round trip: the first window leaves as it is */
	r = tcp_rare_own(e, c);
	late = tcp_flight(c) ? QUANTUM_NS : time_of((TCP_PACE_BURST - 1) * c->mss, rate);
	if (tcp_flight(c) == 0 || c->sent_at != now) /* what begins a burst sets its credit */
		r->pace_at = max(r->pace_at, now - late);
	r->pace_at += time_of(bytes, rate);
}
