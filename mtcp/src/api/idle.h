/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What a stack's thread does when a step found nothing: look again, let the
 * application run, or sleep, and how.  Only the decision; no clock, no threads.
 *
 * Looking again is the fastest answer to a packet and the dearest; whether it
 * pays is learned: after a while in which it never did, it is cut to an eighth.
 * Where the application needs this very CPU, looking is never the answer.
 */
#pragma once

#include "base/base.h"

enum idle_act {
	IDLE_LOOK,  /* step again                                              */
	IDLE_YIELD, /* let the application run first                           */
	IDLE_NAP,   /* sleep for *nap; requests of the application can wait    */
	IDLE_SLEEP, /* sleep until something comes; at most for *nap           */
};

struct idle {
	int64_t spin_ns;     /* look this long before sleeping                       */
	int64_t nap_max_ns;  /* between looks at ports that cannot wake anybody      */
	bool can_wait;       /* every port can wake the thread                       */

	int64_t since;       /* when the last busy step was                          */
	int64_t nap_ns;      /* the last nap                                         */
	unsigned yields;     /* since the last busy step                             */
	unsigned credit;     /* how often looking has paid lately                    */
	bool looked;         /* since the last busy step                             */
	bool spun;           /* this idle time is charged already                    */
};

void idle_init(struct idle *i, int64_t spin_ns, int64_t nap_max_ns, bool can_wait, int64_t now);

/* The step at `now` found something to do. */
void idle_busy(struct idle *i, int64_t now);

/* The step at `now` found nothing.  `shared`: the application runs on this CPU;
 * `app_sleeps`: it is waiting.  *nap is TIME_NEVER or the longest sleep. */
enum idle_act idle_next(struct idle *i, int64_t now, bool shared, bool app_sleeps, int64_t *nap);
