/* SPDX-License-Identifier: BSD-3-Clause */
/* Fragments in any order, repeated, overlapping, too many; and against a slow and simple twin. */
#include <CUnit/CUnit.h>

#include "base/rng.h"
#include "core/reass_ip.h"
#include "test/base/memory.h"

void suite_reass_ip(void);

#define CHUNKS 4096u

struct fixture {
	struct region mem;
	struct tcp_env env;
	struct reass_ip r;
	uint8_t text[REASS_IP_MAX], got[REASS_IP_MAX];
	struct reass_ip_pkt *whole;
};

static struct fixture fx;

static void
begin(void)
{
	static const struct siphash_key key = { 1, 2 };

	memset(&fx, 0, sizeof fx);
	fx.mem = memory_new((size_t)CHUNKS * CHUNK_SIZE + (4u << 20));
	CU_ASSERT_TRUE_FATAL(pool_init(&fx.env.chunks, &fx.mem, CHUNK_SIZE, CHUNKS));
	CU_ASSERT_TRUE_FATAL(reass_ip_init(&fx.r, &fx.mem, &fx.env, &key));
	for (uint32_t i = 0; i < sizeof fx.text; i++)
		fx.text[i] = (uint8_t)(i * 7 + i / 256);
}

/* Nothing is missing when all packets are gone. */
static void
end(void)
{
	struct reass_ip_pkt *p;

	while ((p = reass_ip_late(&fx.r, TIME_NEVER - 1)))
		reass_ip_free(&fx.r, p);
	reass_ip_check(&fx.r);
	CU_ASSERT_EQUAL(fx.env.chunks.used, fx.env.spare.n);
	memory_free(&fx.mem);
}

static struct reass_ip_frag
frag_of(uint32_t src, uint32_t id, uint32_t off, uint32_t len, bool more)
{
	static const uint8_t head[34] = "the headers of the first fragment";

	return (struct reass_ip_frag){
		.key = { ip_addr_v4(src), ip_addr_v4(1), id, 17, 0, 0 },
		.off = off,
		.more = more,
		.data = fx.text + off,
		.len = len,
		.head = head,
		.head_len = sizeof head,
	};
}

static enum reass_ip_answer
give_from(uint32_t src, uint32_t id, uint32_t off, uint32_t len, bool more, int64_t now)
{
	struct reass_ip_frag f = frag_of(src, id, off, len, more);
	enum reass_ip_answer a = reass_ip_in(&fx.r, &f, now, &fx.whole);

	if (a != REASS_IP_WHOLE)
		reass_ip_check(&fx.r);
	return a;
}

static enum reass_ip_answer
give(uint32_t off, uint32_t len, bool more)
{
	return give_from(9, 1, off, len, more, 0);
}

static void
expect_text(uint32_t len)
{
	CU_ASSERT_EQUAL_FATAL(fx.whole->end, len);
	memset(fx.got, 0xee, sizeof fx.got);
	reass_ip_copy(fx.whole, fx.got, len);
	CU_ASSERT_EQUAL(memcmp(fx.got, fx.text, len), 0);
	CU_ASSERT_EQUAL(fx.whole->head_len, 34);
	reass_ip_free(&fx.r, fx.whole);
	reass_ip_check(&fx.r);
}

static void
test_both_orders(void)
{
	begin();
	CU_ASSERT_EQUAL(give(0, 1480, true), REASS_IP_KEPT);
	CU_ASSERT_EQUAL(give(1480, 1480, true), REASS_IP_KEPT);
	CU_ASSERT_EQUAL(give(2960, 41, false), REASS_IP_WHOLE);
	expect_text(3001);
	CU_ASSERT_EQUAL(give(2960, 41, false), REASS_IP_KEPT);
	CU_ASSERT_EQUAL(give(1480, 1480, true), REASS_IP_KEPT);
	CU_ASSERT_EQUAL(give(0, 1480, true), REASS_IP_WHOLE);
	expect_text(3001);
	end();
}

static void
test_what_came_before_counts_for_nothing(void)
{
	begin();
	CU_ASSERT_EQUAL(give(2960, 41, false), REASS_IP_KEPT);
	CU_ASSERT_EQUAL(give(2960, 41, false), REASS_IP_AGAIN);
	CU_ASSERT_EQUAL(give(0, 1480, true), REASS_IP_KEPT);
	CU_ASSERT_EQUAL(give(0, 1480, true), REASS_IP_AGAIN);
	CU_ASSERT_EQUAL(give(2960, 41, false), REASS_IP_AGAIN);
	CU_ASSERT_EQUAL(give(1480, 1480, true), REASS_IP_WHOLE);
	expect_text(3001);
	end();
}

/* RFC 5722 3: also what follows is dropped, until the packet is forgotten. */
static void
test_overlaps_spoil_the_packet(void)
{
	static const struct { uint32_t off, len; bool more; } second[] = {
		{ 8, 8, true }, { 0, 8, true }, { 0, 40, true }, { 16, 16, true }, { 8, 3, false },
		{ 0, 24, false }, { 16, 8, true },
	};

	for (unsigned i = 0; i < array_len(second); i++) {
		begin();
		CU_ASSERT_EQUAL(give(0, 24, true), REASS_IP_KEPT);
		CU_ASSERT_EQUAL(give(second[i].off, second[i].len, second[i].more),
		                REASS_IP_OVERLAP);
		CU_ASSERT_EQUAL(fx.env.chunks.used, fx.env.spare.n);
		CU_ASSERT_EQUAL(give(24, 8, false), REASS_IP_OVERLAP);
		CU_ASSERT_EQUAL(give(0, 24, true), REASS_IP_OVERLAP);
		end();
	}
}

static void
test_ends_that_contradict_each_other(void)
{
	begin();
	CU_ASSERT_EQUAL(give(16, 8, false), REASS_IP_KEPT);
	CU_ASSERT_EQUAL(give(32, 8, false), REASS_IP_OVERLAP);
	end();
	begin();
	CU_ASSERT_EQUAL(give(16, 8, false), REASS_IP_KEPT);
	CU_ASSERT_EQUAL(give(24, 8, true), REASS_IP_OVERLAP);
	end();
	begin();
	CU_ASSERT_EQUAL(give(32, 8, true), REASS_IP_KEPT);
	CU_ASSERT_EQUAL(give(16, 8, false), REASS_IP_OVERLAP);
	end();
	begin(); /* the last one, of another length */
	CU_ASSERT_EQUAL(give(16, 7, false), REASS_IP_KEPT);
	CU_ASSERT_EQUAL(give(16, 8, false), REASS_IP_OVERLAP);
	end();
}

static void
test_the_longest_packet_of_the_smallest_fragments(void)
{
	uint32_t units = REASS_IP_MAX / 8;

	begin();
	for (uint32_t i = 0; i < units; i++)
		CU_ASSERT_EQUAL_FATAL(give((units - 1 - i) * 8, 8, true), REASS_IP_KEPT);
	CU_ASSERT_EQUAL(fx.r.chunks, REASS_IP_PARTS);
	CU_ASSERT_EQUAL(give(units * 8, REASS_IP_MAX % 8, false), REASS_IP_WHOLE);
	expect_text(REASS_IP_MAX);
	end();
}

static void
test_what_can_be_no_fragment(void)
{
	begin();
	CU_ASSERT_EQUAL(give(0, 0, true), REASS_IP_BAD);
	CU_ASSERT_EQUAL(give(0, 12, true), REASS_IP_BAD);
	CU_ASSERT_EQUAL(give(12, 8, true), REASS_IP_BAD);
	CU_ASSERT_EQUAL(give(65528, 8, true), REASS_IP_BAD);
	CU_ASSERT_EQUAL(give(65520, 100, false), REASS_IP_BAD);
	CU_ASSERT_EQUAL(fx.r.pkts.used, 0);
	end();
}

static void
test_packets_do_not_mix(void)
{
	begin();
	CU_ASSERT_EQUAL(give_from(9, 1, 0, 8, true, 0), REASS_IP_KEPT);
	CU_ASSERT_EQUAL(give_from(9, 2, 8, 8, false, 0), REASS_IP_KEPT);
	CU_ASSERT_EQUAL(give_from(8, 1, 8, 8, false, 0), REASS_IP_KEPT);
	CU_ASSERT_EQUAL(give_from(9, 1, 8, 8, false, 0), REASS_IP_WHOLE);
	expect_text(16);
	CU_ASSERT_EQUAL(fx.r.pkts.used, 2);
	end();
}

static void
test_time_is_limited(void)
{
	begin();
	CU_ASSERT_EQUAL(reass_ip_deadline(&fx.r), TIME_NEVER);
	(void)give_from(9, 1, 0, 8, true, SEC(1));
	(void)give_from(9, 1, 16, 8, true, SEC(20));
	CU_ASSERT_EQUAL(reass_ip_deadline(&fx.r), SEC(1) + REASS_IP_NS);
	CU_ASSERT_PTR_NULL(reass_ip_late(&fx.r, SEC(1) + REASS_IP_NS - 1));
	CU_ASSERT_PTR_NOT_NULL(reass_ip_late(&fx.r, SEC(1) + REASS_IP_NS));
	end();
}

static void
test_memory_is_limited(void)
{
	begin();
	for (uint32_t id = 0; id < 1000; id++)
		CU_ASSERT_EQUAL(give_from(9, id, 0, 8, true, 0), REASS_IP_KEPT);
	CU_ASSERT_EQUAL(fx.r.pkts.used, REASS_IP_SRC_PACKETS);
	for (uint32_t src = 0; src < 1000; src++)
		CU_ASSERT_EQUAL(give_from(100 + src, 1, 0, 8, true, 0), REASS_IP_KEPT);
	CU_ASSERT_EQUAL(fx.r.pkts.used, REASS_IP_PACKETS);
	CU_ASSERT_EQUAL(fx.r.given_up, 1000 + 1000 - REASS_IP_PACKETS);
	for (uint32_t src = 0; src < 200; src++)
		for (uint32_t off = 8; off < 65000; off += 2000)
			(void)give_from(5000 + src, 1, off, 1600, true, 0);
	CU_ASSERT_TRUE(fx.r.chunks <= REASS_IP_CHUNKS);
	for (uint32_t id = 0; id < 60; id++)
		for (uint32_t off = 8; off < 65000; off += 2000)
			(void)give_from(7, id, off, 1600, true, 0);
	for (unsigned i = 0; i < REASS_IP_SOURCES; i++)
		CU_ASSERT_TRUE(fx.r.source[i].chunks <= REASS_IP_SRC_CHUNKS);
	end();
}

/* Others need what is left. */
static void
test_scarce_memory_is_not_touched(void)
{
	begin();
	while (tcp_mem_level(&fx.env) != TCP_MEM_SCARCE)
		(void)pool_get(&fx.env.chunks);
	CU_ASSERT_EQUAL(give(0, 8, true), REASS_IP_NO_ROOM);
	fx.env.chunks.used = 0;
	end();
}

static void
test_congestion_marks_survive(void)
{
	static const struct { uint8_t a, b; int whole; } c[] = {
		{ 0, 0, 0 }, { 2, 2, 2 }, { 1, 1, 1 }, { 2, 3, 3 }, { 3, 1, 3 }, { 3, 3, 3 },
		{ 0, 3, -1 }, { 0, 2, 0 },
	};

	for (unsigned i = 0; i < array_len(c); i++) {
		struct reass_ip_frag f;

		begin();
		f = frag_of(9, 1, 0, 8, true);
		f.ecn = c[i].a;
		(void)reass_ip_in(&fx.r, &f, 0, &fx.whole);
		f = frag_of(9, 1, 8, 8, false);
		f.ecn = c[i].b;
		CU_ASSERT_EQUAL_FATAL(reass_ip_in(&fx.r, &f, 0, &fx.whole), REASS_IP_WHOLE);
		CU_ASSERT_EQUAL(reass_ip_ecn(fx.whole), c[i].whole);
		reass_ip_free(&fx.r, fx.whole);
		end();
	}
}

/* ------------------------------------------------------------------- twin -- */

/* What has come of one packet, as a list. */
struct twin {
	struct { uint32_t off, end; bool more; } part[64];
	unsigned n;
	bool spoilt;
};

static enum reass_ip_answer
twin_in(struct twin *t, uint32_t off, uint32_t end, bool more)
{
	uint32_t sum = end - off, last = more ? 0 : end;

	if (t->spoilt)
		return REASS_IP_OVERLAP;
	for (unsigned i = 0; i < t->n; i++)
		if (t->part[i].off == off && t->part[i].end == end && t->part[i].more == more)
			return REASS_IP_AGAIN;
	for (unsigned i = 0; i < t->n; i++) {
		bool meet = off < t->part[i].end && t->part[i].off < end;

		if (meet || (!more && (!t->part[i].more || t->part[i].end > end)) ||
		    (!t->part[i].more && end > t->part[i].end)) {
			t->spoilt = true;
			return REASS_IP_OVERLAP;
		}
		sum += t->part[i].end - t->part[i].off;
		last = t->part[i].more ? last : t->part[i].end;
	}
	t->part[t->n].off = off;
	t->part[t->n].end = end;
	t->part[t->n++].more = more;
	return last && sum == last ? REASS_IP_WHOLE : REASS_IP_KEPT;
}

static void
test_the_twin_says_the_same(void)
{
	struct rng rng = { 5 };
	unsigned answers[6] = { 0 };

	for (unsigned run = 0; run < 20000; run++) {
		struct twin t = { .n = 0 };
		uint32_t size = 8 + rng_below(&rng, 80);
		enum reass_ip_answer a = REASS_IP_KEPT;

		if (run % 1000 == 0)
			begin();
		for (unsigned i = 0; i < 40 && a != REASS_IP_WHOLE; i++) {
			uint32_t off = rng_below(&rng, size) & ~7u;
			uint32_t end = min(off + 8 * (1 + rng_below(&rng, 3)), size);
			bool more = end < size || (rng_below(&rng, 30) == 0 && end % 8 == 0);

			if (rng_below(&rng, 60) == 0)
				end = min(end + 8, size);
			if (end % 8 != 0)
				more = false;
			a = give_from(9, run, off, end - off, more, 0);
			answers[a]++;
			CU_ASSERT_EQUAL_FATAL(a, twin_in(&t, off, end, more));
		}
		if (a == REASS_IP_WHOLE)
			expect_text(fx.whole->end);
		if (run % 1000 == 999)
			end();
	}
	CU_ASSERT_TRUE(answers[REASS_IP_WHOLE] > 100 && answers[REASS_IP_AGAIN] > 100 &&
	               answers[REASS_IP_OVERLAP] > 100);
}

void
suite_reass_ip(void)
{
	CU_pSuite s = CU_add_suite("core/reass_ip", NULL, NULL);

	CU_add_test(s, "fragments come in both orders (RFC 791 3.2)", test_both_orders);
	CU_add_test(s, "what came before counts for nothing", test_what_came_before_counts_for_nothing);
	CU_add_test(s, "overlaps spoil the packet and what follows of it (RFC 5722 3)",
	            test_overlaps_spoil_the_packet);
	CU_add_test(s, "ends that contradict each other spoil it, too",
	            test_ends_that_contradict_each_other);
	CU_add_test(s, "the longest packet of the smallest fragments",
	            test_the_longest_packet_of_the_smallest_fragments);
	CU_add_test(s, "what can be no fragment is refused", test_what_can_be_no_fragment);
	CU_add_test(s, "packets do not mix", test_packets_do_not_mix);
	CU_add_test(s, "time is limited (RFC 1122 3.3.2)", test_time_is_limited);
	CU_add_test(s, "memory is limited, for all and for each source (attack: fragment flood)", test_memory_is_limited);
	CU_add_test(s, "scarce memory is not touched", test_scarce_memory_is_not_touched);
	CU_add_test(s, "congestion marks survive (RFC 3168 5.3)", test_congestion_marks_survive);
	CU_add_test(s, "a slow twin says the same", test_the_twin_says_the_same);
}
