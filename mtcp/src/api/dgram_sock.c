/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Errors and readiness are those of Linux's udp(7): what a router says of a connected socket is
 * the result of the next call, whichever that is, and only once.
 */
#include "api/dgram_sock.h"

#include "api/ref_opts.h"
#include "core/dgram.h"
#include "mtcp_epoll.h"

#define READABLE ((uint32_t)MTCP_EPOLLIN | (uint32_t)MTCP_EPOLLRDNORM)
#define WRITABLE ((uint32_t)MTCP_EPOLLOUT | (uint32_t)MTCP_EPOLLWRNORM)

#define DGRAM_RECV_FLAGS (MSG_PEEK | MSG_TRUNC | MSG_DONTWAIT | MSG_WAITALL | MSG_NOSIGNAL)
#define DGRAM_SEND_FLAGS (MSG_DONTWAIT | MSG_NOSIGNAL | MSG_EOR)

void
dgram_begin(struct mtcp_context *ctx, struct sockref *r)
{
	atomic_store_explicit(&ref_sock(ctx, r)->req, SOCK_REQ_DGRAM, memory_order_release);
	r->is.error = 0;
}

/* ------------------------------------------------------------------- names -- */

static int
ask(struct mtcp_context *ctx, struct sockref *r, enum sock_call_op op,
    const struct sock_addr *addr)
{
	ctx->ch->call.addr = *addr;
	return context_call(ctx, op, ref_sock(ctx, r));
}

int
dgram_bind(struct mtcp_context *ctx, struct sockref *r, const struct sock_addr *at)
{
	int err = ask(ctx, r, SOCK_CALL_BIND, at);

	if (!err)
		r->flags |= REF_BOUND | REF_HAS_PORT;
	return err;
}

int
dgram_connect(struct mtcp_context *ctx, struct sockref *r, const struct sock_addr *to)
{
	static const struct sock_addr nobody;
	int err;

	if (to && to->port == 0)
		return EINVAL;
	err = ask(ctx, r, SOCK_CALL_DGRAM_CONNECT, to ? to : &nobody);
	if (err)
		return err;
	if (to)
		r->flags |= REF_KNOWN | REF_HAS_PORT;
	else
		r->flags &= (uint16_t)~REF_KNOWN;
	if (!to && ref_sock(ctx, r)->name.lport == 0) /* it was the stack's choice */
		r->flags &= (uint16_t)~REF_HAS_PORT;
	return 0;
}

int
dgram_shutdown(struct mtcp_context *ctx, struct sockref *r, uint16_t req)
{
	if (!(r->flags & REF_KNOWN))
		return ENOTCONN;
	context_ask(ctx, ref_sock(ctx, r), req);
	return 0;
}

bool
dgram_local(const struct mtcp_context *ctx, const struct sockref *r, struct sock_addr *a)
{
	if (!(r->flags & REF_HAS_PORT))
		return false;
	*a = sock_local(ref_sock(ctx, r));
	return true;
}

bool
dgram_peer(const struct mtcp_context *ctx, const struct sockref *r, struct sock_addr *a)
{
	if (!(r->flags & REF_KNOWN))
		return false;
	*a = sock_peer(ref_sock(ctx, r));
	return true;
}

/* ------------------------------------------------------------------ errors -- */

static uint32_t
error_word(struct mtcp_context *ctx, struct sockref *r)
{
	return atomic_load_explicit(&ref_sock(ctx, r)->dgram_error, memory_order_acquire);
}

int
dgram_take_error(struct mtcp_context *ctx, struct sockref *r)
{
	uint32_t word = error_word(ctx, r);

	if (word == r->is.error)
		return 0;
	r->is.error = word;
	return word & UINT16_MAX;
}

static ssize_t
fails(int err)
{
	errno = err;
	return -1;
}

/* 0, or -1 with errno: the call ends. */
static int
wait_more(struct mtcp_context *ctx, struct sockref *r, int flags, uint32_t seen,
          uint32_t timeout_ms, int64_t *deadline)
{
	if ((r->flags & REF_NONBLOCK) || (flags & MSG_DONTWAIT))
		return (int)fails(EAGAIN);
	if (*deadline == 0)
		*deadline = context_deadline(ctx, timeout_ms);
	return context_wait(ctx, seen, *deadline);
}

/* --------------------------------------------------------------------- out -- */

static uint32_t
send_limit(const struct sock *s)
{
	uint32_t limit = atomic_load_explicit(&s->snd_limit, memory_order_relaxed);

	return limit ? limit : DGRAM_LIMIT;
}

/* Bytes in front of a datagram. */
static size_t
headers(const struct ip_addr *to)
{
	return ip_addr_is_v4(to) ? 28 : 48;
}

/* Whether it can be at all: 0 or an errno value. */
static int
send_checks(struct mtcp_context *ctx, struct sockref *r, size_t len, int flags,
            const struct sock_addr *to)
{
	const struct sock *s = ref_sock(ctx, r);
	uint16_t bits = atomic_load_explicit(&s->opt_bits, memory_order_relaxed);
	uint32_t mtu = atomic_load_explicit(&s->rcv_step, memory_order_acquire);

	if (flags & ~DGRAM_SEND_FLAGS)
		return EOPNOTSUPP;
	if (len > DGRAM_MAX)
		return EMSGSIZE;
	if (to && to->port == 0)
		return EINVAL;
	if (!to && !(r->flags & REF_KNOWN))
		return EDESTADDRREQ;
	if (sock_requests(s) & SOCK_REQ_SHUT_WR)
		return EPIPE;
	/* What must not be cut says so now. */
	if (((bits >> SOCK_OPT_PMTU_SHIFT & 3u) ^ UDP_PMTU_WANT) >= UDP_PMTU_DO &&
	    (r->flags & REF_HAS_PORT) && len + headers(to ? &to->ip : &s->name.remote) > mtu)
		return EMSGSIZE;
	return dgram_take_error(ctx, r);
}

static bool
has_room(const struct sock *s)
{
	uint32_t used = stream_used(&s->snd_w, &s->snd_r);

	return used <= sock_writable_below(send_limit(s), 0);
}

static void
put(struct mtcp_context *ctx, struct sockref *r, struct pieces *p, const struct sock_addr *to)
{
	struct sock *s = ref_sock(ctx, r);
	struct dgram_head h = { .peer = *to, .len = (uint32_t)p->left };
	struct stream_record rec;
	uint8_t *from;

	stream_begin(&rec, &s->snd_w, &s->snd_r);
	stream_append(&rec, &ctx->empty, (const uint8_t *)&h, sizeof h);
	while (p->left > 0) {
		uint32_t n = pieces_next(p, UINT32_MAX, &from);

		stream_append(&rec, &ctx->empty, from, n);
		pieces_done(p, n);
	}
	stream_commit(&rec);
	context_ask(ctx, s, 0);
}

ssize_t
dgram_send(struct mtcp_context *ctx, struct sockref *r, struct pieces p, int flags,
           const struct sock_addr *to)
{
	struct sock *s = ref_sock(ctx, r);
	int err = send_checks(ctx, r, p.left, flags, to);
	uint32_t len = (uint32_t)p.left;
	struct sock_addr peer;
	int64_t deadline = 0;

	if (err)
		return fails(err);
	peer = to ? *to : sock_peer(s);
	if (!(r->flags & REF_HAS_PORT)) {
		if ((err = ask(ctx, r, SOCK_CALL_DGRAM_OPEN, &peer)))
			return fails(err);
		r->flags |= REF_HAS_PORT;
	}
	for (;;) {
		uint32_t seen = pair_posted(ctx->pair);

		if (has_room(s) && context_want_chunks(ctx, r, stream_chunks(dgram_size(len)))) {
			put(ctx, r, &p, &peer);
			return (ssize_t)len;
		}
		context_want_space(ctx, r);
		if (wait_more(ctx, r, flags, seen, ref_opts(ctx, r)->snd_timeout_ms, &deadline))
			return -1;
		if ((err = dgram_take_error(ctx, r)))
			return fails(err);
	}
}

/* ---------------------------------------------------------------------- in -- */

static void
peek(struct sock *s, struct pieces *p, uint32_t len)
{
	uint32_t off = sizeof(struct dgram_head);
	struct stream_cursor cur = { NULL, 0 };
	uint8_t *to;

	while (len > 0 && p->left > 0) {
		uint32_t n = pieces_next(p, len, &to);

		stream_peek(&s->rcv_r, &s->rcv_w, &cur, off, to, n);
		pieces_done(p, n);
		off += n;
		len -= n;
	}
}

static ssize_t
take(struct mtcp_context *ctx, struct sockref *r, struct pieces *p, const struct dgram_head *h,
     int flags, bool *cut)
{
	struct sock *s = ref_sock(ctx, r);
	uint32_t got = (uint32_t)min(p->left, (size_t)h->len);

	peek(s, p, h->len);
	*cut = got < h->len;
	if (!(flags & MSG_PEEK)) {
		stream_consume(&s->rcv_r, &s->rcv_w, NULL, dgram_size(h->len),
		               context_freed(ctx));
		context_return_chunks(ctx, false);
	}
	return flags & MSG_TRUNC ? (ssize_t)h->len : (ssize_t)got;
}

ssize_t
dgram_recv(struct mtcp_context *ctx, struct sockref *r, struct pieces p, int flags,
           struct sock_addr *from, bool *cut)
{
	struct sock *s = ref_sock(ctx, r);
	int64_t deadline = 0;
	struct dgram_head h;

	if (flags & ~DGRAM_RECV_FLAGS)
		return fails(EINVAL);
	for (;;) {
		uint32_t seen = pair_posted(ctx->pair);
		int err = dgram_take_error(ctx, r);

		if (err)
			return fails(err);
		if (dgram_first(&s->rcv_r, &s->rcv_w, &h)) {
			*from = h.peer;
			return take(ctx, r, &p, &h, flags, cut);
		}
		if (sock_requests(s) & SOCK_REQ_SHUT_RD)
			return 0;
		if (wait_more(ctx, r, flags, seen, ref_opts(ctx, r)->rcv_timeout_ms, &deadline))
			return -1;
	}
}

/* ------------------------------------------------------------------- ready -- */

uint32_t
dgram_ready(struct mtcp_context *ctx, struct sockref *r)
{
	const struct sock *s = ref_sock(ctx, r);
	uint16_t req = sock_requests(s);
	uint32_t ev = 0;

	if (stream_used(&s->rcv_w, &s->rcv_r) > 0)
		ev |= READABLE;
	if (req & SOCK_REQ_SHUT_RD)
		ev |= READABLE | (uint32_t)MTCP_EPOLLRDHUP;
	if ((req & SOCK_REQ_SHUT_RD) && (req & SOCK_REQ_SHUT_WR))
		ev |= MTCP_EPOLLHUP;
	if (!(r->flags & REF_STARVED) &&
	    stream_used(&s->snd_w, &s->snd_r) <= sock_writable_below(send_limit(s), 0))
		ev |= WRITABLE;
	if (error_word(ctx, r) != r->is.error)
		ev |= MTCP_EPOLLERR;
	return ev;
}

int
dgram_next_size(struct mtcp_context *ctx, struct sockref *r)
{
	struct sock *s = ref_sock(ctx, r);
	struct dgram_head h;

	return dgram_first(&s->rcv_r, &s->rcv_w, &h) ? (int)h.len : 0;
}
