/* SPDX-License-Identifier: BSD-3-Clause */
/* What one ACK taught: the fifth step of RFC 9293 3.10.7.4. */

#include "tcp/tcp_in.h"

#include "tcp/tcp_ecn.h"
#include "tcp/tcp_plpmtu.h"
#include "tcp/tcp_pmtu.h"
#include "tcp/tcp_rare.h"
#include "tcp/tcp_recovery.h"
#include "tcp/tcp_rtt.h"
#include "tcp/tcp_timer.h"
#include "tcp/tcp_window.h"

/* SYN-RECEIVED: the ACK of our SYN, or of nothing we know. */
enum fate
tcp_ack_of_syn(struct tcp_env *e, struct tcp_conn *c, const struct tcp_seg *s, int64_t now)
{
	if (!seq_lt(c->snd_una, s->ack) || seq_lt(c->snd_nxt, s->ack))
		return DROP_HANDSHAKE_RESET;
	if ((c->flags & TCPF_TS) && tcp_rtt_first_syn_answered(c, s))
		c->retries = 0;
	if (c->retries == 0 && now >= c->sent_at) /* a cookie knows no time of sending */
		tcp_rtt_sample(e->cfg, c, now - c->sent_at);
	c->snd_una = seq_add(c->iss, 1);
	c->snd_wl1 = s->seq;
	c->snd_wnd = s->wnd << c->snd_wscale;
	c->snd_wnd_max = max(c->snd_wnd_max, c->snd_wnd);
	tcp_set_state(e, c, TCP_ESTABLISHED, now);
	tcp_established(e, c, now);
	/* By Fast Open text was there to be read before. */
	if ((c->flags & TCPF_FASTOPEN) && tcp_window_update_due(e, c))
		c->flags |= TCPF_ACK_NOW;
	return SEG_OK;
}

/*
 * RFC 9293 lets an ACK that carries an older SEG.SEQ advance SND.UNA without
 * taking its window, which moves the right edge beyond what the peer ever
 * offered.  An ACK that advances is always taken.  Of two that say the same
 * the one with the larger window is the later one, since windows do not
 * shrink; but a window that is closed is believed: sending into it would only
 * look like loss, and a probe finds out if it was an old one.
 */
static void
update_window(struct tcp_conn *c, const struct tcp_seg *s)
{
	uint32_t wnd = s->wnd << c->snd_wscale;

	if (seq_lt(s->ack, c->snd_una))
		return;
	if (seq_lt(c->snd_una, s->ack) || seq_lt(c->snd_wl1, s->seq) ||
	    (seq_eq(c->snd_wl1, s->seq) && (wnd > c->snd_wnd || wnd == 0))) {
		c->snd_wnd = wnd;
		c->snd_wnd_max = max(c->snd_wnd_max, wnd);
		c->snd_wl1 = s->seq;
	}
}

/* RFC 5681 2: (a) data outstanding, (b) no text, (c) no SYN or FIN, (d) the
 * same acknowledgment, (e) the same window. */
static bool
is_duplicate(const struct tcp_conn *c, const struct tcp_seg *s)
{
	return tcp_flight(c) > 0 && s->len == 0 && !(s->flags & (TCP_SYN | TCP_FIN)) &&
	       seq_eq(s->ack, c->snd_una) && s->wnd << c->snd_wscale == c->snd_wnd;
}

/* A range sent once measures best; when all were sent again the echoed timestamp still tells
 * which transmission it was (RFC 7323 4).  If it was an earlier one its ACK got lost, and what
 * has passed since is our own time-outs: a sample of them would make the next ones longer. */
static int64_t
rtt_of(const struct tcp_conn *c, const struct tcp_seg *s, const struct sack_news *n, int64_t now)
{
	uint32_t ms;

	if (n->rtt_ns >= 0)
		return n->rtt_ns;
	if (!n->acked || !(c->flags & TCPF_TS) || !(s->opts & TCP_OPT_TS) || s->tsecr == 0)
		return -1;
	if (n->again && (int32_t)(s->tsecr - tcp_ts_now(c, n->again_at)) < 0)
		return -1;
	ms = tcp_ts_now(c, now) - s->tsecr;
	return ms < 1000000 ? MS(max(ms, 1u)) : -1;
}

/* Gives acknowledged text back to the application as room. */
void
tcp_text_acked(struct tcp_env *e, struct tcp_conn *c)
{
	struct tcp_streams *t = c->streams;
	uint32_t read, written, upto;

	if (!t)
		return;
	read = atomic_load_explicit(&t->snd_r.read, memory_order_relaxed);
	written = atomic_load_explicit(&t->snd_w.written, memory_order_acquire);
	upto = seq_sub(c->snd_una, c->iss) - 1;
	if (upto - read > written - read) /* the FIN has no byte in the stream */
		upto = written;
	if (upto != read)
		stream_consume(&t->snd_r, &t->snd_w, c->xmit ? &c->xmit->snd_cur : NULL,
		               upto - read, &e->spare);
	if (c->xmit) /* its chunk may be gone */
		stream_cursor_consumed(&c->xmit->rtx_cur, &t->snd_r);
	c->acked_wraps += upto < read;
}

/* Our FIN is acknowledged: the half of figure 5 below our close. */
static void
fin_acked(struct tcp_env *e, struct tcp_conn *c, int64_t now)
{
	switch ((enum tcp_state)c->state) {
	case TCP_FIN_WAIT_1:
		tcp_set_state(e, c, TCP_FIN_WAIT_2, now);
		break;
	case TCP_CLOSING:
		tcp_set_state(e, c, TCP_TIME_WAIT, now);
		break;
	case TCP_LAST_ACK:
		tcp_set_state(e, c, TCP_CLOSED, now);
		break;
	default:
		break;
	}
}

static void
advance(struct tcp_env *e, struct tcp_conn *c, const struct tcp_seg *s, int64_t now,
        struct sack_news *n)
{
	n->acked = seq_sub(s->ack, c->snd_una);
	tcp_sack_acked(e, c, s->ack, now, n);
	c->snd_una = s->ack;
	tcp_pmtu_unclaim(c); /* what we send does arrive */
	if (c->xmit && c->xmit->probe)
		tcp_plpmtu_acked(e, c, now);
	if (c->xmit && seq_lt(c->xmit->small, c->snd_una))
		c->xmit->small = c->snd_una;
	c->err = TCP_E_NONE; /* what ICMP had to say is over */
	tcp_text_acked(e, c);
}

/* The peer answers.  For as long as it does its window may stay closed (RFC 9293
 * MUST-37), even one that it closed over what is in flight (SHLD-17).  When
 * nobody is left to tell of the wait, it is limited (RFC 6429 4). */
static void
closed_window_answers(struct tcp_conn *c)
{
	c->probes = 0;
	if (!(c->flags & TCPF_ORPHAN))
		c->retries = 0;
}

static void
took_news(struct tcp_env *e, struct tcp_conn *c, const struct tcp_seg *s, struct sack_news *n,
          bool dup, uint32_t flight, int64_t now)
{
	if (n->rtt_ns >= 0) /* without one the back-off stays (RFC 6298 5, Karn) */
		tcp_rtt_sample(e->cfg, c, n->rtt_ns);
	n->ece = tcp_ecn_echoed(c, s);
	if (n->ece)
		tcp_rare_own(e, c)->delivered_ce += n->n_delivered;
	tcp_rate_acked(c, n, now);
	if (n->acked)
		tcp_timer_acked(c, now);
	tcp_recovery_acked(e, c, n, dup, flight, now);
	if (n->acked)
		tcp_timer_probe(c, now);
	if (tcp_flight(c) == 0)
		tcp_sack_release(e, c);
	tcp_window_grow_send(e, c);
}

static struct sack_news
news_begin(const struct tcp_conn *c, const struct tcp_seg *s)
{
	bool echo = (c->flags & TCPF_TS) && (s->opts & TCP_OPT_TS) && s->tsecr != 0;

	return (struct sack_news){ .rtt_ns = -1, .has_ts = echo, .tsecr = s->tsecr };
}

/* RFC 8985 7.4's duplicate ACK: nothing may be in flight any more. */
static bool
says_nothing(const struct tcp_conn *c, const struct tcp_seg *s, const struct sack_news *n,
             uint32_t wnd_before)
{
	return n->acked == 0 && s->len == 0 && s->n_sack == 0 &&
	       !(s->flags & (TCP_SYN | TCP_FIN)) && c->snd_wnd == wnd_before;
}

enum fate
tcp_ack(struct tcp_env *e, struct tcp_conn *c, const struct tcp_seg *s, int64_t now)
{
	struct sack_news n = news_begin(c, s);
	uint32_t flight = tcp_flight(c), wnd;
	bool dup, closed;
	enum fate fate;

	if (!(s->flags & TCP_ACK))
		return DROP_NO_ACK;
	if (c->state == TCP_SYN_RCVD && (fate = tcp_ack_of_syn(e, c, s, now)))
		return fate;
	if (seq_lt(c->snd_nxt, s->ack)) {
		tcp_challenge(e, c, now);
		return DROP_ACK_UNSENT;
	}
	if (seq_sub(c->snd_una, s->ack) > c->snd_wnd_max && seq_lt(s->ack, c->snd_una)) {
		tcp_challenge(e, c, now);
		return DROP_ACK_OLD;
	}
	if (seq_lt(s->ack, c->snd_una))
		return SEG_OK; /* overtaken by a later ACK: its text still counts */
	dup = is_duplicate(c, s);
	wnd = c->snd_wnd;
	closed = c->snd_wnd == 0;
	update_window(c, s);
	if (closed && c->snd_wnd > 0)
		tcp_timer_window_opened(e, c, now);
	if (c->rtx_kind == RTX_PERSIST || c->snd_wnd == 0)
		closed_window_answers(c);
	/* In this order: what the ACK covers was not overtaken by what it SACKs. */
	if (seq_lt(c->snd_una, s->ack))
		advance(e, c, s, now, &n);
	tcp_sack_blocks(e, c, s, now, &n);
	n.rtt_ns = rtt_of(c, s, &n, now);
	tcp_recovery_probe_acked(e, c, &n, says_nothing(c, s, &n, wnd), now);
	if (n.acked || flight > 0)
		took_news(e, c, s, &n, dup, flight, now);
	if ((c->flags & TCPF_FIN_SENT) && tcp_flight(c) == 0)
		fin_acked(e, c, now);
	return SEG_OK;
}
