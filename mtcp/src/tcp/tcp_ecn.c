/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Who may be marked: new text only.  A mark on a pure ACK or a retransmission
 * would be lost on the peer (RFC 3168 6.1.4, 6.1.5), one on a SYN would come
 * before anything was agreed (6.1.1).
 */

#include "tcp/tcp_ecn.h"

/* ---------------------------------------------------------------- handshake -- */

/* 6.1.1.1: a SYN that gets no answer is repeated without, since some box on the
 * way may drop what it does not know. */
uint8_t
tcp_ecn_syn(const struct tcp_env *e, struct tcp_conn *c)
{
	bool wanted = e->cfg->ecn == TCP_ECN_ON ||
	              (e->cfg->ecn != TCP_ECN_OFF && tcp_cc(c)->exact_ecn);

	c->ecn &= (uint8_t)~ECN_ASKED;
	if (!wanted || c->retries > 0 || tcp_cc(c)->no_ecn)
		return 0;
	c->ecn |= ECN_ASKED;
	return TCP_ECE | TCP_CWR;
}

uint8_t
tcp_ecn_synack(const struct tcp_conn *c)
{
	return c->ecn & ECN_OK ? TCP_ECE : 0;
}

bool
tcp_ecn_agreed(const struct tcp_env *e, const struct tcp_seg *syn)
{
	return e->cfg->ecn != TCP_ECN_OFF && (syn->flags & TCP_ECE) && (syn->flags & TCP_CWR);
}

/* Both bits in a SYN-ACK come from a peer that repeats what it does not know. */
void
tcp_ecn_answered(const struct tcp_env *e, struct tcp_conn *c, const struct tcp_seg *s)
{
	bool asks = !(s->flags & TCP_ACK) && tcp_ecn_agreed(e, s);
	bool agrees = (s->flags & TCP_ACK) && (c->ecn & ECN_ASKED) && (s->flags & TCP_ECE) &&
	              !(s->flags & TCP_CWR);

	if (asks || agrees)
		c->ecn |= ECN_OK;
}

/* ----------------------------------------------------------------- receiving -- */

/* RFC 8257 3.2: when marks begin or end, what came before is acknowledged apart,
 * or the sender would count it on the wrong side. */
static void
echo_exactly(struct tcp_conn *c, bool marked)
{
	if (marked == ((c->ecn & ECN_ECHO) != 0))
		return;
	if (seq_lt(c->rcv_acked, c->rcv_nxt) && !(c->ecn & ECN_ACK_FIRST)) {
		c->ecn |= ECN_ACK_FIRST | (marked ? 0 : ECN_ACK_CE);
		c->ecn_ack = c->rcv_nxt;
	}
	c->ecn ^= ECN_ECHO;
	c->flags |= TCPF_ACK_NOW;
}

/* RFC 3168 6.1.3.  CWR first: its own segment may be marked again.  The sender may
 * be down to one segment: it is not made to wait for its ACK. */
static void
echo_until_cwr(struct tcp_conn *c, const struct tcp_seg *s)
{
	if (s->flags & TCP_CWR) {
		c->ecn &= (uint8_t)~ECN_ECHO;
		c->flags |= TCPF_ACK_NOW;
	}
	if (s->ecn != IP_ECN_CE)
		return;
	if (!(c->ecn & ECN_ECHO))
		c->flags |= TCPF_ACK_NOW;
	c->ecn |= ECN_ECHO;
}

void
tcp_ecn_arrived(struct tcp_conn *c, const struct tcp_seg *s)
{
	if (!(c->ecn & ECN_OK) || s->len == 0)
		return;
	if (s->ecn != IP_ECN_NONE)
		c->ecn |= ECN_SEEN;
	if (tcp_cc(c)->exact_ecn)
		echo_exactly(c, s->ecn == IP_ECN_CE);
	else
		echo_until_cwr(c, s);
}

bool
tcp_ecn_echoed(const struct tcp_conn *c, const struct tcp_seg *s)
{
	return (c->ecn & ECN_OK) && (s->flags & TCP_ECE) && !(s->flags & TCP_SYN);
}

/* ------------------------------------------------------------------- sending -- */

void
tcp_ecn_acks(const struct tcp_conn *c, struct tcp_seg *s)
{
	if (c->ecn & ECN_ECHO)
		s->flags |= TCP_ECE;
}

void
tcp_ecn_new_text(struct tcp_conn *c, struct tcp_seg *s)
{
	if (!(c->ecn & ECN_OK) || s->len == 0)
		return;
	s->ecn = tcp_cc(c)->no_ecn ? IP_ECN_NONE : IP_ECN_ECT0;
	if (c->ecn & ECN_CWR_DUE)
		s->flags |= TCP_CWR;
	c->ecn &= (uint8_t)~ECN_CWR_DUE;
}

void
tcp_ecn_reduced(struct tcp_conn *c)
{
	if (c->ecn & ECN_OK)
		c->ecn |= ECN_CWR_DUE;
}

bool
tcp_ecn_first_matters(const struct tcp_conn *c)
{
	return tcp_cc(c)->exact_ecn && !(c->ecn & ECN_ACK_CE) != !(c->ecn & ECN_ECHO);
}

/* ECE is what it would have been before the marks changed. */
void
tcp_ecn_ack_first(struct tcp_conn *c, struct tcp_seg *s)
{
	s->flags &= (uint8_t)~TCP_ECE;
	s->flags |= c->ecn & ECN_ACK_CE ? TCP_ECE : 0;
	c->ecn &= (uint8_t)~(ECN_ACK_FIRST | ECN_ACK_CE);
}
