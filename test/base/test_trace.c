/* SPDX-License-Identifier: BSD-3-Clause */
#include <CUnit/CUnit.h>

#include "base/trace.h"
#include "test/base/memory.h"

void suite_trace(void);

static void
test_a_record_is_read_as_a_line(void)
{
	struct region mem = memory_new(4096);
	struct trace t;
	char line[100];

	CU_ASSERT_TRUE(trace_init(&t, &mem, 4));
	trace_add(&t, SEC(12) + 345, 17, T_RTO, 200000, 2);
	trace_add(&t, MS(1), UINT32_MAX, T_KEEPALIVE, 3, 0);
	CU_ASSERT_TRUE(trace_line(&t, 0, line, sizeof line));
	CU_ASSERT_STRING_EQUAL(line, "12.000000345 conn 17 T_RTO rto_us=200000 retries=2");
	CU_ASSERT_TRUE(trace_line(&t, 1, line, sizeof line));
	CU_ASSERT_STRING_EQUAL(line, "0.001000000 T_KEEPALIVE probes=3");
	CU_ASSERT_FALSE(trace_line(&t, 2, line, sizeof line));
	memory_free(&mem);
}

static void
test_the_oldest_records_give_way(void)
{
	struct region mem = memory_new(4096);
	struct trace t;
	char line[100];

	CU_ASSERT_TRUE(trace_init(&t, &mem, 3)); /* rounded up to 4 */
	for (uint32_t i = 0; i < 10; i++)
		trace_add(&t, i, i, T_NONE, 0, 0);
	CU_ASSERT_TRUE(trace_line(&t, 0, line, sizeof line));
	CU_ASSERT_STRING_EQUAL(line, "0.000000006 conn 6 T_NONE");
	CU_ASSERT_TRUE(trace_line(&t, 3, line, sizeof line));
	CU_ASSERT_STRING_EQUAL(line, "0.000000009 conn 9 T_NONE");
	CU_ASSERT_FALSE(trace_line(&t, 4, line, sizeof line));
	memory_free(&mem);
}

static void
test_recording_can_be_off(void)
{
	struct region mem = memory_new(64);
	struct trace t, zeroed = { 0 };
	char line[10];

	CU_ASSERT_TRUE(trace_init(&t, &mem, 0));
	CU_ASSERT_EQUAL(mem.used, 0);
	trace_add(&t, 1, 2, T_FATE, 3, 4);
	trace_add(&zeroed, 1, 2, T_FATE, 3, 4);
	CU_ASSERT_FALSE(trace_line(&t, 0, line, sizeof line));
	CU_ASSERT_FALSE(trace_line(&zeroed, 0, line, sizeof line));
	CU_ASSERT_FALSE(trace_init(&t, &mem, 1000));
	trace_add(&t, 1, 2, T_FATE, 3, 4);
	memory_free(&mem);
}

/* Whatever stands in the ring, whatever the room. */
static void
test_any_bytes_make_a_line_that_fits(void)
{
	struct region mem = memory_new(4096);
	struct trace t;
	char line[120];

	CU_ASSERT_TRUE(trace_init(&t, &mem, 2));
	trace_add(&t, -SEC(3) - 5, 1, T_OPEN, UINT32_MAX, UINT32_MAX);
	trace_add(&t, INT64_MIN, UINT32_MAX - 1, (enum trace_event)77777, UINT32_MAX, 1);
	for (uint32_t i = 0; i < 2; i++)
		for (size_t size = 1; size < sizeof line; size++) {
			memset(line, 'x', sizeof line);
			CU_ASSERT_TRUE(trace_line(&t, i, line, size));
			CU_ASSERT_TRUE(memchr(line, 0, size) != NULL);
			CU_ASSERT_EQUAL(line[size], 'x');
		}
	CU_ASSERT_FALSE(trace_line(&t, 0, line, 0));
	CU_ASSERT_TRUE(trace_line(&t, 1, line, sizeof line));
	CU_ASSERT_STRING_EQUAL(
	    line, "-9223372036.854775808 conn 4294967294 event 77777 4294967295 1");
	memory_free(&mem);
}

void
suite_trace(void)
{
	CU_pSuite s = CU_add_suite("trace", NULL, NULL);

	CU_add_test(s, "a record is read as a line", test_a_record_is_read_as_a_line);
	CU_add_test(s, "the oldest records give way", test_the_oldest_records_give_way);
	CU_add_test(s, "recording can be off", test_recording_can_be_off);
	CU_add_test(s, "any bytes make a line that fits", test_any_bytes_make_a_line_that_fits);
}
