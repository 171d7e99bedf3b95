/* SPDX-License-Identifier: BSD-3-Clause */
/* Axes with round numbers, and charts that stay inside. */
#include <CUnit/CUnit.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "apps/wget_svg.h"

static void
test_units(void)
{
	char t[UNIT_TEXT_MAX];

	CU_ASSERT_STRING_EQUAL(unit_text(t, UNIT_COUNT, 0), "0");
	CU_ASSERT_STRING_EQUAL(unit_text(t, UNIT_COUNT, 999), "999");
	CU_ASSERT_STRING_EQUAL(unit_text(t, UNIT_COUNT, 12345), "12.3k");
	CU_ASSERT_STRING_EQUAL(unit_text(t, UNIT_COUNT, 999900), "1M");
	CU_ASSERT_STRING_EQUAL(unit_text(t, UNIT_NS, 999.7), "1 µs");
	CU_ASSERT_STRING_EQUAL(unit_text(t, UNIT_NS, 45600), "45.6 µs");
	CU_ASSERT_STRING_EQUAL(unit_text(t, UNIT_NS, 2e9), "2 s");
	CU_ASSERT_STRING_EQUAL(unit_text(t, UNIT_NS, 1e12), "1000 s");
	CU_ASSERT_STRING_EQUAL(unit_text(t, UNIT_SECONDS, 0), "0 s");
	CU_ASSERT_STRING_EQUAL(unit_text(t, UNIT_SECONDS, 0.02), "20 ms");
	CU_ASSERT_STRING_EQUAL(unit_text(t, UNIT_SECONDS, 3600), "3600 s");
}

static void
test_axes(void)
{
	for (double max = 1e-3; max < 1e12; max *= 1.37) {
		struct svg_axis a = svg_linear(UNIT_COUNT, max);

		CU_ASSERT_TRUE(a.to >= max * (1 - 1e-6) && a.to <= max * 2.01);
		CU_ASSERT_TRUE(a.to / a.step < 11);
	}
	for (double min = 1; min < 1e12; min *= 1.7) {
		struct svg_axis a = svg_log(UNIT_NS, min, min * 3);

		CU_ASSERT_TRUE(a.from <= min * (1 + 1e-9) && a.to >= min * 3 * (1 - 1e-9));
		CU_ASSERT_TRUE(a.from < a.to);
	}
	CU_ASSERT_EQUAL(svg_linear(UNIT_COUNT, 0).to, 1);
	CU_ASSERT_EQUAL(svg_log(UNIT_NS, 10, 10).to, 100);
}

static void
test_gaps(void)
{
	const double x[] = { 0, 1, 2, 3 }, y[] = { 1, NAN, 3, 4 };
	char *text = NULL;
	size_t size;
	FILE *f = open_memstream(&text, &size);
	struct svg s;

	CU_ASSERT_PTR_NOT_NULL_FATAL(f);
	svg_open(&s, f, SVG_LARGE, "x", svg_linear(UNIT_SECONDS, 4), svg_linear(UNIT_COUNT, 4));
	svg_line(&s, "a", x, y, 4);
	svg_close(&s);
	fclose(f);
	CU_ASSERT_PTR_NULL(strstr(text, "nan"));
	CU_ASSERT_PTR_NOT_NULL(strstr(text, "d=\"M64.0 174.5M418.0 67.5L595.0 14.0\""));
	free(text);
}

/* How many ticks the x axis of a chart of this size has. */
static int
x_ticks(enum svg_size size, struct svg_axis x)
{
	char *text = NULL, *at;
	size_t len;
	FILE *f = open_memstream(&text, &len);
	struct svg s;
	int n = 0;

	CU_ASSERT_PTR_NOT_NULL_FATAL(f);
	svg_open(&s, f, size, "x", x, svg_linear(UNIT_COUNT, 1));
	svg_close(&s);
	fclose(f);
	for (at = text; (at = strstr(at, "text-anchor=\"middle\"")); at++)
		n++;
	free(text);
	return n;
}

static void
test_small(void)
{
	CU_ASSERT_EQUAL(x_ticks(SVG_LARGE, svg_linear(UNIT_SECONDS, 16)), 9);
	CU_ASSERT_EQUAL(x_ticks(SVG_SMALL, svg_linear(UNIT_SECONDS, 16)), 5);
	CU_ASSERT_EQUAL(x_ticks(SVG_LARGE, svg_log(UNIT_NS, 1000, 9e9)), 8);
	CU_ASSERT_EQUAL(x_ticks(SVG_SMALL, svg_log(UNIT_NS, 1000, 9e9)), 4);
	CU_ASSERT_EQUAL(x_ticks(SVG_LARGE, svg_linear(UNIT_SECONDS, 0.123)), 7);
}

void suite_wget_svg(void);

void
suite_wget_svg(void)
{
	CU_pSuite s = CU_add_suite("wget_svg", NULL, NULL);

	CU_add_test(s, "numbers are short and have their unit", test_units);
	CU_add_test(s, "axes end at round numbers and include what they should", test_axes);
	CU_add_test(s, "a small chart has fewer ticks", test_small);
	CU_add_test(s, "a line has a gap where there is no value", test_gaps);
}
