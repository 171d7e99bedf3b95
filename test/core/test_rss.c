/* SPDX-License-Identifier: BSD-3-Clause */
/* The vectors are those of Microsoft's RSS verification suite. */
#include <CUnit/CUnit.h>

#include "base/rng.h"
#include "core/port.h"
#include "core/rss.h"

void suite_rss(void);

#define IP(a, b, c, d) ((uint32_t)(a) << 24 | (b) << 16 | (c) << 8 | (d))

static void
test_published_vectors(void)
{
	static const struct {
		uint32_t src, dst;
		uint16_t sport, dport;
		uint32_t hash;
	} v[] = {
		{ IP(66, 9, 149, 187), IP(161, 142, 100, 80), 2794, 1766, 0x51ccc178 },
		{ IP(199, 92, 111, 2), IP(65, 69, 140, 83), 14230, 4739, 0xc626b0ea },
		{ IP(24, 19, 198, 95), IP(12, 22, 207, 184), 12898, 38024, 0x5c2b394a },
		{ IP(38, 27, 205, 30), IP(209, 142, 163, 6), 48228, 2217, 0xafc7327f },
		{ IP(153, 39, 163, 191), IP(202, 188, 127, 2), 44251, 1303, 0x10e828a2 },
	};

	for (size_t i = 0; i < array_len(v); i++)
		CU_ASSERT_EQUAL(rss_hash_tcp4(rss_default_key, v[i].src, v[i].dst, v[i].sport,
		                              v[i].dport),
		                v[i].hash);
}

static void
test_the_hash_is_linear(void)
{
	static const uint8_t zero[36];
	uint8_t a[36], b[36], sum[36];

	for (size_t i = 0; i < sizeof a; i++) {
		a[i] = (uint8_t)(i * 37);
		b[i] = (uint8_t)(i * 91 + 5);
		sum[i] = a[i] ^ b[i];
	}
	CU_ASSERT_EQUAL(rss_toeplitz(rss_default_key, zero, 36), 0);
	CU_ASSERT_EQUAL(rss_toeplitz(rss_default_key, a, 36) ^ rss_toeplitz(rss_default_key, b, 36),
	                rss_toeplitz(rss_default_key, sum, 36));
}

static void
some_bytes(struct rng *rng, uint8_t *to, size_t n)
{
	while (n-- > 0)
		*to++ = (uint8_t)rng_u64(rng);
}

/* A function with a key at random, and one table place after the other dealt to `cores`. */
static struct rss
some_rss(struct rng *rng, unsigned size, unsigned cores)
{
	uint16_t table[RSS_TABLE_MAX];
	uint8_t key[RSS_KEY_LEN];
	struct rss r;

	some_bytes(rng, key, sizeof key);
	for (unsigned i = 0; i < size; i++)
		table[i] = (uint16_t)(i % cores);
	CU_ASSERT_TRUE_FATAL(rss_init(&r, key, table, size));
	return r;
}

static void
test_the_prepared_hash_is_the_plain_one(void)
{
	struct rng rng = { 3 };

	for (unsigned i = 0; i < 500; i++) {
		struct rss r = some_rss(&rng, 128, 4);
		uint32_t src = (uint32_t)rng_u64(&rng), dst = (uint32_t)rng_u64(&rng);
		uint16_t sport = (uint16_t)rng_u64(&rng), dport = (uint16_t)rng_u64(&rng);
		struct ip_addr a = ip_addr_v4(src), b = ip_addr_v4(dst);
		uint32_t hash = rss_hash_tcp4(r.key, src, dst, sport, dport);

		CU_ASSERT_EQUAL(rss_hash(&r, &a, &b, sport, dport), hash);
		CU_ASSERT_EQUAL(rss_core(&r, hash), (hash & 127) % 4);
	}
}

static void
test_a_table_must_make_sense(void)
{
	uint16_t table[RSS_TABLE_MAX] = { 0 };
	struct rss r;

	CU_ASSERT_FALSE(rss_init(&r, rss_default_key, table, 0));
	CU_ASSERT_FALSE(rss_init(&r, rss_default_key, table, 96));
	CU_ASSERT_FALSE(rss_init(&r, rss_default_key, table, 2 * RSS_TABLE_MAX));
	CU_ASSERT_TRUE(rss_init(&r, rss_default_key, table, RSS_TABLE_MAX));
	table[5] = 300;
	CU_ASSERT_FALSE(rss_init(&r, rss_default_key, table, 8));
}

/* ---------------------------------------------------------- the ports of a core -- */

/* What the ports of one core are by trying all of them, and by their numbers. */
static void
compare_family(const struct rss *r, unsigned core, uint32_t hash, uint16_t lo, uint16_t hi,
               bool v6)
{
	static uint8_t seen[65536];
	struct ip_addr zero = v6 ? IP_ANY : ip_addr_v4(0);
	struct rss_ports p;
	uint32_t count, found = 0, wanted = 0, n;
	uint16_t port;

	memset(seen, 0, sizeof seen);
	CU_ASSERT_TRUE_FATAL(rss_ports_init(&p, r, core, v6));
	count = rss_ports_count(&p, lo, hi);
	for (uint32_t i = 0; i < count; i++) {
		if (!rss_ports_nth(&p, hash, lo, hi, i, &port))
			continue;
		found++;
		CU_ASSERT_TRUE(port >= lo && port <= hi && !seen[port]);
		seen[port] = 1;
		CU_ASSERT_TRUE(rss_ports_number(&p, hash, lo, port, &n) && n == i);
	}
	for (uint32_t i = lo; i <= hi; i++) {
		uint32_t h = hash ^ rss_hash(r, &zero, &zero, 0, (uint16_t)i);

		wanted += rss_core(r, h) == core;
		CU_ASSERT_EQUAL(seen[i], rss_core(r, h) == core);
		CU_ASSERT_EQUAL(rss_ports_number(&p, hash, lo, (uint16_t)i, &n),
		                rss_core(r, h) == core);
	}
	CU_ASSERT_EQUAL(found, wanted);
	/* What is computed in vain lies in the blocks at the ends of the range. */
	CU_ASSERT_TRUE(count - found <= 2 * (1u << p.bits) || p.rank < RSS_INDEX_BITS);
}

static void
compare_ports(const struct rss *r, unsigned core, uint32_t hash, uint16_t lo, uint16_t hi)
{
	compare_family(r, core, hash, lo, hi, false);
	compare_family(r, core, hash, lo, hi, true);
}

/* A device sees no scope. */
static void
test_a_scope_does_not_count(void)
{
	struct ip_addr a = { { 0xfe, 0x80, [15] = 1 } }, b = { { 0xfe, 0x80, [3] = 2, [15] = 1 } },
		       c = { { 0xfe, 0x80, [15] = 2 } };
	uint16_t table[4] = { 0, 1, 2, 3 };
	static struct rss r;

	CU_ASSERT_TRUE_FATAL(rss_init(&r, rss_default_key, table, 4));
	CU_ASSERT_EQUAL(rss_hash(&r, &a, &c, 1, 2), rss_hash(&r, &b, &c, 1, 2));
	CU_ASSERT_EQUAL(rss_hash(&r, &c, &a, 1, 2), rss_hash(&r, &c, &b, 1, 2));
	CU_ASSERT_NOT_EQUAL(rss_hash(&r, &a, &c, 1, 2), rss_hash(&r, &c, &c, 1, 2));
}

static void
test_ports_by_number_are_those_found_by_trying(void)
{
	struct rng rng = { 11 };
	static const unsigned sizes[] = { 64, 128, 512 }, cores[] = { 1, 2, 3, 4, 7, 32, 64 };

	for (unsigned i = 0; i < array_len(sizes) * array_len(cores); i++) {
		unsigned n = cores[i / array_len(sizes)];
		struct rss r = some_rss(&rng, sizes[i % array_len(sizes)], n);
		uint32_t hash = (uint32_t)rng_u64(&rng);

		compare_ports(&r, rng_below(&rng, n), hash, 32768, 60999);
		compare_ports(&r, rng_below(&rng, n), hash, 10007, 10900);
	}
}

static void
test_ports_of_the_keys_that_cards_have(void)
{
	uint16_t table[RSS_TABLE_SIZE];
	uint8_t symmetric[RSS_KEY_LEN];
	struct rss r;

	for (unsigned i = 0; i < RSS_TABLE_SIZE; i++)
		table[i] = (uint16_t)(i % 4);
	for (unsigned i = 0; i < RSS_KEY_LEN; i++)
		symmetric[i] = i % 2 ? 0x5a : 0x6d;
	CU_ASSERT_TRUE(rss_init(&r, rss_default_key, table, RSS_TABLE_SIZE));
	compare_ports(&r, 3, 0x12345678, 0, 65535);
	CU_ASSERT_TRUE(rss_init(&r, symmetric, table, RSS_TABLE_SIZE));
	compare_ports(&r, 0, 0x12345678, 0, 65535);
	compare_ports(&r, 2, 0x9abcdef0, 65000, 65000);
}

/* The longest search in vain that any core begins anywhere in the range, twice around it. */
static uint32_t
longest_in_vain(const uint8_t key[RSS_KEY_LEN], unsigned cores)
{
	uint16_t table[RSS_TABLE_MAX], port;
	uint32_t longest = 0, run = 0;
	struct rss_ports p;
	struct rss r;

	for (unsigned i = 0; i < RSS_TABLE_MAX; i++)
		table[i] = (uint16_t)(i % cores);
	CU_ASSERT_TRUE_FATAL(rss_init(&r, key, table, RSS_TABLE_MAX));
	for (unsigned core = 0; core < cores; core++) {
		CU_ASSERT_TRUE_FATAL(rss_ports_init(&p, &r, core, false));
		uint32_t all = rss_ports_count(&p, 32768, 60999);

		for (uint32_t i = 0; i < 2 * all; i++) {
			run = rss_ports_nth(&p, 0x12345, 32768, 60999, i % all, &port) ? 0 : run + 1;
			longest = max(longest, run);
		}
	}
	return longest;
}

/* One key in twenty-five has more ports in a row that are none than a search looks at. */
static void
test_with_a_good_key_no_search_is_in_vain(void)
{
	struct rng r = { 7 };
	unsigned good = 0, bad = 0;

	CU_ASSERT_TRUE(rss_key_is_good(rss_default_key));
	for (unsigned n = 0; n < 150; n++) {
		uint8_t key[RSS_KEY_LEN];

		for (unsigned i = 0; i < RSS_KEY_LEN; i++)
			key[i] = (uint8_t)rng_u64(&r);
		if (rss_key_is_good(key)) {
			CU_ASSERT_TRUE(longest_in_vain(key, 2u << good++ % 3) < PORT_LOOKS);
		} else {
			bad += longest_in_vain(key, 2) >= PORT_LOOKS;
		}
	}
	CU_ASSERT_TRUE(good > 20 && bad > 0);
}

/* A key that is zero where the ports stand: they change nothing. */
static void
test_ports_that_change_nothing_are_said(void)
{
	uint16_t table[4] = { 0, 1, 0, 1 };
	uint8_t key[RSS_KEY_LEN] = { 1, 2, 3, 4 };
	struct rss_ports p;
	struct rss r;

	CU_ASSERT_TRUE(rss_init(&r, key, table, 4));
	CU_ASSERT_FALSE(rss_ports_init(&p, &r, 0, false));
	CU_ASSERT_TRUE(rss_init(&r, rss_default_key, table, 4));
	CU_ASSERT_TRUE(rss_ports_init(&p, &r, 1, false));
	CU_ASSERT_FALSE(rss_ports_init(&p, &r, 2, false)); /* no place is its */
}

void
suite_rss(void)
{
	CU_pSuite s = CU_add_suite("core/rss", NULL, NULL);

	CU_add_test(s, "a scope does not count", test_a_scope_does_not_count);
	CU_add_test(s, "published vectors", test_published_vectors);
	CU_add_test(s, "the hash is linear", test_the_hash_is_linear);
	CU_add_test(s, "the prepared hash is the plain one",
	            test_the_prepared_hash_is_the_plain_one);
	CU_add_test(s, "a table must make sense", test_a_table_must_make_sense);
	CU_add_test(s, "ports by number are those found by trying",
	            test_ports_by_number_are_those_found_by_trying);
	CU_add_test(s, "with a good key no search is in vain",
	            test_with_a_good_key_no_search_is_in_vain);
	CU_add_test(s, "ports of the keys that cards have", test_ports_of_the_keys_that_cards_have);
	CU_add_test(s, "ports that change nothing are said",
	            test_ports_that_change_nothing_are_said);
}
