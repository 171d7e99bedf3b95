/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * An array that grows; number 0 is nobody's and stands for "nothing set".  Free records are a
 * chain through `next`.
 */
#include "api/ref_opts.h"

#include <errno.h>
#include <stdlib.h>

#define FIRST_SIZE 64u

static bool
opts_grow(struct mtcp_context *ctx)
{
	uint32_t old = ctx->n_opts, n = old ? 2 * old : FIRST_SIZE;
	struct ref_opts *opts = realloc(ctx->opts, (size_t)n * sizeof *opts);

	if (!opts)
		return false;
	for (uint32_t i = n; i-- > max(old, 1u);) {
		opts[i] = (struct ref_opts){ .next = ctx->free_opts };
		ctx->free_opts = i;
	}
	ctx->opts = opts;
	ctx->n_opts = n;
	return true;
}

/* A record that is a copy of the socket's. */
static struct ref_opts *
opts_copy(struct mtcp_context *ctx, struct sockref *r)
{
	struct ref_opts *own;
	uint32_t n;

	if (ctx->free_opts == 0 && !opts_grow(ctx)) {
		errno = ENOBUFS;
		return NULL;
	}
	n = ctx->free_opts;
	own = &ctx->opts[n];
	ctx->free_opts = own->next;
	*own = *ref_opts(ctx, r);
	own->refs = 1;
	ref_opts_drop(ctx, r);
	r->opts = n;
	return own;
}

struct ref_opts *
ref_opts_own(struct mtcp_context *ctx, struct sockref *r)
{
	if (r->opts && ctx->opts[r->opts].refs == 1)
		return &ctx->opts[r->opts];
	return opts_copy(ctx, r);
}

void
ref_opts_share(struct mtcp_context *ctx, struct sockref *r, const struct sockref *from)
{
	assert(r->opts == 0);
	r->opts = from->opts;
	if (r->opts)
		ctx->opts[r->opts].refs++;
}

void
ref_opts_drop(struct mtcp_context *ctx, struct sockref *r)
{
	struct ref_opts *o = &ctx->opts[r->opts];
	uint32_t n = r->opts;

	if (n == 0)
		return;
	r->opts = 0;
	assert(o->refs > 0);
	if (--o->refs > 0)
		return;
	o->next = ctx->free_opts;
	ctx->free_opts = n;
}

void
ref_opts_free_all(struct mtcp_context *ctx)
{
	free(ctx->opts);
	ctx->opts = NULL;
	ctx->n_opts = ctx->free_opts = 0;
}
