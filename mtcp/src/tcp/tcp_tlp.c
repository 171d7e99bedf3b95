/* SPDX-License-Identifier: BSD-3-Clause */
/* What has left is told to the timer by tcp_timer_sent(); here is when, and what it meant. */

#include "tcp/tcp_tlp.h"

#include "tcp/tcp_rare.h"
#include "tcp/tcp_rtt.h"

#define ACK_DELAY_MAX MS(200) /* of the peer, at worst (7.2) */
#define PTO_MIN       MS(10)  /* SRTT does not know yet how long a burst waits in a short queue */

bool
tcp_tlp_wanted(const struct tcp_conn *c)
{
	return c->xmit && (c->flags & TCPF_SACK) && c->ca < TCP_CA_RECOVERY &&
	       c->xmit->n_sacked == 0 && c->srtt_us != 0 &&
	       !(c->tlp & (TLP_OUT | TLP_STALE | TLP_NEVER));
}

int64_t
tcp_tlp_pto(const struct tcp_conn *c)
{
	return max(2 * tcp_srtt_ns(c), PTO_MIN) + (c->xmit->n_sent == 1 ? ACK_DELAY_MAX : 0);
}

void
tcp_tlp_sent(struct tcp_env *e, struct tcp_conn *c, seq_t end, bool again)
{
	tcp_rare_own(e, c)->tlp_end = end;
	c->tlp = (uint8_t)(TLP_OUT | TLP_STALE | (again ? TLP_RETRANS : 0));
}

bool
tcp_tlp_acked(struct tcp_conn *c, const struct sack_news *n, bool dup)
{
	bool told, advanced;
	seq_t probe;

	if (n->rtt_ns >= 0)
		c->tlp &= (uint8_t)~TLP_STALE;
	if (!(c->tlp & TLP_OUT))
		return false;
	probe = tcp_rare(c)->tlp_end;
	if (seq_lt(c->snd_una, probe))
		return false;
	told = n->dsack && seq_eq(n->dup.end, probe);
	advanced = seq_lt(probe, c->snd_una);
	if (!(c->tlp & TLP_RETRANS) || told || advanced || dup)
		tcp_tlp_stop(c);
	else
		return false; /* original or probe? the next ACK tells */
	return (c->tlp & TLP_RETRANS) && advanced && !told;
}

bool
tcp_tlp_was(const struct tcp_conn *c, const struct tcp_sack_block *b)
{
	return (c->tlp & TLP_RETRANS) && seq_eq(b->end, tcp_rare(c)->tlp_end);
}

void
tcp_tlp_stop(struct tcp_conn *c)
{
	c->tlp &= (uint8_t)~TLP_OUT;
}
