/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A segment arrives (RFC 9293 3.10.7).  Input never sends: it changes the
 * connection and notes what is owed; output looks later at what to send.
 */

#include "tcp/tcp_in.h"

#include "tcp/tcp_ecn.h"
#include "tcp/tcp_fastopen.h"
#include "tcp/tcp_rare.h"
#include "tcp/tcp_reass.h"
#include "tcp/tcp_rtt.h"
#include "tcp/tcp_timer.h"
#include "tcp/tcp_urgent.h"
#include "tcp/tcp_usual.h"
#include "tcp/tcp_window.h"

#define REPAIR_ACKS 2u /* quick ones after a hole was filled: one may get lost */
#define PAWS_IDLE_S (24u * 86400u) /* RFC 7323 5.5: TS.Recent is void after 24 days */

void
tcp_challenge(struct tcp_env *e, struct tcp_conn *c, int64_t now)
{
	uint32_t now_ms = (uint32_t)(now / NS_PER_MS);
	struct tcp_rare *r = tcp_rare_own(e, c);

	if (now_ms - r->challenge_ms >= 1000) {
		r->challenge_ms = now_ms;
		r->challenges = 0;
	}
	if (r->challenges < min(e->cfg->challenge_ack_per_s, (uint32_t)UINT16_MAX)) {
		r->challenges++;
		c->flags |= TCPF_ACK_NOW;
	}
}

/* ------------------------------------------------- first: sequence number -- */

static bool
ts_recent_void(const struct tcp_conn *c, int64_t now)
{
	return (uint32_t)(now / NS_PER_S) - c->ts_recent_s > PAWS_IDLE_S;
}

/* RFC 7323 5.3 R1.  A pure ACK that was overtaken is old without being wrong:
 * it is dropped, but not answered, or the answers would look like duplicates. */
static enum fate
check_paws(struct tcp_env *e, struct tcp_conn *c, const struct tcp_seg *s, int64_t now)
{
	if (!(c->flags & TCPF_TS) || !(s->opts & TCP_OPT_TS) || (s->flags & TCP_RST))
		return SEG_OK;
	if ((int32_t)(s->tsval - c->ts_recent) >= 0 || ts_recent_void(c, now))
		return SEG_OK;
	if (seg_space(s) > 0) {
		tcp_reass_duplicate(e, c, s->seq, seq_min(seq_add(s->seq, s->len), c->rcv_nxt));
		tcp_challenge(e, c, now);
	}
	return DROP_PAWS;
}

/* RFC 9293 3.10.7.4, first; with a closed window the segment at its edge is let
 * through for its ACK, URG and RST (MUST-66): its text finds no room.  Without text, the
 * right edge itself is inside, as on Linux and unlike the RFC's table: a peer that has
 * filled the window stands there, and its ACKs are to be heard (a reset there is not
 * at RCV.NXT and is challenged). */
static bool
acceptable(const struct tcp_conn *c, const struct tcp_seg *s)
{
	uint32_t wnd = tcp_rcv_wnd(c), space = seg_space(s);
	uint32_t first = seq_sub(s->seq, c->rcv_nxt);
	uint32_t last = first + space - 1;

	if (first == 0 || first < wnd)
		return true;
	return space > 0 ? last < wnd : first == wnd;
}

/* The peer's window is small, and each ACK lets it grow: it repeats what we have, or
 * speaks again after a silence that was an RTO, ours as good a guess as any. */
static void
acks_quickly(struct tcp_env *e, struct tcp_conn *c)
{
	c->quickacks = (uint8_t)min(e->cfg->quickack, (uint32_t)UINT8_MAX);
}

static enum fate
check_sequence(struct tcp_env *e, struct tcp_conn *c, const struct tcp_seg *s, int64_t now)
{
	seq_t end = seq_add(s->seq, seg_space(s));
	enum fate fate = check_paws(e, c, s, now);

	if (fate || acceptable(c, s))
		return fate;
	if (s->flags & TCP_RST)
		return DROP_OUTSIDE_WINDOW;
	if (seg_space(s) == 0 || (s->flags & TCP_SYN)) {
		tcp_challenge(e, c, now);
		return DROP_OUTSIDE_WINDOW;
	}
	c->flags |= TCPF_ACK_NOW;
	if (!seq_le(end, c->rcv_nxt))
		return DROP_OUTSIDE_WINDOW;
	acks_quickly(e, c);
	tcp_reass_duplicate(e, c, s->seq, seq_add(s->seq, s->len));
	return DROP_DUPLICATE;
}

/* RFC 7323 4.3 (2): from the segment that the next ACK will be about. */
static void
update_ts_recent(struct tcp_conn *c, const struct tcp_seg *s, int64_t now)
{
	if (!(c->flags & TCPF_TS) || !(s->opts & TCP_OPT_TS) || seq_lt(c->rcv_acked, s->seq))
		return;
	if ((int32_t)(s->tsval - c->ts_recent) < 0 && !ts_recent_void(c, now))
		return;
	c->ts_recent = s->tsval;
	c->ts_recent_s = (uint32_t)(now / NS_PER_S);
}

/* What any acceptable segment tells. */
static void
heard_from(struct tcp_env *e, struct tcp_conn *c, const struct tcp_seg *s, int64_t now)
{
	update_ts_recent(c, s, now);
	tcp_ecn_arrived(c, s);
	if (s->len && tcp_silence_ns(c, now) > tcp_rto_ns(c))
		acks_quickly(e, c);
	tcp_timer_received(e, c, now);
}

/* --------------------------------------------------------- second: RST -- */

static enum tcp_error
reset_error(const struct tcp_conn *c)
{
	switch ((enum tcp_state)c->state) {
	case TCP_SYN_RCVD:
		return c->flags & TCPF_ACTIVE_OPEN ? TCP_E_REFUSED : TCP_E_RESET;
	case TCP_CLOSE_WAIT:
		return TCP_E_PIPE; /* the peer's text is complete; only ours is lost */
	case TCP_CLOSING:
	case TCP_LAST_ACK:
	case TCP_TIME_WAIT:
		return TCP_E_NONE;
	default:
		return TCP_E_RESET;
	}
}

/* RFC 5961 3.2: exactly at RCV.NXT or not at all. */
static enum fate
check_rst(struct tcp_env *e, struct tcp_conn *c, const struct tcp_seg *s, int64_t now)
{
	if (!(s->flags & TCP_RST))
		return SEG_OK;
	if (!seq_eq(s->seq, c->rcv_nxt)) {
		tcp_challenge(e, c, now);
		return DROP_RST_CHALLENGED;
	}
	c->err = (uint8_t)reset_error(c);
	tcp_set_state(e, c, TCP_CLOSED, now);
	return DROP_RESET;
}

/* ---------------------------------------------------------- fourth: SYN -- */

static enum fate
check_syn(struct tcp_env *e, struct tcp_conn *c, const struct tcp_seg *s, int64_t now)
{
	if (!(s->flags & TCP_SYN))
		return SEG_OK;
	tcp_challenge(e, c, now);
	return DROP_SYN_CHALLENGED;
}

/* ---------------------------------------------------- seventh: the text -- */

static void
estimate_rcv_mss(struct tcp_conn *c, uint32_t len)
{
	if (len > c->rcv_mss)
		c->rcv_mss = (uint16_t)min(len, (uint32_t)c->adv_mss);
}

/* At once, but for the turn of the application, whose answer to what has come would carry it. */
static void
ack_soon(struct tcp_conn *c)
{
	if (!(c->flags & TCPF_ACK_NOW))
		c->flags |= TCPF_ACK_NOW | TCPF_ACK_SOON;
}

/* RFC 9293 3.8.6.3: at once for every second full segment, while a hole is
 * open or was just filled, while the peer's window is small so that its
 * slow start gets going, and for the full segment that it pushes: nothing follows
 * before it hears of us.  Otherwise later, with our data if there is some; and a small segment
 * ends what the peer has to say: then there probably is. */
static void
schedule_ack(struct tcp_env *e, struct tcp_conn *c, uint32_t len, bool at_once, int64_t now)
{
	if (at_once || seq_sub(c->rcv_nxt, c->rcv_acked) >= 2u * c->rcv_mss) {
		c->flags |= TCPF_ACK_NOW;
	} else if (c->quickacks > 0 && !(c->flags & TCPF_INTERACTIVE)) {
		c->quickacks--;
		if (len < c->rcv_mss)
			ack_soon(c);
		else
			c->flags |= TCPF_ACK_NOW;
	} else {
		tcp_timer_delay_ack(e, c, now);
	}
}

/* While a loss is repaired or the window is small, one lost ACK must not hide a whole burst:
 * what came before this segment gets an ACK apart.  Two a step are enough. */
static inline void
ack_apart(struct tcp_conn *c)
{
	bool quick = c->quickacks > 0 && !(c->flags & TCPF_INTERACTIVE);

	if (!(c->flags & TCPF_ACK_NOW) || (c->ecn & ECN_ACK_FIRST) ||
	    !(quick || tcp_reass_holds(c)))
		return;
	c->ecn |= ECN_ACK_FIRST | (c->ecn & ECN_ECHO ? ECN_ACK_CE : 0);
	c->ecn_ack = c->rcv_nxt;
}

static bool
peer_waits(const struct tcp_conn *c, const struct tcp_seg *s)
{
	return (s->flags & TCP_PSH) && s->len >= c->rcv_mss && !(c->flags & TCPF_INTERACTIVE);
}

static enum fate
text_in_order(struct tcp_env *e, struct tcp_conn *c, const uint8_t *text, uint32_t len,
              bool pushed, int64_t now)
{
	bool hole = tcp_reass_holds(c);
	struct tcp_streams *t = c->streams;
	uint32_t n;

	(void)tcp_chunks_want(e, len / CHUNK_ROOM + 2);
	n = stream_write(&t->rcv_w, &t->rcv_r, &e->spare, text, len);
	if (n < len && hole) { /* what comes first is worth more than what comes later */
		tcp_reass_release(e, c);
		n += stream_write(&t->rcv_w, &t->rcv_r, &e->spare, text + n, len - n);
	}
	c->rcv_nxt = seq_add(c->rcv_nxt, n);
	tcp_received(c, n);
	if (hole) {
		(void)tcp_reass_deliver(e, c);
		c->quickacks = (uint8_t)max((uint32_t)c->quickacks,
		                             min(e->cfg->quickack, REPAIR_ACKS));
	}
	schedule_ack(e, c, len, hole || n < len || pushed, now);
	return n < len ? DROP_NO_MEMORY : SEG_OK;
}

enum fate
tcp_in_next(struct tcp_env *e, struct tcp_conn *c, const struct tcp_seg *s, int64_t now)
{
	estimate_rcv_mss(c, s->len);
	ack_apart(c);
	return text_in_order(e, c, s->text, s->len, peer_waits(c, s), now);
}

/* Nobody is left to read it: say so (RFC 9293 SHLD-3). */
static enum fate
text_after_close(struct tcp_env *e, struct tcp_conn *c, int64_t now)
{
	tcp_abort(e, c, TCP_E_NONE, now);
	return DROP_AFTER_CLOSE;
}

static enum fate
process_text(struct tcp_env *e, struct tcp_conn *c, const struct tcp_seg *s, int64_t now)
{
	seq_t start = seq_max(s->seq, c->rcv_nxt), end = seq_add(s->seq, s->len);
	seq_t edge = c->rcv_adv;

	if (s->len == 0 || !tcp_facts[c->state].may_recv)
		return SEG_OK;
	if ((c->flags & TCPF_FIN_SEEN) && tcp_rare(c)->fin_waits)
		edge = seq_min(edge, tcp_rare(c)->rcv_fin);
	if (seq_lt(c->rcv_nxt, end) && (c->flags & TCPF_ORPHAN))
		return text_after_close(e, c, now);
	end = seq_min(end, edge);
	if (!seq_lt(start, end)) {
		c->flags |= TCPF_ACK_NOW;
		return tcp_rcv_wnd(c) == 0 ? DROP_ZERO_WINDOW : SEG_OK;
	}
	estimate_rcv_mss(c, s->len);
	ack_apart(c);
	tcp_reass_duplicate(e, c, s->seq, seq_min(start, end)); /* the part below RCV.NXT */
	if (seq_eq(start, c->rcv_nxt))
		return text_in_order(e, c, s->text + seq_sub(start, s->seq), seq_sub(end, start),
		                     peer_waits(c, s), now);
	c->flags |= TCPF_ACK_NOW;
	return tcp_reass_add(e, c, start, s->text + seq_sub(start, s->seq), seq_sub(end, start));
}

void
tcp_in_text(struct tcp_env *e, struct tcp_conn *c, const struct tcp_seg *s, int64_t now)
{
	(void)process_text(e, c, s, now);
}

/* ------------------------------------------------------------ eighth: FIN -- */

static void
fin_arrived(struct tcp_env *e, struct tcp_conn *c, int64_t now)
{
	c->rcv_nxt = seq_add(c->rcv_nxt, 1);
	c->rcv_adv = seq_max(c->rcv_adv, c->rcv_nxt);
	switch ((enum tcp_state)c->state) {
	case TCP_ESTABLISHED:
		ack_soon(c); /* with our FIN, most likely */
		tcp_set_state(e, c, TCP_CLOSE_WAIT, now);
		return;
	case TCP_FIN_WAIT_1:
		tcp_set_state(e, c, TCP_CLOSING, now);
		break;
	case TCP_FIN_WAIT_2:
		tcp_set_state(e, c, TCP_TIME_WAIT, now);
		break;
	default:
		break;
	}
	c->flags |= TCPF_ACK_NOW;
}

/* A FIN inside the window is believed, unless text has been received that would
 * stand behind it. */
static bool
fin_fits(const struct tcp_conn *c, seq_t at)
{
	return !seq_lt(c->rcv_adv, at) && !seq_lt(at, c->rcv_nxt) && !tcp_reass_beyond(c, at);
}

static void
fin_waits(struct tcp_env *e, struct tcp_conn *c, seq_t at)
{
	struct tcp_rare *r = tcp_rare_own(e, c);

	r->fin_waits = true;
	r->rcv_fin = at;
}

/* A FIN may arrive before the text it follows: its place is remembered. */
static void
process_fin(struct tcp_env *e, struct tcp_conn *c, const struct tcp_seg *s, int64_t now)
{
	seq_t at = seq_add(s->seq, s->len);

	if (!tcp_facts[c->state].may_recv)
		return;
	if ((s->flags & TCP_FIN) && !(c->flags & TCPF_FIN_SEEN) && fin_fits(c, at)) {
		c->flags |= TCPF_FIN_SEEN;
		if (seq_eq(c->rcv_nxt, at))
			fin_arrived(e, c, now);
		else
			fin_waits(e, c, at);
	} else if (tcp_rare(c)->fin_waits && seq_eq(c->rcv_nxt, c->rare->rcv_fin)) {
		c->rare->fin_waits = false;
		fin_arrived(e, c, now);
	}
}

static bool
fin_concerns(const struct tcp_conn *c, const struct tcp_seg *s)
{
	return (s->flags & TCP_FIN) || (c->flags & TCPF_FIN_SEEN);
}

/* ------------------------------------------------------------- the states -- */

enum fate
tcp_in_rest(struct tcp_env *e, struct tcp_conn *c, const struct tcp_seg *s, int64_t now)
{
	enum fate fate;

	c->flags &= ~(uint32_t)TCPF_URG_NEWS;
	fate = process_text(e, c, s, now);           /* seventh                   */
	if (unlikely(fin_concerns(c, s)))
		process_fin(e, c, s, now);           /* eighth                    */
	return fate;
}

/* RFC 9293 3.10.7.4.  One line is one step of the RFC, in the RFC's order. */
static enum fate
in_synchronized(struct tcp_env *e, struct tcp_conn *c, const struct tcp_seg *s, int64_t now)
{
	enum fate fate;

	if ((fate = check_sequence(e, c, s, now)) || /* first                     */
	    (fate = check_rst(e, c, s, now)) ||      /* second   (third: unused)  */
	    (fate = check_syn(e, c, s, now)))        /* fourth                    */
		return fate;
	heard_from(e, c, s, now);
	fate = tcp_ack(e, c, s, now);                /* fifth                     */
	if (fate || c->state == TCP_CLOSED)
		return fate;
	if (unlikely(tcp_urgent_concerns(c, s)))
		tcp_urgent_in(e, c, s);              /* sixth                     */
	return c->flags & TCPF_URG_NEWS ? SEG_OK : tcp_in_rest(e, c, s, now);
}

/* In a simultaneous open the peer's SYN-ACK repeats the SYN we have had: what
 * is new in it is its ACK (RFC 9293 3.5, figure 7). */
static enum fate
in_syn_received(struct tcp_env *e, struct tcp_conn *c, const struct tcp_seg *s, int64_t now)
{
	struct tcp_seg again = *s;

	if ((s->flags & (TCP_SYN | TCP_ACK | TCP_RST)) == TCP_SYN && seq_eq(s->seq, tcp_irs(c))) {
		c->flags |= TCPF_SYN_DUE; /* our SYN-ACK was lost, or is late */
		return SYN_AGAIN;
	}
	if ((s->flags & (TCP_SYN | TCP_ACK | TCP_RST)) == (TCP_SYN | TCP_ACK) &&
	    seq_eq(s->seq, tcp_irs(c))) {
		again.flags &= (uint8_t)~(TCP_SYN | TCP_URG); /* the next one points there too */
		again.seq = seq_add(s->seq, 1);
		again.wnd = s->wnd >> c->snd_wscale; /* a SYN's is never scaled (RFC 7323 2.2) */
		c->flags |= TCPF_ACK_NOW;
	}
	return in_synchronized(e, c, &again, now);
}

static void
syn_sent_synchronize(struct tcp_env *e, struct tcp_conn *c, const struct tcp_seg *s, int64_t now)
{
	c->snd_wl1 = s->seq;
	c->rcv_nxt = c->rcv_acked = seq_add(s->seq, 1);
	c->rcv_adv = seq_add(c->rcv_nxt, tcp_window_first(c));
	c->snd_wnd = c->snd_wnd_max = s->wnd; /* never scaled in a SYN */
	tcp_take_syn_options(e, c, s, now);
	tcp_ecn_answered(e, c, s);
	tcp_timer_received(e, c, now);
}

/* RFC 9293 3.10.7.3. */
static enum fate
in_syn_sent(struct tcp_env *e, struct tcp_conn *c, const struct tcp_seg *s, int64_t now)
{
	struct tcp_seg text = *s;
	bool acks = (s->flags & TCP_ACK) && seq_le(s->ack, c->snd_nxt) &&
	            seq_lt(c->iss, s->ack);

	if ((s->flags & TCP_ACK) && !acks)
		return s->flags & TCP_RST ? DROP_HANDSHAKE : DROP_HANDSHAKE_RESET;
	if (s->flags & TCP_RST) {
		if (!acks)
			return DROP_HANDSHAKE;
		c->err = TCP_E_REFUSED;
		tcp_set_state(e, c, TCP_CLOSED, now);
		return DROP_RESET;
	}
	if (!(s->flags & TCP_SYN))
		return DROP_HANDSHAKE;
	syn_sent_synchronize(e, c, s, now);
	if (!acks) {
		c->snd_nxt = seq_add(c->iss, 1); /* text of a Fast Open comes later, as new */
		c->flags &= ~(uint32_t)TCPF_FASTOPEN;
		tcp_set_state(e, c, TCP_SYN_RCVD, now);
		c->flags |= TCPF_SYN_DUE;
		return SEG_OK;
	}
	c->snd_una = s->ack;
	if (tcp_rtt_first_syn_answered(c, s))
		c->retries = 0;
	if (c->retries == 0)
		tcp_rtt_sample(e->cfg, c, now - c->sent_at);
	tcp_fastopen_synack(e, c, s, now);
	tcp_text_acked(e, c);
	tcp_set_state(e, c, TCP_ESTABLISHED, now);
	tcp_established(e, c, now);
	text.seq = seq_add(s->seq, 1);
	text.flags &= (uint8_t)~TCP_SYN;
	(void)process_text(e, c, &text, now);
	ack_soon(c); /* what the application says first can carry it */
	process_fin(e, c, &text, now);
	return SEG_OK;
}

enum fate
tcp_in(struct tcp_env *e, struct tcp_conn *c, const struct tcp_seg *s, int64_t now)
{
	enum fate fate;

	c->segs_in++;
	c->data_segs_in += s->len > 0;
	c->flags &= ~TCPF_ACK_SOON; /* whoever sends more waits for what is owed already */
	trace_add(e->trace, now, c->id, T_SEG_IN, s->seq.v, (uint32_t)s->flags << 24 | s->len);
	if (likely(tcp_usual_in(e, c, s, now, &fate)))
		return fate;
	switch ((enum tcp_state)c->state) {
	case TCP_CLOSED:
	case TCP_LISTEN:
		return DROP_NO_CONN;
	case TCP_SYN_SENT:
		return in_syn_sent(e, c, s, now);
	case TCP_SYN_RCVD:
		return tcp_usual_opens(e, c, s, now, &fate) ? fate : in_syn_received(e, c, s, now);
	case TCP_FIN_WAIT_1:
		return tcp_usual_ends(e, c, s, now) ? SEG_OK : in_synchronized(e, c, s, now);
	default:
		return in_synchronized(e, c, s, now);
	}
}
