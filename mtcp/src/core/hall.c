/* SPDX-License-Identifier: BSD-3-Clause */
/* Lanes of one sender stand beside each other: those within a process in its own memory, those
 * between processes behind the seats that they share. */

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
lane_size(unsigned slots)
{
	return sizeof(struct lane) + slots * sizeof(union hall_slot);
}

static size_t
near_size(void)
{
	size_t size = 0;

	for (unsigned k = 0; k < HALL_LANES; k++)
		size += lane_size(depth[k]);
	return size;
}

/* Words, then packets and their frames. */
static size_t
far_size(const struct hall_plan *p)
{
	return lane_size(depth[HALL_WORDS]) + lane_size(p->frames) +
	       p->frames * align_up(p->frame, CACHE_LINE);
}

static uint32_t
depth_of(const struct hall *h, unsigned from, unsigned to, unsigned kind)
{
	bool near = hall_is_near(h, from) && hall_is_near(h, to);

	return near || kind == HALL_WORDS ? depth[kind] : h->frames;
}

static struct lane *
lane_of(struct hall *h, unsigned from, unsigned to, unsigned kind)
{
	uint8_t *at = h->near;

	assert(from < h->cores && to < h->cores);
	if (hall_is_near(h, from) && hall_is_near(h, to)) {
		at += ((from - h->first) * (size_t)h->mine + (to - h->first)) * near_size();
		for (unsigned k = 0; k < kind; k++)
			at += lane_size(depth[k]);
	} else {
		assert(kind <= HALL_PACKETS);
		at = h->far + (from * (size_t)h->cores + to) * h->far_size;
		at += kind == HALL_WORDS ? 0 : lane_size(depth[HALL_WORDS]);
	}
	return (struct lane *)(void *)at;
}

static uint8_t *
frame_at(struct hall *h, struct lane *l, uint32_t n)
{
	return (uint8_t *)l + lane_size(h->frames) +
	       (n & (h->frames - 1)) * align_up(h->frame, CACHE_LINE);
}

/* ------------------------------------------------------------------ making -- */

static size_t
seats_size(unsigned cores)
{
	return sizeof(struct hall_common) + cores * sizeof(struct hall_seat);
}

size_t
hall_own_size(const struct hall_plan *p)
{
	return align_up(sizeof(struct hall), CACHE_LINE) +
	       (size_t)p->mine * p->mine * near_size() + 2 * CACHE_LINE;
}

size_t
hall_shared_size(const struct hall_plan *p)
{
	return seats_size(p->cores) + (size_t)p->cores * p->cores * far_size(p);
}

size_t
hall_size(unsigned cores)
{
	const struct hall_plan p = { .cores = cores, .mine = cores };

	return hall_own_size(&p) + seats_size(cores);
}

static struct hall *
hall_make(struct region *mem, const struct hall_plan *p, uint8_t *shared)
{
	struct hall *h = region_take(mem, sizeof *h);
	uint8_t *near = region_take(mem, (size_t)p->mine * p->mine * near_size());

	if (!h || !near)
		return NULL;
	h->near = near;
	h->common = (struct hall_common *)(void *)shared;
	h->seat = (struct hall_seat *)(void *)(shared + sizeof *h->common);
	h->all = UINT64_MAX >> (64 - p->cores);
	h->cores = p->cores;
	h->first = p->first;
	h->mine = p->mine;
	memcpy(h->key, p->key, sizeof h->key);
	return h;
}

struct hall *
hall_new(struct region *mem, unsigned cores, const uint8_t key[RSS_KEY_LEN])
{
	struct hall_plan p = { .cores = cores, .mine = cores };

	if (cores == 0 || cores > HALL_CORES_MAX || mem->size - mem->used < hall_size(cores))
		return NULL;
	memcpy(p.key, key, sizeof p.key);
	return hall_make(mem, &p, region_take(mem, seats_size(cores)));
}

struct hall *
hall_share(struct region *mem, const struct hall_plan *p, void *shared)
{
	struct hall *h;

	if (p->cores == 0 || p->cores > HALL_CORES_MAX || p->mine == 0 || p->mine > p->cores ||
	    p->first > p->cores - p->mine || p->frame == 0 || p->frame > UINT16_MAX ||
	    p->frames == 0 || p->frames > depth[HALL_PACKETS] || (p->frames & (p->frames - 1)))
		return NULL;
	h = hall_make(mem, p, shared);
	if (!h)
		return NULL;
	h->frame = p->frame;
	h->frames = p->frames;
	h->far_size = far_size(p);
	h->far = (uint8_t *)shared + seats_size(p->cores);
	return h;
}

/* ------------------------------------------------------------------ lanes -- */

/* Where the next slot is to be filled; false: there is no room. */
static bool
lane_room(struct lane *l, uint32_t size, uint32_t *tail)
{
	*tail = atomic_load_explicit(&l->tail, memory_order_relaxed);
	if (*tail - l->head_seen >= size) {
		l->head_seen = atomic_load_explicit(&l->head, memory_order_acquire);
		if (*tail - l->head_seen >= size)
			return false;
	}
	return true;
}

/* Where the next slot is to be emptied; false: there is none.  A lane that says it holds more
 * than it can has been spoilt, and is empty from here on. */
static bool
lane_next(struct lane *l, uint32_t size, uint32_t *head)
{
	*head = atomic_load_explicit(&l->head, memory_order_relaxed);
	if (*head == l->tail_seen) {
		l->tail_seen = atomic_load_explicit(&l->tail, memory_order_acquire);
		if (*head == l->tail_seen)
			return false;
	}
	if (likely(l->tail_seen - *head <= size))
		return true;
	l->tail_seen = atomic_load_explicit(&l->tail, memory_order_acquire);
	atomic_store_explicit(&l->head, l->tail_seen, memory_order_release);
	return false;
}

bool
hall_push(struct hall *h, unsigned from, unsigned to, enum hall_lane_kind kind,
          const union hall_slot *slot)
{
	struct lane *l = lane_of(h, from, to, kind);
	uint32_t tail, size = depth_of(h, from, to, kind);

	if (!lane_room(l, size, &tail))
		return false;
	l->slot[tail & (size - 1)] = *slot;
	atomic_store_explicit(&l->tail, tail + 1, memory_order_release);
	return true;
}

bool
hall_pop(struct hall *h, unsigned from, unsigned to, enum hall_lane_kind kind,
         union hall_slot *slot)
{
	struct lane *l = lane_of(h, from, to, kind);
	uint32_t head, size = depth_of(h, from, to, kind);

	if (!lane_next(l, size, &head))
		return false;
	*slot = l->slot[head & (size - 1)];
	atomic_store_explicit(&l->head, head + 1, memory_order_release);
	return true;
}

bool
hall_push_frame(struct hall *h, unsigned from, unsigned to, const union hall_slot *slot,
                const uint8_t *frame)
{
	struct lane *l = lane_of(h, from, to, HALL_PACKETS);
	uint32_t tail;

	if (slot->pkt.len > h->frame || !lane_room(l, h->frames, &tail))
		return false;
	l->slot[tail & (h->frames - 1)] = *slot;
	memcpy(frame_at(h, l, tail), frame, slot->pkt.len);
	atomic_store_explicit(&l->tail, tail + 1, memory_order_release);
	return true;
}

const uint8_t *
hall_next_frame(struct hall *h, unsigned from, unsigned to, union hall_slot *slot)
{
	struct lane *l = lane_of(h, from, to, HALL_PACKETS);
	uint32_t head;

	if (!lane_next(l, h->frames, &head))
		return NULL;
	*slot = l->slot[head & (h->frames - 1)];
	slot->pkt.len = min(slot->pkt.len, h->frame);
	return frame_at(h, l, head);
}

void
hall_drop_frame(struct hall *h, unsigned from, unsigned to)
{
	struct lane *l = lane_of(h, from, to, HALL_PACKETS);

	atomic_fetch_add_explicit(&l->head, 1, memory_order_release);
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

static void
epoch_ends(struct hall *h)
{
	atomic_fetch_add_explicit(&h->common->epoch, 1, memory_order_acq_rel);
}

void
hall_enter(struct hall *h, unsigned me, enum hall_state state)
{
	uint64_t was = hall_post(h, me);
	uint32_t turn = (uint32_t)(was >> 32);

	if (state == HALL_JOINS || (state == HALL_RUNS && (uint32_t)was != HALL_JOINS))
		turn = turn == UINT32_MAX ? 1 : turn + 1;
	atomic_store_explicit(&h->seat[me].post, (uint64_t)turn << 32 | state,
	                      memory_order_release);
	epoch_ends(h);
}

static void
lane_sweep(struct lane *l)
{
	uint32_t tail = atomic_load_explicit(&l->tail, memory_order_acquire);

	l->tail_seen = tail;
	atomic_store_explicit(&l->head, tail, memory_order_release);
}

/* What is 0 is not touched: nobody has paid for it yet. */
static void
clear_bits(_Atomic uint64_t *bits, unsigned n)
{
	for (unsigned i = 0; i < n; i++)
		if (atomic_load_explicit(&bits[i], memory_order_relaxed))
			atomic_store_explicit(&bits[i], 0, memory_order_relaxed);
}

void
hall_deafen(struct hall *h, unsigned me)
{
	struct hall_seat *s = &h->seat[me];

	clear_bits(s->listens, array_len(s->listens));
	clear_bits(s->dgrams, array_len(s->dgrams));
}

void
hall_sweep(struct hall *h, unsigned me)
{
	struct hall_seat *s = &h->seat[me];

	atomic_store(&s->asleep, 0);
	for (unsigned i = 0; i < HALL_CORES_MAX; i++)
		atomic_store_explicit(&s->greeted[i], 0, memory_order_relaxed);
	hall_deafen(h, me);
	for (unsigned i = 0; i < h->cores; i++) {
		if (hall_is_near(h, i))
			continue;
		for (unsigned kind = HALL_WORDS; kind <= HALL_PACKETS; kind++) {
			struct lane *out = lane_of(h, me, i, kind);

			lane_sweep(lane_of(h, i, me, kind));
			out->head_seen = atomic_load_explicit(&out->head, memory_order_acquire);
		}
	}
}

bool
hall_bury(struct hall *h, unsigned core, uint64_t post)
{
	uint64_t gone = (post >> 32 << 32) | HALL_GONE;

	if (!atomic_compare_exchange_strong(&h->seat[core].post, &post, gone))
		return false;
	epoch_ends(h);
	return true;
}

static void
set_bit(_Atomic uint64_t *word, unsigned n, bool on)
{
	uint64_t was = atomic_load_explicit(word, memory_order_relaxed), bit = UINT64_C(1) << n;

	atomic_store_explicit(word, on ? was | bit : was & ~bit, memory_order_relaxed);
}

void
hall_listen(struct hall *h, unsigned me, uint16_t port, bool on)
{
	set_bit(&h->seat[me].listens[port / 64], port % 64, on);
}

void
hall_take_dgrams(struct hall *h, unsigned me, uint16_t port, bool on)
{
	set_bit(&h->seat[me].dgrams[port / 64], port % 64, on);
}

/* What of a port. */
enum service { LISTENS, TAKES_DGRAMS };

static bool
serves(const struct hall *h, unsigned core, uint16_t port, enum service what,
       enum hall_state state)
{
	const struct hall_seat *s = &h->seat[core];
	const _Atomic uint64_t *bits = what == LISTENS ? s->listens : s->dgrams;

	return hall_state(h, core) == state &&
	       (atomic_load_explicit(&bits[port / 64], memory_order_relaxed) >> port % 64 & 1);
}

static unsigned
nth_that_serves(const struct hall *h, unsigned me, uint16_t port, uint32_t hash,
                enum service what, enum hall_state state)
{
	unsigned n = 0;

	for (unsigned i = 0; i < h->cores; i++)
		n += i != me && serves(h, i, port, what, state);
	if (n == 0)
		return HALL_CORES_MAX;
	n = hash % n;
	for (unsigned i = 0; i < h->cores; i++)
		if (i != me && serves(h, i, port, what, state) && n-- == 0)
			return i;
	return HALL_CORES_MAX; /* it has stopped meanwhile */
}

unsigned
hall_listener(const struct hall *h, unsigned me, uint16_t port, uint32_t hash)
{
	unsigned core = nth_that_serves(h, me, port, hash, LISTENS, HALL_RUNS);

	return core != HALL_CORES_MAX ? core
	                              : nth_that_serves(h, me, port, hash, LISTENS, HALL_JOINS);
}

unsigned
hall_dgram_taker(const struct hall *h, unsigned me, uint16_t port, uint32_t hash)
{
	return nth_that_serves(h, me, port, hash, TAKES_DGRAMS, HALL_RUNS);
}

bool
hall_others_quiet(const struct hall *h, unsigned me)
{
	for (unsigned i = h->first; i < h->first + h->mine; i++) {
		enum hall_state s = hall_state(h, i);

		if (i != me && (s == HALL_JOINS || s == HALL_RUNS || s == HALL_LEAVES))
			return false;
	}
	return true;
}
