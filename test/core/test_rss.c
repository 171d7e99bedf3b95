/* SPDX-License-Identifier: BSD-3-Clause */
/* The vectors are those of Microsoft's RSS verification suite. */
#include <CUnit/CUnit.h>

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

void
suite_rss(void)
{
	CU_pSuite s = CU_add_suite("core/rss", NULL, NULL);

	CU_add_test(s, "published vectors", test_published_vectors);
	CU_add_test(s, "the hash is linear", test_the_hash_is_linear);
}
