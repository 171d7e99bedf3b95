/* SPDX-License-Identifier: BSD-3-Clause */
/* Data and options go where the number belongs. */
#include <CUnit/CUnit.h>
#include <errno.h>
#include <netinet/in.h>
#include <sys/ioctl.h>

#include "test/posix/two_sides.h"

void suite_posix_io(void);

static void
say_all(struct posix *p, int fd)
{
	struct iovec iov[2] = { { NULL, 0 } };
	struct msghdr msg = { 0 };
	struct sockaddr_storage a;
	socklen_t len = sizeof a;
	char buf[8] = "";
	int v = 1;

	CU_ASSERT_EQUAL(posix_recv(p, fd, buf, 5, MSG_PEEK), 5);
	CU_ASSERT_EQUAL(posix_send(p, fd, buf, 6, 0), 6);
	CU_ASSERT_EQUAL(posix_readv(p, fd, iov, 2), 0);
	CU_ASSERT_EQUAL(posix_writev(p, fd, iov, 2), 0);
	CU_ASSERT_EQUAL(posix_recvmsg(p, fd, &msg, 0), 0);
	CU_ASSERT_EQUAL(posix_sendmsg(p, fd, &msg, 0), 0);
	CU_ASSERT_EQUAL(posix_setsockopt(p, fd, 6, 1, &v, sizeof v), 0);
	CU_ASSERT_EQUAL(posix_getsockopt(p, fd, 6, 1, &v, &len), 0);
	len = sizeof a;
	CU_ASSERT_EQUAL(posix_getsockname(p, fd, (struct sockaddr *)&a, &len), 0);
	CU_ASSERT_EQUAL(posix_getpeername(p, fd, (struct sockaddr *)&a, &len), 0);
	CU_ASSERT_EQUAL(posix_ioctl(p, fd, FIONREAD, &v), 0);
}

static void
test_all_calls_on_the_stacks_number_are_the_stacks(void)
{
	struct posix *p = two_sides(true);

	say_all(p, FIRST + 7);
	CU_ASSERT_STRING_EQUAL(two_sides_said(),
	                       "s.recv(7) s.send(7) s.readv(7,2) s.writev(7,2) s.recvmsg(7) s.sendmsg(7) "
	                       "s.setsockopt(7,6,1,1) s.getsockopt(7,6,1) s.getsockname(7) "
	                       "s.getpeername(7) s.ioctl(7,541b)");
	two_sides_end(p);
}

static void
test_all_calls_on_the_kernels_number_are_the_kernels(void)
{
	struct posix *p = two_sides(true);

	say_all(p, 7);
	CU_ASSERT_STRING_EQUAL(two_sides_said(),
	                       "k.recv(7) k.send(7) k.readv(7,2) k.writev(7,2) k.recvmsg(7) k.sendmsg(7) "
	                       "k.setsockopt(7,6,1) k.getsockopt(7,6,1) k.getsockname(7) "
	                       "k.getpeername(7) k.ioctl(7,541b)");
	two_sides_end(p);
}

static void
test_options_of_a_socket_without_side_reach_both(void)
{
	struct posix *p = two_sides(true);
	int fd = posix_socket(p, AF_INET, SOCK_STREAM, 0), v = 5;

	two_sides_said();
	CU_ASSERT_EQUAL(posix_setsockopt(p, fd, 6, 1, &v, sizeof v), 0);
	two_sides_refuse("k.setsockopt", EINVAL);
	CU_ASSERT_EQUAL(posix_setsockopt(p, fd, 6, 2, &v, sizeof v), -1);
	CU_ASSERT_EQUAL(posix_ioctl(p, fd, FIONBIO, &v), 0);
	CU_ASSERT_STRING_EQUAL(two_sides_said(), "k.setsockopt(3,6,1) k.setsockopt(3,6,2) k.ioctl(3,5421)");
	CU_ASSERT_EQUAL(posix_listen(p, fd, 1), 0);
	CU_ASSERT_STRING_EQUAL(two_sides_said(), "s.socket(4,nonblock) s.setsockopt(0,6,1,5) s.listen(0,1)");
	two_sides_end(p);
}

static void
test_an_option_that_the_stack_refuses_later_is_let_go(void)
{
	struct posix *p = two_sides(true);
	int fd = posix_socket(p, AF_INET, SOCK_STREAM, 0), v = 5;

	CU_ASSERT_EQUAL(posix_setsockopt(p, fd, 6, 1, &v, sizeof v), 0);
	two_sides_refuse("s.setsockopt", ENOPROTOOPT);
	CU_ASSERT_EQUAL(posix_listen(p, fd, 1), 0);
	CU_ASSERT_EQUAL(posix_sockid(p, fd), 0);
	two_sides_end(p);
}

static void
test_a_noted_address_is_told(void)
{
	struct posix *p = two_sides(false);
	int fd = posix_socket(p, AF_INET, SOCK_STREAM, 0);
	struct sockaddr_storage a = two_sides_address("10.0.0.1", 80), got = { 0 };
	socklen_t len = 4;

	CU_ASSERT_EQUAL(posix_bind(p, fd, (struct sockaddr *)&a, sizeof(struct sockaddr_in)), 0);
	CU_ASSERT_EQUAL(posix_getsockname(p, fd, (struct sockaddr *)&got, &len), 0);
	CU_ASSERT_EQUAL(len, sizeof(struct sockaddr_in));
	CU_ASSERT_EQUAL(memcmp(&a, &got, 4), 0);
	CU_ASSERT_NOT_EQUAL(memcmp(&a, &got, len), 0);
	CU_ASSERT_EQUAL(posix_getsockname(p, fd, (struct sockaddr *)&got, &len), 0);
	CU_ASSERT_EQUAL(memcmp(&a, &got, len), 0);
	two_sides_end(p);
}

void
suite_posix_io(void)
{
	CU_pSuite s = CU_add_suite("posix_io", NULL, NULL);

	CU_add_test(s, "all calls on the stack's number are the stack's",
	            test_all_calls_on_the_stacks_number_are_the_stacks);
	CU_add_test(s, "all calls on the kernel's number are the kernel's",
	            test_all_calls_on_the_kernels_number_are_the_kernels);
	CU_add_test(s, "options of a socket without a side reach both",
	            test_options_of_a_socket_without_side_reach_both);
	CU_add_test(s, "an option that the stack refuses later is let go",
	            test_an_option_that_the_stack_refuses_later_is_let_go);
	CU_add_test(s, "a noted address is told", test_a_noted_address_is_told);
}
