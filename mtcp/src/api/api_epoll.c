/* SPDX-License-Identifier: BSD-3-Clause */
/* The epoll calls; what they do stands in epoll_set.c. */
#include <errno.h>

#include "api/epoll_set.h"

/* The set behind an epoll's number; NULL with errno EBADF, or EINVAL for others. */
static struct epoll *
set_of(struct mtcp_context *ctx, int epid)
{
	struct sockref *r = sockref_of(ctx, epid);

	if (!r)
		return NULL;
	if (r->type == MTCP_SOCK_EPOLL)
		return r->is.epoll;
	errno = EINVAL;
	return NULL;
}

int
mtcp_epoll_create1(mctx_t mctx, int flags)
{
	struct epoll *ep;
	int id;

	if (!context_usable(mctx))
		return -1;
	if (flags & ~SOCK_CLOEXEC) {
		errno = EINVAL;
		return -1;
	}
	ep = epoll_set_new();
	if (!ep)
		return -1;
	id = sockref_new(mctx, MTCP_SOCK_EPOLL);
	if (id < 0) {
		epoll_set_delete(mctx, ep);
		errno = EMFILE;
		return -1;
	}
	ref_at(mctx, (uint32_t)id)->is.epoll = ep;
	return id;
}

int
mtcp_epoll_create(mctx_t mctx, int size)
{
	if (size <= 0) {
		errno = EINVAL;
		return -1;
	}
	return mtcp_epoll_create1(mctx, 0);
}

/* 0 or an errno value. */
static int
ctl(struct mtcp_context *ctx, struct epoll *ep, int op, struct sockref *r,
    const struct mtcp_epoll_event *event)
{
	if (op == MTCP_EPOLL_CTL_DEL)
		return epoll_set_del(ctx, ep, r);
	if (!event)
		return EFAULT;
	if (op == MTCP_EPOLL_CTL_ADD)
		return epoll_set_add(ctx, ep, r, event);
	return op == MTCP_EPOLL_CTL_MOD ? epoll_set_mod(ctx, ep, r, event) : EINVAL;
}

int
mtcp_epoll_ctl(mctx_t mctx, int epid, int op, int sockid, struct mtcp_epoll_event *event)
{
	struct epoll *ep = set_of(mctx, epid);
	struct sockref *r;
	int err;

	if (!ep)
		return -1;
	r = sockref_of(mctx, sockid);
	if (!r)
		return -1;
	if (epid == sockid)
		err = EINVAL;
	else if (r->type == MTCP_SOCK_EPOLL)
		err = EPERM;
	else
		err = ctl(mctx, ep, op, r, event);
	return call_answer(err);
}

/* The descriptor stays readable from the event that rang it until here. */
static void
disarm(struct mtcp_context *ctx)
{
	if (!ctx->armed)
		return;
	ctx->armed = false;
	ctx->pair->ops->disarm(ctx->pair);
}

/* Nothing is ready and the caller does not wait.  The stack may have to run for
 * something to be; after that, the program may sleep on the descriptor. */
static int
look_once_more(struct mtcp_context *ctx, struct epoll *ep, struct mtcp_epoll_event *events,
               int max)
{
	uint32_t seen;
	int n;

	context_wait(ctx, pair_posted(ctx->pair), 0);
	for (;;) {
		seen = pair_posted(ctx->pair);
		context_drain(ctx);
		n = epoll_set_collect(ctx, ep, events, max);
		if (n > 0 || !ctx->has_fd)
			return n;
		if (ctx->pair->ops->arm(ctx->pair, seen)) {
			ctx->armed = true;
			return 0;
		}
	}
}

static int
wait_for_some(struct mtcp_context *ctx, struct epoll *ep, struct mtcp_epoll_event *events,
              int max, int timeout)
{
	int64_t deadline = 0;

	for (;;) {
		uint32_t seen = pair_posted(ctx->pair);
		int n;

		context_drain(ctx);
		n = epoll_set_collect(ctx, ep, events, max);
		if (n > 0)
			return n;
		if (timeout == 0)
			return look_once_more(ctx, ep, events, max);
		if (deadline == 0)
			deadline = context_deadline(ctx, timeout < 0 ? 0 : (uint32_t)timeout);
		if (context_wait(ctx, seen, deadline) == 0)
			continue;
		return errno == EAGAIN ? epoll_set_collect(ctx, ep, events, max) : -1;
	}
}

int
mtcp_epoll_wait(mctx_t mctx, int epid, struct mtcp_epoll_event *events, int maxevents,
                int timeout)
{
	struct epoll *ep = set_of(mctx, epid);

	if (!ep)
		return -1;
	if (maxevents <= 0) {
		errno = EINVAL;
		return -1;
	}
	if (!events) {
		errno = EFAULT;
		return -1;
	}
	disarm(mctx);
	return wait_for_some(mctx, ep, events, maxevents, timeout);
}

int
mtcp_epoll_getfd(mctx_t mctx, int epid)
{
	int fd;

	if (!set_of(mctx, epid))
		return -1;
	fd = mctx->pair->ops->fd(mctx->pair);
	if (fd >= 0)
		mctx->has_fd = true;
	return fd;
}
