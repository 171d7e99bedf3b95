/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Urgent text as the application sees it, by Linux's rules, since programs depend on
 * them: only the last urgent byte is; reading stops in front of it; unless SO_OOBINLINE
 * is set reading then skips it, and only MSG_OOB gives it out.
 *
 * The stack says where the byte stands before the byte can be read.  So whoever looks first
 * how much there is to read, and then where the mark is, misses none.
 */
#pragma once

#include "api/context.h"

/* How many of the bytes in the stream the next read may take, behind `skip` bytes (0 or 1)
 * that it does not give out. */
struct urgent_room {
	uint32_t skip, bytes;
};
struct urgent_room urgent_room_marked(struct mtcp_context *ctx, struct sockref *r, uint32_t used);

/* Each call that reads asks, and next to none of them finds that there ever was a mark. */
static inline struct urgent_room
urgent_room(struct mtcp_context *ctx, struct sockref *r)
{
	const struct sock *s = ref_sock(ctx, r);
	uint32_t used = stream_used(&s->rcv_w, &s->rcv_r);

	if (likely(used == 0 || !(sock_facts(s) & SOCK_URGENT)))
		return (struct urgent_room){ 0, used };
	return urgent_room_marked(ctx, r, used);
}

/* FIONREAD: bytes that can be read, or those in front of a mark that is not in line. */
uint32_t urgent_count(struct mtcp_context *ctx, struct sockref *r);

/* SIOCATMARK: what is read next stands behind the mark. */
bool urgent_at_mark(struct mtcp_context *ctx, struct sockref *r);

/* POLLPRI: MSG_OOB would give out a byte. */
bool urgent_is_ready_marked(struct mtcp_context *ctx, struct sockref *r);

static inline bool
urgent_is_ready(struct mtcp_context *ctx, struct sockref *r)
{
	return unlikely(sock_facts(ref_sock(ctx, r)) & SOCK_URGENT) &&
	       urgent_is_ready_marked(ctx, r);
}

/* recv(MSG_OOB): 1 and the byte, which stays with MSG_PEEK in `flags`; 0 at the end of the
 * text; or -1 and errno: EINVAL when none is announced or it was taken, EAGAIN when it has
 * not come.  Never blocks. */
int urgent_take(struct mtcp_context *ctx, struct sockref *r, int flags, uint8_t *byte);

/* Before `len` bytes at the most are written by MSG_OOB. */
void urgent_writes(struct mtcp_context *ctx, struct sockref *r, uint32_t len);
