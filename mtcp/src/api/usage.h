/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What a pair has cost so far.  Steps are measured by the processor's time stamp
 * counter, which takes ten nanoseconds to read; the two threads' shares of their CPUs
 * the system knows anyway.
 */
#pragma once

#include <stdatomic.h>

#include "base/base.h"
#include "mtcp_api.h"

struct usage {
	/* Written by the stack's thread only, each one word. */
	_Atomic uint64_t busy_steps;
	_Atomic uint64_t busy_cycles;
	/* When the pair was made. */
	uint64_t cycles_then;
	int64_t ns_then;
	int64_t app_ns_then; /* CPU time of the application's thread */
};

/* The counter; nanoseconds of a clock where there is none. */
uint64_t usage_cycles(void);

/* Begins, called by the application's thread. */
void usage_init(struct usage *u);

/* A step that began at `began` of usage_cycles() has found something to do. */
void usage_busy(struct usage *u, uint64_t began);

/* Fills all of `out` but what the stack and its thread know, called by the application's
 * thread. */
void usage_read(const struct usage *u, struct mtcp_usage *out);
