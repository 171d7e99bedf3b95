/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Ticks are read as digits to the base 64.  A timer hangs at the level of the
 * highest digit in which its tick differs from the current one, in the slot
 * that this digit names.  Hence every slot in use lies ahead of the current
 * digit of its level, everything at a level is earlier than everything above
 * it, and the earliest event is one bit search away.  When time reaches the
 * first tick of a slot above the bottom, its timers are filed again, lower.
 *
 * A timer that differs even above the top digit waits in slot 0 of the top
 * level, which no other can use, and is filed again when the top digit wraps.
 */
#include "base/wheel.h"

#define TOP       (WHEEL_LEVELS - 1)
#define SLOT_MASK (WHEEL_SLOTS - 1)

static_assert(WHEEL_SLOTS == 64, "a level's busy slots are the bits of one word");
static_assert(WHEEL_LEVELS * WHEEL_SLOT_BITS < 63, "the top digit can wrap within an int64_t");

/* A slot, and the first tick of the time it stands for. */
struct place {
	unsigned level, slot;
	int64_t tick;
};

static int64_t
tick_floor(int64_t ns)
{
	return ns / WHEEL_TICK - (ns % WHEEL_TICK < 0);
}

/* The last tick whose time fits an int64_t is late enough for anything. */
static int64_t
tick_ceil(int64_t ns)
{
	int64_t t = ns / WHEEL_TICK + (ns % WHEEL_TICK > 0);

	return min(t, INT64_MAX / WHEEL_TICK);
}

static unsigned
digit(int64_t tick, unsigned level)
{
	return (unsigned)((uint64_t)tick >> (level * WHEEL_SLOT_BITS)) & SLOT_MASK;
}

/* `tick` with the digits up to and including `level` set to zero. */
static uint64_t
digits_above(int64_t tick, unsigned level)
{
	return (uint64_t)tick & (~UINT64_C(0) << ((level + 1) * WHEEL_SLOT_BITS));
}

void
wheel_init(struct wheel *w, int64_t now)
{
	memset(w, 0, sizeof *w);
	w->tick = tick_floor(now);
	list_init(&w->overdue);
	list_init(&w->due);
	for (unsigned l = 0; l < WHEEL_LEVELS; l++)
		for (unsigned s = 0; s < WHEEL_SLOTS; s++)
			list_init(&w->slot[l][s]);
}

/* Hangs a timer whose tick `e` lies ahead into its slot. */
static void
file(struct wheel *w, struct wheel_node *n, int64_t e)
{
	uint64_t differs = (uint64_t)e ^ (uint64_t)w->tick;
	unsigned level = (63 - (unsigned)__builtin_clzll(differs)) / WHEEL_SLOT_BITS;
	unsigned s = level <= TOP ? digit(e, level) : 0;

	level = min(level, TOP);
	w->busy[level] |= UINT64_C(1) << s;
	list_push_back(&w->slot[level][s], &n->link);
}

/* If `n` is alone on a slot, both its neighbours are the slot itself: the way
 * to find the busy bit without keeping the slot's number in every timer. */
static void
unfile(struct wheel *w, struct wheel_node *n)
{
	struct list *l = container_of(n->link.next, struct list, head);
	struct list *first = &w->slot[0][0];
	bool alone = n->link.next == n->link.prev;
	size_t at = ((uintptr_t)l - (uintptr_t)first) / sizeof *l;

	link_remove(&n->link);
	if (alone && at < (size_t)WHEEL_LEVELS * WHEEL_SLOTS)
		w->busy[at / WHEEL_SLOTS] &= ~(UINT64_C(1) << at % WHEEL_SLOTS);
}

void
wheel_cancel(struct wheel *w, struct wheel_node *n)
{
	if (!wheel_is_set(n))
		return;
	unfile(w, n);
	w->n--;
}

void
wheel_set(struct wheel *w, struct wheel_node *n, int64_t at)
{
	int64_t e = tick_ceil(at);

	wheel_cancel(w, n);
	n->at = at;
	if (at == TIME_NEVER)
		return;
	w->n++;
	if (e <= w->tick)
		list_push_back(&w->overdue, &n->link);
	else
		file(w, n, e);
}

/* The slot that comes next at the top level: one ahead, else slot 0 for those
 * that wait for the wrap. */
static unsigned
top_slot(const struct wheel *w)
{
	uint64_t passed = (UINT64_C(2) << digit(w->tick, TOP)) - 1; /* bits up to the current */
	uint64_t ahead = w->busy[TOP] & ~passed;

	return ahead ? (unsigned)__builtin_ctzll(ahead) : 0;
}

static int64_t
slot_tick(const struct wheel *w, unsigned level, unsigned s)
{
	uint64_t t = digits_above(w->tick, level) + ((uint64_t)s << (level * WHEEL_SLOT_BITS));

	if (level == TOP && s == 0)
		t += UINT64_C(1) << (WHEEL_LEVELS * WHEEL_SLOT_BITS);
	return (int64_t)t;
}

/* The busy slot whose first tick comes next; false when none is busy. */
static bool
next_slot(const struct wheel *w, struct place *p)
{
	unsigned l = 0;

	while (l < WHEEL_LEVELS && !w->busy[l])
		l++;
	if (l == WHEEL_LEVELS)
		return false;
	p->level = l;
	p->slot = l < TOP ? (unsigned)__builtin_ctzll(w->busy[l]) : top_slot(w);
	p->tick = slot_tick(w, p->level, p->slot);
	return true;
}

/* Time has come to the first tick of a slot: its timers are due or go lower. */
static void
empty_slot(struct wheel *w, const struct place *p)
{
	struct list moved;
	struct link *k;

	w->tick = p->tick;
	w->busy[p->level] &= ~(UINT64_C(1) << p->slot);
	list_init(&moved);
	list_splice_back(&moved, &w->slot[p->level][p->slot]);
	while ((k = list_pop_front(&moved))) {
		struct wheel_node *n = container_of(k, struct wheel_node, link);
		int64_t e = tick_ceil(n->at);

		if (e <= w->tick)
			list_push_back(&w->due, k);
		else
			file(w, n, e);
	}
}

void
wheel_advance(struct wheel *w, int64_t now)
{
	int64_t target = tick_floor(now);
	struct place p;

	list_splice_back(&w->due, &w->overdue);
	if (target <= w->tick)
		return;
	while (next_slot(w, &p) && p.tick <= target)
		empty_slot(w, &p);
	w->tick = target;
}

struct wheel_node *
wheel_pop(struct wheel *w)
{
	struct link *k = list_pop_front(&w->due);

	if (!k)
		return NULL;
	w->n--;
	return container_of(k, struct wheel_node, link);
}

int64_t
wheel_next(const struct wheel *w)
{
	struct place p;

	if (!list_empty(&w->due) || !list_empty(&w->overdue))
		return w->tick * WHEEL_TICK;
	return next_slot(w, &p) ? p.tick * WHEEL_TICK : TIME_NEVER;
}
