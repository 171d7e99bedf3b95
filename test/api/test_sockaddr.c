/* SPDX-License-Identifier: BSD-3-Clause */
/* Addresses, there and back. */
#include "test/api/api_test.h"

#include <arpa/inet.h>

#include "api/sockaddr.h"

void suite_sockaddr(void);

static void
test_there_and_back(void)
{
	struct sockaddr_in in = { .sin_family = AF_INET, .sin_port = htons(8080) }, out;
	struct sock_addr a;
	socklen_t len = sizeof out;

	inet_pton(AF_INET, "192.0.2.33", &in.sin_addr);
	CU_ASSERT_EQUAL(sockaddr_parse((struct sockaddr *)&in, sizeof in, false, &a), 0);
	CU_ASSERT_EQUAL(a.port, 8080);
	CU_ASSERT_TRUE(ip_addr_is_v4(&a.ip));
	CU_ASSERT_EQUAL(ip_addr_v4_host(&a.ip), 0xc0000221);
	sockaddr_write(&a, false, (struct sockaddr *)&out, &len);
	CU_ASSERT_EQUAL(len, sizeof out);
	CU_ASSERT_EQUAL(memcmp(&in, &out, sizeof in), 0);
}

static void
test_what_is_no_address_is_refused(void)
{
	struct sockaddr_in6 in6 = { .sin6_family = AF_INET6 };
	struct sockaddr_in in = { .sin_family = AF_INET };
	struct sock_addr a;

	CU_ASSERT_EQUAL(sockaddr_parse(NULL, 16, false, &a), EFAULT);
	CU_ASSERT_EQUAL(sockaddr_parse((struct sockaddr *)&in, 0, false, &a), EINVAL);
	CU_ASSERT_EQUAL(sockaddr_parse((struct sockaddr *)&in, 15, false, &a), EINVAL);
	CU_ASSERT_EQUAL(sockaddr_parse((struct sockaddr *)&in6, sizeof in6, false, &a), EAFNOSUPPORT);
}

static struct sockaddr_in6
in6(const char *text, uint32_t scope)
{
	struct sockaddr_in6 in = { .sin6_family = AF_INET6, .sin6_port = htons(8080),
		                   .sin6_scope_id = scope };

	CU_ASSERT_EQUAL_FATAL(inet_pton(AF_INET6, text, &in.sin6_addr), 1);
	return in;
}

static int
parse6(const struct sockaddr_in6 *in, socklen_t len, struct sock_addr *a)
{
	return sockaddr_parse((const struct sockaddr *)in, len, true, a);
}

static void
test_ipv6_there_and_back(void)
{
	static const char *const text[] = { "2001:db8::1", "::", "::ffff:192.0.2.33", "fe80::5" };

	for (size_t i = 0; i < array_len(text); i++) {
		struct sockaddr_in6 in = in6(text[i], text[i][0] == 'f' ? 3 : 0), out;
		socklen_t len = sizeof out;
		struct sock_addr a;

		CU_ASSERT_EQUAL(parse6(&in, sizeof in, &a), 0);
		CU_ASSERT_EQUAL(a.port, 8080);
		CU_ASSERT_EQUAL(ip_addr_is_v4(&a.ip), i == 2);
		sockaddr_write(&a, true, (struct sockaddr *)&out, &len);
		CU_ASSERT_EQUAL(len, sizeof out);
		CU_ASSERT_EQUAL(memcmp(&in, &out, sizeof in), 0);
	}
}

static void
test_what_is_no_address_of_ipv6_is_refused(void)
{
	struct sockaddr_in6 in = in6("2001:db8::1", 0), local = in6("fe80::1", 0);
	struct sockaddr_in v4 = { .sin_family = AF_INET };
	struct sock_addr a;

	CU_ASSERT_EQUAL(sockaddr_parse(NULL, 28, true, &a), EFAULT);
	CU_ASSERT_EQUAL(parse6(&in, 1, &a), EINVAL);
	CU_ASSERT_EQUAL(parse6(&in, 23, &a), EINVAL);
	CU_ASSERT_EQUAL(parse6(&in, 24, &a), 0); /* without a scope, as programs of old */
	CU_ASSERT_EQUAL(sockaddr_parse((struct sockaddr *)&v4, sizeof v4, true, &a), EINVAL);
	in.sin6_family = AF_INET;
	CU_ASSERT_EQUAL(parse6(&in, sizeof in, &a), EAFNOSUPPORT);
	CU_ASSERT_EQUAL(parse6(&local, sizeof local, &a), EINVAL); /* on which link? */
	local.sin6_scope_id = 1000;
	CU_ASSERT_EQUAL(parse6(&local, sizeof local, &a), EINVAL);
}

/* A caller with too little room gets what fits, and learns how much there was. */
static void
test_little_room_gets_the_beginning(void)
{
	struct sockaddr_in6 in = in6("2001:db8::1", 0), out;
	struct sock_addr a;
	socklen_t len = 10;

	memset(&out, 0xee, sizeof out);
	CU_ASSERT_EQUAL(parse6(&in, sizeof in, &a), 0);
	sockaddr_write(&a, true, (struct sockaddr *)&out, &len);
	CU_ASSERT_EQUAL(len, sizeof in);
	CU_ASSERT(memcmp(&in, &out, 10) == 0 && ((uint8_t *)&out)[10] == 0xee);
}

void
suite_sockaddr(void)
{
	CU_pSuite s = CU_add_suite("api/sockaddr", NULL, NULL);

	CU_add_test(s, "there and back", test_there_and_back);
	CU_add_test(s, "IPv6 there and back (RFC 3493 3.7)", test_ipv6_there_and_back);
	CU_add_test(s, "what is no address of IPv6 is refused",
	            test_what_is_no_address_of_ipv6_is_refused);
	CU_add_test(s, "little room gets the beginning of an address",
	            test_little_room_gets_the_beginning);
	CU_add_test(s, "what is no address is refused", test_what_is_no_address_is_refused);
}
