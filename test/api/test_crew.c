/* SPDX-License-Identifier: BSD-3-Clause */
/* Bells that ring once for each wake-up, and a hall of the right size. */
#include <CUnit/CUnit.h>

#include <errno.h>
#include <poll.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "api/crew.h"

void suite_crew(void);

static bool
rings(int ep)
{
	struct epoll_event ev;

	return epoll_wait(ep, &ev, 1, 0) == 1;
}

static void
test_a_bell_rings_for_its_core_only(void)
{
	struct epoll_event ev = { .events = EPOLLIN | EPOLLET };
	struct crew *c = NULL;
	int ep[3];

	CU_ASSERT_EQUAL_FATAL(crew_new(3, &c), 0);
	for (unsigned i = 0; i < 3; i++) {
		ep[i] = epoll_create1(EPOLL_CLOEXEC);
		CU_ASSERT_EQUAL(epoll_ctl(ep[i], EPOLL_CTL_ADD, crew_bell(c, i), &ev), 0);
	}
	crew_wake(c, 5);
	CU_ASSERT_TRUE(rings(ep[0]) && !rings(ep[1]) && rings(ep[2]));
	CU_ASSERT_FALSE(rings(ep[0])); /* heard, though nobody has read it */
	crew_wake(c, 1);
	CU_ASSERT_TRUE(rings(ep[0]));
	crew_wake(c, 0);
	CU_ASSERT_FALSE(rings(ep[0]) || rings(ep[1]) || rings(ep[2]));
	for (unsigned i = 0; i < 3; i++)
		close(ep[i]);
	crew_free(c);
}

static void
test_the_end_is_said_once_for_all(void)
{
	struct crew *c = NULL;

	CU_ASSERT_EQUAL_FATAL(crew_new(2, &c), 0);
	CU_ASSERT_EQUAL(crew_hall(c)->cores, 2);
	CU_ASSERT_FALSE(crew_ends(c));
	crew_end(c);
	CU_ASSERT_TRUE(crew_ends(c));
	crew_free(c);
}

static void
test_as_many_as_there_may_be(void)
{
	struct crew *c = NULL;

	CU_ASSERT_EQUAL_FATAL(crew_new(HALL_CORES_MAX, &c), 0);
	CU_ASSERT_TRUE(crew_bell(c, HALL_CORES_MAX - 1) >= 0);
	crew_free(c);
	CU_ASSERT_EQUAL(crew_new(HALL_CORES_MAX + 1, &c), -EINVAL);
	crew_free(NULL);
}

void
suite_crew(void)
{
	CU_pSuite s = CU_add_suite("api/crew", NULL, NULL);

	CU_add_test(s, "a bell rings for its core only", test_a_bell_rings_for_its_core_only);
	CU_add_test(s, "the end is said once for all", test_the_end_is_said_once_for_all);
	CU_add_test(s, "as many as there may be", test_as_many_as_there_may_be);
}
