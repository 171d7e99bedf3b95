/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What the pairs of an instance have in common: the hall in which their stacks leave packets
 * for each other, and a bell for each core, rung when something was left for one that sleeps.
 * It lives as long as the ports do, so a pair may come, go and come again beside others.
 *
 * The pairs may be those of several processes.  Then cores are numbered over all of them,
 * and all that is said of a core here means that number.
 */
#pragma once

#include "api/party.h"
#include "core/hall.h"

struct crew;

/* For `cores` cores.  0 and *out; or -errno. */
int crew_new(unsigned cores, struct crew **out);

struct crew_plan {
	const char *name;    /* of the processes, see party.h                     */
	unsigned processes;  /* 2..64                                            */
	int place;           /* of this one; -1: the first that is free          */
	unsigned cores;      /* of each; of all together HALL_CORES_MAX at most  */
	uint32_t frame;      /* bytes of the longest frame                       */
	bool shares_dpdk;    /* they are primary and secondaries                 */
};

/* The same, with other processes.  0 and *out; or -errno and a line in `err`. */
int crew_join(const struct crew_plan *plan, struct crew **out, char *err, size_t errlen);

/* After the last pair.  NULL is allowed. */
void crew_free(struct crew *c);

/* When the process ends and crew_free() is not called: leaves no file behind. */
void crew_forget(const struct crew *c);

struct hall *crew_hall(const struct crew *c);

/* The other processes; NULL: there are none. */
struct party *crew_party(const struct crew *c);

/* The number of this process's core 0. */
unsigned crew_first(const struct crew *c);

/* A descriptor that becomes readable, anew each time, when `core` is woken; crew_hush() before
 * the next sleep. */
int crew_bell(const struct crew *c, unsigned core);
void crew_hush(const struct crew *c, unsigned core);

/* Wakes cores, one bit each. */
void crew_wake(const struct crew *c, uint64_t cores);

/* How often somebody should look whether the other processes live; TIME_NEVER: there are none. */
int64_t crew_period(const struct crew *c);
void crew_look(const struct crew *c);

/* All pairs are told to end: from here on each waits for the others' connections, whose
 * packets may come to it.  crew_ends(): whether that was said. */
void crew_end(struct crew *c);
bool crew_ends(const struct crew *c);
