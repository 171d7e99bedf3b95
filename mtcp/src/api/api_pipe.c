/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Both ends belong to the same thread, so a pipe is a plain ring; what makes it
 * useful is that an epoll can watch it like a socket.  Its ends take numbers
 * from the stack, which never hears of them until they are closed.
 */
#include "api/api_pipe.h"

#include <errno.h>
#include <stdlib.h>

#include "api/epoll_set.h"

struct pipe {
	struct sockref *end[2]; /* reading, writing; NULL: closed  */
	uint32_t written, read; /* bytes ever                      */
	uint8_t ring[PIPE_CAPACITY];
};

static_assert((PIPE_CAPACITY & (PIPE_CAPACITY - 1)) == 0, "positions are masked");

static void
end_open(struct mtcp_context *ctx, struct pipe *p, int which, int number)
{
	struct sockref *r = ref_at(ctx, number);

	p->end[which] = r;
	r->is.pipe = p;
	if (which == 1)
		r->flags |= REF_WRITES;
}

int
mtcp_pipe(mctx_t mctx, int pipeid[2])
{
	struct pipe *p;

	if (!context_usable(mctx))
		return -1;
	if (!pipeid) {
		errno = EFAULT;
		return -1;
	}
	p = calloc(1, sizeof *p);
	if (!p)
		return -1;
	pipeid[0] = sockref_new(mctx, MTCP_SOCK_PIPE);
	if (pipeid[0] < 0)
		goto no_first;
	end_open(mctx, p, 0, pipeid[0]);
	pipeid[1] = sockref_new(mctx, MTCP_SOCK_PIPE);
	if (pipeid[1] < 0)
		goto no_second;
	end_open(mctx, p, 1, pipeid[1]);
	return 0;
no_second:
	sockref_close(mctx, p->end[0], 0);
no_first:
	free(p);
	errno = EMFILE;
	return -1;
}

uint32_t
pipe_used(const struct sockref *r)
{
	return r->is.pipe->written - r->is.pipe->read;
}

uint32_t
pipe_ready(const struct sockref *r)
{
	const struct pipe *p = r->is.pipe;
	uint32_t ev = 0;

	if (r->flags & REF_WRITES) {
		if (pipe_used(r) < PIPE_CAPACITY)
			ev |= (uint32_t)MTCP_EPOLLOUT | (uint32_t)MTCP_EPOLLWRNORM;
		if (!p->end[0])
			ev |= MTCP_EPOLLERR;
	} else {
		if (pipe_used(r) > 0)
			ev |= (uint32_t)MTCP_EPOLLIN | (uint32_t)MTCP_EPOLLRDNORM;
		if (!p->end[1])
			ev |= MTCP_EPOLLHUP;
	}
	return ev;
}

/* An empty or full pipe only changes by this very thread, so a blocking call on
 * it ends by a signal, as it would elsewhere for a lone thread. */
static bool
wait_for_ever(struct mtcp_context *ctx, const struct sockref *r)
{
	if (r->flags & REF_NONBLOCK) {
		errno = EAGAIN;
		return false;
	}
	return context_wait(ctx, pair_posted(ctx->pair), TIME_NEVER) == 0;
}

static uint32_t
ring_get(struct pipe *p, uint8_t *to, uint32_t len)
{
	uint32_t at = p->read % PIPE_CAPACITY;
	uint32_t first = min(len, PIPE_CAPACITY - at);

	memcpy(to, p->ring + at, first);
	memcpy(to + first, p->ring, len - first);
	p->read += len;
	return len;
}

static uint32_t
ring_put(struct pipe *p, const uint8_t *from, uint32_t len)
{
	uint32_t at = p->written % PIPE_CAPACITY;
	uint32_t first = min(len, PIPE_CAPACITY - at);

	memcpy(p->ring + at, from, first);
	memcpy(p->ring, from + first, len - first);
	p->written += len;
	return len;
}

ssize_t
pipe_read(struct mtcp_context *ctx, struct sockref *r, char *buf, size_t len)
{
	struct pipe *p = r->is.pipe;
	uint32_t n;

	if (r->flags & REF_WRITES) {
		errno = EBADF;
		return -1;
	}
	if (len == 0)
		return 0;
	while (pipe_used(r) == 0) {
		if (!p->end[1])
			return 0;
		if (!wait_for_ever(ctx, r))
			return -1;
	}
	n = ring_get(p, (uint8_t *)buf, (uint32_t)min(len, (size_t)pipe_used(r)));
	if (p->end[1])
		epoll_set_notify(ctx, p->end[1]);
	return n;
}

ssize_t
pipe_write(struct mtcp_context *ctx, struct sockref *r, const char *buf, size_t len)
{
	struct pipe *p = r->is.pipe;
	uint32_t n;

	if (!(r->flags & REF_WRITES)) {
		errno = EBADF;
		return -1;
	}
	if (len == 0)
		return 0;
	if (!p->end[0]) {
		errno = EPIPE;
		return -1;
	}
	while (pipe_used(r) == PIPE_CAPACITY)
		if (!wait_for_ever(ctx, r))
			return -1;
	n = ring_put(p, (const uint8_t *)buf,
	             (uint32_t)min(len, (size_t)(PIPE_CAPACITY - pipe_used(r))));
	epoll_set_notify(ctx, p->end[0]);
	return n;
}

void
pipe_end_close(struct mtcp_context *ctx, struct sockref *r)
{
	struct pipe *p = r->is.pipe;
	int which = r->flags & REF_WRITES ? 1 : 0;

	p->end[which] = NULL;
	if (p->end[!which])
		epoll_set_notify(ctx, p->end[!which]);
	else
		free(p);
}
