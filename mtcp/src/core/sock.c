/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Saying and hearing, once for each direction.  A socket that is not on the ring is
 * queued, and whoever takes it off reads what was written before.  One that seems to be
 * on it may be coming off just now: the speaker counts up, then looks once more whether the
 * listener has taken it; the listener counts "taken", then reads.  Between the two steps of each
 * stands a fence, so either the speaker sees the socket taken and queues it again, or the listener
 * reads what the speaker had said before.  The listener takes a few at a time: one fence is
 * enough for them, and their lines come into the cache together.
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
static inline void
count_up(_Atomic uint8_t *counter, memory_order order)
{
	uint8_t n = (uint8_t)(atomic_load_explicit(counter, memory_order_relaxed) + 1);

	atomic_store_explicit(counter, n, order);
}

/* Queues socket `number` unless it is on the ring already.  Counting up waits for all that was
 * written before to arrive in the cache: not done for nothing. */
static bool
push_once(struct spsc *ring, uint32_t number, uint8_t *pushed, const _Atomic uint8_t *taken,
          _Atomic uint8_t *said)
{
	bool fits;

	if (*pushed != atomic_load_explicit(taken, memory_order_acquire)) {
		count_up(said, memory_order_seq_cst);
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

/* Of `n` numbers those whose sockets are open. */
static unsigned
events_heard(struct channel *ch, const uint32_t *number, unsigned n, struct sock **out)
{
	unsigned got = 0;

	for (unsigned i = 0; i < n; i++) {
		struct sock *s = &ch->socks[number[i]];

		assert(number[i] < ch->n_socks);
		if (likely(!(sock_requests(s) & SOCK_REQ_CLOSE)))
			out[got++] = s;
		/* From here on the slot of one that is closed may be another's. */
		count_up(&s->events_taken, memory_order_release);
	}
	return got;
}

unsigned
sock_take_events(struct channel *ch, struct sock **s, unsigned max)
{
	uint32_t number[CHANNEL_AT_ONCE];
	unsigned n, got = 0;

	while (got == 0 && (n = spsc_pop_numbers(&ch->events, number, min(max, CHANNEL_AT_ONCE))))
		got = events_heard(ch, number, n, s);
	if (got)
		fence_full();
	return got;
}

/* The goodbye and a call are not counted. */
unsigned
sock_take_jobs(struct channel *ch, uint32_t *job, unsigned max)
{
	unsigned n = spsc_pop_numbers(&ch->jobs, job, max);

	for (unsigned i = 0; i < n; i++)
		if (!(job[i] & CHANNEL_GOODBYE))
			count_up(&ch->socks[job[i]].jobs_taken, memory_order_release);
	if (n)
		fence_full();
	return n;
}

struct sock *
sock_of_job(struct channel *ch, uint32_t job)
{
	struct sock *s;

	if (job == CHANNEL_CALL)
		return NULL;
	assert((job & ~CHANNEL_GOODBYE) < ch->n_socks);
	s = &ch->socks[job & ~CHANNEL_GOODBYE];
	if (job & CHANNEL_GOODBYE)
		s->goodbye = 1;
	return s;
}
