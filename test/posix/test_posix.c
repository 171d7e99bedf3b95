/* SPDX-License-Identifier: BSD-3-Clause */
/* A socket's life between two sides, told by the calls that each of them gets. */
#include <CUnit/CUnit.h>
#include <errno.h>
#include <limits.h>
#include <netinet/in.h>

#include "test/posix/two_sides.h"

void suite_posix(void);

static int
bind_to(struct posix *p, int fd, const char *ip, uint16_t port)
{
	struct sockaddr_storage a = two_sides_address(ip, port);

	return posix_bind(p, fd, (struct sockaddr *)&a, sizeof(struct sockaddr_in));
}

static int
connect_to(struct posix *p, int fd, const char *ip, uint16_t port)
{
	struct sockaddr_storage a = two_sides_address(ip, port);

	return posix_connect(p, fd, (struct sockaddr *)&a, sizeof(struct sockaddr_in));
}

static int
tcp4(struct posix *p)
{
	return posix_socket(p, AF_INET, SOCK_STREAM, 0);
}

static void
test_who_is_not_active_gets_the_kernels_calls(void)
{
	struct posix *p = two_sides(false);

	p->active = false;
	CU_ASSERT_EQUAL(tcp4(p), 3);
	CU_ASSERT_EQUAL(bind_to(p, 3, "10.0.0.1", 80), 0);
	CU_ASSERT_EQUAL(posix_listen(p, 3, 5), 0);
	CU_ASSERT_EQUAL(posix_accept4(p, 3, NULL, NULL, 0), 4);
	CU_ASSERT_EQUAL(posix_shutdown(p, 4, SHUT_WR), 0);
	CU_ASSERT_EQUAL(posix_close(p, 4), 0);
	CU_ASSERT_EQUAL(connect_to(p, 5, "10.0.0.2", 80), 0);
	CU_ASSERT_STRING_EQUAL(two_sides_said(),
	                       "k.socket(4) k.bind(3,10.0.0.1:80) k.listen(3,5) k.accept4(3) "
	                       "k.shutdown(4,1) k.close(4) k.connect(5,10.0.0.2:80)");
	two_sides_end(p);
}

static void
test_what_is_no_tcp_socket_is_the_kernels(void)
{
	struct posix *p = two_sides(true);
	int udp = posix_socket(p, AF_INET, SOCK_DGRAM, 0);
	int local = posix_socket(p, AF_UNIX, SOCK_STREAM, 0);
	int raw = posix_socket(p, AF_INET, SOCK_STREAM, IPPROTO_SCTP);

	two_sides_said();
	CU_ASSERT_EQUAL(bind_to(p, udp, "10.0.0.1", 53), 0);
	CU_ASSERT_EQUAL(connect_to(p, local, "10.0.0.1", 53), 0);
	CU_ASSERT_EQUAL(posix_listen(p, raw, 1), 0);
	CU_ASSERT_STRING_EQUAL(two_sides_said(),
	                       "k.bind(3,10.0.0.1:53) k.connect(4,10.0.0.1:53) k.listen(5,1)");
	two_sides_end(p);
}

static void
test_a_listener_waits_for_a_process_with_a_stack(void)
{
	struct posix *p = two_sides(false);
	int fd = tcp4(p), on = 1;

	CU_ASSERT_EQUAL(posix_setsockopt(p, fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on), 0);
	CU_ASSERT_EQUAL(bind_to(p, fd, "10.0.0.1", 80), 0);
	CU_ASSERT_EQUAL(posix_listen(p, fd, 511), 0);
	CU_ASSERT_EQUAL(posix_sockid(p, fd), -1);
	CU_ASSERT_EQUAL(posix_listen(p, fd, 7), 0);
	CU_ASSERT_STRING_EQUAL(two_sides_said(), "k.socket(4) k.setsockopt(3,1,2)");
	CU_ASSERT_EQUAL(posix_take_stack(p, two_sides_ctx), 0);
	CU_ASSERT_EQUAL(posix_awaken(p, fd), 0);
	CU_ASSERT_STRING_EQUAL(two_sides_said(), "s.socket(4) s.setsockopt(0,1,2,1) "
	                       "s.bind(0,10.0.0.1:80) s.listen(0,7)");
	CU_ASSERT_EQUAL(posix_accept4(p, fd, NULL, NULL, SOCK_NONBLOCK), FIRST + 1);
	CU_ASSERT_EQUAL(posix_close(p, FIRST + 1), 0);
	CU_ASSERT_EQUAL(posix_close(p, fd), 0);
	CU_ASSERT_STRING_EQUAL(two_sides_said(), "s.accept4(0) s.close(1) s.close(0) k.close(3)");
	two_sides_end(p);
}

static void
test_awakening_who_awaits_nothing_does_nothing(void)
{
	struct posix *p = two_sides(true);
	int fd = tcp4(p);

	two_sides_said();
	CU_ASSERT_EQUAL(posix_awaken(p, fd), 0);
	CU_ASSERT_EQUAL(posix_awaken(p, 77), 0);
	CU_ASSERT_EQUAL(posix_awaken(p, -1), 0);
	CU_ASSERT_STRING_EQUAL(two_sides_said(), "");
	two_sides_end(p);
}

/* So that it can be tried again. */
static void
test_who_cannot_awaken_still_waits(void)
{
	static const char *const step[] = { "s.socket", "s.bind", "s.listen" };
	struct posix *p = two_sides(false);
	int fd = tcp4(p);

	CU_ASSERT_EQUAL(bind_to(p, fd, "10.0.0.1", 80), 0);
	CU_ASSERT_EQUAL(posix_listen(p, fd, 5), 0);
	CU_ASSERT_EQUAL(posix_take_stack(p, two_sides_ctx), 0);
	for (unsigned i = 0; i < array_len(step); i++) {
		two_sides_refuse(step[i], EADDRINUSE);
		errno = 0;
		CU_ASSERT_EQUAL(posix_awaken(p, fd), -1);
		CU_ASSERT_EQUAL(errno, EADDRINUSE);
		CU_ASSERT_EQUAL(posix_sockid(p, fd), -1);
	}
	two_sides_said();
	CU_ASSERT_EQUAL(posix_awaken(p, fd), 0);
	CU_ASSERT_STRING_EQUAL(two_sides_said(), "s.socket(4) s.bind(2,10.0.0.1:80) s.listen(2,5)");
	two_sides_end(p);
}

static void
test_addresses_that_stay_are_bound_at_once(void)
{
	struct posix *p = two_sides(false);
	int fd = tcp4(p);

	CU_ASSERT_EQUAL(bind_to(p, fd, "127.0.0.1", 8080), 0);
	CU_ASSERT_EQUAL(posix_listen(p, fd, 5), 0);
	CU_ASSERT_STRING_EQUAL(two_sides_said(), "k.socket(4) k.bind(3,127.0.0.1:8080) k.listen(3,5)");
	CU_ASSERT_EQUAL(posix_take_stack(p, two_sides_ctx), 0);
	CU_ASSERT_EQUAL(posix_awaken(p, fd), 0);
	CU_ASSERT_EQUAL(posix_accept4(p, fd, NULL, NULL, 0), 4);
	CU_ASSERT_STRING_EQUAL(two_sides_said(), "k.accept4(3)");
	two_sides_end(p);
}

static void
test_a_second_bind_is_refused(void)
{
	struct posix *p = two_sides(false);
	int fd = tcp4(p);

	CU_ASSERT_EQUAL(bind_to(p, fd, "10.0.0.1", 80), 0);
	errno = 0;
	CU_ASSERT_EQUAL(bind_to(p, fd, "10.0.0.1", 81), -1);
	CU_ASSERT_EQUAL(errno, EINVAL);
	two_sides_end(p);
}

static void
test_connect_chooses_by_address(void)
{
	struct posix *p = two_sides(true);
	int ours = posix_socket(p, AF_INET, SOCK_STREAM | SOCK_NONBLOCK, IPPROTO_TCP), theirs = tcp4(p);

	two_sides_said();
	two_sides_refuse("s.connect", EINPROGRESS);
	errno = 0;
	CU_ASSERT_EQUAL(connect_to(p, ours, "10.0.0.9", 80), -1);
	CU_ASSERT_EQUAL(errno, EINPROGRESS);
	CU_ASSERT_EQUAL(posix_sockid(p, ours), 0);
	CU_ASSERT_EQUAL(connect_to(p, ours, "10.0.0.9", 80), 0);
	CU_ASSERT_STRING_EQUAL(two_sides_said(), "s.socket(4,nonblock) s.connect(0,10.0.0.9:80) "
	                       "s.connect(0,10.0.0.9:80)");
	CU_ASSERT_EQUAL(connect_to(p, theirs, "127.0.0.1", 80), 0);
	CU_ASSERT_EQUAL(connect_to(p, theirs, "127.0.0.1", 80), 0);
	CU_ASSERT_STRING_EQUAL(two_sides_said(), "k.connect(4,127.0.0.1:80) k.connect(4,127.0.0.1:80)");
	two_sides_end(p);
}

static void
test_without_a_stack_connect_is_the_kernels(void)
{
	struct posix *p = two_sides(false);
	int fd = tcp4(p), bound = tcp4(p);

	CU_ASSERT_EQUAL(bind_to(p, bound, "10.0.0.1", 80), 0);
	two_sides_said();
	CU_ASSERT_EQUAL(connect_to(p, fd, "10.0.0.9", 80), 0);
	CU_ASSERT_STRING_EQUAL(two_sides_said(), "k.connect(3,10.0.0.9:80)");
	errno = 0;
	CU_ASSERT_EQUAL(connect_to(p, bound, "10.0.0.9", 80), -1);
	CU_ASSERT_EQUAL(errno, ENETDOWN);
	two_sides_end(p);
}

static void
test_with_a_stack_a_certain_address_is_bound_at_once(void)
{
	struct posix *p = two_sides(true);
	int fd = tcp4(p);

	two_sides_said();
	two_sides_refuse("s.bind", EADDRNOTAVAIL);
	errno = 0;
	CU_ASSERT_EQUAL(bind_to(p, fd, "10.0.0.3", 0), -1);
	CU_ASSERT_EQUAL(errno, EADDRNOTAVAIL);
	CU_ASSERT_EQUAL(bind_to(p, fd, "10.0.0.1", 0), 0);
	CU_ASSERT_EQUAL(connect_to(p, fd, "10.0.0.9", 80), 0);
	CU_ASSERT_STRING_EQUAL(two_sides_said(), "s.socket(4) s.bind(0,10.0.0.3:0) s.close(0) "
	                       "s.socket(4) s.bind(1,10.0.0.1:0) s.connect(1,10.0.0.9:80)");
	two_sides_end(p);
}

static void
test_bound_to_any_address_the_destination_tells(void)
{
	struct posix *p = two_sides(true);
	int ours = tcp4(p), theirs = tcp4(p), listener = tcp4(p);

	two_sides_said();
	CU_ASSERT_EQUAL(bind_to(p, ours, "0.0.0.0", 1024), 0);
	CU_ASSERT_EQUAL(bind_to(p, theirs, "0.0.0.0", 1025), 0);
	CU_ASSERT_EQUAL(bind_to(p, listener, "0.0.0.0", 80), 0);
	CU_ASSERT_STRING_EQUAL(two_sides_said(), "");
	CU_ASSERT_EQUAL(connect_to(p, ours, "10.0.0.9", 80), 0);
	CU_ASSERT_STRING_EQUAL(two_sides_said(), "s.socket(4) s.bind(0,0.0.0.0:1024) "
	                       "s.connect(0,10.0.0.9:80)");
	CU_ASSERT_EQUAL(connect_to(p, theirs, "127.0.0.1", 80), 0);
	CU_ASSERT_STRING_EQUAL(two_sides_said(), "k.bind(4,0.0.0.0:1025) k.connect(4,127.0.0.1:80)");
	CU_ASSERT_EQUAL(posix_listen(p, listener, 9), 0);
	CU_ASSERT_EQUAL(posix_listen(p, listener, 10), 0);
	CU_ASSERT_STRING_EQUAL(two_sides_said(), "s.socket(4) s.bind(1,0.0.0.0:80) s.listen(1,9) "
	                       "s.listen(1,10)");
	two_sides_end(p);
}

static void
test_whoever_listens_unbound_listens_on_the_stack(void)
{
	struct posix *p = two_sides(true);
	int fd = tcp4(p);

	two_sides_said();
	CU_ASSERT_EQUAL(posix_listen(p, fd, 3), 0);
	CU_ASSERT_STRING_EQUAL(two_sides_said(), "s.socket(4) s.listen(0,3)");
	two_sides_end(p);
}

static void
test_a_refused_socket_holds_no_number(void)
{
	struct posix *p = two_sides(true);

	two_sides_refuse("k.socket", EMFILE);
	CU_ASSERT_EQUAL(tcp4(p), -1);
	CU_ASSERT_STRING_EQUAL(two_sides_said(), "k.socket(4)");
	two_sides_end(p);
}

static void
test_numbers_that_do_not_fit_are_given_back(void)
{
	struct posix *p = two_sides(true);
	int fd = tcp4(p);

	CU_ASSERT_EQUAL(posix_listen(p, fd, 3), 0);
	p->first = INT_MAX;
	two_sides_said();
	errno = 0;
	CU_ASSERT_EQUAL(posix_accept4(p, fd, NULL, NULL, 0), -1);
	CU_ASSERT_EQUAL(errno, EMFILE);
	CU_ASSERT_STRING_EQUAL(two_sides_said(), "s.accept4(0) s.close(1)");
	two_sides_end(p);
}

static void
test_a_changed_list_shows_who_stands_on_the_wrong_side(void)
{
	struct posix *p = two_sides(false);
	int fd = tcp4(p);
	struct bypass_rule r;

	CU_ASSERT_FALSE(posix_is_misplaced(p, fd));
	CU_ASSERT_EQUAL(bind_to(p, fd, "10.0.0.1", 80), 0);
	CU_ASSERT_FALSE(posix_is_misplaced(p, fd));
	CU_ASSERT_TRUE(posix_is_misplaced(p, 77)); /* the kernel's, at 10.0.0.9 */
	CU_ASSERT_TRUE(bypass_parse("10.0.0.0/24", &r));
	CU_ASSERT_EQUAL(bypass_add(&p->bypass, &r), 0);
	CU_ASSERT_TRUE(posix_is_misplaced(p, fd));
	CU_ASSERT_FALSE(posix_is_misplaced(p, 77));
	bypass_clear(&p->bypass);
	p->active = false;
	CU_ASSERT_TRUE(posix_is_misplaced(p, fd));
	CU_ASSERT_FALSE(posix_is_misplaced(p, 77));
	two_sides_end(p);
}

static void
test_who_awaits_a_stack_can_be_left_to_the_kernel(void)
{
	struct posix *p = two_sides(false);
	int fd = tcp4(p), bound = tcp4(p);

	CU_ASSERT_EQUAL(bind_to(p, fd, "10.0.0.1", 80), 0);
	CU_ASSERT_EQUAL(posix_listen(p, fd, 5), 0);
	CU_ASSERT_EQUAL(bind_to(p, bound, "10.0.0.1", 81), 0);
	two_sides_said();
	CU_ASSERT_EQUAL(posix_surrender(p, fd), 0);
	CU_ASSERT_EQUAL(posix_surrender(p, bound), 0);
	CU_ASSERT_STRING_EQUAL(two_sides_said(), "k.bind(3,10.0.0.1:80) k.listen(3,5) k.bind(4,10.0.0.1:81)");
	errno = 0;
	CU_ASSERT_EQUAL(posix_surrender(p, fd), -1);
	CU_ASSERT_EQUAL(errno, EINVAL);
	two_sides_end(p);
}

/* Its number is given back, and the stack's listener stays behind. */
static void
test_a_retired_listener_outlives_its_number(void)
{
	struct posix *p = two_sides(true);
	int fd = tcp4(p), other = tcp4(p);

	CU_ASSERT_EQUAL(posix_listen(p, fd, 3), 0);
	two_sides_said();
	CU_ASSERT_EQUAL(posix_retire(p, fd), 0);
	CU_ASSERT_EQUAL(posix_close(p, fd), 0);
	CU_ASSERT_STRING_EQUAL(two_sides_said(), "s.shutdown(0,0) k.close(3)");
	errno = 0;
	CU_ASSERT_EQUAL(posix_retire(p, other), -1);
	CU_ASSERT_EQUAL(errno, EINVAL);
	CU_ASSERT_EQUAL(posix_listen(p, other, 3), 0);
	two_sides_said();
	two_sides_refuse("s.shutdown", ENOTCONN);
	CU_ASSERT_EQUAL(posix_retire(p, other), -1);
	CU_ASSERT_EQUAL(posix_close(p, other), 0);
	CU_ASSERT_STRING_EQUAL(two_sides_said(), "s.shutdown(1,0) s.close(1) k.close(4)");
	two_sides_end(p);
}

static void
test_when_the_stack_is_gone_its_numbers_are_useless_and_closable(void)
{
	struct posix *p = two_sides(true);
	int fd = tcp4(p);

	CU_ASSERT_EQUAL(posix_listen(p, fd, 3), 0);
	posix_leave_stack(p);
	CU_ASSERT_EQUAL(posix_sockid(p, fd), -1);
	two_sides_said();
	CU_ASSERT_EQUAL(posix_close(p, fd), 0);
	CU_ASSERT_STRING_EQUAL(two_sides_said(), "k.close(3)");
	two_sides_end(p);
}

void
suite_posix(void)
{
	CU_pSuite s = CU_add_suite("posix", NULL, NULL);

	CU_add_test(s, "who is not active gets the kernel's calls",
	            test_who_is_not_active_gets_the_kernels_calls);
	CU_add_test(s, "what is no TCP socket is the kernel's", test_what_is_no_tcp_socket_is_the_kernels);
	CU_add_test(s, "a retired listener outlives its number",
	            test_a_retired_listener_outlives_its_number);
	CU_add_test(s, "a listener waits for a process with a stack",
	            test_a_listener_waits_for_a_process_with_a_stack);
	CU_add_test(s, "awakening who awaits nothing does nothing",
	            test_awakening_who_awaits_nothing_does_nothing);
	CU_add_test(s, "who cannot awaken still waits", test_who_cannot_awaken_still_waits);
	CU_add_test(s, "addresses that stay are bound at once", test_addresses_that_stay_are_bound_at_once);
	CU_add_test(s, "a second bind is refused", test_a_second_bind_is_refused);
	CU_add_test(s, "connect chooses by address", test_connect_chooses_by_address);
	CU_add_test(s, "without a stack connect is the kernel's", test_without_a_stack_connect_is_the_kernels);
	CU_add_test(s, "with a stack a certain address is bound at once",
	            test_with_a_stack_a_certain_address_is_bound_at_once);
	CU_add_test(s, "bound to any address, the destination tells",
	            test_bound_to_any_address_the_destination_tells);
	CU_add_test(s, "whoever listens unbound listens on the stack",
	            test_whoever_listens_unbound_listens_on_the_stack);
	CU_add_test(s, "a refused socket holds no number", test_a_refused_socket_holds_no_number);
	CU_add_test(s, "numbers that do not fit are given back",
	            test_numbers_that_do_not_fit_are_given_back);
	CU_add_test(s, "a changed list shows who stands on the wrong side",
	            test_a_changed_list_shows_who_stands_on_the_wrong_side);
	CU_add_test(s, "who awaits a stack can be left to the kernel",
	            test_who_awaits_a_stack_can_be_left_to_the_kernel);
	CU_add_test(s, "when the stack is gone its numbers are useless and closable",
	            test_when_the_stack_is_gone_its_numbers_are_useless_and_closable);
}
