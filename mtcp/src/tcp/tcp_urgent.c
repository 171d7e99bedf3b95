/* SPDX-License-Identifier: BSD-3-Clause */
/* SND.UP and RCV.UP, both kept as Linux keeps them. */

#include "tcp/tcp_urgent.h"

void
tcp_urgent_wrote(struct tcp_env *e, struct tcp_conn *c, uint32_t end)
{
	struct tcp_rare *r = tcp_rare_own(e, c);
	seq_t up = seq_add(c->iss, 1 + end);

	if (seq_eq(up, r->snd_up)) /* known; acknowledged long ago, perhaps */
		return;
	if (tcp_urgent_on(c) && seq_lt(up, r->snd_up))
		return;
	r->snd_up = up;
	if (seq_lt(c->snd_una, up))
		c->flags |= TCPF_URG_OUT;
}

/* MUST-31: urgent text may reach further than the pointer does.  Then it says "at least
 * so far", once it would not stop short of what was sent already. */
void
tcp_urgent_mark(struct tcp_conn *c, struct tcp_seg *s)
{
	uint32_t ahead = seq_sub(tcp_rare(c)->snd_up, s->seq);

	if (!tcp_urgent_on(c)) {
		c->flags &= ~(uint32_t)TCPF_URG_OUT;
		return;
	}
	if (!seq_lt(s->seq, tcp_rare(c)->snd_up))
		return;
	if (ahead > UINT16_MAX && !seq_lt(c->snd_nxt, seq_add(s->seq, UINT16_MAX)))
		return;
	s->flags |= TCP_URG;
	s->urg = to_u16(min(ahead, (uint32_t)UINT16_MAX));
}

/* MUST-32: the application hears of each pointer that is new.  One that points to text
 * which has been received already is that of a segment sent twice. */
void
tcp_urgent_in(struct tcp_env *e, struct tcp_conn *c, const struct tcp_seg *s)
{
	seq_t last = seq_add(s->seq, s->urg ? s->urg - 1u : 0);

	if ((c->flags & TCPF_URG_IN) && seq_lt(tcp_rare(c)->rcv_up, c->rcv_nxt))
		c->flags &= ~(uint32_t)TCPF_URG_IN; /* it has come */
	if (!(s->flags & TCP_URG) || !tcp_facts[c->state].may_recv || !c->streams)
		return; /* in FIN-WAIT-2 nobody may hold it any more */
	if (seq_lt(last, c->rcv_nxt) ||
	    ((c->flags & TCPF_URG_IN) && seq_le(last, tcp_rare(c)->rcv_up)))
		return;
	tcp_rare_own(e, c)->rcv_up = last;
	c->flags |= TCPF_URG_IN | TCPF_URG_NEWS;
}

uint32_t
tcp_urgent_at(const struct tcp_conn *c)
{
	return atomic_load_explicit(&c->streams->rcv_w.written, memory_order_relaxed) +
	       seq_sub(tcp_rare(c)->rcv_up, c->rcv_nxt);
}
