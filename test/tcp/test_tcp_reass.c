/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Reassembly against a map with one entry for each byte: what is held, what is
 * told of it, and that every chunk and run comes back.
 */
#include "tcp/tcp_reass.h"

#include <CUnit/CUnit.h>
#include <stdio.h>

#include "test/script/peer.h"

void suite_tcp_reass(void);

#define SPACE 20000u /* bytes of sequence space that a run of the twin plays in */

/* A connection that has received `base` and beyond that what `held` says. */
struct twin {
	struct duo *d;
	struct tcp_env *e;
	struct tcp_conn *c;
	seq_t base;          /* of index 0                                        */
	uint32_t next;       /* index of RCV.NXT                                  */
	bool held[SPACE];
	struct rng rng;
};

static uint8_t
byte_at(uint32_t i)
{
	return (uint8_t)(i * 2654435761u >> 11);
}

static void
twin_init(struct twin *t, const struct duo_opts *o, uint64_t seed)
{
	memset(t, 0, sizeof *t);
	t->rng.state = seed;
	t->d = duo_established(o);
	duo_run(t->d, MS(100));
	t->e = &t->d->side[DUO_B].env;
	t->c = &t->d->side[DUO_B].conn;
	t->base = t->c->rcv_nxt;
	t->c->rcv_adv = seq_add(t->base, SPACE);
}

static void
twin_free(struct twin *t)
{
	t->c->rcv_adv = t->c->rcv_nxt;
	duo_free(t->d);
}

static enum fate
add(struct twin *t, uint32_t at, uint32_t len)
{
	uint8_t text[SPACE];

	for (uint32_t i = 0; i < len; i++)
		text[i] = byte_at(at + i);
	return tcp_reass_add(t->e, t->c, seq_add(t->base, at), text, len);
}

/* Marks in the map what was stored; tells whether all of it was. */
static void
map_add(struct twin *t, uint32_t at, uint32_t len)
{
	for (uint32_t i = at; i < at + len; i++)
		t->held[i] = true;
}

/* Text that comes in order, as tcp_in() takes it. */
static void
in_order(struct twin *t, uint32_t len)
{
	uint8_t text[SPACE];
	struct duo_side *b = &t->d->side[DUO_B];

	for (uint32_t i = 0; i < len; i++)
		text[i] = byte_at(t->next + i);
	(void)tcp_chunks_want(t->e, len / CHUNK_ROOM + 2);
	len = stream_write(&b->rcv_w, &b->rcv_r, &t->e->spare, text, len);
	t->c->rcv_nxt = seq_add(t->c->rcv_nxt, len);
	t->next += len;
}

/* The application reads `len` bytes that stand at index `at`. */
static void
read_and_compare(struct twin *t, uint32_t at, uint32_t len)
{
	struct duo_side *b = &t->d->side[DUO_B];
	uint8_t text[SPACE];
	uint32_t wrong = 0;

	CU_ASSERT_EQUAL(stream_used(&b->rcv_w, &b->rcv_r), len);
	stream_peek(&b->rcv_r, &b->rcv_w, NULL, 0, text, len);
	stream_consume(&b->rcv_r, &b->rcv_w, NULL, len, &t->e->spare);
	for (uint32_t i = 0; i < len; i++)
		wrong += text[i] != byte_at(at + i);
	CU_ASSERT_EQUAL(wrong, 0);
}

/* ------------------------------------------------------------ what it tells -- */

static uint32_t
index_of(const struct twin *t, seq_t s)
{
	return seq_sub(s, t->base);
}

/* A block is the whole of what is held around it, and nothing else. */
static void
block_is_whole(const struct twin *t, const struct tcp_sack_block *b)
{
	uint32_t start = index_of(t, b->start), end = index_of(t, b->end), missing = 0;

	CU_ASSERT_FATAL(start < end && end <= SPACE);
	for (uint32_t i = start; i < end; i++)
		missing += !t->held[i];
	CU_ASSERT_EQUAL(missing, 0);
	CU_ASSERT(start == 0 || start == t->next || !t->held[start - 1]);
	CU_ASSERT(end == SPACE || !t->held[end]);
}

static uint32_t
islands(const struct twin *t)
{
	uint32_t n = 0;

	for (uint32_t i = t->next; i < SPACE; i++)
		n += t->held[i] && (i == t->next || !t->held[i - 1]);
	return n;
}

/* Asks for blocks as an ACK does.  `newest`: where the text that came last begins. */
static void
blocks_agree(struct twin *t, uint32_t newest, bool dsack)
{
	struct tcp_seg s = { .n_sack = 99 };
	unsigned room = 1 + rng_below(&t->rng, 4), first = dsack ? 1 : 0;
	uint32_t n = islands(t);

	tcp_reass_blocks(t->e, t->c, &s, room);
	CU_ASSERT_EQUAL(s.n_sack, min(n + first, room));
	CU_ASSERT_EQUAL((s.opts & TCP_OPT_SACK) != 0, s.n_sack > 0);
	for (unsigned i = first; i < s.n_sack; i++) {
		block_is_whole(t, &s.sack[i]);
		for (unsigned j = first; j < i; j++)
			CU_ASSERT_FALSE(seq_eq(s.sack[i].start, s.sack[j].start));
	}
	/* RFC 2018 4: the first block is the one that has what came last. */
	if (n && s.n_sack > first)
		CU_ASSERT(index_of(t, s.sack[first].start) <= newest &&
		          newest < index_of(t, s.sack[first].end));
}

static void
sums_agree(const struct twin *t)
{
	uint32_t held = 0;

	for (uint32_t i = t->next; i < SPACE; i++)
		held += t->held[i];
	CU_ASSERT_EQUAL(tcp_reass(t->c) ? tcp_reass(t->c)->bytes : 0, held);
	tcp_reass_check(t->c);
}

/* ---------------------------------------------------------------- the twin -- */

/* Anything beyond RCV.NXT, small and large, apart and overlapping. */
static void
random_text(struct twin *t)
{
	uint32_t most = rng_below(&t->rng, 4) ? 1500 : 5000;
	uint32_t at = t->next + 1 + rng_below(&t->rng, SPACE - t->next - 1);
	uint32_t len = 1 + rng_below(&t->rng, rng_below(&t->rng, 3) ? most : 5), known = 0;
	bool dsack;

	if (tcp_reass(t->c) && tcp_reass(t->c)->n_runs && rng_below(&t->rng, 2)) { /* aim at an edge */
		struct tcp_run *r = container_of(list_first(&tcp_reass(t->c)->runs), struct tcp_run,
		                                 link);
		uint32_t edge = index_of(t, rng_below(&t->rng, 2) ? r->start : r->end);

		at = max(edge, t->next + 3) - 2 + rng_below(&t->rng, 4);
	}
	len = min(len, SPACE - min(at, SPACE));
	if (len == 0)
		return;
	for (uint32_t i = at; i < at + len; i++)
		known += t->held[i];
	dsack = known == len;
	CU_ASSERT_EQUAL(add(t, at, len), SEG_OUT_OF_ORDER);
	map_add(t, at, len);
	sums_agree(t);
	if (rng_below(&t->rng, 2))
		blocks_agree(t, at, dsack);
	else if (tcp_reass(t->c))
		tcp_reass(t->c)->dsack.end = tcp_reass(t->c)->dsack.start;
}

/* The text at RCV.NXT comes, and takes along what stood behind it. */
static void
random_filling(struct twin *t)
{
	uint32_t was = t->next, len = 1 + rng_below(&t->rng, 700);
	bool filled, expected = false;

	len = min(len, SPACE - t->next);
	in_order(t, len);
	for (uint32_t i = was; i < t->next; i++)
		t->held[i] = true;
	while (t->next < SPACE && t->held[t->next]) {
		t->next++;
		expected = true;
	}
	filled = tcp_reass_deliver(t->e, t->c);
	CU_ASSERT_EQUAL(filled, expected);
	CU_ASSERT_EQUAL(index_of(t, t->c->rcv_nxt), t->next);
	read_and_compare(t, was, t->next - was);
	sums_agree(t);
}

static void
play(uint64_t seed)
{
	struct duo_opts o = { .seed = seed, .no_log = true };
	struct twin t;

	o.iss[DUO_A] = seq_of(seed % 2 ? UINT32_MAX - 9000 : 70000);
	o.iss[DUO_B] = seq_of(5);
	twin_init(&t, &o, seed);
	while (t.next < SPACE)
		if (rng_below(&t.rng, 5) && t.next + 1 < SPACE)
			random_text(&t);
		else
			random_filling(&t);
	CU_ASSERT_EQUAL(t.e->runs.used, 0);
	CU_ASSERT_PTR_NULL(tcp_reass(t.c));
	twin_free(&t);
}

static void
test_it_agrees_with_a_map_of_bytes(void)
{
	for (uint64_t seed = 1; seed <= 60; seed++) {
		unsigned before = CU_get_number_of_failures();

		play(seed);
		if (CU_get_number_of_failures() > before)
			printf("\nseed %llu", (unsigned long long)seed);
	}
}

/* ------------------------------------------------------------------ bounds -- */

static void
few_runs(struct tcp_cfg *cfg, int who)
{
	(void)who;
	cfg->reass_runs = 10;
}

/* One byte of text in every second place must not cost more than its share. */
static void
test_runs_are_bounded(void)
{
	struct duo_opts o = { .cfg = few_runs };
	struct twin t;

	twin_init(&t, &o, 1);
	for (uint32_t i = 0; i < 10; i++)
		CU_ASSERT_EQUAL(add(&t, 10 + 10 * i, 1), SEG_OUT_OF_ORDER);
	CU_ASSERT_EQUAL(add(&t, 1000, 1), DROP_REASS_FULL);
	CU_ASSERT_EQUAL(add(&t, 5, 1), DROP_REASS_FULL);
	CU_ASSERT_EQUAL(tcp_reass(t.c)->n_runs, 10);
	CU_ASSERT_EQUAL(tcp_reass(t.c)->bytes, 10);
	CU_ASSERT_EQUAL(add(&t, 11, 5), SEG_OUT_OF_ORDER); /* an end still grows */
	CU_ASSERT_EQUAL(tcp_reass(t.c)->bytes, 15);
	tcp_reass_check(t.c);
	twin_free(&t);
}

/* A chunk for each byte: the memory is counted, and not what is in it. */
static void
test_memory_is_bounded_by_the_receive_buffer(void)
{
	uint32_t stored = 0;
	struct twin t;

	twin_init(&t, NULL, 1);
	for (uint32_t i = 0; i < 200; i++)
		stored += add(&t, 10 + 10 * i, 1) == SEG_OUT_OF_ORDER;
	CU_ASSERT_EQUAL(stored, 2 * t.c->rcv_space / CHUNK_SIZE);
	CU_ASSERT_EQUAL(add(&t, 5, 1), DROP_REASS_FULL);
	t.c->rcv_space = 2048; /* a small buffer is not counted that strictly */
	tcp_reass_release(t.e, t.c);
	for (uint32_t i = stored = 0; i < 200; i++)
		stored += add(&t, 10 + 10 * i, 1) == SEG_OUT_OF_ORDER;
	CU_ASSERT_EQUAL(stored, 16);
	(void)add(&t, 161, 4000); /* the last one grows to the end of its chunk */
	CU_ASSERT_EQUAL(tcp_reass(t.c)->chunks, 16);
	CU_ASSERT_EQUAL(tcp_reass(t.c)->bytes, 15 + CHUNK_ROOM);
	twin_free(&t);
}

/* The last quarter of the core's memory is not for text beyond holes. */
static void
test_scarce_memory_is_for_text_in_order(void)
{
	struct duo_opts o = { .chunks = 40 };
	uint32_t at = 100;
	struct twin t;

	twin_init(&t, &o, 1);
	while (add(&t, at, 1) == SEG_OUT_OF_ORDER)
		at += 10;
	CU_ASSERT_EQUAL(t.e->chunks.used - t.e->spare.n, 31);
	CU_ASSERT_EQUAL(tcp_mem_level(t.e), TCP_MEM_SCARCE);
	in_order(&t, 100); /* the hole is filled from what is left */
	CU_ASSERT_EQUAL(t.next, 100);
	CU_ASSERT_TRUE(tcp_reass_deliver(t.e, t.c));
	CU_ASSERT_EQUAL(index_of(&t, t.c->rcv_nxt), 101);
	twin_free(&t);
}

/* One segment over hundreds of runs: along them once. */
static void
test_a_segment_over_many_runs(void)
{
	struct twin t;

	twin_init(&t, NULL, 1);
	t.c->rcv_space = 1 << 20;
	for (uint32_t i = 0; i < 250; i++)
		CU_ASSERT_EQUAL(add(&t, 10 + 10 * i, 5), SEG_OUT_OF_ORDER);
	CU_ASSERT_EQUAL(add(&t, 3, 2600), SEG_OUT_OF_ORDER);
	CU_ASSERT_EQUAL(tcp_reass(t.c)->bytes, 2600);
	tcp_reass_check(t.c);
	in_order(&t, 3);
	CU_ASSERT_TRUE(tcp_reass_deliver(t.e, t.c));
	read_and_compare(&t, 0, 2603);
	twin_free(&t);
}

static void
test_the_core_may_have_no_more_runs(void)
{
	struct duo_opts o = { .runs = 3 };
	struct twin t;

	twin_init(&t, &o, 1);
	for (uint32_t i = 0; i < 3; i++)
		CU_ASSERT_EQUAL(add(&t, 10 + 10 * i, 1), SEG_OUT_OF_ORDER);
	CU_ASSERT_EQUAL(add(&t, 1000, 1), DROP_NO_MEMORY);
	CU_ASSERT_EQUAL(tcp_reass(t.c)->n_runs, 3);
	tcp_reass_check(t.c);
	twin_free(&t);
}

static void
test_the_core_may_have_no_store_left(void)
{
	struct duo_opts o = { .reasses = 1 };
	struct twin t;
	void *taken;

	twin_init(&t, &o, 1);
	taken = pool_get(&t.e->reasses);
	CU_ASSERT_EQUAL(add(&t, 10, 1), DROP_NO_MEMORY);
	tcp_reass_duplicate(t.e, t.c, t.base, seq_add(t.base, 5));
	CU_ASSERT_PTR_NULL(tcp_reass(t.c));
	CU_ASSERT_FALSE(tcp_reass_deliver(t.e, t.c));
	pool_put(&t.e->reasses, taken);
	twin_free(&t);
}

/* Chunks run out in the middle: what there was room for is kept, and told. */
static void
test_chunks_may_run_out(void)
{
	struct duo_opts o = { .chunks = 6 };
	struct tcp_seg s = { .n_sack = 0 };
	enum fate fate = SEG_OUT_OF_ORDER;
	uint32_t at = 100, bytes;
	struct twin t;

	twin_init(&t, &o, 1);
	for (; fate == SEG_OUT_OF_ORDER && at < SPACE - 5000; at += 4000)
		fate = add(&t, at, 3999);
	CU_ASSERT_EQUAL(fate, DROP_NO_MEMORY);
	bytes = tcp_reass(t.c)->bytes;
	CU_ASSERT_EQUAL(t.e->spare.n, 0);
	tcp_reass_check(t.c);
	CU_ASSERT_EQUAL(add(&t, 19990, 5), DROP_NO_MEMORY);
	CU_ASSERT_EQUAL(tcp_reass(t.c)->bytes, bytes);
	tcp_reass_check(t.c);
	tcp_reass_blocks(t.e, t.c, &s, 4);
	for (unsigned i = 0, told = 0; i < s.n_sack; i++) {
		told += seq_sub(s.sack[i].end, s.sack[i].start);
		CU_ASSERT(told <= bytes);
	}
	tcp_reass_release(t.e, t.c);
	CU_ASSERT_EQUAL(t.e->spare.n, t.e->chunks.used); /* none is lost */
	CU_ASSERT_EQUAL(t.e->runs.used, 0);
	twin_free(&t);
}

/* With no chunk left what became contiguous waits in its run, and goes on later. */
static void
test_delivery_waits_for_chunks(void)
{
	struct duo_opts o = { .chunks = 4 };
	struct duo_side *b;
	uint32_t had;
	struct twin t;

	twin_init(&t, &o, 1);
	b = &t.d->side[DUO_B];
	CU_ASSERT_EQUAL(add(&t, 100, 6000), SEG_OUT_OF_ORDER); /* 3 chunks of 4 */
	in_order(&t, 100);
	CU_ASSERT_TRUE(tcp_reass_deliver(t.e, t.c));
	had = stream_used(&b->rcv_w, &b->rcv_r);
	CU_ASSERT(had >= 100 && had < 6100);
	for (uint32_t at = 0; at < 6100; at += had) {
		had = stream_used(&b->rcv_w, &b->rcv_r);
		CU_ASSERT_FATAL(had > 0);
		CU_ASSERT_EQUAL(index_of(&t, t.c->rcv_nxt), at + had);
		tcp_reass_check(t.c);
		read_and_compare(&t, at, had);
		(void)tcp_reass_deliver(t.e, t.c);
	}
	CU_ASSERT_PTR_NULL(tcp_reass(t.c));
	twin_free(&t);
}

/* One is enough: what a run gives back takes what comes next of it. */
static void
test_one_chunk_is_enough_to_deliver(void)
{
	struct duo_opts o = { .chunks = 5 };
	struct twin t;

	twin_init(&t, &o, 1);
	CU_ASSERT_EQUAL(add(&t, 100, 6000), SEG_OUT_OF_ORDER); /* 3 chunks of 5 */
	in_order(&t, 150);                                     /* 50 of them once more */
	CU_ASSERT_TRUE(tcp_reass_deliver(t.e, t.c));
	read_and_compare(&t, 0, 6100);
	CU_ASSERT_PTR_NULL(tcp_reass(t.c));
	twin_free(&t);
}

/* RFC 2018 3: a block is isolated.  What only waits for chunks stands at RCV.NXT or below it. */
static void
test_what_waits_for_chunks_is_no_block(void)
{
	struct duo_opts o = { .chunks = 4 };
	struct tcp_seg s = { .n_sack = 99 };
	struct twin t;

	twin_init(&t, &o, 1);
	CU_ASSERT_EQUAL(add(&t, 100, 3000), SEG_OUT_OF_ORDER);
	CU_ASSERT_EQUAL(add(&t, 5000, 100), SEG_OUT_OF_ORDER);
	in_order(&t, 150);
	CU_ASSERT_TRUE(tcp_reass_deliver(t.e, t.c));
	CU_ASSERT_EQUAL(index_of(&t, t.c->rcv_nxt), 150);
	CU_ASSERT_EQUAL(tcp_reass(t.c)->bytes, 2950 + 100);
	tcp_reass_check(t.c);
	tcp_reass_blocks(t.e, t.c, &s, 4);
	CU_ASSERT_EQUAL(s.n_sack, 1);
	CU_ASSERT_EQUAL(index_of(&t, s.sack[0].start), 5000);
	read_and_compare(&t, 0, 150);
	CU_ASSERT_TRUE(tcp_reass_deliver(t.e, t.c));
	read_and_compare(&t, 150, 2950);
	twin_free(&t);
}

/* ------------------------------------------------------------------- blocks -- */

static struct tcp_seg
blocks(struct twin *t, unsigned room)
{
	struct tcp_seg s = { .n_sack = 99 };

	tcp_reass_blocks(t->e, t->c, &s, room);
	return s;
}

static void
block_is(const struct twin *t, const struct tcp_seg *s, unsigned i, uint32_t start, uint32_t end)
{
	CU_ASSERT_FATAL(i < s->n_sack);
	CU_ASSERT_EQUAL(index_of(t, s->sack[i].start), start);
	CU_ASSERT_EQUAL(index_of(t, s->sack[i].end), end);
}

/* RFC 2018 4: first the one that changed last, then the others by their recency. */
static void
test_text_beyond_a_hole_is_counted(void)
{
	struct peer p;

	peer_connected(&p, NULL);
	SAY(&p, ".", 101, 200, 1);
	CU_ASSERT_EQUAL(tcp_bytes_received(&p.a->conn), 0);
	SAY(&p, ".", 1, 150, 1);
	CU_ASSERT_EQUAL(tcp_bytes_received(&p.a->conn), 300);
	SAY(&p, ".", 301, 50, 1);
	CU_ASSERT_EQUAL(tcp_bytes_received(&p.a->conn), 350);
	peer_free(&p);
}

static void
test_the_newest_block_comes_first(void)
{
	struct tcp_seg s;
	struct twin t;

	twin_init(&t, NULL, 1);
	(void)add(&t, 500, 10);
	(void)add(&t, 100, 10);
	(void)add(&t, 300, 10);
	s = blocks(&t, 3);
	CU_ASSERT_EQUAL(s.n_sack, 3);
	block_is(&t, &s, 0, 300, 310);
	block_is(&t, &s, 1, 100, 110);
	block_is(&t, &s, 2, 500, 510);
	(void)add(&t, 510, 10);
	s = blocks(&t, 3);
	block_is(&t, &s, 0, 500, 520);
	block_is(&t, &s, 1, 300, 310);
	s = blocks(&t, 1);
	CU_ASSERT_EQUAL(s.n_sack, 1);
	block_is(&t, &s, 0, 500, 520);
	twin_free(&t);
}

/* Two runs that have come to touch are told as one. */
static void
test_runs_that_touch_are_one_block(void)
{
	struct tcp_seg s;
	struct twin t;

	twin_init(&t, NULL, 1);
	(void)add(&t, 100, 100);
	(void)add(&t, 300, 100);
	(void)add(&t, 200, 100);
	s = blocks(&t, 4);
	CU_ASSERT_EQUAL(s.n_sack, 1);
	block_is(&t, &s, 0, 100, 400);
	twin_free(&t);
}

/* RFC 2883 4: before all others, once. */
static void
test_a_duplicate_is_told_first_and_once(void)
{
	struct tcp_seg s;
	struct twin t;

	twin_init(&t, NULL, 1);
	(void)add(&t, 100, 100);
	(void)add(&t, 300, 100);
	CU_ASSERT_EQUAL(add(&t, 120, 30), SEG_OUT_OF_ORDER);
	s = blocks(&t, 3);
	CU_ASSERT_EQUAL(s.n_sack, 3);
	block_is(&t, &s, 0, 120, 150);
	block_is(&t, &s, 1, 100, 200); /* the block it lies in (RFC 2883 4.1.2) */
	block_is(&t, &s, 2, 300, 400);
	s = blocks(&t, 3);
	CU_ASSERT_EQUAL(s.n_sack, 2);
	block_is(&t, &s, 0, 100, 200);
	twin_free(&t);
}

/* Below RCV.NXT, with nothing held: the store is there for the one report only. */
static void
test_a_duplicate_of_what_was_read_is_told(void)
{
	struct tcp_seg s;
	struct twin t;

	twin_init(&t, NULL, 1);
	in_order(&t, 1000);
	tcp_reass_duplicate(t.e, t.c, t.base, t.base); /* empty: none */
	CU_ASSERT_FALSE(tcp_reass_speaks(t.c));
	tcp_reass_duplicate(t.e, t.c, t.base, seq_add(t.base, 500));
	CU_ASSERT_TRUE(tcp_reass_speaks(t.c));
	s = blocks(&t, 3);
	CU_ASSERT_EQUAL(s.n_sack, 1);
	block_is(&t, &s, 0, 0, 500);
	CU_ASSERT_PTR_NULL(tcp_reass(t.c));
	s = blocks(&t, 3);
	CU_ASSERT_EQUAL(s.n_sack, 0);
	CU_ASSERT_FALSE(s.opts & TCP_OPT_SACK);
	twin_free(&t);
}

static void
without_sack(struct tcp_cfg *cfg, int who)
{
	(void)who;
	cfg->sack = false;
}

/* RFC 2018 2: nothing is told to who did not permit it; the text is kept all the same. */
static void
test_without_permission_nothing_is_told(void)
{
	struct duo_opts o = { .cfg = without_sack };
	struct tcp_seg s;
	struct twin t;

	twin_init(&t, &o, 1);
	CU_ASSERT_EQUAL(add(&t, 100, 100), SEG_OUT_OF_ORDER);
	CU_ASSERT_EQUAL(add(&t, 100, 100), SEG_OUT_OF_ORDER);
	CU_ASSERT_FALSE(tcp_reass_speaks(t.c));
	s = blocks(&t, 3);
	CU_ASSERT_EQUAL(s.n_sack, 0);
	CU_ASSERT_TRUE(tcp_reass_beyond(t.c, seq_add(t.base, 199)));
	CU_ASSERT_FALSE(tcp_reass_beyond(t.c, seq_add(t.base, 200)));
	twin_free(&t);
}

void
suite_tcp_reass(void)
{
	CU_pSuite s = CU_add_suite("tcp_reass", NULL, NULL);

	CU_add_test(s, "it agrees with a map of bytes", test_it_agrees_with_a_map_of_bytes);
	CU_add_test(s, "runs are bounded", test_runs_are_bounded);
	CU_add_test(s, "memory is bounded by the receive buffer",
	            test_memory_is_bounded_by_the_receive_buffer);
	CU_add_test(s, "scarce memory is for text in order",
	            test_scarce_memory_is_for_text_in_order);
	CU_add_test(s, "a segment over many runs", test_a_segment_over_many_runs);
	CU_add_test(s, "the core may have no more runs", test_the_core_may_have_no_more_runs);
	CU_add_test(s, "the core may have no store left", test_the_core_may_have_no_store_left);
	CU_add_test(s, "chunks may run out", test_chunks_may_run_out);
	CU_add_test(s, "delivery waits for chunks", test_delivery_waits_for_chunks);
	CU_add_test(s, "one chunk is enough to deliver", test_one_chunk_is_enough_to_deliver);
	CU_add_test(s, "what waits for chunks is no block (RFC 2018 3)",
	            test_what_waits_for_chunks_is_no_block);
	CU_add_test(s, "text beyond a hole is counted (RFC 4898 ThruOctetsReceived)",
	            test_text_beyond_a_hole_is_counted);
	CU_add_test(s, "the newest block comes first", test_the_newest_block_comes_first);
	CU_add_test(s, "runs that touch are one block", test_runs_that_touch_are_one_block);
	CU_add_test(s, "a duplicate is told first and once",
	            test_a_duplicate_is_told_first_and_once);
	CU_add_test(s, "a duplicate of what was read is told",
	            test_a_duplicate_of_what_was_read_is_told);
	CU_add_test(s, "without permission nothing is told",
	            test_without_permission_nothing_is_told);
}
