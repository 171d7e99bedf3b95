/* SPDX-License-Identifier: BSD-3-Clause */
/* Causes have names, and an errno has a cause. */
#include <CUnit/CUnit.h>
#include <errno.h>
#include <string.h>

#include "apps/wget_failure.h"

static void
test_each_has_a_name_of_its_own(void)
{
	for (int i = 0; i < FAILURES; i++) {
		CU_ASSERT_TRUE(strlen(failure_text((enum failure)i)) > 0);
		for (int j = 0; j < i; j++)
			CU_ASSERT_STRING_NOT_EQUAL(failure_key((enum failure)i),
			                           failure_key((enum failure)j));
	}
}

static void
test_a_reset_of_a_syn_is_a_refusal(void)
{
	CU_ASSERT_EQUAL(failure_of_errno(ECONNRESET, true), REFUSED);
	CU_ASSERT_EQUAL(failure_of_errno(ECONNRESET, false), RESET);
	CU_ASSERT_EQUAL(failure_of_errno(ETIMEDOUT, true), CONNECT_TIMEOUT);
	CU_ASSERT_EQUAL(failure_of_errno(ETIMEDOUT, false), SILENT);
	CU_ASSERT_EQUAL(failure_of_errno(ENETUNREACH, true), UNREACHABLE);
	CU_ASSERT_EQUAL(failure_of_errno(EDOM, true), OTHER);
}

void suite_wget_failure(void);

void
suite_wget_failure(void)
{
	CU_pSuite s = CU_add_suite("wget_failure", NULL, NULL);

	CU_add_test(s, "each cause has a text and a name of its own",
	            test_each_has_a_name_of_its_own);
	CU_add_test(s, "a reset while connecting is a refusal, later it is a reset",
	            test_a_reset_of_a_syn_is_a_refusal);
}
