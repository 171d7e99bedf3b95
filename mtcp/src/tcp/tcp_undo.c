/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Networks duplicate too, so a D-SACK counts only when it names something that
 * was sent again: the last 32 of these are remembered.  What falls out of the
 * ring unreported keeps the reduction from being undone, which is the safe side.
 */

#include "tcp/tcp_undo.h"

#include "tcp/tcp_frto.h"

void
tcp_undo_begin(struct tcp_conn *c)
{
	struct tcp_xmit *x = c->xmit;

	x->undo_cwnd = c->cwnd;
	x->undo_ssthresh = c->ssthresh;
	x->undo_open = 0;
	x->resent_before = x->resent_live;
	x->undo_resent = false;
	x->undo_armed = true;
}

void
tcp_undo_resent(struct tcp_conn *c, const struct tcp_sent *r, int64_t now)
{
	struct tcp_xmit *x = c->xmit;
	uint32_t i = x->n_resent++ % TCP_RESENT;

	x->resent[i] = r->start;
	x->resent_live |= 1u << i;
	x->resent_before &= ~(1u << i);
	if (!x->undo_armed)
		return;
	if (!x->undo_resent)
		x->undo_ts = tcp_ts_now(c, now);
	x->undo_resent = true;
	x->undo_open++;
}

/* Whether `at` is one of those that the bits of `told` stand for. */
static bool
among(const struct tcp_xmit *x, uint32_t told, seq_t at)
{
	for (; told; told &= told - 1)
		if (seq_eq(x->resent[__builtin_ctz(told)], at))
			return true;
	return false;
}

/* What has left twice again may have been needed once: a D-SACK tells of one copy. */
uint32_t
tcp_undo_duplicate(struct tcp_conn *c, const struct tcp_sack_block *b)
{
	struct tcp_xmit *x = c->xmit;
	uint32_t len = seq_sub(b->end, b->start), found = 0, told = 0;

	for (uint32_t i = 0; x && i < TCP_RESENT; i++) {
		if (!(x->resent_live >> i & 1) || seq_sub(x->resent[i], b->start) >= len)
			continue;
		if (among(x, told, x->resent[i]))
			continue;
		told |= 1u << i;
		x->resent_live &= ~(1u << i);
		found++;
		if (x->undo_open && !(x->resent_before >> i & 1))
			x->undo_open--;
	}
	return found;
}

bool
tcp_undo_due(const struct tcp_conn *c, const struct sack_news *n)
{
	const struct tcp_xmit *x = c->xmit;

	if (!x || !x->undo_armed || !x->undo_resent)
		return false;
	if (n->dup_again && x->undo_open == 0)
		return true;
	/* RFC 3522 3.2, steps 4 and 5: the ACK is that of the original. */
	return n->again && n->has_ts && (int32_t)(n->tsecr - x->undo_ts) < 0;
}

void
tcp_undo(struct tcp_env *e, struct tcp_conn *c, int64_t now)
{
	struct tcp_xmit *x = c->xmit;

	c->cwnd = max(c->cwnd, x->undo_cwnd);
	c->ssthresh = max(c->ssthresh, x->undo_ssthresh);
	if (tcp_cc(c)->undo)
		tcp_cc(c)->undo(c, now);
	trace_add(e->trace, now, c->id, T_UNDONE, c->snd_una.v, c->cwnd);
	x->undo_armed = false;
	tcp_frto_stop(c); /* or new text would go before what is lost next */
	/* What left again before it arrived does not show by itself that it came late. */
	if (c->ca != TCP_CA_LOSS)
		c->flags |= TCPF_REORDER;
	if (c->ca < TCP_CA_RECOVERY)
		return;
	x->rack_sent_at = 0; /* or the ACK of an original would look like that of its copy */
	tcp_sack_unlose(c);
	c->ca = TCP_CA_OPEN;
	c->retries = 0;
	c->flags &= ~(uint32_t)TCPF_RETRANSMIT_NOW;
}
