/* SPDX-License-Identifier: BSD-3-Clause */
/* UDP headers and sums: what is taken, what is not, and that what is built is taken. */
#include <CUnit/CUnit.h>

#include "base/rng.h"
#include "wire/udp_wire.h"

void suite_udp_wire(void);

static const struct ip_addr v6[2] = { { { 0x20, 1, 0xd, 0xb8, [15] = 1 } },
	                              { { 0x20, 1, 0xd, 0xb8, [15] = 2 } } };

/* A DNS query as the kernel sent it, from 10.9.0.2 to 10.9.0.1. */
static const uint8_t query[] = {
	0x9c, 0x40, 0x00, 0x35, 0x00, 0x19, 0xf4, 0xf6, 0x12, 0x34, 0x01, 0x00, 0x00,
	0x01, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x01, 0x00, 0x01,
};

static void
test_headers_are_read(void)
{
	struct udp_hdr h;

	CU_ASSERT_TRUE_FATAL(wire_udp_parse(query, sizeof query, &h));
	CU_ASSERT_TRUE(h.sport == 40000 && h.dport == 53 && h.len == sizeof query);
	for (size_t len = 0; len < sizeof query; len++)
		CU_ASSERT_FALSE(wire_udp_parse(query, len, &h));
	CU_ASSERT_TRUE(wire_udp_parse_quoted(query, 8, &h));
	CU_ASSERT_FALSE(wire_udp_parse_quoted(query, 7, &h));
}

static void
test_lengths_that_cannot_be(void)
{
	uint8_t p[16] = { 0, 1, 0, 2 };
	struct udp_hdr h;

	for (uint16_t len = 0; len < 32; len++) {
		put_be16(p + 4, len);
		CU_ASSERT_EQUAL(wire_udp_parse(p, sizeof p, &h), len >= 8 && len <= 16);
	}
}

static void
test_any_flipped_bit_breaks_the_sum(void)
{
	struct ip_addr a = ip_addr_v4(0x0a090002), b = ip_addr_v4(0x0a090001);
	uint8_t p[40] = "........what is said";
	struct udp_hdr h = { 1, 2, sizeof p };

	for (unsigned family = 0; family < 2; family++) {
		const struct ip_addr *src = family ? &v6[0] : &a, *dst = family ? &v6[1] : &b;

		wire_udp_build(p, &h, src, dst);
		CU_ASSERT_TRUE(wire_udp_sum_ok(p, src, dst));
		for (unsigned bit = 0; bit < 8 * sizeof p; bit++) {
			if (bit / 8 == 4 || bit / 8 == 5) /* its length */
				continue;
			p[bit / 8] ^= (uint8_t)(1u << bit % 8);
			CU_ASSERT_FALSE(wire_udp_sum_ok(p, src, dst));
			p[bit / 8] ^= (uint8_t)(1u << bit % 8);
		}
	}
}

/* RFC 768: no sum is a sum, and the sum 0 is sent as all ones; RFC 8200 8.1: not over IPv6. */
static void
test_no_sum(void)
{
	struct ip_addr a = ip_addr_v4(1), b = ip_addr_v4(2);
	struct rng rng = { 3 };
	unsigned ones = 0;
	uint8_t p[10] = { 0 };
	struct udp_hdr h = { 1, 2, sizeof p };

	wire_udp_build(p, &h, &a, &b);
	put_be16(p + 6, 0);
	CU_ASSERT_TRUE(wire_udp_sum_ok(p, &a, &b));
	wire_udp_build(p, &h, &v6[0], &v6[1]);
	put_be16(p + 6, 0);
	CU_ASSERT_FALSE(wire_udp_sum_ok(p, &v6[0], &v6[1]));
	for (unsigned i = 0; i < 200000; i++) {
		put_be16(p + 8, (uint16_t)rng_u64(&rng));
		wire_udp_build(p, &h, &a, &b);
		CU_ASSERT_NOT_EQUAL(get_be16(p + 6), 0);
		ones += get_be16(p + 6) == UINT16_MAX;
		CU_ASSERT_TRUE(wire_udp_sum_ok(p, &a, &b));
	}
	CU_ASSERT_TRUE(ones > 0);
}

void
suite_udp_wire(void)
{
	CU_pSuite s = CU_add_suite("udp_wire", NULL, NULL);

	CU_add_test(s, "headers are read (RFC 768 1/header)", test_headers_are_read);
	CU_add_test(s, "lengths that cannot be are refused", test_lengths_that_cannot_be);
	CU_add_test(s, "any flipped bit breaks the sum (RFC 1122 4.1.3.4)",
	            test_any_flipped_bit_breaks_the_sum);
	CU_add_test(s, "no sum is allowed over IPv4 only (RFC 768 1/checksum; RFC 8200 8.1)", test_no_sum);
}
