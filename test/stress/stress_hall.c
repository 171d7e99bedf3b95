/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Four cores in one hall, each a thread: words and packets go from each to each, full lanes
 * are tried again, and who has nothing to do sleeps until somebody rings.  Made for
 * ThreadSanitizer; what it finds otherwise is a wake-up lost: each sleep has an end, and one
 * that lasts so long although something waits counts.
 *
 *	stress_hall [times [seed]]	as much again as `times` says; default 1
 */
#include <errno.h>
#include <inttypes.h>
#include <linux/futex.h>
#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/rng.h"
#include "core/hall.h"
#include "test/base/memory.h"

#define CORES        4u
#define ITEMS        60000u /* from each to each, of each kind */
#define LONG_SLEEP_S 5

struct core {
	pthread_t thread;
	struct town *town;
	unsigned me;
	struct rng rng;
	uint64_t sent[CORES][HALL_LANES], got[CORES][HALL_LANES];
	uint64_t sleeps, full, wrong, lost;
	_Alignas(CACHE_LINE) _Atomic uint32_t bell; /* a futex, in place of an eventfd */
};

struct town {
	struct hall *hall;
	uint64_t items;
	struct core core[CORES];
};

static void
wake(struct core *c)
{
	atomic_fetch_add(&c->bell, 1);
	syscall(SYS_futex, &c->bell, FUTEX_WAKE_PRIVATE, 1, NULL, NULL, 0);
}

/* A burst for one other core, then its bell. */
static bool
send_some(struct core *c)
{
	struct town *t = c->town;
	unsigned to = (c->me + 1 + rng_below(&c->rng, CORES - 1)) % CORES;
	unsigned kind = rng_below(&c->rng, HALL_LANES);
	uint32_t burst = 1 + rng_below(&c->rng, 1u << rng_below(&c->rng, 7));
	uint64_t *sent = &c->sent[to][kind];
	bool any = false;

	for (; burst > 0 && *sent < t->items; burst--) {
		union hall_slot s;

		memset(&s, 0, sizeof s);
		s.pkt.handle = *sent;
		s.pkt.adopt = c->me << 8 | kind;
		if (!hall_push(t->hall, c->me, to, (enum hall_lane_kind)kind, &s)) {
			c->full++;
			break;
		}
		++*sent;
		any = true;
	}
	if (any && hall_ring(t->hall, c->me, to))
		wake(&t->core[to]);
	return any;
}

static void
take_all(struct core *c, uint64_t from_whom)
{
	for (; from_whom; from_whom &= from_whom - 1) {
		unsigned from = (unsigned)__builtin_ctzll(from_whom);

		for (unsigned kind = 0; kind < HALL_LANES; kind++) {
			union hall_slot s;

			while (hall_pop(c->town->hall, from, c->me, (enum hall_lane_kind)kind, &s))
				c->wrong += s.pkt.handle != c->got[from][kind]++ ||
				            s.pkt.adopt != (from << 8 | kind);
		}
	}
}

static bool
done(const struct core *c)
{
	for (unsigned i = 0; i < CORES; i++)
		for (unsigned k = 0; i != c->me && k < HALL_LANES; k++)
			if (c->sent[i][k] < c->town->items || c->got[i][k] < c->town->items)
				return false;
	return true;
}

static bool
all_sent(const struct core *c)
{
	for (unsigned i = 0; i < CORES; i++)
		for (unsigned k = 0; i != c->me && k < HALL_LANES; k++)
			if (c->sent[i][k] < c->town->items)
				return false;
	return true;
}

/* Who has something left to send sleeps for a moment only: nobody rings for room. */
static void
sleep_some(struct core *c)
{
	struct timespec end = { .tv_nsec = 100000 };
	uint32_t rung = atomic_load(&c->bell);
	bool for_long = all_sent(c);

	if (for_long)
		end = (struct timespec){ .tv_sec = LONG_SLEEP_S };
	if (!hall_sleep(c->town->hall, c->me))
		return;
	c->sleeps++;
	if (syscall(SYS_futex, &c->bell, FUTEX_WAIT_PRIVATE, rung, &end, NULL, 0) != 0 &&
	    errno == ETIMEDOUT && for_long &&
	    atomic_load(&c->town->hall->seat[c->me].rung) != 0 && atomic_load(&c->bell) == rung)
		c->lost++;
	hall_rouse(c->town->hall, c->me);
}

static void *
core_main(void *arg)
{
	struct core *c = arg;

	hall_enter(c->town->hall, c->me, HALL_RUNS);
	while (!done(c)) {
		uint64_t rung = hall_heard(c->town->hall, c->me);
		bool sent = rng_below(&c->rng, 4) != 0 && send_some(c);

		take_all(c, rung);
		hall_listen(c->town->hall, c->me, (uint16_t)rng_below(&c->rng, 128),
		            rng_below(&c->rng, 2));
		if (hall_listener(c->town->hall, c->me, 80, 7) == c->me)
			c->wrong++;
		if (!rung && (all_sent(c) || (!sent && rng_below(&c->rng, 8) == 0)))
			sleep_some(c);
		else if (!sent && rng_below(&c->rng, 4) == 0)
			sched_yield();
	}
	hall_enter(c->town->hall, c->me, HALL_GONE);
	return NULL;
}

int
main(int argc, char **argv)
{
	uint32_t times = argc > 1 ? (uint32_t)strtoul(argv[1], NULL, 10) : 1;
	uint64_t seed = argc > 2 ? strtoull(argv[2], NULL, 10) : 1;
	struct region mem = memory_new(hall_size(CORES));
	struct town *t = aligned_alloc(CACHE_LINE, align_up(sizeof *t, CACHE_LINE));
	const uint8_t key[RSS_KEY_LEN] = { 1 };
	uint64_t wrong = 0, lost = 0, sleeps = 0, full = 0;
	bool good;

	if (!t || times == 0 || times > 1000)
		return 2;
	memset((void *)t, 0, sizeof *t);
	t->hall = hall_new(&mem, CORES, key);
	t->items = (uint64_t)ITEMS * times;
	for (unsigned i = 0; i < CORES; i++) {
		t->core[i].town = t;
		t->core[i].me = i;
		t->core[i].rng = (struct rng){ seed + i };
	}
	for (unsigned i = 0; i < CORES; i++)
		if (pthread_create(&t->core[i].thread, NULL, core_main, &t->core[i]) != 0)
			abort();
	for (unsigned i = 0; i < CORES; i++) {
		pthread_join(t->core[i].thread, NULL);
		wrong += t->core[i].wrong;
		lost += t->core[i].lost;
		sleeps += t->core[i].sleeps;
		full += t->core[i].full;
	}
	good = wrong == 0 && lost == 0 && sleeps > 0;
	printf("seed %" PRIu64 ": %" PRIu64 " sleeps, %" PRIu64 " full lanes, %" PRIu64
	       " wrong, %" PRIu64 " lost wake-ups\n", seed, sleeps, full, wrong, lost);
	printf("%d passed, %d failed\n", good, !good);
	free(t);
	memory_free(&mem);
	return !good;
}
