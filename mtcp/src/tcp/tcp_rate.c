/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The slower of two rates is the sample: that of sending the flight that the
 * delivered range belongs to, and that of its ACKs.  ACKs that come compressed
 * would show a rate that the path does not have; data that were sent slowly show
 * one that the sender chose.
 */

#include "tcp/tcp_rate.h"

#include "tcp/tcp_sack.h"

/* draft-ietf-ccwg-bbr 4.1.2.2: from idle, both intervals start now. */
void
tcp_rate_sent(struct tcp_conn *c, struct tcp_sent *r, int64_t now)
{
	struct rate_flight *f = &c->xmit->rate;

	if (c->xmit->pipe == 0 && c->xmit->sacked == 0)
		f->first_sent_at = f->delivered_at = now;
	if (c->xmit->n_sent == 0)
		f->limited_until = c->delivered;
	r->mark = (struct rate_mark){
		.delivered_at = f->delivered_at,
		.first_sent_at = f->first_sent_at,
		.delivered = c->delivered,
		.lost = f->lost,
		.in_flight = c->xmit->pipe + seq_sub(r->end, r->start),
	};
	r->flags &= (uint8_t)~SENT_APP_LIMITED;
	r->flags |= c->flags & TCPF_APP_LIMITED ? SENT_APP_LIMITED : 0;
}

/* Of all ranges that an ACK delivers the one sent last gives the sample. */
void
tcp_rate_delivered(const struct tcp_sent *r, int64_t now, struct rate_sample *rs)
{
	uint32_t end = seq_sub(r->end, seq_of(0));

	if (rs->valid && (r->sent_at < rs->sent_at ||
	                  (r->sent_at == rs->sent_at && (int32_t)(end - rs->end) <= 0)))
		return;
	rs->valid = true;
	rs->app_limited = (r->flags & SENT_APP_LIMITED) != 0;
	rs->retransmitted = (r->flags & SENT_EVER_RETRANS) != 0;
	rs->mark = r->mark;
	rs->sent_at = r->sent_at;
	rs->rtt_ns = now - r->sent_at;
	rs->end = end;
}

void
tcp_rate_lost(struct tcp_conn *c, const struct tcp_sent *r)
{
	if ((r->flags & SENT_LOST) && !(r->flags & SENT_RETRANS))
		return; /* known */
	c->xmit->rate.lost += seq_sub(r->end, r->start);
	if (tcp_cc(c)->on_lost)
		tcp_cc(c)->on_lost(c, r);
}

/* Whether it is of no use for tcp_conn.delivery_rate, found out without a division. */
static inline bool
shows_no_more(const struct rate_sample *rs, uint32_t known)
{
	uint64_t least;

	return rs->app_limited &&
	       (__builtin_mul_overflow(UINT64_C(64) * known, (uint64_t)rs->interval_ns, &least) ||
	        rs->delivered * UINT64_C(1000000000) < least);
}

/* An interval shorter than the round trip would show ACKs that came in a bunch.  `told`: somebody
 * else wants the rate, too. */
static inline void
sample_finish(struct tcp_conn *c, struct rate_sample *rs, bool told, int64_t now)
{
	struct rate_flight *f = &c->xmit->rate;
	int64_t sending = rs->sent_at - rs->mark.first_sent_at;
	int64_t acking = now - rs->mark.delivered_at;

	f->first_sent_at = max(f->first_sent_at, rs->sent_at);
	rs->delivered = c->delivered - rs->mark.delivered;
	rs->lost = f->lost - rs->mark.lost;
	rs->interval_ns = max(sending, acking);
	if (c->min_rtt_us == 0 || rs->interval_ns < US(c->min_rtt_us)) {
		rs->interval_ns = 0;
		return;
	}
	if (!told && shows_no_more(rs, c->delivery_rate))
		return;
	rs->rate = rate_of(rs->delivered, rs->interval_ns);
	if (!rs->app_limited || rs->rate / 64 >= c->delivery_rate)
		c->delivery_rate = (uint32_t)min(rs->rate / 64, (uint64_t)UINT32_MAX);
}

void
tcp_rate_acked(struct tcp_conn *c, struct sack_news *n, int64_t now)
{
	struct rate_flight *f = c->xmit ? &c->xmit->rate : NULL;

	/* Without SACK what duplicate ACKs tell of is known when it is acknowledged. */
	c->delivered += c->flags & TCPF_SACK ? n->delivered : n->acked;
	c->delivered_segs += n->n_delivered;
	if (!f)
		return;
	if ((int32_t)(c->delivered - f->limited_until) > 0)
		c->flags &= ~(uint32_t)TCPF_APP_LIMITED;
	if (n->delivered)
		f->delivered_at = now;
	if (n->rate.valid)
		sample_finish(c, &n->rate, true, now);
}

void
tcp_rate_usual(struct tcp_conn *c, const struct tcp_sent *last, uint32_t acked, int64_t now,
               struct rate_sample *told)
{
	struct rate_flight *f = &c->xmit->rate;
	struct rate_sample rs = {
		.valid = true,
		.app_limited = (last->flags & SENT_APP_LIMITED) != 0,
		.mark = last->mark,
		.sent_at = last->sent_at,
		.rtt_ns = now - last->sent_at,
		.end = seq_sub(last->end, seq_of(0)),
	};

	c->delivered += acked;
	if ((int32_t)(c->delivered - f->limited_until) > 0)
		c->flags &= ~(uint32_t)TCPF_APP_LIMITED;
	f->delivered_at = now;
	sample_finish(c, &rs, told != NULL, now);
	if (told)
		*told = rs;
}

void
tcp_rate_limited(struct tcp_conn *c)
{
	c->flags |= TCPF_APP_LIMITED;
	if (c->xmit)
		c->xmit->rate.limited_until = c->delivered + c->xmit->pipe;
}

/* draft-ietf-ccwg-bbr 4.1.2.4: nothing waits, cwnd has room, nothing is to be sent again. */
void
tcp_rate_idle(struct tcp_conn *c)
{
	if (tcp_sack_pipe(c) < c->cwnd && !tcp_sack_first_lost(c))
		tcp_rate_limited(c);
}
