/* SPDX-License-Identifier: BSD-3-Clause */
/* Whose is an address? */
#include <CUnit/CUnit.h>
#include <netinet/in.h>

#include "posix/bypass.h"
#include "test/posix/two_sides.h"

void suite_bypass(void);

static bool
stays(const struct bypass *b, const char *ip, uint16_t port)
{
	struct sockaddr_storage a = two_sides_address(ip, port);
	socklen_t len = a.ss_family == AF_INET ? sizeof(struct sockaddr_in)
	                                       : sizeof(struct sockaddr_in6);

	return bypass_takes(b, (struct sockaddr *)&a, len);
}

static struct bypass
list(const char *text)
{
	struct bypass b = { NULL, 0 };
	struct bypass_rule r;

	CU_ASSERT_TRUE(bypass_parse(text, &r));
	CU_ASSERT_EQUAL(bypass_add(&b, &r), 0);
	return b;
}

static void
test_without_a_rule_all_but_loopback_is_the_stacks(void)
{
	struct bypass none = { NULL, 0 };

	CU_ASSERT_FALSE(stays(&none, "10.0.0.1", 80));
	CU_ASSERT_FALSE(stays(&none, "0.0.0.0", 80));
	CU_ASSERT_FALSE(stays(&none, "2001:db8::1", 80));
	CU_ASSERT_TRUE(stays(&none, "127.0.0.1", 80));
	CU_ASSERT_TRUE(stays(&none, "127.9.9.9", 80));
	CU_ASSERT_TRUE(stays(&none, "::1", 80));
	CU_ASSERT_TRUE(stays(&none, "::ffff:127.0.0.1", 80));
	CU_ASSERT_FALSE(stays(&none, "::", 80));
}

static void
test_what_is_no_internet_address_stays(void)
{
	struct bypass none = { NULL, 0 };
	struct sockaddr unix_domain = { .sa_family = AF_UNIX };
	struct sockaddr cut = { .sa_family = AF_INET };

	CU_ASSERT_TRUE(bypass_takes(&none, &unix_domain, sizeof unix_domain));
	CU_ASSERT_TRUE(bypass_takes(&none, &cut, 8));
}

static void
test_a_prefix_takes_its_addresses(void)
{
	struct bypass b = list("10.1.0.0/15");

	CU_ASSERT_TRUE(stays(&b, "10.0.255.255", 1));
	CU_ASSERT_TRUE(stays(&b, "10.1.2.3", 1));
	CU_ASSERT_TRUE(stays(&b, "::ffff:10.1.2.3", 1));
	CU_ASSERT_FALSE(stays(&b, "10.2.0.0", 1));
	bypass_clear(&b);
	b = list("2001:db8::/32");
	CU_ASSERT_TRUE(stays(&b, "2001:db8:ffff::1", 1));
	CU_ASSERT_FALSE(stays(&b, "2001:db9::1", 1));
	CU_ASSERT_FALSE(stays(&b, "10.0.0.1", 1));
	bypass_clear(&b);
	b = list("0.0.0.0/0");
	CU_ASSERT_TRUE(stays(&b, "192.0.2.1", 1));
	CU_ASSERT_FALSE(stays(&b, "2001:db8::1", 1));
	bypass_clear(&b);
}

static void
test_a_port_narrows_a_rule(void)
{
	struct bypass b = list("10.0.0.1:53");

	CU_ASSERT_TRUE(stays(&b, "10.0.0.1", 53));
	CU_ASSERT_FALSE(stays(&b, "10.0.0.1", 54));
	CU_ASSERT_FALSE(stays(&b, "10.0.0.2", 53));
	bypass_clear(&b);
	b = list("*:8080");
	CU_ASSERT_TRUE(stays(&b, "0.0.0.0", 8080));
	CU_ASSERT_TRUE(stays(&b, "2001:db8::1", 8080));
	CU_ASSERT_FALSE(stays(&b, "0.0.0.0", 80));
	bypass_clear(&b);
	b = list("[2001:db8::1]:53");
	CU_ASSERT_TRUE(stays(&b, "2001:db8::1", 53));
	CU_ASSERT_FALSE(stays(&b, "2001:db8::1", 54));
	bypass_clear(&b);
}

static void
test_any_of_several_rules_will_do(void)
{
	struct bypass b = list("10.0.0.1");
	struct bypass_rule r;

	CU_ASSERT_TRUE(bypass_parse("[2001:db8::]/64", &r));
	CU_ASSERT_EQUAL(bypass_add(&b, &r), 0);
	CU_ASSERT_TRUE(stays(&b, "10.0.0.1", 1));
	CU_ASSERT_TRUE(stays(&b, "2001:db8::7", 1));
	CU_ASSERT_FALSE(stays(&b, "10.0.0.2", 1));
	bypass_clear(&b);
	CU_ASSERT_EQUAL(b.n, 0);
}

static void
test_what_is_no_rule_is_refused(void)
{
	static const char *const wrong[] = {
		"", "*", "10.0.0", "10.0.0.1/33", "10.0.0.1/", "10.0.0.1/ 8", "10.0.0.1/-1", "10.0.0.1:0",
		"10.0.0.1:65536", "10.0.0.1:http", "*:", ":80", "[2001:db8::1", "[2001:db8::1]x",
		"[2001:db8::1]:", "2001:db8::/129", "name.example",
		"00000000000000000000000000000000000000000000000000000000000000000000000000000000000",
	};
	struct bypass_rule r = { .port = 7 };

	for (unsigned i = 0; i < array_len(wrong); i++)
		CU_ASSERT_FALSE(bypass_parse(wrong[i], &r));
	CU_ASSERT_EQUAL(r.port, 7);
}

void
suite_bypass(void)
{
	CU_pSuite s = CU_add_suite("bypass", NULL, NULL);

	CU_add_test(s, "without a rule all but loopback is the stack's",
	            test_without_a_rule_all_but_loopback_is_the_stacks);
	CU_add_test(s, "what is no Internet address stays", test_what_is_no_internet_address_stays);
	CU_add_test(s, "a prefix takes its addresses", test_a_prefix_takes_its_addresses);
	CU_add_test(s, "a port narrows a rule", test_a_port_narrows_a_rule);
	CU_add_test(s, "any of several rules will do", test_any_of_several_rules_will_do);
	CU_add_test(s, "what is no rule is refused", test_what_is_no_rule_is_refused);
}
