/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Saying and hearing, once for each direction.  A socket that is not on the ring is
 * queued, and whoever takes it off reads what was written before.  One that seems to be
 * on it may be coming off just now: the speaker counts up, then looks once more whether the
 * listener has taken it; the listener counts "taken", then reads.  All four are sequentially
 * consistent, so in their one order either the speaker sees the socket taken and queues it
 * again, or the listener reads what the speaker had said before.
 */
#include "core/sock.h"

static void
set_bits(_Atomic uint16_t *word, uint16_t bits)
{
	uint16_t old = atomic_load_explicit(word, memory_order_relaxed);

	if ((old | bits) != old)
		atomic_store_explicit(word, old | bits, memory_order_release);
}

/* Only one side adds to a counter: no read-modify-write is needed. */
static void
count_up(_Atomic uint8_t *counter)
{
	uint8_t n = (uint8_t)(atomic_load_explicit(counter, memory_order_relaxed) + 1);

	atomic_store_explicit(counter, n, memory_order_seq_cst);
}

/* Queues socket `number` unless it is on the ring already.  Counting up waits for all that was
 * written before to arrive in the cache: not done for nothing. */
static bool
push_once(struct spsc *ring, uint32_t number, uint8_t *pushed, const _Atomic uint8_t *taken,
          _Atomic uint8_t *said)
{
	bool fits;

	if (*pushed != atomic_load_explicit(taken, memory_order_acquire)) {
		count_up(said);
		if (*pushed != atomic_load_explicit(taken, memory_order_seq_cst))
			return false;
	}
	++*pushed;
	fits = spsc_push_number(ring, number);
	assert(fits); /* the ring has room for every socket */
	return fits;
}

bool
sock_ask(struct channel *ch, struct sock *s, uint16_t req_bits)
{
	uint32_t number = sock_number(ch, s);

	set_bits(&s->req, req_bits);
	if (req_bits & SOCK_REQ_CLOSE) /* once in a slot's life: the ring has room */
		return spsc_push_number(&ch->jobs, number | CHANNEL_GOODBYE);
	return push_once(&ch->jobs, number, &s->jobs_pushed, &s->jobs_taken, &s->asked);
}

bool
sock_tell(struct channel *ch, struct sock *s, uint16_t fact_bits)
{
	set_bits(&s->facts, fact_bits);
	return push_once(&ch->events, sock_number(ch, s), &s->events_pushed, &s->events_taken,
	                 &s->happened);
}

struct sock *
sock_next_event(struct channel *ch)
{
	struct sock *s;
	uint32_t number;

	while (spsc_pop_number(&ch->events, &number)) {
		assert(number < ch->n_socks);
		s = &ch->socks[number];
		if (sock_requests(s) & SOCK_REQ_CLOSE) {
			count_up(&s->events_taken); /* from here on the slot may be another's */
			continue;
		}
		count_up(&s->events_taken);
		(void)atomic_load_explicit(&s->happened, memory_order_seq_cst);
		return s;
	}
	return NULL;
}

struct sock *
sock_next_job(struct channel *ch, bool *call)
{
	struct sock *s;
	uint32_t word;

	*call = false;
	if (!spsc_pop_number(&ch->jobs, &word))
		return NULL;
	if (word == CHANNEL_CALL) {
		*call = true;
		return NULL;
	}
	assert((word & ~CHANNEL_GOODBYE) < ch->n_socks);
	s = &ch->socks[word & ~CHANNEL_GOODBYE];
	if (word & CHANNEL_GOODBYE) {
		s->goodbye = 1;
		return s;
	}
	count_up(&s->jobs_taken);
	(void)atomic_load_explicit(&s->asked, memory_order_seq_cst);
	return s;
}
