/* SPDX-License-Identifier: BSD-3-Clause */
/* A head is known again when every byte of it is there, and only then. */
#include <CUnit/CUnit.h>
#include <string.h>

#include "apps/http_known.h"

static const char head[] = "GET /a HTTP/1.1\r\nHost: a.example\r\n\r\n";
#define LEN (sizeof(head) - 1)

static void
test_a_head_is_known_by_all_its_bytes(void)
{
	struct http_known k = {0};
	char text[sizeof(head) + 8];

	CU_ASSERT_FALSE(http_is_known(&k, head, LEN));
	CU_ASSERT_TRUE(http_know(&k, head, LEN));
	CU_ASSERT_TRUE(http_is_known(&k, head, LEN));
	for (size_t len = 0; len < LEN; len++)
		CU_ASSERT_FALSE(http_is_known(&k, head, len));
	for (size_t i = 0; i < LEN; i++) {
		memcpy(text, head, LEN);
		text[i] ^= 0x20;
		CU_ASSERT_FALSE(http_is_known(&k, text, LEN));
	}
}

static void
test_what_follows_a_known_head_does_not_matter(void)
{
	struct http_known k = {0};
	char text[sizeof(head) + 8];

	CU_ASSERT_TRUE(http_know(&k, head, LEN));
	memcpy(text, head, LEN);
	memcpy(text + LEN, "GET /b", 6);
	CU_ASSERT_TRUE(http_is_known(&k, text, LEN + 6));
}

static void
test_a_long_head_is_not_remembered(void)
{
	struct http_known k = {0};
	char text[HTTP_KNOWN_MAX + 1];

	memset(text, 'a', sizeof(text));
	CU_ASSERT_TRUE(http_know(&k, text, HTTP_KNOWN_MAX));
	CU_ASSERT_TRUE(http_is_known(&k, text, sizeof(text)));
	CU_ASSERT_FALSE(http_know(&k, text, sizeof(text)));
	CU_ASSERT_FALSE(http_is_known(&k, text, sizeof(text)));
}

static void
test_each_of_the_first_bytes_counts(void)
{
	char text[HTTP_KNOWN_KEY];
	uint32_t h;

	memcpy(text, head, sizeof(text));
	h = http_known_hash(text);
	CU_ASSERT_EQUAL(http_known_hash(head), h);
	for (size_t i = 0; i < sizeof(text); i++) {
		text[i] ^= 1;
		CU_ASSERT_NOT_EQUAL(http_known_hash(text), h);
		text[i] ^= 1;
	}
}

void suite_http_known(void);

void
suite_http_known(void)
{
	CU_pSuite s = CU_add_suite("http_known", NULL, NULL);

	CU_add_test(s, "a head is known by all its bytes", test_a_head_is_known_by_all_its_bytes);
	CU_add_test(s, "what follows a known head does not matter",
	            test_what_follows_a_known_head_does_not_matter);
	CU_add_test(s, "a long head is not remembered", test_a_long_head_is_not_remembered);
	CU_add_test(s, "each of the first bytes counts", test_each_of_the_first_bytes_counts);
}
