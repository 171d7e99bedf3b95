/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What a program asked of a TCP socket before it was known whose it will be, the kernel's or the
 * stack's, or before the process that asks has a stack.  Addresses tell whose: so it is known at
 * bind() or connect().  Until then the socket is a socket of the kernel without a name, which
 * holds the number, judges options and answers questions about them; all is kept here, and is
 * said again to the stack's socket once there is one.
 */
#pragma once

#include <sys/socket.h>

#include "base/base.h"

enum intent_side {
	INTENT_OPEN,   /* nothing has told yet                                          */
	INTENT_AWAITS, /* the stack's, which this process does not have yet             */
	INTENT_STACK,  /* the stack's; what was kept has been said                      */
};

/* An option, as it was set. */
struct intent_option {
	struct intent_option *next;
	int level;
	int name;
	socklen_t len;
	unsigned char val[];
};

/* Who wants to hear of it. */
struct intent_watch {
	struct intent_watch *next;
	struct poller *poller;
	uint32_t events;
	uint64_t data;
};

struct intent {
	enum intent_side side;
	int sockid;                    /* INTENT_STACK                                 */
	int domain;
	bool nonblocking;
	bool bound;                    /* `local` is set                               */
	bool listening;                /* `backlog` is set                             */
	bool retired;                  /* stays behind when it is closed               */
	int backlog;
	socklen_t local_len;
	struct sockaddr_storage local;
	struct intent_option *options; /* in the order they were set, each once         */
	struct intent_watch *watches;
};

/* NULL: no memory. */
struct intent *intent_new(int domain, bool nonblocking);
void intent_free(struct intent *it);

/* 0 or -ENOMEM.  The same option set again stands where it is set last. */
int intent_option(struct intent *it, int level, int name, const void *val, socklen_t len);

/* False: too long to be an address. */
bool intent_bind(struct intent *it, const struct sockaddr *addr, socklen_t len);

/* Bound to the unspecified address of its family, so that its side is still unknown. */
bool intent_is_bound_to_any(const struct intent *it);

/* epoll_ctl()'s three operations: 0, -EEXIST, -ENOENT, -EINVAL, -ENOMEM. */
int intent_watch(struct intent *it, struct poller *poller, int op, uint32_t events, uint64_t data);

/* That poller exists no more. */
void intent_forget_poller(struct intent *it, const struct poller *poller);

/* Options and watches are of no more use. */
void intent_said(struct intent *it);
