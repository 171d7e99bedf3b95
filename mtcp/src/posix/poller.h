/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * One wait for both worlds.  A poller is an epoll of the kernel and one of the stack; the
 * kernel's also holds the descriptor that the stack rings when its own has something
 * (mtcp_epoll_getfd()).  So a wait asks the stack first, which makes no call of the system while
 * there is something to do, and sleeps in the kernel's, where signals and descriptors wake it.
 * While the stack is never idle the kernel is looked at every now and then.
 *
 * A socket whose side is unknown is noted, and reported by neither.
 */
#pragma once

#include "posix/posix.h"

struct poller {
	struct poller *next;   /* posix.pollers                                              */
	struct posix *posix;
	int epfd;              /* the kernel's                                                */
	int epid;              /* the stack's; -1: there is no stack                          */
	unsigned busy;         /* waits since the kernel was asked                            */
	unsigned room;         /* entries at `found`                                          */
	struct mtcp_epoll_event *found;
};

/* Waits give at most `batch` entries of the stack's at a time.  NULL with errno: EMFILE, ENOMEM. */
struct poller *poller_new(struct posix *p, unsigned batch);

/* Closes both epolls.  NULL is allowed. */
void poller_delete(struct poller *po);

/* As epoll_ctl(), with `data` to come back.  On the stack's sockets EPOLLEXCLUSIVE and EPOLLWAKEUP
 * have no meaning and are allowed. */
int poller_ctl(struct poller *po, int op, int fd, uint32_t events, uint64_t data);

/* As epoll_wait(). */
int poller_wait(struct poller *po, struct epoll_event *ev, int max, int timeout_ms);

/* ---- for posix.c -------------------------------------------------------- */

/* The process has a stack now, or none any more. */
int poller_take_stack(struct poller *po);
void poller_leave_stack(struct poller *po);

/* Adds what was watched while its side was unknown, to the side it now has. */
int poller_place(struct poller *po, int fd, int sockid, uint32_t events, uint64_t data);
