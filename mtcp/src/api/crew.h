/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What the pairs of an instance have in common: the hall in which their stacks leave packets
 * for each other, and a bell for each core, rung when something was left for one that sleeps.
 * It lives as long as the ports do, so a pair may come, go and come again beside others.
 */
#pragma once

#include "core/hall.h"

struct crew;

/* For `cores` cores.  0 and *out; or -errno. */
int crew_new(unsigned cores, struct crew **out);

/* After the last pair.  NULL is allowed. */
void crew_free(struct crew *c);

struct hall *crew_hall(const struct crew *c);

/* A descriptor that becomes readable, anew each time, when `core` is woken. */
int crew_bell(const struct crew *c, unsigned core);

/* Wakes cores, one bit each. */
void crew_wake(const struct crew *c, uint64_t cores);

/* All pairs are told to end: from here on each waits for the others' connections, whose
 * packets may come to it.  crew_ends(): whether that was said. */
void crew_end(struct crew *c);
bool crew_ends(const struct crew *c);
