/* SPDX-License-Identifier: BSD-3-Clause */
/* Datagram sockets through the calls: two embedded stacks on a wire without any delay. */
#include <CUnit/CUnit.h>

#include <arpa/inet.h>
#include <errno.h>
#include <string.h>
#include <sys/ioctl.h>

#include "base/base.h"
#include "mtcp_embed.h"
#include "mtcp_epoll.h"

void suite_dgram_sock(void);

struct pair_of {
	struct mtcp_embed *e[2];
	mctx_t c[2];
	int64_t now;
};

static struct pair_of p;
static char text[65536], got[65536];

static void
go(int64_t ns)
{
	uint8_t pkt[2048];
	int64_t when;
	ssize_t n;

	p.now += ns;
	for (unsigned round = 0; round < 400; round++) {
		bool any = false;

		for (int i = 0; i < 2; i++) {
			(void)mtcp_embed_step(p.e[i], p.now);
			while ((n = mtcp_embed_take(p.e[i], pkt, sizeof pkt, &when)) > 0) {
				any = true;
				(void)mtcp_embed_give(p.e[1 - i], pkt, (size_t)n);
			}
		}
		if (!any)
			return;
	}
}

static int
waits(void *arg, int64_t until)
{
	(void)arg;
	if (until == MTCP_EMBED_NEVER)
		until = p.now + SEC(1);
	if (p.now > SEC(1000))
		return -EINTR;
	go(max(until - p.now, INT64_C(0)));
	return 0;
}

static void
begin(void)
{
	static const char *const address[2] = { "10.0.0.1/24 fd00::1/64", "10.0.0.2/24 fd00::2/64" };

	memset(&p, 0, sizeof p);
	for (int i = 0; i < 2; i++) {
		struct mtcp_embed_cfg cfg = { .address = address[i], .seed = (uint64_t)(7 + i),
			                      .wait = waits };

		p.e[i] = mtcp_embed_new(&cfg);
		CU_ASSERT_PTR_NOT_NULL_FATAL(p.e[i]);
		p.c[i] = mtcp_embed_context(p.e[i]);
	}
	for (unsigned i = 0; i < sizeof text; i++)
		text[i] = (char)(i * 5 + i / 256);
}

static void
end(void)
{
	mtcp_embed_free(p.e[0]);
	mtcp_embed_free(p.e[1]);
}

static const struct sockaddr *
at(const char *ip, uint16_t port)
{
	static struct sockaddr_in a[4];
	static unsigned n;
	struct sockaddr_in *in = &a[n++ % 4];

	*in = (struct sockaddr_in){ .sin_family = AF_INET, .sin_port = htons(port) };
	inet_pton(AF_INET, ip, &in->sin_addr);
	return (const struct sockaddr *)in;
}

#define LEN sizeof(struct sockaddr_in)
#define FAILS(call, e) CU_ASSERT((errno = 0, (call) == -1 && errno == (e)))

static int
bound(int who, uint16_t port, int type)
{
	int s = mtcp_socket(p.c[who], AF_INET, SOCK_DGRAM | type, 0);

	CU_ASSERT_FATAL(s >= 0);
	if (port)
		CU_ASSERT_EQUAL(mtcp_bind(p.c[who], s, at("0.0.0.0", port), LEN), 0);
	return s;
}

static void
test_a_question_and_its_answer(void)
{
	static const size_t len[] = { 0, 1, 1472, 1473, 20000, 65507 };
	struct sockaddr_in from;
	socklen_t n = sizeof from;
	int a, b;

	begin();
	a = bound(0, 0, 0);
	b = bound(1, 53, 0);
	for (unsigned i = 0; i < array_len(len); i++) {
		CU_ASSERT_EQUAL(mtcp_sendto(p.c[0], a, text, len[i], 0, at("10.0.0.2", 53), LEN),
		                (ssize_t)len[i]);
		n = sizeof from;
		CU_ASSERT_EQUAL(mtcp_recvfrom(p.c[1], b, got, sizeof got, 0,
		                              (struct sockaddr *)&from, &n), (ssize_t)len[i]);
		CU_ASSERT_EQUAL(memcmp(got, text, len[i]), 0);
		CU_ASSERT_TRUE(n == LEN && from.sin_addr.s_addr == inet_addr("10.0.0.1"));
		CU_ASSERT_EQUAL(mtcp_sendto(p.c[1], b, text + 1, len[i], 0,
		                            (struct sockaddr *)&from, n), (ssize_t)len[i]);
		CU_ASSERT_EQUAL(mtcp_read(p.c[0], a, got, sizeof got), (ssize_t)len[i]);
		CU_ASSERT_EQUAL(memcmp(got, text + 1, len[i]), 0);
	}
	n = sizeof from;
	CU_ASSERT_EQUAL(mtcp_getsockname(p.c[0], a, (struct sockaddr *)&from, &n), 0);
	CU_ASSERT_TRUE(ntohs(from.sin_port) >= 32768 && from.sin_addr.s_addr == 0);
	CU_ASSERT_EQUAL(mtcp_close(p.c[0], a), 0);
	CU_ASSERT_EQUAL(mtcp_close(p.c[1], b), 0);
	end();
}

static void
test_a_socket_of_both_families(void)
{
	struct sockaddr_in6 here = { .sin6_family = AF_INET6, .sin6_port = htons(53) }, from;
	struct sockaddr_in6 to = { .sin6_family = AF_INET6, .sin6_port = htons(53) };
	socklen_t n = sizeof from;
	int a, b, four;

	begin();
	inet_pton(AF_INET6, "fd00::2", &to.sin6_addr);
	a = mtcp_socket(p.c[0], AF_INET6, SOCK_DGRAM, 0);
	b = mtcp_socket(p.c[1], AF_INET6, SOCK_DGRAM, 0);
	four = bound(0, 0, 0);
	CU_ASSERT_EQUAL(mtcp_bind(p.c[1], b, (struct sockaddr *)&here, sizeof here), 0);
	CU_ASSERT_EQUAL(mtcp_sendto(p.c[0], a, text, 20000, 0, (struct sockaddr *)&to, sizeof to), 20000);
	CU_ASSERT_EQUAL(mtcp_recvfrom(p.c[1], b, got, sizeof got, 0, (struct sockaddr *)&from, &n), 20000);
	CU_ASSERT_EQUAL(memcmp(got, text, 20000), 0);
	inet_pton(AF_INET6, "fd00::1", &to.sin6_addr);
	CU_ASSERT_TRUE(n == sizeof from && memcmp(&from.sin6_addr, &to.sin6_addr, 16) == 0);
	CU_ASSERT_EQUAL(mtcp_sendto(p.c[1], b, "v6", 2, 0, (struct sockaddr *)&from, n), 2);
	CU_ASSERT_EQUAL(mtcp_read(p.c[0], a, got, 100), 2);
	/* The same port hears IPv4, in mapped form. */
	CU_ASSERT_EQUAL(mtcp_sendto(p.c[0], four, "v4", 2, 0, at("10.0.0.2", 53), LEN), 2);
	CU_ASSERT_EQUAL(mtcp_recvfrom(p.c[1], b, got, 100, 0, (struct sockaddr *)&from, &n), 2);
	inet_pton(AF_INET6, "::ffff:10.0.0.1", &to.sin6_addr);
	CU_ASSERT_EQUAL(memcmp(&from.sin6_addr, &to.sin6_addr, 16), 0);
	CU_ASSERT_EQUAL(mtcp_sendto(p.c[1], b, "back", 4, 0, (struct sockaddr *)&from, n), 4);
	CU_ASSERT_EQUAL(mtcp_read(p.c[0], four, got, 100), 4);
	end();
}

static void
test_what_cannot_be_sent(void)
{
	int a;

	begin();
	a = bound(0, 0, 0);
	FAILS(mtcp_write(p.c[0], a, text, 1), EDESTADDRREQ);
	FAILS(mtcp_sendto(p.c[0], a, text, 65508, 0, at("10.0.0.2", 53), LEN), EMSGSIZE);
	FAILS(mtcp_sendto(p.c[0], a, text, 1, 0, at("10.0.0.2", 0), LEN), EINVAL);
	FAILS(mtcp_sendto(p.c[0], a, text, 1, MSG_OOB, at("10.0.0.2", 1), LEN), EOPNOTSUPP);
	FAILS(mtcp_sendto(p.c[0], a, text, 1, 0, at("10.0.0.2", 1), 3), EINVAL);
	FAILS(mtcp_listen(p.c[0], a, 5), EOPNOTSUPP);
	FAILS(mtcp_accept(p.c[0], a, NULL, NULL), EOPNOTSUPP);
	FAILS(mtcp_socket(p.c[0], AF_INET, SOCK_DGRAM, IPPROTO_TCP), EPROTONOSUPPORT);
	FAILS(mtcp_socket(p.c[0], AF_INET, SOCK_RAW, 0), EPROTONOSUPPORT);
	FAILS(mtcp_shutdown(p.c[0], a, SHUT_RD), ENOTCONN);
	end();
}

static void
test_a_connected_socket(void)
{
	struct sockaddr_in name;
	socklen_t n = sizeof name;
	int a, b, other;

	begin();
	a = bound(0, 0, 0);
	b = bound(1, 53, 0);
	other = bound(1, 54, 0);
	FAILS(mtcp_getpeername(p.c[0], a, (struct sockaddr *)&name, &n), ENOTCONN);
	CU_ASSERT_EQUAL(mtcp_connect(p.c[0], a, at("10.0.0.2", 53), LEN), 0);
	CU_ASSERT_EQUAL(mtcp_getpeername(p.c[0], a, (struct sockaddr *)&name, &n), 0);
	CU_ASSERT_EQUAL(name.sin_port, htons(53));
	CU_ASSERT_EQUAL(mtcp_getsockname(p.c[0], a, (struct sockaddr *)&name, &n), 0);
	CU_ASSERT_EQUAL(name.sin_addr.s_addr, inet_addr("10.0.0.1"));
	CU_ASSERT_EQUAL(mtcp_write(p.c[0], a, "ask", 3), 3);
	CU_ASSERT_EQUAL(mtcp_read(p.c[1], b, got, 100), 3);
	/* A stranger's datagram is not for it. */
	CU_ASSERT_EQUAL(mtcp_sendto(p.c[1], other, "lie", 3, 0, (struct sockaddr *)&name, LEN), 3);
	CU_ASSERT_EQUAL(mtcp_sendto(p.c[1], b, "truth", 5, 0, (struct sockaddr *)&name, LEN), 5);
	CU_ASSERT_EQUAL(mtcp_read(p.c[0], a, got, 100), 5);
	FAILS(mtcp_recv(p.c[0], a, got, 100, MSG_DONTWAIT), EAGAIN);
	/* Who is connected may talk to others, and to nobody any more. */
	CU_ASSERT_EQUAL(mtcp_sendto(p.c[0], a, "hi", 2, 0, at("10.0.0.2", 54), LEN), 2);
	CU_ASSERT_EQUAL(mtcp_read(p.c[1], other, got, 100), 2);
	name.sin_family = AF_UNSPEC;
	CU_ASSERT_EQUAL(mtcp_connect(p.c[0], a, (struct sockaddr *)&name, LEN), 0);
	FAILS(mtcp_write(p.c[0], a, "x", 1), EDESTADDRREQ);
	FAILS(mtcp_getpeername(p.c[0], a, (struct sockaddr *)&name, &n), ENOTCONN);
	end();
}

static void
test_refusals_are_told_once(void)
{
	int a, err;
	socklen_t n = sizeof err;

	begin();
	a = bound(0, 0, SOCK_NONBLOCK);
	CU_ASSERT_EQUAL(mtcp_connect(p.c[0], a, at("10.0.0.2", 99), LEN), 0);
	CU_ASSERT_EQUAL(mtcp_write(p.c[0], a, "x", 1), 1);
	go(MS(1));
	FAILS(mtcp_read(p.c[0], a, got, 1), ECONNREFUSED);
	FAILS(mtcp_read(p.c[0], a, got, 1), EAGAIN);
	CU_ASSERT_EQUAL(mtcp_write(p.c[0], a, "x", 1), 1);
	go(MS(1));
	FAILS(mtcp_write(p.c[0], a, "x", 1), ECONNREFUSED);
	CU_ASSERT_EQUAL(mtcp_write(p.c[0], a, "x", 1), 1);
	go(MS(1));
	CU_ASSERT_EQUAL(mtcp_getsockopt(p.c[0], a, SOL_SOCKET, SO_ERROR, &err, &n), 0);
	CU_ASSERT_EQUAL(err, ECONNREFUSED);
	FAILS(mtcp_read(p.c[0], a, got, 1), EAGAIN);
	end();
}

static void
test_peeking_and_cutting(void)
{
	struct iovec v[2] = { { got, 3 }, { got + 100, 3 } };
	struct sockaddr_in from;
	struct msghdr m = { .msg_name = &from, .msg_namelen = sizeof from, .msg_iov = v,
		            .msg_iovlen = 2 };
	int a, b, n;

	begin();
	a = bound(0, 0, 0);
	b = bound(1, 53, 0);
	for (unsigned i = 0; i < 4; i++)
		(void)mtcp_sendto(p.c[0], a, "0123456789", 10, 0, at("10.0.0.2", 53), LEN);
	go(MS(1));
	CU_ASSERT_EQUAL(mtcp_socket_ioctl(p.c[1], b, FIONREAD, &n), 0);
	CU_ASSERT_EQUAL(n, 10);
	CU_ASSERT_EQUAL(mtcp_recv(p.c[1], b, got, 4, MSG_PEEK), 4);
	CU_ASSERT_EQUAL(mtcp_recv(p.c[1], b, got, 4, MSG_PEEK | MSG_TRUNC), 10);
	CU_ASSERT_EQUAL(mtcp_recv(p.c[1], b, got, 4, MSG_TRUNC), 10);
	CU_ASSERT_EQUAL(mtcp_recv(p.c[1], b, got, 4, 0), 4);
	CU_ASSERT_EQUAL(mtcp_recvmsg(p.c[1], b, &m, 0), 6);
	CU_ASSERT_TRUE(m.msg_flags == MSG_TRUNC && m.msg_namelen == LEN);
	CU_ASSERT_EQUAL(memcmp(got, "012", 3) | memcmp(got + 100, "345", 3), 0);
	v[1].iov_len = 100;
	CU_ASSERT_EQUAL(mtcp_recvmsg(p.c[1], b, &m, 0), 10);
	CU_ASSERT_EQUAL(m.msg_flags, 0);
	FAILS(mtcp_recv(p.c[1], b, got, 4, MSG_DONTWAIT), EAGAIN);
	FAILS(mtcp_recv(p.c[1], b, got, 4, MSG_OOB), EINVAL);
	end();
}

static void
test_epoll_tells_of_datagrams(void)
{
	struct mtcp_epoll_event ev = { .events = MTCP_EPOLLIN | MTCP_EPOLLOUT };
	int a, b, ep, et;

	begin();
	a = bound(0, 0, SOCK_NONBLOCK);
	b = bound(1, 53, SOCK_NONBLOCK);
	ep = mtcp_epoll_create(p.c[1], 8);
	et = mtcp_epoll_create(p.c[1], 8);
	CU_ASSERT_EQUAL(mtcp_epoll_ctl(p.c[1], ep, MTCP_EPOLL_CTL_ADD, b, &ev), 0);
	ev.events = MTCP_EPOLLIN | (uint32_t)MTCP_EPOLLET;
	CU_ASSERT_EQUAL(mtcp_epoll_ctl(p.c[1], et, MTCP_EPOLL_CTL_ADD, b, &ev), 0);
	CU_ASSERT_EQUAL(mtcp_epoll_wait(p.c[1], ep, &ev, 1, 0), 1);
	CU_ASSERT_EQUAL(ev.events, MTCP_EPOLLOUT);
	CU_ASSERT_EQUAL(mtcp_epoll_wait(p.c[1], et, &ev, 1, 0), 0);
	(void)mtcp_sendto(p.c[0], a, "1", 1, 0, at("10.0.0.2", 53), LEN);
	go(MS(1));
	CU_ASSERT_EQUAL(mtcp_epoll_wait(p.c[1], ep, &ev, 1, 0), 1);
	CU_ASSERT_EQUAL(ev.events, MTCP_EPOLLIN | MTCP_EPOLLOUT);
	CU_ASSERT_EQUAL(mtcp_epoll_wait(p.c[1], et, &ev, 1, 0), 1);
	CU_ASSERT_EQUAL(mtcp_epoll_wait(p.c[1], et, &ev, 1, 0), 0);
	(void)mtcp_sendto(p.c[0], a, "2", 1, 0, at("10.0.0.2", 53), LEN);
	go(MS(1));
	CU_ASSERT_EQUAL(mtcp_epoll_wait(p.c[1], et, &ev, 1, 0), 1);
	CU_ASSERT_EQUAL(mtcp_read(p.c[1], b, got, 9), 1);
	CU_ASSERT_EQUAL(mtcp_read(p.c[1], b, got, 9), 1);
	FAILS(mtcp_read(p.c[1], b, got, 9), EAGAIN);
	/* A refusal is an error until it is told. */
	CU_ASSERT_EQUAL(mtcp_connect(p.c[1], b, at("10.0.0.1", 99), LEN), 0);
	CU_ASSERT_EQUAL(mtcp_write(p.c[1], b, "x", 1), 1);
	go(MS(1));
	CU_ASSERT_EQUAL(mtcp_epoll_wait(p.c[1], ep, &ev, 1, 0), 1);
	CU_ASSERT_TRUE(ev.events & MTCP_EPOLLERR);
	FAILS(mtcp_read(p.c[1], b, got, 9), ECONNREFUSED);
	CU_ASSERT_EQUAL(mtcp_epoll_wait(p.c[1], ep, &ev, 1, 0), 1);
	CU_ASSERT_EQUAL(ev.events, MTCP_EPOLLOUT);
	end();
}

/* More than a socket holds: who may not wait is told so, and told when there is room. */
static void
test_room_comes_back(void)
{
	struct mtcp_epoll_event ev = { .events = MTCP_EPOLLOUT };
	int a, ep, size = 8192;
	unsigned n = 0;

	begin();
	a = bound(0, 0, SOCK_NONBLOCK);
	ep = mtcp_epoll_create(p.c[0], 8);
	CU_ASSERT_EQUAL(mtcp_setsockopt(p.c[0], a, SOL_SOCKET, SO_SNDBUF, &size, sizeof size), 0);
	CU_ASSERT_EQUAL(mtcp_epoll_ctl(p.c[0], ep, MTCP_EPOLL_CTL_ADD, a, &ev), 0);
	while (mtcp_sendto(p.c[0], a, text, 1000, 0, at("10.0.0.2", 53), LEN) == 1000)
		n++;
	CU_ASSERT_TRUE(errno == EAGAIN && n >= 8 && n <= 17);
	go(MS(1));
	CU_ASSERT_EQUAL(mtcp_epoll_wait(p.c[0], ep, &ev, 1, 0), 1);
	CU_ASSERT_EQUAL(mtcp_sendto(p.c[0], a, text, 1000, 0, at("10.0.0.2", 53), LEN), 1000);
	end();
}

static void
test_a_read_waits_no_longer_than_it_may(void)
{
	struct timeval tv = { 2, 0 };
	int64_t from;
	int a;

	begin();
	a = bound(0, 99, 0);
	CU_ASSERT_EQUAL(mtcp_setsockopt(p.c[0], a, SOL_SOCKET, SO_RCVTIMEO, &tv, sizeof tv), 0);
	from = p.now;
	FAILS(mtcp_read(p.c[0], a, got, 1), EAGAIN);
	CU_ASSERT_TRUE(p.now - from >= SEC(2));
	end();
}

static void
test_options(void)
{
	int a, v = 1;
	socklen_t n = sizeof v;

	begin();
	a = bound(0, 99, 0);
	CU_ASSERT_EQUAL(mtcp_getsockopt(p.c[0], a, SOL_SOCKET, SO_TYPE, &v, &n), 0);
	CU_ASSERT_EQUAL(v, SOCK_DGRAM);
	CU_ASSERT_EQUAL(mtcp_getsockopt(p.c[0], a, SOL_SOCKET, SO_PROTOCOL, &v, &n), 0);
	CU_ASSERT_EQUAL(v, IPPROTO_UDP);
	CU_ASSERT_EQUAL(mtcp_getsockopt(p.c[0], a, SOL_SOCKET, SO_RCVBUF, &v, &n), 0);
	CU_ASSERT_EQUAL(v, 212992);
	v = 100000;
	CU_ASSERT_EQUAL(mtcp_setsockopt(p.c[0], a, SOL_SOCKET, SO_RCVBUF, &v, n), 0);
	CU_ASSERT_EQUAL(mtcp_getsockopt(p.c[0], a, SOL_SOCKET, SO_RCVBUF, &v, &n), 0);
	CU_ASSERT_EQUAL(v, 200000);
	CU_ASSERT_EQUAL(mtcp_getsockopt(p.c[0], a, IPPROTO_IP, IP_MTU_DISCOVER, &v, &n), 0);
	CU_ASSERT_EQUAL(v, IP_PMTUDISC_WANT);
	v = IP_PMTUDISC_DO;
	CU_ASSERT_EQUAL(mtcp_setsockopt(p.c[0], a, IPPROTO_IP, IP_MTU_DISCOVER, &v, n), 0);
	FAILS(mtcp_sendto(p.c[0], a, text, 1473, 0, at("10.0.0.2", 1), LEN), EMSGSIZE);
	CU_ASSERT_EQUAL(mtcp_sendto(p.c[0], a, text, 1472, 0, at("10.0.0.2", 1), LEN), 1472);
	CU_ASSERT_EQUAL(mtcp_getsockopt(p.c[0], a, IPPROTO_IP, IP_MTU_DISCOVER, &v, &n), 0);
	CU_ASSERT_EQUAL(v, IP_PMTUDISC_DO);
	v = 4;
	FAILS(mtcp_setsockopt(p.c[0], a, IPPROTO_IP, IP_MTU_DISCOVER, &v, n), EINVAL);
	v = 1;
	CU_ASSERT_EQUAL(mtcp_setsockopt(p.c[0], a, SOL_SOCKET, SO_BROADCAST, &v, n), 0);
	CU_ASSERT_EQUAL(mtcp_getsockopt(p.c[0], a, SOL_SOCKET, SO_BROADCAST, &v, &n), 0);
	CU_ASSERT_EQUAL(v, 1);
	FAILS(mtcp_setsockopt(p.c[0], a, IPPROTO_TCP, 1, &v, n), ENOPROTOOPT);
	end();
}

void
suite_dgram_sock(void)
{
	CU_pSuite s = CU_add_suite("api/dgram_sock", NULL, NULL);

	CU_add_test(s, "a question and its answer, of any length", test_a_question_and_its_answer);
	CU_add_test(s, "a socket of both families", test_a_socket_of_both_families);
	CU_add_test(s, "what cannot be sent fails", test_what_cannot_be_sent);
	CU_add_test(s, "a connected socket hears its peer only", test_a_connected_socket);
	CU_add_test(s, "refusals are told once (RFC 1122 4.1.3.3)", test_refusals_are_told_once);
	CU_add_test(s, "peeking and cutting", test_peeking_and_cutting);
	CU_add_test(s, "epoll tells of datagrams", test_epoll_tells_of_datagrams);
	CU_add_test(s, "room comes back", test_room_comes_back);
	CU_add_test(s, "a read waits no longer than it may", test_a_read_waits_no_longer_than_it_may);
	CU_add_test(s, "options", test_options);
}
