/* SPDX-License-Identifier: BSD-3-Clause */
#include "api/cpus.h"

#include <errno.h>
#include <numa.h>
#include <sched.h>

/* Masks of the system may be wider than cpu_set_t; its 1024 CPUs are enough. */
void
cpus_find(struct cpus *c)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	if (sched_getaffinity(0, sizeof set, &set) != 0)
		CPU_SET(0, &set);
	c->n = 0;
	for (unsigned i = 0; i < CPU_SETSIZE && c->n < CPUS_MAX; i++)
		if (CPU_ISSET(i, &set))
			c->cpu[c->n++] = (int)i;
}

void
cpus_choose(struct cpus *c, const struct cpus *all, uint64_t mask)
{
	c->n = 0;
	for (unsigned i = 0; i < all->n; i++)
		if (all->cpu[i] < 64 && (mask >> all->cpu[i] & 1))
			c->cpu[c->n++] = all->cpu[i];
	if (c->n == 0)
		*c = *all;
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
