/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * RACK (RFC 8985) in one sentence: what was sent long enough before something
 * that has arrived, and has not arrived itself, is lost.  "Long enough" is a
 * quarter of the smallest round trip, or nothing at all once three ranges have
 * overtaken it and reordering was never seen.
 */

#include "tcp/tcp_recovery.h"

#include "tcp/tcp_ecn.h"
#include "tcp/tcp_pace.h"
#include "tcp/tcp_rtt.h"
#include "tcp/tcp_timer.h"

/* RFC 8985 6.2 step 2: sent later, or at the same time and further on. */
static bool
sent_after(int64_t at1, seq_t end1, int64_t at2, seq_t end2)
{
	return at1 > at2 || (at1 == at2 && seq_lt(end2, end1));
}

void
tcp_recovery_delivered(struct tcp_conn *c, const struct tcp_sent *r, int64_t now)
{
	struct tcp_xmit *x = c->xmit;
	int64_t rtt = now - r->sent_at;

	if (r->flags & SENT_EVER_RETRANS) {
		/* Step 2: an ACK that comes sooner than any before is that of the
		 * first transmission, and says nothing of this one. */
		if (c->min_rtt_us && rtt < US(c->min_rtt_us))
			return;
	} else if (seq_lt(r->end, x->high_sacked)) {
		c->flags |= TCPF_REORDER; /* step 3: arrived after a later one */
	}
	if (x->rack_sent_at == 0 || sent_after(r->sent_at, r->end, x->rack_sent_at, x->rack_end)) {
		x->rack_sent_at = r->sent_at;
		x->rack_end = r->end;
		x->rack_rtt = rtt;
	}
}

/* Step 4: the reordering window. */
static int64_t
reorder_window(const struct tcp_env *e, const struct tcp_conn *c)
{
	int64_t window = US(c->min_rtt_us) / 4;

	if (!(c->flags & TCPF_REORDER) &&
	    (c->ca >= TCP_CA_RECOVERY || c->xmit->n_sacked >= e->cfg->dupthresh))
		return 0;
	return min(window, tcp_srtt_ns(c));
}

/* Step 5: marks ranges as lost, and asks to look again when the next one would
 * be.  True when something was marked. */
static bool
rack_detect(struct tcp_env *e, struct tcp_conn *c, int64_t now)
{
	struct tcp_xmit *x = c->xmit;
	int64_t window;
	bool found = false;

	if (!x || x->rack_sent_at == 0)
		return false;
	window = reorder_window(e, c);
	list_for_each(l, &x->timed) {
		struct tcp_sent *r = container_of(l, struct tcp_sent, tlink);
		int64_t at = r->sent_at + x->rack_rtt + window;

		if (!sent_after(x->rack_sent_at, x->rack_end, r->sent_at, r->end))
			break;
		if (at > now) {
			tcp_timer_reorder(c, at);
			break;
		}
		tcp_sack_lost(c, r);
		found = true;
	}
	return found;
}

/* Peers without SACK: three duplicates mean that the first range is lost (RFC
 * 6582 3.2 step 2); in recovery each partial ACK tells of the next (step 3). */
static bool
newreno_detect(struct tcp_env *e, struct tcp_conn *c, const struct sack_news *n, bool dup)
{
	struct tcp_xmit *x = c->xmit;
	struct link *first = x ? list_first(&x->sent) : NULL;
	bool partial = c->ca == TCP_CA_RECOVERY && n->acked && seq_lt(c->snd_una, c->recover);
	struct tcp_sent *r;

	if (!first)
		return false;
	if (dup && c->ca != TCP_CA_LOSS && x->reno_dups < x->n_sent)
		x->reno_dups++;
	r = container_of(first, struct tcp_sent, link);
	if (r->flags & (SENT_LOST | SENT_RETRANS))
		return false;
	if (!partial && (c->ca >= TCP_CA_RECOVERY || x->reno_dups < e->cfg->dupthresh))
		return false;
	/* Step 2's guard: duplicates of what was sent before the last recovery
	 * must not start another one. */
	if (!partial && seq_le(c->snd_una, c->recover))
		return false;
	if (seq_sub(r->end, r->start) > c->mss)
		(void)tcp_sack_split(e, c, r, seq_add(r->start, c->mss));
	tcp_sack_lost(c, r);
	c->flags |= TCPF_RETRANSMIT_NOW;
	return true;
}

/* PRR brings cwnd down to `ssthresh` while ACKs come in. */
static void
reduce(struct tcp_conn *c, uint32_t ssthresh)
{
	struct tcp_xmit *x = c->xmit;

	c->ssthresh = ssthresh;
	x->prr_delivered = x->prr_out = 0;
	x->prr_flight = max(tcp_flight(c), 1u);
	tcp_ecn_reduced(c);
}

static void
enter_recovery(struct tcp_env *e, struct tcp_conn *c, int64_t now)
{
	trace_add(e->trace, now, c->id, T_FAST_RETRANSMIT, c->snd_una.v, c->snd_nxt.v);
	if (c->ca != TCP_CA_CWR) /* or this window has had its reduction */
		reduce(c, c->cc->ssthresh(c, now));
	c->ca = TCP_CA_RECOVERY;
	c->recover = c->snd_nxt;
	c->flags |= TCPF_RETRANSMIT_NOW;
}

/* RFC 3168 6.1.2: a mark counts as a loss does, once in a window; nothing has to
 * be sent again. */
static void
enter_cwr(struct tcp_env *e, struct tcp_conn *c, int64_t now)
{
	uint32_t (*ssthresh)(struct tcp_conn *, int64_t) =
	    c->cc->on_ecn ? c->cc->on_ecn : c->cc->ssthresh;

	trace_add(e->trace, now, c->id, T_ECN, c->snd_una.v, c->snd_nxt.v);
	reduce(c, ssthresh(c, now));
	c->ca = TCP_CA_CWR;
	c->xmit->cwr_end = c->snd_nxt;
	if (tcp_flight(c) == 0) { /* no ACK will come to bring it down by */
		c->cwnd = min(c->cwnd, c->ssthresh);
		c->ca = TCP_CA_OPEN;
	}
}

/* RFC 6937 3: sending in proportion to what is delivered, so that cwnd arrives
 * at ssthresh when recovery ends and nothing leaves as a burst. */
static void
prr(struct tcp_conn *c, const struct sack_news *n, bool more_lost)
{
	struct tcp_xmit *x = c->xmit;
	uint32_t pipe = tcp_sack_pipe(c);
	int64_t room;

	x->prr_delivered += n->delivered;
	if (pipe > c->ssthresh) {
		uint64_t due = ((uint64_t)x->prr_delivered * c->ssthresh + x->prr_flight - 1) /
		               x->prr_flight;

		room = (int64_t)due - x->prr_out;
	} else {
		int64_t limit = (int64_t)x->prr_delivered - x->prr_out;

		if (n->acked && !more_lost) /* slow start reduction bound */
			limit = max(limit, (int64_t)n->delivered) + c->mss;
		room = min((int64_t)c->ssthresh - pipe, limit);
	}
	c->cwnd = max(pipe + (uint32_t)max(room, INT64_C(0)), (uint32_t)c->mss);
}

static void
leave(struct tcp_env *e, struct tcp_conn *c, int64_t now)
{
	if (c->ca != TCP_CA_LOSS && !c->cc->control) /* RFC 6937 3 */
		c->cwnd = max(c->ssthresh, 2u * c->mss);
	if (c->xmit)
		c->xmit->reno_dups = 0;
	c->flags &= ~(uint32_t)TCPF_RETRANSMIT_NOW;
	trace_add(e->trace, now, c->id, T_RECOVERED, c->snd_una.v, c->cwnd);
	c->ca = TCP_CA_OPEN;
	c->cc->on_recovered(c, now);
}

void
tcp_recovery_cwnd_full(struct tcp_conn *c)
{
	if (c->xmit)
		c->xmit->cwnd_full = c->snd_nxt;
}

/* RFC 7661's question in its simplest form: would a smaller cwnd have been
 * enough?  Not for what was sent before cwnd held something back; of a burst of
 * ACKs all but the first find less in flight than that.  In slow start half of
 * it is enough, since it doubles in a round trip. */
static bool
cwnd_limited(const struct tcp_conn *c, const struct sack_news *n, uint32_t flight)
{
	seq_t before = seq_add(c->snd_una, 0u - n->acked);

	if (c->xmit && seq_lt(before, c->xmit->cwnd_full))
		return true;
	return c->cwnd < c->ssthresh && c->cwnd < 2 * flight + c->mss;
}

/* What had been SACKed has had its effect.  After a time-out one ACK may cover
 * all that had arrived: no more than a segment counts (RFC 3465 2.3). */
static struct cc_ack
cc_news(const struct tcp_env *e, const struct tcp_conn *c, const struct sack_news *n,
        uint32_t flight, int64_t now)
{
	bool loss = c->ca == TCP_CA_LOSS;

	return (struct cc_ack){
		.acked = loss ? min(n->delivered, (uint32_t)c->mss) : n->delivered,
		.flight = flight,
		.cwnd_limited = cwnd_limited(c, n, flight),
		.rtt_ns = n->rtt_ns,
		.now = now,
		.delivered = n->delivered,
		.ece = n->ece,
		.paced = tcp_pace_on(e, c),
		.hystart = (enum tcp_hystart)e->cfg->hystart,
		.initial_cwnd = e->cfg->initial_cwnd * c->mss,
		.rate = n->rate.valid ? &n->rate : NULL,
	};
}

/* Once it is reached, `recover` matters while it is not far behind; it must not
 * come around. */
static void
recover_follows(struct tcp_conn *c)
{
	if (c->ca < TCP_CA_RECOVERY && seq_sub(c->snd_una, c->recover) > 1u << 30)
		c->recover = seq_add(c->snd_una, UINT32_MAX);
}

/* What was sent when the reduction began is acknowledged, and something beyond
 * it: the peer has seen CWR. */
static bool
cwr_is_over(const struct tcp_conn *c)
{
	return c->ca == TCP_CA_CWR &&
	       (tcp_flight(c) == 0 || seq_lt(c->xmit->cwr_end, c->snd_una));
}

/* RFC 6937 3: without SACK a duplicate ACK tells that a segment was delivered. */
static struct sack_news
with_duplicates(const struct tcp_conn *c, const struct sack_news *n, bool dup)
{
	struct sack_news all = *n;

	if (dup && !(c->flags & TCPF_SACK))
		all.delivered += c->mss;
	return all;
}

static void
set_cwnd(struct tcp_conn *c, const struct sack_news *n, struct cc_ack *a, bool dup, bool lost)
{
	struct sack_news all = with_duplicates(c, n, dup);

	a->pipe = tcp_sack_pipe(c);
	if (c->cc->control) {
		c->cc->control(c, a);
	} else if (c->ca == TCP_CA_RECOVERY || c->ca == TCP_CA_CWR) {
		if (c->xmit)
			prr(c, &all, lost);
	} else if (n->acked && !n->ece) {
		c->cc->on_ack(c, a);
	}
}

void
tcp_recovery_acked(struct tcp_env *e, struct tcp_conn *c, const struct sack_news *n, bool dup,
                   uint32_t flight_before, int64_t now)
{
	bool lost = c->flags & TCPF_SACK ? rack_detect(e, c, now) : newreno_detect(e, c, n, dup);
	struct cc_ack a = cc_news(e, c, n, flight_before, now);
	bool reduced = c->ca == TCP_CA_CWR;

	if (c->cc->watch)
		c->cc->watch(c, &a);
	if ((c->ca >= TCP_CA_RECOVERY && n->acked && !seq_lt(c->snd_una, c->recover)) ||
	    cwr_is_over(c))
		leave(e, c, now);
	if (lost && c->ca < TCP_CA_RECOVERY)
		enter_recovery(e, c, now);
	else if (n->ece && !c->cc->no_ecn && c->ca < TCP_CA_CWR && c->xmit && !(reduced && tcp_flight(c) == 0))
		enter_cwr(e, c, now);
	if (c->ca < TCP_CA_RECOVERY)
		recover_follows(c);
	if (c->ca == TCP_CA_OPEN || c->ca == TCP_CA_DISORDER)
		c->ca = c->xmit && c->xmit->n_sacked + c->xmit->reno_dups ? TCP_CA_DISORDER
		                                                          : TCP_CA_OPEN;
	set_cwnd(c, n, &a, dup, lost);
}

/* Everything in flight is in doubt; a peer whose first missing range is one it
 * had claimed to hold has reneged (RFC 2018 8). */
void
tcp_recovery_timeout(struct tcp_env *e, struct tcp_conn *c, int64_t now)
{
	struct tcp_xmit *x = c->xmit;
	const struct tcp_sent *first;

	(void)e;
	if (!x)
		return;
	first = container_of(list_first(&x->sent), struct tcp_sent, link);
	if (first->flags & SENT_SACKED)
		tcp_sack_forget(c);
	/* RFC 5681 3.1, equation 4; only for the first time-out of a segment. */
	if (c->ca != TCP_CA_LOSS || !(first->flags & SENT_EVER_RETRANS))
		c->ssthresh = c->cc->ssthresh(c, now);
	tcp_ecn_reduced(c);
	list_for_each(l, &x->sent) {
		struct tcp_sent *r = container_of(l, struct tcp_sent, link);

		if (!(r->flags & SENT_SACKED))
			tcp_sack_lost(c, r);
	}
	x->reno_dups = 0;
	x->rack_sent_at = 0;
	c->ca = TCP_CA_LOSS;
	c->recover = c->snd_nxt;
	c->cwnd = c->mss; /* the loss window */
	c->flags |= TCPF_RETRANSMIT_NOW;
	c->cc->on_recovered(c, now);
}

void
tcp_recovery_reorder_expired(struct tcp_env *e, struct tcp_conn *c, int64_t now)
{
	struct sack_news none = { .rtt_ns = -1 };

	if (!rack_detect(e, c, now))
		return;
	if (c->ca < TCP_CA_RECOVERY)
		enter_recovery(e, c, now);
	if (c->ca == TCP_CA_RECOVERY && !c->cc->control)
		prr(c, &none, true);
}

void
tcp_recovery_sending(struct tcp_conn *c, uint32_t bytes)
{
	if ((c->ca == TCP_CA_RECOVERY || c->ca == TCP_CA_CWR) && c->xmit)
		c->xmit->prr_out += bytes;
}
