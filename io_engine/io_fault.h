/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * An engine around an engine that spoils the line: loss, duplication,
 * reordering, corruption, delay and a rate limit, in each direction on its own,
 * from a seed.  It works the same in virtual time and on a live run.
 */
#pragma once

#include "io_engine/io.h"

/* One direction.  Zero switches a fault off.  Chances are in a million. */
struct io_fault_dir {
	uint32_t loss_ppm;
	uint32_t dup_ppm;
	uint32_t corrupt_ppm; /* one bit after the Ethernet header is inverted        */
	uint32_t reorder_ppm; /* the packet waits reorder_ns longer than its turn     */
	int64_t reorder_ns;   /* 0 means 1 ms                                         */
	int64_t delay_ns;     /* every packet                                         */
	int64_t jitter_ns;    /* plus an even draw from 0..jitter_ns; reorders freely */
	uint64_t rate_bps;    /* bits a second; 0: no limit                           */
	uint32_t hold;        /* packets held at a time; more are lost; 0 means 1024  */
	uint32_t queue_bytes; /* that wait for the rate; more are lost; 0: as `hold`  */
	uint32_t mark_bytes;  /* when more than this wait, what may be marked by ECN
	                       * (RFC 3168) is; 0: never                              */
};

struct io_fault_config {
	uint64_t seed;
	struct io_fault_dir rx, tx;
};

struct io_fault_counts {
	uint64_t packets; /* that came to this direction                            */
	uint64_t lost, duplicated, corrupted, reordered;
	uint64_t delayed; /* not passed on at the time they came                    */
	uint64_t overflow; /* lost since `hold` packets or `queue_bytes` were there */
	uint64_t marked;
};

struct io_fault_stats {
	struct io_fault_counts rx, tx;
};

/* An engine around `inner`, which it owns from now on and closes with itself.
 * NULL when memory is short; then `inner` stays the caller's. */
struct io *io_fault_new(struct io *inner, const struct io_fault_config *cfg);

/* The counters so far.  `io` is of io_fault_new(). */
void io_fault_stats(struct io *io, struct io_fault_stats *stats);
