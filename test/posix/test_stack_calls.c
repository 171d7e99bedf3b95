/* SPDX-License-Identifier: BSD-3-Clause */
/* The library's calls as a table. */
#include <CUnit/CUnit.h>
#include <string.h>

#include "posix/stack_calls.h"

void suite_stack_calls(void);

static void
test_no_call_is_missing(void)
{
	void *word[sizeof stack_calls_mtcp / sizeof(void *)];

	memcpy(word, &stack_calls_mtcp, sizeof word);
	for (size_t i = 0; i < sizeof word / sizeof word[0]; i++)
		CU_ASSERT_PTR_NOT_NULL(word[i]);
}

static void
test_the_calls_are_the_librarys(void)
{
	/* Without a context each says so, in its own way. */
	CU_ASSERT_EQUAL(stack_calls_mtcp.socket(NULL, AF_INET, SOCK_STREAM, 0), -1);
	CU_ASSERT_EQUAL(stack_calls_mtcp.epoll_create1(NULL, 0), -1);
	CU_ASSERT_EQUAL(stack_calls_mtcp.close(NULL, 0), -1);
}

void
suite_stack_calls(void)
{
	CU_pSuite s = CU_add_suite("stack_calls", NULL, NULL);

	CU_add_test(s, "no call is missing", test_no_call_is_missing);
	CU_add_test(s, "the calls are the library's", test_the_calls_are_the_librarys);
}
