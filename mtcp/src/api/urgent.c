/* SPDX-License-Identifier: BSD-3-Clause */
/* One mark at a time: REF_URGENT while it is not behind what was read. */
#include "api/urgent.h"

#include <errno.h>

#include <sys/socket.h>

static uint32_t
bytes_read(const struct sock *s)
{
	return atomic_load_explicit(&s->rcv_r.read, memory_order_relaxed);
}

/* The byte at the mark was not wanted, and another is announced: it is gone, as on Linux. */
static void
drop_passed_byte(struct mtcp_context *ctx, const struct sockref *r, struct sock *s)
{
	if (!(r->flags & REF_URGENT) || (r->flags & REF_OOBINLINE) ||
	    r->is.urgent != bytes_read(s) || stream_used(&s->rcv_w, &s->rcv_r) == 0)
		return;
	stream_consume(&s->rcv_r, &s->rcv_w, NULL, 1, &ctx->spent);
	context_return_chunks(ctx, false);
}

/* Learns of a new mark; forgets one that has been read past.  False: there is none. */
static bool
look(struct mtcp_context *ctx, struct sockref *r)
{
	struct sock *s = ref_sock(ctx, r);
	uint32_t at;

	if (likely(!(sock_facts(s) & SOCK_URGENT)))
		return false;
	at = atomic_load_explicit(&s->rcv_urgent, memory_order_acquire);
	if (!(r->flags & REF_URGENT_KNOWN) || at != r->is.urgent) {
		drop_passed_byte(ctx, r, s);
		r->is.urgent = at;
		r->flags |= REF_URGENT_KNOWN | REF_URGENT;
		r->flags &= (uint16_t)~REF_URGENT_READ;
	}
	if ((int32_t)(bytes_read(s) - r->is.urgent) > 0)
		r->flags &= (uint16_t)~REF_URGENT;
	return r->flags & REF_URGENT;
}

struct urgent_room
urgent_room_marked(struct mtcp_context *ctx, struct sockref *r, uint32_t used)
{
	const struct sock *s = ref_sock(ctx, r);
	uint32_t read = bytes_read(s), ahead;

	if (!look(ctx, r))
		return (struct urgent_room){ 0, used };
	used -= bytes_read(s) - read; /* look() may have dropped one */
	ahead = r->is.urgent - bytes_read(s);
	if (ahead > 0 || used == 0)
		return (struct urgent_room){ 0, min(used, ahead) };
	if (r->flags & REF_OOBINLINE)
		return (struct urgent_room){ 0, used };
	return (struct urgent_room){ 1, used - 1 };
}

uint32_t
urgent_count(struct mtcp_context *ctx, struct sockref *r)
{
	const struct sock *s = ref_sock(ctx, r);
	struct urgent_room room = urgent_room(ctx, r);

	if (r->flags & REF_OOBINLINE)
		return stream_used(&s->rcv_w, &s->rcv_r);
	return room.skip ? 0 : room.bytes; /* Linux has it so, whatever stands behind the mark */
}

bool
urgent_at_mark(struct mtcp_context *ctx, struct sockref *r)
{
	return look(ctx, r) && r->is.urgent == bytes_read(ref_sock(ctx, r));
}

bool
urgent_is_ready_marked(struct mtcp_context *ctx, struct sockref *r)
{
	const struct sock *s = ref_sock(ctx, r);
	uint32_t used = stream_used(&s->rcv_w, &s->rcv_r);

	return look(ctx, r) && !(r->flags & REF_URGENT_READ) && r->is.urgent - bytes_read(s) < used;
}

int
urgent_take(struct mtcp_context *ctx, struct sockref *r, int flags, uint8_t *byte)
{
	struct sock *s = ref_sock(ctx, r);
	uint16_t facts = sock_facts(s);

	if ((r->flags & REF_OOBINLINE) || !look(ctx, r) || (r->flags & REF_URGENT_READ)) {
		errno = EINVAL;
		return -1;
	}
	if (urgent_is_ready_marked(ctx, r)) {
		stream_peek(&s->rcv_r, &s->rcv_w, NULL, r->is.urgent - bytes_read(s), byte, 1);
		if (!(flags & MSG_PEEK))
			r->flags |= REF_URGENT_READ;
		return 1;
	}
	if ((facts & (SOCK_PEER_FIN | SOCK_ERROR | SOCK_OVER)) ||
	    (sock_requests(s) & SOCK_REQ_SHUT_RD))
		return 0;
	errno = EAGAIN;
	return -1;
}

/* What the stack finds written it looks up here: the mark comes first. */
void
urgent_writes(struct mtcp_context *ctx, struct sockref *r, uint32_t len)
{
	struct sock *s = ref_sock(ctx, r);
	uint32_t end = atomic_load_explicit(&s->snd_w.written, memory_order_relaxed) + len;
	uint16_t req = atomic_load_explicit(&s->req, memory_order_relaxed);

	atomic_store_explicit(&s->snd_urgent, end, memory_order_release);
	if (!(req & SOCK_REQ_URGENT))
		atomic_store_explicit(&s->req, req | SOCK_REQ_URGENT, memory_order_release);
}
