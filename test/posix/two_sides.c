/* SPDX-License-Identifier: BSD-3-Clause */
#include "test/posix/two_sides.h"

#include <CUnit/CUnit.h>
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdarg.h>
#include <stdio.h>

#define FOUND 4

struct found {
	unsigned n;
	uint32_t events[FOUND];
	uint64_t data[FOUND];
};

static struct {
	char said[2048];
	char answer[2048];
	size_t len;
	char refuse[32];
	int err;
	int next_fd, next_id;
	struct found kernel, stack;
} world;

const mctx_t two_sides_ctx = (mctx_t)(void *)&world;

/* Writes a call down; -1 with errno if it is the one to be refused. */
static int __attribute__((format(printf, 1, 2)))
say(const char *format, ...)
{
	char *at = world.said + world.len;
	size_t room = sizeof world.said - world.len, n = strlen(world.refuse);
	va_list args;

	if (world.len)
		*at++ = ' ', room--;
	va_start(args, format);
	vsnprintf(at, room, format, args);
	va_end(args);
	world.len = strlen(world.said);
	if (n == 0 || strncmp(at, world.refuse, n) != 0)
		return 0;
	world.refuse[0] = '\0';
	errno = world.err;
	return -1;
}

static const char *
text_of(const struct sockaddr *addr)
{
	static char out[80];
	char ip[INET6_ADDRSTRLEN] = "?";
	const struct sockaddr_in *in = (const void *)addr;
	const struct sockaddr_in6 *in6 = (const void *)addr;

	if (addr->sa_family == AF_INET)
		inet_ntop(AF_INET, &in->sin_addr, ip, sizeof ip);
	else if (addr->sa_family == AF_INET6)
		inet_ntop(AF_INET6, &in6->sin6_addr, ip, sizeof ip);
	snprintf(out, sizeof out, "%s:%u", ip, ntohs(in->sin_port));
	return out;
}

/* The oldest one goes. */
static void
take(struct found *f)
{
	f->n--;
	for (unsigned i = 0; i < f->n; i++) {
		f->events[i] = f->events[i + 1];
		f->data[i] = f->data[i + 1];
	}
}

/* ---- the kernel --------------------------------------------------------- */

static int
k_socket(int domain, int type, int protocol)
{
	(void)type, (void)protocol;
	return say("k.socket(%s)", domain == AF_INET ? "4" : domain == AF_INET6 ? "6" : "?") ? -1
	                                                                            : world.next_fd++;
}

static int
k_bind(int fd, const struct sockaddr *addr, socklen_t len)
{
	(void)len;
	return say("k.bind(%d,%s)", fd, text_of(addr));
}

static int
k_listen(int fd, int backlog)
{
	return say("k.listen(%d,%d)", fd, backlog);
}

static int
k_accept4(int fd, struct sockaddr *addr, socklen_t *len, int flags)
{
	(void)addr, (void)len, (void)flags;
	return say("k.accept4(%d)", fd) ? -1 : world.next_fd++;
}

static int
k_connect(int fd, const struct sockaddr *addr, socklen_t len)
{
	(void)len;
	return say("k.connect(%d,%s)", fd, text_of(addr));
}

static int
k_shutdown(int fd, int how)
{
	return say("k.shutdown(%d,%d)", fd, how);
}

static int
k_close(int fd)
{
	return say("k.close(%d)", fd);
}

static ssize_t
k_recv(int fd, void *buf, size_t len, int flags)
{
	(void)buf, (void)flags;
	return say("k.recv(%d)", fd) ? -1 : (ssize_t)len;
}

static ssize_t
k_send(int fd, const void *buf, size_t len, int flags)
{
	(void)buf, (void)flags;
	return say("k.send(%d)", fd) ? -1 : (ssize_t)len;
}

static ssize_t
k_readv(int fd, const struct iovec *iov, int n)
{
	(void)iov;
	return say("k.readv(%d,%d)", fd, n);
}

static ssize_t
k_writev(int fd, const struct iovec *iov, int n)
{
	(void)iov;
	return say("k.writev(%d,%d)", fd, n);
}

static ssize_t
k_recvmsg(int fd, struct msghdr *msg, int flags)
{
	(void)msg, (void)flags;
	return say("k.recvmsg(%d)", fd);
}

static ssize_t
k_sendmsg(int fd, const struct msghdr *msg, int flags)
{
	(void)msg, (void)flags;
	return say("k.sendmsg(%d)", fd);
}

static int
k_getsockopt(int fd, int level, int name, void *val, socklen_t *len)
{
	(void)val, (void)len;
	return say("k.getsockopt(%d,%d,%d)", fd, level, name);
}

static int
k_setsockopt(int fd, int level, int name, const void *val, socklen_t len)
{
	(void)val, (void)len;
	return say("k.setsockopt(%d,%d,%d)", fd, level, name);
}

static int
k_getsockname(int fd, struct sockaddr *addr, socklen_t *len)
{
	struct sockaddr_storage a = two_sides_address("10.0.0.9", 80);

	*len = sizeof(struct sockaddr_in);
	memcpy(addr, &a, *len);
	return say("k.getsockname(%d)", fd);
}

static int
k_getpeername(int fd, struct sockaddr *addr, socklen_t *len)
{
	(void)addr, (void)len;
	return say("k.getpeername(%d)", fd);
}

static int
k_ioctl(int fd, unsigned long request, void *arg)
{
	(void)arg;
	return say("k.ioctl(%d,%lx)", fd, request);
}

static int
k_epoll_create1(int flags)
{
	(void)flags;
	return say("k.epoll()") ? -1 : world.next_fd++;
}

static int
k_epoll_ctl(int epfd, int op, int fd, struct epoll_event *ev)
{
	return say("k.ctl(%d,%d,%d,%x)", epfd, op, fd, ev ? ev->events : 0);
}

static int
k_epoll_wait(int epfd, struct epoll_event *ev, int max, int timeout_ms)
{
	int n = 0;

	if (say("k.wait(%d,%d)", epfd, timeout_ms) < 0)
		return -1;
	while (world.kernel.n && n < max) {
		ev[n].events = world.kernel.events[0];
		ev[n++].data.u64 = world.kernel.data[0];
		take(&world.kernel);
	}
	return n;
}

const struct kernel_calls two_sides_kernel = {
	k_socket, k_bind, k_listen, k_accept4, k_connect, k_shutdown, k_close, k_recv, k_send,
	k_readv, k_writev, k_recvmsg, k_sendmsg, k_getsockopt, k_setsockopt, k_getsockname,
	k_getpeername, k_ioctl, k_epoll_create1, k_epoll_ctl, k_epoll_wait,
};

/* ---- the stack ---------------------------------------------------------- */

static int
s_socket(mctx_t ctx, int domain, int type, int protocol)
{
	(void)protocol;
	CU_ASSERT_PTR_EQUAL(ctx, two_sides_ctx);
	return say("s.socket(%s%s)", domain == AF_INET ? "4" : "6",
	           type & SOCK_NONBLOCK ? ",nonblock" : "") ? -1 : world.next_id++;
}

static int
s_bind(mctx_t ctx, int id, const struct sockaddr *addr, socklen_t len)
{
	(void)ctx, (void)len;
	return say("s.bind(%d,%s)", id, text_of(addr));
}

static int
s_listen(mctx_t ctx, int id, int backlog)
{
	(void)ctx;
	return say("s.listen(%d,%d)", id, backlog);
}

static int
s_accept4(mctx_t ctx, int id, struct sockaddr *addr, socklen_t *len, int flags)
{
	(void)ctx, (void)addr, (void)len, (void)flags;
	return say("s.accept4(%d)", id) ? -1 : world.next_id++;
}

static int
s_connect(mctx_t ctx, int id, const struct sockaddr *addr, socklen_t len)
{
	(void)ctx, (void)len;
	return say("s.connect(%d,%s)", id, text_of(addr));
}

static int
s_shutdown(mctx_t ctx, int id, int how)
{
	(void)ctx;
	return say("s.shutdown(%d,%d)", id, how);
}

static int
s_close(mctx_t ctx, int id)
{
	(void)ctx;
	return say("s.close(%d)", id);
}

static ssize_t
s_recv(mctx_t ctx, int id, char *buf, size_t len, int flags)
{
	(void)ctx, (void)buf, (void)flags;
	return say("s.recv(%d)", id) ? -1 : (ssize_t)len;
}

static ssize_t
s_send(mctx_t ctx, int id, const char *buf, size_t len, int flags)
{
	(void)ctx, (void)buf, (void)flags;
	return say("s.send(%d)", id) ? -1 : (ssize_t)len;
}

static int
s_readv(mctx_t ctx, int id, const struct iovec *iov, int n)
{
	(void)ctx, (void)iov;
	return say("s.readv(%d,%d)", id, n);
}

static int
s_writev(mctx_t ctx, int id, const struct iovec *iov, int n)
{
	(void)ctx, (void)iov;
	return say("s.writev(%d,%d)", id, n);
}

static ssize_t
s_recvmsg(mctx_t ctx, int id, struct msghdr *msg, int flags)
{
	(void)ctx, (void)msg, (void)flags;
	return say("s.recvmsg(%d)", id);
}

static ssize_t
s_sendmsg(mctx_t ctx, int id, const struct msghdr *msg, int flags)
{
	(void)ctx, (void)msg, (void)flags;
	return say("s.sendmsg(%d)", id);
}

static int
s_getsockopt(mctx_t ctx, int id, int level, int name, void *val, socklen_t *len)
{
	(void)ctx, (void)val, (void)len;
	return say("s.getsockopt(%d,%d,%d)", id, level, name);
}

static int
s_setsockopt(mctx_t ctx, int id, int level, int name, const void *val, socklen_t len)
{
	(void)ctx, (void)len;
	return say("s.setsockopt(%d,%d,%d,%d)", id, level, name, *(const int *)val);
}

static int
s_getsockname(mctx_t ctx, int id, struct sockaddr *addr, socklen_t *len)
{
	(void)ctx, (void)addr, (void)len;
	return say("s.getsockname(%d)", id);
}

static int
s_getpeername(mctx_t ctx, int id, struct sockaddr *addr, socklen_t *len)
{
	(void)ctx, (void)addr, (void)len;
	return say("s.getpeername(%d)", id);
}

static int
s_ioctl(mctx_t ctx, int id, int request, void *arg)
{
	(void)ctx, (void)arg;
	return say("s.ioctl(%d,%x)", id, (unsigned)request);
}

static int
s_epoll_create1(mctx_t ctx, int flags)
{
	(void)ctx, (void)flags;
	return say("s.epoll()") ? -1 : world.next_id++;
}

static int
s_epoll_ctl(mctx_t ctx, int epid, int op, int id, struct mtcp_epoll_event *ev)
{
	(void)ctx;
	return say("s.ctl(%d,%d,%d,%x)", epid, op, id, ev ? ev->events : 0);
}

static int
s_epoll_wait(mctx_t ctx, int epid, struct mtcp_epoll_event *ev, int max, int timeout_ms)
{
	int n = 0;

	(void)ctx;
	CU_ASSERT_EQUAL(timeout_ms, 0);
	if (say("s.wait(%d)", epid) < 0)
		return -1;
	while (world.stack.n && n < max) {
		ev[n].events = world.stack.events[0];
		ev[n++].data.u64 = world.stack.data[0];
		take(&world.stack);
	}
	return n;
}

static int
s_epoll_getfd(mctx_t ctx, int epid)
{
	(void)ctx;
	return say("s.bell(%d)", epid) ? -1 : 99;
}

const struct stack_calls two_sides_stack = {
	s_socket, s_bind, s_listen, s_accept4, s_connect, s_shutdown, s_close, s_recv, s_send,
	s_readv, s_writev, s_recvmsg, s_sendmsg, s_getsockopt, s_setsockopt, s_getsockname,
	s_getpeername, s_ioctl, s_epoll_create1, s_epoll_ctl, s_epoll_wait, s_epoll_getfd,
};

/* ---- for the tests ------------------------------------------------------ */

struct posix *
two_sides(bool with_stack)
{
	struct posix *p;

	memset(&world, 0, sizeof world);
	world.next_fd = 3;
	p = posix_new(&two_sides_kernel, &two_sides_stack, FIRST);
	CU_ASSERT_PTR_NOT_NULL_FATAL(p);
	p->active = true;
	if (with_stack)
		CU_ASSERT_EQUAL(posix_take_stack(p, two_sides_ctx), 0);
	return p;
}

void
two_sides_end(struct posix *p)
{
	posix_delete(p);
}

const char *
two_sides_said(void)
{
	memcpy(world.answer, world.said, sizeof world.answer);
	world.said[0] = '\0';
	world.len = 0;
	return world.answer;
}

void
two_sides_refuse(const char *call, int err)
{
	snprintf(world.refuse, sizeof world.refuse, "%s", call);
	world.err = err;
}

static void
finds(struct found *f, uint32_t events, uint64_t data)
{
	CU_ASSERT_FATAL(f->n < FOUND);
	f->events[f->n] = events;
	f->data[f->n++] = data;
}

void
two_sides_kernel_finds(uint32_t events, uint64_t data)
{
	finds(&world.kernel, events, data);
}

void
two_sides_stack_finds(uint32_t events, uint64_t data)
{
	finds(&world.stack, events, data);
}

struct sockaddr_storage
two_sides_address(const char *ip, uint16_t port)
{
	struct sockaddr_storage a = { 0 };
	struct sockaddr_in *in = (void *)&a;
	struct sockaddr_in6 *in6 = (void *)&a;

	if (inet_pton(AF_INET, ip, &in->sin_addr) == 1) {
		a.ss_family = AF_INET;
		in->sin_port = htons(port);
		return a;
	}
	CU_ASSERT_EQUAL(inet_pton(AF_INET6, ip, &in6->sin6_addr), 1);
	a.ss_family = AF_INET6;
	in6->sin6_port = htons(port);
	return a;
}
