/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once
/*
 * What happened when: intervals of equal length, each with its counts and its own
 * histogram.  When a run outgrows their number the length doubles and neighbours
 * become one, exactly, so that a run of any length fits.
 */
#include <stdbool.h>
#include <stdint.h>

#include "apps/latency.h"

#define SERIES_MAX         600u
#define SERIES_SHORTEST_NS INT64_C(1000000000)
#define SERIES_LONGEST_NS  (SERIES_SHORTEST_NS << 30)

struct interval {
	uint64_t completed, failed; /* requests, by when that happened */
	struct latency response;    /* by when the request was due or sent */
};

struct series {
	int64_t length_ns;   /* of an interval: 1 s, 2 s, 4 s, … */
	unsigned n;          /* those in use, from the start of the measurement */
	struct interval *at; /* SERIES_MAX */
	struct interval *last; /* what series_at() found last; NULL: nothing */
	int64_t last_from;     /* and where it begins */
};

/* An empty one, its memory from the system; false: there is none. */
bool series_begin(struct series *s);
void series_end(struct series *s);

/* The interval of a time since the start; what is negative counts as 0. */
struct interval *series_at(struct series *s, int64_t ns);

/* Makes the intervals longer: to length_ns, a power of two times the present one. */
void series_stretch(struct series *s, int64_t length_ns);

/* Adds all of from, interval by interval; the coarser length is that of the sum. */
void series_merge(struct series *s, const struct series *from);
