/* SPDX-License-Identifier: BSD-3-Clause */
/* Section 2.1 is for peers without SACK, 3.1 for those with; they differ in what proves that an
 * original arrived. */

#include "tcp/tcp_frto.h"

void
tcp_frto_start(struct tcp_conn *c)
{
	c->xmit->frto = FRTO_FIRST;
	c->xmit->frto_sent = 0;
}

void
tcp_frto_stop(struct tcp_conn *c)
{
	if (c->xmit)
		c->xmit->frto = FRTO_OFF;
}

static bool
new_text_fits(const struct tcp_conn *c)
{
	return tcp_unsent(c) > 0 && c->snd_wnd > tcp_flight(c);
}

/* Step 2b.  A little text has to do: Nagle and the cork would wait for what is in doubt. */
static void
second_begin(struct tcp_conn *c)
{
	c->xmit->frto = FRTO_SECOND;
	c->flags |= TCPF_PUSH_SMALL;
}

/* 2.1 step 2; in 3.1 a duplicate changes nothing yet. */
static void
first_ack(struct tcp_conn *c, const struct sack_news *n, bool dup)
{
	bool sack = c->flags & TCPF_SACK;

	if (n->acked == 0) {
		if (dup && !sack) /* 2a */
			tcp_frto_stop(c);
		return;
	}
	if (!seq_lt(c->snd_una, c->recover) || !new_text_fits(c)) /* 2a, and nothing to try with */
		tcp_frto_stop(c);
	else
		second_begin(c);
}

/* Step 3.  True: 3b. */
static bool
second_ack(struct tcp_conn *c, const struct sack_news *n, bool dup)
{
	bool sack = c->flags & TCPF_SACK;

	if (sack ? n->original : n->acked > 0) {
		tcp_frto_stop(c);
		return true;
	}
	if (dup || n->acked || n->sacked) { /* 3a: it was lost */
		c->cwnd = min(c->cwnd, 3u * c->mss);
		c->flags |= TCPF_RETRANSMIT_NOW;
		tcp_frto_stop(c);
	}
	return false;
}

bool
tcp_frto_acked(struct tcp_conn *c, const struct sack_news *n, bool dup)
{
	if (!c->xmit || c->ca != TCP_CA_LOSS)
		return false;
	switch ((enum tcp_frto)c->xmit->frto) {
	case FRTO_FIRST:
		first_ack(c, n, dup);
		return false;
	case FRTO_SECOND:
		return second_ack(c, n, dup);
	case FRTO_OFF:
		break;
	}
	return false;
}

bool
tcp_frto_wants_new(const struct tcp_conn *c)
{
	return c->xmit && c->xmit->frto == FRTO_SECOND && c->xmit->frto_sent < FRTO_NEW;
}

void
tcp_frto_sent_new(struct tcp_conn *c)
{
	if (c->xmit && c->xmit->frto == FRTO_SECOND)
		c->xmit->frto_sent++;
}
