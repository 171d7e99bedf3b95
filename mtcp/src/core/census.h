/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Which cores there are, where they are of several processes: each may start later than the
 * others, be killed, and come again, at any moment.
 *
 * A flow's home is the core that it hashes to, its primary, if somebody sits there; else one
 * of those who do, by the same hash, so that all who know the same seats name the same one.
 * Whoever keeps a flow whose primary is another core has a record of it (struct guest), and
 * goes through these whenever somebody has come or gone: each flow whose home is another one
 * now is claimed there.
 *
 * So a core that comes does not know what others keep that hashes to it, and would answer
 * their packets by resets.  It takes no packet before all that run have told it (they say so
 * in their seats, `greeted`), or a moment has passed: who is stopped cannot hold up others.
 *
 * Who becomes the home of what had another one, since that has gone, takes packets meanwhile.  Until all
 * others have told it what they keep (`told` in their seats), for two seconds at most, it answers none by a
 * reset of whose flow it knows nothing: that is late, not lost.
 *
 * Where an engine can receive what is for others (io_ops.adopt), one of those that are there
 * does so for each that is not, and gives it back when somebody sits there again: two never
 * look at one queue.
 */
#pragma once

#include "core/hall.h"

struct stack;

struct census {
	bool joins;        /* we wait for greetings                          */
	int64_t until;     /* ... and not longer; 0: not asked yet           */
	uint32_t epoch;    /* that all guests are told of                    */
	uint32_t walk;     /* the epoch that they are being told of          */
	uint32_t left;     /* guests to go through; 0: none                  */
	bool walks;
	int64_t unsure;    /* until then others may still have to tell us; 0: they have */
	bool can_adopt;    /* engines receive for others                     */
	uint64_t adopted;  /* cores that we receive for                      */
	uint32_t turn[HALL_CORES_MAX]; /* of each core, when the walk began  */
};

/* Takes the seat of a core in a hall of several processes. */
void census_join(struct stack *st);

/* Goes on with what there is to tell.  False: the core may take no packet yet. */
bool census_step(struct stack *st, int64_t now);

/* The core ends: gives back what it has adopted. */
void census_leave(struct stack *st);

/* Whether it may; and whether others have still to be told something. */
static inline bool
census_joined(const struct census *c)
{
	return !c->joins;
}

static inline bool
census_waits(const struct census *c, const struct hall *h)
{
	return c->epoch != hall_epoch(h);
}

/* Whether somebody may still have to tell this core what it keeps, since others came or went. */
static inline bool
census_unsure(const struct census *c, const struct hall *h, int64_t now)
{
	return c->epoch != hall_epoch(h) || now < c->unsure;
}

/* Home of a flow that hashes to core `primary`, `hash` its hash. */
unsigned census_home(const struct hall *h, unsigned primary, uint32_t hash);
