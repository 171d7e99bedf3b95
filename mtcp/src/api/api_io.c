/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Bytes in and out.  All reading calls are one function over a list of pieces,
 * all writing calls another; both look at the streams directly and tell the
 * stack once per call.
 */
#include <errno.h>
#include <limits.h>

#include "api/api_connect.h"
#include "api/api_pipe.h"
#include "api/context.h"
#include "api/dgram_sock.h"
#include "api/pieces.h"
#include "api/ref_opts.h"
#include "api/sockaddr.h"
#include "api/urgent.h"
#include "tcp/tcp_eor.h"

#define RECV_FLAGS (MSG_PEEK | MSG_DONTWAIT | MSG_WAITALL | MSG_NOSIGNAL | MSG_OOB)
#define SEND_FLAGS (MSG_DONTWAIT | MSG_MORE | MSG_EOR | MSG_NOSIGNAL | MSG_FASTOPEN | MSG_OOB)

static bool
may_wait(const struct sockref *r, int flags)
{
	return !(r->flags & REF_NONBLOCK) && !(flags & MSG_DONTWAIT);
}

/* The deadline of a call that has to wait: set when it first does. */
static int64_t
deadline_once(struct mtcp_context *ctx, int64_t *deadline, uint32_t timeout_ms)
{
	if (*deadline == 0)
		*deadline = context_deadline(ctx, timeout_ms);
	return *deadline;
}

/* -- in ------------------------------------------------------------------- */

/* The stack computes the window from the stream whenever it sends; it is told
 * only when the window has moved enough to be worth a segment of its own. */
static void
tell_window(struct mtcp_context *ctx, struct sockref *r, struct sock *s)
{
	uint32_t read = atomic_load_explicit(&s->rcv_r.read, memory_order_relaxed);
	uint32_t since = read - r->told;

	if (since < atomic_load_explicit(&s->rcv_step, memory_order_relaxed))
		return;
	if (since < 8192 && since < stream_used(&s->rcv_w, &s->rcv_r))
		return;
	r->told = read;
	context_ask(ctx, s, 0);
}

static ssize_t
peek_available(struct mtcp_context *ctx, struct sockref *r, struct sock *s, struct pieces p)
{
	struct urgent_room room = urgent_room(ctx, r);
	uint32_t off = 0;
	uint8_t *to;

	while (off < room.bytes && p.left > 0) {
		uint32_t n = pieces_next(&p, room.bytes - off, &to);

		stream_peek(&s->rcv_r, &s->rcv_w, NULL, room.skip + off, to, n);
		pieces_done(&p, n);
		off += n;
	}
	return off;
}

static ssize_t
take_available(struct mtcp_context *ctx, struct sockref *r, struct sock *s, struct pieces *p)
{
	struct urgent_room room = urgent_room(ctx, r);
	ssize_t got = 0;
	uint8_t *to;

	if (room.skip && p->left > 0)
		stream_consume(&s->rcv_r, &s->rcv_w, NULL, room.skip, &ctx->spent);
	while (room.bytes > 0 && p->left > 0) {
		uint32_t n = pieces_next(p, room.bytes, &to);

		stream_read(&s->rcv_r, &s->rcv_w, to, n, &ctx->spent);
		pieces_done(p, n);
		room.bytes -= n;
		got += n;
	}
	context_return_chunks(ctx, false);
	return got;
}

/* Why nothing can be read any more: 0 for the end of the text, an errno value,
 * or -1 when something may still come.  `facts` were read before the stream was
 * looked at, so all text before an end has been seen. */
static int
recv_end(struct mtcp_context *ctx, struct sockref *r, struct sock *s, uint16_t facts)
{
	uint16_t req = sock_requests(s);
	int err = sockref_take_error(ctx, r);

	if (err)
		return err;
	if ((facts & (SOCK_PEER_FIN | SOCK_OVER | SOCK_ERROR)) || (req & SOCK_REQ_SHUT_RD))
		return 0;
	if (r->type == MTCP_SOCK_LISTENER)
		return ENOTCONN;
	return (req & SOCK_REQ_CONNECT) || (facts & SOCK_BORN) ? -1 : ENOTCONN;
}

static ssize_t
stream_recv(struct mtcp_context *ctx, struct sockref *r, struct pieces p, int flags)
{
	struct sock *s = ref_sock(ctx, r);
	size_t want = p.left;
	int64_t deadline = 0;
	ssize_t got = 0;
	int end;

	for (;;) {
		uint32_t seen = pair_posted(ctx->pair);
		uint16_t facts = sock_facts(s);

		if (flags & MSG_PEEK)
			got = peek_available(ctx, r, s, p);
		else
			got += take_available(ctx, r, s, &p);
		if ((size_t)got == want || (got > 0 && !(flags & MSG_WAITALL)))
			break;
		if (got > 0 && urgent_at_mark(ctx, r))
			break;
		if (got > 0 && (facts & (SOCK_PEER_FIN | SOCK_ERROR | SOCK_OVER)))
			break;
		end = got > 0 ? -1 : recv_end(ctx, r, s, facts);
		if (end >= 0) {
			errno = end;
			return end ? -1 : 0;
		}
		if (!may_wait(r, flags)) {
			errno = EAGAIN;
			return got > 0 ? got : -1;
		}
		tell_window(ctx, r, s);
		if (context_wait(ctx, seen,
		                 deadline_once(ctx, &deadline, ref_opts(ctx, r)->rcv_timeout_ms)))
			return got > 0 ? got : -1;
	}
	if (!(flags & MSG_PEEK))
		tell_window(ctx, r, s);
	return got;
}

/* One byte at the most; MSG_WAITALL waits for no more. */
static ssize_t
urgent_recv(struct mtcp_context *ctx, struct sockref *r, struct pieces p, int flags)
{
	uint8_t byte, *to;
	int n;

	if (r->type == MTCP_SOCK_LISTENER) {
		errno = ENOTCONN;
		return -1;
	}
	n = urgent_take(ctx, r, flags, &byte);
	if (n <= 0 || p.left == 0)
		return min(n, 0);
	(void)pieces_next(&p, 1, &to);
	*to = byte;
	return 1;
}

static ssize_t
pipe_recv(struct mtcp_context *ctx, struct sockref *r, struct pieces p)
{
	ssize_t sum = 0, n;
	uint8_t *to;

	while (p.left > 0) {
		uint32_t room = pieces_next(&p, UINT32_MAX, &to);

		if (sum > 0 && pipe_used(r) == 0)
			break;
		n = pipe_read(ctx, r, (char *)to, room);
		if (n <= 0)
			return sum > 0 ? sum : n;
		pieces_done(&p, (uint32_t)n);
		sum += n;
	}
	return sum;
}

/* `from`: who sent a datagram, and whether some of it was lost. */
struct recv_from {
	struct sock_addr addr;
	bool is_dgram, cut;
};

static ssize_t
recv_pieces(struct mtcp_context *ctx, struct sockref *r, const struct iovec *v, int n, int flags,
            struct recv_from *from)
{
	struct recv_from unasked;
	struct pieces p;
	int err;

	if (!r)
		return -1;
	from = from ? from : &unasked;
	*from = (struct recv_from){ .is_dgram = r->type == MTCP_SOCK_DGRAM };
	err = pieces_init(&p, v, n);
	if (!err && from->is_dgram)
		return dgram_recv(ctx, r, p, flags, &from->addr, &from->cut);
	if (!err && ((flags & ~RECV_FLAGS) || r->type == MTCP_SOCK_EPOLL))
		err = EINVAL;
	if (err) {
		errno = err;
		return -1;
	}
	if (r->type == MTCP_SOCK_PIPE)
		return pipe_recv(ctx, r, p);
	if (flags & MSG_OOB)
		return urgent_recv(ctx, r, p, flags);
	return p.left == 0 ? 0 : stream_recv(ctx, r, p, flags);
}

/* Text that is there, without a mark in it, into one piece: what next to every read is.  0: it
 * takes more than this. */
static inline ssize_t
recv_quick(struct mtcp_context *ctx, struct sockref *r, char *buf, size_t len)
{
	struct sock *s = ref_sock(ctx, r);
	uint32_t there, n;

	if (unlikely(r->type != MTCP_SOCK_STREAM || !buf || len > SSIZE_MAX))
		return 0;
	there = stream_used(&s->rcv_w, &s->rcv_r); /* asked once: it grows meanwhile */
	n = (uint32_t)min((size_t)there, len);
	if (unlikely(n == 0 || (sock_facts(s) & SOCK_URGENT)))
		return 0;
	stream_read(&s->rcv_r, &s->rcv_w, (uint8_t *)buf, n, context_freed(ctx));
	if (unlikely(ctx->spent.n >= CHANNEL_BATCH))
		context_return_chunks(ctx, false);
	tell_window(ctx, r, s);
	return (ssize_t)n;
}

static ssize_t
recv_one(struct mtcp_context *ctx, struct sockref *r, char *buf, size_t len, int flags)
{
	struct iovec v = { buf, len };
	ssize_t n = r && flags == 0 ? recv_quick(ctx, r, buf, len) : 0;

	return likely(n > 0) ? n : recv_pieces(ctx, r, &v, 1, flags, NULL);
}

/* -- out ------------------------------------------------------------------ */

static uint32_t
room_now(const struct sock *s)
{
	uint32_t limit = atomic_load_explicit(&s->snd_limit, memory_order_relaxed);
	uint32_t used = stream_used(&s->snd_w, &s->snd_r);

	return used < limit ? limit - used : 0;
}

/* What was written last ends a record: said now that something is to follow.  False: there is no
 * memory to say it with. */
static bool
end_record(struct mtcp_context *ctx, struct sockref *r)
{
	struct sock *s = ref_sock(ctx, r);
	struct tcp_eor *m;

	if (!context_want_chunk(ctx, r))
		return false;
	if (!atomic_load_explicit(&s->snd_w.marked, memory_order_relaxed)) {
		m = tcp_eor_new(chunk_list_get(&ctx->empty));
		atomic_store_explicit(&s->eor, m, memory_order_relaxed);
		atomic_store_explicit(&s->snd_w.marked, true, memory_order_release);
		if (!context_want_chunk(ctx, r))
			return false;
	}
	m = atomic_load_explicit(&s->eor, memory_order_relaxed);
	tcp_eor_mark(m, &s->snd_w, &ctx->empty);
	r->flags &= (uint16_t)~REF_EOR;
	return true;
}

static size_t
put_available(struct mtcp_context *ctx, struct sockref *r, struct pieces *p, uint32_t room,
              int flags)
{
	struct sock *s = ref_sock(ctx, r);
	size_t put = 0;
	uint8_t *from;

	if (room == 0 || p->left == 0)
		return 0;
	if (unlikely(r->flags & REF_EOR) && !end_record(ctx, r))
		return 0;
	if (flags & MSG_OOB)
		urgent_writes(ctx, r, (uint32_t)min((size_t)room, p->left));
	while (room > 0 && p->left > 0 && context_want_chunk(ctx, r)) {
		uint32_t n = pieces_next(p, room, &from);

		n = stream_write(&s->snd_w, &s->snd_r, &ctx->empty, from, n);
		pieces_done(p, n);
		room -= n;
		put += n;
	}
	return put;
}

/* Why nothing can be written (an errno value), 0 when it can, or -1: not yet. */
static int
send_end(struct mtcp_context *ctx, struct sockref *r, struct sock *s)
{
	uint16_t facts = sock_facts(s), req = sock_requests(s);
	int err = sockref_take_error(ctx, r);

	if (err)
		return err;
	if ((facts & (SOCK_ERROR | SOCK_OVER)) || (req & SOCK_REQ_SHUT_WR))
		return EPIPE;
	if (facts & SOCK_CONNECTED)
		return 0;
	return req & SOCK_REQ_CONNECT ? -1 : EPIPE;
}

/* MSG_MORE holds for one call: a bit of the socket says it of the last one. */
static void
note_more(struct sock *s, int flags)
{
	uint16_t old = atomic_load_explicit(&s->opt_bits, memory_order_relaxed);
	uint16_t bits = flags & MSG_MORE ? old | SOCK_OPT_MORE : old & (uint16_t)~SOCK_OPT_MORE;

	if (bits != old)
		atomic_store_explicit(&s->opt_bits, bits, memory_order_release);
}

/* Opens a connection with the first of its text, where the peer's cookie is known. */
static ssize_t
send_with_syn(struct mtcp_context *ctx, struct sockref *r, struct pieces *p, int flags,
              const struct sock_addr *to)
{
	bool was_deferred = r->flags & REF_DEFERRED;
	int room = connect_room(ctx, r, to);
	size_t put;

	if (room < 0)
		return -1;
	put = room > 0 ? put_available(ctx, r, p, (uint32_t)room, flags) : 0;
	connect_with_text(ctx, r);
	if (put > 0 || may_wait(r, flags))
		return (ssize_t)put;
	errno = was_deferred ? EAGAIN : EINPROGRESS;
	return -1;
}

static ssize_t
stream_send(struct mtcp_context *ctx, struct sockref *r, struct pieces p, int flags,
            const struct sock_addr *to)
{
	struct sock *s = ref_sock(ctx, r);
	int64_t deadline = 0;
	ssize_t sum = 0;

	note_more(s, flags);
	if (unlikely((flags & MSG_FASTOPEN) || (r->flags & REF_DEFERRED)))
		sum = send_with_syn(ctx, r, &p, flags, to);
	if (sum < 0)
		return -1;
	for (;;) {
		uint32_t seen = pair_posted(ctx->pair);
		int end = 0;
		size_t put;

		/* What went in counts; the next call says what happened to it. */
		if (sum > 0 && (sock_facts(s) & (SOCK_ERROR | SOCK_OVER)))
			return sum;
		if (sum == 0)
			end = send_end(ctx, r, s);
		if (end > 0) {
			errno = end;
			return -1;
		}
		put = end == 0 ? put_available(ctx, r, &p, room_now(s), flags) : 0;
		sum += (ssize_t)put;
		if (put > 0)
			context_ask(ctx, s, 0);
		if (p.left == 0) {
			r->flags |= sum > 0 && (flags & MSG_EOR) ? REF_EOR : 0;
			return sum;
		}
		if (end == 0)
			context_want_space(ctx, r);
		if (!may_wait(r, flags)) {
			errno = EAGAIN;
			return sum > 0 ? sum : -1;
		}
		if (context_wait(ctx, seen,
		                 deadline_once(ctx, &deadline, ref_opts(ctx, r)->snd_timeout_ms)))
			return sum > 0 ? sum : -1;
	}
}

static ssize_t
pipe_send(struct mtcp_context *ctx, struct sockref *r, struct pieces p)
{
	ssize_t sum = 0, n;
	uint8_t *from;

	while (p.left > 0) {
		uint32_t len = pieces_next(&p, UINT32_MAX, &from);

		n = pipe_write(ctx, r, (const char *)from, len);
		if (n < 0)
			return sum > 0 ? sum : n;
		pieces_done(&p, (uint32_t)n);
		sum += n;
		if ((uint32_t)n < len)
			break;
	}
	return sum;
}

static ssize_t
send_pieces(struct mtcp_context *ctx, struct sockref *r, const struct iovec *v, int n, int flags,
            const struct sock_addr *to)
{
	struct pieces p;
	int err;

	if (!r)
		return -1;
	err = pieces_init(&p, v, n);
	if (!err && r->type == MTCP_SOCK_DGRAM)
		return dgram_send(ctx, r, p, flags, to);
	if (!err && r->type == MTCP_SOCK_EPOLL)
		err = EINVAL;
	if (!err && (flags & ~SEND_FLAGS))
		err = EOPNOTSUPP;
	if (err) {
		errno = err;
		return -1;
	}
	return r->type == MTCP_SOCK_PIPE ? pipe_send(ctx, r, p)
	                                 : stream_send(ctx, r, p, flags, to);
}

/* Less than a chunk of text into an open connection with room for it, and nothing to say beside
 * it: what next to every write is.  0: it takes more than this. */
static inline ssize_t
send_quick(struct mtcp_context *ctx, struct sockref *r, const char *buf, size_t len)
{
	struct sock *s = ref_sock(ctx, r);
	uint16_t facts = sock_facts(s);

	if (unlikely(r->type != MTCP_SOCK_STREAM || (r->flags & (REF_EOR | REF_DEFERRED)) ||
	             !buf || len == 0 || len >= CHUNK_ROOM))
		return 0;
	if (unlikely((facts & (SOCK_CONNECTED | SOCK_ERROR | SOCK_OVER)) != SOCK_CONNECTED ||
	             (sock_requests(s) & SOCK_REQ_SHUT_WR)))
		return 0;
	if (unlikely(len > room_now(s) || !context_want_chunk(ctx, r)))
		return 0;
	note_more(s, 0);
	stream_write(&s->snd_w, &s->snd_r, &ctx->empty, (const uint8_t *)buf, (uint32_t)len);
	context_ask(ctx, s, 0);
	return (ssize_t)len;
}

static ssize_t
send_one(struct mtcp_context *ctx, struct sockref *r, const char *buf, size_t len, int flags)
{
	struct iovec v = { (void *)(uintptr_t)buf, len };
	ssize_t n = r && (flags & ~MSG_NOSIGNAL) == 0 ? send_quick(ctx, r, buf, len) : 0;

	return likely(n > 0) ? n : send_pieces(ctx, r, &v, 1, flags, NULL);
}

/* -- the calls ------------------------------------------------------------ */

ssize_t
mtcp_read(mctx_t mctx, int sockid, char *buf, size_t len)
{
	return recv_one(mctx, sockref_of(mctx, sockid), buf, len, 0);
}

ssize_t
mtcp_recv(mctx_t mctx, int sockid, char *buf, size_t len, int flags)
{
	return recv_one(mctx, sockref_of_socket(mctx, sockid), buf, len, flags);
}

ssize_t
mtcp_write(mctx_t mctx, int sockid, const char *buf, size_t len)
{
	return send_one(mctx, sockref_of(mctx, sockid), buf, len, 0);
}

ssize_t
mtcp_send(mctx_t mctx, int sockid, const char *buf, size_t len, int flags)
{
	return send_one(mctx, sockref_of_socket(mctx, sockid), buf, len, flags);
}

/* The result of these two is an int.  A list that is wrong as such is left to
 * pieces_init(). */
static bool
fits_int(const struct iovec *v, int n)
{
	size_t sum = 0;

	for (int i = 0; v && n <= IOV_MAX && i < n; i++) {
		if (v[i].iov_len > INT_MAX - sum) {
			errno = EINVAL;
			return false;
		}
		sum += v[i].iov_len;
	}
	return true;
}

int
mtcp_readv(mctx_t mctx, int sockid, const struct iovec *iov, int numiov)
{
	if (!fits_int(iov, numiov))
		return -1;
	return (int)recv_pieces(mctx, sockref_of(mctx, sockid), iov, numiov, 0, NULL);
}

int
mtcp_writev(mctx_t mctx, int sockid, const struct iovec *iov, int numiov)
{
	if (!fits_int(iov, numiov))
		return -1;
	return (int)send_pieces(mctx, sockref_of(mctx, sockid), iov, numiov, 0, NULL);
}

static bool
msg_usable(const struct msghdr *msg)
{
	if (!msg)
		errno = EFAULT;
	else if (msg->msg_iovlen > IOV_MAX)
		errno = EMSGSIZE;
	else
		return true;
	return false;
}

/* Whether it matters to whom a call says that it sends. */
static bool
names_peer(const struct sockref *r, int flags)
{
	return r->type == MTCP_SOCK_DGRAM || (flags & MSG_FASTOPEN);
}

ssize_t
mtcp_sendto(mctx_t mctx, int sockid, const void *buf, size_t len, int flags,
            const struct sockaddr *to, socklen_t tolen)
{
	struct msghdr m = { .msg_name = (void *)(uintptr_t)to, .msg_namelen = tolen };
	struct iovec v = { (void *)(uintptr_t)buf, len };

	m.msg_iov = &v;
	m.msg_iovlen = 1;
	return mtcp_sendmsg(mctx, sockid, &m, flags);
}

ssize_t
mtcp_recvfrom(mctx_t mctx, int sockid, void *buf, size_t len, int flags, struct sockaddr *from,
              socklen_t *fromlen)
{
	struct sockref *r = sockref_of_socket(mctx, sockid);
	struct iovec v = { buf, len };
	struct recv_from who;
	ssize_t n;

	if (from && !fromlen) {
		errno = EFAULT;
		return -1;
	}
	n = recv_pieces(mctx, r, &v, 1, flags, &who);
	if (n >= 0 && from && who.is_dgram)
		sockaddr_write(&who.addr, ref_is_v6(mctx, r), from, fromlen);
	return n;
}

ssize_t
mtcp_sendmsg(mctx_t mctx, int sockid, const struct msghdr *msg, int flags)
{
	struct sockref *r = sockref_of_socket(mctx, sockid);
	struct sock_addr to;
	bool named;
	int err = 0;

	if (!r || !msg_usable(msg))
		return -1;
	named = msg->msg_name && names_peer(r, flags);
	if (msg->msg_controllen > 0)
		err = EINVAL;
	else if (named)
		err = connect_address(mctx, r, msg->msg_name, msg->msg_namelen, &to);
	if (err) {
		errno = err;
		return -1;
	}
	return send_pieces(mctx, r, msg->msg_iov, (int)msg->msg_iovlen, flags,
	                   named ? &to : NULL);
}

ssize_t
mtcp_recvmsg(mctx_t mctx, int sockid, struct msghdr *msg, int flags)
{
	struct sockref *r = sockref_of_socket(mctx, sockid);
	struct recv_from who;
	ssize_t n;

	if (!r || !msg_usable(msg))
		return -1;
	n = recv_pieces(mctx, r, msg->msg_iov, (int)msg->msg_iovlen, flags, &who);
	if (n < 0)
		return n;
	if (msg->msg_name && who.is_dgram)
		sockaddr_write(&who.addr, ref_is_v6(mctx, r), msg->msg_name, &msg->msg_namelen);
	else
		msg->msg_namelen = 0;
	msg->msg_controllen = 0;
	msg->msg_flags = who.is_dgram ? (who.cut ? MSG_TRUNC : 0) : flags & MSG_OOB;
	return n;
}
