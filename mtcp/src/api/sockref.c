/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Numbers come from the stack: by its ring for the application's own sockets,
 * by an event for connections it accepted.  They go back by SOCK_REQ_CLOSE,
 * after which this side never looks at the slot again.
 */
#include "api/sockref.h"

#include <errno.h>

#include "api/context.h"
#include "api/epoll_set.h"
#include "api/ref_opts.h"

/* The number may have been a listener's a moment ago, and connections for that
 * listener may still be among the events: they are heard before it is used. */
int
sockref_new(struct mtcp_context *ctx, uint8_t type)
{
	struct sockref *r;
	uint32_t number;

	if (!spsc_pop_number(&ctx->ch->ids, &number)) {
		context_call(ctx, SOCK_CALL_STEP, NULL);
		if (!spsc_pop_number(&ctx->ch->ids, &number)) {
			errno = EMFILE;
			return -1;
		}
	}
	context_drain(ctx);
	r = ref_at(ctx, number);
	ctx->high = max(ctx->high, number + 1);
	*r = (struct sockref){ .type = type, .next = NO_SOCK };
	r->is.queue = (struct accept_queue){ NO_SOCK, NO_SOCK };
	return (int)number;
}

struct sockref *
sockref_of(struct mtcp_context *ctx, int sockid)
{
	struct sockref *r;

	if (!context_usable(ctx))
		return NULL;
	if (likely(sockid >= 0 && (uint32_t)sockid < ctx->ch->n_socks)) {
		r = ref_at(ctx, (uint32_t)sockid);
		if (likely(r->type != MTCP_SOCK_UNUSED && !(r->flags & REF_QUEUED)))
			return r;
	}
	errno = EBADF;
	return NULL;
}

struct sockref *
sockref_of_socket(struct mtcp_context *ctx, int sockid)
{
	struct sockref *r = sockref_of(ctx, sockid);

	if (!r || likely(r->type == MTCP_SOCK_STREAM || r->type == MTCP_SOCK_LISTENER) ||
	    r->type == MTCP_SOCK_DGRAM)
		return r;
	errno = ENOTSOCK;
	return NULL;
}

static void
forget_starved(struct mtcp_context *ctx, struct sockref *r)
{
	uint32_t *at = &ctx->starved;

	if (!(r->flags & REF_STARVED))
		return;
	while (*at != ref_number(ctx, r))
		at = &ref_at(ctx, *at)->next;
	*at = r->next;
}

/* Connections that nobody will accept any more are reset, as elsewhere. */
static void
refuse_queued(struct mtcp_context *ctx, struct sockref *listener)
{
	struct sockref *born;

	while ((born = sockref_accept(ctx, listener)))
		sockref_close(ctx, born, SOCK_REQ_ABORT);
}

void
sockref_close(struct mtcp_context *ctx, struct sockref *r, uint16_t how)
{
	if (r->type == MTCP_SOCK_LISTENER)
		refuse_queued(ctx, r);
	epoll_set_forget(ctx, r);
	forget_starved(ctx, r);
	ref_opts_drop(ctx, r);
	r->type = MTCP_SOCK_UNUSED;
	context_ask(ctx, ref_sock(ctx, r), SOCK_REQ_CLOSE | how);
}

/* What an accepted socket takes over from its listener without asking the stack. */
static void
inherit(struct mtcp_context *ctx, struct sockref *r, const struct sockref *listener)
{
	struct sock *s = ref_sock(ctx, r);
	uint16_t bits = atomic_load_explicit(&ref_sock(ctx, listener)->opt_bits,
	                                     memory_order_relaxed);
	const uint16_t given = SOCK_OPT_NODELAY | SOCK_OPT_REUSEADDR | SOCK_OPT_REUSEPORT |
	                       SOCK_OPT_V6 | SOCK_OPT_V6ONLY;

	*r = (struct sockref){
		.type = MTCP_SOCK_STREAM,
		.flags = REF_QUEUED | REF_BOUND | REF_KNOWN | (listener->flags & (REF_LINGER | REF_OOBINLINE)),
		.next = NO_SOCK,
	};
	ref_opts_share(ctx, r, listener);
	/* The stack gave it what the listener had when the connection came; that is all there is to
	 * an option that matters when something is written. */
	if (likely(bits == atomic_load_explicit(&s->opt_bits, memory_order_relaxed) &&
	           (bits & ~given) == 0))
		return;
	atomic_store_explicit(&s->opt_bits, bits, memory_order_release);
	if (bits & (uint16_t)~(given & ~SOCK_OPT_NODELAY))
		context_ask(ctx, s, 0);
}

void
sockref_born(struct mtcp_context *ctx, struct sockref *r)
{
	struct sock *s = ref_sock(ctx, r);
	struct sockref *listener = ref_at(ctx, s->parent);
	uint32_t number = ref_number(ctx, r);

	if (listener->type != MTCP_SOCK_LISTENER) {
		context_ask(ctx, s, SOCK_REQ_CLOSE | SOCK_REQ_ABORT);
		return;
	}
	ctx->high = max(ctx->high, number + 1);
	inherit(ctx, r, listener);
	if (listener->is.queue.first == NO_SOCK)
		listener->is.queue.first = number;
	else
		ref_at(ctx, listener->is.queue.last)->next = number;
	listener->is.queue.last = number;
	epoll_set_notify(ctx, listener);
}

struct sockref *
sockref_accept(struct mtcp_context *ctx, struct sockref *listener)
{
	struct sock *ls = ref_sock(ctx, listener);
	uint32_t taken = atomic_load_explicit(&ls->accepted, memory_order_relaxed) + 1;
	struct sockref *r;

	if (listener->is.queue.first == NO_SOCK)
		return NULL;
	r = ref_at(ctx, listener->is.queue.first);
	listener->is.queue.first = r->next;
	r->next = NO_SOCK;
	r->flags &= (uint16_t)~REF_QUEUED;
	atomic_store_explicit(&ls->accepted, taken, memory_order_release);
	return r;
}

int
sockref_take_error(struct mtcp_context *ctx, struct sockref *r)
{
	struct sock *s = ref_sock(ctx, r);

	if (!(sock_facts(s) & SOCK_ERROR) || (r->flags & REF_TOLD))
		return 0;
	r->flags |= REF_TOLD;
	return s->err;
}
