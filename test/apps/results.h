/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once
/*
 * A result that tests of epwget's output share.
 */
#include <CUnit/CUnit.h>
#include <stdio.h>

#include "apps/wget_result.h"

/* What a small run may have shown. */
static inline struct result *
small_result(const char *host, int64_t slowest_ns)
{
	struct result *r = result_new();

	CU_ASSERT_PTR_NOT_NULL_FATAL(r);
	r->machines = 1;
	snprintf(r->machine[0].host, sizeof(r->machine[0].host), "%s", host);
	snprintf(r->machine[0].url, sizeof(r->machine[0].url), "10.0.0.2/<&\">");
	r->machine[0].rate = 100;
	r->machine[0].duration_s = 2;
	r->elapsed_ns = 2000000000;
	r->count[REQUESTS_STARTED] = 4;
	r->count[REQUESTS_COMPLETED] = 3;
	r->count[REQUESTS_FAILED] = r->failures[RESET] = 1;
	r->count[BYTES_READ] = 3000;
	for (int64_t i = 0; i < 3; i++) {
		int64_t ns = i < 2 ? 1000 * (i + 1) : slowest_ns;
		struct interval *at = series_at(&r->series, i * 500000000);

		latency_add(&r->latency[RESPONSE], ns);
		latency_add(&r->latency[SERVICE], ns / 2);
		at->completed++;
		latency_add(&at->response, ns);
	}
	series_at(&r->series, 1)->failed++;
	return r;
}
