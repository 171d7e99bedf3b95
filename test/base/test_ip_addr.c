/* SPDX-License-Identifier: BSD-3-Clause */
#include <CUnit/CUnit.h>

#include "base/ip_addr.h"

void suite_ip_addr(void);

/* RFC 4291 2.5.5.2: ::ffff:10.0.0.1 */
static void
test_v4_is_held_mapped(void)
{
	static const uint8_t want[16] = {
		0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 10, 0, 0, 1
	};
	struct ip_addr a = ip_addr_v4(0x0a000001);

	CU_ASSERT_EQUAL(memcmp(a.b, want, 16), 0);
	CU_ASSERT_TRUE(ip_addr_is_v4(&a));
	CU_ASSERT_EQUAL(ip_addr_v4_host(&a), 0x0a000001);
}

static void
test_v6_is_not_v4(void)
{
	struct ip_addr a = { { 0xfe, 0x80, [15] = 1 } }, b = a;

	CU_ASSERT_FALSE(ip_addr_is_v4(&a));
	CU_ASSERT_TRUE(ip_addr_eq(&a, &b));
	b.b[15] = 2;
	CU_ASSERT_FALSE(ip_addr_eq(&a, &b));
}

static void
test_any_in_both_families(void)
{
	struct ip_addr any6 = IP_ANY, any4 = ip_addr_v4(0), one = ip_addr_v4(1);

	CU_ASSERT_TRUE(ip_addr_is_any(&any6));
	CU_ASSERT_TRUE(ip_addr_is_any(&any4));
	CU_ASSERT_FALSE(ip_addr_is_any(&one));
	CU_ASSERT_FALSE(ip_addr_eq(&any6, &any4));
	CU_ASSERT_FALSE(ip_addr_is_v4(&any6));
}

void
suite_ip_addr(void)
{
	CU_pSuite s = CU_add_suite("ip_addr", NULL, NULL);

	CU_add_test(s, "an IPv4 address is held mapped", test_v4_is_held_mapped);
	CU_add_test(s, "an IPv6 address is not taken for IPv4", test_v6_is_not_v4);
	CU_add_test(s, "either family has an unspecified address", test_any_in_both_families);
}
