/* SPDX-License-Identifier: BSD-3-Clause */
/* The examples of RFC 6724 10.1 that concern the rules we have. */
#include "core/source.h"

#include <CUnit/CUnit.h>

#include <arpa/inet.h>

void suite_source(void);

static struct stack_addr
addr(const char *text, uint8_t prefix)
{
	struct stack_addr a = { .prefix = prefix };

	CU_ASSERT_FATAL(inet_pton(AF_INET6, text, a.ip.b) == 1);
	return a;
}

static void
expect(const char *dst, const char *first, const char *second, const char *want)
{
	struct stack_addr a[2] = { addr(first, 64), addr(second, 64) }, w = addr(want, 64),
			  d = addr(dst, 128);
	const struct ip_addr *got = source_choose(a, 2, &d.ip);

	CU_ASSERT(got && ip_addr_eq(got, &w.ip));
	a[0] = addr(second, 64);
	a[1] = addr(first, 64);
	got = source_choose(a, 2, &d.ip);
	CU_ASSERT(got && ip_addr_eq(got, &w.ip));
}

static void
test_the_scope_fits(void)
{
	expect("2001:db8:1::1", "2001:db8:3::1", "fe80::1", "2001:db8:3::1");
	expect("ff05::1", "2001:db8:3::1", "fe80::1", "2001:db8:3::1");
	expect("fe80::1", "fe80::2", "2001:db8:1::1", "fe80::2");
	expect("ff02::1:ff00:1", "fe80::2", "2001:db8:1::1", "fe80::2");
}

static void
test_the_same_address_is_best(void)
{
	expect("2001:db8:1::1", "2001:db8:1::1", "2001:db8:2::1", "2001:db8:1::1");
	expect("fe80::1", "fe80::2", "fe80::1", "fe80::1");
}

static void
test_the_longest_prefix_decides_last(void)
{
	expect("2001:db8:1::1", "2001:db8:1::2", "2001:db8:3::2", "2001:db8:1::2");
	expect("2002:c633:6401::1", "2002:c633:6401::d5e3:7953:13eb:22e8", "2001:db8:1::2",
	       "2002:c633:6401::d5e3:7953:13eb:22e8");
}

static void
test_labels_go_with_labels(void)
{
	expect("fd00:1::1", "fd00:2::1", "2001:db8::1", "fd00:2::1");
	expect("2001:db8:1::1", "fd00:2::1", "2001:db8:8::1", "2001:db8:8::1");
}

static void
test_ipv4_is_no_candidate(void)
{
	struct stack_addr a = { .ip = ip_addr_v4(0x0a000001), .prefix = 120 },
			  d = addr("2001:db8::1", 64);

	CU_ASSERT_PTR_NULL(source_choose(&a, 1, &d.ip));
	CU_ASSERT_PTR_NULL(source_choose(&a, 0, &d.ip));
}

void
suite_source(void)
{
	CU_pSuite s = CU_add_suite("source", NULL, NULL);

	CU_add_test(s, "the scope of a source fits its destination (RFC 6724 5)", test_the_scope_fits);
	CU_add_test(s, "the destination's own address is its best source",
	            test_the_same_address_is_best);
	CU_add_test(s, "labels go with labels (RFC 6724 5)", test_labels_go_with_labels);
	CU_add_test(s, "the longest prefix decides last (RFC 6724 5)", test_the_longest_prefix_decides_last);
	CU_add_test(s, "IPv4 is no candidate", test_ipv4_is_no_candidate);
}
