/* SPDX-License-Identifier: BSD-3-Clause */
/* Opening a connection, once or again, with and without text in its SYN. */

#include <arpa/inet.h>
#include <errno.h>

#include "mtcp_epoll.h"
#include "test/api/api_test.h"

#include "api/ready.h"

#include <linux/tcp.h>

void suite_api_connect(void);

static struct sockaddr_in
addr(uint32_t ip, uint16_t port)
{
	struct sockaddr_in a = { .sin_family = AF_INET, .sin_port = htons(port) };

	a.sin_addr.s_addr = htonl(ip);
	return a;
}

#define SA(a) ((struct sockaddr *)&(a))

/* -- connect -------------------------------------------------------------- */

static void
connect_ends(struct fake_stack *f, void *arg)
{
	int how = *(int *)arg;

	for (int n = 0; n < (int)FAKE_SOCKS; n++) {
		if (!f->sock[n].connecting)
			continue;
		if (how)
			fake_error(f, n, how);
		else
			fake_establish(f, n);
	}
}

/* A connect that failed leaves a socket as it was before. */
static void
connects_after_all(struct fake_stack *f, int id)
{
	struct sockaddr_in a = addr(0x0a000003, 81), got;
	socklen_t len = sizeof got;
	int no = 0;
	char c;

	FAILS_WITH(mtcp_getpeername(&f->ctx, id, SA(got), &len), ENOTCONN);
	FAILS_WITH(mtcp_read(&f->ctx, id, &c, 1), ENOTCONN);
	fake_on_wait(f, connect_ends, &no);
	CU_ASSERT_EQUAL(mtcp_connect(&f->ctx, id, SA(a), sizeof a), 0);
	CU_ASSERT_EQUAL(mtcp_getpeername(&f->ctx, id, SA(got), &len), 0);
	CU_ASSERT_EQUAL(ntohs(got.sin_port), 81);
	CU_ASSERT_EQUAL(mtcp_write(&f->ctx, id, "x", 1), 1);
}

static void
test_a_blocking_connect_returns_how_it_went(void)
{
	struct fake_stack f;
	struct sockaddr_in a = addr(0x0a000002, 80);
	int how[] = { 0, ECONNREFUSED, ETIMEDOUT, EHOSTUNREACH, ENETUNREACH };
	int id;

	fake_init(&f);
	for (size_t i = 0; i < array_len(how); i++) {
		id = mtcp_socket(&f.ctx, AF_INET, SOCK_STREAM, 0);
		fake_on_wait(&f, connect_ends, &how[i]);
		errno = 0;
		CU_ASSERT_EQUAL(mtcp_connect(&f.ctx, id, SA(a), sizeof a), how[i] ? -1 : 0);
		CU_ASSERT_EQUAL(errno, how[i]);
		if (how[i])
			connects_after_all(&f, id);
		FAILS_WITH(mtcp_connect(&f.ctx, id, SA(a), sizeof a), EISCONN);
		CU_ASSERT_EQUAL(mtcp_close(&f.ctx, id), 0);
		fake_step(&f);
	}
	fake_fini(&f);
}

static void
test_a_nonblocking_connect_tells_its_state_when_asked_again(void)
{
	struct fake_stack f;
	struct sockaddr_in a = addr(0x0a000002, 80);
	int id;

	fake_init(&f);
	id = mtcp_socket(&f.ctx, AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
	FAILS_WITH(mtcp_connect(&f.ctx, id, SA(a), sizeof a), EINPROGRESS);
	FAILS_WITH(mtcp_connect(&f.ctx, id, SA(a), sizeof a), EALREADY);
	fake_step(&f);
	fake_establish(&f, id);
	CU_ASSERT_EQUAL(mtcp_connect(&f.ctx, id, SA(a), sizeof a), 0);
	FAILS_WITH(mtcp_connect(&f.ctx, id, SA(a), sizeof a), EISCONN);
	fake_fini(&f);
}

static void
test_the_error_of_a_connect_is_told_once(void)
{
	struct fake_stack f;
	struct sockaddr_in a = addr(0x0a000002, 80);
	int id, err = 0;
	socklen_t len = sizeof err;

	fake_init(&f);
	id = mtcp_socket(&f.ctx, AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
	FAILS_WITH(mtcp_connect(&f.ctx, id, SA(a), sizeof a), EINPROGRESS);
	fake_step(&f);
	fake_error(&f, id, ECONNREFUSED);
	CU_ASSERT_EQUAL(mtcp_getsockopt(&f.ctx, id, SOL_SOCKET, SO_ERROR, &err, &len), 0);
	CU_ASSERT_EQUAL(err, ECONNREFUSED);
	CU_ASSERT_EQUAL(mtcp_getsockopt(&f.ctx, id, SOL_SOCKET, SO_ERROR, &err, &len), 0);
	CU_ASSERT_EQUAL(err, 0);
	FAILS_WITH(mtcp_connect(&f.ctx, id, SA(a), sizeof a), ECONNABORTED);
	FAILS_WITH(mtcp_connect(&f.ctx, id, SA(a), sizeof a), EINPROGRESS);
	fake_step(&f);
	fake_error(&f, id, ECONNREFUSED);
	FAILS_WITH(mtcp_connect(&f.ctx, id, SA(a), sizeof a), ECONNREFUSED);
	FAILS_WITH(mtcp_connect(&f.ctx, id, SA(a), sizeof a), EINPROGRESS);
	fake_fini(&f);
}

static void
test_a_connect_with_a_send_timeout_gives_up_waiting(void)
{
	struct fake_stack f;
	struct sockaddr_in a = addr(0x0a000002, 80);
	struct timeval tv = { 2, 500000 };
	int64_t began;
	int id;

	fake_init(&f);
	id = mtcp_socket(&f.ctx, AF_INET, SOCK_STREAM, 0);
	CU_ASSERT_EQUAL(mtcp_setsockopt(&f.ctx, id, SOL_SOCKET, SO_SNDTIMEO, &tv, sizeof tv), 0);
	began = f.now;
	FAILS_WITH(mtcp_connect(&f.ctx, id, SA(a), sizeof a), EINPROGRESS);
	CU_ASSERT_EQUAL(f.now - began, MS(2500));
	fake_fini(&f);
}

/* -- names ---------------------------------------------------------------- */

/* Between the request and ESTABLISHED the stack is asked. */
static void
test_a_name_is_known_while_connecting(void)
{
	struct fake_stack f;
	struct sockaddr_in a = addr(0x0a000002, 80), got;
	socklen_t len = sizeof got;
	int id;

	fake_init(&f);
	id = mtcp_socket(&f.ctx, AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
	FAILS_WITH(mtcp_connect(&f.ctx, id, SA(a), sizeof a), EINPROGRESS);
	sock_set_local(&f.ch.socks[id], &(struct sock_addr){ ip_addr_v4(0x0a000001), 50001 });
	CU_ASSERT_EQUAL(mtcp_getsockname(&f.ctx, id, SA(got), &len), 0);
	CU_ASSERT_EQUAL(ntohs(got.sin_port), 50001);
	CU_ASSERT_EQUAL(ntohl(got.sin_addr.s_addr), 0x0a000001);
	fake_fini(&f);
}

/* connect() to AF_UNSPEC, as POSIX has it. */
static void
test_a_connection_can_be_taken_back(void)
{
	struct fake_stack f;
	struct sockaddr_in nobody = { .sin_family = AF_UNSPEC }, a = addr(0x0a000002, 80);
	char c;
	int id, l;

	fake_init(&f);
	id = fake_connected(&f);
	fake_receive(&f, id, "abc", 3);
	CU_ASSERT_EQUAL(mtcp_write(&f.ctx, id, "x", 1), 1);
	CU_ASSERT_EQUAL(mtcp_connect(&f.ctx, id, SA(nobody), sizeof nobody), 0);
	FAILS_WITH(mtcp_read(&f.ctx, id, &c, 1), ENOTCONN);
	FAILS_WITH(mtcp_connect(&f.ctx, id, SA(a), sizeof a), EINPROGRESS);
	l = fake_listener(&f, 80);
	FAILS_WITH(mtcp_connect(&f.ctx, l, SA(a), sizeof a), EISCONN);
	fake_fini(&f);
}

/* -- Fast Open ------------------------------------------------------------ */

static ssize_t
send_first(struct fake_stack *f, int id, const char *text, int flags)
{
	struct sockaddr_in a = addr(0x0a000002, 80);
	struct iovec v = { (void *)(uintptr_t)text, strlen(text) };
	struct msghdr m = { .msg_name = &a, .msg_namelen = sizeof a, .msg_iov = &v, .msg_iovlen = 1 };

	return mtcp_sendmsg(&f->ctx, id, &m, MSG_FASTOPEN | flags);
}

static bool
opens_with_text(struct fake_stack *f, int id)
{
	return (sock_requests(&f->ch.socks[id]) & SOCK_REQ_CONNECT) &&
	       (atomic_load(&f->ch.socks[id].opt_bits) & SOCK_OPT_FASTOPEN);
}

static void
test_text_goes_with_the_syn_when_a_cookie_is_known(void)
{
	struct fake_stack f;
	char text[8];
	int id;

	fake_init(&f);
	f.fastopen_room = 5;
	id = mtcp_socket(&f.ctx, AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
	CU_ASSERT_EQUAL(send_first(&f, id, "hello, world", 0), 5);
	CU_ASSERT_TRUE(opens_with_text(&f, id));
	CU_ASSERT_EQUAL(fake_take(&f, id, text, sizeof text), 5);
	CU_ASSERT_EQUAL(memcmp(text, "hello", 5), 0);
	CU_ASSERT_EQUAL(send_first(&f, id, "x", 0), -1);
	CU_ASSERT_EQUAL(errno, EALREADY);
	fake_step(&f);
	fake_establish(&f, id);
	CU_ASSERT_EQUAL(send_first(&f, id, "x", 0), -1);
	CU_ASSERT_EQUAL(errno, EISCONN);
	FAILS_WITH(mtcp_send(&f.ctx, mtcp_socket(&f.ctx, AF_INET, SOCK_STREAM, 0), "x", 1,
	                     MSG_FASTOPEN), EINVAL);
	fake_fini(&f);
}

static void
test_without_a_cookie_the_syn_asks_for_one(void)
{
	struct fake_stack f;
	int id, no = 0;

	fake_init(&f);
	id = mtcp_socket(&f.ctx, AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
	CU_ASSERT_EQUAL(send_first(&f, id, "hello", 0), -1);
	CU_ASSERT_EQUAL(errno, EINPROGRESS);
	CU_ASSERT_TRUE(opens_with_text(&f, id));
	CU_ASSERT_EQUAL(fake_take(&f, id, NULL, 9), 0);
	mtcp_close(&f.ctx, id);
	fake_step(&f);

	id = mtcp_socket(&f.ctx, AF_INET, SOCK_STREAM, 0);
	fake_on_wait(&f, connect_ends, &no);
	CU_ASSERT_EQUAL(send_first(&f, id, "hello", 0), 5); /* when it is open */
	CU_ASSERT_EQUAL(fake_take(&f, id, NULL, 9), 5);
	fake_fini(&f);
}

static void
test_a_deferred_connect_opens_with_the_first_write(void)
{
	struct fake_stack f;
	struct sockaddr_in a = addr(0x0a000002, 80);
	struct sockref *r;
	int id, on = 1;

	fake_init(&f);
	f.fastopen_room = 100;
	id = mtcp_socket(&f.ctx, AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
	CU_ASSERT_EQUAL(mtcp_setsockopt(&f.ctx, id, IPPROTO_TCP, TCP_FASTOPEN_CONNECT, &on, sizeof on), 0);
	CU_ASSERT_EQUAL(mtcp_connect(&f.ctx, id, SA(a), sizeof a), 0);
	FAILS_WITH(mtcp_connect(&f.ctx, id, SA(a), sizeof a), EISCONN);
	CU_ASSERT_FALSE(sock_requests(&f.ch.socks[id]) & SOCK_REQ_CONNECT);
	r = sockref_of(&f.ctx, id);
	CU_ASSERT_EQUAL(ready_events(&f.ctx, r, MTCP_EPOLLIN | MTCP_EPOLLOUT | MTCP_EPOLLHUP),
	                MTCP_EPOLLOUT);
	CU_ASSERT_EQUAL(mtcp_write(&f.ctx, id, "hello", 5), 5);
	CU_ASSERT_TRUE(opens_with_text(&f, id));
	CU_ASSERT_EQUAL(f.ch.socks[id].name.rport, 80);
	CU_ASSERT_EQUAL(fake_take(&f, id, NULL, 9), 5);
	mtcp_close(&f.ctx, id);

	f.fastopen_room = 0; /* nothing known: as ever, but the SYN asks for a cookie */
	id = mtcp_socket(&f.ctx, AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
	CU_ASSERT_EQUAL(mtcp_setsockopt(&f.ctx, id, IPPROTO_TCP, TCP_FASTOPEN_CONNECT, &on, sizeof on), 0);
	FAILS_WITH(mtcp_connect(&f.ctx, id, SA(a), sizeof a), EINPROGRESS);
	CU_ASSERT_TRUE(opens_with_text(&f, id));
	fake_fini(&f);
}

void
suite_api_connect(void)
{
	CU_pSuite s = CU_add_suite("api/api_connect", NULL, NULL);

	CU_add_test(s, "a blocking connect returns how it went",
	            test_a_blocking_connect_returns_how_it_went);
	CU_add_test(s, "a non-blocking connect tells its state when asked again",
	            test_a_nonblocking_connect_tells_its_state_when_asked_again);
	CU_add_test(s, "the error of a connect is told once (RFC 9293 MUST-47; option: "
	            "SO_ERROR)",
	            test_the_error_of_a_connect_is_told_once);
	CU_add_test(s, "a connect with a send timeout gives up waiting (option: SO_SNDTIMEO)",
	            test_a_connect_with_a_send_timeout_gives_up_waiting);
	CU_add_test(s, "a name is known while connecting", test_a_name_is_known_while_connecting);
	CU_add_test(s, "a connection can be taken back", test_a_connection_can_be_taken_back);
	CU_add_test(s, "text goes with the SYN when a cookie is known (option: MSG_FASTOPEN)",
	            test_text_goes_with_the_syn_when_a_cookie_is_known);
	CU_add_test(s, "without a cookie the SYN asks for one",
	            test_without_a_cookie_the_syn_asks_for_one);
	CU_add_test(s, "a deferred connect opens with the first write",
	            test_a_deferred_connect_opens_with_the_first_write);
}
