/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Which CPU a core of ours means.  Cores are dealt over the CPUs that the
 * process may use (and `core_mask` names), in order; when there are more cores
 * than CPUs they share, in turn.
 */
#pragma once

#include "base/base.h"

#define CPUS_MAX 1024u

struct cpus {
	unsigned n;
	int cpu[CPUS_MAX];
};

/* What the calling thread may use now: at the start, what the process may. */
void cpus_find(struct cpus *c);

/* Those of `all` that `mask` names: bit n is CPU n.  All of them when the mask is 0
 * or names none. */
void cpus_choose(struct cpus *c, const struct cpus *all, uint64_t mask);

/* The CPU of core `core`'s application thread, and of its stack's, `offset` CPUs on. */
int cpus_of_core(const struct cpus *c, unsigned core, int offset);

/* The NUMA node of a CPU; -1: unknown, or there is only one. */
int cpus_node(int cpu);

/* Binds the calling thread to a CPU, and its memory to the CPU's node.  0 or -errno. */
int cpus_bind(int cpu);
