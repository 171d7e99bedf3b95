/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Each half first asks whether everything is as expected, and changes nothing before it is sure.
 * Then it does what the general functions would come to do, in their order.
 */

#include "tcp/tcp_usual.h"

#include "tcp/tcp_frto.h"
#include "tcp/tcp_in.h"
#include "tcp/tcp_pace.h"
#include "tcp/tcp_pmtu.h"
#include "tcp/tcp_rare.h"
#include "tcp/tcp_reass.h"
#include "tcp/tcp_recovery.h"
#include "tcp/tcp_rtt.h"
#include "tcp/tcp_timer.h"
#include "tcp/tcp_tlp.h"
#include "tcp/tcp_window.h"

/* Flags that the way in asks for: some that must be set, others that must not. */
#define IN_SET   (TCPF_TS | TCPF_SACK)
#define IN_CLEAR (TCPF_FIN_SEEN | TCPF_URG_IN | TCPF_ORPHAN)

/* The way out: whatever makes what may be sent a question. */
#define OUT_CLEAR                                                                              \
	(TCPF_RST | TCPF_SYN_DUE | TCPF_FIN_SENT | TCPF_SHUT | TCPF_PROBE | TCPF_PUSH_SMALL |  \
	 TCPF_CORK | TCPF_MORE | TCPF_PACED | TCPF_RETRANSMIT_NOW | TCPF_PMTU | TCPF_PLPMTU |  \
	 TCPF_URG_OUT | TCPF_LOSS_PROBE)

/* The connection is where most are: nothing that needs care. */
static inline bool
is_calm(const struct tcp_env *e, const struct tcp_conn *c, enum tcp_state state)
{
	return c->state == state && c->ca == TCP_CA_OPEN && c->ecn == 0 && !tcp_reass(c) &&
	       likely(!e->cfg->general_only);
}

/* ------------------------------------------------------------------- input -- */

/* Nothing that is in flight is in doubt, or was since there has been something. */
static inline bool
flight_is_calm(const struct tcp_xmit *x)
{
	return x->n_sacked == 0 && x->n_resent == 0 && x->frto == FRTO_OFF && x->probe == 0 &&
	       !x->seen && list_empty(&x->lost);
}

/* The range that ends with `ack`, which lies in what is in flight; NULL: it ends within one. */
static inline struct tcp_sent *
range_to(const struct tcp_xmit *x, seq_t ack)
{
	struct link *l = x->sent.head.next;
	struct tcp_sent *r = container_of(l, struct tcp_sent, link);

	while (seq_lt(r->end, ack)) {
		l = l->next;
		r = container_of(l, struct tcp_sent, link);
	}
	return seq_eq(r->end, ack) ? r : NULL;
}

/* `acked` bytes, of which *last ends with the last. */
static inline bool
ack_is_usual(const struct tcp_conn *c, const struct tcp_seg *s, uint32_t acked,
             struct tcp_sent **last)
{
	uint32_t flight = tcp_flight(c);

	if (acked == 0)
		return flight == 0;
	if (acked > flight || !flight_is_calm(c->xmit))
		return false;
	return (*last = range_to(c->xmit, s->ack)) != NULL;
}

/* What stands in the header; RFC 9293's first four steps have nothing to object.  `flags` but for
 * PSH; TCPF_* in `clear` are not set. */
static inline bool
segment_is_usual(const struct tcp_conn *c, const struct tcp_seg *s, uint8_t flags, uint32_t clear)
{
	return (c->flags & (IN_SET | clear)) == IN_SET &&
	       (s->flags & (uint8_t)~TCP_PSH) == flags && s->opts == TCP_OPT_TS &&
	       seq_eq(s->seq, c->rcv_nxt) && s->len <= tcp_rcv_wnd(c) &&
	       (int32_t)(s->tsval - c->ts_recent) >= 0 && s->wnd > 0 && c->snd_wnd > 0 &&
	       c->rtx_kind != RTX_PERSIST && c->probes == 0 &&
	       !(c->tlp & (TLP_OUT | TLP_STALE));
}

static inline void
heard(struct tcp_env *e, struct tcp_conn *c, const struct tcp_seg *s, int64_t now)
{
	if (seq_eq(c->rcv_acked, s->seq)) { /* RCV.NXT: it never is behind that */
		c->ts_recent = s->tsval;
		c->ts_recent_s = (uint32_t)(now / NS_PER_S);
	}
	if (s->len && tcp_silence_ns(c, now) > tcp_rto_ns(c))
		c->quickacks = (uint8_t)min(e->cfg->quickack, (uint32_t)UINT8_MAX);
	c->received = tcp_tick(now);
}

static inline void
take_window(struct tcp_conn *c, const struct tcp_seg *s, uint32_t acked)
{
	uint32_t wnd = s->wnd << c->snd_wscale;

	if (acked || seq_lt(c->snd_wl1, s->seq) || (seq_eq(c->snd_wl1, s->seq) && wnd > c->snd_wnd)) {
		c->snd_wnd = wnd;
		c->snd_wnd_max = max(c->snd_wnd_max, wnd);
		c->snd_wl1 = s->seq;
	}
}

/* All ranges up to `last` have arrived.  Those that stay may stand on `timed` in another order. */
static inline void
ranges_acked(struct tcp_env *e, struct tcp_conn *c, struct tcp_sent *last, seq_t ack,
             uint32_t acked)
{
	struct tcp_xmit *x = c->xmit;
	bool all = acked == tcp_flight(c);
	struct link *l = x->sent.head.next;
	struct tcp_sent *r;
	uint32_t n = 0;

	list_cut_front(&x->sent, &last->link);
	do {
		r = container_of(l, struct tcp_sent, link);
		l = l->next;
		tcp_pmtu_delivered(c, seq_sub(r->end, r->start));
		if (!all)
			link_remove(&r->tlink);
		pool_put(&e->sents, r);
		n++;
	} while (r != last);
	if (all)
		list_init(&x->timed);
	c->delivered_segs += n;
	x->n_sent -= n;
	x->pipe -= acked;
	x->n_known = 0;
	if (seq_lt(x->high_sacked, ack))
		x->high_sacked = ack;
	if (seq_lt(x->small, ack))
		x->small = ack;
}

/* Of what has arrived `last` gives the samples: it left last. */
static inline int64_t
samples_taken(struct tcp_env *e, struct tcp_conn *c, const struct tcp_sent *last, uint32_t acked,
              struct rate_sample *rate, int64_t now)
{
	struct tcp_xmit *x = c->xmit;
	int64_t rtt_ns = now - last->sent_at;

	x->rack_rtt = rtt_ns;
	x->rack_sent_at = last->sent_at;
	x->rack_end = last->end;
	tcp_rtt_sample(e->cfg, c, rtt_ns);
	tcp_rate_usual(c, last, acked, now, rate);
	return rtt_ns;
}

static void
take_ack(struct tcp_env *e, struct tcp_conn *c, const struct tcp_seg *s, uint32_t acked,
         struct tcp_sent *last, int64_t now)
{
	struct rate_sample rate, *wanted = tcp_recovery_wants_rate(c) ? &rate : NULL;
	uint32_t flight = tcp_flight(c);
	int64_t rtt_ns = samples_taken(e, c, last, acked, wanted, now);

	ranges_acked(e, c, last, s->ack, acked);
	c->snd_una = s->ack;
	tcp_pmtu_unclaim(c);
	c->err = TCP_E_NONE;
	tcp_text_acked(e, c);
	tcp_timer_acked(c, now);
	tcp_recovery_calm(e, c, acked, rtt_ns, wanted, flight, now);
	if (tcp_flight(c) == 0)
		tcp_sack_release(e, c);
	else
		tcp_timer_probe(c, now);
	tcp_window_grow_send(e, c);
}

bool
tcp_usual_in(struct tcp_env *e, struct tcp_conn *c, const struct tcp_seg *s, int64_t now,
             enum fate *fate)
{
	uint32_t acked = seq_sub(s->ack, c->snd_una);
	struct tcp_sent *last = NULL;

	if (!is_calm(e, c, TCP_ESTABLISHED) || !segment_is_usual(c, s, TCP_ACK, IN_CLEAR) ||
	    !ack_is_usual(c, s, acked, &last))
		return false;
	heard(e, c, s, now);
	take_window(c, s, acked);
	if (acked)
		take_ack(e, c, s, acked, last, now);
	*fate = s->len ? tcp_in_next(e, c, s, now) : SEG_OK;
	return true;
}

/* --------------------------------------------------- input: the first, the last -- */

/* A listener's, without Fast Open, and nobody has closed it yet; and an ACK that acknowledges
 * nothing but the SYN is no news for congestion control. */
static inline bool
is_opening(const struct tcp_env *e, const struct tcp_conn *c)
{
	const uint32_t flags = TCPF_PASSIVE | TCPF_FASTOPEN | TCPF_SHUT;

	return is_calm(e, c, TCP_SYN_RCVD) && (c->flags & flags) == TCPF_PASSIVE && !c->xmit &&
	       tcp_flight(c) == 1 && !tcp_cc(c)->watch && !tcp_cc(c)->control;
}

bool
tcp_usual_opens(struct tcp_env *e, struct tcp_conn *c, const struct tcp_seg *s, int64_t now,
                enum fate *fate)
{
	if (!is_opening(e, c) || !segment_is_usual(c, s, TCP_ACK, IN_CLEAR) ||
	    !seq_eq(s->ack, c->snd_nxt))
		return false;
	heard(e, c, s, now);
	(void)tcp_ack_of_syn(e, c, s, now); /* which it is */
	*fate = tcp_in_rest(e, c, s, now);
	return true;
}

/* Nobody will ask any more what this ACK says of the path, nor use the room that it makes. */
bool
tcp_usual_ends(struct tcp_env *e, struct tcp_conn *c, const struct tcp_seg *s, int64_t now)
{
	const uint32_t flags = TCPF_ORPHAN | TCPF_FIN_SENT;

	if (!is_calm(e, c, TCP_FIN_WAIT_1) || (c->flags & flags) != flags || s->len ||
	    !segment_is_usual(c, s, TCP_FIN | TCP_ACK, TCPF_FIN_SEEN | TCPF_URG_IN) ||
	    !seq_eq(s->ack, c->snd_nxt) || !c->xmit || !flight_is_calm(c->xmit))
		return false;
	heard(e, c, s, now);
	c->snd_una = s->ack;
	tcp_sack_release(e, c);
	c->flags |= TCPF_FIN_SEEN | TCPF_ACK_NOW;
	c->rcv_nxt = seq_add(c->rcv_nxt, 1);
	c->rcv_adv = seq_max(c->rcv_adv, c->rcv_nxt);
	tcp_set_state(e, c, TCP_TIME_WAIT, now);
	return true;
}

/* ------------------------------------------------------------------ output -- */

/* As seg_begin() of tcp_out.c, with nothing to add to it. */
static inline void
begin(struct tcp_env *e, struct tcp_conn *c, int64_t now, struct tcp_seg *s)
{
	const struct tcp_tuple *name = tcp_name(c);

	seg_clear(s);
	s->seq = c->snd_nxt;
	s->ack = c->rcv_nxt;
	s->flags = TCP_ACK;
	s->sport = name->lport;
	s->dport = name->rport;
	if (likely(c->flags & TCPF_TS)) {
		s->opts = TCP_OPT_TS;
		s->tsval = tcp_ts_now(c, now);
		s->tsecr = c->ts_recent;
	}
	s->wnd = tcp_window_offer(e, c);
	c->rcv_acked = c->rcv_nxt;
	c->flags &= ~(TCPF_ACK_NOW | TCPF_ACK_SOON);
	c->ack_at = TIME_NEVER;
}

static inline void
done(struct tcp_env *e, struct tcp_conn *c, int64_t now, const struct tcp_seg *s)
{
	c->segs_out++;
	trace_add(e->trace, now, c->id, T_SEG_OUT, s->seq.v, (uint32_t)s->flags << 24 | s->len);
}

/* Text is all acknowledged, or all on its way. */
static inline enum tcp_usual
out_no_text(struct tcp_env *e, struct tcp_conn *c, int64_t now, struct tcp_seg *s)
{
	tcp_rate_idle(c);
	if (!(c->flags & TCPF_ACK_NOW))
		return TCP_USUAL_NOTHING;
	begin(e, c, now, s);
	done(e, c, now, s);
	s->last = true;
	return TCP_USUAL_SEGMENT;
}

/* Bytes that may leave as one segment, as text_allowed() and all that is asked beside it would
 * have it; 0: that is a question. */
static inline uint32_t
text_allowed(const struct tcp_env *e, const struct tcp_conn *c, uint32_t unsent, int64_t now)
{
	uint32_t flight = tcp_flight(c), pipe = tcp_sack_pipe(c);
	uint32_t n = min(unsent, (uint32_t)c->mss);

	if (flight + n > c->snd_wnd || (pipe && pipe + n > c->cwnd) || tcp_pace_on(e, c))
		return 0;
	if (n < c->mss && flight && !(c->flags & TCPF_NODELAY) && seq_lt(c->snd_una, c->xmit->small))
		return 0; /* Nagle's */
	if (flight == 0 && (tcp_cc(c)->on_transmit || now - c->sent_at > tcp_rto_ns(c)))
		return 0; /* cwnd may be too old */
	return n;
}

static inline bool
push_due(const struct tcp_conn *c, uint32_t n, uint32_t unsent)
{
	return n == unsent || tcp_sack_pipe(c) + c->mss > c->cwnd ||
	       seq_sub(seq_add(c->snd_nxt, n), c->xmit->pushed) > c->snd_wnd_max / 2;
}

static enum tcp_usual
out_text(struct tcp_env *e, struct tcp_conn *c, uint32_t unsent, int64_t now, struct tcp_seg *s)
{
	uint32_t n = text_allowed(e, c, unsent, now);
	seq_t end = seq_add(c->snd_nxt, n);

	if (n == 0 || !tcp_sack_sent(e, c, c->snd_nxt, end, false, now))
		return TCP_USUAL_NOT;
	if (c->ack_at != TIME_NEVER || (c->flags & TCPF_ACK_NOW))
		c->flags |= TCPF_INTERACTIVE;
	begin(e, c, now, s);
	s->len = n;
	if (push_due(c, n, unsent)) {
		s->flags |= TCP_PSH;
		c->xmit->pushed = end;
	}
	c->snd_nxt = end;
	if (n < c->mss)
		c->xmit->small = end;
	if (n == unsent && unlikely(c->rare != NULL))
		c->rare->cork_at = TIME_NEVER;
	c->sent_at = now;
	tcp_timer_sent(c, now);
	done(e, c, now, s);
	s->last = n == unsent;
	if (s->last)
		tcp_rate_idle(c);
	return TCP_USUAL_SEGMENT;
}

enum tcp_usual
tcp_usual_out(struct tcp_env *e, struct tcp_conn *c, int64_t now, struct tcp_seg *s)
{
	uint32_t unsent;

	if (!is_calm(e, c, TCP_ESTABLISHED) || (c->flags & OUT_CLEAR) || tcp_sack_first_lost(c) ||
	    (c->xmit && c->xmit->frto != FRTO_OFF))
		return TCP_USUAL_NOT;
	unsent = tcp_unsent(c);
	if (unsent == 0)
		return out_no_text(e, c, now, s);
	if (!c->streams || atomic_load_explicit(&c->streams->snd_w.marked, memory_order_acquire))
		return TCP_USUAL_NOT;
	return out_text(e, c, unsent, now, s);
}
