/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A ring of 64-bit words between exactly one producer and one consumer.  Each
 * index has one writer; each side keeps a copy of the other's index and looks
 * at the real one only when the copy says full or empty.  The index is
 * published by a sequentially consistent store, so that "push, then look
 * whether the other side sleeps" needs no fence (runtime.c relies on it).
 */
#pragma once

#include <stdatomic.h>

#include "base/region.h"

struct spsc {
	/* -- line 0: the producer's ------------------------------------------ */
	_Alignas(CACHE_LINE) _Atomic uint32_t tail; /* words ever pushed          */
	uint32_t head_seen;

	/* -- line 1: the consumer's ------------------------------------------ */
	_Alignas(CACHE_LINE) _Atomic uint32_t head; /* words ever popped          */
	uint32_t tail_seen;

	/* -- line 2: constant after spsc_init() ------------------------------ */
	_Alignas(CACHE_LINE) uint64_t *slot;
	uint32_t mask;
};

/* Room for at least `n` words (rounded up to a power of two) out of `mem`.
 * False when the region is too small. */
static inline bool
spsc_init(struct spsc *q, struct region *mem, uint32_t n)
{
	uint32_t size = pow2_at_least(n);

	memset(q, 0, sizeof *q);
	q->mask = size - 1;
	q->slot = region_take(mem, size * sizeof *q->slot);
	return q->slot != NULL;
}

/* Producer.  False when the ring is full. */
static inline bool
spsc_push(struct spsc *q, uint64_t word)
{
	uint32_t tail = atomic_load_explicit(&q->tail, memory_order_relaxed);

	if (unlikely(tail - q->head_seen > q->mask)) {
		q->head_seen = atomic_load_explicit(&q->head, memory_order_acquire);
		if (tail - q->head_seen > q->mask)
			return false;
	}
	q->slot[tail & q->mask] = word;
	atomic_store_explicit(&q->tail, tail + 1, memory_order_seq_cst);
	return true;
}

/* Consumer.  False when the ring is empty. */
static inline bool
spsc_pop(struct spsc *q, uint64_t *word)
{
	uint32_t head = atomic_load_explicit(&q->head, memory_order_relaxed);

	if (head == q->tail_seen) {
		q->tail_seen = atomic_load_explicit(&q->tail, memory_order_seq_cst);
		if (head == q->tail_seen)
			return false;
	}
	*word = q->slot[head & q->mask];
	atomic_store_explicit(&q->head, head + 1, memory_order_release);
	return true;
}

/* Consumer.  Whether spsc_pop() would find something. */
static inline bool
spsc_ready(struct spsc *q)
{
	return atomic_load_explicit(&q->head, memory_order_relaxed) !=
	       atomic_load_explicit(&q->tail, memory_order_seq_cst);
}

/* Producer.  How many more words fit, at least. */
static inline uint32_t
spsc_room(struct spsc *q)
{
	uint32_t tail = atomic_load_explicit(&q->tail, memory_order_relaxed);

	q->head_seen = atomic_load_explicit(&q->head, memory_order_acquire);
	return q->mask + 1 - (tail - q->head_seen);
}
