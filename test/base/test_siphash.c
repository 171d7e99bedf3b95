/* SPDX-License-Identifier: BSD-3-Clause */
#include <CUnit/CUnit.h>

#include "base/siphash.h"

void suite_siphash(void);

/* The paper's key 00..0f and input 00, 00 01, ... */
static const struct siphash_key key = { UINT64_C(0x0706050403020100),
	                                UINT64_C(0x0f0e0d0c0b0a0908) };

struct vector {
	size_t len;
	uint64_t hash;
};

static void
check(uint64_t (*hash)(const struct siphash_key *, const void *, size_t),
      const struct vector *v, size_t n)
{
	uint8_t in[64];

	for (unsigned i = 0; i < sizeof in; i++)
		in[i] = (uint8_t)i;
	for (size_t i = 0; i < n; i++)
		CU_ASSERT_EQUAL(hash(&key, in, v[i].len), v[i].hash);
}

/* Appendix A of the paper (15 bytes), and its authors' test vectors. */
static void
test_published_vectors_of_2_4(void)
{
	static const struct vector v[] = {
		{ 0, UINT64_C(0x726fdb47dd0e0e31) },  { 1, UINT64_C(0x74f839c593dc67fd) },
		{ 2, UINT64_C(0x0d6c8009d9a94f5a) },  { 3, UINT64_C(0x85676696d7fb7e2d) },
		{ 4, UINT64_C(0xcf2794e0277187b7) },  { 5, UINT64_C(0x18765564cd99a68d) },
		{ 6, UINT64_C(0xcbc9466e58fee3ce) },  { 7, UINT64_C(0xab0200f58b01d137) },
		{ 8, UINT64_C(0x93f5f5799a932462) },  { 15, UINT64_C(0xa129ca6149be45e5) },
		{ 63, UINT64_C(0x958a324ceb064572) },
	};

	check(siphash24, v, array_len(v));
}

/* Computed with OpenSSL's SIPHASH (c-rounds 1, d-rounds 3), same key and input. */
static void
test_vectors_of_1_3(void)
{
	static const struct vector v[] = {
		{ 0, UINT64_C(0xabac0158050fc4dc) },  { 7, UINT64_C(0xd3927d989bb11140) },
		{ 8, UINT64_C(0x369095118d299a8e) },  { 15, UINT64_C(0xd320d86d2a519956) },
		{ 63, UINT64_C(0x9d199062b7bbb3a8) },
	};

	check(siphash13, v, array_len(v));
}

static void
test_alignment_does_not_matter(void)
{
	uint8_t in[40], moved[48];

	memset(in, 0x5c, sizeof in);
	for (unsigned by = 0; by < 8; by++) {
		memcpy(moved + by, in, sizeof in);
		CU_ASSERT_EQUAL(siphash13(&key, moved + by, 37), siphash13(&key, in, 37));
	}
	CU_ASSERT_EQUAL(siphash24(&key, NULL, 0), UINT64_C(0x726fdb47dd0e0e31));
}

static void
test_twelve_bytes_hash_as_any_twelve_bytes(void)
{
	uint8_t in[16];

	for (unsigned i = 0; i < sizeof in; i++)
		in[i] = (uint8_t)(i * 37 + 5);
	for (unsigned by = 0; by < 4; by++)
		CU_ASSERT_EQUAL(siphash13_12(&key, in + by), siphash13(&key, in + by, 12));
}

static void
test_thirteen_bytes_hash_as_any_thirteen_bytes(void)
{
	uint64_t eight, five = 0;
	uint8_t in[20];

	for (unsigned i = 0; i < sizeof in; i++)
		in[i] = (uint8_t)(i * 89 + 200);
	for (unsigned by = 0; by < 7; by++) {
		memcpy(&eight, in + by, 8);
		memcpy(&five, in + by + 8, 5);
		CU_ASSERT_EQUAL(siphash24_13(&key, eight, five), siphash24(&key, in + by, 13));
	}
}

static void
test_each_key_bit_counts(void)
{
	uint64_t plain = siphash13(&key, "abc", 3);

	for (unsigned i = 0; i < 64; i++) {
		struct siphash_key a = key, b = key;

		a.k0 ^= UINT64_C(1) << i;
		b.k1 ^= UINT64_C(1) << i;
		CU_ASSERT_NOT_EQUAL(siphash13(&a, "abc", 3), plain);
		CU_ASSERT_NOT_EQUAL(siphash13(&b, "abc", 3), plain);
	}
}

void
suite_siphash(void)
{
	CU_pSuite s = CU_add_suite("siphash", NULL, NULL);

	CU_add_test(s, "SipHash-2-4 gives the published values", test_published_vectors_of_2_4);
	CU_add_test(s, "SipHash-1-3 gives another implementation's values",
	            test_vectors_of_1_3);
	CU_add_test(s, "alignment does not matter", test_alignment_does_not_matter);
	CU_add_test(s, "twelve bytes hash as any twelve bytes do",
	            test_twelve_bytes_hash_as_any_twelve_bytes);
	CU_add_test(s, "thirteen bytes hash as any thirteen bytes do",
	            test_thirteen_bytes_hash_as_any_thirteen_bytes);
	CU_add_test(s, "each bit of the key counts", test_each_key_bit_counts);
}
