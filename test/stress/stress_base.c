/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What the simulator cannot see: two threads on one ring, on one byte stream,
 * and on one sleeping flag.  Built with -fsanitize=thread it also proves that
 * no two accesses race.  The work is bounded in words, bytes and rounds, not in
 * time, so that a slow machine only takes longer.
 *
 *	stress_base [times [seed]]	as much again as `times` says; default 1
 */
#include <inttypes.h>
#include <linux/futex.h>
#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/bytestream.h"
#include "base/pool.h"
#include "base/rng.h"
#include "base/spsc.h"
#include "test/base/memory.h"

#define RING_WORDS   1000000u
#define STREAM_BYTES 64000000u
#define STREAMS      8u
#define WAKE_ROUNDS  20000u

struct plan {
	uint32_t times;
	uint64_t seed;
	unsigned passed, failed;
};

static void
judge(struct plan *p, const char *what, bool good)
{
	printf("%s: %s\n", what, good ? "ok" : "FAILED");
	p->passed += good;
	p->failed += !good;
}

/* Runs both sides to their end, one here and one in a thread of its own. */
static void
run_pair(void *(*here)(void *), void *(*there)(void *), void *arg)
{
	pthread_t t;

	if (pthread_create(&t, NULL, there, arg) != 0)
		abort();
	here(arg);
	pthread_join(t, NULL);
}

/* -- a ring: every word arrives once, in order ----------------------------- */

struct ring {
	struct spsc q;
	uint64_t words;
	uint64_t wrong;
	uint64_t seed;
};

static void *
ring_produce(void *arg)
{
	struct ring *g = arg;
	struct rng rng = { g->seed };

	for (uint64_t next = 0; next < g->words;) {
		uint32_t burst = 1 + rng_below(&rng, 1u << rng_below(&rng, 8));

		while (burst-- && next < g->words && spsc_push(&g->q, next))
			next++;
		if (spsc_room(&g->q) == 0 || rng_below(&rng, 16) == 0)
			sched_yield();
	}
	return NULL;
}

static void *
ring_consume(void *arg)
{
	struct ring *g = arg;
	uint64_t word, next = 0;

	while (next < g->words) {
		if (spsc_pop(&g->q, &word))
			g->wrong += word != next++;
		else
			sched_yield();
	}
	g->wrong += spsc_ready(&g->q);
	return NULL;
}

static bool
ring_holds(const struct plan *p, uint32_t size)
{
	struct region mem = memory_new(size * sizeof(uint64_t));
	struct ring *g = aligned_alloc(CACHE_LINE, sizeof *g);
	bool good;

	if (!g)
		abort();
	*g = (struct ring){ .words = (uint64_t)RING_WORDS * p->times, .seed = p->seed };
	spsc_init(&g->q, &mem, size);
	run_pair(ring_consume, ring_produce, g);
	good = g->wrong == 0;
	free(g);
	memory_free(&mem);
	return good;
}

/* -- a stream: every byte arrives once, in order; no chunk is lost ---------
 * Emptied chunks travel back as heads of lists, one word each. */

struct wire {
	/* -- the writer's line ----------------------------------------------- */
	_Alignas(CACHE_LINE) struct stream_writer w;
	struct chunk_list empty;

	/* -- the reader's line ----------------------------------------------- */
	_Alignas(CACHE_LINE) struct stream_reader r;
	struct stream_cursor cur;
	struct chunk_list freed;
	uint64_t wrong;

	/* -- shared ---------------------------------------------------------- */
	_Alignas(CACHE_LINE) struct spsc back;
	uint32_t bytes;  /* to go through          */
	uint32_t origin; /* the counters' start    */
	uint32_t chunks; /* there are              */
	uint64_t seed;
};

/* A size for the next call: mostly small, or about a chunk, or many chunks. */
static uint32_t
some_size(struct rng *rng, uint32_t most)
{
	uint32_t aim = rng_below(rng, 3) ? 1 + rng_below(rng, 100)
	                                 : rng_below(rng, 4) * CHUNK_ROOM + rng_below(rng, 5);

	return min(max(aim, 1u), most);
}

/* Bytes that differ from chunk to chunk: 251 is prime. */
static void
fill_pattern(uint8_t *to, uint32_t count, uint32_t len)
{
	for (uint32_t i = 0; i < len; i++)
		to[i] = (uint8_t)((count + i) % 251);
}

static void
take_back(struct wire *g)
{
	uint64_t word;

	while (spsc_pop(&g->back, &word)) {
		struct chunk_list batch = { (struct chunk *)(uintptr_t)word, 0 };
		struct chunk *k;

		while ((k = chunk_list_get(&batch))) {
			memset(k->data, 0xee,
			       CHUNK_ROOM); /* whoever still reads it will notice */
			chunk_list_put(&g->empty, k);
		}
	}
}

static void
give_back(struct wire *g)
{
	if (g->freed.first && spsc_push(&g->back, (uintptr_t)g->freed.first))
		g->freed = (struct chunk_list){ 0 };
}

static void *
wire_write(void *arg)
{
	struct wire *g = arg;
	struct rng rng = { g->seed };
	uint8_t data[4 * CHUNK_ROOM];

	for (uint32_t count = 0; count < g->bytes;) {
		uint32_t len = some_size(&rng, min(g->bytes - count, (uint32_t)sizeof data)), n;

		take_back(g);
		fill_pattern(data, count, len);
		n = stream_write(&g->w, &g->r, &g->empty, data, len);
		count += n;
		if (n == 0 || rng_below(&rng, 64) == 0)
			sched_yield();
	}
	return NULL;
}

/* Looks at some of what is there, and consumes what it looked at from the
 * front; a lazy reader lets bytes pile up. */
static uint32_t
read_some(struct wire *g, struct rng *rng, uint32_t count, uint32_t there, bool lazy)
{
	uint8_t got[4 * CHUNK_ROOM], want[4 * CHUNK_ROOM];
	uint32_t off = rng_below(rng, 4) ? 0 : rng_below(rng, there);
	uint32_t len = min(there - off, (uint32_t)sizeof got);

	len = lazy ? some_size(rng, len) : len;
	stream_peek(&g->r, &g->w, rng_below(rng, 8) ? &g->cur : NULL, off, got, len);
	fill_pattern(want, count + off, len);
	g->wrong += memcmp(got, want, len) != 0;
	if (off > 0)
		return 0;
	stream_consume(&g->r, &g->w, &g->cur, len, &g->freed);
	return len;
}

static void *
wire_read(void *arg)
{
	struct wire *g = arg;
	struct rng rng = { g->seed + 1 };
	bool lazy = false;

	for (uint32_t count = 0; count < g->bytes;) {
		uint32_t there = stream_used(&g->w, &g->r);

		if (there > 0)
			count += read_some(g, &rng, count, there, lazy);
		if (there == 0 || rng_below(&rng, 4) == 0)
			give_back(g);
		if (there == 0 || rng_below(&rng, 64) == 0)
			sched_yield();
		if (rng_below(&rng, 512) == 0)
			lazy = !lazy;
	}
	return NULL;
}

static bool
wire_ends_well(struct wire *g)
{
	bool good = g->wrong == 0 && stream_used(&g->w, &g->r) == 0;

	give_back(g);
	take_back(g);
	stream_dismantle(&g->w, &g->r, &g->empty);
	return good && g->empty.n == g->chunks;
}

static bool
stream_holds(const struct plan *p, uint32_t chunks, uint64_t seed)
{
	struct region mem =
	    memory_new((size_t)chunks * (CHUNK_SIZE + 2 * sizeof(uint64_t)) + 128 +
	               sizeof(struct wire));
	struct wire *g = region_take(&mem, sizeof *g); /* chunks are not far */
	struct pool pool;
	bool good;

	if (!g)
		abort();
	memset(g, 0, sizeof *g);
	g->bytes = STREAM_BYTES / STREAMS * min(p->times, 500u);
	g->origin = UINT32_MAX - g->bytes / 2;
	g->chunks = chunks;
	g->seed = seed;
	atomic_init(&g->w.written, g->origin);
	atomic_init(&g->r.read, g->origin);
	good = pool_init(&pool, &mem, CHUNK_SIZE, chunks) && spsc_init(&g->back, &mem, chunks);
	for (uint32_t i = 0; i < chunks; i++)
		chunk_list_put(&g->empty, pool_get(&pool));
	run_pair(wire_read, wire_write, g);
	good = wire_ends_well(g) && good;
	memory_free(&mem);
	return good;
}

/* The scarcer the chunks, the oftener both sides run dry. */
static bool
streams_hold(const struct plan *p)
{
	static const uint32_t chunks[] = { 2, 3, 8, 64 };
	bool good = true;

	for (uint32_t i = 0; i < STREAMS; i++) {
		uint64_t seed = p->seed + 1000 * i;

		if (stream_holds(p, chunks[i % array_len(chunks)], seed))
			continue;
		printf("stream %" PRIu32 ", seed %" PRIu64 "\n", i, seed);
		good = false;
	}
	return good;
}

/* -- sleep and wake: no wake-up is lost -------------------------------------
 * Set the flag by an exchange, look again, sleep; push, look at the flag by an
 * exchange, wake.  A wake-up lost would leave both asleep for good: the sleep is
 * given an end, and one that lasts so long although there was work counts. */

#define LONG_SLEEP_S 5

struct sleeper {
	_Alignas(CACHE_LINE) _Atomic uint32_t asleep; /* 1: wake me */
	struct spsc inbox;
	uint64_t sleeps, lost;
};

struct duet {
	struct sleeper side[2];
	uint64_t rounds, wrong, seed;
};

static void
dawdle(struct rng *rng, unsigned most)
{
	for (volatile uint32_t i = rng_below(rng, 1u << rng_below(rng, most)); i > 0; i--)
		;
}

/* Pauses between the steps give the other side time to come in between. */
static void
sleeper_sleep(struct sleeper *s, struct rng *rng)
{
	struct timespec end = { .tv_sec = LONG_SLEEP_S };

	atomic_exchange(&s->asleep, 1);
	dawdle(rng, 8);
	if (!spsc_ready(&s->inbox)) {
		dawdle(rng, 8);
		s->sleeps++;
		if (syscall(SYS_futex, &s->asleep, FUTEX_WAIT_PRIVATE, 1, &end, NULL, 0) != 0 &&
		    spsc_ready(&s->inbox) && atomic_load(&s->asleep) == 1)
			s->lost++;
	}
	atomic_store(&s->asleep, 0);
}

static void
sleeper_wake(struct sleeper *s)
{
	if (atomic_load(&s->asleep) && atomic_exchange(&s->asleep, 0))
		syscall(SYS_futex, &s->asleep, FUTEX_WAKE_PRIVATE, 1, NULL, NULL, 0);
}

/* Goes to sleep about when the word comes, a little earlier or later. */
static uint64_t
receive(struct sleeper *s, struct rng *rng)
{
	uint64_t word;

	while (!spsc_pop(&s->inbox, &word)) {
		dawdle(rng, 14);
		sleeper_sleep(s, rng);
	}
	return word;
}

/* Words go to and fro; each side sends the next when it has the last. */
static void
play(struct duet *d, unsigned me)
{
	struct rng rng = { d->seed + me };

	for (uint64_t i = 0; i < d->rounds; i++) {
		if (me == 1 && receive(&d->side[1], &rng) != i)
			d->wrong++;
		dawdle(&rng, 14);
		spsc_push(&d->side[!me].inbox, i);
		sleeper_wake(&d->side[!me]);
		if (me == 0 && receive(&d->side[0], &rng) != i)
			d->wrong++;
	}
}

static void *
play_first(void *arg)
{
	play(arg, 0);
	return NULL;
}

static void *
play_second(void *arg)
{
	play(arg, 1);
	return NULL;
}

static bool
wakes_hold(const struct plan *p)
{
	struct region mem = memory_new(256);
	struct duet *d = aligned_alloc(CACHE_LINE, sizeof *d);
	bool good;

	if (!d)
		abort();
	memset(d, 0, sizeof *d);
	d->rounds = (uint64_t)WAKE_ROUNDS * p->times;
	d->seed = p->seed;
	good = spsc_init(&d->side[0].inbox, &mem, 2) && spsc_init(&d->side[1].inbox, &mem, 2);
	run_pair(play_first, play_second, d);
	good = good && d->wrong == 0 && d->side[0].lost + d->side[1].lost == 0;
	good = good && d->side[0].sleeps + d->side[1].sleeps > 0;
	free(d);
	memory_free(&mem);
	return good;
}

int
main(int argc, char **argv)
{
	struct plan p = { .times = 1, .seed = 1 };

	if (argc > 1)
		p.times = (uint32_t)strtoul(argv[1], NULL, 10);
	if (argc > 2)
		p.seed = strtoull(argv[2], NULL, 10);
	if (p.times == 0 || p.times > 1000) {
		fputs("usage: stress_base [times [seed]]    times: 1..1000\n", stderr);
		return 2;
	}
	printf("seed %" PRIu64 "\n", p.seed);
	judge(&p, "a ring of 4 words", ring_holds(&p, 4));
	judge(&p, "a ring of 1024 words", ring_holds(&p, 1024));
	judge(&p, "streams", streams_hold(&p));
	judge(&p, "sleep and wake", wakes_hold(&p));
	printf("%u passed, %u failed\n", p.passed, p.failed);
	return p.failed ? 1 : 0;
}
