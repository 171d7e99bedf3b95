/* SPDX-License-Identifier: BSD-3-Clause */
/* Numbers and what is known of them. */
#include <CUnit/CUnit.h>
#include <errno.h>

#include "posix/fdtab.h"

void suite_fdtab(void);

static void
test_an_entry_is_found_until_it_is_taken_out(void)
{
	struct fdtab t = { { NULL } };
	int a, b;

	CU_ASSERT_PTR_NULL(fdtab_at(&t, 3));
	CU_ASSERT_EQUAL(fdtab_set(&t, 3, &a), 0);
	CU_ASSERT_EQUAL(fdtab_set(&t, 1024, &b), 0);
	CU_ASSERT_PTR_EQUAL(fdtab_at(&t, 3), &a);
	CU_ASSERT_PTR_EQUAL(fdtab_at(&t, 1024), &b);
	CU_ASSERT_PTR_NULL(fdtab_at(&t, 4));
	CU_ASSERT_EQUAL(fdtab_set(&t, 3, NULL), 0);
	CU_ASSERT_PTR_NULL(fdtab_at(&t, 3));
	fdtab_free(&t);
	CU_ASSERT_PTR_NULL(fdtab_at(&t, 1024));
}

static void
test_numbers_out_of_range_have_no_entry(void)
{
	struct fdtab t = { { NULL } };
	int a;

	CU_ASSERT_PTR_NULL(fdtab_at(&t, -1));
	CU_ASSERT_PTR_NULL(fdtab_at(&t, INT32_MAX));
	CU_ASSERT_EQUAL(fdtab_set(&t, -1, &a), -EMFILE);
	CU_ASSERT_EQUAL(fdtab_set(&t, FDTAB_PAGE * FDTAB_PAGES, &a), -EMFILE);
	CU_ASSERT_EQUAL(fdtab_set(&t, -1, NULL), 0);
	CU_ASSERT_EQUAL(fdtab_set(&t, FDTAB_PAGE * FDTAB_PAGES - 1, &a), 0);
	CU_ASSERT_PTR_EQUAL(fdtab_at(&t, FDTAB_PAGE * FDTAB_PAGES - 1), &a);
	fdtab_free(&t);
}

static void
test_a_walk_meets_every_entry_once(void)
{
	static const int at[] = { 0, 7, 1023, 1024, 5000, FDTAB_PAGE * FDTAB_PAGES - 1 };
	struct fdtab t = { { NULL } };
	unsigned met = 0;
	int x;

	CU_ASSERT_EQUAL(fdtab_next(&t, 0), -1);
	for (unsigned i = 0; i < array_len(at); i++)
		CU_ASSERT_EQUAL(fdtab_set(&t, at[i], &x), 0);
	for (int fd = -1; (fd = fdtab_next(&t, fd + 1)) >= 0; met++)
		CU_ASSERT_EQUAL(fd, at[met]);
	CU_ASSERT_EQUAL(met, array_len(at));
	fdtab_free(&t);
}

void
suite_fdtab(void)
{
	CU_pSuite s = CU_add_suite("fdtab", NULL, NULL);

	CU_add_test(s, "an entry is found until it is taken out",
	            test_an_entry_is_found_until_it_is_taken_out);
	CU_add_test(s, "numbers out of range have no entry", test_numbers_out_of_range_have_no_entry);
	CU_add_test(s, "a walk meets every entry once", test_a_walk_meets_every_entry_once);
}
