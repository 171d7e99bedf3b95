/* SPDX-License-Identifier: BSD-3-Clause */
#include <CUnit/CUnit.h>

#include "base/be.h"

void suite_be(void);

static void
test_the_highest_byte_comes_first(void)
{
	static const uint8_t want[] = { 0x12, 0x34, 0x56, 0x78 };
	be16_t s = be16(0x1234);
	be32_t l = be32(0x12345678);

	CU_ASSERT_EQUAL(memcmp(&s, want, 2), 0);
	CU_ASSERT_EQUAL(memcmp(&l, want, 4), 0);
	CU_ASSERT_EQUAL(be16_host(s), 0x1234);
	CU_ASSERT_EQUAL(be32_host(l), 0x12345678);
	CU_ASSERT_EQUAL(sizeof s, 2);
	CU_ASSERT_EQUAL(sizeof l, 4);
}

static void
test_any_address_can_be_read_and_written(void)
{
	uint8_t b[20];

	for (unsigned at = 0; at < 4; at++) {
		memset(b, 0xee, sizeof b);
		put_be16(b + at, 0x8001);
		put_be32(b + at + 2, 0x80000001);
		CU_ASSERT_EQUAL(b[at], 0x80);
		CU_ASSERT_EQUAL(b[at + 1], 0x01);
		CU_ASSERT_EQUAL(get_be16(b + at), 0x8001);
		CU_ASSERT_EQUAL(get_be32(b + at + 2), 0x80000001);
		CU_ASSERT_EQUAL(b[at + 6], 0xee);
		put_be64(b + at + 6, UINT64_C(0x8000000000000001));
		CU_ASSERT_EQUAL(b[at + 6], 0x80);
		CU_ASSERT_EQUAL(get_be64(b + at + 6), UINT64_C(0x8000000000000001));
		CU_ASSERT_EQUAL(b[at + 14], 0xee);
	}
}

void
suite_be(void)
{
	CU_pSuite s = CU_add_suite("be", NULL, NULL);

	CU_add_test(s, "the highest byte comes first", test_the_highest_byte_comes_first);
	CU_add_test(s, "any address can be read and written",
	            test_any_address_can_be_read_and_written);
}
