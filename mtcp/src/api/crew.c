/* SPDX-License-Identifier: BSD-3-Clause */
/* The hall is mapped shared, and interleaved over all nodes: it belongs to no core. */
#include "api/crew.h"

#include <errno.h>
#include <numa.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <unistd.h>

struct crew {
	struct hall *hall;
	struct region mem;
	unsigned cores;
	_Atomic bool ends;
	int bell[HALL_CORES_MAX];
};

static int
hall_map(struct crew *c)
{
	uint8_t key[RSS_KEY_LEN];
	size_t size = hall_size(c->cores);
	void *p;

	if (getrandom(key, sizeof key, 0) != (ssize_t)sizeof key)
		return -EIO;
	p = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS | MAP_NORESERVE,
	         -1, 0);
	if (p == MAP_FAILED)
		return -ENOMEM;
	if (numa_available() >= 0)
		numa_interleave_memory(p, size, numa_all_nodes_ptr);
	c->mem = (struct region){ .base = p, .size = size };
	c->hall = hall_new(&c->mem, c->cores, key);
	return c->hall ? 0 : -EINVAL;
}

static int
bells_open(struct crew *c)
{
	for (unsigned i = 0; i < c->cores; i++)
		if ((c->bell[i] = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC)) < 0)
			return -errno;
	return 0;
}

int
crew_new(unsigned cores, struct crew **out)
{
	struct crew *c = calloc(1, sizeof *c);
	int err;

	if (!c)
		return -ENOMEM;
	c->cores = cores;
	for (unsigned i = 0; i < HALL_CORES_MAX; i++)
		c->bell[i] = -1;
	err = hall_map(c);
	if (!err)
		err = bells_open(c);
	if (err)
		crew_free(c);
	else
		*out = c;
	return err;
}

void
crew_free(struct crew *c)
{
	if (!c)
		return;
	for (unsigned i = 0; i < HALL_CORES_MAX; i++)
		if (c->bell[i] >= 0)
			close(c->bell[i]);
	if (c->mem.base)
		munmap(c->mem.base, c->mem.size);
	free(c);
}

struct hall *
crew_hall(const struct crew *c)
{
	return c->hall;
}

int
crew_bell(const struct crew *c, unsigned core)
{
	assert(core < c->cores);
	return c->bell[core];
}

/* An eventfd never refuses 1 before it holds 2^64 - 2. */
void
crew_wake(const struct crew *c, uint64_t cores)
{
	uint64_t one = 1;

	for (; cores; cores &= cores - 1)
		(void)!write(c->bell[__builtin_ctzll(cores)], &one, sizeof one);
}

void
crew_end(struct crew *c)
{
	atomic_store_explicit(&c->ends, true, memory_order_release);
}

bool
crew_ends(const struct crew *c)
{
	return atomic_load_explicit(&c->ends, memory_order_acquire);
}
