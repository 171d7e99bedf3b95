/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Options that only the application's side acts on, and few sockets ever set: in records beside
 * the sockets, shared by a listener and all that it accepts until one of them changes its own.
 */
#pragma once

#include "api/context.h"

struct ref_opts {
	union {
		uint32_t refs; /* sockets that have it                        */
		uint32_t next; /* ... or none: the next free record; 0: last  */
	};
	uint32_t linger_s;
	uint32_t rcv_timeout_ms;  /* 0: never; TIMEOUT_NOW                              */
	uint32_t snd_timeout_ms;
	uint32_t lowat;           /* TCP_NOTSENT_LOWAT; 0: none                         */
};

/* What the socket has; all 0 if nothing was ever set.  Valid until ref_opts_own(). */
static inline const struct ref_opts *
ref_opts(const struct mtcp_context *ctx, const struct sockref *r)
{
	static const struct ref_opts none;

	return likely(r->opts == 0) ? &none : &ctx->opts[r->opts];
}

/* The same to be changed, the socket's own.  NULL with errno ENOBUFS: no memory. */
struct ref_opts *ref_opts_own(struct mtcp_context *ctx, struct sockref *r);

/* `r`, which has none, has those of `from`. */
void ref_opts_share(struct mtcp_context *ctx, struct sockref *r, const struct sockref *from);

/* The socket has none any more. */
void ref_opts_drop(struct mtcp_context *ctx, struct sockref *r);

/* Frees all records. */
void ref_opts_free_all(struct mtcp_context *ctx);
