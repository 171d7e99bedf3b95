/* SPDX-License-Identifier: BSD-3-Clause */
#include "api/cpus.h"

#include <errno.h>
#include <numa.h>
#include <sched.h>

/* Masks of the system may be wider than cpu_set_t; its 1024 CPUs are enough. */
static void
usable(cpu_set_t *set)
{
	CPU_ZERO(set);
	if (sched_getaffinity(0, sizeof *set, set) != 0)
		CPU_SET(0, set);
}

static void
collect(struct cpus *c, const cpu_set_t *set, uint64_t mask)
{
	c->n = 0;
	for (unsigned i = 0; i < CPU_SETSIZE && c->n < CPUS_MAX; i++) {
		bool named = mask == 0 || (i < 64 && (mask >> i & 1));

		if (CPU_ISSET(i, set) && named)
			c->cpu[c->n++] = (int)i;
	}
}

void
cpus_find(struct cpus *c, uint64_t mask)
{
	cpu_set_t set;

	usable(&set);
	collect(c, &set, mask);
	if (c->n == 0)
		collect(c, &set, 0);
}

int
cpus_of_core(const struct cpus *c, unsigned core, int offset)
{
	int n = (int)c->n, at = ((int)(core % c->n) + offset % n + n) % n;

	return c->cpu[at];
}

int
cpus_node(int cpu)
{
	return numa_available() < 0 || numa_max_node() == 0 ? -1 : numa_node_of_cpu(cpu);
}

int
cpus_bind(int cpu)
{
	int node = cpus_node(cpu);
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET((unsigned)cpu, &set);
	if (sched_setaffinity(0, sizeof set, &set) != 0)
		return -errno;
	if (node >= 0)
		numa_set_preferred(node);
	return 0;
}
