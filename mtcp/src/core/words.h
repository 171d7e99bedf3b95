/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What cores say to each other: messages through the hall's lanes, each a struct hall_word.  Who
 * finds a lane full drops the message, and counts; whoever cannot do without says it again.
 */
#pragma once

#include "core/hall.h"
#include "core/icmp.h"
#include "core/neigh.h"
#include "core/steer.h"

struct stack;

/* Whether a message or packet may be left for core `to`.  A core of ours that is not there yet
 * will be. */
bool words_reach(const struct steer *r, unsigned to);

/* False: no room, or nobody there. */
bool words_say(struct stack *st, unsigned to, const struct hall_word *w);

/* Tells all cores what ARP said on `port`. */
void words_neighbour(struct stack *st, unsigned port, const struct ip_addr *ip,
                     const struct mac_addr *mac, enum neigh_kind kind);

/* An ICMP error for a connection that nobody here knows; `hop` counts the cores that have looked
 * before.  False: it ends here. */
bool words_icmp(struct stack *st, const struct icmp_error *err, const struct tcp_tuple *t,
                uint32_t hash, unsigned hop);

/* Whether others may have said something. */
static inline bool
words_wait(const struct steer *r)
{
	const struct hall_seat *mine = &r->hall->seat[r->me];

	return r->pending || atomic_load_explicit(&mine->rung, memory_order_relaxed);
}

/* Does what others have said, so many messages of each at most. */
void words_hear(struct stack *st, int64_t now);
