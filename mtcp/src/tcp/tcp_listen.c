/* SPDX-License-Identifier: BSD-3-Clause */
/* LISTEN and SYN-RECEIVED for passive opens (RFC 9293 3.10.7.2 and 3.10.7.4). */

#include "tcp/tcp_listen.h"

#include "tcp/tcp_ecn.h"
#include "tcp/tcp_fastopen.h"
#include "tcp/tcp_in.h"
#include "tcp/tcp_isn.h"
#include "tcp/tcp_window.h"

#define ANSWER_NS MS(500) /* between two, as Linux's tcp_invalid_ratelimit */

void
tcp_req_init(struct tcp_env *e, struct tcp_req *r, const struct tcp_tuple *t,
             const struct tcp_seg *syn, seq_t iss, uint16_t local_mss, uint32_t rcvbuf, int64_t now)
{
	const struct tcp_cfg *cfg = e->cfg;

	memset(r, 0, sizeof *r);
	r->tuple = *t;
	r->iss = iss;
	r->irs = syn->seq;
	r->wnd = syn->wnd;
	r->peer_mss = syn->opts & TCP_OPT_MSS ? syn->mss : ip_addr_is_v4(&t->remote) ? 536 : 1220;
	r->adv_mss = local_mss;
	r->first_wnd = to_u16(min(max(rcvbuf / 2, 1024u), (uint32_t)UINT16_MAX));
	r->opts = syn->opts & (uint8_t)((cfg->timestamps ? TCP_OPT_TS : 0) |
	                                (cfg->sack ? TCP_OPT_SACK_OK : 0) |
	                                (cfg->window_scaling ? TCP_OPT_WSCALE : 0));
	r->ecn = tcp_ecn_agreed(e, syn);
	r->snd_wscale = min(syn->wscale, (uint8_t)TCP_WSCALE_MAX);
	r->ts_recent = syn->tsval;
	r->ts_offset = tcp_ts_begin(e, t);
	r->rto_ns = cfg->rto_initial_ns;
	r->sent_at = now;
	r->due = true;
}

int64_t
tcp_req_synack(struct tcp_env *e, struct tcp_req *r, int64_t now, struct tcp_seg *s)
{
	*s = (struct tcp_seg){
		.seq = r->iss,
		.ack = seq_add(r->irs, 1),
		.flags = (uint8_t)(TCP_SYN | TCP_ACK | (r->ecn ? TCP_ECE : 0)),
		.sport = r->tuple.lport,
		.dport = r->tuple.rport,
		.wnd = r->first_wnd,
		.opts = (uint8_t)(r->opts | TCP_OPT_MSS),
		.mss = r->adv_mss,
		.wscale = tcp_window_shift(e->cfg->rcvbuf_max),
		.tsval = (uint32_t)(now / NS_PER_MS) + r->ts_offset,
		.tsecr = r->ts_recent,
	};
	if (r->give_cookie)
		tcp_fastopen_give(e, &r->tuple, s);
	r->due = false;
	return now + r->rto_ns;
}

bool
tcp_req_expired(struct tcp_env *e, struct tcp_req *r)
{
	bool waits = r->acked && r->retries < r->defer;

	if (r->retries >= e->cfg->synack_retries && !waits)
		return false;
	r->retries++;
	r->rto_ns = min(r->rto_ns * 2, e->cfg->rto_max_ns);
	r->due = !r->acked || r->retries >= r->defer;
	return true;
}

/* RFC 7323 5: an old duplicate from an earlier incarnation. */
static bool
paws_rejects(const struct tcp_req *r, const struct tcp_seg *s)
{
	return (r->opts & TCP_OPT_TS) && (s->opts & TCP_OPT_TS) &&
	       (int32_t)(s->tsval - r->ts_recent) < 0;
}

enum fate
tcp_req_in(struct tcp_env *e, struct tcp_req *r, const struct tcp_seg *s, int64_t now)
{
	seq_t rcv_nxt = seq_add(r->irs, 1);
	uint32_t off = seq_sub(s->seq, rcv_nxt);

	(void)e;
	(void)now;
	if ((s->flags & (TCP_SYN | TCP_ACK | TCP_RST)) == TCP_SYN && seq_eq(s->seq, r->irs)) {
		r->due = true;
		r->ecn &= tcp_ecn_agreed(e, s); /* RFC 3168 6.1.1: it may have given up on it */
		return SYN_AGAIN;
	}
	if (off >= r->first_wnd)
		return DROP_OUTSIDE_WINDOW;
	if (s->flags & TCP_RST)
		return off == 0 ? REQ_RESET : DROP_RST_CHALLENGED;
	if (s->flags & TCP_SYN)
		return DROP_SYN_CHALLENGED;
	if (!(s->flags & TCP_ACK))
		return DROP_NO_ACK;
	if (!seq_eq(s->ack, seq_add(r->iss, 1)))
		return DROP_HANDSHAKE_RESET;
	return paws_rejects(r, s) ? DROP_PAWS : SEG_OK;
}

static bool
is_owed_an_ack(const struct tcp_seg *s, enum fate fate)
{
	if (fate == DROP_OUTSIDE_WINDOW)
		return !(s->flags & TCP_RST);
	return fate == DROP_SYN_CHALLENGED || fate == DROP_RST_CHALLENGED ||
	       (fate == DROP_PAWS && seg_space(s) > 0);
}

bool
tcp_req_answer(const struct tcp_env *e, struct tcp_req *r, const struct tcp_seg *s,
               enum fate fate, int64_t now, struct tcp_seg *ack)
{
	uint16_t half_second = (uint16_t)(now / ANSWER_NS + 1);
	uint8_t shift = r->opts & TCP_OPT_WSCALE ? tcp_window_shift(e->cfg->rcvbuf_max) : 0;

	if (!is_owed_an_ack(s, fate) || r->answered == half_second)
		return false;
	r->answered = half_second;
	*ack = (struct tcp_seg){
		.seq = seq_add(r->iss, 1),
		.ack = seq_add(r->irs, 1),
		.flags = TCP_ACK,
		.sport = r->tuple.lport,
		.dport = r->tuple.rport,
		.wnd = (uint16_t)((r->first_wnd + (1u << shift) - 1) >> shift), /* never less */
		.opts = (uint8_t)(r->opts & TCP_OPT_TS),
		.tsval = (uint32_t)(now / NS_PER_MS) + r->ts_offset,
		.tsecr = r->ts_recent,
	};
	return true;
}

void
tcp_req_promote(struct tcp_env *e, const struct tcp_req *r, struct tcp_conn *c, int64_t now)
{
	struct tcp_seg syn = {
		.seq = r->irs,
		.wnd = r->wnd,
		.opts = (uint8_t)(r->opts | TCP_OPT_MSS),
		.mss = r->peer_mss,
		.wscale = r->snd_wscale,
		.tsval = r->ts_recent,
	};

	c->snd_wl1 = r->irs;
	c->rcv_nxt = c->rcv_acked = seq_add(r->irs, 1);
	c->rcv_adv = seq_add(c->rcv_nxt, r->first_wnd);
	c->snd_wnd = c->snd_wnd_max = r->wnd;
	c->snd_nxt = seq_add(c->iss, 1);
	c->sent_at = r->sent_at;
	c->retries = r->retries;
	c->flags |= TCPF_PASSIVE | (r->give_cookie ? TCPF_FASTOPEN_GIVE : 0);
	c->ecn = r->ecn ? ECN_OK : 0;
	tcp_take_syn_options(e, c, &syn, now);
	tcp_set_state(e, c, TCP_SYN_RCVD, now);
}
