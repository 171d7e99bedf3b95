/* SPDX-License-Identifier: BSD-3-Clause */
/* Sockets and epoll, a call for a call. */
#include "test/bench/kernel/kernel.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <unistd.h>

#define EVENTS_MAX 1024

/* ---- sockets ------------------------------------------------------------- */

int
mtcp_socket(mctx_t ctx, int domain, int type, int protocol)
{
	(void)ctx;
	return socket(domain, type | SOCK_CLOEXEC, protocol);
}

static in_port_t
port_of(const struct sockaddr *addr)
{
	return addr->sa_family == AF_INET6
	               ? ((const struct sockaddr_in6 *)(const void *)addr)->sin6_port
	               : ((const struct sockaddr_in *)(const void *)addr)->sin_port;
}

/* A named port is a listener's, one a core; for another the kernel picks it when it
 * knows the peer, so that a source has as many ports as connections need. */
int
mtcp_bind(mctx_t ctx, int sockid, const struct sockaddr *addr, socklen_t addrlen)
{
	int one = 1;

	(void)ctx;
	if (port_of(addr) == INPORT_ANY) {
		setsockopt(sockid, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &one, sizeof(one));
	} else {
		setsockopt(sockid, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
		setsockopt(sockid, SOL_SOCKET, SO_REUSEPORT, &one, sizeof(one));
	}
	return bind(sockid, addr, addrlen);
}

int
mtcp_listen(mctx_t ctx, int sockid, int backlog)
{
	(void)ctx;
	return listen(sockid, backlog);
}

int
mtcp_accept(mctx_t ctx, int sockid, struct sockaddr *addr, socklen_t *addrlen)
{
	return mtcp_accept4(ctx, sockid, addr, addrlen, 0);
}

int
mtcp_accept4(mctx_t ctx, int sockid, struct sockaddr *addr, socklen_t *addrlen, int flags)
{
	(void)ctx;
	return accept4(sockid, addr, addrlen, flags | SOCK_CLOEXEC);
}

int
mtcp_connect(mctx_t ctx, int sockid, const struct sockaddr *addr, socklen_t addrlen)
{
	(void)ctx;
	return connect(sockid, addr, addrlen);
}

int
mtcp_init_rss(mctx_t ctx, in_addr_t saddr_base, int num_addr, in_addr_t daddr, in_addr_t dport)
{
	(void)ctx;
	(void)saddr_base;
	(void)num_addr;
	(void)daddr;
	(void)dport;
	return 0;
}

int
mtcp_shutdown(mctx_t ctx, int sockid, int how)
{
	(void)ctx;
	return shutdown(sockid, how);
}

int
mtcp_close(mctx_t ctx, int sockid)
{
	(void)ctx;
	return close(sockid);
}

int
mtcp_abort(mctx_t ctx, int sockid)
{
	struct linger at_once = {.l_onoff = 1};

	setsockopt(sockid, SOL_SOCKET, SO_LINGER, &at_once, sizeof(at_once));
	return mtcp_close(ctx, sockid);
}

int
mtcp_setsock_nonblock(mctx_t ctx, int sockid)
{
	int flags = fcntl(sockid, F_GETFL);

	(void)ctx;
	return flags < 0 ? -1 : fcntl(sockid, F_SETFL, flags | O_NONBLOCK);
}

int
mtcp_getsockopt(mctx_t ctx, int sockid, int level, int optname, void *optval, socklen_t *optlen)
{
	(void)ctx;
	return getsockopt(sockid, level, optname, optval, optlen);
}

int
mtcp_setsockopt(mctx_t ctx, int sockid, int level, int optname, const void *optval,
                socklen_t optlen)
{
	(void)ctx;
	return setsockopt(sockid, level, optname, optval, optlen);
}

int
mtcp_getsockname(mctx_t ctx, int sockid, struct sockaddr *addr, socklen_t *addrlen)
{
	(void)ctx;
	return getsockname(sockid, addr, addrlen);
}

int
mtcp_getpeername(mctx_t ctx, int sockid, struct sockaddr *addr, socklen_t *addrlen)
{
	(void)ctx;
	return getpeername(sockid, addr, addrlen);
}

/* ---- data ---------------------------------------------------------------- */

ssize_t
mtcp_read(mctx_t ctx, int sockid, char *buf, size_t len)
{
	(void)ctx;
	return recv(sockid, buf, len, 0);
}

ssize_t
mtcp_write(mctx_t ctx, int sockid, const char *buf, size_t len)
{
	(void)ctx;
	return send(sockid, buf, len, MSG_NOSIGNAL);
}

int
mtcp_readv(mctx_t ctx, int sockid, const struct iovec *iov, int numiov)
{
	(void)ctx;
	return (int)readv(sockid, iov, numiov);
}

int
mtcp_writev(mctx_t ctx, int sockid, const struct iovec *iov, int numiov)
{
	(void)ctx;
	return (int)writev(sockid, iov, numiov);
}

/* ---- epoll --------------------------------------------------------------- */

static_assert((int)MTCP_EPOLLIN == (int)EPOLLIN, "events are the kernel's");
static_assert((int)MTCP_EPOLLOUT == (int)EPOLLOUT, "events are the kernel's");
static_assert((int)MTCP_EPOLLERR == (int)EPOLLERR, "events are the kernel's");
static_assert((int)MTCP_EPOLLHUP == (int)EPOLLHUP, "events are the kernel's");
static_assert((int)MTCP_EPOLLRDHUP == (int)EPOLLRDHUP, "events are the kernel's");
static_assert((uint32_t)MTCP_EPOLLET == (uint32_t)EPOLLET, "so is how they are told");
static_assert((int)MTCP_EPOLL_CTL_ADD == EPOLL_CTL_ADD, "so are operations");
static_assert((int)MTCP_EPOLL_CTL_DEL == EPOLL_CTL_DEL, "so are operations");
static_assert((int)MTCP_EPOLL_CTL_MOD == EPOLL_CTL_MOD, "so are operations");

int
mtcp_epoll_create(mctx_t ctx, int size)
{
	(void)size;
	return mtcp_epoll_create1(ctx, 0);
}

int
mtcp_epoll_create1(mctx_t ctx, int flags)
{
	(void)ctx;
	return epoll_create1(flags | EPOLL_CLOEXEC);
}

int
mtcp_epoll_ctl(mctx_t ctx, int epid, int op, int sockid, struct mtcp_epoll_event *event)
{
	struct epoll_event ev = {0};

	(void)ctx;
	if (event) {
		ev.events = event->events;
		ev.data.u64 = event->data.u64;
	}
	return epoll_ctl(epid, op, sockid, &ev);
}

int
mtcp_epoll_wait(mctx_t ctx, int epid, struct mtcp_epoll_event *events, int maxevents, int timeout)
{
	struct epoll_event ev[EVENTS_MAX];
	int n = epoll_wait(epid, ev, maxevents < EVENTS_MAX ? maxevents : EVENTS_MAX, timeout);

	(void)ctx;
	for (int i = 0; i < n; i++) {
		events[i].events = ev[i].events;
		events[i].data.u64 = ev[i].data.u64;
	}
	return n;
}

/* The kernel's epoll is a descriptor that can be polled. */
int
mtcp_epoll_getfd(mctx_t ctx, int epid)
{
	(void)ctx;
	return epid;
}
