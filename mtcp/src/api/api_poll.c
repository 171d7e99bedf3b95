/* SPDX-License-Identifier: BSD-3-Clause */
/* poll(): the same readiness as epoll's, asked of each socket in turn. */
#include <errno.h>
#include <poll.h>

#include "api/ready.h"
#include "mtcp_epoll.h"

/* The bits that poll() and epoll share have the same values. */
static_assert(POLLIN == MTCP_EPOLLIN && POLLPRI == MTCP_EPOLLPRI && POLLOUT == MTCP_EPOLLOUT,
              "one set of bits");
static_assert(POLLERR == MTCP_EPOLLERR && POLLHUP == MTCP_EPOLLHUP &&
                      POLLRDHUP == MTCP_EPOLLRDHUP,
              "one set of bits");

static short
found(struct mtcp_context *ctx, const struct mtcp_pollfd *fd)
{
	struct sockref *r;
	uint32_t wanted;

	if (fd->sockid < 0)
		return 0;
	r = sockref_of(ctx, fd->sockid);
	if (!r)
		return POLLNVAL;
	wanted = (uint16_t)fd->events | (uint32_t)POLLERR | (uint32_t)POLLHUP;
	return (short)ready_events(ctx, r, wanted);
}

static int
scan(struct mtcp_context *ctx, struct mtcp_pollfd *fds, unsigned n)
{
	int ready = 0;

	for (unsigned i = 0; i < n; i++) {
		fds[i].revents = found(ctx, &fds[i]);
		if (fds[i].revents)
			ready++;
	}
	return ready;
}

int
mtcp_poll(mctx_t mctx, struct mtcp_pollfd *fds, unsigned n, int timeout_ms)
{
	int64_t deadline = 0;

	if (!context_usable(mctx))
		return -1;
	if (n > 0 && !fds) {
		errno = EFAULT;
		return -1;
	}
	for (;;) {
		uint32_t seen = pair_posted(mctx->pair);
		int ready;

		context_drain(mctx);
		ready = scan(mctx, fds, n);
		if (ready > 0)
			return ready;
		if (timeout_ms != 0 && deadline == 0)
			deadline = context_deadline(mctx, timeout_ms < 0 ? 0 : (uint32_t)timeout_ms);
		if (context_wait(mctx, seen, deadline))
			return errno == EAGAIN ? scan(mctx, fds, n) : -1;
	}
}
