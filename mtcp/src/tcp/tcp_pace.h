/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Pacing: segments with text leave spread over time, at a rate, instead of as
 * ACKs let them.  A segment that may not leave yet waits for the connection's
 * timer, off the core's lists.
 */
#pragma once

#include "tcp/tcp_rare.h"

#define TCP_PACE_BURST 10u /* segments that may leave together from idle (RFC 9002 7.7) */

/* Bytes a second: what the algorithm wants, or 200 % of cwnd per smoothed round
 * trip in slow start and 120 % after, at most SO_MAX_PACING_RATE.  UINT64_MAX:
 * nothing is known.  Whether it is kept to is another question. */
uint64_t tcp_pace_rate(const struct tcp_env *e, const struct tcp_conn *c);

/* Whether SO_MAX_PACING_RATE bounds that. */
bool tcp_pace_limited(const struct tcp_env *e, const struct tcp_conn *c);

/* Whether the connection is paced at all. */
static inline bool
tcp_pace_on(const struct tcp_env *e, const struct tcp_conn *c)
{
	return e->cfg->pacing || tcp_cc(c)->pacing_rate ||
	       (unlikely(c->opts->set & 1u << TCP_OPTION_MAX_PACING_RATE) && tcp_pace_limited(e, c));
}

/* Whether text may leave now.  If not, the connection waits for its timer. */
bool tcp_pace_allows(const struct tcp_env *e, struct tcp_conn *c, int64_t now);

/* `bytes` of text are leaving; not yet in flight. */
void tcp_pace_sent(struct tcp_env *e, struct tcp_conn *c, uint32_t bytes, int64_t now);

/* It waits, and nothing that is more urgent has come up since. */
static inline bool
tcp_pace_holds(const struct tcp_conn *c, int64_t now)
{
	return (c->flags & TCPF_PACED) && now < tcp_rare(c)->pace_at && !(c->flags & TCPF_RETRANSMIT_NOW);
}
