/* SPDX-License-Identifier: BSD-3-Clause */
#include <CUnit/CUnit.h>

#include "test/base/memory.h"

void suite_region(void);

static void
test_pieces_are_aligned_and_apart(void)
{
	struct region mem = memory_new(256);
	uint8_t *a = region_take(&mem, 1), *b = region_take(&mem, 65);

	CU_ASSERT_PTR_EQUAL(a, mem.base);
	CU_ASSERT_PTR_EQUAL(b, mem.base + 64);
	CU_ASSERT_EQUAL(mem.used, 129);
	CU_ASSERT_PTR_EQUAL(region_take(&mem, 64), mem.base + 192);
	CU_ASSERT_PTR_NULL(region_take(&mem, 1));
	memory_free(&mem);
}

static void
test_too_much_is_refused_and_takes_nothing(void)
{
	struct region mem = memory_new(128);

	CU_ASSERT_PTR_NULL(region_take(&mem, 129));
	CU_ASSERT_PTR_NULL(region_take(&mem, SIZE_MAX));
	CU_ASSERT_EQUAL(mem.used, 0);
	CU_ASSERT_PTR_NOT_NULL(region_take(&mem, 128));
	memory_free(&mem);
}

static void
test_counting_tells_the_size_to_reserve(void)
{
	struct region counting = { 0 }, mem;
	static const size_t sizes[] = { 1, 64, 100, 3 };

	for (unsigned i = 0; i < array_len(sizes); i++)
		CU_ASSERT_PTR_NULL(region_take(&counting, sizes[i]));
	mem = memory_new(counting.used);
	for (unsigned i = 0; i < array_len(sizes); i++)
		CU_ASSERT_PTR_NOT_NULL(region_take(&mem, sizes[i]));
	CU_ASSERT_EQUAL(mem.used, counting.used);
	memory_free(&mem);
}

void
suite_region(void)
{
	CU_pSuite s = CU_add_suite("region", NULL, NULL);

	CU_add_test(s, "pieces are aligned and apart", test_pieces_are_aligned_and_apart);
	CU_add_test(s, "too much is refused and takes nothing",
	            test_too_much_is_refused_and_takes_nothing);
	CU_add_test(s, "counting tells the size to reserve",
	            test_counting_tells_the_size_to_reserve);
}
