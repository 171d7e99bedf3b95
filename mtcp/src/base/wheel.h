/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A hierarchical timer wheel: setting, moving and cancelling a timer is O(1),
 * and finding the next deadline does not scan timers.  A deadline is rounded
 * up to the tick, so a timer never fires early.  No callbacks: the owner pops
 * what is due.  One thread owns a wheel.
 */
#pragma once

#include "base/list.h"

#define WHEEL_LEVELS    5
#define WHEEL_SLOT_BITS 6
#define WHEEL_SLOTS     (1u << WHEEL_SLOT_BITS)
#define WHEEL_TICK      (NS_PER_MS / 4) /* resolution: a quarter of a millisecond */

struct wheel_node {
	struct link link; /* on a slot, or on no list */
	int64_t at;       /* the deadline asked for, ns */
};

struct wheel {
	int64_t tick;                /* ticks that have passed                   */
	uint32_t n;                  /* timers set                               */
	uint64_t busy[WHEEL_LEVELS]; /* a bit per slot that is not empty         */
	struct list due;             /* expired, waiting for wheel_pop()         */
	struct list overdue;         /* set when already past: due at the next advance */
	struct list slot[WHEEL_LEVELS][WHEEL_SLOTS];
};

/* An empty wheel at time `now`, ns. */
void wheel_init(struct wheel *w, int64_t now);

/* Sets or moves a timer.  TIME_NEVER cancels it.  A deadline that has passed
 * is due at the next wheel_advance().  Deadlines beyond the wheel's span (three
 * days) are kept correctly too: they cascade. */
void wheel_set(struct wheel *w, struct wheel_node *n, int64_t at);

/* Takes a timer off the wheel, due or not; one that is not set is fine. */
void wheel_cancel(struct wheel *w, struct wheel_node *n);

static inline bool
wheel_is_set(const struct wheel_node *n)
{
	return link_on_list(&n->link);
}

/* Moves time forward; timers whose (rounded) deadline is not after `now`
 * become due, in order of their tick.  Costs what is due and what cascades,
 * never the ticks skipped.  A `now` in the past changes nothing. */
void wheel_advance(struct wheel *w, int64_t now);

/* The next due timer, taken off the wheel, or NULL. */
struct wheel_node *wheel_pop(struct wheel *w);

/* When wheel_advance() or wheel_pop() will next have something to do, ns;
 * TIME_NEVER if no timer is set.  May be early for far timers (a cascade), never
 * late.  Not after the present while something is due. */
int64_t wheel_next(const struct wheel *w);
