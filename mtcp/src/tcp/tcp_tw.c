/* SPDX-License-Identifier: BSD-3-Clause */
/* TIME-WAIT and FIN-WAIT-2 (RFC 9293 3.10.7.4), in a record instead of a connection. */

#include "tcp/tcp_tw.h"

#include "tcp/tcp_rare.h"

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
		.tuple = *tcp_name(c),
		.hash = c->hash,
		.snd_nxt = c->snd_nxt,
		.rcv_nxt = c->rcv_nxt,
		.wnd = window_field(c),
		.wscale = c->rcv_wscale,
		.fin_wait_2 = c->state == TCP_FIN_WAIT_2,
		.ts_recent = c->ts_recent,
		.ts_offset = c->ts_offset,
		.opts = c->flags & TCPF_TS ? TCP_OPT_TS : 0,
		.until = c->state == TCP_FIN_WAIT_2 ? c->wait_at : now + e->cfg->time_wait_ns,
	};
}

static void
acknowledge(const struct tcp_tw *w, int64_t now, struct tcp_seg *reply)
{
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
}

/* RFC 5961 7: as many a second as of a connection. */
static enum fate
answer(const struct tcp_env *e, struct tcp_tw *w, int64_t now, struct tcp_seg *reply)
{
	uint32_t second = (uint32_t)(now / NS_PER_S);

	if (w->answers_s != second)
		w->answers = 0;
	w->answers_s = second;
	if (w->answers >= min(e->cfg->challenge_ack_per_s, (uint32_t)UINT16_MAX))
		return TW_IGNORED;
	w->answers++;
	acknowledge(w, now, reply);
	return TW_ACKED;
}

/* RFC 7323 5: an old duplicate. */
static bool
paws_rejects(const struct tcp_tw *w, const struct tcp_seg *s)
{
	return (w->opts & TCP_OPT_TS) && (s->opts & TCP_OPT_TS) &&
	       (int32_t)(s->tsval - w->ts_recent) < 0;
}

/* Inside the window, or at its right edge: as tcp_in() has it. */
static bool
in_window(const struct tcp_tw *w, const struct tcp_seg *s)
{
	uint32_t first = seq_sub(s->seq, w->rcv_nxt), last = first + seg_space(s) - 1;
	uint32_t wnd = (uint32_t)w->wnd << w->wscale;

	if (first == 0 || first < wnd)
		return true;
	return seg_space(s) > 0 ? last < wnd : first == wnd;
}

/* A FIN that follows what we have, and nothing else. */
static bool
fin_is_next(const struct tcp_seg *s, seq_t rcv_nxt)
{
	return (s->flags & TCP_FIN) && seq_eq(seq_add(s->seq, s->len), rcv_nxt);
}

/* The steps of RFC 9293 3.10.7.4 with nothing to send and nobody to read. */
static enum fate
fin_wait_2_in(struct tcp_env *e, struct tcp_tw *w, const struct tcp_seg *s, int64_t now,
              struct tcp_seg *reply)
{
	bool inside = in_window(w, s);

	if ((s->flags & TCP_RST) && seq_eq(s->seq, w->rcv_nxt))
		return TW_RESET;
	if (s->flags & TCP_RST) /* RFC 5961 3.2 */
		return inside ? answer(e, w, now, reply) : TW_IGNORED;
	if (!inside || paws_rejects(w, s) || (s->flags & TCP_SYN))
		return answer(e, w, now, reply);
	if (!(s->flags & TCP_ACK) || seg_space(s) == 0)
		return TW_IGNORED;
	if (seq_lt(w->snd_nxt, s->ack))
		return answer(e, w, now, reply);
	acknowledge(w, now, reply);
	if (!fin_is_next(s, w->rcv_nxt)) { /* beyond a FIN out of order there is text, too */
		reply->flags |= TCP_RST;
		return DROP_AFTER_CLOSE;
	}
	if ((w->opts & TCP_OPT_TS) && (s->opts & TCP_OPT_TS))
		w->ts_recent = s->tsval;
	w->fin_wait_2 = false;
	w->rcv_nxt = seq_add(w->rcv_nxt, 1);
	w->until = now + e->cfg->time_wait_ns;
	acknowledge(w, now, reply);
	return TW_FIN;
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
	if (w->fin_wait_2)
		return fin_wait_2_in(e, w, s, now, reply);
	if (s->flags & TCP_RST) /* RFC 1337 fix F1 would ignore all */
		return !e->cfg->rfc1337 && seq_eq(s->seq, w->rcv_nxt) ? TW_RESET : TW_IGNORED;
	if (may_reopen(w, s))
		return TW_REOPENED;
	/* An ACK of our FIN that says nothing new needs no answer; everything
	 * else may mean that our last ACK was lost. */
	if (seg_space(s) == 0 && seq_eq(s->seq, w->rcv_nxt))
		return TW_IGNORED;
	if ((s->flags & TCP_FIN) && seq_eq(seq_add(s->seq, s->len + 1), w->rcv_nxt)) {
		w->until = now + e->cfg->time_wait_ns;
		acknowledge(w, now, reply);
		return TW_ACKED;
	}
	return answer(e, w, now, reply);
}

seq_t
tcp_tw_min_iss(const struct tcp_tw *w)
{
	return seq_add(w->snd_nxt, 65537);
}
