/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The application's side of one core: everything that a call on an mctx_t may
 * touch.  Owned by one thread; no locks.
 */
#pragma once

#include <errno.h>

#include "api/pair.h"
#include "api/sockref.h"
#include "mtcp_api.h"

#define CONTEXT_COMPLAINTS 16u

struct ref_opts;

struct mtcp_context {
	struct channel *ch;
	struct pair *pair;
	struct chunk_list empty;  /* to write into                                    */
	struct chunk_list spent;  /* read empty, on their way to the stack            */
	struct epoll_item *free_items;
	void *slabs;              /* of epoll items: freed with the context           */
	struct ref_opts *opts;    /* what sockref.opts counts: n_opts of them, grown at need */
	uint32_t n_opts;
	uint32_t free_opts;       /* chain through `next`; 0 ends it                  */
	uint32_t starved;         /* first socket that waits for chunks; NO_SOCK      */
	uint32_t high;            /* one above the highest number ever used           */
	bool has_fd;              /* mtcp_epoll_getfd() was called                    */
	bool armed;               /* its descriptor is armed                          */
	bool silent;              /* refusals are not logged                          */
	const int *owner;         /* &errno of the thread that may call; NULL: any    */
	void *runtime;            /* the pair of threads it is half of; NULL: none    */
	unsigned n_complaints;
	uint32_t complaints[CONTEXT_COMPLAINTS]; /* what was logged once already      */
};

/* The application's side of `ch`, for the calling thread. */
void context_init(struct mtcp_context *ctx, struct channel *ch, struct pair *pair);

/* Frees what the context allocated: epolls, pipes, registrations.  The stack
 * hears nothing of it: it is gone, or will not look at the channel again. */
void context_fini(struct mtcp_context *ctx);

/* Whether the calling thread may use `ctx`; sets errno EINVAL for NULL.  In builds
 * with checks, asserts that it is the thread that owns it. */
bool context_usable(const struct mtcp_context *ctx);

/* Hears all events: marks registrations, queues born connections. */
void context_drain(struct mtcp_context *ctx);

/* sock_ask(), and wakes the stack when it has to. */
void context_ask(struct mtcp_context *ctx, struct sock *s, uint16_t req_bits);

/* Puts the question in ch->call and waits for the answer: 0 or an errno value. */
int context_call(struct mtcp_context *ctx, enum sock_call_op op, struct sock *s);

/* Waits until the stack has posted something since pair_posted() was `seen`.  0; or
 * -1 with errno EINTR, or EAGAIN at `deadline`.  Drains events after it. */
int context_wait(struct mtcp_context *ctx, uint32_t seen, int64_t deadline);

/* What a call returns: 0, or -1 with errno `err`. */
static inline int
call_answer(int err)
{
	if (err == 0)
		return 0;
	errno = err;
	return -1;
}

/* The deadline that a timeout of `ms` gives; 0 is for ever, TIMEOUT_NOW is now. */
int64_t context_deadline(struct mtcp_context *ctx, uint32_t ms);

/* Has the stack tell when a third of the send stream is free. */
void context_want_space(struct mtcp_context *ctx, struct sockref *r);

/* Makes ctx->empty hold a chunk.  False when there is none now: the stack knows
 * that `r` waits. */
bool context_want_chunk(struct mtcp_context *ctx, struct sockref *r);

/* The same for `n` of them. */
bool context_want_chunks(struct mtcp_context *ctx, struct sockref *r, uint32_t n);

/* Whether chunks to write into can be had. */
bool context_has_chunk(struct mtcp_context *ctx);

/* Hands chunks that were read empty to the stack, all or in batches. */
void context_return_chunks(struct mtcp_context *ctx, bool all);

/* Where chunks that are read empty go.  A few are for the next writes, the last one first: its
 * lines are at hand. */
static inline struct chunk_list *
context_freed(struct mtcp_context *ctx)
{
	return ctx->empty.n < CHANNEL_BATCH ? &ctx->empty : &ctx->spent;
}

/* One line on stderr, the first time that this `level` and `name` are refused. */
void context_complain(struct mtcp_context *ctx, const char *call, int level, int name);

static inline struct sockref *
ref_at(const struct mtcp_context *ctx, uint32_t number)
{
	return (struct sockref *)(void *)ctx->ch->socks[number].ref;
}

static inline struct sock *
ref_sock(const struct mtcp_context *ctx, const struct sockref *r)
{
	uintptr_t at = (uintptr_t)r - offsetof(struct sock, ref);

	(void)ctx;
	return (struct sock *)at;
}

/* One of SOCK_OPT_*. */
static inline bool
ref_has_bit(const struct mtcp_context *ctx, const struct sockref *r, uint16_t bit)
{
	return (atomic_load_explicit(&ref_sock(ctx, r)->opt_bits, memory_order_relaxed) & bit) != 0;
}

/* Whether it is a socket of IPv6. */
static inline bool
ref_is_v6(const struct mtcp_context *ctx, const struct sockref *r)
{
	return ref_has_bit(ctx, r, SOCK_OPT_V6);
}

static inline uint32_t
ref_number(const struct mtcp_context *ctx, const struct sockref *r)
{
	return sock_number(ctx->ch, ref_sock(ctx, r));
}
