/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Socket options: one table says for each where its value lives.  What the
 * stack keeps is asked of the stack; what only the calls need stays here; one
 * bit options are bits in the application's half of the socket.
 */
#include <errno.h>
#include <limits.h>
#include <sys/time.h>

#include <linux/tcp.h>

#include "api/context.h"
#include "api/tcp_info.h"
#include "tcp/tcp_cc.h"

#define RCVBUF_MIN 2304
#define SNDBUF_MIN 4608
#define BUF_MAX    (1 << 30)

enum kind {
	KIND_BIT,     /* arg: SOCK_OPT_*                                 */
	KIND_FLAG,    /* arg: REF_*                                      */
	KIND_STACK,   /* arg: enum tcp_option; lo..hi                    */
	KIND_BUFFER,  /* the same, doubled as Linux does; lo: the least   */
	KIND_TIMEOUT, /* arg: 0 receiving, 1 sending                     */
	KIND_LINGER,
	KIND_CC,
	KIND_INFO,    /* from here on: cannot be set */
	KIND_ERROR,
	KIND_LISTENS,
	KIND_CONST,   /* arg: the value                                  */
};

struct option {
	int level, name;
	enum kind kind;
	int arg;
	int lo, hi;
};

static const struct option options[] = {
	{ SOL_SOCKET, SO_REUSEADDR, KIND_FLAG, REF_REUSEADDR, 0, 0 },
	{ SOL_SOCKET, SO_REUSEPORT, KIND_FLAG, REF_REUSEPORT, 0, 0 },
	{ SOL_SOCKET, SO_SNDBUF, KIND_BUFFER, TCP_OPTION_SNDBUF, SNDBUF_MIN, BUF_MAX },
	{ SOL_SOCKET, SO_RCVBUF, KIND_BUFFER, TCP_OPTION_RCVBUF, RCVBUF_MIN, BUF_MAX },
	{ SOL_SOCKET, SO_KEEPALIVE, KIND_BIT, SOCK_OPT_KEEPALIVE, 0, 0 },
	{ SOL_SOCKET, SO_LINGER, KIND_LINGER, 0, 0, 0 },
	{ SOL_SOCKET, SO_RCVTIMEO, KIND_TIMEOUT, 0, 0, 0 },
	{ SOL_SOCKET, SO_SNDTIMEO, KIND_TIMEOUT, 1, 0, 0 },
	{ SOL_SOCKET, SO_ERROR, KIND_ERROR, 0, 0, 0 },
	{ SOL_SOCKET, SO_ACCEPTCONN, KIND_LISTENS, 0, 0, 0 },
	{ SOL_SOCKET, SO_TYPE, KIND_CONST, SOCK_STREAM, 0, 0 },
	{ SOL_SOCKET, SO_DOMAIN, KIND_CONST, AF_INET, 0, 0 },
	{ SOL_SOCKET, SO_PROTOCOL, KIND_CONST, IPPROTO_TCP, 0, 0 },
	{ IPPROTO_TCP, TCP_NODELAY, KIND_BIT, SOCK_OPT_NODELAY, 0, 0 },
	{ IPPROTO_TCP, TCP_CORK, KIND_BIT, SOCK_OPT_CORK, 0, 0 },
	{ IPPROTO_TCP, TCP_QUICKACK, KIND_BIT, SOCK_OPT_QUICKACK, 0, 0 },
	{ IPPROTO_TCP, TCP_MAXSEG, KIND_STACK, TCP_OPTION_MAXSEG, 88, 32767 },
	{ IPPROTO_TCP, TCP_KEEPIDLE, KIND_STACK, TCP_OPTION_KEEPIDLE, 1, 32767 },
	{ IPPROTO_TCP, TCP_KEEPINTVL, KIND_STACK, TCP_OPTION_KEEPINTVL, 1, 32767 },
	{ IPPROTO_TCP, TCP_KEEPCNT, KIND_STACK, TCP_OPTION_KEEPCNT, 1, 127 },
	{ IPPROTO_TCP, TCP_SYNCNT, KIND_STACK, TCP_OPTION_SYNCNT, 1, 127 },
	{ IPPROTO_TCP, TCP_LINGER2, KIND_STACK, TCP_OPTION_LINGER2, INT_MIN, 120 },
	{ IPPROTO_TCP, TCP_USER_TIMEOUT, KIND_STACK, TCP_OPTION_USER_TIMEOUT, 0, INT_MAX },
	{ IPPROTO_TCP, TCP_CONGESTION, KIND_CC, TCP_OPTION_CONGESTION, 0, 0 },
	{ IPPROTO_TCP, TCP_INFO, KIND_INFO, 0, 0, 0 },
	{ IPPROTO_IP, IP_TOS, KIND_STACK, TCP_OPTION_TOS, 0, 255 },
	{ IPPROTO_IP, IP_TTL, KIND_STACK, TCP_OPTION_TTL, 1, 255 },
};

static const struct option *
option_find(int level, int name)
{
	for (size_t i = 0; i < array_len(options); i++)
		if (options[i].level == level && options[i].name == name)
			return &options[i];
	return NULL;
}

/* -- set: each returns 0 or an errno value -------------------------------- */

/* Copies an argument of exactly `size` bytes or more. */
static int
fetch(void *to, size_t size, const void *val, socklen_t len)
{
	if (len < size)
		return EINVAL;
	memcpy(to, val, size);
	return 0;
}

static int
set_bit(struct mtcp_context *ctx, struct sockref *r, int bit, bool on)
{
	struct sock *s = ref_sock(ctx, r);
	uint16_t old = atomic_load_explicit(&s->opt_bits, memory_order_relaxed);
	uint16_t bits = on ? old | (uint16_t)bit : old & (uint16_t)~bit;

	atomic_store_explicit(&s->opt_bits, bits, memory_order_release);
	context_ask(ctx, s, 0);
	return 0;
}

static int
set_flag(struct sockref *r, int flag, bool on)
{
	r->flags = on ? r->flags | (uint16_t)flag : r->flags & (uint16_t)~flag;
	return 0;
}

static int
set_stack(struct mtcp_context *ctx, struct sockref *r, int option, int64_t value)
{
	ctx->ch->call.option = option;
	ctx->ch->call.value = value;
	return context_call(ctx, SOCK_CALL_SET, ref_sock(ctx, r));
}

/* Half of a buffer pays for bookkeeping in Linux, and programs count on it. */
static int
set_buffer(struct mtcp_context *ctx, struct sockref *r, const struct option *o, int value)
{
	int64_t bytes = (int64_t)(uint32_t)value * 2;

	bytes = min(max(bytes, (int64_t)o->lo), (int64_t)o->hi);
	return set_stack(ctx, r, o->arg, bytes);
}

static int
set_timeout(struct sockref *r, bool sending, const void *val, socklen_t len)
{
	struct timeval tv;
	int err = fetch(&tv, sizeof tv, val, len);
	int64_t ms;

	if (err)
		return err;
	if (tv.tv_sec < 0 || tv.tv_usec < 0 || tv.tv_usec >= 1000000)
		return EDOM;
	ms = tv.tv_sec > INT32_MAX / 1000 ? INT32_MAX : tv.tv_sec * 1000 + (tv.tv_usec + 999) / 1000;
	if (sending)
		r->snd_timeout_ms = (uint32_t)ms;
	else
		r->rcv_timeout_ms = (uint32_t)ms;
	return 0;
}

static int
set_linger(struct sockref *r, const void *val, socklen_t len)
{
	struct linger l;
	int err = fetch(&l, sizeof l, val, len);

	if (err)
		return err;
	r->linger_s = (uint32_t)max(l.l_linger, 0);
	return set_flag(r, REF_LINGER, l.l_onoff != 0);
}

static int
set_cc(struct mtcp_context *ctx, struct sockref *r, const char *val, socklen_t len)
{
	char name[16] = "";
	const struct cc_ops *cc;

	if (len == 0)
		return EINVAL;
	memcpy(name, val, min((size_t)len, sizeof name - 1));
	for (unsigned i = 0; (cc = tcp_cc_at(i)); i++)
		if (strcmp(cc->name, name) == 0)
			return set_stack(ctx, r, TCP_OPTION_CONGESTION, i);
	return ENOENT;
}

/* IP_TOS and IP_TTL may come as one byte. */
static int
fetch_int(const struct option *o, int *value, const void *val, socklen_t len)
{
	uint8_t byte;

	if (o->level != IPPROTO_IP || len >= sizeof *value)
		return fetch(value, sizeof *value, val, len);
	if (fetch(&byte, 1, val, len))
		return EINVAL;
	*value = byte;
	return 0;
}

static int
set_int(struct mtcp_context *ctx, struct sockref *r, const struct option *o, int value)
{
	switch (o->kind) {
	case KIND_BIT:
		return set_bit(ctx, r, o->arg, value != 0);
	case KIND_FLAG:
		return set_flag(r, o->arg, value != 0);
	case KIND_BUFFER:
		return set_buffer(ctx, r, o, value);
	default:
		if (value < o->lo || value > o->hi)
			return EINVAL;
		return set_stack(ctx, r, o->arg, value);
	}
}

static int
set_any(struct mtcp_context *ctx, struct sockref *r, const struct option *o, const void *val,
        socklen_t len)
{
	int value, err;

	if (o->kind >= KIND_INFO)
		return ENOPROTOOPT;
	if (!val)
		return EFAULT;
	if (o->kind == KIND_TIMEOUT)
		return set_timeout(r, o->arg == 1, val, len);
	if (o->kind == KIND_LINGER)
		return set_linger(r, val, len);
	if (o->kind == KIND_CC)
		return set_cc(ctx, r, val, len);
	err = fetch_int(o, &value, val, len);
	return err ? err : set_int(ctx, r, o, value);
}

int
mtcp_setsockopt(mctx_t mctx, int sockid, int level, int optname, const void *optval,
                socklen_t optlen)
{
	struct sockref *r = sockref_of_socket(mctx, sockid);
	const struct option *o = option_find(level, optname);
	int err;

	if (!r)
		return -1;
	if (!o)
		context_complain(mctx, "mtcp_setsockopt", level, optname);
	err = o ? set_any(mctx, r, o, optval, optlen) : ENOPROTOOPT;
	if (err == 0)
		return 0;
	errno = err;
	return -1;
}

/* -- get ------------------------------------------------------------------ */

/* As much of the value as the caller has room for. */
static void
give(void *val, socklen_t *len, const void *from, size_t size)
{
	size = min((size_t)*len, size);
	memcpy(val, from, size);
	*len = (socklen_t)size;
}

static int
get_stack(struct mtcp_context *ctx, struct sockref *r, int option, int *value)
{
	int err;

	ctx->ch->call.option = option;
	err = context_call(ctx, SOCK_CALL_GET, ref_sock(ctx, r));
	*value = (int)min(max(ctx->ch->call.value, (int64_t)INT_MIN), (int64_t)INT_MAX);
	return err;
}

static int
get_int(struct mtcp_context *ctx, struct sockref *r, const struct option *o, int *value)
{
	const struct sock *s = ref_sock(ctx, r);

	switch (o->kind) {
	case KIND_BIT:
		*value = (atomic_load_explicit(&s->opt_bits, memory_order_relaxed) & o->arg) != 0;
		return 0;
	case KIND_FLAG:
		*value = (r->flags & o->arg) != 0;
		return 0;
	case KIND_ERROR:
		*value = sockref_take_error(ctx, r);
		return 0;
	case KIND_LISTENS:
		*value = r->type == MTCP_SOCK_LISTENER;
		return 0;
	case KIND_CONST:
		*value = o->arg;
		return 0;
	default:
		return get_stack(ctx, r, o->arg, value);
	}
}

static int
get_timeout(const struct sockref *r, bool sending, void *val, socklen_t *len)
{
	uint32_t ms = sending ? r->snd_timeout_ms : r->rcv_timeout_ms;
	struct timeval tv = { .tv_sec = ms / 1000, .tv_usec = ms % 1000 * 1000 };

	give(val, len, &tv, sizeof tv);
	return 0;
}

static int
get_linger(const struct sockref *r, void *val, socklen_t *len)
{
	struct linger l = { (r->flags & REF_LINGER) != 0, (int)r->linger_s };

	give(val, len, &l, sizeof l);
	return 0;
}

static int
get_cc(struct mtcp_context *ctx, struct sockref *r, void *val, socklen_t *len)
{
	const struct cc_ops *cc;
	char name[16] = "";
	int i, err = get_stack(ctx, r, TCP_OPTION_CONGESTION, &i);

	if (err)
		return err;
	cc = tcp_cc_at((unsigned)i);
	if (cc)
		memcpy(name, cc->name, min(strlen(cc->name), sizeof name - 1));
	give(val, len, name, sizeof name);
	return 0;
}

static int
get_info(struct mtcp_context *ctx, struct sockref *r, void *val, socklen_t *len)
{
	int err = context_call(ctx, SOCK_CALL_INFO, ref_sock(ctx, r));

	if (!err)
		*len = (socklen_t)tcp_info_write(&ctx->ch->call.info, val, *len);
	return err;
}

static int
get_any(struct mtcp_context *ctx, struct sockref *r, const struct option *o, void *val,
        socklen_t *len)
{
	int value, err;

	if (!val || !len)
		return EFAULT;
	if (*len > INT_MAX)
		return EINVAL;
	switch (o->kind) {
	case KIND_TIMEOUT:
		return get_timeout(r, o->arg == 1, val, len);
	case KIND_LINGER:
		return get_linger(r, val, len);
	case KIND_CC:
		return get_cc(ctx, r, val, len);
	case KIND_INFO:
		return get_info(ctx, r, val, len);
	default:
		err = get_int(ctx, r, o, &value);
		if (!err)
			give(val, len, &value, sizeof value);
		return err;
	}
}

int
mtcp_getsockopt(mctx_t mctx, int sockid, int level, int optname, void *optval,
                socklen_t *optlen)
{
	struct sockref *r = sockref_of_socket(mctx, sockid);
	const struct option *o = option_find(level, optname);
	int err;

	if (!r)
		return -1;
	if (!o)
		context_complain(mctx, "mtcp_getsockopt", level, optname);
	err = o ? get_any(mctx, r, o, optval, optlen) : ENOPROTOOPT;
	if (err == 0)
		return 0;
	errno = err;
	return -1;
}
