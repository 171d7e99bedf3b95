/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Opening a connection.  A connect that has failed and was told of leaves a
 * socket as it was before, which may try again.
 */
#include "api/api_connect.h"

#include <errno.h>

#include "api/dgram_sock.h"
#include "api/epoll_set.h"
#include "api/ref_opts.h"
#include "api/sockaddr.h"

/* Asked of the stack: nothing is left of a connection. */
static int
unconnect(struct mtcp_context *ctx, struct sockref *r)
{
	struct sock *s = ref_sock(ctx, r);
	uint16_t bits = atomic_load_explicit(&s->opt_bits, memory_order_relaxed);
	int err;

	if (sock_facts(s) & SOCK_BORN)
		return EINVAL;
	bits &= (uint16_t)~(SOCK_OPT_FASTOPEN | SOCK_OPT_MORE);
	atomic_store_explicit(&s->opt_bits, bits, memory_order_relaxed);
	atomic_store_explicit(&s->req, 0, memory_order_release);
	err = context_call(ctx, SOCK_CALL_UNCONNECT, s);
	atomic_store_explicit(&s->accepted, 0, memory_order_relaxed); /* was snd_urgent */
	r->flags &= (uint16_t) ~(REF_TOLD | REF_KNOWN | REF_DEFERRED | REF_WAITS | REF_URGENT |
	                         REF_URGENT_READ | REF_URGENT_KNOWN | REF_EOR);
	r->told = 0;
	context_drain(ctx);
	epoll_set_notify(ctx, r);
	return err;
}

/* How a connect stands: 0 done, EINPROGRESS not yet, or why it failed. */
static int
connect_state(struct mtcp_context *ctx, struct sockref *r)
{
	uint16_t facts = sock_facts(ref_sock(ctx, r));
	int err = sockref_take_error(ctx, r);

	if (err)
		return err;
	if (facts & (SOCK_ERROR | SOCK_OVER))
		return facts & SOCK_CONNECTED ? 0 : ECONNABORTED;
	return facts & SOCK_CONNECTED ? 0 : EINPROGRESS;
}

static int
connect_wait(struct mtcp_context *ctx, struct sockref *r)
{
	int64_t deadline = 0;

	for (;;) {
		uint32_t seen = pair_posted(ctx->pair);
		int err = connect_state(ctx, r);

		if (err != EINPROGRESS)
			return err;
		if (deadline == 0)
			deadline = context_deadline(ctx, ref_opts(ctx, r)->snd_timeout_ms);
		if (context_wait(ctx, seen, deadline))
			return errno == EAGAIN ? EINPROGRESS : errno;
	}
}

/* What connect() returns for how it stands; a failure is over when it was told. */
static int
connect_told(struct mtcp_context *ctx, struct sockref *r, int err)
{
	if (err == 0)
		r->flags |= REF_KNOWN;
	else if (err != EINPROGRESS && err != EINTR)
		(void)unconnect(ctx, r);
	return err;
}

/* A connect on a socket that has one already: 0 the first time after success. */
static int
connect_again(struct mtcp_context *ctx, struct sockref *r)
{
	int err;

	if (r->flags & (REF_KNOWN | REF_DEFERRED))
		return EISCONN;
	err = r->flags & REF_NONBLOCK ? connect_state(ctx, r) : connect_wait(ctx, r);
	err = connect_told(ctx, r, err);
	return err == EINPROGRESS ? EALREADY : err;
}

/* -- with text ------------------------------------------------------------- */

static int
room_for_text(struct mtcp_context *ctx, struct sockref *r, const struct sock_addr *to)
{
	ctx->ch->call.addr = *to;
	if (context_call(ctx, SOCK_CALL_FASTOPEN_ROOM, ref_sock(ctx, r)))
		return 0;
	return (int)min(ctx->ch->call.value, INT64_C(65535));
}

int
connect_room(struct mtcp_context *ctx, struct sockref *r, const struct sock_addr *to)
{
	struct sock *s = ref_sock(ctx, r);
	struct sock_addr deferred = sock_peer(s);

	if (!(r->flags & REF_DEFERRED)) {
		if (r->type == MTCP_SOCK_LISTENER || (r->flags & REF_KNOWN) ||
		    (sock_facts(s) & (SOCK_BORN | SOCK_CONNECTED)))
			return call_answer(EISCONN);
		if (connect_asked(ctx, r))
			return call_answer(EALREADY);
		if (!to)
			return call_answer(EINVAL);
		sock_set_peer(s, to);
	}
	return room_for_text(ctx, r, r->flags & REF_DEFERRED ? &deferred : to);
}

void
connect_with_text(struct mtcp_context *ctx, struct sockref *r)
{
	struct sock *s = ref_sock(ctx, r);
	uint16_t bits = atomic_load_explicit(&s->opt_bits, memory_order_relaxed);

	if (r->flags & REF_DEFERRED) /* connect() has returned 0 already */
		r->flags |= REF_KNOWN;
	r->flags &= (uint16_t)~REF_DEFERRED;
	atomic_store_explicit(&s->opt_bits, bits | SOCK_OPT_FASTOPEN, memory_order_release);
	context_ask(ctx, s, SOCK_REQ_CONNECT);
}

/* TCP_FASTOPEN_CONNECT: with a cookie of the peer, the first write opens. */
static bool
deferred(struct mtcp_context *ctx, struct sockref *r, const struct sock_addr *to)
{
	struct sock *s = ref_sock(ctx, r);
	uint16_t bits = atomic_load_explicit(&s->opt_bits, memory_order_relaxed);

	if (!(r->flags & REF_FASTOPEN_CONNECT))
		return false;
	if (room_for_text(ctx, r, to) > 0) {
		r->flags |= REF_DEFERRED;
		epoll_set_notify(ctx, r);
		return true;
	}
	atomic_store_explicit(&s->opt_bits, bits | SOCK_OPT_FASTOPEN, memory_order_release);
	return false;
}

/* -- the call -------------------------------------------------------------- */

static int
connect_first(struct mtcp_context *ctx, struct sockref *r, const struct sock_addr *to)
{
	struct sock *s = ref_sock(ctx, r);

	sock_set_peer(s, to);
	if (deferred(ctx, r, to))
		return 0;
	context_ask(ctx, s, SOCK_REQ_CONNECT);
	if (r->flags & REF_NONBLOCK)
		return EINPROGRESS;
	return connect_told(ctx, r, connect_wait(ctx, r));
}

int
connect_address(const struct mtcp_context *ctx, const struct sockref *r,
                const struct sockaddr *addr, socklen_t len, struct sock_addr *to)
{
	int err = sockaddr_parse(addr, len, ref_is_v6(ctx, r), to);

	if (!err && ref_has_bit(ctx, r, SOCK_OPT_V6ONLY) && ip_addr_is_v4(&to->ip))
		return ENETUNREACH;
	return err;
}

int
mtcp_connect(mctx_t mctx, int sockid, const struct sockaddr *addr, socklen_t addrlen)
{
	struct sockref *r = sockref_of_socket(mctx, sockid);
	struct sock_addr to;
	bool unspec;
	int err;

	if (!r)
		return -1;
	unspec = addr && addrlen >= sizeof addr->sa_family && addr->sa_family == AF_UNSPEC;
	if (unspec && r->type == MTCP_SOCK_STREAM)
		return call_answer(unconnect(mctx, r));
	if (unspec && r->type == MTCP_SOCK_DGRAM)
		return call_answer(dgram_connect(mctx, r, NULL));
	err = connect_address(mctx, r, addr, addrlen, &to);
	if (err)
		return call_answer(err);
	if (r->type == MTCP_SOCK_DGRAM)
		return call_answer(dgram_connect(mctx, r, &to));
	if (r->type == MTCP_SOCK_LISTENER)
		return call_answer(EISCONN);
	if (connect_asked(mctx, r))
		return call_answer(connect_again(mctx, r));
	return call_answer(connect_first(mctx, r, &to));
}
