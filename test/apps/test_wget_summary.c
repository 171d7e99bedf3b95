/* SPDX-License-Identifier: BSD-3-Clause */
/* What is printed at the end. */
#include <CUnit/CUnit.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "apps/wget_summary.h"
#include "test/apps/results.h"

/* What is written into memory; the caller frees it. */
static char *
summary_of(const struct result *r)
{
	char *text = NULL;
	size_t size;
	FILE *f = open_memstream(&text, &size);

	CU_ASSERT_PTR_NOT_NULL_FATAL(f);
	summary_print(f, r);
	fclose(f);
	CU_ASSERT_PTR_NOT_NULL_FATAL(text);
	return text;
}

static void
test_lines(void)
{
	struct result *r = small_result("a", 5000000);
	char *text;

	r->count[CONNECTIONS_STARTED] = 4;
	r->count[CONNECTIONS_GOOD] = 3;
	r->count[REQUESTS_NOT_STARTED] = 2;
	text = summary_of(r);
	CU_ASSERT_PTR_NOT_NULL(strstr(text, "epwget: 3 of 4 connections good, 3 responses"));
	CU_ASSERT_PTR_NOT_NULL(strstr(text, "requests/s       1.5\n"));
	CU_ASSERT_PTR_NOT_NULL(strstr(text, "max 5000.0\n"));
	CU_ASSERT_PTR_NOT_NULL(strstr(text, "failed           1: connection reset"));
	CU_ASSERT_PTR_NOT_NULL(strstr(text, "requests due     6, of them not started: 2"));
	free(text);
	result_free(r);
}

static void
test_closed(void)
{
	struct result *r = small_result("a", 5000000);
	char *text;

	r->machine[0].rate = 0;
	text = summary_of(r);
	CU_ASSERT_PTR_NULL(strstr(text, "due"));
	CU_ASSERT_PTR_NULL(strstr(text, "once sent"));
	free(text);
	result_free(r);
}

void suite_wget_summary(void);

void
suite_wget_summary(void)
{
	CU_pSuite s = CU_add_suite("wget_summary", NULL, NULL);

	CU_add_test(s, "rates, times and causes have their lines", test_lines);
	CU_add_test(s, "a closed loop has nothing that was due", test_closed);
}
