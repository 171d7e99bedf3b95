/* SPDX-License-Identifier: BSD-3-Clause */
/* All that was asked before is said once the side is known. */
#include <CUnit/CUnit.h>
#include <errno.h>
#include <netinet/in.h>

#include "posix/poller.h"
#include "posix/settle.h"
#include "test/posix/two_sides.h"

void suite_settle(void);

/* A socket with an option, a local port and a watch. */
static struct intent *
wishes(struct posix *p, int fd)
{
	struct sockaddr_storage a = two_sides_address("0.0.0.0", 99);
	int v = 3;

	CU_ASSERT_EQUAL(posix_setsockopt(p, fd, 6, 1, &v, sizeof v), 0);
	CU_ASSERT_EQUAL(posix_bind(p, fd, (struct sockaddr *)&a, sizeof(struct sockaddr_in)), 0);
	CU_ASSERT_EQUAL(poller_ctl(p->pollers, EPOLL_CTL_ADD, fd, EPOLLIN, 42), 0);
	two_sides_said();
	return fdtab_at(&p->fds, fd);
}

static void
test_the_stack_hears_all(void)
{
	struct posix *p = two_sides(true);
	struct poller *po = poller_new(p, 8);
	int fd = posix_socket(p, AF_INET, SOCK_STREAM, 0);
	struct intent *it = wishes(p, fd);

	CU_ASSERT_PTR_NOT_NULL_FATAL(po);
	CU_ASSERT_EQUAL(settle_with_stack(p, fd, it), 0);
	CU_ASSERT_STRING_EQUAL(two_sides_said(), "s.socket(4) s.setsockopt(1,6,1,3) s.bind(1,0.0.0.0:99) "
	                       "s.ctl(0,1,1,1)");
	CU_ASSERT_EQUAL(posix_sockid(p, fd), 1);
	CU_ASSERT_PTR_NULL(it->options);
	CU_ASSERT_PTR_NULL(it->watches);
	two_sides_end(p);
}

static void
test_the_kernel_hears_what_it_does_not_know(void)
{
	struct posix *p = two_sides(true);
	struct poller *po = poller_new(p, 8);
	int fd = posix_socket(p, AF_INET, SOCK_STREAM, 0);

	CU_ASSERT_PTR_NOT_NULL_FATAL(po);
	CU_ASSERT_EQUAL(settle_with_kernel(p, fd, wishes(p, fd)), 0);
	CU_ASSERT_STRING_EQUAL(two_sides_said(), "k.bind(4,0.0.0.0:99) k.ctl(3,1,4,1)");
	CU_ASSERT_PTR_NULL(fdtab_at(&p->fds, fd));
	two_sides_end(p);
}

static void
test_a_refusal_of_the_stack_changes_nothing(void)
{
	static const char *const step[] = { "s.socket", "s.bind", "s.ctl" };
	struct posix *p = two_sides(true);
	struct poller *po = poller_new(p, 8);
	int fd = posix_socket(p, AF_INET, SOCK_STREAM, 0);
	struct intent *it = wishes(p, fd);

	CU_ASSERT_PTR_NOT_NULL_FATAL(po);
	for (unsigned i = 0; i < array_len(step); i++) {
		two_sides_refuse(step[i], ENOMEM);
		errno = 0;
		CU_ASSERT_EQUAL(settle_with_stack(p, fd, it), -1);
		CU_ASSERT_EQUAL(errno, ENOMEM);
		CU_ASSERT_EQUAL(it->side, INTENT_OPEN);
		CU_ASSERT_PTR_NOT_NULL(it->options);
		CU_ASSERT_PTR_NOT_NULL(it->watches);
	}
	two_sides_said();
	CU_ASSERT_EQUAL(settle_with_stack(p, fd, it), 0);
	two_sides_end(p);
}

void
suite_settle(void)
{
	CU_pSuite s = CU_add_suite("settle", NULL, NULL);

	CU_add_test(s, "the stack hears all", test_the_stack_hears_all);
	CU_add_test(s, "the kernel hears what it does not know", test_the_kernel_hears_what_it_does_not_know);
	CU_add_test(s, "a refusal of the stack changes nothing", test_a_refusal_of_the_stack_changes_nothing);
}
