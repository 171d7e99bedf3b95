/* SPDX-License-Identifier: BSD-3-Clause */
/* Lists of addresses to connect from. */
#include <CUnit/CUnit.h>
#include <string.h>

#include "apps/wget_source.h"

static void
expect(const struct sources *s, uint64_t i, const char *text)
{
	char got[SOURCE_TEXT_MAX];

	CU_ASSERT_STRING_EQUAL(sources_text(s, i, got), text);
}

static void
test_items(void)
{
	struct sources s;
	char where[64];

	CU_ASSERT_PTR_NULL(
	    sources_parse(&s, "10.0.0.2,10.0.0.254-10.0.1.1,10.1.0.0/30", where));
	CU_ASSERT_EQUAL(s.total, 1 + 4 + 2);
	expect(&s, 0, "10.0.0.2");
	expect(&s, 1, "10.0.0.254");
	expect(&s, 3, "10.0.1.0");
	expect(&s, 4, "10.0.1.1");
	expect(&s, 5, "10.1.0.1");
	expect(&s, 6, "10.1.0.2");
	expect(&s, 7, "10.0.0.2");
	CU_ASSERT_PTR_NULL(sources_parse(&s, "10.0.0.77/31", where));
	CU_ASSERT_EQUAL(s.total, 2);
	expect(&s, 0, "10.0.0.76");
}

static void
test_large(void)
{
	struct sources s;
	char where[64];

	CU_ASSERT_PTR_NULL(sources_parse(&s, "10.0.0.0-10.0.255.255", where));
	CU_ASSERT_EQUAL(s.total, 65536);
	expect(&s, 65535, "10.0.255.255");
	CU_ASSERT_PTR_NOT_NULL(sources_parse(&s, "10.0.0.0-10.1.0.0", where));
	CU_ASSERT_PTR_NOT_NULL(sources_parse(&s, "::1-ffff::1", where));
	CU_ASSERT_PTR_NOT_NULL(sources_parse(&s, "10.0.0.0/15", where));
	CU_ASSERT_PTR_NOT_NULL(sources_parse(&s, "10.0.0.0-10.0.255.255,1.2.3.4", where));
	CU_ASSERT_STRING_EQUAL(where, "1.2.3.4");
}

static void
test_ipv6(void)
{
	struct sources s;
	struct sockaddr_storage a;
	char where[64];

	CU_ASSERT_PTR_NULL(sources_parse(&s, "fd00::fffe-fd00::1:1", where));
	CU_ASSERT_EQUAL(s.total, 4);
	expect(&s, 2, "fd00::1:0");
	sources_at(&s, 2, &a);
	CU_ASSERT_EQUAL(a.ss_family, AF_INET6);
}

static void
test_wrong(void)
{
	static const char *const lists[] = {
		"", ",", "10.0.0.2,", "10.0.0", "10.0.0.5-10.0.0.4", "10.0.0.1-::1", "10.0.0.1-",
		"10.0.0.1/33", "10.0.0.1/x", "10.0.0.1/", "10.0.0.1,::1", "/8", "-",
		"1111111111111111111111111111111111111111111111111111111111111111111111111111",
		"1.1,1.1.1.1", "::,::,::,::,::,::,::,::,::,::,::,::,::,::,::,::,::",
	};
	struct sources s;
	char where[64];

	for (size_t i = 0; i < sizeof(lists) / sizeof(lists[0]); i++) {
		CU_ASSERT_PTR_NOT_NULL(sources_parse(&s, lists[i], where));
		CU_ASSERT_TRUE(strlen(where) < 64);
	}
}

void suite_wget_source(void);

void
suite_wget_source(void)
{
	CU_pSuite s = CU_add_suite("wget_source", NULL, NULL);

	CU_add_test(s, "addresses, ranges and prefixes count on, across bytes", test_items);
	CU_add_test(s, "a range may have 65,536 addresses, and no more", test_large);
	CU_add_test(s, "IPv6 addresses are as good", test_ipv6);
	CU_add_test(s, "each mistake has a reason and a place", test_wrong);
}
