/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Sockets' numbers and buffers, and how they travel between the two threads.
 * Only the stack takes chunks from the pool; the application gets them in
 * lists of CHANNEL_BATCH and sends them back in lists of any length.
 */

#include "core/stack_priv.h"
#include "tcp/tcp_eor.h"

#define IDS_SHARE    4u  /* CHANNEL_IDS, and no more than a part in so many of all: accept() needs some */
#define CHUNKS_READY 8u  /* lists of chunks kept ready for it, at most */
#define CHUNKS_SHARE 8u  /* ... and no more than a part in so many of all */

static void
free_push(struct stack *st, struct sock *s)
{
	s->link = st->free_socks;
	st->free_socks = sock_number(&st->ch, s);
	st->n_free_socks++;
}

void
slots_init(struct stack *st)
{
	st->free_socks = st->dying_socks = NO_SOCK;
	st->n_free_socks = st->ch.n_socks;
	slots_exchange(st);
}

/* First what was used before, then what never was, in rising order: nothing else of the slots
 * is ever touched, and those in use lie together. */
struct sock *
slot_get(struct stack *st)
{
	struct sock *s;

	if (st->n_free_socks == 0)
		return NULL;
	if (st->free_socks != NO_SOCK) {
		s = &st->ch.socks[st->free_socks];
		st->free_socks = s->link;
	} else {
		s = &st->ch.socks[st->fresh_socks++];
	}
	s->told_written = 0;
	st->n_free_socks--;
	return s;
}

/* Only when the application does not use them. */
void
slot_streams_drop(struct stack *st, struct sock *s)
{
	if (atomic_load_explicit(&s->snd_w.marked, memory_order_acquire))
		tcp_eor_free(atomic_load_explicit(&s->eor, memory_order_relaxed), &st->env.spare);
	stream_dismantle(&s->snd_w, &s->snd_r, &st->env.spare);
	stream_dismantle(&s->rcv_w, &s->rcv_r, &st->env.spare);
}

/* Every word as new.  The application may still be looking at the event it has
 * just taken, to find that the socket is closed: what it may read is written
 * as atomics. */
static void
slot_reset(struct stack *st, struct sock *s)
{
	slot_streams_drop(st, s);
	atomic_store_explicit(&s->asked, 0, memory_order_relaxed);
	atomic_store_explicit(&s->events_taken, 0, memory_order_relaxed);
	atomic_store_explicit(&s->req, 0, memory_order_relaxed);
	atomic_store_explicit(&s->opt_bits, 0, memory_order_relaxed);
	atomic_store_explicit(&s->happened, 0, memory_order_relaxed);
	atomic_store_explicit(&s->jobs_taken, 0, memory_order_relaxed);
	atomic_store_explicit(&s->facts, 0, memory_order_relaxed);
	atomic_store_explicit(&s->snd_limit, 0, memory_order_relaxed);
	atomic_store_explicit(&s->rcv_step, 0, memory_order_relaxed);
	atomic_store_explicit(&s->accepts, 0, memory_order_relaxed);
	atomic_store_explicit(&s->accepted, 0, memory_order_relaxed);
	atomic_store_explicit(&s->want_space, 0, memory_order_relaxed);
	s->jobs_pushed = s->events_pushed = 0;
	s->told_space = 0;
	s->told_written = 0;
	s->conn = NULL;
	s->err = 0;
	s->goodbye = 0;
	s->bound = SOCK_UNBOUND;
	s->name = (struct tcp_tuple){ .local = IP_ANY, .remote = IP_ANY };
	s->kind = SOCK_KIND_FREE;
	opts_drop(st, sock_opts(st, s));
	sock_set_opts(st, s, &st->no_opts);
}

static bool
on_a_ring(const struct sock *s)
{
	return s->events_pushed != atomic_load_explicit(&s->events_taken, memory_order_acquire);
}

void
slot_release(struct stack *st, struct sock *s)
{
	s->kind = SOCK_KIND_DYING;
	if (on_a_ring(s)) { /* an event the application has not fetched yet */
		s->link = st->dying_socks;
		st->dying_socks = sock_number(&st->ch, s);
		return;
	}
	slot_reset(st, s);
	free_push(st, s);
}

static void
reap_dying(struct stack *st)
{
	uint32_t n = st->dying_socks;

	st->dying_socks = NO_SOCK;
	while (n != NO_SOCK) {
		struct sock *s = &st->ch.socks[n];

		n = s->link;
		slot_release(st, s);
	}
}

static void
take_chunks_back(struct stack *st)
{
	uint64_t word;

	while (spsc_pop(&st->ch.chunks_up, &word)) {
		struct chunk *k = (struct chunk *)(uintptr_t)word;

		while (k) {
			struct chunk *next = atomic_load_explicit(&k->next, memory_order_relaxed);

			chunk_list_put(&st->env.spare, k);
			k = next;
		}
	}
}

/* What peers send needs chunks too, and comes first: of the last ones the
 * application gets none, or two hosts that write to each other could both wait
 * for ever. */
static bool
chunks_to_spare(struct stack *st)
{
	const struct pool *p = &st->env.chunks;
	uint32_t left = p->max - p->used + st->env.spare.n;

	return left >= p->max / CHUNKS_SHARE + CHANNEL_BATCH &&
	       tcp_chunks_want(&st->env, CHANNEL_BATCH);
}

/* No event says it: whoever ran out looks again when it is woken, once for what has come since
 * the last time, however often it asks (SOCK_REQ_CHUNKS is never taken back). */
static void
tell_of_chunks(struct stack *st, uint32_t lists)
{
	uint32_t given = atomic_load_explicit(&st->ch.chunks_down.tail, memory_order_relaxed);

	if (!st->app_starved || lists == 0 || given == st->chunks_told)
		return;
	st->app_starved = false;
	st->chunks_told = given;
	st->posted = true;
}

static void
give_chunks(struct stack *st)
{
	struct spsc *q = &st->ch.chunks_down;
	uint32_t lists = q->mask + 1 - spsc_room(q);
	uint32_t ready = st->env.chunks.max / CHUNKS_SHARE / CHANNEL_BATCH;

	ready = max(min(ready, CHUNKS_READY), 1u);
	for (; lists < ready && chunks_to_spare(st); lists++) {
		struct chunk_list l = { NULL, 0 };

		for (uint32_t i = 0; i < CHANNEL_BATCH; i++)
			chunk_list_put(&l, chunk_list_get(&st->env.spare));
		(void)spsc_push(q, (uint64_t)(uintptr_t)l.first);
	}
	tell_of_chunks(st, lists);
}

static void
give_numbers(struct stack *st)
{
	struct spsc *q = &st->ch.ids;
	uint32_t want = max(min(st->ch.n_socks / IDS_SHARE, CHANNEL_IDS), 1u);
	uint32_t ready = q->mask + 1 - spsc_room(q);

	for (; ready < want; ready++) {
		struct sock *s = slot_get(st);

		if (!s)
			return;
		s->kind = SOCK_KIND_PLAIN;
		(void)spsc_push_number(q, sock_number(&st->ch, s));
	}
}

void
slots_exchange(struct stack *st)
{
	take_chunks_back(st);
	if (st->dying_socks != NO_SOCK)
		reap_dying(st);
	give_chunks(st);
	give_numbers(st);
}

/* ------------------------------------------------------------- options -- */

/* One more holder of a record of options. */
const struct tcp_opts *
opts_share(struct stack *st, const struct tcp_opts *o)
{
	if (o != &st->no_opts)
		((struct tcp_opts *)pool_at(&st->opts, pool_index(&st->opts, o)))->refs++;
	return o;
}

void
opts_drop(struct stack *st, const struct tcp_opts *o)
{
	struct tcp_opts *mine;

	if (o == &st->no_opts)
		return;
	mine = pool_at(&st->opts, pool_index(&st->opts, o));
	if (--mine->refs == 0)
		pool_put(&st->opts, mine);
}
