/* SPDX-License-Identifier: BSD-3-Clause */
/* TIME-WAIT (RFC 9293 3.10.7.4), in a record instead of a connection. */

#include "tcp/tcp_tw.h"

/* The window field; rounded up, or the right edge would move left (SHLD-14). */
static uint16_t
window_field(const struct tcp_conn *c)
{
	uint32_t unit = 1u << c->rcv_wscale;
	uint32_t field = (tcp_rcv_wnd(c) + unit - 1) >> c->rcv_wscale;

	return (uint16_t)min(field, (uint32_t)UINT16_MAX);
}

void
tcp_tw_init(struct tcp_env *e, struct tcp_tw *w, const struct tcp_conn *c, int64_t now)
{
	*w = (struct tcp_tw){
		.tuple = c->tuple,
		.hash = c->hash,
		.snd_nxt = c->snd_nxt,
		.rcv_nxt = c->rcv_nxt,
		.wnd = window_field(c),
		.ts_recent = c->ts_recent,
		.ts_offset = c->ts_offset,
		.opts = c->flags & TCPF_TS ? TCP_OPT_TS : 0,
		.until = now + e->cfg->time_wait_ns,
	};
}

/* RFC 6191 2: a later timestamp, or without timestamps a higher sequence number. */
static bool
may_reopen(const struct tcp_tw *w, const struct tcp_seg *s)
{
	if ((s->flags & (TCP_SYN | TCP_RST | TCP_ACK)) != TCP_SYN)
		return false;
	if ((w->opts & TCP_OPT_TS) && (s->opts & TCP_OPT_TS) && s->tsval != w->ts_recent)
		return (int32_t)(s->tsval - w->ts_recent) > 0;
	return seq_lt(w->rcv_nxt, s->seq);
}

enum fate
tcp_tw_in(struct tcp_env *e, struct tcp_tw *w, const struct tcp_seg *s, int64_t now,
          struct tcp_seg *reply)
{
	if (s->flags & TCP_RST) /* RFC 1337 fix F1 would ignore all */
		return !e->cfg->rfc1337 && seq_eq(s->seq, w->rcv_nxt) ? TW_RESET : TW_IGNORED;
	if (may_reopen(w, s))
		return TW_REOPENED;
	/* An ACK of our FIN that says nothing new needs no answer; everything
	 * else may mean that our last ACK was lost. */
	if (seg_space(s) == 0 && seq_eq(s->seq, w->rcv_nxt))
		return TW_IGNORED;
	if ((s->flags & TCP_FIN) && seq_eq(seq_add(s->seq, s->len + 1), w->rcv_nxt))
		w->until = now + e->cfg->time_wait_ns;
	*reply = (struct tcp_seg){
		.seq = w->snd_nxt,
		.ack = w->rcv_nxt,
		.flags = TCP_ACK,
		.wnd = w->wnd,
		.sport = w->tuple.lport,
		.dport = w->tuple.rport,
		.opts = w->opts,
		.tsval = (uint32_t)(now / NS_PER_MS) + w->ts_offset,
		.tsecr = w->ts_recent,
	};
	return TW_ACKED;
}

seq_t
tcp_tw_min_iss(const struct tcp_tw *w)
{
	return seq_add(w->snd_nxt, 65537);
}
