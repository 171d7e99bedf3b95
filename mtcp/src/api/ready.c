/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The rules are those of Linux's tcp_poll(), since programs depend on them: an
 * unconnected socket shows HUP and OUT, a shut direction never blocks, room
 * counts as writable when a third of the buffer is free (so that a writer is
 * not woken for every acknowledgement).
 */
#include "api/ready.h"

#include "api/api_pipe.h"
#include "api/dgram_sock.h"
#include "api/ref_opts.h"
#include "api/urgent.h"
#include "mtcp_epoll.h"

#define READABLE ((uint32_t)MTCP_EPOLLIN | (uint32_t)MTCP_EPOLLRDNORM)
#define WRITABLE ((uint32_t)MTCP_EPOLLOUT | (uint32_t)MTCP_EPOLLWRNORM)

static bool
has_room(const struct mtcp_context *ctx, const struct sockref *r, const struct sock *s)
{
	uint32_t limit = atomic_load_explicit(&s->snd_limit, memory_order_relaxed);

	return !(r->flags & REF_STARVED) &&
	       stream_used(&s->snd_w, &s->snd_r) <=
	               sock_writable_below(limit, ref_opts(ctx, r)->lowat);
}

static uint32_t
text_events(struct mtcp_context *ctx, struct sockref *r, const struct sock *s, bool snd_shut)
{
	uint32_t ev = 0;

	if (urgent_room(ctx, r).bytes > 0)
		ev |= READABLE;
	if (urgent_is_ready(ctx, r))
		ev |= MTCP_EPOLLPRI;
	if (snd_shut || has_room(ctx, r, s))
		ev |= WRITABLE;
	return ev;
}

static uint32_t
stream_ready(struct mtcp_context *ctx, struct sockref *r, const struct sock *s)
{
	uint16_t facts = sock_facts(s), req = sock_requests(s);
	bool gone = facts & (SOCK_ERROR | SOCK_OVER);
	bool rcv_shut = gone || (facts & SOCK_PEER_FIN) || (req & SOCK_REQ_SHUT_RD);
	bool snd_shut = gone || (req & SOCK_REQ_SHUT_WR);
	uint32_t ev = 0;

	if (r->flags & REF_DEFERRED)
		return WRITABLE;
	if (!(req & SOCK_REQ_CONNECT) && !(facts & SOCK_BORN))
		return (uint32_t)MTCP_EPOLLHUP | WRITABLE;
	if (rcv_shut)
		ev |= READABLE | (uint32_t)MTCP_EPOLLRDHUP;
	if (rcv_shut && snd_shut)
		ev |= MTCP_EPOLLHUP;
	if (gone || (facts & SOCK_CONNECTED))
		ev |= text_events(ctx, r, s, snd_shut);
	if ((facts & SOCK_ERROR) && !(r->flags & REF_TOLD))
		ev |= MTCP_EPOLLERR;
	return ev;
}

static uint32_t
all_events(struct mtcp_context *ctx, struct sockref *r)
{
	switch (r->type) {
	case MTCP_SOCK_STREAM:
		return stream_ready(ctx, r, ref_sock(ctx, r));
	case MTCP_SOCK_LISTENER:
		return r->is.queue.first == NO_SOCK ? 0 : READABLE;
	case MTCP_SOCK_PIPE:
		return pipe_ready(r);
	case MTCP_SOCK_DGRAM:
		return dgram_ready(ctx, r);
	default:
		return 0;
	}
}

/* A connection that is open both ways and says nothing urgent: next to all that are asked
 * about. */
static inline bool
is_plain(const struct sockref *r, const struct sock *s)
{
	uint16_t facts = SOCK_CONNECTED | SOCK_PEER_FIN | SOCK_ERROR | SOCK_OVER | SOCK_URGENT;

	return likely(r->type == MTCP_SOCK_STREAM && !(r->flags & REF_DEFERRED) &&
	              (sock_facts(s) & facts) == SOCK_CONNECTED &&
	              !(sock_requests(s) & (SOCK_REQ_SHUT_RD | SOCK_REQ_SHUT_WR)));
}

/* The stack tells of room only when asked to: most writers never wait. */
uint32_t
ready_events(struct mtcp_context *ctx, struct sockref *r, uint32_t wanted)
{
	const struct sock *s = ref_sock(ctx, r);
	uint32_t used = stream_used(&s->rcv_w, &s->rcv_r), ev; /* before a mark is looked for */

	if (is_plain(r, s) && !(wanted & WRITABLE))
		return used > 0 ? wanted & READABLE : 0;
	ev = all_events(ctx, r);
	if (unlikely((r->type == MTCP_SOCK_STREAM || r->type == MTCP_SOCK_DGRAM) &&
	             (wanted & WRITABLE & ~ev)))
		context_want_space(ctx, r);
	return ev & wanted;
}
