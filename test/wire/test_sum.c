/* SPDX-License-Identifier: BSD-3-Clause */
/* The Internet checksum against a twin that adds 16 bits at a time, as RFC 1071 1 says it. */
#include "wire/sum.h"

#include "base/rng.h"
#include "test/wire/hex.h"

void suite_sum(void);

/* In host order, inverted. */
static uint16_t
naive_sum(const uint8_t *p, size_t len)
{
	uint32_t sum = 0;

	for (size_t i = 0; i < len; i++) {
		sum += i % 2 ? p[i] : (uint32_t)p[i] << 8;
		if (sum > UINT16_MAX)
			sum -= UINT16_MAX;
	}
	return (uint16_t)~sum;
}

static uint16_t
sum_of(const uint8_t *p, size_t len)
{
	return __builtin_bswap16(wire_sum_finish(wire_sum_add(0, p, len)));
}

/* RFC 1071 3: the example's bytes add up to ddf2. */
static void
test_example_of_the_rfc(void)
{
	static const uint8_t p[] = { 0x00, 0x01, 0xf2, 0x03, 0xf4, 0xf5, 0xf6, 0xf7 };

	CU_ASSERT_EQUAL(sum_of(p, sizeof p), (uint16_t)~0xddf2);
}

static void
test_every_length_at_every_alignment(void)
{
	enum { LONGEST = 200 };
	struct rng r = { 1 };

	for (size_t off = 0; off < 16; off++) {
		for (size_t len = 0; len <= LONGEST; len++) {
			uint8_t *p = malloc(off + len + 1);

			for (size_t i = 0; i < off + len; i++)
				p[i] = (uint8_t)rng_u64(&r);
			CU_ASSERT_EQUAL(sum_of(p + off, len), naive_sum(p + off, len));
			free(p);
		}
	}
}

static void
test_long_buffers_of_ones_lose_no_carry(void)
{
	static const size_t lens[] = { 1500, 9001, 65535, 65536, 262144 };

	for (size_t i = 0; i < array_len(lens); i++) {
		uint8_t *p = malloc(lens[i]);

		memset(p, 0xff, lens[i]);
		CU_ASSERT_EQUAL(sum_of(p, lens[i]), naive_sum(p, lens[i]));
		p[0] = 0;
		CU_ASSERT_EQUAL(sum_of(p, lens[i]), naive_sum(p, lens[i]));
		free(p);
	}
}

/* A sum of nothing is +0, any other that is a multiple of 65535 is -0. */
static void
test_zero_has_two_signs(void)
{
	static const uint8_t zeros[64], ones[64] = { [0 ... 63] = 0xff };

	CU_ASSERT_EQUAL(sum_of(zeros, 64), 0xffff);
	CU_ASSERT_EQUAL(sum_of(ones, 64), 0);
	CU_ASSERT_EQUAL(wire_sum_finish(0), 0xffff);
	CU_ASSERT_EQUAL(wire_sum_finish(UINT32_MAX), 0);
	CU_ASSERT_EQUAL(wire_sum_fold(UINT32_MAX), 0xffff);
}

static void
test_parts_add_up_to_the_whole(void)
{
	struct rng r = { 2 };
	uint8_t p[301];

	for (size_t i = 0; i < sizeof p; i++)
		p[i] = (uint8_t)rng_u64(&r);
	for (int n = 0; n < 2000; n++) {
		size_t len = rng_below(&r, sizeof p + 1);
		size_t cut = rng_below(&r, (uint32_t)len / 2 + 1) * 2;
		uint32_t sum = wire_sum_add(0, p, cut);

		sum = wire_sum_add(sum, p + cut, len - cut);
		CU_ASSERT_EQUAL(__builtin_bswap16(wire_sum_finish(sum)), naive_sum(p, len));
	}
}

static void
test_any_running_sum_may_be_continued(void)
{
	static const uint32_t starts[] = { 0, 1, 0xffff, 0x10000, 0xfffffffe, UINT32_MAX };
	struct rng r = { 3 };

	for (size_t i = 0; i < array_len(starts); i++) {
		uint8_t p[4 + 77];

		for (size_t k = 0; k < sizeof p; k++)
			p[k] = (uint8_t)rng_u64(&r);
		memcpy(p, &starts[i], 4);
		CU_ASSERT_EQUAL(__builtin_bswap16(wire_sum_finish(
				    wire_sum_add(starts[i], p + 4, sizeof p - 4))),
		                naive_sum(p, sizeof p));
	}
}

/* RFC 9293 3.1: source, destination, zero, protocol, length. */
static void
test_pseudo_header_of_ipv4(void)
{
	struct bytes b = hex("c0000201 c633644d 00 06 0403");
	struct ip_addr src = ip_addr_v4(0xc0000201), dst = ip_addr_v4(0xc633644d);

	CU_ASSERT_EQUAL(
	    __builtin_bswap16(wire_sum_finish(wire_sum_pseudo(&src, &dst, 6, 0x403))),
	    naive_sum(b.b, b.len));
}

/* RFC 8200 8.1: addresses, 32-bit length, three zeros, next header. */
static void
test_pseudo_header_of_ipv6(void)
{
	struct bytes b = hex("20010db8000000000000000000000001 ffff0db8fffffffffffffffffffffffe"
	                     "00012345 000000 11");
	struct ip_addr src, dst;

	memcpy(src.b, b.b, 16);
	memcpy(dst.b, b.b + 16, 16);
	CU_ASSERT_EQUAL(
	    __builtin_bswap16(wire_sum_finish(wire_sum_pseudo(&src, &dst, 0x11, 0x12345))),
	    naive_sum(b.b, b.len));
}

void
suite_sum(void)
{
	CU_pSuite s = CU_add_suite("sum", NULL, NULL);

	CU_add_test(s, "the RFC's example adds up", test_example_of_the_rfc);
	CU_add_test(s, "every length at every alignment equals the naive sum",
	            test_every_length_at_every_alignment);
	CU_add_test(s, "long buffers of ones lose no carry",
	            test_long_buffers_of_ones_lose_no_carry);
	CU_add_test(s, "zero has two signs", test_zero_has_two_signs);
	CU_add_test(s, "parts add up to the whole", test_parts_add_up_to_the_whole);
	CU_add_test(s, "any running sum may be continued",
	            test_any_running_sum_may_be_continued);
	CU_add_test(s, "the pseudo-header of IPv4", test_pseudo_header_of_ipv4);
	CU_add_test(s, "the pseudo-header of IPv6", test_pseudo_header_of_ipv6);
}
