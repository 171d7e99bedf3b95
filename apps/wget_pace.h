/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once
/*
 * When requests are due in an open loop: a schedule that no server can delay.
 *
 * The schedule is a function of nothing but its start, its rate and chance.  An
 * arrival that cannot start yet keeps its time, and whoever takes it late measures
 * from that time: the delay of one request is seen by all that were due behind it.
 */
#include <stdbool.h>
#include <stdint.h>

struct pace {
	int64_t start; /* ns */
	double gap_ns; /* between two arrivals, on average, of all workers together */
	unsigned workers;
	bool poisson;
	uint64_t index;  /* constant: of the next arrival, among those of all workers */
	double after_ns; /* Poisson: the next arrival, since the start */
	uint64_t random;
};

/*
 * Worker index of `workers` shares a rate of per_second (above 0) arrivals in all:
 * at equal distances, the workers in turn, or as a Poisson process each, seeded by seed.
 */
void pace_begin(struct pace *p, int64_t start, double per_second, bool poisson,
	            unsigned workers, unsigned index, uint64_t seed);

/* When the next arrival is due, in ns. */
int64_t pace_due(const struct pace *p);

/* The next arrival has been dealt with. */
void pace_take(struct pace *p);

/* Passes over all arrivals that are due before `until`; how many of them are due at
 * `from` or later. */
uint64_t pace_skip(struct pace *p, int64_t from, int64_t until);
