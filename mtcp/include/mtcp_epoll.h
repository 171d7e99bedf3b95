/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Waiting for many sockets of a context: epoll and poll.
 *
 * Values and meaning are those of the system's epoll: level-triggered unless
 * MTCP_EPOLLET, one entry per ready socket with all of its events merged,
 * MTCP_EPOLLERR and MTCP_EPOLLHUP reported whether asked for or not.  A socket
 * may be in several epolls, and leaves them all when it is closed.
 *
 * As for every call on a context: from the thread that created it only.
 * Errors that every call may give (EBADF, EINVAL, EFAULT): see mtcp_api.h.
 */
#ifndef MTCP_EPOLL_H
#define MTCP_EPOLL_H

#include "mtcp_api.h"

#ifdef __cplusplus
extern "C" {
#endif

/* For mtcp_epoll_ctl(). */
enum mtcp_epoll_op {
	MTCP_EPOLL_CTL_ADD = 1,
	MTCP_EPOLL_CTL_DEL = 2,
	MTCP_EPOLL_CTL_MOD = 3
};

/* Bits of mtcp_epoll_event.events. */
enum mtcp_event_type {
	MTCP_EPOLLNONE = 0x000,
	MTCP_EPOLLIN = 0x001,    /* data, the peer's end, a connection to accept, an error */
	MTCP_EPOLLPRI = 0x002,   /* urgent data */
	MTCP_EPOLLOUT = 0x004,   /* room to write; a connect ended, well or badly */
	MTCP_EPOLLERR = 0x008,   /* SO_ERROR holds an error */
	MTCP_EPOLLHUP = 0x010,   /* both directions have ended */
	MTCP_EPOLLRDNORM = 0x040,
	MTCP_EPOLLRDBAND = 0x080,
	MTCP_EPOLLWRNORM = 0x100,
	MTCP_EPOLLWRBAND = 0x200,
	MTCP_EPOLLMSG = 0x400,
	MTCP_EPOLLRDHUP = 0x2000, /* the peer will send no more */
	MTCP_EPOLLONESHOT = 1 << 30,
	MTCP_EPOLLET = -0x7fffffff - 1 /* bit 31, as an int that C99 can hold */
};

/* Comes back with the event as it was given to mtcp_epoll_ctl(). */
typedef union mtcp_epoll_data {
	void *ptr;
	int sockid;
	uint32_t u32;
	uint64_t u64;
} mtcp_epoll_data_t;

struct mtcp_epoll_event {
	uint32_t events;
	mtcp_epoll_data_t data;
};

/* For mtcp_poll(). */
struct mtcp_pollfd {
	int sockid;    /* negative: this entry is skipped */
	short events;  /* POLLIN, POLLOUT, … of <poll.h>: wanted */
	short revents; /* found; POLLERR, POLLHUP and POLLNVAL always may be */
};

/*
 * A new epoll: its number, closed by mtcp_close().  size is a hint and must be
 * above 0; flags is 0 (EPOLL_CLOEXEC has no meaning here and is allowed).
 * Never block.  EINVAL, EMFILE.
 */
int mtcp_epoll_create(mctx_t mctx, int size);
int mtcp_epoll_create1(mctx_t mctx, int flags);

/*
 * Adds, changes or removes a socket, listener or pipe end.  What is ready
 * already is reported by the next wait, also with MTCP_EPOLLET.  After
 * MTCP_EPOLLONESHOT has fired, MTCP_EPOLL_CTL_MOD arms it again.  event may be
 * NULL for MTCP_EPOLL_CTL_DEL.  Never blocks.
 * EEXIST, ENOENT, EPERM (sockid cannot be watched), ENOMEM.
 */
int mtcp_epoll_ctl(mctx_t mctx, int epid, int op, int sockid, struct mtcp_epoll_event *event);

/*
 * Up to maxevents (1 or more) ready sockets into events: how many, 0 when
 * timeout milliseconds have passed without any (-1: for ever, 0: look only).
 * Blocks without using the CPU.  When more are ready than fit, the others come
 * first the next time.  EINTR.
 */
int mtcp_epoll_wait(mctx_t mctx, int epid, struct mtcp_epoll_event *events, int maxevents,
                    int timeout);

/*
 * The poll() of a context: fills each revents and returns how many are not 0, or
 * 0 after timeout_ms (-1: for ever).  Blocks.  Costs time in proportion to n:
 * for more than a few sockets use an epoll.  EINTR, ENOMEM.
 */
int mtcp_poll(mctx_t mctx, struct mtcp_pollfd *fds, unsigned n, int timeout_ms);

/*
 * A descriptor of the system that becomes readable when the epoll has events,
 * so that a program can wait for both worlds with its own epoll_wait().  Use:
 * mtcp_epoll_wait(…, 0) until it returns 0, which arms the descriptor, then
 * sleep on it; once readable, start over.  The library reads and closes it: the
 * program only waits.  Never blocks.  EMFILE (of the system).
 */
int mtcp_epoll_getfd(mctx_t mctx, int epid);

/*
 * The name of an event, "MTCP_EPOLLIN" for example; of several bits the lowest
 * one's.  A constant string: not to be changed or freed.  Any thread, any time.
 */
char *EventToString(uint32_t event);

#ifdef __cplusplus
}
#endif

#endif /* MTCP_EPOLL_H */
