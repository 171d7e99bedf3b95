/* SPDX-License-Identifier: BSD-3-Clause */
/* The page is whole, needs nothing else, and quotes what is not ours. */
#include <CUnit/CUnit.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "apps/wget_report.h"
#include "apps/wget_svg.h"
#include "test/apps/results.h"

/* What is written into memory; the caller frees it. */
static char *
report_of(const struct result *r)
{
	char *text = NULL;
	size_t size;
	FILE *f = open_memstream(&text, &size);

	CU_ASSERT_PTR_NOT_NULL_FATAL(f);
	CU_ASSERT_TRUE(result_write_report(f, r));
	fclose(f);
	CU_ASSERT_PTR_NOT_NULL_FATAL(text);
	return text;
}

static void
test_whole(void)
{
	struct result *r = small_result("a<b>", 5000000);
	char *text = report_of(r), *at = text;
	int charts = 0;

	while ((at = strstr(at, "</svg>"))) {
		charts++;
		at++;
	}
	CU_ASSERT_EQUAL(charts, 3 * SVG_SIZES);
	CU_ASSERT_PTR_NOT_NULL(strstr(text, "connection reset"));
	CU_ASSERT_PTR_NOT_NULL(strstr(text, "</html>"));
	CU_ASSERT_PTR_NULL(strstr(text, "nan"));
	CU_ASSERT_PTR_NULL(strstr(text, "inf"));
	free(text);
	result_free(r);
}

static void
test_quoted(void)
{
	struct result *r = small_result("a<b>", 5000000);
	char *text = report_of(r);

	CU_ASSERT_PTR_NOT_NULL(strstr(text, "10.0.0.2/&lt;&amp;&quot;&gt;"));
	CU_ASSERT_PTR_NOT_NULL(strstr(text, "a&lt;b&gt;"));
	CU_ASSERT_PTR_NULL(strstr(text, "a<b>"));
	CU_ASSERT_PTR_NULL(strstr(text, "src="));
	CU_ASSERT_PTR_NULL(strstr(text, "href="));
	CU_ASSERT_PTR_NULL(strstr(text, "url("));
	CU_ASSERT_PTR_NULL(strstr(text, "<script"));
	free(text);
	result_free(r);
}

static void
test_empty(void)
{
	struct result *r = result_new();
	char *text;

	CU_ASSERT_PTR_NOT_NULL_FATAL(r);
	text = report_of(r);
	CU_ASSERT_PTR_NOT_NULL(strstr(text, "</html>"));
	CU_ASSERT_PTR_NULL(strstr(text, "nan"));
	CU_ASSERT_PTR_NULL(strstr(text, "inf"));
	free(text);
	result_free(r);
}

/* A run that had ended before its first second was over, in which nothing came back. */
static void
test_failed(void)
{
	struct result *r = result_new();
	char *text;

	CU_ASSERT_PTR_NOT_NULL_FATAL(r);
	r->elapsed_ns = 4000000;
	r->count[REQUESTS_FAILED] = r->failures[REFUSED] = 1234567;
	series_at(&r->series, 0)->failed = 1234567;
	text = report_of(r);
	CU_ASSERT_PTR_NOT_NULL(strstr(text, "connection refused"));
	CU_ASSERT_PTR_NOT_NULL(strstr(text, "1&#8239;234&#8239;567"));
	CU_ASSERT_PTR_NOT_NULL(strstr(text, "p50</span><b>–</b>"));
	CU_ASSERT_PTR_NOT_NULL(strstr(text, ">4 ms<"));
	CU_ASSERT_PTR_NULL(strstr(text, "Responses by the time"));
	free(text);
	result_free(r);
}

static void
test_sum(void)
{
	struct result *r = small_result("a", 5000000), *other = small_result("b", 6000000);
	char *text;

	snprintf(other->machine[0].url, sizeof(other->machine[0].url), "10.0.0.3/");
	CU_ASSERT_TRUE(result_add(r, other));
	text = report_of(r);
	CU_ASSERT_PTR_NOT_NULL(strstr(text, "and others, "));
	CU_ASSERT_PTR_NOT_NULL(strstr(text, "10.0.0.3/"));
	CU_ASSERT_PTR_NOT_NULL(strstr(text, "once sent"));
	CU_ASSERT_PTR_NOT_NULL(strstr(text, "2 machines"));
	free(text);
	result_free(other);
	result_free(r);
}

static void
test_full(void)
{
	struct result *r = result_new();
	char *text;

	CU_ASSERT_PTR_NOT_NULL_FATAL(r);
	r->elapsed_ns = SERIES_MAX * SERIES_SHORTEST_NS;
	for (unsigned i = 0; i < SERIES_MAX; i += 2) {
		struct interval *at = series_at(&r->series, i * SERIES_SHORTEST_NS);

		at->completed++;
		latency_add(&at->response, INT64_MAX);
		latency_add(&r->latency[RESPONSE], INT64_MAX);
	}
	text = report_of(r);
	CU_ASSERT_PTR_NOT_NULL(strstr(text, "</html>"));
	free(text);
	result_free(r);
}

void suite_wget_report(void);

void
suite_wget_report(void)
{
	CU_pSuite s = CU_add_suite("wget_report", NULL, NULL);

	CU_add_test(s, "a page has its charts and tables", test_whole);
	CU_add_test(s, "names and URLs are text, never markup, and nothing is loaded",
	            test_quoted);
	CU_add_test(s, "a run without any response has a page too", test_empty);
	CU_add_test(s, "where nothing came back there is no chart of times", test_failed);
	CU_add_test(s, "a sum names what is not the same for all machines", test_sum);
	CU_add_test(s, "a page of the longest run is drawn", test_full);
}
