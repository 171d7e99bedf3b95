/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Urgent text (RFC 9293 3.8.5, RFC 6093).  It travels in line; what is urgent is
 * that it is there.  The sender says in every segment how far urgent text
 * reaches, whether or not that text could leave yet (MUST-30, MUST-66); the
 * receiver tells the application where the last urgent byte stands.
 *
 * On the wire the pointer stands behind the last urgent byte (MUST-62), as
 * Linux has it by default (tcp_stdurg = 0).
 */
#pragma once

#include "tcp/tcp_rare.h"

/* The application wrote urgent text that ends where `end` bytes of its stream do.
 * The same again, or less, changes nothing. */
void tcp_urgent_wrote(struct tcp_env *e, struct tcp_conn *c, uint32_t end);

/* Whether there is urgent text that the peer has not acknowledged. */
static inline bool
tcp_urgent_on(const struct tcp_conn *c)
{
	return (c->flags & TCPF_URG_OUT) && seq_lt(c->snd_una, tcp_rare(c)->snd_up);
}

/* Says in a segment to send where urgent text ends, if it does behind its first byte. */
void tcp_urgent_mark(struct tcp_conn *c, struct tcp_seg *s);

/* Whether tcp_urgent_in() would find anything to do. */
static inline bool
tcp_urgent_concerns(const struct tcp_conn *c, const struct tcp_seg *s)
{
	return (s->flags & TCP_URG) || (c->flags & TCPF_URG_IN);
}

/* An acceptable segment has arrived, its text not yet taken: RFC 9293 3.10.7.4, sixth.  Sets
 * TCPF_URG_NEWS when the application is to hear of it. */
void tcp_urgent_in(struct tcp_env *e, struct tcp_conn *c, const struct tcp_seg *s);

/* With TCPF_URG_NEWS: where the last urgent byte stands in what is received, bytes. */
uint32_t tcp_urgent_at(const struct tcp_conn *c);
