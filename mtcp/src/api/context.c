/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Traffic with the stack, for all calls: events in, requests and chunks out.
 *
 * Chunks that reading has emptied are the first choice for the next write: a
 * server that answers what it reads needs no chunk from the stack and gives
 * none back.  Only what is left over goes up, in batches.
 */
#include "api/context.h"

#include <errno.h>
#include <stdio.h>

#include "api/api_pipe.h"
#include "api/epoll_set.h"
#include "api/ref_opts.h"

void
context_init(struct mtcp_context *ctx, struct channel *ch, struct pair *pair)
{
	*ctx = (struct mtcp_context){
		.ch = ch,
		.pair = pair,
		.starved = NO_SOCK,
		.owner = &errno,
	};
}

bool
context_usable(const struct mtcp_context *ctx)
{
	if (!ctx) {
		errno = EINVAL;
		return false;
	}
	assert(!ctx->owner || ctx->owner == &errno); /* a context is used by the thread that made it */
	return true;
}

/* -- events --------------------------------------------------------------- */

static void
hear(struct mtcp_context *ctx, struct sock *s)
{
	struct sockref *r = ref_at(ctx, sock_number(ctx->ch, s));

	r->flags &= (uint16_t)~REF_WAITS;
	if (r->type != MTCP_SOCK_UNUSED)
		epoll_set_notify(ctx, r);
	else if (sock_facts(s) & SOCK_BORN)
		sockref_born(ctx, r);
}

static void
feed_starved(struct mtcp_context *ctx)
{
	while (ctx->starved != NO_SOCK) {
		struct sockref *r = ref_at(ctx, ctx->starved);

		ctx->starved = r->next;
		r->flags &= (uint16_t)~REF_STARVED;
		epoll_set_notify(ctx, r);
	}
}

void
context_drain(struct mtcp_context *ctx)
{
	struct sock *s[CHANNEL_AT_ONCE];
	unsigned n;

	while ((n = sock_take_events(ctx->ch, s, array_len(s))))
		for (unsigned i = 0; i < n; i++)
			hear(ctx, s[i]);
	if (unlikely(ctx->starved != NO_SOCK) && context_has_chunk(ctx))
		feed_starved(ctx);
}

int64_t
context_deadline(struct mtcp_context *ctx, uint32_t ms)
{
	if (ms == TIMEOUT_NOW)
		return pair_now(ctx->pair);
	return ms == 0 ? TIME_NEVER : pair_now(ctx->pair) + MS(ms);
}

int
context_wait(struct mtcp_context *ctx, uint32_t seen, int64_t deadline)
{
	int err;

	context_return_chunks(ctx, true);
	err = ctx->pair->ops->wait(ctx->pair, seen, deadline);
	context_drain(ctx);
	if (err == 0)
		return 0;
	errno = err == -ETIMEDOUT ? EAGAIN : -err;
	return -1;
}

/* -- requests ------------------------------------------------------------- */

void
context_ask(struct mtcp_context *ctx, struct sock *s, uint16_t req_bits)
{
	if (sock_ask(ctx->ch, s, req_bits))
		ctx->pair->ops->wake_stack(ctx->pair);
}

/* Once between two events of the socket is enough: an event ends the wait, and
 * whoever still finds no room asks again. */
void
context_want_space(struct mtcp_context *ctx, struct sockref *r)
{
	struct sock *s = ref_sock(ctx, r);
	uint16_t n = (uint16_t)(atomic_load_explicit(&s->want_space, memory_order_relaxed) + 1);

	if (r->flags & (REF_WAITS | REF_STARVED))
		return; /* the starved wait for chunks, and feed_starved() finds them */
	r->flags |= REF_WAITS;
	atomic_store_explicit(&s->want_space, n, memory_order_release);
	context_ask(ctx, s, 0);
}

static bool
answered(const struct sock_call *call, uint32_t asked)
{
	return atomic_load_explicit(&call->done, memory_order_acquire) == asked;
}

int
context_call(struct mtcp_context *ctx, enum sock_call_op op, struct sock *s)
{
	struct sock_call *call = &ctx->ch->call;
	uint32_t asked = atomic_load_explicit(&call->asked, memory_order_relaxed) + 1;
	uint32_t seen;
	bool pushed;

	call->op = op;
	call->sock = s ? sock_number(ctx->ch, s) : NO_SOCK;
	atomic_store_explicit(&call->asked, asked, memory_order_release);
	pushed = spsc_push_number(&ctx->ch->jobs, CHANNEL_CALL);
	assert(pushed); /* the ring has room for every socket and a call */
	(void)pushed;
	ctx->pair->ops->wake_stack(ctx->pair);
	for (;;) {
		seen = pair_posted(ctx->pair);
		if (answered(call, asked))
			return call->err;
		/* A signal must not leave the question half asked. */
		ctx->pair->ops->wait(ctx->pair, seen, TIME_NEVER);
	}
}

/* -- chunks --------------------------------------------------------------- */

bool
context_has_chunk(struct mtcp_context *ctx)
{
	return ctx->empty.n > 0 || ctx->spent.n > 0 || spsc_ready(&ctx->ch->chunks_down);
}

/* The address of a chunk, as rings carry it. */
static struct chunk *
chunk_of(uint64_t word)
{
	return (struct chunk *)(uintptr_t)word;
}

static bool
take_batch(struct mtcp_context *ctx)
{
	uint64_t word;

	if (ctx->spent.n > 0) {
		ctx->empty = ctx->spent;
		ctx->spent = (struct chunk_list){ 0 };
		return true;
	}
	if (!spsc_pop(&ctx->ch->chunks_down, &word))
		return false;
	ctx->empty = (struct chunk_list){ chunk_of(word), CHANNEL_BATCH };
	return true;
}

bool
context_want_chunk(struct mtcp_context *ctx, struct sockref *r)
{
	if (likely(ctx->empty.n > 0) || take_batch(ctx))
		return true;
	if (!(r->flags & REF_STARVED)) {
		r->flags |= REF_STARVED;
		r->next = ctx->starved;
		ctx->starved = ref_number(ctx, r);
	}
	context_ask(ctx, ref_sock(ctx, r), SOCK_REQ_CHUNKS);
	return take_batch(ctx);
}

bool
context_want_chunks(struct mtcp_context *ctx, struct sockref *r, uint32_t n)
{
	while (ctx->empty.n < n) {
		struct chunk_list have = ctx->empty;
		bool more;

		ctx->empty = (struct chunk_list){ 0 };
		more = context_want_chunk(ctx, r);
		while (have.n > 0)
			chunk_list_put(&ctx->empty, chunk_list_get(&have));
		if (!more)
			return false;
	}
	return true;
}

void
context_return_chunks(struct mtcp_context *ctx, bool all)
{
	if (ctx->spent.n < CHANNEL_BATCH && !(all && ctx->spent.n > 0))
		return;
	if (spsc_push(&ctx->ch->chunks_up, (uintptr_t)ctx->spent.first))
		ctx->spent = (struct chunk_list){ 0 };
}

/* -- complaints ----------------------------------------------------------- */

void
context_complain(struct mtcp_context *ctx, const char *call, int level, int name)
{
	uint32_t key = (uint32_t)level << 16 ^ (uint32_t)name;

	if (ctx->silent)
		return;
	for (unsigned i = 0; i < ctx->n_complaints; i++)
		if (ctx->complaints[i] == key)
			return;
	if (ctx->n_complaints == CONTEXT_COMPLAINTS)
		return;
	ctx->complaints[ctx->n_complaints++] = key;
	fprintf(stderr, "mtcp: %s: level %d, name %d is not supported\n", call, level, name);
}

/* -- the end -------------------------------------------------------------- */

static void
free_what_stands_behind(struct mtcp_context *ctx, struct sockref *r)
{
	if (r->type == MTCP_SOCK_EPOLL)
		epoll_set_delete(ctx, r->is.epoll);
	else if (r->type == MTCP_SOCK_PIPE)
		pipe_end_close(ctx, r);
	r->type = MTCP_SOCK_UNUSED;
}

void
context_fini(struct mtcp_context *ctx)
{
	for (uint32_t n = 0; n < ctx->high; n++)
		free_what_stands_behind(ctx, ref_at(ctx, n));
	epoll_set_free_items(ctx);
	ref_opts_free_all(ctx);
}
