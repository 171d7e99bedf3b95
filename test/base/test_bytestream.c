/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Both halves of a stream in one thread, beside a flat array of bytes that
 * does the same thing obviously.  What two threads could see differently here
 * is the writer's old view of `read`; it is played by handing stream_write() a
 * copy of the reader's half that is refreshed on purpose only.
 */
#include <CUnit/CUnit.h>
#include <stdio.h>

#include "base/bytestream.h"
#include "base/rng.h"
#include "test/base/memory.h"

void suite_bytestream(void);

#define CHUNKS   24u
#define ROOM     CHUNK_ROOM
#define FLAT_MAX ((CHUNKS + 2) * CHUNK_SIZE)

struct rig {
	_Alignas(CACHE_LINE) struct stream_writer w;
	struct stream_reader r;
	struct stream_reader seen; /* the reader as the writer saw it last */
	struct stream_cursor cur;
	struct chunk_list empty; /* the writer's */
	struct region mem;
	uint32_t origin; /* first value of the counters                  */
	uint32_t count;  /* bytes ever written: what the next one will be */
	uint32_t n;      /* bytes in `flat`                              */
	bool lost_chain; /* one was started before the reader took the second last */
	uint8_t flat[FLAT_MAX];
	uint8_t out[FLAT_MAX];
};

#define RIG_SIZE sizeof(struct rig) /* chunks are not far */

static void
rig_reset(struct rig *g, uint32_t origin)
{
	memset(&g->w, 0, sizeof g->w);
	memset(&g->r, 0, sizeof g->r);
	g->cur = (struct stream_cursor){ 0 };
	g->empty = (struct chunk_list){ 0 };
	g->n = g->count = 0;
	g->lost_chain = false;
	g->origin = origin;
	atomic_init(&g->w.written, origin);
	atomic_init(&g->r.read, origin);
	for (uint32_t i = 0; i < CHUNKS; i++)
		chunk_list_put(&g->empty, (void *)(g->mem.base + RIG_SIZE + i * (size_t)CHUNK_SIZE));
	memcpy(&g->seen, &g->r, sizeof g->r);
}

static struct rig *
rig_new(uint32_t origin)
{
	struct region mem = memory_new(RIG_SIZE + (size_t)CHUNKS * CHUNK_SIZE);
	struct rig *g = (void *)mem.base;

	g->mem = mem;
	rig_reset(g, origin);
	return g;
}

static void
rig_free(struct rig *g)
{
	struct region mem = g->mem;

	memory_free(&mem);
}

static void
rig_refresh(struct rig *g)
{
	memcpy(&g->seen, &g->r, sizeof g->r);
}

/* Bytes that differ everywhere nearby, so that a shift shows. */
static uint8_t
byte_at(uint32_t count)
{
	return (uint8_t)((count * UINT32_C(2654435761)) >> 24);
}

/* Writes with whatever view of the reader there is; returns how many went in. */
static uint32_t
rig_write(struct rig *g, uint32_t len)
{
	uint32_t done;

	for (uint32_t i = 0; i < len; i++)
		g->flat[g->n + i] = byte_at(g->count + i);
	done = stream_write(&g->w, &g->seen, &g->empty, g->flat + g->n, len);
	if ((uint8_t)(g->w.chains - g->r.chains) > array_len(g->w.chain))
		g->lost_chain = true;
	g->n += done;
	g->count += done;
	return done;
}

/* The same when the writer has no empty chunks. */
static uint32_t
rig_write_dry(struct rig *g, uint32_t len)
{
	struct chunk_list kept = g->empty;
	uint32_t done;

	g->empty = (struct chunk_list){ 0 };
	done = rig_write(g, len);
	g->empty = kept;
	return done;
}

static bool
rig_peek(struct rig *g, struct stream_cursor *cur, uint32_t off, uint32_t len)
{
	memset(g->out, 0, len);
	stream_peek(&g->r, &g->w, cur, off, g->out, len);
	return memcmp(g->out, g->flat + off, len) == 0;
}

static void
rig_consume(struct rig *g, uint32_t len)
{
	stream_consume(&g->r, &g->w, &g->cur, len, &g->empty);
	memmove(g->flat, g->flat + len, g->n - len);
	g->n -= len;
}

static bool
rig_read(struct rig *g, uint32_t len)
{
	bool same;

	memset(g->out, 0, len);
	stream_read(&g->r, &g->w, g->out, len, &g->empty);
	stream_cursor_consumed(&g->cur, &g->r);
	same = memcmp(g->out, g->flat, len) == 0;
	memmove(g->flat, g->flat + len, g->n - len);
	g->n -= len;
	return same;
}

static bool
rig_drain(struct rig *g)
{
	bool same = stream_used(&g->w, &g->r) == g->n && rig_peek(g, &g->cur, 0, g->n);

	rig_consume(g, g->n);
	return same && stream_used(&g->w, &g->r) == 0;
}

/* Ends the stream; whether every chunk came back, each once. */
static bool
rig_all_back(struct rig *g)
{
	uint32_t seen = 0;
	struct chunk *k;

	stream_dismantle(&g->w, &g->r, &g->empty);
	if (g->empty.n != CHUNKS || g->lost_chain)
		return false;
	while ((k = chunk_list_get(&g->empty)))
		seen |= 1u << ((size_t)((uint8_t *)k - g->mem.base - RIG_SIZE) / CHUNK_SIZE);
	return seen == (1u << CHUNKS) - 1;
}

static void
test_bytes_arrive_in_order(void)
{
	struct rig *g = rig_new(0);

	CU_ASSERT_EQUAL(rig_write(g, 5 * ROOM + 7), 5 * ROOM + 7);
	CU_ASSERT_EQUAL(stream_used(&g->w, &g->r), 5 * ROOM + 7);
	CU_ASSERT_TRUE(rig_peek(g, NULL, 0, 5 * ROOM + 7));
	CU_ASSERT_TRUE(rig_peek(g, NULL, ROOM - 1, 2));
	rig_consume(g, ROOM + 3);
	CU_ASSERT_TRUE(rig_drain(g));
	CU_ASSERT_TRUE(rig_all_back(g));
	rig_free(g);
}

/* A record in up to three parts; the reader sees nothing before the last. */
static void
rig_record(struct rig *g, uint32_t len, struct rng *rng)
{
	uint32_t used = stream_used(&g->w, &g->r), done = 0;
	struct stream_record rec;

	for (uint32_t i = 0; i < len; i++)
		g->flat[g->n + i] = byte_at(g->count + i);
	stream_begin(&rec, &g->w, &g->seen);
	for (unsigned part = 0; part < 3; part++) {
		uint32_t n = part == 2 ? len - done : rng_below(rng, len - done + 1);

		stream_append(&rec, &g->empty, g->flat + g->n + done, n);
		done += n;
		CU_ASSERT_EQUAL(stream_used(&g->w, &g->r), used);
	}
	stream_commit(&rec);
	g->n += len;
	g->count += len;
}

static void
test_records_appear_as_a_whole(void)
{
	struct rig *g = rig_new(UINT32_MAX - 50000);
	struct rng rng = { 9 };

	for (unsigned i = 0; i < 20000; i++) {
		uint32_t len = rng_below(&rng, 8) ? 1 + rng_below(&rng, 100)
		                                  : 1 + rng_below(&rng, 3 * ROOM);

		if (rng_below(&rng, 2))
			rig_refresh(g);
		if (stream_chunks(len) + 1 < g->empty.n && g->n + len < FLAT_MAX)
			rig_record(g, len, &rng);
		if (rng_below(&rng, 3) == 0 || g->empty.n < 6)
			CU_ASSERT_TRUE_FATAL(rig_read(g, rng_below(&rng, g->n + 1)));
		if (rng_below(&rng, 10) == 0) {
			CU_ASSERT_TRUE_FATAL(rig_drain(g));
			rig_refresh(g);
		}
		if (g->empty.n < 6) {
			CU_ASSERT_TRUE_FATAL(rig_drain(g));
			rig_refresh(g);
		}
	}
	CU_ASSERT_TRUE(rig_drain(g));
	CU_ASSERT_TRUE(rig_all_back(g));
	rig_free(g);
}

static void
test_write_into_empty_stream_leaves_no_chunk_behind(void)
{
	struct rig *g = rig_new(0);

	for (uint32_t len = 1; len <= 3 * ROOM; len += ROOM / 2) {
		CU_ASSERT_EQUAL(rig_write(g, len), len);
		CU_ASSERT_EQUAL(g->w.tail, 0);
		CU_ASSERT_TRUE(rig_drain(g));
		CU_ASSERT_EQUAL(g->r.head, 0);
		CU_ASSERT_EQUAL(g->empty.n, CHUNKS);
		rig_refresh(g);
	}
	rig_free(g);
}

/* Reading takes and frees as peeking and consuming do, within a chunk and across. */
static void
test_reading_is_peeking_and_consuming(void)
{
	struct rig *g = rig_new(UINT32_MAX - 5);

	CU_ASSERT_EQUAL(rig_write(g, 100), 100);
	CU_ASSERT_TRUE(rig_read(g, 0));
	CU_ASSERT_TRUE(rig_read(g, 40));
	CU_ASSERT_EQUAL(g->empty.n, CHUNKS - 1);
	CU_ASSERT_TRUE(rig_read(g, 60));
	CU_ASSERT_EQUAL(g->empty.n, CHUNKS);
	rig_refresh(g);
	CU_ASSERT_EQUAL(rig_write(g, 2 * ROOM), 2 * ROOM);
	CU_ASSERT_EQUAL(rig_write(g, 10), 10);
	CU_ASSERT_TRUE(rig_read(g, ROOM + 1));
	CU_ASSERT_TRUE(rig_read(g, ROOM + 9));
	CU_ASSERT_EQUAL(stream_used(&g->w, &g->r), 0);
	CU_ASSERT_TRUE(rig_all_back(g));
	rig_free(g);
}

static void
test_small_writes_share_a_chunk_while_the_reader_is_behind(void)
{
	struct rig *g = rig_new(0);

	for (int i = 0; i < 100; i++)
		CU_ASSERT_EQUAL(rig_write(g, 10), 10);
	CU_ASSERT_EQUAL(g->empty.n, CHUNKS - 2); /* one sealed, one shared */
	CU_ASSERT_TRUE(rig_drain(g));
	CU_ASSERT_EQUAL(g->empty.n, CHUNKS - 1); /* the shared one is still open */
	CU_ASSERT_TRUE(rig_all_back(g));
	rig_free(g);
}

static void
test_open_chunk_is_sealed_by_the_next_write_into_emptiness(void)
{
	struct rig *g = rig_new(0);

	rig_write(g, 10);
	rig_write(g, 10); /* the reader is behind: this one stays open */
	CU_ASSERT_TRUE(rig_drain(g));
	CU_ASSERT_NOT_EQUAL(g->r.head, 0);
	rig_refresh(g);
	rig_write(g, 10); /* empty: goes on in the open one, and seals it */
	CU_ASSERT_EQUAL(g->w.tail, 0);
	CU_ASSERT_EQUAL(g->empty.n, CHUNKS - 1);
	CU_ASSERT_TRUE(rig_peek(g, &g->cur, 0, 10));
	CU_ASSERT_TRUE(rig_drain(g));
	CU_ASSERT_EQUAL(g->empty.n, CHUNKS);
	CU_ASSERT_EQUAL(g->r.head, 0);
	rig_free(g);
}

static void
test_full_open_chunk_is_kept_until_the_next_is_linked(void)
{
	struct rig *g = rig_new(0);

	rig_write(g, 1);
	CU_ASSERT_EQUAL(rig_write(g, ROOM - 1), ROOM - 1); /* as full as an open one gets */
	CU_ASSERT_TRUE(rig_drain(g));
	CU_ASSERT_EQUAL(g->empty.n, CHUNKS - 1);
	rig_write(g, 3); /* by the old view: goes behind the full one */
	CU_ASSERT_EQUAL(g->empty.n, CHUNKS - 2);
	CU_ASSERT_TRUE(rig_drain(g));
	CU_ASSERT_EQUAL(g->empty.n, CHUNKS - 1);
	CU_ASSERT_TRUE(rig_all_back(g));
	rig_free(g);
}

static void
test_write_stops_where_the_chunks_end(void)
{
	struct rig *g = rig_new(0);

	CU_ASSERT_EQUAL(rig_write(g, (CHUNKS - 1) * ROOM), (CHUNKS - 1) * ROOM);
	CU_ASSERT_EQUAL(rig_write(g, 2 * ROOM - 10), ROOM - 1);
	CU_ASSERT_EQUAL(rig_write(g, 1), 0);
	CU_ASSERT_TRUE(rig_drain(g));
	rig_refresh(g);
	CU_ASSERT_EQUAL(rig_write(g, 3), 3);
	CU_ASSERT_TRUE(rig_drain(g));
	CU_ASSERT_TRUE(rig_all_back(g));
	rig_free(g);
}

static void
test_write_without_chunks_changes_nothing(void)
{
	struct rig *g = rig_new(0);

	CU_ASSERT_EQUAL(rig_write_dry(g, 5), 0);
	CU_ASSERT_EQUAL(stream_used(&g->w, &g->r), 0);
	rig_write(g, 5);
	CU_ASSERT_EQUAL(rig_write_dry(g, 5), 0);
	CU_ASSERT_EQUAL(rig_write(g, 5), 5);
	CU_ASSERT_TRUE(rig_drain(g));
	CU_ASSERT_TRUE(rig_all_back(g));
	rig_free(g);
}

/* Or many streams, each with one consumed chunk, could hold all chunks there
 * are and wait for each other. */
static void
test_drained_stream_never_keeps_its_last_chunk(void)
{
	struct rig *g = rig_new(0);

	for (uint32_t len = ROOM - 3; len < ROOM + 3; len++) {
		rig_write(g, 1);
		rig_write(g, len);
		CU_ASSERT_TRUE(rig_drain(g));
		CU_ASSERT_EQUAL(g->empty.n, CHUNKS - 1);
		rig_refresh(g);
		CU_ASSERT_TRUE(rig_write_dry(g, 5) > 0);
		CU_ASSERT_TRUE(rig_drain(g));
		CU_ASSERT_EQUAL(g->empty.n, CHUNKS);
		rig_refresh(g);
	}
	rig_free(g);
}

static void
test_peek_crosses_a_sealed_end(void)
{
	struct rig *g = rig_new(0);

	rig_write(g, 100);      /* chain 0, sealed */
	rig_write(g, ROOM + 5); /* chain 1, open   */
	CU_ASSERT_TRUE(rig_peek(g, NULL, 99, 2));
	CU_ASSERT_TRUE(rig_peek(g, &g->cur, 50, ROOM));
	CU_ASSERT_TRUE(rig_drain(g));
	CU_ASSERT_TRUE(rig_all_back(g));
	rig_free(g);
}

static void
test_cursor_is_forgotten_with_its_chunk(void)
{
	struct rig *g = rig_new(0);

	rig_write(g, 3 * ROOM);
	CU_ASSERT_TRUE(rig_peek(g, &g->cur, ROOM + 1, 2));
	CU_ASSERT_PTR_NOT_NULL(g->cur.chunk);
	CU_ASSERT_EQUAL(g->cur.at, ROOM);
	CU_ASSERT_TRUE(rig_peek(g, &g->cur, 0, 2)); /* back before the cursor */
	CU_ASSERT_EQUAL(g->cur.at, 0);
	CU_ASSERT_TRUE(rig_peek(g, &g->cur, 2 * ROOM + 1, 2));
	rig_consume(g, 2 * ROOM);
	CU_ASSERT_PTR_NOT_NULL(g->cur.chunk);
	CU_ASSERT_TRUE(rig_peek(g, &g->cur, 1, 2));
	rig_consume(g, ROOM);
	CU_ASSERT_PTR_NULL(g->cur.chunk);
	rig_free(g);
}

/* A second cursor is told that bytes have been consumed. */
static void
test_a_second_cursor_is_told(void)
{
	struct rig *g = rig_new(0);
	struct stream_cursor other = { NULL, 0 };

	rig_write(g, 3 * ROOM);
	CU_ASSERT_TRUE(rig_peek(g, &other, 0, 2));
	stream_cursor_consumed(&other, &g->r);
	CU_ASSERT_PTR_NOT_NULL(other.chunk);
	CU_ASSERT_TRUE(rig_peek(g, &other, 2 * ROOM, 2));
	rig_consume(g, ROOM + 10);
	stream_cursor_consumed(&other, &g->r);
	CU_ASSERT_PTR_NOT_NULL(other.chunk);
	rig_consume(g, ROOM + 10);
	stream_cursor_consumed(&other, &g->r);
	CU_ASSERT_PTR_NULL(other.chunk);
	CU_ASSERT_TRUE(rig_peek(g, &other, 0, 2));
	rig_free(g);
}

static void
test_dismantle_finds_every_chunk(void)
{
	struct rig *g = rig_new(0);

	rig_write(g, ROOM + 1); /* chain 0, nothing taken   */
	rig_write(g, ROOM + 1); /* chain 1, open            */
	CU_ASSERT_TRUE(rig_all_back(g));
	CU_ASSERT_EQUAL(stream_used(&g->w, &g->r), 0);

	rig_reset(g, 0);
	rig_write(g, ROOM + 1);
	rig_write(g, ROOM + 1);
	rig_consume(g, 5); /* chain 0 taken, chain 1 not */
	CU_ASSERT_TRUE(rig_all_back(g));

	rig_reset(g, 0);
	CU_ASSERT_TRUE(rig_all_back(g));
	rig_free(g);
}

/* -- two slots for chains are enough --------------------------------------
 * Every sequence of steps up to a length, with every age of the writer's view:
 * a chain never replaces one that the reader has not taken (rig_write() looks),
 * and every byte and every chunk comes out at the end. */

enum step {
	WRITE_ONE,
	WRITE_ROOM,
	WRITE_MORE,
	WRITE_DRY,
	CONSUME_ONE,
	CONSUME_ALL,
	REFRESH,
	N_STEPS
};

#define STEPS 6

static bool
step_take(struct rig *g, enum step step)
{
	static const uint32_t size[] = { 1, ROOM, ROOM + 1 };

	switch (step) {
	case WRITE_ONE:
	case WRITE_ROOM:
	case WRITE_MORE:
		rig_write(g, size[step]);
		return true;
	case WRITE_DRY:
		rig_write_dry(g, 2);
		return true;
	case CONSUME_ONE:
		rig_consume(g, min(g->n, 1u));
		return true;
	case CONSUME_ALL:
		return rig_drain(g);
	default:
		rig_refresh(g);
		return true;
	}
}

static bool
steps_hold(struct rig *g, uint32_t code)
{
	bool good = true;

	rig_reset(g, UINT32_MAX - ROOM);
	for (int i = 0; i < STEPS; i++, code /= N_STEPS)
		good = step_take(g, code % N_STEPS) && good;
	return rig_drain(g) && rig_all_back(g) && good;
}

static void
test_two_chain_slots_are_enough(void)
{
	struct rig *g = rig_new(0);
	uint32_t all = 1, code;

	for (int i = 0; i < STEPS; i++)
		all *= N_STEPS;
	for (code = 0; code < all; code++)
		if (!steps_hold(g, code))
			break;
	CU_ASSERT_EQUAL(code, all);
	if (code < all)
		printf("\n  steps, last digit first, to the base %d: %u\n", N_STEPS, code);
	rig_free(g);
}

/* -- twin ----------------------------------------------------------------- */

static uint32_t
some_size(struct rng *rng, uint32_t most)
{
	static const uint32_t aim[] = { 4, ROOM, 2 * ROOM, 6 * ROOM };
	uint32_t a = aim[rng_below(rng, array_len(aim))];
	uint32_t size = rng_below(rng, 2) ? rng_below(rng, a) : a - 2 + rng_below(rng, 5);

	return min(size, most);
}

static bool
twin_step(struct rig *g, struct rng *rng, uint32_t mood)
{
	struct stream_cursor *cur = rng_below(rng, 4) ? &g->cur : NULL;
	uint32_t off;

	switch (rng_below(rng, 9)) {
	case 8:
		rig_write_dry(g, some_size(rng, FLAT_MAX - g->n));
		return stream_used(&g->w, &g->r) == g->n;
	case 0:
	case 1:
		rig_write(g, some_size(rng, FLAT_MAX - g->n));
		return stream_used(&g->w, &g->r) == g->n;
	case 2:
		if (rng_below(rng, 2))
			return rig_read(g, some_size(rng, g->n)) && stream_used(&g->w, &g->r) == g->n;
		rig_consume(g, some_size(rng, g->n));
		return stream_used(&g->w, &g->r) == g->n;
	case 3:
		return mood & 1 ? rig_drain(g) : true;
	case 4:
	case 5:
		if (mood & 2 || rng_below(rng, 8) == 0)
			rig_refresh(g);
		return true;
	default:
		off = rng_below(rng, g->n + 1);
		return rig_peek(g, cur, off, some_size(rng, g->n - off));
	}
}

static bool
twin_run(struct rig *g, uint64_t seed)
{
	struct rng rng = { seed };
	uint32_t mood = rng_below(&rng, 4);

	rig_reset(g,
	          rng_below(&rng, 2) ? 0u - rng_below(&rng, 100000) : (uint32_t)rng_u64(&rng));
	for (int i = 0; i < 300; i++)
		if (!twin_step(g, &rng, mood))
			return false;
	return rig_drain(g) && rig_all_back(g);
}

static void
test_stream_equals_a_flat_array(void)
{
	struct rig *g = rig_new(0);
	uint64_t seed;

	for (seed = 1; seed <= 300; seed++)
		if (!twin_run(g, seed))
			break;
	CU_ASSERT_EQUAL(seed, 301);
	if (seed <= 300)
		printf("\n  seed %llu\n", (unsigned long long)seed);
	rig_free(g);
}

void
suite_bytestream(void)
{
	CU_pSuite s = CU_add_suite("bytestream", NULL, NULL);

	CU_add_test(s, "records appear as a whole", test_records_appear_as_a_whole);
	CU_add_test(s, "bytes arrive in order", test_bytes_arrive_in_order);
	CU_add_test(s, "reading is peeking and consuming", test_reading_is_peeking_and_consuming);
	CU_add_test(s, "a write into an empty stream leaves no chunk behind",
	            test_write_into_empty_stream_leaves_no_chunk_behind);
	CU_add_test(s, "small writes share a chunk while the reader is behind",
	            test_small_writes_share_a_chunk_while_the_reader_is_behind);
	CU_add_test(s, "an open chunk is sealed by the next write into an empty stream",
	            test_open_chunk_is_sealed_by_the_next_write_into_emptiness);
	CU_add_test(s, "a full open chunk is kept until the next is linked",
	            test_full_open_chunk_is_kept_until_the_next_is_linked);
	CU_add_test(s, "a write stops where the chunks end",
	            test_write_stops_where_the_chunks_end);
	CU_add_test(s, "a write without chunks changes nothing",
	            test_write_without_chunks_changes_nothing);
	CU_add_test(s, "a drained stream can be written without chunks and gives its last back",
	            test_drained_stream_never_keeps_its_last_chunk);
	CU_add_test(s, "a peek crosses a sealed end", test_peek_crosses_a_sealed_end);
	CU_add_test(s, "a second cursor is told", test_a_second_cursor_is_told);
	CU_add_test(s, "a cursor is forgotten with its chunk",
	            test_cursor_is_forgotten_with_its_chunk);
	CU_add_test(s, "dismantling finds every chunk", test_dismantle_finds_every_chunk);
	CU_add_test(s, "two chain slots are enough, whatever the order",
	            test_two_chain_slots_are_enough);
	CU_add_test(s, "a stream equals a flat array", test_stream_equals_a_flat_array);
}
