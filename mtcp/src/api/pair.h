/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The seam between the calls of the API and whatever runs the stack's side of
 * the channel: another thread (runtime.c), the caller itself (a stack embedded
 * in a program), or a test.  Nothing above this file knows which.
 *
 * Waiting is by a count: ask pair_posted(), look at what you wait for, and when
 * it is not there wait for the count to move on.  What the stack leaves after
 * the first look moves the count, so nothing is slept through.
 */
#pragma once

#include "base/base.h"

struct pair;

struct pair_ops {
	/* Jobs were pushed.  The stack shall look at them soon; at the latest when
	 * the caller waits. */
	void (*wake_stack)(struct pair *p);

	/* How often the stack has left something so far. */
	uint32_t (*posted)(struct pair *p);

	/* Waits until posted() differs from `seen`: 0.  -ETIMEDOUT at `deadline`
	 * (TIME_NEVER: never; one that has passed: lets the stack run if it needs the
	 * caller for that, and comes back), -EINTR after a signal handler, or why else it
	 * cannot wait; -EAGAIN: nobody may. */
	int (*wait)(struct pair *p, uint32_t seen, int64_t deadline);

	/* The clock of deadlines. */
	int64_t (*now)(struct pair *p);

	/* A descriptor of the system that becomes readable at the next post after
	 * arm(), -1 and errno if there is none.  arm() is false when posted() differs
	 * from `seen` already.  ring() is a post from the caller's own side; disarm()
	 * also takes back a readability that was reached. */
	int (*fd)(struct pair *p);
	bool (*arm)(struct pair *p, uint32_t seen);
	void (*ring)(struct pair *p);
	void (*disarm)(struct pair *p);
};

/* Every kind of pair begins with this. */
struct pair {
	const struct pair_ops *ops;
};

static inline uint32_t
pair_posted(struct pair *p)
{
	return p->ops->posted(p);
}

static inline int64_t
pair_now(struct pair *p)
{
	return p->ops->now(p);
}
