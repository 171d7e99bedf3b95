/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A socket's life, but for its data: made, named, listening, connected,
 * accepted, shut, closed.
 */
#include <errno.h>
#include <sys/ioctl.h>

#include <linux/sockios.h>

#include "api/api_connect.h"
#include "api/api_pipe.h"
#include "api/context.h"
#include "api/dgram_sock.h"
#include "api/epoll_set.h"
#include "api/ref_opts.h"
#include "api/sockaddr.h"
#include "api/urgent.h"

#define BACKLOG_MAX 65535

/* -- made and named ------------------------------------------------------- */

int
mtcp_socket(mctx_t mctx, int domain, int type, int protocol)
{
	int kind = type & ~(SOCK_NONBLOCK | SOCK_CLOEXEC), id;
	bool dgram = kind == SOCK_DGRAM;

	if (!context_usable(mctx))
		return -1;
	if (domain != AF_INET && domain != AF_INET6)
		return call_answer(EAFNOSUPPORT);
	if ((kind != SOCK_STREAM && !dgram) ||
	    (protocol != 0 && protocol != (dgram ? IPPROTO_UDP : IPPROTO_TCP)))
		return call_answer(EPROTONOSUPPORT);
	id = sockref_new(mctx, dgram ? MTCP_SOCK_DGRAM : MTCP_SOCK_STREAM);
	if (id >= 0 && dgram)
		dgram_begin(mctx, ref_at(mctx, (uint32_t)id));
	if (id >= 0 && domain == AF_INET6)
		atomic_store_explicit(&ref_sock(mctx, ref_at(mctx, (uint32_t)id))->opt_bits,
		                      SOCK_OPT_V6, memory_order_relaxed);
	if (id >= 0 && (type & SOCK_NONBLOCK))
		ref_at(mctx, (uint32_t)id)->flags |= REF_NONBLOCK;
	return id;
}

static int
bind_to(struct mtcp_context *ctx, struct sockref *r, const struct sock_addr *to)
{
	int err;

	ctx->ch->call.addr = *to;
	err = context_call(ctx, SOCK_CALL_BIND, ref_sock(ctx, r));
	if (!err)
		r->flags |= REF_BOUND;
	return err;
}

int
mtcp_bind(mctx_t mctx, int sockid, const struct sockaddr *addr, socklen_t addrlen)
{
	struct sockref *r = sockref_of_socket(mctx, sockid);
	struct sock_addr to;
	int err;

	if (!r)
		return -1;
	err = sockaddr_parse(addr, addrlen, ref_is_v6(mctx, r), &to);
	if (err)
		return call_answer(err);
	if (ref_has_bit(mctx, r, SOCK_OPT_V6ONLY) && ip_addr_is_v4(&to.ip))
		return call_answer(EINVAL);
	if (r->type == MTCP_SOCK_DGRAM)
		return call_answer(dgram_bind(mctx, r, &to));
	if ((r->flags & REF_BOUND) || connect_asked(mctx, r))
		return call_answer(EINVAL);
	return call_answer(bind_to(mctx, r, &to));
}

int
mtcp_listen(mctx_t mctx, int sockid, int backlog)
{
	struct sockref *r = sockref_of_socket(mctx, sockid);
	static const struct sock_addr anywhere;
	int err = 0;

	if (!r)
		return -1;
	if (r->type == MTCP_SOCK_DGRAM)
		return call_answer(EOPNOTSUPP);
	if (connect_asked(mctx, r))
		return call_answer(EINVAL);
	if (!(r->flags & REF_BOUND))
		err = bind_to(mctx, r, &anywhere);
	if (err)
		return call_answer(err);
	mctx->ch->call.value = backlog < 0 ? BACKLOG_MAX : min(max(backlog, 1), BACKLOG_MAX);
	err = context_call(mctx, SOCK_CALL_LISTEN, ref_sock(mctx, r));
	if (!err && r->type != MTCP_SOCK_LISTENER) {
		r->type = MTCP_SOCK_LISTENER;
		r->is.queue = (struct accept_queue){ NO_SOCK, NO_SOCK };
	}
	return call_answer(err);
}

/* Where a caller wants an address: both or none of the pointers. */
static bool
address_wanted(const struct sockaddr *addr, const socklen_t *addrlen)
{
	if (addr && addrlen)
		return true;
	errno = EFAULT;
	return false;
}

static void
peer_write(const struct mtcp_context *ctx, const struct sockref *r, struct sockaddr *addr,
           socklen_t *addrlen)
{
	struct sock_addr peer = sock_peer(ref_sock(ctx, r));

	sockaddr_write(&peer, ref_is_v6(ctx, r), addr, addrlen);
}

/* While a connection opens only the stack can tell which address it was given. */
static struct sock_addr
local_name(struct mtcp_context *ctx, struct sockref *r)
{
	struct sock *s = ref_sock(ctx, r);

	if (sock_facts(s) & SOCK_CONNECTED)
		return sock_local(s);
	if (sock_requests(s) & SOCK_REQ_CONNECT) {
		(void)context_call(ctx, SOCK_CALL_NAME, s);
		return ctx->ch->call.addr;
	}
	return r->flags & REF_BOUND ? sock_local(s) : (struct sock_addr){ .port = 0 };
}

int
mtcp_getsockname(mctx_t mctx, int sockid, struct sockaddr *addr, socklen_t *addrlen)
{
	struct sockref *r = sockref_of_socket(mctx, sockid);
	struct sock_addr name;

	if (!r || !address_wanted(addr, addrlen))
		return -1;
	if (r->type != MTCP_SOCK_DGRAM)
		name = local_name(mctx, r);
	else if (!dgram_local(mctx, r, &name))
		name = (struct sock_addr){ .port = 0 };
	sockaddr_write(&name, ref_is_v6(mctx, r), addr, addrlen);
	return 0;
}

int
mtcp_getpeername(mctx_t mctx, int sockid, struct sockaddr *addr, socklen_t *addrlen)
{
	struct sockref *r = sockref_of_socket(mctx, sockid);
	struct sock_addr peer;
	uint16_t facts;

	if (!r || !address_wanted(addr, addrlen))
		return -1;
	if (r->type == MTCP_SOCK_DGRAM) {
		if (!dgram_peer(mctx, r, &peer))
			return call_answer(ENOTCONN);
		sockaddr_write(&peer, ref_is_v6(mctx, r), addr, addrlen);
		return 0;
	}
	facts = sock_facts(ref_sock(mctx, r));
	if (!(facts & SOCK_CONNECTED) || (facts & (SOCK_ERROR | SOCK_OVER)))
		return call_answer(ENOTCONN);
	peer_write(mctx, r, addr, addrlen);
	return 0;
}

/* -- accepted ------------------------------------------------------------- */

/* The next connection of a listener; NULL with errno. */
static struct sockref *
accept_wait(struct mtcp_context *ctx, struct sockref *r)
{
	int64_t deadline = 0;
	struct sockref *born;

	for (;;) {
		uint32_t seen = pair_posted(ctx->pair);

		context_drain(ctx);
		born = sockref_accept(ctx, r);
		if (born)
			return born;
		if (r->flags & REF_NONBLOCK) {
			errno = EAGAIN;
			return NULL;
		}
		if (deadline == 0)
			deadline = context_deadline(ctx, ref_opts(ctx, r)->rcv_timeout_ms);
		if (context_wait(ctx, seen, deadline))
			return NULL;
	}
}

int
mtcp_accept4(mctx_t mctx, int sockid, struct sockaddr *addr, socklen_t *addrlen, int flags)
{
	struct sockref *r = sockref_of_socket(mctx, sockid), *born;

	if (!r)
		return -1;
	if (r->type == MTCP_SOCK_DGRAM)
		return call_answer(EOPNOTSUPP);
	if (r->type != MTCP_SOCK_LISTENER || (flags & ~(SOCK_NONBLOCK | SOCK_CLOEXEC)))
		return call_answer(EINVAL);
	if ((addr || addrlen) && !address_wanted(addr, addrlen))
		return -1;
	born = accept_wait(mctx, r);
	if (!born)
		return -1;
	if (flags & SOCK_NONBLOCK)
		born->flags |= REF_NONBLOCK;
	if (addr)
		peer_write(mctx, born, addr, addrlen);
	return (int)ref_number(mctx, born);
}

int
mtcp_accept(mctx_t mctx, int sockid, struct sockaddr *addr, socklen_t *addrlen)
{
	return mtcp_accept4(mctx, sockid, addr, addrlen, 0);
}

/* -- connected ------------------------------------------------------------ */

/* There for programs that call it.  Ports whose replies arrive on this core are computed for
 * each connection, so there is nothing to prepare. */
int
mtcp_init_rss(mctx_t mctx, in_addr_t saddr_base, int num_addr, in_addr_t daddr,
              in_addr_t dport)
{
	(void)saddr_base;
	(void)daddr;
	(void)dport;
	if (!context_usable(mctx))
		return -1;
	return num_addr < 1 ? call_answer(EINVAL) : 0;
}

/* -- shut and closed ------------------------------------------------------ */

/* Whoever replaces this listener in another core or process gets what comes from here on. */
static int
retire(struct mtcp_context *ctx, struct sockref *r, int how)
{
	if (how != SHUT_RD)
		return call_answer(ENOTCONN);
	ctx->ch->call.value = 0;
	return call_answer(context_call(ctx, SOCK_CALL_LISTEN, ref_sock(ctx, r)));
}

int
mtcp_shutdown(mctx_t mctx, int sockid, int how)
{
	struct sockref *r = sockref_of_socket(mctx, sockid);
	uint16_t facts, req = 0;
	int err = 0;

	if (!r)
		return -1;
	if (how != SHUT_RD && how != SHUT_WR && how != SHUT_RDWR)
		return call_answer(EINVAL);
	if (r->type == MTCP_SOCK_LISTENER)
		return retire(mctx, r, how);
	if (how != SHUT_WR)
		req |= SOCK_REQ_SHUT_RD;
	if (how != SHUT_RD)
		req |= SOCK_REQ_SHUT_WR;
	facts = sock_facts(ref_sock(mctx, r));
	if (r->type == MTCP_SOCK_DGRAM)
		err = dgram_shutdown(mctx, r, req);
	else if (!(facts & SOCK_CONNECTED) || (facts & (SOCK_ERROR | SOCK_OVER)))
		err = ENOTCONN;
	else
		context_ask(mctx, ref_sock(mctx, r), req);
	if (!err)
		epoll_set_notify(mctx, r);
	return call_answer(err);
}

/* SO_LINGER with a time: waits until the peer has everything, our FIN too. */
static void
linger(struct mtcp_context *ctx, struct sockref *r)
{
	struct sock *s = ref_sock(ctx, r);
	int64_t deadline = pair_now(ctx->pair) + SEC(ref_opts(ctx, r)->linger_s);

	context_ask(ctx, s, SOCK_REQ_SHUT_WR);
	for (;;) {
		uint32_t seen = pair_posted(ctx->pair);

		if (sock_facts(s) & (SOCK_FIN_ACKED | SOCK_ERROR | SOCK_OVER))
			return;
		if (context_wait(ctx, seen, deadline))
			return;
	}
}

/* Received text that nobody has read makes the close a reset: no reason to wait. */
static bool
worth_lingering(const struct mtcp_context *ctx, const struct sockref *r)
{
	const struct sock *s = ref_sock(ctx, r);

	return (sock_facts(s) & SOCK_CONNECTED) && stream_used(&s->rcv_w, &s->rcv_r) == 0;
}

static void
stream_close(struct mtcp_context *ctx, struct sockref *r, uint16_t how)
{
	if (r->flags & REF_LINGER) {
		if (ref_opts(ctx, r)->linger_s == 0)
			how = SOCK_REQ_ABORT;
		else if (how == 0 && worth_lingering(ctx, r))
			linger(ctx, r);
	}
	sockref_close(ctx, r, how);
}

static int
close_any(mctx_t mctx, int sockid, uint16_t how)
{
	struct sockref *r = sockref_of(mctx, sockid);

	if (!r)
		return -1;
	switch (r->type) {
	case MTCP_SOCK_EPOLL:
		epoll_set_delete(mctx, r->is.epoll);
		sockref_close(mctx, r, 0);
		break;
	case MTCP_SOCK_PIPE:
		pipe_end_close(mctx, r);
		sockref_close(mctx, r, 0);
		break;
	case MTCP_SOCK_LISTENER:
	case MTCP_SOCK_DGRAM:
		sockref_close(mctx, r, 0);
		break;
	default:
		stream_close(mctx, r, how);
		break;
	}
	return 0;
}

int
mtcp_close(mctx_t mctx, int sockid)
{
	return close_any(mctx, sockid, 0);
}

int
mtcp_abort(mctx_t mctx, int sockid)
{
	return close_any(mctx, sockid, SOCK_REQ_ABORT);
}

/* -- how calls behave ----------------------------------------------------- */

static void
set_nonblock(struct sockref *r, bool on)
{
	if (on)
		r->flags |= REF_NONBLOCK;
	else
		r->flags &= (uint16_t)~REF_NONBLOCK;
}

int
mtcp_setsock_nonblock(mctx_t mctx, int sockid)
{
	struct sockref *r = sockref_of(mctx, sockid);

	if (!r)
		return -1;
	set_nonblock(r, true);
	return 0;
}

static int
readable_bytes(struct mtcp_context *ctx, struct sockref *r)
{
	if (r->type == MTCP_SOCK_PIPE)
		return (int)pipe_used(r);
	if (r->type == MTCP_SOCK_DGRAM)
		return dgram_next_size(ctx, r);
	return (int)urgent_count(ctx, r);
}

static int
unsent_bytes(const struct mtcp_context *ctx, const struct sockref *r)
{
	const struct sock *s = ref_sock(ctx, r);

	return (int)stream_used(&s->snd_w, &s->snd_r);
}

int
mtcp_socket_ioctl(mctx_t mctx, int sockid, int request, void *argp)
{
	struct sockref *r = sockref_of(mctx, sockid);

	if (!r)
		return -1;
	if (!argp)
		return call_answer(EFAULT);
	if (request == FIONBIO) {
		set_nonblock(r, *(int *)argp != 0);
		return 0;
	}
	if (r->type == MTCP_SOCK_EPOLL || r->type == MTCP_SOCK_LISTENER)
		return call_answer(EINVAL);
	if (request == FIONREAD) {
		*(int *)argp = readable_bytes(mctx, r);
		return 0;
	}
	if (request == SIOCOUTQ &&
	    (r->type == MTCP_SOCK_STREAM || r->type == MTCP_SOCK_DGRAM)) {
		*(int *)argp = unsent_bytes(mctx, r);
		return 0;
	}
	if (request == SIOCATMARK && r->type == MTCP_SOCK_STREAM) {
		*(int *)argp = urgent_at_mark(mctx, r);
		return 0;
	}
	context_complain(mctx, "mtcp_socket_ioctl", 0, request);
	return call_answer(EINVAL);
}
