/* SPDX-License-Identifier: BSD-3-Clause */
/* Lanes stand behind the seats, those of one sender beside each other. */

#include "core/hall.h"

struct lane {
	/* -- the producer's ---------------------------------------------------- */
	_Alignas(CACHE_LINE) _Atomic uint32_t tail; /* slots ever filled          */
	uint32_t head_seen;

	/* -- the consumer's ---------------------------------------------------- */
	_Alignas(CACHE_LINE) _Atomic uint32_t head; /* slots ever emptied         */
	uint32_t tail_seen;

	union hall_slot slot[];
};

/* Powers of two.  A packet lane holds what a burst of bursts brings, the lane of words all
 * claims of a step of jobs. */
static const uint32_t depth[HALL_LANES] = {
	[HALL_WORDS] = 2048,
	[HALL_PACKETS] = 512,
	[HALL_SENDS] = 256,
};

static size_t
lane_size(unsigned kind)
{
	return sizeof(struct lane) + depth[kind] * sizeof(union hall_slot);
}

static size_t
lanes_size(void)
{
	size_t size = 0;

	for (unsigned k = 0; k < HALL_LANES; k++)
		size += lane_size(k);
	return size;
}

static struct lane *
lane_of(struct hall *h, unsigned from, unsigned to, unsigned kind)
{
	uint8_t *at = (uint8_t *)&h->seat[h->cores];

	assert(from < h->cores && to < h->cores);
	at += (from * (size_t)h->cores + to) * lanes_size();
	for (unsigned k = 0; k < kind; k++)
		at += lane_size(k);
	return (struct lane *)(void *)at;
}

size_t
hall_size(unsigned cores)
{
	return sizeof(struct hall) + cores * sizeof(struct hall_seat) +
	       (size_t)cores * cores * lanes_size() + CACHE_LINE;
}

struct hall *
hall_new(struct region *mem, unsigned cores, const uint8_t key[RSS_KEY_LEN])
{
	struct hall *h;

	if (cores == 0 || cores > HALL_CORES_MAX)
		return NULL;
	h = region_take(mem, hall_size(cores) - CACHE_LINE);
	if (!h)
		return NULL;
	h->cores = cores;
	memcpy(h->key, key, sizeof h->key);
	return h;
}

/* ------------------------------------------------------------------ lanes -- */

bool
hall_push(struct hall *h, unsigned from, unsigned to, enum hall_lane_kind kind,
          const union hall_slot *slot)
{
	struct lane *l = lane_of(h, from, to, kind);
	uint32_t tail = atomic_load_explicit(&l->tail, memory_order_relaxed);

	if (tail - l->head_seen >= depth[kind]) {
		l->head_seen = atomic_load_explicit(&l->head, memory_order_acquire);
		if (tail - l->head_seen >= depth[kind])
			return false;
	}
	l->slot[tail & (depth[kind] - 1)] = *slot;
	atomic_store_explicit(&l->tail, tail + 1, memory_order_release);
	return true;
}

bool
hall_pop(struct hall *h, unsigned from, unsigned to, enum hall_lane_kind kind,
         union hall_slot *slot)
{
	struct lane *l = lane_of(h, from, to, kind);
	uint32_t head = atomic_load_explicit(&l->head, memory_order_relaxed);

	if (head == l->tail_seen) {
		l->tail_seen = atomic_load_explicit(&l->tail, memory_order_acquire);
		if (head == l->tail_seen)
			return false;
	}
	*slot = l->slot[head & (depth[kind] - 1)];
	atomic_store_explicit(&l->head, head + 1, memory_order_release);
	return true;
}

bool
hall_ring(struct hall *h, unsigned from, unsigned to)
{
	struct hall_seat *s = &h->seat[to];

	atomic_fetch_or_explicit(&s->rung, UINT64_C(1) << from, memory_order_seq_cst);
	return atomic_load_explicit(&s->asleep, memory_order_seq_cst) &&
	       atomic_exchange_explicit(&s->asleep, 0, memory_order_seq_cst);
}

bool
hall_sleep(struct hall *h, unsigned me)
{
	struct hall_seat *s = &h->seat[me];

	atomic_exchange_explicit(&s->asleep, 1, memory_order_seq_cst);
	if (atomic_load_explicit(&s->rung, memory_order_seq_cst) == 0)
		return true;
	hall_rouse(h, me);
	return false;
}

void
hall_rouse(struct hall *h, unsigned me)
{
	atomic_store_explicit(&h->seat[me].asleep, 0, memory_order_relaxed);
}

/* ------------------------------------------------------------------ seats -- */

void
hall_enter(struct hall *h, unsigned me, enum hall_state state)
{
	struct hall_seat *s = &h->seat[me];

	if (state == HALL_RUNS)
		atomic_store_explicit(&s->turn, hall_turn(h, me) + 1, memory_order_relaxed);
	atomic_store_explicit(&s->state, state, memory_order_release);
}

void
hall_listen(struct hall *h, unsigned me, uint16_t port, bool on)
{
	_Atomic uint64_t *word = &h->seat[me].listens[port / 64];
	uint64_t bit = UINT64_C(1) << port % 64;
	uint64_t was = atomic_load_explicit(word, memory_order_relaxed);

	atomic_store_explicit(word, on ? was | bit : was & ~bit, memory_order_relaxed);
}

static bool
serves(const struct hall *h, unsigned core, uint16_t port)
{
	return hall_state(h, core) == HALL_RUNS && hall_listens(h, core, port);
}

unsigned
hall_listener(const struct hall *h, unsigned me, uint16_t port, uint32_t hash)
{
	unsigned n = 0;

	for (unsigned i = 0; i < h->cores; i++)
		n += i != me && serves(h, i, port);
	if (n == 0)
		return HALL_CORES_MAX;
	n = hash % n;
	for (unsigned i = 0; i < h->cores; i++)
		if (i != me && serves(h, i, port) && n-- == 0)
			return i;
	return HALL_CORES_MAX; /* it has stopped meanwhile */
}

bool
hall_others_quiet(const struct hall *h, unsigned me)
{
	for (unsigned i = 0; i < h->cores; i++) {
		enum hall_state s = hall_state(h, i);

		if (i != me && (s == HALL_RUNS || s == HALL_LEAVES))
			return false;
	}
	return true;
}
