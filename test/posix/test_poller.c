/* SPDX-License-Identifier: BSD-3-Clause */
/* One wait for both sides. */
#include <CUnit/CUnit.h>
#include <errno.h>
#include <netinet/in.h>

#include "posix/poller.h"
#include "test/posix/two_sides.h"

void suite_poller(void);

static struct poller *
poller_of(struct posix *p)
{
	struct poller *po = poller_new(p, 2);

	CU_ASSERT_PTR_NOT_NULL_FATAL(po);
	return po;
}

static void
test_a_poller_is_two_epolls_and_a_bell(void)
{
	struct posix *p = two_sides(true);
	struct poller *po = poller_of(p);

	CU_ASSERT_STRING_EQUAL(two_sides_said(), "k.epoll() s.epoll() s.bell(0) k.ctl(3,1,99,1)");
	poller_delete(po);
	CU_ASSERT_STRING_EQUAL(two_sides_said(), "s.close(0) k.close(3)");
	CU_ASSERT_PTR_NULL(p->pollers);
	poller_delete(NULL);
	two_sides_end(p);
}

static void
test_a_poller_that_cannot_be_made_leaves_nothing(void)
{
	static const struct {
		const char *call, *said;
	} step[] = {
		{ "k.epoll", "k.epoll()" },
		{ "s.epoll", "k.epoll() s.epoll() k.close(3)" },
		{ "s.bell", "k.epoll() s.epoll() s.bell(0) s.close(0) k.close(3)" },
		{ "k.ctl", "k.epoll() s.epoll() s.bell(0) k.ctl(3,1,99,1) s.close(0) k.close(3)" },
	};

	for (unsigned i = 0; i < array_len(step); i++) {
		struct posix *p = two_sides(true);

		two_sides_refuse(step[i].call, EMFILE);
		CU_ASSERT_PTR_NULL(poller_new(p, 2));
		CU_ASSERT_STRING_EQUAL(two_sides_said(), step[i].said);
		two_sides_end(p);
	}
}

static void
test_without_a_stack_it_is_the_kernels_epoll(void)
{
	struct posix *p = two_sides(false);
	struct poller *po = poller_of(p);
	struct epoll_event ev[4];

	two_sides_kernel_finds(EPOLLIN, 5);
	CU_ASSERT_EQUAL(poller_ctl(po, EPOLL_CTL_ADD, 7, EPOLLIN | EPOLLEXCLUSIVE, 5), 0);
	CU_ASSERT_EQUAL(poller_wait(po, ev, 4, -1), 1);
	CU_ASSERT_EQUAL(ev[0].data.u64, 5);
	CU_ASSERT_STRING_EQUAL(two_sides_said(), "k.epoll() k.ctl(3,1,7,10000001) k.wait(3,-1)");
	CU_ASSERT_EQUAL(posix_take_stack(p, two_sides_ctx), 0);
	CU_ASSERT_STRING_EQUAL(two_sides_said(), "s.epoll() s.bell(0) k.ctl(3,1,99,1)");
	two_sides_end(p);
}

static void
test_what_only_the_kernel_knows_is_kept_from_the_stack(void)
{
	struct posix *p = two_sides(true);
	struct poller *po = poller_of(p);

	two_sides_said();
	CU_ASSERT_EQUAL(poller_ctl(po, EPOLL_CTL_ADD, FIRST + 4, EPOLLIN | EPOLLET | EPOLLEXCLUSIVE, 1), 0);
	CU_ASSERT_EQUAL(poller_ctl(po, EPOLL_CTL_MOD, FIRST + 4, EPOLLOUT, 1), 0);
	CU_ASSERT_STRING_EQUAL(two_sides_said(), "s.ctl(0,1,4,80000001) s.ctl(0,3,4,4)");
	two_sides_end(p);
}

static void
test_a_watch_moves_with_its_socket(void)
{
	struct posix *p = two_sides(true);
	struct poller *po = poller_of(p);
	int ours = posix_socket(p, AF_INET, SOCK_STREAM, 0), theirs = posix_socket(p, AF_INET, SOCK_STREAM, 0);
	struct sockaddr_storage near = two_sides_address("127.0.0.1", 80), far = two_sides_address("10.0.0.9", 80);

	two_sides_said();
	CU_ASSERT_EQUAL(poller_ctl(po, EPOLL_CTL_ADD, ours, EPOLLOUT, 8), 0);
	CU_ASSERT_EQUAL(poller_ctl(po, EPOLL_CTL_ADD, theirs, EPOLLOUT, 9), 0);
	errno = 0;
	CU_ASSERT_EQUAL(poller_ctl(po, EPOLL_CTL_ADD, theirs, EPOLLOUT, 9), -1);
	CU_ASSERT_EQUAL(errno, EEXIST);
	CU_ASSERT_STRING_EQUAL(two_sides_said(), "");
	CU_ASSERT_EQUAL(posix_connect(p, ours, (struct sockaddr *)&far, sizeof(struct sockaddr_in)), 0);
	CU_ASSERT_STRING_EQUAL(two_sides_said(), "s.socket(4) s.ctl(0,1,1,4) s.connect(1,10.0.0.9:80)");
	CU_ASSERT_EQUAL(posix_connect(p, theirs, (struct sockaddr *)&near, sizeof(struct sockaddr_in)), 0);
	CU_ASSERT_STRING_EQUAL(two_sides_said(), "k.ctl(3,1,5,4) k.connect(5,127.0.0.1:80)");
	two_sides_end(p);
}

static void
test_the_stack_is_asked_first(void)
{
	struct posix *p = two_sides(true);
	struct poller *po = poller_of(p);
	struct epoll_event ev[4];

	two_sides_said();
	two_sides_stack_finds(MTCP_EPOLLIN, 1);
	two_sides_stack_finds(MTCP_EPOLLOUT, 2);
	two_sides_stack_finds(MTCP_EPOLLIN, 3);
	CU_ASSERT_EQUAL(poller_wait(po, ev, 4, -1), 2);
	CU_ASSERT_EQUAL(ev[0].data.u64, 1);
	CU_ASSERT_EQUAL(ev[1].events, EPOLLOUT);
	CU_ASSERT_STRING_EQUAL(two_sides_said(), "s.wait(0)");
	CU_ASSERT_EQUAL(poller_wait(po, ev, 4, -1), 1);
	CU_ASSERT_EQUAL(ev[0].data.u64, 3);
	two_sides_end(p);
}

static void
test_a_busy_stack_does_not_hide_the_kernel(void)
{
	struct posix *p = two_sides(true);
	struct poller *po = poller_of(p);
	struct epoll_event ev[4];
	unsigned waits = 0, n = 0;

	two_sides_kernel_finds(EPOLLIN, (uintptr_t)po);
	two_sides_kernel_finds(EPOLLIN, 77);
	while (n < 2 && waits < 1000) {
		two_sides_stack_finds(MTCP_EPOLLIN, 1);
		n = (unsigned)poller_wait(po, ev, 4, -1);
		waits++;
	}
	CU_ASSERT_EQUAL(n, 2);
	CU_ASSERT_EQUAL(ev[1].data.u64, 77);
	CU_ASSERT_EQUAL(waits, 64);
	two_sides_end(p);
}

static void
test_the_bell_wakes_a_sleeper_and_is_not_told(void)
{
	struct posix *p = two_sides(true);
	struct poller *po = poller_of(p);
	struct epoll_event ev[4];

	two_sides_said();
	two_sides_kernel_finds(EPOLLIN, (uintptr_t)po);
	two_sides_kernel_finds(EPOLLIN, 77);
	CU_ASSERT_EQUAL(poller_wait(po, ev, 4, -1), 1);
	CU_ASSERT_EQUAL(ev[0].data.u64, 77);
	CU_ASSERT_STRING_EQUAL(two_sides_said(), "s.wait(0) k.wait(3,-1) s.wait(0)");
	two_sides_end(p);
}

static void
test_a_bell_for_nothing_is_slept_on(void)
{
	struct posix *p = two_sides(true);
	struct poller *po = poller_of(p);
	struct epoll_event ev[1];

	two_sides_said();
	two_sides_kernel_finds(EPOLLIN, (uintptr_t)po);
	two_sides_kernel_finds(EPOLLIN, 77);
	CU_ASSERT_EQUAL(poller_wait(po, ev, 1, -1), 1);
	CU_ASSERT_EQUAL(ev[0].data.u64, 77);
	CU_ASSERT_STRING_EQUAL(two_sides_said(), "s.wait(0) k.wait(3,-1) s.wait(0) s.wait(0) k.wait(3,-1)");
	two_sides_end(p);
}

static void
test_time_runs_out(void)
{
	struct posix *p = two_sides(true);
	struct poller *po = poller_of(p);
	struct epoll_event ev[1];

	two_sides_said();
	CU_ASSERT_EQUAL(poller_wait(po, ev, 1, 0), 0);
	CU_ASSERT_STRING_EQUAL(two_sides_said(), "s.wait(0) k.wait(3,0)");
	CU_ASSERT_EQUAL(poller_wait(po, ev, 1, 500000), 0);
	two_sides_end(p);
}

static void
test_signals_and_errors_are_told(void)
{
	struct posix *p = two_sides(true);
	struct poller *po = poller_of(p);
	struct epoll_event ev[1];

	two_sides_refuse("k.wait", EINTR);
	errno = 0;
	CU_ASSERT_EQUAL(poller_wait(po, ev, 1, -1), -1);
	CU_ASSERT_EQUAL(errno, EINTR);
	two_sides_refuse("s.wait", EINTR);
	errno = 0;
	CU_ASSERT_EQUAL(poller_wait(po, ev, 1, -1), -1);
	CU_ASSERT_EQUAL(errno, EINTR);
	errno = 0;
	CU_ASSERT_EQUAL(poller_wait(po, ev, 0, -1), -1);
	CU_ASSERT_EQUAL(errno, EINVAL);
	two_sides_end(p);
}

static void
test_a_poller_that_ends_is_forgotten_by_who_waits_for_a_side(void)
{
	struct posix *p = two_sides(true);
	struct poller *po = poller_of(p);
	int fd = posix_socket(p, AF_INET, SOCK_STREAM, 0);

	CU_ASSERT_EQUAL(poller_ctl(po, EPOLL_CTL_ADD, fd, EPOLLIN, 1), 0);
	poller_delete(po);
	two_sides_said();
	CU_ASSERT_EQUAL(posix_listen(p, fd, 1), 0);
	CU_ASSERT_STRING_EQUAL(two_sides_said(), "s.socket(4) s.listen(1,1)");
	two_sides_end(p);
}

void
suite_poller(void)
{
	CU_pSuite s = CU_add_suite("poller", NULL, NULL);

	CU_add_test(s, "a poller is two epolls and a bell", test_a_poller_is_two_epolls_and_a_bell);
	CU_add_test(s, "a poller that cannot be made leaves nothing",
	            test_a_poller_that_cannot_be_made_leaves_nothing);
	CU_add_test(s, "without a stack it is the kernel's epoll", test_without_a_stack_it_is_the_kernels_epoll);
	CU_add_test(s, "what only the kernel knows is kept from the stack",
	            test_what_only_the_kernel_knows_is_kept_from_the_stack);
	CU_add_test(s, "a watch moves with its socket", test_a_watch_moves_with_its_socket);
	CU_add_test(s, "the stack is asked first", test_the_stack_is_asked_first);
	CU_add_test(s, "a busy stack does not hide the kernel", test_a_busy_stack_does_not_hide_the_kernel);
	CU_add_test(s, "the bell wakes a sleeper and is not told",
	            test_the_bell_wakes_a_sleeper_and_is_not_told);
	CU_add_test(s, "a bell for nothing is slept on", test_a_bell_for_nothing_is_slept_on);
	CU_add_test(s, "time runs out", test_time_runs_out);
	CU_add_test(s, "signals and errors are told", test_signals_and_errors_are_told);
	CU_add_test(s, "a poller that ends is forgotten by who waits for a side",
	            test_a_poller_that_ends_is_forgotten_by_who_waits_for_a_side);
}
