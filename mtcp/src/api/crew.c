/* SPDX-License-Identifier: BSD-3-Clause */
/* The hall is mapped shared, and interleaved over all nodes: it belongs to no core. */
#include "api/crew.h"

#include <errno.h>
#include <numa.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <unistd.h>

/* A core of a process that has died goes on to be handed packets for that long. */
#define LOOK_PERIOD MS(25)

struct crew {
	struct hall *hall;
	struct region mem;
	unsigned cores;
	struct party *party; /* NULL: there is one process */
	_Atomic bool ends;
	int bell[HALL_CORES_MAX];
};

static int
memory_map(struct crew *c, size_t size)
{
	void *p = mmap(NULL, size, PROT_READ | PROT_WRITE,
	               MAP_SHARED | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	if (p == MAP_FAILED)
		return -ENOMEM;
	if (numa_available() >= 0)
		numa_interleave_memory(p, size, numa_all_nodes_ptr);
	c->mem = (struct region){ .base = p, .size = size };
	return 0;
}

static int
hall_map(struct crew *c)
{
	uint8_t key[RSS_KEY_LEN];
	int err = party_draw_key(key);

	if (!err)
		err = memory_map(c, hall_size(c->cores));
	if (err)
		return err;
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

static struct crew *
crew_alloc(unsigned cores)
{
	struct crew *c = calloc(1, sizeof *c);

	if (!c)
		return NULL;
	c->cores = cores;
	for (unsigned i = 0; i < HALL_CORES_MAX; i++)
		c->bell[i] = -1;
	return c;
}

int
crew_new(unsigned cores, struct crew **out)
{
	struct crew *c = crew_alloc(cores);
	int err;

	if (!c)
		return -ENOMEM;
	err = hall_map(c);
	if (!err)
		err = bells_open(c);
	if (err)
		crew_free(c);
	else
		*out = c;
	return err;
}

/* Memory for frames between processes is there from the start: less where they are many. */
static struct hall_plan
hall_plan_of(const struct crew_plan *p)
{
	unsigned cores = p->processes * p->cores;

	return (struct hall_plan){
		.cores = cores,
		.mine = p->cores,
		.frame = (uint32_t)align_up(p->frame, CACHE_LINE),
		.frames = cores <= 8 ? 512 : cores <= 16 ? 128 : 32,
	};
}

static int
hall_join(struct crew *c, struct hall_plan *hp)
{
	int err = memory_map(c, hall_own_size(hp));

	if (err)
		return err;
	hp->first = party_place(c->party) * hp->mine;
	memcpy(hp->key, party_key(c->party), sizeof hp->key);
	c->hall = hall_share(&c->mem, hp, party_memory(c->party));
	return c->hall ? 0 : -EINVAL;
}

int
crew_join(const struct crew_plan *plan, struct crew **out, char *err, size_t errlen)
{
	struct hall_plan hp = hall_plan_of(plan);
	struct crew *c = crew_alloc(hp.cores);
	struct party_plan pp = {
		.name = plan->name,
		.processes = plan->processes,
		.place = plan->place,
		.cores = hp.cores,
		.what = { hp.frame, hp.frames, plan->shares_dpdk, sizeof(struct hall_seat) },
		.size = hall_shared_size(&hp),
	};
	int rc;

	if (!c)
		return -ENOMEM;
	rc = party_join(&pp, &c->party, err, errlen);
	if (!rc)
		rc = hall_join(c, &hp);
	if (rc)
		crew_free(c);
	else
		*out = c;
	return rc;
}

void
crew_free(struct crew *c)
{
	if (!c)
		return;
	party_leave(c->party);
	for (unsigned i = 0; i < HALL_CORES_MAX; i++)
		if (c->bell[i] >= 0)
			close(c->bell[i]);
	if (c->mem.base)
		munmap(c->mem.base, c->mem.size);
	free(c);
}

void
crew_forget(const struct crew *c)
{
	if (c && c->party)
		party_forget(c->party);
}

struct party *
crew_party(const struct crew *c)
{
	return c ? c->party : NULL;
}

unsigned
crew_first(const struct crew *c)
{
	return c ? c->hall->first : 0;
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
	return c->party ? party_bell(c->party, core) : c->bell[core];
}

/* An eventfd never refuses 1 before it holds 2^64 - 2.  A FIFO that is full is heard. */
void
crew_wake(const struct crew *c, uint64_t cores)
{
	uint64_t one = 1;

	for (; cores; cores &= cores - 1)
		(void)!write(crew_bell(c, (unsigned)__builtin_ctzll(cores)), &one, sizeof one);
}

void
crew_hush(const struct crew *c, unsigned core)
{
	uint64_t old[64];

	if (c->party)
		(void)!read(party_bell(c->party, core), old, sizeof old);
}

/* ------------------------------------------------------------ other processes -- */

int64_t
crew_period(const struct crew *c)
{
	return c && c->party ? LOOK_PERIOD : TIME_NEVER;
}

/* Whose lock is gone has said nothing since: what it had said before is what is buried. */
static bool
look_at(const struct crew *c, unsigned place)
{
	struct hall *h = c->hall;
	uint64_t post[HALL_CORES_MAX];
	unsigned first = place * h->mine;
	bool lives = false, buried = false;

	for (unsigned i = 0; i < h->mine; i++) {
		post[i] = hall_post(h, first + i);
		lives |= hall_lives(h, first + i);
	}
	if (!lives || party_is_there(c->party, place))
		return false;
	for (unsigned i = 0; i < h->mine; i++)
		if ((uint32_t)post[i] != HALL_EMPTY && (uint32_t)post[i] != HALL_GONE)
			buried |= hall_bury(h, first + i, post[i]);
	return buried;
}

void
crew_look(const struct crew *c)
{
	const struct hall *h = c->hall;
	bool buried = false;

	for (unsigned place = 0; place * h->mine < h->cores; place++)
		if (place * h->mine != h->first)
			buried |= look_at(c, place);
	if (buried)
		crew_wake(c, (UINT64_MAX >> (64 - h->mine)) << h->first);
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
