/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What the application is told.  A connection is compared with what its socket
 * says already; only what is new makes an event, and a socket is on the ring
 * once however much is new.
 */

#include "core/stack_priv.h"
#include "tcp/tcp_rare.h"
#include "tcp/tcp_urgent.h"

/* Whether or not the socket was on the ring already: a program that reads what
 * is there need not have looked at the ring before it sleeps. */
void
events_tell(struct stack *st, struct sock *s, uint16_t facts)
{
	(void)sock_tell(&st->ch, s, facts);
	st->posted = true;
	stats_add(&st->stats.events, 1);
}

/* By the time it reads the byte the application knows: first the place, then the fact. */
void
events_urgent(struct stack *st, struct tcp_conn *c)
{
	struct sock *s = conn_sock(c);

	if (!s || (c->flags & TCPF_ORPHAN))
		return;
	atomic_store_explicit(&s->rcv_urgent, tcp_urgent_at(c), memory_order_release);
	events_tell(st, s, SOCK_URGENT);
}

static uint16_t
facts_of(const struct tcp_conn *c)
{
	/* What came by Fast Open can be accepted before its handshake is over. */
	bool opened = tcp_facts[c->state].synchronized ||
	              (c->state == TCP_SYN_RCVD && (c->flags & TCPF_FASTOPEN));
	uint16_t facts = opened ? SOCK_CONNECTED : 0;

	if ((c->flags & TCPF_FIN_SEEN) && !tcp_rare(c)->fin_waits)
		facts |= SOCK_PEER_FIN;
	if ((c->flags & TCPF_FIN_SENT) && tcp_flight(c) == 0)
		facts |= SOCK_FIN_ACKED;
	if (c->state == TCP_CLOSED)
		facts |= SOCK_OVER | (c->err ? SOCK_ERROR : 0);
	if (c->state == TCP_TIME_WAIT)
		facts |= SOCK_OVER;
	return facts;
}

/* 0: not set. */
static uint32_t
notsent_lowat(const struct tcp_conn *c)
{
	return c->opts->set & 1u << TCP_OPTION_NOTSENT_LOWAT
	           ? (uint32_t)c->opts->value[TCP_OPTION_NOTSENT_LOWAT]
	           : 0;
}

/* Two thirds of the limit, or what TCP_NOTSENT_LOWAT says: below it a writer that was refused may go on. */
static bool
space_owed(const struct tcp_conn *c, struct sock *s, uint32_t limit, uint32_t lowat)
{
	uint16_t want = atomic_load_explicit(&s->want_space, memory_order_acquire);

	if (!tcp_facts[c->state].synchronized)
		return false; /* who waits for room is told by CONNECTED */
	if (want == s->told_space ||
	    stream_used(&s->snd_w, &s->snd_r) > sock_writable_below(limit, lowat))
		return false;
	s->told_space = want;
	return true;
}

/* Whoever reads tells of every quarter of the window, so that one that was closed can
 * open again, and of 2 KB at the most. */
static void
note_step(const struct tcp_conn *c, struct sock *s)
{
	uint16_t step = to_u16(min(c->rcv_space / 4, 2048u));

	if (step != atomic_load_explicit(&s->rcv_step, memory_order_relaxed))
		atomic_store_explicit(&s->rcv_step, step, memory_order_release);
}

/* For most it is as it was, but for text perhaps. */
static inline bool
is_as_it_was(const struct tcp_conn *c, const struct sock *s)
{
	uint16_t step = (uint16_t)min(c->rcv_space / 4, 2048u);

	return c->state == TCP_ESTABLISHED && !(c->flags & TCPF_FIN_SEEN) &&
	       !(c->opts->set & 1u << TCP_OPTION_NOTSENT_LOWAT) &&
	       (atomic_load_explicit(&s->facts, memory_order_relaxed) & SOCK_CONNECTED) &&
	       atomic_load_explicit(&s->want_space, memory_order_relaxed) == s->told_space &&
	       atomic_load_explicit(&s->snd_limit, memory_order_relaxed) == c->snd_limit &&
	       atomic_load_explicit(&s->rcv_step, memory_order_relaxed) == step;
}

/* Something may be: the socket is told. */
static __attribute__((noinline)) void
tell_news(struct stack *st, struct tcp_conn *c, struct sock *s)
{
	uint32_t lowat = notsent_lowat(c);
	uint64_t limit = lowat ? min(c->snd_limit, (uint64_t)tcp_flight(c) + lowat) : c->snd_limit;
	uint32_t written = atomic_load_explicit(&s->rcv_w.written, memory_order_relaxed);
	uint16_t facts = facts_of(c), old = atomic_load_explicit(&s->facts, memory_order_relaxed);
	bool news;

	if (limit != atomic_load_explicit(&s->snd_limit, memory_order_relaxed))
		atomic_store_explicit(&s->snd_limit, (uint32_t)limit, memory_order_release);
	note_step(c, s);
	news = (facts & ~old) || written != s->told_written;
	news |= space_owed(c, s, (uint32_t)limit, lowat);
	if (!news)
		return;
	s->told_written = written;
	if (facts & SOCK_ERROR)
		s->err = (int16_t)c->err;
	events_tell(st, s, facts);
}

void
events_conn(struct stack *st, struct tcp_conn *c)
{
	struct sock *s = conn_sock(c);
	uint32_t written;

	if (!s || (c->flags & TCPF_ORPHAN))
		return;
	if (unlikely(!is_as_it_was(c, s))) {
		tell_news(st, c, s);
		return;
	}
	written = atomic_load_explicit(&s->rcv_w.written, memory_order_relaxed);
	if (written != s->told_written) {
		s->told_written = written;
		events_tell(st, s, 0); /* what it knows already is in sock.facts */
	}
}
