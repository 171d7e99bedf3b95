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
	CU_ASSERT_EQUAL(sockaddr_parse((struct sockaddr *)&in, sizeof in, &a), 0);
	CU_ASSERT_EQUAL(a.port, 8080);
	CU_ASSERT_TRUE(ip_addr_is_v4(&a.ip));
	CU_ASSERT_EQUAL(ip_addr_v4_host(&a.ip), 0xc0000221);
	sockaddr_write(&a, (struct sockaddr *)&out, &len);
	CU_ASSERT_EQUAL(len, sizeof out);
	CU_ASSERT_EQUAL(memcmp(&in, &out, sizeof in), 0);
}

static void
test_what_is_no_address_is_refused(void)
{
	struct sockaddr_in6 in6 = { .sin6_family = AF_INET6 };
	struct sockaddr_in in = { .sin_family = AF_INET };
	struct sock_addr a;

	CU_ASSERT_EQUAL(sockaddr_parse(NULL, 16, &a), EFAULT);
	CU_ASSERT_EQUAL(sockaddr_parse((struct sockaddr *)&in, 0, &a), EINVAL);
	CU_ASSERT_EQUAL(sockaddr_parse((struct sockaddr *)&in, 15, &a), EINVAL);
	CU_ASSERT_EQUAL(sockaddr_parse((struct sockaddr *)&in6, sizeof in6, &a), EAFNOSUPPORT);
}

void
suite_sockaddr(void)
{
	CU_pSuite s = CU_add_suite("api/sockaddr", NULL, NULL);

	CU_add_test(s, "there and back", test_there_and_back);
	CU_add_test(s, "what is no address is refused", test_what_is_no_address_is_refused);
}
