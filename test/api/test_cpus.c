/* SPDX-License-Identifier: BSD-3-Clause */
/* Cores on CPUs. */
#include <CUnit/CUnit.h>

#include <errno.h>
#include <sched.h>

#include "api/cpus.h"

void suite_cpus(void);

static void
test_cores_are_dealt_in_turn(void)
{
	struct cpus c = { .n = 3, .cpu = { 2, 5, 7 } };

	CU_ASSERT_EQUAL(cpus_of_core(&c, 0, 0), 2);
	CU_ASSERT_EQUAL(cpus_of_core(&c, 2, 0), 7);
	CU_ASSERT_EQUAL(cpus_of_core(&c, 3, 0), 2);
	CU_ASSERT_EQUAL(cpus_of_core(&c, 0, 1), 5);
	CU_ASSERT_EQUAL(cpus_of_core(&c, 2, 1), 2);
	CU_ASSERT_EQUAL(cpus_of_core(&c, 0, -1), 7);
	CU_ASSERT_EQUAL(cpus_of_core(&c, 1, -64), 2);
}

static void
test_the_mask_chooses(void)
{
	struct cpus all = { .n = 4, .cpu = { 0, 3, 5, 70 } }, c;

	cpus_choose(&c, &all, 0x28);
	CU_ASSERT_EQUAL(c.n, 2);
	CU_ASSERT(c.cpu[0] == 3 && c.cpu[1] == 5);
	cpus_choose(&c, &all, 0);
	CU_ASSERT_EQUAL(c.n, 4);
	cpus_choose(&c, &all, 0x2);
	CU_ASSERT_EQUAL(c.n, 4);
}

static void
test_a_thread_is_bound(void)
{
	struct cpus c;
	cpu_set_t before, now;

	CU_ASSERT_EQUAL(sched_getaffinity(0, sizeof before, &before), 0);
	cpus_find(&c);
	CU_ASSERT_FATAL(c.n >= 1);
	CU_ASSERT_EQUAL(cpus_bind(c.cpu[0]), 0);
	CU_ASSERT_EQUAL(sched_getaffinity(0, sizeof now, &now), 0);
	CU_ASSERT_EQUAL(CPU_COUNT(&now), 1);
	CU_ASSERT(CPU_ISSET((unsigned)c.cpu[0], &now));
	CU_ASSERT_EQUAL(cpus_bind(1000), -EINVAL);
	CU_ASSERT_EQUAL(sched_setaffinity(0, sizeof before, &before), 0);
}

void
suite_cpus(void)
{
	CU_pSuite s = CU_add_suite("api/cpus", NULL, NULL);

	CU_add_test(s, "cores are dealt in turn", test_cores_are_dealt_in_turn);
	CU_add_test(s, "the mask chooses", test_the_mask_chooses);
	CU_add_test(s, "a thread is bound", test_a_thread_is_bound);
}
