/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A ring of words between exactly one producer and one consumer: of 64 bits, or of
 * 32 for numbers, of which there may be a million.  Each
 * index has one writer; each side keeps a copy of the other's index and looks
 * at the real one only when the copy says full or empty.  The index of words is
 * published by a sequentially consistent store, so that "push, then look
 * whether the other side sleeps" needs no fence.  That of numbers is not: there are many
 * of them, and what such a store waits for is dear.  Who pushed one and then looks needs a
 * fence of its own, or the other side's (handoff.c).
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
	_Alignas(CACHE_LINE) union {
		uint64_t *slot;
		uint32_t *number;
	};
	uint32_t mask;
	bool of_numbers;
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

/* The same for numbers: spsc_push_number() and spsc_pop_number() are for these. */
static inline bool
spsc_init_numbers(struct spsc *q, struct region *mem, uint32_t n)
{
	uint32_t size = pow2_at_least(n);

	memset(q, 0, sizeof *q);
	q->mask = size - 1;
	q->of_numbers = true;
	q->number = region_take(mem, size * sizeof *q->number);
	return q->number != NULL;
}

static inline bool
spsc_may_push(struct spsc *q, uint32_t tail)
{
	if (likely(tail - q->head_seen <= q->mask))
		return true;
	q->head_seen = atomic_load_explicit(&q->head, memory_order_acquire);
	return tail - q->head_seen <= q->mask;
}

static inline bool
spsc_may_pop(struct spsc *q, uint32_t head)
{
	if (head != q->tail_seen)
		return true;
	q->tail_seen = atomic_load_explicit(&q->tail, memory_order_seq_cst);
	return head != q->tail_seen;
}

/* Producer.  False when the ring is full. */
static inline bool
spsc_push(struct spsc *q, uint64_t word)
{
	uint32_t tail = atomic_load_explicit(&q->tail, memory_order_relaxed);

	assert(!q->of_numbers);
	if (!spsc_may_push(q, tail))
		return false;
	q->slot[tail & q->mask] = word;
	atomic_store_explicit(&q->tail, tail + 1, memory_order_seq_cst);
	return true;
}

static inline bool
spsc_push_number(struct spsc *q, uint32_t number)
{
	uint32_t tail = atomic_load_explicit(&q->tail, memory_order_relaxed);

	assert(q->of_numbers);
	if (!spsc_may_push(q, tail))
		return false;
	q->number[tail & q->mask] = number;
	atomic_store_explicit(&q->tail, tail + 1, memory_order_release);
	return true;
}

/* Consumer.  False when the ring is empty. */
static inline bool
spsc_pop(struct spsc *q, uint64_t *word)
{
	uint32_t head = atomic_load_explicit(&q->head, memory_order_relaxed);

	assert(!q->of_numbers);
	if (!spsc_may_pop(q, head))
		return false;
	*word = q->slot[head & q->mask];
	atomic_store_explicit(&q->head, head + 1, memory_order_release);
	return true;
}

static inline bool
spsc_pop_number(struct spsc *q, uint32_t *number)
{
	uint32_t head = atomic_load_explicit(&q->head, memory_order_relaxed);

	assert(q->of_numbers);
	if (!spsc_may_pop(q, head))
		return false;
	*number = q->number[head & q->mask];
	atomic_store_explicit(&q->head, head + 1, memory_order_release);
	return true;
}

/* The same for several: how many there were, at most `max`. */
static inline unsigned
spsc_pop_numbers(struct spsc *q, uint32_t *number, unsigned max)
{
	uint32_t head = atomic_load_explicit(&q->head, memory_order_relaxed), n;

	assert(q->of_numbers);
	if (!spsc_may_pop(q, head))
		return 0;
	n = min(q->tail_seen - head, max);
	for (uint32_t i = 0; i < n; i++)
		number[i] = q->number[(head + i) & q->mask];
	atomic_store_explicit(&q->head, head + n, memory_order_release);
	return n;
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
