/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The calls of mtcp_api.h and mtcp_epoll.h that this folder makes, as a table: the library's, or
 * those of a test that plays the stack.
 */
#pragma once

#include "mtcp_epoll.h"

struct stack_calls {
	int (*socket)(mctx_t ctx, int domain, int type, int protocol);
	int (*bind)(mctx_t ctx, int id, const struct sockaddr *addr, socklen_t len);
	int (*listen)(mctx_t ctx, int id, int backlog);
	int (*accept4)(mctx_t ctx, int id, struct sockaddr *addr, socklen_t *len, int flags);
	int (*connect)(mctx_t ctx, int id, const struct sockaddr *addr, socklen_t len);
	int (*shutdown)(mctx_t ctx, int id, int how);
	int (*close)(mctx_t ctx, int id);
	ssize_t (*recv)(mctx_t ctx, int id, char *buf, size_t len, int flags);
	ssize_t (*send)(mctx_t ctx, int id, const char *buf, size_t len, int flags);
	int (*readv)(mctx_t ctx, int id, const struct iovec *iov, int n);
	int (*writev)(mctx_t ctx, int id, const struct iovec *iov, int n);
	ssize_t (*recvmsg)(mctx_t ctx, int id, struct msghdr *msg, int flags);
	ssize_t (*sendmsg)(mctx_t ctx, int id, const struct msghdr *msg, int flags);
	int (*getsockopt)(mctx_t ctx, int id, int level, int name, void *val, socklen_t *len);
	int (*setsockopt)(mctx_t ctx, int id, int level, int name, const void *val, socklen_t len);
	int (*getsockname)(mctx_t ctx, int id, struct sockaddr *addr, socklen_t *len);
	int (*getpeername)(mctx_t ctx, int id, struct sockaddr *addr, socklen_t *len);
	int (*ioctl)(mctx_t ctx, int id, int request, void *arg);
	int (*epoll_create1)(mctx_t ctx, int flags);
	int (*epoll_ctl)(mctx_t ctx, int epid, int op, int id, struct mtcp_epoll_event *ev);
	int (*epoll_wait)(mctx_t ctx, int epid, struct mtcp_epoll_event *ev, int max, int timeout_ms);
	int (*epoll_getfd)(mctx_t ctx, int epid);
};

/* The library's. */
extern const struct stack_calls stack_calls_mtcp;
