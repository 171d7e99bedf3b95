/* SPDX-License-Identifier: BSD-3-Clause */
/* The life of a socket, as the calls show it, over a stack played by the test. */

#include <arpa/inet.h>
#include <errno.h>
#include <sys/ioctl.h>

#include <linux/sockios.h>

#include "test/api/api_test.h"

void suite_api_socket(void);

static struct sockaddr_in
addr(uint32_t ip, uint16_t port)
{
	struct sockaddr_in a = { .sin_family = AF_INET, .sin_port = htons(port) };

	a.sin_addr.s_addr = htonl(ip);
	return a;
}

#define SA(a) ((struct sockaddr *)&(a))


static void
test_socket_refuses_what_is_not_tcp(void)
{
	struct fake_stack f;

	fake_init(&f);
	FAILS_WITH(mtcp_socket(&f.ctx, AF_UNIX, SOCK_STREAM, 0), EAFNOSUPPORT);
	FAILS_WITH(mtcp_socket(&f.ctx, AF_INET, SOCK_RAW, 0), EPROTONOSUPPORT);
	FAILS_WITH(mtcp_socket(&f.ctx, AF_INET, SOCK_STREAM, IPPROTO_UDP), EPROTONOSUPPORT);
	FAILS_WITH(mtcp_socket(NULL, AF_INET, SOCK_STREAM, 0), EINVAL);
	CU_ASSERT(mtcp_socket(&f.ctx, AF_INET, MTCP_SOCK_STREAM, IPPROTO_TCP) >= 0);
	fake_fini(&f);
}

static void
test_numbers_run_out_and_come_back(void)
{
	struct fake_stack f;
	int id, n = 0, last = -1;

	fake_init(&f);
	while ((id = mtcp_socket(&f.ctx, AF_INET, SOCK_STREAM, 0)) >= 0) {
		last = id;
		n++;
	}
	CU_ASSERT_EQUAL(errno, EMFILE);
	CU_ASSERT_EQUAL(n, FAKE_SOCKS / 2);
	CU_ASSERT_EQUAL(mtcp_close(&f.ctx, last), 0);
	CU_ASSERT(mtcp_socket(&f.ctx, AF_INET, SOCK_STREAM, 0) >= 0);
	fake_fini(&f);
}

static void
test_closed_and_unknown_numbers_are_bad(void)
{
	struct fake_stack f;
	char c;
	int id;

	fake_init(&f);
	id = mtcp_socket(&f.ctx, AF_INET, SOCK_STREAM, 0);
	CU_ASSERT_EQUAL(mtcp_close(&f.ctx, id), 0);
	FAILS_WITH(mtcp_close(&f.ctx, id), EBADF);
	FAILS_WITH(mtcp_read(&f.ctx, id, &c, 1), EBADF);
	FAILS_WITH(mtcp_listen(&f.ctx, id, 1), EBADF);
	FAILS_WITH(mtcp_close(&f.ctx, -1), EBADF);
	FAILS_WITH(mtcp_abort(&f.ctx, 1 << 30), EBADF);
	FAILS_WITH(mtcp_close(NULL, 0), EINVAL);
	fake_fini(&f);
}

static void
test_bind_names_the_local_end(void)
{
	struct fake_stack f;
	struct sockaddr_in a = addr(0x0a000001, 80), got;
	socklen_t len = sizeof got;
	int one, two;

	fake_init(&f);
	one = mtcp_socket(&f.ctx, AF_INET, SOCK_STREAM, 0);
	two = mtcp_socket(&f.ctx, AF_INET, SOCK_STREAM, 0);
	CU_ASSERT_EQUAL(mtcp_getsockname(&f.ctx, one, SA(got), &len), 0);
	CU_ASSERT_EQUAL(got.sin_port, 0);
	CU_ASSERT_EQUAL(mtcp_bind(&f.ctx, one, SA(a), sizeof a), 0);
	FAILS_WITH(mtcp_bind(&f.ctx, one, SA(a), sizeof a), EINVAL);
	FAILS_WITH(mtcp_bind(&f.ctx, two, SA(a), sizeof a), EADDRINUSE);
	CU_ASSERT_EQUAL(mtcp_getsockname(&f.ctx, one, SA(got), &len), 0);
	CU_ASSERT_EQUAL(len, sizeof got);
	CU_ASSERT_EQUAL(memcmp(&got, &a, sizeof a), 0);
	a.sin_port = 0;
	CU_ASSERT_EQUAL(mtcp_bind(&f.ctx, two, SA(a), sizeof a), 0);
	CU_ASSERT_EQUAL(mtcp_getsockname(&f.ctx, two, SA(got), &len), 0);
	CU_ASSERT_NOT_EQUAL(got.sin_port, 0);
	fake_fini(&f);
}

static void
test_bad_addresses_are_refused(void)
{
	struct fake_stack f;
	struct sockaddr_in a = addr(0x0a000001, 80);
	int id;

	fake_init(&f);
	id = mtcp_socket(&f.ctx, AF_INET, SOCK_STREAM, 0);
	FAILS_WITH(mtcp_bind(&f.ctx, id, NULL, sizeof a), EFAULT);
	FAILS_WITH(mtcp_bind(&f.ctx, id, SA(a), 1), EINVAL);
	FAILS_WITH(mtcp_bind(&f.ctx, id, SA(a), sizeof a - 1), EINVAL);
	FAILS_WITH(mtcp_connect(&f.ctx, id, NULL, sizeof a), EFAULT);
	FAILS_WITH(mtcp_getsockname(&f.ctx, id, NULL, NULL), EFAULT);
	a.sin_family = AF_UNIX;
	FAILS_WITH(mtcp_bind(&f.ctx, id, SA(a), sizeof a), EAFNOSUPPORT);
	a = addr(0x7f000001, 80);
	FAILS_WITH(mtcp_bind(&f.ctx, id, SA(a), sizeof a), EADDRNOTAVAIL);
	fake_fini(&f);
}

static int
opt6(struct fake_stack *f, int id, int name, int value)
{
	return mtcp_setsockopt(&f->ctx, id, IPPROTO_IPV6, name, &value, sizeof value);
}

static int
got(struct fake_stack *f, int id, int level, int name)
{
	int value = -1;
	socklen_t len = sizeof value;

	return mtcp_getsockopt(&f->ctx, id, level, name, &value, &len) ? -errno : value;
}

static void
test_a_socket_of_ipv6_is_named_so(void)
{
	struct fake_stack f;
	struct sockaddr_in6 a = { .sin6_family = AF_INET6, .sin6_port = htons(80) }, name;
	struct sockaddr_in v4 = addr(0x0a000001, 80);
	socklen_t len = sizeof name;
	int id;

	fake_init(&f);
	id = mtcp_socket(&f.ctx, AF_INET6, SOCK_STREAM, 0);
	CU_ASSERT(id >= 0);
	CU_ASSERT_EQUAL(got(&f, id, SOL_SOCKET, SO_DOMAIN), AF_INET6);
	FAILS_WITH(mtcp_bind(&f.ctx, id, SA(v4), sizeof v4), EINVAL);
	FAILS_WITH(mtcp_connect(&f.ctx, id, SA(v4), sizeof v4), EINVAL);
	CU_ASSERT_EQUAL(mtcp_bind(&f.ctx, id, SA(a), sizeof a), 0);
	CU_ASSERT_EQUAL(mtcp_getsockname(&f.ctx, id, SA(name), &len), 0);
	CU_ASSERT_EQUAL(len, sizeof name);
	CU_ASSERT_EQUAL(memcmp(&name, &a, sizeof a), 0);
	id = mtcp_socket(&f.ctx, AF_INET, SOCK_STREAM, 0);
	CU_ASSERT_EQUAL(got(&f, id, SOL_SOCKET, SO_DOMAIN), AF_INET);
	FAILS_WITH(mtcp_bind(&f.ctx, id, SA(a), sizeof a), EAFNOSUPPORT);
	fake_fini(&f);
}

/* RFC 3493 5.3, and Linux's errors. */
static void
test_v6only_has_nothing_to_do_with_ipv4(void)
{
	struct fake_stack f;
	struct sockaddr_in6 a = { .sin6_family = AF_INET6, .sin6_port = htons(80),
		                  .sin6_addr.s6_addr = { [10] = 0xff, [11] = 0xff, [12] = 10 } };
	int id;

	fake_init(&f);
	id = mtcp_socket(&f.ctx, AF_INET6, SOCK_STREAM, 0);
	CU_ASSERT_EQUAL(got(&f, id, IPPROTO_IPV6, IPV6_V6ONLY), 0);
	CU_ASSERT_EQUAL(opt6(&f, id, IPV6_V6ONLY, 1), 0);
	CU_ASSERT_EQUAL(got(&f, id, IPPROTO_IPV6, IPV6_V6ONLY), 1);
	FAILS_WITH(mtcp_bind(&f.ctx, id, SA(a), sizeof a), EINVAL);
	FAILS_WITH(mtcp_connect(&f.ctx, id, SA(a), sizeof a), ENETUNREACH);
	memset(&a.sin6_addr, 0, sizeof a.sin6_addr);
	CU_ASSERT_EQUAL(mtcp_bind(&f.ctx, id, SA(a), sizeof a), 0);
	FAILS_WITH(opt6(&f, id, IPV6_V6ONLY, 0), EINVAL); /* too late */
	id = mtcp_socket(&f.ctx, AF_INET, SOCK_STREAM, 0);
	FAILS_WITH(opt6(&f, id, IPV6_V6ONLY, 1), ENOPROTOOPT);
	CU_ASSERT_EQUAL(got(&f, id, IPPROTO_IPV6, IPV6_V6ONLY), -EOPNOTSUPP);
	fake_fini(&f);
}

static void
test_traffic_class_and_hops_are_options(void)
{
	struct fake_stack f;
	int id;

	fake_init(&f);
	id = mtcp_socket(&f.ctx, AF_INET6, SOCK_STREAM, 0);
	CU_ASSERT_EQUAL(opt6(&f, id, IPV6_TCLASS, 0x2b), 0);
	CU_ASSERT_EQUAL(got(&f, id, IPPROTO_IPV6, IPV6_TCLASS), 0x28); /* ECN is TCP's */
	CU_ASSERT_EQUAL(opt6(&f, id, IPV6_TCLASS, -1), 0);
	FAILS_WITH(opt6(&f, id, IPV6_TCLASS, 256), EINVAL);
	FAILS_WITH(opt6(&f, id, IPV6_TCLASS, -2), EINVAL);
	CU_ASSERT_EQUAL(opt6(&f, id, IPV6_UNICAST_HOPS, 3), 0);
	CU_ASSERT_EQUAL(got(&f, id, IPPROTO_IPV6, IPV6_UNICAST_HOPS), 3);
	fake_fini(&f);
}

static void
test_accept_takes_connections_in_order(void)
{
	struct fake_stack f;
	struct sockaddr_in peer;
	socklen_t len = sizeof peer;
	int l, id;

	fake_init(&f);
	l = fake_listener(&f, 80);
	FAILS_WITH(mtcp_accept(&f.ctx, l, NULL, NULL), EAGAIN);
	for (uint16_t i = 0; i < 3; i++)
		fake_accept(&f, l, (uint16_t)(1000 + i));
	for (uint16_t i = 0; i < 3; i++) {
		id = mtcp_accept(&f.ctx, l, SA(peer), &len);
		CU_ASSERT_FATAL(id >= 0);
		CU_ASSERT_EQUAL(ntohs(peer.sin_port), 1000 + i);
		CU_ASSERT_EQUAL(mtcp_getsockname(&f.ctx, id, SA(peer), &len), 0);
		CU_ASSERT_EQUAL(ntohs(peer.sin_port), 80);
		CU_ASSERT_EQUAL(mtcp_getpeername(&f.ctx, id, SA(peer), &len), 0);
		CU_ASSERT_EQUAL(ntohs(peer.sin_port), 1000 + i);
	}
	FAILS_WITH(mtcp_accept(&f.ctx, l, NULL, NULL), EAGAIN);
	CU_ASSERT_EQUAL(atomic_load(&f.ch.socks[l].accepted), 3);
	fake_fini(&f);
}

static void
peer_comes(struct fake_stack *f, void *arg)
{
	fake_accept(f, *(int *)arg, 5);
}

static void
test_a_blocking_accept_waits(void)
{
	struct fake_stack f;
	int l, id, off = 0;

	fake_init(&f);
	l = fake_listener(&f, 80);
	CU_ASSERT_EQUAL(mtcp_socket_ioctl(&f.ctx, l, FIONBIO, &off), 0);
	fake_on_wait(&f, peer_comes, &l);
	id = mtcp_accept4(&f.ctx, l, NULL, NULL, SOCK_NONBLOCK);
	CU_ASSERT(id >= 0);
	CU_ASSERT(ref_at(&f.ctx, (uint32_t)id)->flags & REF_NONBLOCK);
	FAILS_WITH(mtcp_accept(&f.ctx, l, NULL, NULL), EINTR); /* nobody comes: a signal */
	fake_fini(&f);
}

static void
test_accept_wants_a_listener(void)
{
	struct fake_stack f;
	socklen_t len;
	int id, l;

	fake_init(&f);
	id = fake_connected(&f);
	l = fake_listener(&f, 80);
	FAILS_WITH(mtcp_accept(&f.ctx, id, NULL, NULL), EINVAL);
	FAILS_WITH(mtcp_accept4(&f.ctx, l, NULL, NULL, 4711), EINVAL);
	FAILS_WITH(mtcp_accept(&f.ctx, l, NULL, &len), EFAULT);
	FAILS_WITH(mtcp_listen(&f.ctx, id, 1), EINVAL);
	fake_fini(&f);
}

/* RFC 9293 3.10.4 leaves it open; elsewhere too such connections are reset. */
static void
test_closing_a_listener_resets_what_it_had_queued(void)
{
	struct fake_stack f;
	uint32_t heard, unheard;
	int l;

	fake_init(&f);
	l = fake_listener(&f, 80);
	heard = fake_accept(&f, l, 1);
	context_drain(&f.ctx);
	unheard = fake_accept(&f, l, 2);
	CU_ASSERT_EQUAL(mtcp_close(&f.ctx, l), 0);
	context_drain(&f.ctx);
	fake_step(&f);
	CU_ASSERT_EQUAL(f.sock[heard].req, SOCK_REQ_CLOSE | SOCK_REQ_ABORT);
	CU_ASSERT_EQUAL(f.sock[unheard].req, SOCK_REQ_CLOSE | SOCK_REQ_ABORT);
	fake_fini(&f);
}

/* A connection for a listener that is gone must not reach the next one that is
 * given the same number. */
static void
test_a_late_connection_does_not_find_the_wrong_listener(void)
{
	struct fake_stack f;
	int l, next = -1, others[FAKE_SOCKS], n = 0;

	fake_init(&f);
	l = fake_listener(&f, 80);
	fake_accept(&f, l, 1); /* still on the ring of events */
	CU_ASSERT_EQUAL(mtcp_close(&f.ctx, l), 0);
	fake_step(&f);
	while (next != l && (next = mtcp_socket(&f.ctx, AF_INET, SOCK_STREAM, 0)) >= 0)
		others[n++] = next;
	CU_ASSERT_EQUAL_FATAL(next, l);
	while (n-- > 1)
		mtcp_close(&f.ctx, others[n - 1]);
	CU_ASSERT_EQUAL(mtcp_listen(&f.ctx, next, 5), 0);
	CU_ASSERT_EQUAL(mtcp_setsock_nonblock(&f.ctx, next), 0);
	FAILS_WITH(mtcp_accept(&f.ctx, next, NULL, NULL), EAGAIN);
	fake_fini(&f);
}

static void
test_a_queued_connection_is_no_open_number(void)
{
	struct fake_stack f;
	uint32_t n;
	int l;

	fake_init(&f);
	l = fake_listener(&f, 80);
	n = fake_accept(&f, l, 1);
	context_drain(&f.ctx);
	FAILS_WITH(mtcp_close(&f.ctx, (int)n), EBADF);
	CU_ASSERT_EQUAL(mtcp_accept(&f.ctx, l, NULL, NULL), (int)n);
	CU_ASSERT_EQUAL(mtcp_close(&f.ctx, (int)n), 0);
	fake_fini(&f);
}

/* -- shutdown and close --------------------------------------------------- */

static void
test_shutdown_asks_for_what_was_named(void)
{
	struct fake_stack f;
	int id, fresh;

	fake_init(&f);
	id = fake_connected(&f);
	fresh = mtcp_socket(&f.ctx, AF_INET, SOCK_STREAM, 0);
	FAILS_WITH(mtcp_shutdown(&f.ctx, fresh, SHUT_WR), ENOTCONN);
	FAILS_WITH(mtcp_shutdown(&f.ctx, id, 17), EINVAL);
	CU_ASSERT_EQUAL(mtcp_shutdown(&f.ctx, id, SHUT_WR), 0);
	CU_ASSERT(sock_requests(&f.ch.socks[id]) & SOCK_REQ_SHUT_WR);
	CU_ASSERT_FALSE(sock_requests(&f.ch.socks[id]) & SOCK_REQ_SHUT_RD);
	CU_ASSERT_EQUAL(mtcp_shutdown(&f.ctx, id, SHUT_RD), 0);
	CU_ASSERT(sock_requests(&f.ch.socks[id]) & SOCK_REQ_SHUT_RD);
	fake_fini(&f);
}

static void
test_a_listener_can_be_retired(void)
{
	struct fake_stack f;
	int id;

	fake_init(&f);
	id = mtcp_socket(&f.ctx, AF_INET, SOCK_STREAM, 0);
	CU_ASSERT_EQUAL(mtcp_listen(&f.ctx, id, 5), 0);
	CU_ASSERT(f.sock[id].listening);
	FAILS_WITH(mtcp_shutdown(&f.ctx, id, SHUT_WR), ENOTCONN);
	FAILS_WITH(mtcp_shutdown(&f.ctx, id, SHUT_RDWR), ENOTCONN);
	CU_ASSERT(f.sock[id].listening);
	CU_ASSERT_EQUAL(mtcp_shutdown(&f.ctx, id, SHUT_RD), 0);
	CU_ASSERT_FALSE(f.sock[id].listening);
	CU_ASSERT_EQUAL(mtcp_listen(&f.ctx, id, 5), 0);
	CU_ASSERT(f.sock[id].listening);
	fake_fini(&f);
}

static void
test_close_and_abort_ask_differently(void)
{
	struct fake_stack f;
	int a, b;

	fake_init(&f);
	a = fake_connected(&f);
	b = fake_connected(&f);
	mtcp_close(&f.ctx, a);
	mtcp_abort(&f.ctx, b);
	fake_step(&f);
	CU_ASSERT_FALSE(f.sock[a].req & SOCK_REQ_ABORT);
	CU_ASSERT(f.sock[b].req & SOCK_REQ_ABORT);
	fake_fini(&f);
}

static void
fin_is_acked(struct fake_stack *f, void *arg)
{
	int id = *(int *)arg;

	CU_ASSERT(sock_requests(&f->ch.socks[id]) & SOCK_REQ_SHUT_WR);
	f->now += MS(300);
	fake_fact(f, id, SOCK_FIN_ACKED);
}

static void
test_linger_waits_resets_or_gives_up(void)
{
	struct fake_stack f;
	struct linger l = { 1, 5 };
	int64_t began;
	int id;

	fake_init(&f);
	id = fake_connected(&f);
	mtcp_setsockopt(&f.ctx, id, SOL_SOCKET, SO_LINGER, &l, sizeof l);
	began = f.now;
	fake_on_wait(&f, fin_is_acked, &id);
	CU_ASSERT_EQUAL(mtcp_close(&f.ctx, id), 0);
	CU_ASSERT_EQUAL(f.now - began, MS(300));

	id = fake_connected(&f);
	mtcp_setsockopt(&f.ctx, id, SOL_SOCKET, SO_LINGER, &l, sizeof l);
	began = f.now;
	CU_ASSERT_EQUAL(mtcp_close(&f.ctx, id), 0);
	CU_ASSERT_EQUAL(f.now - began, SEC(5));

	id = fake_connected(&f);
	l.l_linger = 0;
	mtcp_setsockopt(&f.ctx, id, SOL_SOCKET, SO_LINGER, &l, sizeof l);
	mtcp_close(&f.ctx, id);
	fake_step(&f);
	CU_ASSERT(f.sock[id].req & SOCK_REQ_ABORT);
	fake_fini(&f);
}

static void
test_getpeername_needs_a_connection(void)
{
	struct fake_stack f;
	struct sockaddr_in a;
	socklen_t len = 4;
	int id;

	fake_init(&f);
	id = mtcp_socket(&f.ctx, AF_INET, SOCK_STREAM, 0);
	FAILS_WITH(mtcp_getpeername(&f.ctx, id, SA(a), &len), ENOTCONN);
	mtcp_close(&f.ctx, id);
	id = fake_connected(&f);
	memset(&a, 0xee, sizeof a);
	CU_ASSERT_EQUAL(mtcp_getpeername(&f.ctx, id, SA(a), &len), 0);
	CU_ASSERT_EQUAL(len, sizeof a); /* the whole length, though it was cut */
	CU_ASSERT_EQUAL(ntohs(a.sin_port), 80);
	CU_ASSERT_EQUAL(a.sin_addr.s_addr, 0xeeeeeeee);
	fake_error(&f, id, ECONNRESET);
	FAILS_WITH(mtcp_getpeername(&f.ctx, id, SA(a), &len), ENOTCONN);
	fake_fini(&f);
}

static void
test_ioctl_counts_bytes_and_sets_blocking(void)
{
	struct fake_stack f;
	int id, v = 1;

	fake_init(&f);
	id = fake_connected(&f);
	fake_receive(&f, id, "hello", 5);
	CU_ASSERT_EQUAL(mtcp_socket_ioctl(&f.ctx, id, FIONREAD, &v), 0);
	CU_ASSERT_EQUAL(v, 5);
	CU_ASSERT_EQUAL(mtcp_write(&f.ctx, id, "abc", 3), 3);
	CU_ASSERT_EQUAL(mtcp_socket_ioctl(&f.ctx, id, SIOCOUTQ, &v), 0);
	CU_ASSERT_EQUAL(v, 3);
	v = 0;
	CU_ASSERT_EQUAL(mtcp_socket_ioctl(&f.ctx, id, FIONBIO, &v), 0);
	CU_ASSERT_FALSE(ref_at(&f.ctx, (uint32_t)id)->flags & REF_NONBLOCK);
	v = 1;
	CU_ASSERT_EQUAL(mtcp_socket_ioctl(&f.ctx, id, FIONBIO, &v), 0);
	CU_ASSERT(ref_at(&f.ctx, (uint32_t)id)->flags & REF_NONBLOCK);
	FAILS_WITH(mtcp_socket_ioctl(&f.ctx, id, FIONREAD, NULL), EFAULT);
	fake_fini(&f);
}

static void
test_init_rss_has_nothing_to_prepare(void)
{
	struct fake_stack f;

	fake_init(&f);
	CU_ASSERT_EQUAL(mtcp_init_rss(&f.ctx, INADDR_ANY, 1, htonl(0x0a000002), htons(80)), 0);
	FAILS_WITH(mtcp_init_rss(&f.ctx, INADDR_ANY, 0, 0, 0), EINVAL);
	fake_fini(&f);
}

void
suite_api_socket(void)
{
	CU_pSuite s = CU_add_suite("api/api_socket", NULL, NULL);

	CU_add_test(s, "a socket of IPv6 is named so", test_a_socket_of_ipv6_is_named_so);
	CU_add_test(s, "IPV6_V6ONLY has nothing to do with IPv4",
	            test_v6only_has_nothing_to_do_with_ipv4);
	CU_add_test(s, "traffic class and hops are options",
	            test_traffic_class_and_hops_are_options);
	CU_add_test(s, "socket refuses what is not TCP", test_socket_refuses_what_is_not_tcp);
	CU_add_test(s, "numbers run out and come back", test_numbers_run_out_and_come_back);
	CU_add_test(s, "closed and unknown numbers are bad (attack: closes twice; attack: uses "
	            "a closed id)",
	            test_closed_and_unknown_numbers_are_bad);
	CU_add_test(s, "bind names the local end", test_bind_names_the_local_end);
	CU_add_test(s, "bad addresses are refused", test_bad_addresses_are_refused);
	CU_add_test(s, "accept takes connections in order", test_accept_takes_connections_in_order);
	CU_add_test(s, "a blocking accept waits", test_a_blocking_accept_waits);
	CU_add_test(s, "accept wants a listener", test_accept_wants_a_listener);
	CU_add_test(s, "closing a listener resets what it had queued",
	            test_closing_a_listener_resets_what_it_had_queued);
	CU_add_test(s, "a late connection does not find the wrong listener",
	            test_a_late_connection_does_not_find_the_wrong_listener);
	CU_add_test(s, "a queued connection is no open number",
	            test_a_queued_connection_is_no_open_number);
	CU_add_test(s, "shutdown asks for what was named (Linux: SHUT_RD)",
	            test_shutdown_asks_for_what_was_named);
	CU_add_test(s, "a listener can be retired", test_a_listener_can_be_retired);
	CU_add_test(s, "close and abort ask differently", test_close_and_abort_ask_differently);
	CU_add_test(s, "linger waits, resets or gives up (option: SO_LINGER)",
	            test_linger_waits_resets_or_gives_up);
	CU_add_test(s, "getpeername needs a connection", test_getpeername_needs_a_connection);
	CU_add_test(s, "ioctl counts bytes and sets blocking (option: FIONREAD; option: "
	            "SIOCOUTQ)",
	            test_ioctl_counts_bytes_and_sets_blocking);
	CU_add_test(s, "init_rss has nothing to prepare", test_init_rss_has_nothing_to_prepare);
}
