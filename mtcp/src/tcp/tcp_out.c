/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What should be sent now?  Output looks at the connection and answers with
 * the next segment, or with nothing; it does not know who caused it to ask.
 */

#include "tcp/tcp_ecn.h"
#include "tcp/tcp_eor.h"
#include "tcp/tcp_frto.h"
#include "tcp/tcp_pace.h"
#include "tcp/tcp_fastopen.h"
#include "tcp/tcp_plpmtu.h"
#include "tcp/tcp_pmtu.h"
#include "tcp/tcp_rare.h"
#include "tcp/tcp_reass.h"
#include "tcp/tcp_recovery.h"
#include "tcp/tcp_timer.h"
#include "tcp/tcp_urgent.h"
#include "tcp/tcp_tlp.h"
#include "tcp/tcp_usual.h"
#include "tcp/tcp_window.h"

/* SACK blocks that there is room for, with and without a timestamp (RFC 2018 3). */
static uint32_t
sack_room(const struct tcp_conn *c)
{
	return c->flags & TCPF_TS ? TCP_SACK_MAX - 1 : TCP_SACK_MAX;
}

/* Text in a full segment once this segment's options are counted (RFC 6691). */
static uint32_t
full_text(const struct tcp_conn *c)
{
	uint32_t options = c->flags & TCPF_TS ? 12 : 0;

	if (tcp_reass_speaks(c)) {
		uint32_t blocks = min(tcp_reass(c)->n_runs + 1, sack_room(c));

		options += 4 + 8 * blocks;
	}
	return max((uint32_t)c->mss + (c->flags & TCPF_TS ? 12u : 0u), options + 8) - options;
}

/* ----------------------------------------------------------- the header -- */

/* Everything a segment carries whatever its reason: acknowledgment, window,
 * timestamp, SACK.  It acknowledges, so no ACK is owed any more. */
static void
seg_begin(struct tcp_env *e, struct tcp_conn *c, int64_t now, struct tcp_seg *s, seq_t seq)
{
	*s = (struct tcp_seg){
		.seq = seq,
		.ack = c->rcv_nxt,
		.flags = TCP_ACK, /* in SYN-RECEIVED too: SYN-ACK is out_syn()'s */
		.sport = tcp_name(c)->lport,
		.dport = tcp_name(c)->rport,
	};
	if (c->flags & TCPF_TS) {
		s->opts |= TCP_OPT_TS;
		s->tsval = tcp_ts_now(c, now);
		s->tsecr = c->ts_recent;
	}
	tcp_reass_blocks(e, c, s, sack_room(c));
	s->wnd = tcp_window_offer(e, c);
	tcp_ecn_acks(c, s);
	if (c->flags & TCPF_URG_OUT)
		tcp_urgent_mark(c, s);
	c->rcv_acked = c->rcv_nxt;
	c->flags &= ~(TCPF_ACK_NOW | TCPF_ACK_SOON);
	tcp_timer_ack_sent(c);
}

static void
seg_done(struct tcp_env *e, struct tcp_conn *c, int64_t now, const struct tcp_seg *s)
{
	c->segs_out++;
	trace_add(e->trace, now, c->id, T_SEG_OUT, s->seq.v, (uint32_t)s->flags << 24 | s->len);
}

/* ------------------------------------------------------ RST, SYN, probes -- */

/* RFC 9293 3.10.5: <SEQ=SND.NXT><CTL=RST>; the ACK helps boxes on the way. */
static bool
out_rst(struct tcp_env *e, struct tcp_conn *c, int64_t now, struct tcp_seg *s)
{
	*s = (struct tcp_seg){
		.seq = c->snd_nxt,
		.ack = c->rcv_nxt,
		.flags = TCP_RST | TCP_ACK,
		.sport = tcp_name(c)->lport,
		.dport = tcp_name(c)->rport,
	};
	c->flags &= ~(uint32_t)(TCPF_RST | TCPF_ACK_NOW);
	seg_done(e, c, now, s);
	return true;
}

/* The answer acknowledges and offers; a SYN may bring text (RFC 7413). */
static void
syn_or_answer(struct tcp_env *e, struct tcp_conn *c, int64_t now, struct tcp_seg *s)
{
	if (c->state != TCP_SYN_RCVD) {
		s->wnd = tcp_window_first(c);
		if ((c->flags & TCPF_FASTOPEN) && c->retries == 0)
			tcp_fastopen_syn(e, c, s, now);
		return;
	}
	s->ack = c->rcv_acked = c->rcv_nxt;
	s->wnd = min(tcp_rcv_wnd(c), (uint32_t)UINT16_MAX);
	if (c->flags & TCPF_FASTOPEN_GIVE)
		tcp_fastopen_give(e, tcp_name(c), s);
}

static bool
out_syn(struct tcp_env *e, struct tcp_conn *c, int64_t now, struct tcp_seg *s)
{
	bool answer = c->state == TCP_SYN_RCVD;

	*s = (struct tcp_seg){
		.seq = c->iss,
		.flags = tcp_facts[c->state].outflags,
		.sport = tcp_name(c)->lport,
		.dport = tcp_name(c)->rport,
		.opts = TCP_OPT_MSS,
		.mss = c->adv_mss,
	};
	s->flags |= answer ? tcp_ecn_synack(c) : tcp_ecn_syn(e, c);
	if (answer ? c->flags & TCPF_SACK : e->cfg->sack)
		s->opts |= TCP_OPT_SACK_OK;
	if (answer ? c->flags & TCPF_WSCALE : e->cfg->window_scaling) {
		s->opts |= TCP_OPT_WSCALE;
		s->wscale = tcp_window_shift(e->cfg->rcvbuf_max);
	}
	if (answer ? c->flags & TCPF_TS : e->cfg->timestamps) {
		s->opts |= TCP_OPT_TS;
		s->tsval = tcp_ts_now(c, now);
		s->tsecr = c->ts_recent;
	}
	syn_or_answer(e, c, now, s);
	/* A SYN that is repeated has no text, but that of the first may have arrived. */
	c->snd_nxt = seq_max(c->snd_nxt, seq_add(c->iss, s->len + 1));
	/* The answer to the SYN of a simultaneous open may come after our SYN-ACK:
	 * the round trip is counted from the SYN, or it would look too short. */
	if (c->retries == 0 && !answer)
		c->sent_at = now;
	c->flags &= ~(uint32_t)(TCPF_SYN_DUE | TCPF_ACK_NOW);
	tcp_timer_sent(c, now);
	seg_done(e, c, now, s);
	return true;
}

static bool
out_ack(struct tcp_env *e, struct tcp_conn *c, int64_t now, struct tcp_seg *s)
{
	seg_begin(e, c, now, s, c->snd_nxt);
	seg_done(e, c, now, s);
	return true;
}

/* Before anything else leaves: its number is older than theirs will be.  Not the one of a
 * repair, if it would seem to take back a part of the window. */
static bool
out_ack_first(struct tcp_env *e, struct tcp_conn *c, int64_t now, struct tcp_seg *s)
{
	seq_t rcv_nxt = c->rcv_nxt;

	c->rcv_nxt = c->ecn_ack; /* the window is counted from there, and rounded as ever */
	if (!tcp_ecn_first_matters(c) && !tcp_window_exact(e, c)) {
		c->rcv_nxt = rcv_nxt;
		c->ecn &= (uint8_t)~(ECN_ACK_FIRST | ECN_ACK_CE);
		return false;
	}
	seg_begin(e, c, now, s, c->snd_nxt);
	c->rcv_nxt = rcv_nxt;
	tcp_ecn_ack_first(c, s);
	c->flags |= TCPF_ACK_NOW;
	seg_done(e, c, now, s);
	return true;
}

/* One below what the peer expects, without text: it must answer (RFC 9293
 * 3.8.4 and 3.8.6.1).  As that makes it unacceptable, a peer that is to hear of urgent
 * text behind the closed window gets an ACK that is not, too (MUST-66). */
static bool
out_probe(struct tcp_env *e, struct tcp_conn *c, int64_t now, struct tcp_seg *s)
{
	c->flags &= ~(uint32_t)TCPF_PROBE;
	seg_begin(e, c, now, s, seq_add(c->snd_una, UINT32_MAX));
	c->flags |= tcp_urgent_on(c) ? TCPF_ACK_NOW : 0;
	seg_done(e, c, now, s);
	return true;
}

/* ---------------------------------------------------------- text once more -- */

/* As it did the first time: the last of all, or of a record. */
static bool
resent_pushes(const struct tcp_conn *c, const struct tcp_sent *r)
{
	return seq_eq(r->end, c->snd_nxt) || (r->flags & SENT_EOR);
}

/* A range, or as much of it as fits, leaves again. */
static bool
resend(struct tcp_env *e, struct tcp_conn *c, struct tcp_sent *r, int64_t now, struct tcp_seg *s)
{
	uint32_t fin = r->flags & SENT_FIN ? 1 : 0, len = seq_sub(r->end, r->start);

	if (len - fin > full_text(c)) {
		/* The path or the options have changed since.  With no record left to
		 * split into, the first part leaves all the same: its ACK frees one. */
		(void)tcp_sack_split(e, c, r, seq_add(r->start, full_text(c)));
		len = full_text(c);
		fin = 0;
	}
	seg_begin(e, c, now, s, r->start);
	s->len = len - fin;
	s->flags |= fin ? TCP_FIN : 0;
	s->flags |= s->len && resent_pushes(c, r) ? TCP_PSH : 0;
	tcp_pace_sent(e, c, s->len, now);
	tcp_sack_resent(e, c, r, now);
	tcp_recovery_sending(c, len);
	tcp_timer_sent(c, now);
	if (seq_eq(r->start, c->snd_una))
		tcp_timer_resent(c, now);
	seg_done(e, c, now, s);
	return true;
}

static bool
out_retransmission(struct tcp_env *e, struct tcp_conn *c, int64_t now, struct tcp_seg *s)
{
	struct tcp_sent *r = tcp_sack_first_lost(c);

	if (!r || tcp_frto_wants_new(c))
		return false;
	tcp_sack_join(e, c, r, full_text(c));
	/* RFC 5681 3.2: the first may leave whatever the window says. */
	if (!(c->flags & TCPF_RETRANSMIT_NOW) &&
	    tcp_sack_pipe(c) + min(seq_sub(r->end, r->start), (uint32_t)c->mss) > c->cwnd)
		return false;
	if (!tcp_pace_allows(e, c, now))
		return false;
	c->flags &= ~(uint32_t)TCPF_RETRANSMIT_NOW;
	return resend(e, c, r, now, s);
}

/* The last of what is in flight, or its last full segment. */
static bool
out_last(struct tcp_env *e, struct tcp_conn *c, int64_t now, struct tcp_seg *s)
{
	struct tcp_sent *r = tcp_sack_last(c);
	uint32_t full = full_text(c);

	if (!r || (r->flags & (SENT_SACKED | SENT_LOST)))
		return false;
	if (seq_sub(r->end, r->start) > full + ((r->flags & SENT_FIN) != 0) &&
	    tcp_sack_split(e, c, r, seq_add(r->end, 0u - full)))
		r = tcp_sack_last(c);
	return resend(e, c, r, now, s);
}

/* --------------------------------------------------------------- new text -- */

/* RFC 9293 3.7.4 as Minshall refined it: a small segment waits while another
 * small one is on its way; urgent text for nothing, as on Linux. */
static bool
nagle_allows(const struct tcp_conn *c)
{
	if (tcp_urgent_on(c))
		return true;
	if (c->flags & (TCPF_CORK | TCPF_MORE))
		return false;
	return (c->flags & (TCPF_NODELAY | TCPF_SHUT)) || !c->xmit ||
	       !seq_lt(c->snd_una, c->xmit->small) || tcp_flight(c) == 0;
}

/* Sender's side of silly window avoidance (RFC 9293 3.8.6.2.1). */
static bool
small_allowed(const struct tcp_conn *c, uint32_t n, uint32_t unsent, uint32_t record)
{
	if (c->flags & TCPF_PUSH_SMALL)
		return true;
	if (n == unsent)
		return nagle_allows(c);
	if (n == record) /* what follows would not make it fuller: nothing to wait for */
		return true;
	return n >= c->snd_wnd_max / 2 && !(c->flags & TCPF_CORK);
}

/* Bytes of new text that may leave as one segment now: of the first `record`. */
static uint32_t
text_allowed(struct tcp_conn *c, uint32_t unsent, uint32_t record)
{
	uint32_t flight = tcp_flight(c), pipe = tcp_sack_pipe(c);
	uint32_t usable = c->snd_wnd > flight ? c->snd_wnd - flight : 0;
	uint32_t full = full_text(c), n = min(min(record, usable), full);

	if (n == 0 || (n < full && !small_allowed(c, n, unsent, record)))
		return 0;
	if (pipe == 0 || pipe + n <= c->cwnd || tcp_frto_wants_new(c))
		return n;
	tcp_recovery_cwnd_full(c);
	return 0;
}

/* RFC 5681 4.1, gradually: after an idle RTO the path may have changed. */
static void
restart_after_idle(struct tcp_env *e, struct tcp_conn *c, int64_t now)
{
	int64_t idle = now - c->sent_at, rto = tcp_rto_ns(c);
	uint32_t restart = min(e->cfg->initial_cwnd * c->mss, c->cwnd);

	if (tcp_flight(c) == 0 && tcp_cc(c)->on_transmit)
		tcp_cc(c)->on_transmit(c, now);
	if (!e->cfg->slow_start_after_idle || tcp_cc(c)->control || tcp_flight(c) > 0 || idle <= rto)
		return;
	c->ssthresh = max(c->ssthresh, c->cwnd / 4 * 3);
	for (int64_t t = idle; t > rto && c->cwnd > restart; t -= rto)
		c->cwnd /= 2;
	c->cwnd = max(c->cwnd, restart);
	tcp_cc(c)->on_restart(c, idle);
}

static bool
fin_due(const struct tcp_conn *c, uint32_t unsent, uint32_t n)
{
	uint32_t flight = tcp_flight(c);

	return (c->flags & TCPF_SHUT) && !(c->flags & TCPF_FIN_SENT) &&
	       tcp_facts[c->state].owes_fin && unsent == n && flight + n + 1 <= c->snd_wnd;
}

/* Nothing may leave although something should: whoever unblocks it has to be
 * sure to come. */
static bool
blocked(struct tcp_env *e, struct tcp_conn *c, uint32_t unsent, int64_t now)
{
	bool owes_fin = tcp_facts[c->state].owes_fin && !(c->flags & TCPF_FIN_SENT);
	bool open = c->snd_wnd > tcp_flight(c);

	if (unsent == 0)
		tcp_rate_idle(c);
	if (unsent && open && (c->flags & (TCPF_CORK | TCPF_MORE)) && unsent < full_text(c))
		tcp_timer_corked(e, c, now);
	else if (unsent || owes_fin)
		tcp_timer_blocked(e, c, now);
	return false;
}

/* The last that is buffered (RFC 9293 MUST-61), or of a record; and, as on Linux, the last that cwnd
 * lets leave, whose ACK the next ones wait for, and half of the largest window since the
 * last push, so that a peer that waits for one frees its buffer in time. */
static bool
push_due(const struct tcp_conn *c, uint32_t n, bool last)
{
	seq_t end = seq_add(c->snd_nxt, n);

	return n && (last || tcp_sack_pipe(c) + full_text(c) > c->cwnd ||
	             seq_sub(end, c->xmit->pushed) > c->snd_wnd_max / 2);
}

/* `n` bytes of `unsent`, of which `record` end a record, and the FIN behind them, leave.  False:
 * nothing is left to remember them by. */
static bool
send_text(struct tcp_env *e, struct tcp_conn *c, uint32_t n, uint32_t unsent, uint32_t record,
          int64_t now, struct tcp_seg *s)
{
	bool fin = fin_due(c, unsent, n);

	if (!tcp_sack_sent(e, c, c->snd_nxt, seq_add(c->snd_nxt, n + fin), fin, now))
		return false;
	if (n)
		tcp_pace_sent(e, c, n, now);
	if (n && (c->ack_at != TIME_NEVER || (c->flags & TCPF_ACK_NOW)))
		c->flags |= TCPF_INTERACTIVE;
	seg_begin(e, c, now, s, c->snd_nxt);
	s->len = n;
	s->flags |= fin ? TCP_FIN : 0;
	s->flags |= push_due(c, n, n == record) ? TCP_PSH : 0;
	c->snd_nxt = seq_add(c->snd_nxt, n + fin);
	if (s->flags & TCP_PSH)
		c->xmit->pushed = c->snd_nxt;
	c->flags |= fin ? TCPF_FIN_SENT : 0;
	tcp_ecn_new_text(c, s);
	c->flags &= ~(uint32_t)TCPF_PUSH_SMALL;
	if (n < full_text(c))
		c->xmit->small = c->snd_nxt;
	if (n == unsent && c->rare)
		c->rare->cork_at = TIME_NEVER;
	c->sent_at = now;
	tcp_frto_sent_new(c);
	tcp_recovery_sending(c, n + fin);
	tcp_timer_sent(c, now);
	seg_done(e, c, now, s);
	return true;
}

static bool
out_text(struct tcp_env *e, struct tcp_conn *c, int64_t now, struct tcp_seg *s)
{
	uint32_t unsent = tcp_unsent(c), record = tcp_eor_record(e, c, unsent), n, probe;

	if (!tcp_facts[c->state].may_send)
		return false;
	if (c->flags & TCPF_PMTU)
		tcp_pmtu_refresh(e, c, now);
	n = text_allowed(c, unsent, record);
	if (n) /* before a probe is compared with cwnd */
		restart_after_idle(e, c, now);
	probe = n && (c->flags & TCPF_PLPMTU) ? tcp_plpmtu_probe(e, c, unsent, now) : 0;
	probe = probe <= record ? probe : 0;
	n = max(n, probe);
	if (n == 0 && !fin_due(c, unsent, n))
		return blocked(e, c, unsent, now);
	if (n && !tcp_pace_allows(e, c, now))
		return false;
	if (!send_text(e, c, n, unsent, record, now, s))
		return blocked(e, c, unsent, now);
	if (probe)
		tcp_plpmtu_sent(c, n);
	return true;
}

/* RFC 8985 7.3: new text, a segment beyond cwnd if need be; else the last once more. */
static bool
out_loss_probe(struct tcp_env *e, struct tcp_conn *c, int64_t now, struct tcp_seg *s)
{
	uint32_t unsent = tcp_unsent(c), flight = tcp_flight(c), record, n;

	if (!(c->flags & TCPF_LOSS_PROBE))
		return false;
	c->flags &= ~(uint32_t)TCPF_LOSS_PROBE;
	if (!tcp_tlp_wanted(c)) /* an ACK has come meanwhile */
		return false;
	record = tcp_eor_record(e, c, unsent);
	n = min(min(record, c->snd_wnd > flight ? c->snd_wnd - flight : 0), full_text(c));
	if ((c->flags & (TCPF_CORK | TCPF_MORE)) && n < full_text(c))
		n = 0;
	tcp_tlp_sent(e, c, c->snd_nxt, n == 0);
	trace_add(e->trace, now, c->id, T_LOSS_PROBE, c->snd_nxt.v, n);
	if (n && tcp_facts[c->state].may_send && send_text(e, c, n, unsent, record, now, s)) {
		tcp_rare_own(e, c)->tlp_end = c->snd_nxt;
		return true;
	}
	tcp_tlp_sent(e, c, c->snd_nxt, true);
	if (out_last(e, c, now, s))
		return true;
	tcp_tlp_stop(c); /* nothing has left: there is nothing to judge */
	return false;
}

bool
tcp_out_next(struct tcp_env *e, struct tcp_conn *c, int64_t now, struct tcp_seg *s)
{
	enum tcp_usual usual = tcp_usual_out(e, c, now, s);

	if (likely(usual != TCP_USUAL_NOT))
		return usual == TCP_USUAL_SEGMENT;
	if (c->flags & TCPF_RST)
		return out_rst(e, c, now, s);
	if (c->state == TCP_CLOSED)
		return false;
	if (c->flags & TCPF_SYN_DUE)
		return out_syn(e, c, now, s);
	if ((c->ecn & ECN_ACK_FIRST) && out_ack_first(e, c, now, s))
		return true;
	if (tcp_facts[c->state].synchronized &&
	    (out_loss_probe(e, c, now, s) || out_retransmission(e, c, now, s) ||
	     out_text(e, c, now, s)))
		return true;
	if (c->flags & TCPF_PROBE)
		return out_probe(e, c, now, s);
	if (c->flags & TCPF_ACK_NOW)
		return out_ack(e, c, now, s);
	return false;
}

/* A connection that may have text to send is not on the ACK list: the text
 * carries the ACK.  Whether it really may is out_text()'s to say. */
enum tcp_owes
tcp_owes(struct tcp_env *e, const struct tcp_conn *c, int64_t now)
{
	bool fin = c->state != TCP_ESTABLISHED && tcp_facts[c->state].owes_fin &&
	           !(c->flags & TCPF_FIN_SENT);

	(void)e;
	if (c->flags & TCPF_RST)
		return TCP_OWES_CONTROL;
	if (c->state == TCP_CLOSED)
		return TCP_OWES_NOTHING;
	if (c->flags & TCPF_SYN_DUE)
		return TCP_OWES_CONTROL;
	if ((fin || tcp_unsent(c) || tcp_sack_first_lost(c)) && !tcp_pace_holds(c, now))
		return TCP_OWES_DATA;
	if (c->flags & TCPF_LOSS_PROBE)
		return TCP_OWES_DATA;
	if ((c->flags & TCPF_PROBE) || (c->ecn & ECN_ACK_FIRST))
		return TCP_OWES_ACK;
	if (c->flags & TCPF_ACK_NOW)
		return c->flags & TCPF_ACK_SOON ? TCP_OWES_ACK_SOON : TCP_OWES_ACK;
	return TCP_OWES_NOTHING;
}

bool
tcp_reset_for(const struct tcp_seg *in, struct tcp_seg *out)
{
	if (in->flags & TCP_RST)
		return false;
	*out = (struct tcp_seg){ .flags = TCP_RST, .sport = in->dport, .dport = in->sport };
	if (in->flags & TCP_ACK) {
		out->seq = in->ack;
	} else {
		out->flags |= TCP_ACK;
		out->ack = seq_add(in->seq, seg_space(in));
	}
	return true;
}
