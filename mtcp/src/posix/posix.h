/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The system's socket calls for a program that knows nothing of mtcp: each number is either the
 * kernel's or the stack's, and a call goes where its number belongs.
 *
 * Numbers.  A socket that the program makes has a number of the kernel's, of a socket that does
 * nothing but hold it once the stack has its own; what is accepted from the stack has the
 * number `first` + the stack's, and costs the kernel nothing.
 *
 * Whose a socket is, addresses tell (bypass.h): at bind() to a certain address, at listen(), at connect().
 *
 * Processes.  One that has no stack yet keeps what is asked of sockets that are the stack's; one that
 * is forked from it takes a stack (posix_take_stack()) and lets them listen (posix_awaken()).
 * Whoever never takes one has the kernel's calls.
 *
 * Each call is the one of the same name, with errno; those that differ say so.  All are made by one
 * thread, but those on the kernel's own numbers, which any thread may make.
 */
#pragma once

#include "posix/bypass.h"
#include "posix/fdtab.h"
#include "posix/kernel_calls.h"
#include "posix/stack_calls.h"

struct intent;
struct poller;

struct posix {
	const struct kernel_calls *kernel;
	const struct stack_calls *stack;
	mctx_t ctx;             /* NULL: this process has no stack                            */
	int first;              /* numbers from here on are the stack's; above all descriptors */
	bool active;            /* false: new sockets are the kernel's, unlooked at           */
	struct bypass bypass;
	struct poller *pollers; /* all that exist                                             */
	struct fdtab fds;       /* of struct intent                                           */
};

/* Not active yet, without a stack.  NULL: no memory. */
struct posix *posix_new(const struct kernel_calls *kernel, const struct stack_calls *stack, int first);

/* Closes nothing; the process's numbers stay as they are. */
void posix_delete(struct posix *p);

/* From here on this process has a stack.  0, or -1: EMFILE, ENOMEM (for its pollers). */
int posix_take_stack(struct posix *p, mctx_t ctx);

/* The stack is gone, and all of its numbers with it. */
void posix_leave_stack(struct posix *p);

/* Says to the stack what was asked of `fd` before there was one: bind, options, listen.  0, also for a
 * number that awaits nothing; -1: what mtcp_socket(), mtcp_bind() and mtcp_listen() give. */
int posix_awaken(struct posix *p, int fd);

/* Whether the socket at `fd` would now be bound on the other side, since `bypass` or `active`
 * has changed. */
bool posix_is_misplaced(const struct posix *p, int fd);

/* Leaves what awaits the stack at `fd` to the kernel, which binds it and listens.  0, or -1:
 * EINVAL for a number that awaits nothing, and what bind() and listen() give. */
int posix_surrender(struct posix *p, int fd);

/* No more connections begin at the stack's listener at `fd`, and none is refused, closed or not, until the
 * stack ends: others listen, or will.  0, or -1: EINVAL for what is not the stack's, and what
 * mtcp_shutdown() gives. */
int posix_retire(struct posix *p, int fd);

int posix_socket(struct posix *p, int domain, int type, int protocol);
int posix_bind(struct posix *p, int fd, const struct sockaddr *addr, socklen_t len);
int posix_listen(struct posix *p, int fd, int backlog);
int posix_accept4(struct posix *p, int fd, struct sockaddr *addr, socklen_t *len, int flags);
int posix_connect(struct posix *p, int fd, const struct sockaddr *addr, socklen_t len);
int posix_shutdown(struct posix *p, int fd, int how);
int posix_close(struct posix *p, int fd);

ssize_t posix_recv(struct posix *p, int fd, void *buf, size_t len, int flags);
ssize_t posix_send(struct posix *p, int fd, const void *buf, size_t len, int flags);
ssize_t posix_readv(struct posix *p, int fd, const struct iovec *iov, int n);
ssize_t posix_writev(struct posix *p, int fd, const struct iovec *iov, int n);
ssize_t posix_recvmsg(struct posix *p, int fd, struct msghdr *msg, int flags);
ssize_t posix_sendmsg(struct posix *p, int fd, const struct msghdr *msg, int flags);

int posix_getsockopt(struct posix *p, int fd, int level, int name, void *val, socklen_t *len);
int posix_setsockopt(struct posix *p, int fd, int level, int name, const void *val, socklen_t len);
int posix_getsockname(struct posix *p, int fd, struct sockaddr *addr, socklen_t *len);
int posix_getpeername(struct posix *p, int fd, struct sockaddr *addr, socklen_t *len);
int posix_ioctl(struct posix *p, int fd, unsigned long request, void *arg);

/* The stack's number behind `fd`; -1: it is the kernel's. */
int posix_sockid(const struct posix *p, int fd);
