/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The story of a loss: found out (by RACK, by NewReno without SACK, by a tail
 * loss probe, or by nothing but the time-out), cwnd reduced, repaired in
 * proportion to what arrives, over; or taken back when there was none.
 */

#include "tcp/tcp_recovery.h"

#include "tcp/tcp_ecn.h"
#include "tcp/tcp_frto.h"
#include "tcp/tcp_pace.h"
#include "tcp/tcp_plpmtu.h"
#include "tcp/tcp_rack.h"
#include "tcp/tcp_rtt.h"
#include "tcp/tcp_timer.h"
#include "tcp/tcp_tlp.h"
#include "tcp/tcp_undo.h"

/* RFC 6582 4.1: what a time-out sent again is lost again.  Duplicates that come of text sent again
 * in vain follow an ACK that has advanced far, and those that came sooner than a round trip were
 * on their way before. */
static bool
lost_again(const struct tcp_env *e, struct tcp_conn *c, const struct tcp_sent *r, bool dup,
           int64_t now)
{
	struct tcp_xmit *x = c->xmit;

	if (!dup || c->ca != TCP_CA_LOSS || now < r->sent_at + US(c->min_rtt_us))
		return false;
	return ++x->again_dups == e->cfg->dupthresh && c->cwnd > c->mss &&
	       x->advanced <= 4u * c->mss;
}

/* Three duplicates mean that the first range is lost (RFC 6582 3.2 step 2); in recovery each
 * partial ACK tells of the next (step 3), unless that has left again too recently. */
static bool
first_is_lost(const struct tcp_env *e, struct tcp_conn *c, const struct tcp_sent *r,
              const struct sack_news *n, bool dup, int64_t now)
{
	bool partial = c->ca == TCP_CA_RECOVERY && n->acked && seq_lt(c->snd_una, c->recover);

	if (r->flags & SENT_RETRANS)
		return partial ? tcp_rack_overtaken(c, r) : lost_again(e, c, r, dup, now);
	if (r->flags & SENT_LOST) /* and waits for its turn */
		return false;
	if (partial)
		return true;
	/* Step 2's guard: duplicates of what was sent before the last recovery
	 * must not start another one. */
	return c->ca < TCP_CA_RECOVERY && c->xmit->reno_dups >= e->cfg->dupthresh &&
	       seq_lt(c->recover, c->snd_una);
}

/* Peers without SACK. */
static bool
newreno_detect(struct tcp_env *e, struct tcp_conn *c, const struct sack_news *n, bool dup,
               int64_t now)
{
	struct tcp_xmit *x = c->xmit;
	struct link *first = x ? list_first(&x->sent) : NULL;
	struct tcp_sent *r;

	if (!first)
		return false;
	if (dup && c->ca != TCP_CA_LOSS && x->reno_dups < x->n_sent)
		x->reno_dups++;
	r = container_of(first, struct tcp_sent, link);
	if (!first_is_lost(e, c, r, n, dup, now))
		return false;
	if (seq_sub(r->end, r->start) > c->mss)
		(void)tcp_sack_split(e, c, r, seq_add(r->start, c->mss));
	tcp_sack_lost(c, r);
	c->flags |= TCPF_RETRANSMIT_NOW;
	return true;
}

/* RACK waits for something sent later to arrive.  A peer that has no room for what is out of order
 * throws it away, and then tells of nothing: its duplicates bear no news. */
static bool
rack_detect(struct tcp_env *e, struct tcp_conn *c, const struct sack_news *n, bool dup, int64_t now)
{
	bool found = tcp_rack_detect(e, c, now);
	struct link *first = c->xmit ? list_first(&c->xmit->sent) : NULL;
	bool silent = dup && n->delivered == 0 && !n->dsack;
	struct tcp_sent *r;

	if (found || !first)
		return found;
	r = container_of(first, struct tcp_sent, link);
	if (!(r->flags & SENT_RETRANS) || !lost_again(e, c, r, silent, now))
		return false;
	tcp_sack_lost(c, r);
	c->flags |= TCPF_RETRANSMIT_NOW;
	return true;
}

/* What the ACKs after a time-out achieve is half of how lost_again() judges. */
static void
note_advance(const struct tcp_conn *c, const struct sack_news *n)
{
	struct tcp_xmit *x = c->xmit;

	if (c->ca == TCP_CA_LOSS && x && n->acked) {
		x->advanced = n->acked;
		x->again_dups = 0;
	}
}

/* PRR brings cwnd down to `ssthresh` while ACKs come in.  RFC 9937 6.1: RecoverFS is what
 * was in flight, with what this ACK delivered and without what earlier ones did. */
static void
reduce(struct tcp_conn *c, uint32_t ssthresh, const struct sack_news *n)
{
	struct tcp_xmit *x = c->xmit;
	uint32_t before = x->sacked - min(x->sacked, n->sacked);

	c->ssthresh = ssthresh;
	x->prr_delivered = x->prr_out = 0;
	x->prr_flight = max(tcp_flight(c) + n->acked - before, 1u);
	tcp_ecn_reduced(c);
}

static void
enter_recovery(struct tcp_env *e, struct tcp_conn *c, const struct sack_news *n, int64_t now)
{
	trace_add(e->trace, now, c->id, T_FAST_RETRANSMIT, c->snd_una.v, c->snd_nxt.v);
	if (c->ca == TCP_CA_LOSS)
		tcp_rtt_forget_back_off(e->cfg, c);
	/* Or this window has had its reduction; that of exact marks may be next to nothing, and a
	 * loss is a loss (RFC 8257 3.5). */
	if (c->ca != TCP_CA_CWR || tcp_cc(c)->exact_ecn) {
		tcp_undo_begin(c);
		reduce(c, tcp_cc(c)->ssthresh(e, c, now), n);
	}
	tcp_tlp_stop(c);
	c->ca = TCP_CA_RECOVERY;
	c->recover = c->snd_nxt;
	c->xmit->partial_acked = false;
	c->flags |= TCPF_RETRANSMIT_NOW;
}

/* What a time-out sent again and is lost again is a loss of its own; with SACK the time-out's
 * slow start goes on.  The peer has answered in between: it was no delay that the RTO was too short
 * for, and its back-off has done its part.  Karn's rule and RFC 8961 4 (4) would keep it until
 * text that was sent once arrives, and without SACK or timestamps each loss on the way there
 * would cost what is now minutes. */
static bool
recovery_begins(const struct tcp_conn *c)
{
	return c->ca < TCP_CA_RECOVERY || (c->ca == TCP_CA_LOSS && !(c->flags & TCPF_SACK));
}

/* RFC 3168 6.1.2: a mark counts as a loss does, once in a window; nothing has to
 * be sent again. */
static void
enter_cwr(struct tcp_env *e, struct tcp_conn *c, const struct sack_news *n, int64_t now)
{
	uint32_t (*ssthresh)(struct tcp_env *, struct tcp_conn *, int64_t) =
	    tcp_cc(c)->on_ecn ? tcp_cc(c)->on_ecn : tcp_cc(c)->ssthresh;

	trace_add(e->trace, now, c->id, T_ECN, c->snd_una.v, c->snd_nxt.v);
	reduce(c, ssthresh(e, c, now), n);
	c->ca = TCP_CA_CWR;
	c->xmit->cwr_end = c->snd_nxt;
	if (tcp_flight(c) == 0) { /* no ACK will come to bring it down by */
		c->cwnd = min(c->cwnd, c->ssthresh);
		c->ca = TCP_CA_OPEN;
	}
}

/* RFC 9937 6.2: sending in proportion to what is delivered, so that cwnd arrives
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
		room = max((int64_t)x->prr_delivered - x->prr_out, (int64_t)n->delivered);
		if (n->acked && !more_lost) /* SafeACK: slow start reduction bound */
			room += c->mss;
		room = min((int64_t)c->ssthresh - pipe, room);
	}
	c->cwnd = max(pipe + (uint32_t)max(room, INT64_C(0)), (uint32_t)c->mss);
}

static void
leave(struct tcp_env *e, struct tcp_conn *c, int64_t now)
{
	if (c->ca != TCP_CA_LOSS && !tcp_cc(c)->control) /* RFC 9937 6.2 */
		c->cwnd = max(c->ssthresh, 2u * c->mss);
	if (c->xmit)
		c->xmit->reno_dups = 0;
	c->flags &= ~(uint32_t)TCPF_RETRANSMIT_NOW;
	tcp_frto_stop(c);
	if (c->ca >= TCP_CA_RECOVERY)
		tcp_rack_recovered(c);
	trace_add(e->trace, now, c->id, T_RECOVERED, c->snd_una.v, c->cwnd);
	c->ca = TCP_CA_OPEN;
	tcp_cc(c)->on_recovered(c, now);
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
cwnd_limited(const struct tcp_conn *c, uint32_t acked, uint32_t flight)
{
	seq_t before = seq_add(c->snd_una, 0u - acked);

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
		.cwnd_limited = cwnd_limited(c, n->acked, flight),
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

/* Where segments overtake each other a SACK is as good a sign of delivery as an ACK, as Linux
 * has it; elsewhere it may be the first sign of a loss, and cwnd rests (RFC 5681 3.2). */
static bool
may_raise_cwnd(const struct tcp_conn *c, const struct sack_news *n)
{
	return !n->ece && (c->flags & TCPF_REORDER ? n->delivered : n->acked) > 0;
}

static void
set_cwnd(struct tcp_env *e, struct tcp_conn *c, const struct sack_news *n, struct cc_ack *a,
         bool dup, bool lost)
{
	struct sack_news all;

	a->pipe = tcp_sack_pipe(c);
	if (tcp_cc(c)->control) {
		tcp_cc(c)->control(c, a);
	} else if (c->ca == TCP_CA_RECOVERY || c->ca == TCP_CA_CWR) {
		all = with_duplicates(c, n, dup);
		if (c->xmit)
			prr(c, &all, lost);
	} else if (may_raise_cwnd(c, n)) {
		tcp_cc(c)->on_ack(e, c, a);
	}
}

/* Whether what looked like a loss was none. */
static bool
was_wrong(struct tcp_conn *c, const struct sack_news *n, bool dup)
{
	bool spurious = tcp_frto_acked(c, n, dup);

	return (spurious && c->xmit->undo_armed) || tcp_undo_due(c, n);
}

/* One that comes with a loss, or while it is repaired, has no reduction of its own: that of the
 * loss stays even if there was none (RFC 4015 3.2). */
static void
marks_are_no_mistake(struct tcp_conn *c, const struct sack_news *n)
{
	if (n->ece && !tcp_cc(c)->no_ecn && c->xmit)
		c->xmit->undo_armed = false;
}

void
tcp_recovery_acked(struct tcp_env *e, struct tcp_conn *c, const struct sack_news *n, bool dup,
                   uint32_t flight_before, int64_t now)
{
	bool reduced = c->ca == TCP_CA_CWR, lost;
	struct cc_ack a;

	marks_are_no_mistake(c, n);
	tcp_rack_duplicates(e, c, n);
	if (was_wrong(c, n, dup))
		tcp_undo(e, c, now);
	note_advance(c, n);
	lost = c->flags & TCPF_SACK ? rack_detect(e, c, n, dup, now) : newreno_detect(e, c, n, dup, now);
	if (lost && tcp_plpmtu_lost(c))
		lost = false;
	a = cc_news(e, c, n, flight_before, now);
	if (tcp_cc(c)->watch)
		tcp_cc(c)->watch(c, &a);
	if ((c->ca >= TCP_CA_RECOVERY && n->acked && !seq_lt(c->snd_una, c->recover)) ||
	    cwr_is_over(c))
		leave(e, c, now);
	if (lost && recovery_begins(c))
		enter_recovery(e, c, n, now);
	else if (n->ece && !tcp_cc(c)->no_ecn && c->ca < TCP_CA_CWR && c->xmit &&
	         !(reduced && tcp_flight(c) == 0))
		enter_cwr(e, c, n, now);
	marks_are_no_mistake(c, n);
	recover_follows(c);
	if (c->ca == TCP_CA_OPEN || c->ca == TCP_CA_DISORDER)
		c->ca = c->xmit && c->xmit->n_sacked + c->xmit->reno_dups ? TCP_CA_DISORDER
		                                                          : TCP_CA_OPEN;
	set_cwnd(e, c, n, &a, dup, lost);
}

void
tcp_recovery_calm(struct tcp_env *e, struct tcp_conn *c, uint32_t acked, int64_t rtt_ns,
                  const struct rate_sample *rate, uint32_t flight_before, int64_t now)
{
	const struct cc_ops *cc = tcp_cc(c);
	struct cc_ack a = {
		.acked = acked,
		.flight = flight_before,
		.cwnd_limited = cwnd_limited(c, acked, flight_before),
		.rtt_ns = rtt_ns,
		.now = now,
		.delivered = acked,
		.pipe = tcp_sack_pipe(c),
		.paced = tcp_pace_on(e, c),
		.hystart = (enum tcp_hystart)e->cfg->hystart,
		.initial_cwnd = e->cfg->initial_cwnd * c->mss,
		.rate = rate,
	};

	if (cc->watch)
		cc->watch(c, &a);
	recover_follows(c);
	if (cc->control)
		cc->control(c, &a);
	else
		cc->on_ack(e, c, &a);
}

/* RFC 8985 7.4: one segment was lost, and the probe has repaired it: the same response as when
 * recovery had done it. */
static void
probe_repaired(struct tcp_env *e, struct tcp_conn *c, int64_t now)
{
	if (c->ca >= TCP_CA_CWR || tcp_cc(c)->control)
		return;
	c->ssthresh = tcp_cc(c)->ssthresh(e, c, now);
	c->cwnd = max(min(c->cwnd, c->ssthresh), 2u * c->mss);
	tcp_cc(c)->on_recovered(c, now);
}

void
tcp_recovery_probe_acked(struct tcp_env *e, struct tcp_conn *c, const struct sack_news *n,
                         bool dup, int64_t now)
{
	if (tcp_tlp_acked(c, n, dup))
		probe_repaired(e, c, now);
}

/* RFC 5681 3.1, equation 4: once for what is lost together, whether it was found out by
 * duplicates first or by the time-out, and not for the second time-out of a segment. */
static void
reduce_for_timeout(struct tcp_env *e, struct tcp_conn *c, const struct tcp_sent *first,
                   int64_t now)
{
	bool known = c->ca >= TCP_CA_RECOVERY && seq_lt(c->snd_una, c->recover);

	if (known && (c->ca == TCP_CA_RECOVERY || (first->flags & SENT_EVER_RETRANS)))
		return;
	tcp_undo_begin(c);
	c->ssthresh = tcp_cc(c)->ssthresh(e, c, now);
	if (e->cfg->frto)
		tcp_frto_start(c);
}

/* RFC 8985 6.3: the first is lost, and what has been out as long as it takes. */
static void
mark_lost(const struct tcp_env *e, struct tcp_conn *c, int64_t now)
{
	const struct link *first = list_first(&c->xmit->sent);

	list_for_each(l, &c->xmit->sent) {
		struct tcp_sent *r = container_of(l, struct tcp_sent, link);

		if (r->flags & SENT_SACKED)
			continue;
		if (l == first || tcp_rack_overdue(e, c, r, now))
			tcp_sack_lost(c, r);
	}
}

/* A peer whose first missing range is one it had claimed to hold has reneged
 * (RFC 2018 8). */
void
tcp_recovery_timeout(struct tcp_env *e, struct tcp_conn *c, int64_t now)
{
	struct tcp_xmit *x = c->xmit;
	const struct tcp_sent *first;

	if (!x)
		return;
	first = container_of(list_first(&x->sent), struct tcp_sent, link);
	if (first->flags & SENT_SACKED)
		tcp_sack_forget(c);
	tcp_frto_stop(c);
	reduce_for_timeout(e, c, first, now);
	mark_lost(e, c, now);
	tcp_ecn_reduced(c);
	tcp_tlp_stop(c);
	x->reno_dups = x->again_dups = 0;
	x->advanced = UINT32_MAX;
	c->ca = TCP_CA_LOSS;
	c->recover = c->snd_nxt;
	c->cwnd = c->mss; /* the loss window */
	c->flags |= TCPF_RETRANSMIT_NOW;
	c->flags &= ~(uint32_t)TCPF_LOSS_PROBE;
	tcp_cc(c)->on_recovered(c, now);
}

void
tcp_recovery_reorder_expired(struct tcp_env *e, struct tcp_conn *c, int64_t now)
{
	struct sack_news none = { .rtt_ns = -1 };

	if (!tcp_rack_detect(e, c, now) || tcp_plpmtu_lost(c))
		return;
	if (c->ca < TCP_CA_RECOVERY)
		enter_recovery(e, c, &none, now);
	if (c->ca == TCP_CA_RECOVERY && !tcp_cc(c)->control)
		prr(c, &none, true);
}

void
tcp_recovery_sending(struct tcp_conn *c, uint32_t bytes)
{
	if ((c->ca == TCP_CA_RECOVERY || c->ca == TCP_CA_CWR) && c->xmit)
		c->xmit->prr_out += bytes;
}
