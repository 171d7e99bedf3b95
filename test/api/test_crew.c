/* SPDX-License-Identifier: BSD-3-Clause */
/* Bells that ring once for each wake-up, and a hall of the right size. */
#include <CUnit/CUnit.h>

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/wait.h>
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

/* -- several processes ------------------------------------------------------- */

static struct crew_plan
plan_of(const char *name, int place)
{
	return (struct crew_plan){
		.name = name, .processes = 2, .place = place, .cores = 2, .frame = 1518,
	};
}

/* A child whose cores run; it wakes core 1 of its parent once and waits for its end. */
static pid_t
other_start(const char *name, int said[2])
{
	struct crew_plan plan = plan_of(name, 1);
	struct crew *c = NULL;
	char err[256], ok = 'y';
	pid_t pid = fork();

	if (pid != 0)
		return pid;
	if (crew_join(&plan, &c, err, sizeof err) || crew_first(c) != 2)
		ok = 'n';
	else {
		hall_enter(crew_hall(c), 2, HALL_RUNS);
		hall_enter(crew_hall(c), 3, HALL_RUNS);
		crew_wake(c, 1 << 1);
	}
	(void)!write(said[1], &ok, 1);
	for (;;)
		pause();
}

static void
test_who_was_killed_is_buried(void)
{
	struct epoll_event ev = { .events = EPOLLIN | EPOLLET };
	struct crew_plan plan;
	struct crew *c = NULL;
	char name[32], err[256], ok = 0;
	int said[2], ep[2];
	pid_t pid;

	snprintf(name, sizeof name, "crew-%d", (int)getpid());
	plan = plan_of(name, 0);
	CU_ASSERT_EQUAL_FATAL(crew_join(&plan, &c, err, sizeof err), 0);
	CU_ASSERT_TRUE(crew_first(c) == 0 && crew_hall(c)->cores == 4);
	for (unsigned i = 0; i < 2; i++) {
		ep[i] = epoll_create1(EPOLL_CLOEXEC);
		CU_ASSERT_EQUAL(epoll_ctl(ep[i], EPOLL_CTL_ADD, crew_bell(c, i), &ev), 0);
	}
	CU_ASSERT_EQUAL_FATAL(pipe(said), 0);
	pid = other_start(name, said);
	CU_ASSERT_TRUE(read(said[0], &ok, 1) == 1 && ok == 'y');
	CU_ASSERT_TRUE(!rings(ep[0]) && rings(ep[1]));
	crew_hush(c, 1);
	crew_look(c);
	CU_ASSERT_EQUAL(hall_state(crew_hall(c), 2), HALL_RUNS);
	kill(pid, SIGKILL);
	(void)waitpid(pid, NULL, 0);
	crew_look(c);
	CU_ASSERT_EQUAL(hall_state(crew_hall(c), 2), HALL_GONE);
	CU_ASSERT_EQUAL(hall_state(crew_hall(c), 3), HALL_GONE);
	CU_ASSERT_TRUE(rings(ep[0]) && rings(ep[1])); /* to look after what it had */
	CU_ASSERT_TRUE(crew_period(c) > 0 && crew_period(c) < MS(100));
	for (unsigned i = 0; i < 2; i++) {
		close(ep[i]);
		close(said[i]);
	}
	crew_free(c);
}

void
suite_crew(void)
{
	CU_pSuite s = CU_add_suite("api/crew", NULL, NULL);

	CU_add_test(s, "a bell rings for its core only", test_a_bell_rings_for_its_core_only);
	CU_add_test(s, "the end is said once for all", test_the_end_is_said_once_for_all);
	CU_add_test(s, "as many as there may be", test_as_many_as_there_may_be);
	CU_add_test(s, "who was killed is buried", test_who_was_killed_is_buried);
}
