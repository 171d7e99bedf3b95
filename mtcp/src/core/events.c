/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What the application is told.  A connection is compared with what its socket
 * says already; only what is new makes an event, and a socket is on the ring
 * once however much is new.
 */

#include "core/stack_priv.h"

/* Whether or not the socket was on the ring already: a program that reads what
 * is there need not have looked at the ring before it sleeps. */
void
events_tell(struct stack *st, struct sock *s, uint16_t facts)
{
	(void)sock_tell(&st->ch, s, facts);
	st->posted = true;
	stats_add(&st->stats.events, 1);
}

static uint16_t
facts_of(const struct tcp_conn *c)
{
	bool opened = tcp_facts[c->state].synchronized;
	uint16_t facts = opened ? SOCK_CONNECTED : 0;

	if ((c->flags & TCPF_FIN_SEEN) && seq_lt(c->rcv_fin, c->rcv_nxt))
		facts |= SOCK_PEER_FIN;
	if ((c->flags & TCPF_FIN_SENT) && tcp_flight(c) == 0)
		facts |= SOCK_FIN_ACKED;
	if (c->state == TCP_CLOSED)
		facts |= SOCK_OVER | (c->err ? SOCK_ERROR : 0);
	if (c->state == TCP_TIME_WAIT)
		facts |= SOCK_OVER;
	return facts;
}

/* Two thirds of the limit: below it a writer that was refused may go on. */
static bool
space_owed(const struct tcp_conn *c, struct sock *s)
{
	uint32_t want = atomic_load_explicit(&s->want_space, memory_order_acquire);

	if (!tcp_facts[c->state].synchronized)
		return false; /* who waits for room is told by CONNECTED */
	if (want == s->told_space || stream_used(&s->snd_w, &s->snd_r) > c->snd_limit / 3 * 2)
		return false;
	s->told_space = want;
	return true;
}

void
events_conn(struct stack *st, struct tcp_conn *c)
{
	struct sock *s;
	uint16_t facts, old;
	uint32_t written;
	bool news;

	if (c->sock == NO_SOCK || (c->flags & TCPF_ORPHAN))
		return;
	s = &st->ch.socks[c->sock];
	if (c->snd_limit != atomic_load_explicit(&s->snd_limit, memory_order_relaxed))
		atomic_store_explicit(&s->snd_limit, c->snd_limit, memory_order_release);
	facts = facts_of(c);
	old = atomic_load_explicit(&s->facts, memory_order_relaxed);
	written = atomic_load_explicit(&s->rcv_w.written, memory_order_relaxed);
	news = (facts & ~old) || written != s->told_written;
	news |= space_owed(c, s);
	if (!news)
		return;
	s->told_written = written;
	if ((facts & SOCK_CONNECTED) && !(old & SOCK_CONNECTED)) {
		s->local = (struct sock_addr){ c->tuple.local, c->tuple.lport };
		s->peer = (struct sock_addr){ c->tuple.remote, c->tuple.rport };
	}
	if (facts & SOCK_ERROR)
		s->err = (int16_t)c->err;
	events_tell(st, s, facts);
}
