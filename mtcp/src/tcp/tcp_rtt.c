/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * RFC 6298 with Linux's floor: RTO = SRTT + max(4 * RTTVAR, 200 ms).  The floor
 * is on the variance term, so a long path keeps its margin.  SRTT is kept times
 * 8 and RTTVAR times 4, so that the shifts lose nothing.
 */

#include "tcp/tcp_rtt.h"

#define RTO_UNKNOWN_NS SEC(3) /* RFC 6298 5.7 */

static int64_t
rto_from_estimate(const struct tcp_cfg *cfg, const struct tcp_conn *c)
{
	int64_t var = US(c->rttvar_us); /* stored times 4: this is 4 * RTTVAR */

	return min(tcp_srtt_ns(c) + max(var, cfg->rto_min_ns), cfg->rto_max_ns);
}

/* Less than the hour that an RTO can be at most is 2^32 us. */
static void
set_rto(struct tcp_conn *c, int64_t ns)
{
	c->rto_us = (uint32_t)(ns / NS_PER_US);
}

void
tcp_rtt_sample(const struct tcp_cfg *cfg, struct tcp_conn *c, int64_t rtt_ns)
{
	int64_t us = min(max(rtt_ns / NS_PER_US, INT64_C(1)), INT64_C(100000000));
	uint32_t m = (uint32_t)us;

	if (c->srtt_us == 0) { /* 2.2: SRTT = R, RTTVAR = R/2 */
		c->srtt_us = m << 3;
		c->rttvar_us = m << 1;
	} else { /* 2.3: RTTVAR = 3/4 RTTVAR + 1/4 |SRTT - R|; SRTT = 7/8 SRTT + 1/8 R */
		int32_t err = (int32_t)(m - (c->srtt_us >> 3));

		c->rttvar_us += (uint32_t)(err < 0 ? -err : err) - (c->rttvar_us >> 2);
		c->srtt_us += (uint32_t)err;
		c->srtt_us = max(c->srtt_us, 8u);
	}
	if (c->min_rtt_us == 0 || m < c->min_rtt_us)
		c->min_rtt_us = m;
	set_rto(c, rto_from_estimate(cfg, c));
}

void
tcp_rtt_back_off(const struct tcp_cfg *cfg, struct tcp_conn *c)
{
	set_rto(c, min(tcp_rto_ns(c) * 2, cfg->rto_max_ns));
}

void
tcp_rtt_handshake_was_slow(struct tcp_conn *c)
{
	if (c->srtt_us == 0)
		set_rto(c, RTO_UNKNOWN_NS);
}

bool
tcp_rtt_first_syn_answered(const struct tcp_conn *c, const struct tcp_seg *s)
{
	return (s->opts & TCP_OPT_TS) && s->tsecr != 0 && s->tsecr == tcp_ts_now(c, c->sent_at);
}

void
tcp_rtt_forget_back_off(const struct tcp_cfg *cfg, struct tcp_conn *c)
{
	set_rto(c, c->srtt_us ? rto_from_estimate(cfg, c) : min(tcp_rto_ns(c), RTO_UNKNOWN_NS));
}
