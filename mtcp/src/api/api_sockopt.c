/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Socket options: one table says for each where its value lives.  What the
 * stack keeps is asked of the stack; what only the calls need stays here; one
 * bit options are bits in the application's half of the socket.
 */
#include <errno.h>
#include <limits.h>
#include <sys/time.h>

#include <linux/sock_diag.h>
#include <linux/tcp.h>
#include <netinet/ip.h>

#include "api/api_connect.h"
#include "api/dgram_sock.h"
#include "api/ref_opts.h"
#include "api/tcp_info.h"
#include "tcp/tcp_cc.h"

#define RCVBUF_MIN     2304
#define SNDBUF_MIN     4608
#define BUF_MAX        (1 << 30)
#define FASTOPEN_MAX   4096 /* Linux's somaxconn                             */
#define CC_NAME_MAX    16u
#define ECN_BITS       3
#define DEFER_MAX_S    120u /* Linux's TCP_RTO_MAX                           */

enum kind {
	KIND_BIT,     /* arg: SOCK_OPT_*                                         */
	KIND_FLAG,    /* arg: REF_*                                              */
	KIND_QUICK,   /* TCP_QUICKACK: on unless it was switched off             */
	KIND_STACK,   /* arg: enum tcp_option; lo..hi                            */
	KIND_BUFFER,  /* the same, doubled as Linux does; lo: the least          */
	KIND_MAXSEG,  /* the same; 0 takes it back                               */
	KIND_LINGER2, /* the same; what is above hi is hi                        */
	KIND_CLAMP,
	KIND_LOWAT,
	KIND_TOS,
	KIND_TTL,
	KIND_TCLASS,  /* -1: none                                                */
	KIND_V6ONLY,  /* a bit that nobody changes any more who has a name       */
	KIND_PMTU,
	KIND_DEFER,
	KIND_FASTOPEN,
	KIND_FASTOPEN_CONNECT,
	KIND_RATE,
	KIND_TIMEOUT, /* arg: 0 receiving, 1 sending                             */
	KIND_LINGER,
	KIND_CC,
	KIND_KEY,
	KIND_INFO,    /* from here on: cannot be set */
	KIND_CC_INFO,
	KIND_MEMINFO,
	KIND_ERROR,
	KIND_LISTENS,
	KIND_DOMAIN,
	KIND_CONST,   /* arg: the value; lo: that of datagrams                   */
};

struct option {
	int level, name;
	enum kind kind;
	int arg;
	int lo, hi;
};

static const struct option options[] = {
	{ SOL_SOCKET, SO_REUSEADDR, KIND_BIT, SOCK_OPT_REUSEADDR, 0, 0 },
	{ SOL_SOCKET, SO_REUSEPORT, KIND_BIT, SOCK_OPT_REUSEPORT, 0, 0 },
	{ SOL_SOCKET, SO_SNDBUF, KIND_BUFFER, TCP_OPTION_SNDBUF, SNDBUF_MIN, BUF_MAX },
	{ SOL_SOCKET, SO_RCVBUF, KIND_BUFFER, TCP_OPTION_RCVBUF, RCVBUF_MIN, BUF_MAX },
	{ SOL_SOCKET, SO_KEEPALIVE, KIND_BIT, SOCK_OPT_KEEPALIVE, 0, 0 },
	{ SOL_SOCKET, SO_LINGER, KIND_LINGER, 0, 0, 0 },
	{ SOL_SOCKET, SO_OOBINLINE, KIND_FLAG, REF_OOBINLINE, 0, 0 },
	{ SOL_SOCKET, SO_RCVTIMEO, KIND_TIMEOUT, 0, 0, 0 },
	{ SOL_SOCKET, SO_SNDTIMEO, KIND_TIMEOUT, 1, 0, 0 },
	{ SOL_SOCKET, SO_MAX_PACING_RATE, KIND_RATE, TCP_OPTION_MAX_PACING_RATE, 0, 0 },
	{ SOL_SOCKET, SO_MEMINFO, KIND_MEMINFO, 0, 0, 0 },
	{ SOL_SOCKET, SO_ERROR, KIND_ERROR, 0, 0, 0 },
	{ SOL_SOCKET, SO_ACCEPTCONN, KIND_LISTENS, 0, 0, 0 },
	{ SOL_SOCKET, SO_TYPE, KIND_CONST, SOCK_STREAM, SOCK_DGRAM, 0 },
	{ SOL_SOCKET, SO_DOMAIN, KIND_DOMAIN, 0, 0, 0 },
	{ SOL_SOCKET, SO_PROTOCOL, KIND_CONST, IPPROTO_TCP, IPPROTO_UDP, 0 },
	{ IPPROTO_TCP, TCP_NODELAY, KIND_BIT, SOCK_OPT_NODELAY, 0, 0 },
	{ IPPROTO_TCP, TCP_CORK, KIND_BIT, SOCK_OPT_CORK, 0, 0 },
	{ IPPROTO_TCP, TCP_QUICKACK, KIND_QUICK, 0, 0, 0 },
	{ IPPROTO_TCP, TCP_MAXSEG, KIND_MAXSEG, TCP_OPTION_MAXSEG, 88, 32767 },
	{ IPPROTO_TCP, TCP_KEEPIDLE, KIND_STACK, TCP_OPTION_KEEPIDLE, 1, 32767 },
	{ IPPROTO_TCP, TCP_KEEPINTVL, KIND_STACK, TCP_OPTION_KEEPINTVL, 1, 32767 },
	{ IPPROTO_TCP, TCP_KEEPCNT, KIND_STACK, TCP_OPTION_KEEPCNT, 1, 127 },
	{ IPPROTO_TCP, TCP_SYNCNT, KIND_STACK, TCP_OPTION_SYNCNT, 1, 127 },
	{ IPPROTO_TCP, TCP_LINGER2, KIND_LINGER2, TCP_OPTION_LINGER2, -1, 120 },
	{ IPPROTO_TCP, TCP_DEFER_ACCEPT, KIND_DEFER, TCP_OPTION_DEFER_ACCEPT, 0, 0 },
	{ IPPROTO_TCP, TCP_WINDOW_CLAMP, KIND_CLAMP, TCP_OPTION_WINDOW_CLAMP, RCVBUF_MIN / 2, 0 },
	{ IPPROTO_TCP, TCP_USER_TIMEOUT, KIND_STACK, TCP_OPTION_USER_TIMEOUT, 0, INT_MAX },
	{ IPPROTO_TCP, TCP_NOTSENT_LOWAT, KIND_LOWAT, TCP_OPTION_NOTSENT_LOWAT, 0, 0 },
	{ IPPROTO_TCP, TCP_FASTOPEN, KIND_FASTOPEN, TCP_OPTION_FASTOPEN, 0, FASTOPEN_MAX },
	{ IPPROTO_TCP, TCP_FASTOPEN_CONNECT, KIND_FASTOPEN_CONNECT, REF_FASTOPEN_CONNECT, 0, 1 },
	{ IPPROTO_TCP, TCP_FASTOPEN_KEY, KIND_KEY, 0, 0, 0 },
	{ IPPROTO_TCP, TCP_CONGESTION, KIND_CC, TCP_OPTION_CONGESTION, 0, 0 },
	{ IPPROTO_TCP, TCP_INFO, KIND_INFO, 0, 0, 0 },
	{ IPPROTO_TCP, TCP_CC_INFO, KIND_CC_INFO, 0, 0, 0 },
	{ IPPROTO_IP, IP_TOS, KIND_TOS, TCP_OPTION_TOS, 0, 255 },
	{ IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, KIND_BIT, SOCK_OPT_BIND_LATE, 0, 0 },
	{ IPPROTO_IP, IP_TTL, KIND_TTL, TCP_OPTION_TTL, 1, 255 },
	{ IPPROTO_IPV6, IPV6_V6ONLY, KIND_V6ONLY, SOCK_OPT_V6ONLY, 0, 0 },
	{ IPPROTO_IPV6, IPV6_TCLASS, KIND_TCLASS, TCP_OPTION_TOS, -1, 255 },
	{ IPPROTO_IPV6, IPV6_UNICAST_HOPS, KIND_TTL, TCP_OPTION_TTL, 1, 255 },
};

/* Those of datagrams only; and of all others, which have no meaning for them. */
static const struct option dgram_options[] = {
	{ SOL_SOCKET, SO_BROADCAST, KIND_BIT, SOCK_OPT_BROADCAST, 0, 0 },
	{ IPPROTO_IP, IP_MTU_DISCOVER, KIND_PMTU, 0, UDP_PMTU_DONT, UDP_PMTU_PROBE },
};

static bool
is_of_streams(const struct option *o)
{
	return o->level == IPPROTO_TCP || o->kind == KIND_RATE ||
	       (o->level == SOL_SOCKET && (o->name == SO_KEEPALIVE || o->name == SO_OOBINLINE)) ||
	       (o->level == IPPROTO_IP && o->name == IP_BIND_ADDRESS_NO_PORT);
}

static const struct option *
option_find(const struct sockref *r, int level, int name)
{
	bool dgram = r && r->type == MTCP_SOCK_DGRAM;

	for (size_t i = 0; dgram && i < array_len(dgram_options); i++)
		if (dgram_options[i].level == level && dgram_options[i].name == name)
			return &dgram_options[i];
	for (size_t i = 0; i < array_len(options); i++)
		if (options[i].level == level && options[i].name == name)
			return dgram && is_of_streams(&options[i]) ? NULL : &options[i];
	return NULL;
}

/* -- set: each returns 0 or an errno value -------------------------------- */

/* Copies an argument of exactly `size` bytes or more. */
static int
fetch(void *to, size_t size, const void *val, socklen_t len)
{
	if (len < size)
		return EINVAL;
	if (!val)
		return EFAULT;
	memcpy(to, val, size);
	return 0;
}

/* Not connected nor asked to be: CLOSED or LISTEN. */
static bool
is_unconnected(const struct mtcp_context *ctx, const struct sockref *r)
{
	return r->type == MTCP_SOCK_LISTENER || !connect_asked(ctx, r);
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
set_quick(struct mtcp_context *ctx, struct sockref *r, bool on)
{
	(void)set_bit(ctx, r, on ? SOCK_OPT_SLOWACK : SOCK_OPT_QUICKACK, false);
	return set_bit(ctx, r, on ? SOCK_OPT_QUICKACK : SOCK_OPT_SLOWACK, true);
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

static int
set_ranged(struct mtcp_context *ctx, struct sockref *r, const struct option *o, int value)
{
	if (value < o->lo || value > o->hi)
		return EINVAL;
	return set_stack(ctx, r, o->arg, value);
}

/* In two bits of the socket's, from where the stack reads it. */
static int
set_pmtu(struct mtcp_context *ctx, struct sockref *r, const struct option *o, int value)
{
	struct sock *s = ref_sock(ctx, r);
	uint16_t bits = atomic_load_explicit(&s->opt_bits, memory_order_relaxed);

	if (value < o->lo || value > o->hi)
		return EINVAL;
	bits &= (uint16_t)~(3u << SOCK_OPT_PMTU_SHIFT);
	bits |= (uint16_t)(((unsigned)value ^ UDP_PMTU_WANT) << SOCK_OPT_PMTU_SHIFT);
	atomic_store_explicit(&s->opt_bits, bits, memory_order_release);
	return 0;
}

static int
get_pmtu(const struct mtcp_context *ctx, const struct sockref *r)
{
	const struct sock *s = ref_sock(ctx, r);
	uint16_t bits = atomic_load_explicit(&s->opt_bits, memory_order_relaxed);

	return (int)((bits >> SOCK_OPT_PMTU_SHIFT & 3u) ^ UDP_PMTU_WANT);
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
set_clamp(struct mtcp_context *ctx, struct sockref *r, const struct option *o, int value)
{
	if (value == 0 && !is_unconnected(ctx, r))
		return EINVAL;
	return set_stack(ctx, r, o->arg, value == 0 ? 0 : max(value, o->lo));
}

static int
set_lowat(struct mtcp_context *ctx, struct sockref *r, const struct option *o, int value)
{
	struct ref_opts *own = ref_opts_own(ctx, r);

	if (!own)
		return ENOBUFS;
	own->lowat = (uint32_t)value;
	return set_stack(ctx, r, o->arg, value);
}

/* Linux keeps a number of SYN-ACKs: as many as fit the time, 1, 2, 4 ... s apart. */
static int
set_defer(struct mtcp_context *ctx, struct sockref *r, const struct option *o, int seconds)
{
	int64_t period = 0;
	int n = 0;

	for (; period < seconds && n < 255; n++)
		period += min(INT64_C(1) << min(n, 31), (int64_t)DEFER_MAX_S);
	return set_stack(ctx, r, o->arg, n);
}

static int
set_fastopen(struct mtcp_context *ctx, struct sockref *r, const struct option *o, int value)
{
	if (value < 0 || !is_unconnected(ctx, r))
		return EINVAL;
	return set_stack(ctx, r, o->arg, min(value, o->hi));
}

static int
set_fastopen_connect(struct mtcp_context *ctx, struct sockref *r, const struct option *o,
                     int value)
{
	if (value < o->lo || value > o->hi || connect_asked(ctx, r) ||
	    r->type == MTCP_SOCK_LISTENER)
		return EINVAL;
	return set_flag(r, o->arg, value);
}

/* 32 bits or 64; all ones: no limit. */
static int
set_rate(struct mtcp_context *ctx, struct sockref *r, const struct option *o, const void *val,
         socklen_t len)
{
	uint32_t narrow = 0;
	uint64_t wide;

	if (len >= sizeof wide) {
		memcpy(&wide, val, sizeof wide);
	} else {
		memcpy(&narrow, val, sizeof narrow);
		wide = narrow == UINT32_MAX ? UINT64_MAX : narrow;
	}
	return set_stack(ctx, r, o->arg, (int64_t)min(wide, (uint64_t)INT64_MAX));
}

/* A time in the past is over at once, as on Linux. */
static int
set_timeout(struct mtcp_context *ctx, struct sockref *r, bool sending, const void *val,
            socklen_t len)
{
	struct ref_opts *own;
	struct timeval tv;
	int err = fetch(&tv, sizeof tv, val, len);
	int64_t ms;

	if (err)
		return err;
	if (tv.tv_usec < 0 || tv.tv_usec >= 1000000)
		return EDOM;
	ms = tv.tv_sec > INT32_MAX / 1000 ? INT32_MAX : tv.tv_sec * 1000 + (tv.tv_usec + 999) / 1000;
	if (tv.tv_sec < 0)
		ms = TIMEOUT_NOW;
	if (!(own = ref_opts_own(ctx, r)))
		return ENOBUFS;
	*(sending ? &own->snd_timeout_ms : &own->rcv_timeout_ms) = (uint32_t)ms;
	return 0;
}

static int
set_linger(struct mtcp_context *ctx, struct sockref *r, const void *val, socklen_t len)
{
	struct ref_opts *own;
	struct linger l;
	int err = fetch(&l, sizeof l, val, len);

	if (err)
		return err;
	if (l.l_onoff) {
		if (!(own = ref_opts_own(ctx, r)))
			return ENOBUFS;
		own->linger_s = (uint32_t)l.l_linger;
	}
	return set_flag(r, REF_LINGER, l.l_onoff != 0);
}

static int
set_cc(struct mtcp_context *ctx, struct sockref *r, const char *val, socklen_t len)
{
	char name[CC_NAME_MAX] = "";
	const struct cc_ops *cc;

	if (len == 0)
		return EINVAL;
	if (!val)
		return EFAULT;
	memcpy(name, val, min((size_t)len, sizeof name - 1));
	for (unsigned i = 0; (cc = tcp_cc_at(i)); i++)
		if (strcmp(cc->name, name) == 0)
			return set_stack(ctx, r, TCP_OPTION_CONGESTION, i);
	return ENOENT;
}

static int
set_key(struct mtcp_context *ctx, struct sockref *r, const void *val, socklen_t len)
{
	struct sock_call *call = &ctx->ch->call;

	if (len != 16 && len != 32)
		return EINVAL;
	if (!val)
		return EFAULT;
	memcpy(call->key, val, len);
	call->value = len;
	return context_call(ctx, SOCK_CALL_FASTOPEN_KEY, ref_sock(ctx, r));
}

/* Options of IP may come as one byte, or as none for 0. */
static int
fetch_int(int level, int *value, const void *val, socklen_t len)
{
	uint8_t byte = 0;
	int err;

	if (level != IPPROTO_IP || len >= sizeof *value)
		return fetch(value, sizeof *value, val, len);
	err = len > 0 ? fetch(&byte, 1, val, len) : 0;
	*value = byte;
	return err;
}

static int
set_int(struct mtcp_context *ctx, struct sockref *r, const struct option *o, int value)
{
	switch (o->kind) {
	case KIND_BIT:
		return set_bit(ctx, r, o->arg, value != 0);
	case KIND_FLAG:
		return set_flag(r, o->arg, value != 0);
	case KIND_QUICK:
		return set_quick(ctx, r, value != 0);
	case KIND_BUFFER:
		return set_buffer(ctx, r, o, value);
	case KIND_MAXSEG:
		return value == 0 ? set_stack(ctx, r, o->arg, 0) : set_ranged(ctx, r, o, value);
	case KIND_LINGER2:
		return set_stack(ctx, r, o->arg, max(min(value, o->hi), o->lo));
	case KIND_CLAMP:
		return set_clamp(ctx, r, o, value);
	case KIND_LOWAT:
		return set_lowat(ctx, r, o, value);
	case KIND_TOS:
		return set_stack(ctx, r, o->arg, value & 0xff & ~ECN_BITS);
	case KIND_TTL:
		return set_ranged(ctx, r, o, value == -1 ? IPDEFTTL : value);
	case KIND_TCLASS:
		return value < o->lo || value > o->hi
		           ? EINVAL
		           : set_stack(ctx, r, o->arg, max(value, 0) & ~ECN_BITS);
	case KIND_V6ONLY:
		return (r->flags & REF_BOUND) || !is_unconnected(ctx, r)
		           ? EINVAL
		           : set_bit(ctx, r, o->arg, value != 0);
	case KIND_PMTU:
		return set_pmtu(ctx, r, o, value);
	case KIND_DEFER:
		return set_defer(ctx, r, o, value);
	case KIND_FASTOPEN:
		return set_fastopen(ctx, r, o, value);
	case KIND_FASTOPEN_CONNECT:
		return set_fastopen_connect(ctx, r, o, value);
	default:
		return set_ranged(ctx, r, o, value);
	}
}

/* Levels that a socket of its family knows. */
static bool
has_level(const struct mtcp_context *ctx, const struct sockref *r, int level)
{
	if (level == IPPROTO_IPV6)
		return ref_is_v6(ctx, r);
	return level == SOL_SOCKET || level == IPPROTO_TCP || level == IPPROTO_IP;
}

/* In Linux's order: the length before the pointer, both before the name. */
static int
set_any(struct mtcp_context *ctx, struct sockref *r, int level, const struct option *o,
        const void *val, socklen_t len)
{
	int value, err;

	if (len > INT_MAX)
		return EINVAL;
	if (o && o->kind == KIND_CC)
		return set_cc(ctx, r, val, len);
	if (o && o->kind == KIND_KEY)
		return set_key(ctx, r, val, len);
	if (!has_level(ctx, r, level))
		return ENOPROTOOPT;
	err = fetch_int(level, &value, val, len);
	if (err)
		return err;
	if (!o || o->kind >= KIND_INFO)
		return ENOPROTOOPT;
	if (o->kind == KIND_TIMEOUT)
		return set_timeout(ctx, r, o->arg == 1, val, len);
	if (o->kind == KIND_LINGER)
		return set_linger(ctx, r, val, len);
	if (o->kind == KIND_RATE)
		return set_rate(ctx, r, o, val, len);
	return set_int(ctx, r, o, value);
}

int
mtcp_setsockopt(mctx_t mctx, int sockid, int level, int optname, const void *optval,
                socklen_t optlen)
{
	struct sockref *r = sockref_of_socket(mctx, sockid);
	const struct option *o = option_find(r, level, optname);
	int err;

	if (!r)
		return -1;
	if (!o)
		context_complain(mctx, "mtcp_setsockopt", level, optname);
	err = set_any(mctx, r, level, o, optval, optlen);
	return call_answer(err);
}

/* -- get ------------------------------------------------------------------ */

/* As much of the value as the caller has room for. */
static int
give(void *val, socklen_t *len, const void *from, size_t size)
{
	size = min((size_t)*len, size);
	if (size > 0 && !val)
		return EFAULT;
	if (size > 0)
		memcpy(val, from, size);
	*len = (socklen_t)size;
	return 0;
}

/* Less room than an int gets an option of IP as one byte, if it fits. */
static int
give_int(int level, void *val, socklen_t *len, int value)
{
	uint8_t byte = (uint8_t)value;

	if (level == IPPROTO_IP && *len > 0 && *len < sizeof value && value == byte)
		return give(val, len, &byte, 1);
	return give(val, len, &value, sizeof value);
}

static int
get_wide(struct mtcp_context *ctx, struct sockref *r, int option, int64_t *value)
{
	int err;

	ctx->ch->call.option = option;
	err = context_call(ctx, SOCK_CALL_GET, ref_sock(ctx, r));
	*value = ctx->ch->call.value;
	return err;
}

static int
get_stack(struct mtcp_context *ctx, struct sockref *r, int option, int *value)
{
	int64_t wide;
	int err = get_wide(ctx, r, option, &wide);

	*value = (int)min(max(wide, (int64_t)INT_MIN), (int64_t)INT_MAX);
	return err;
}

static int
get_defer(struct mtcp_context *ctx, struct sockref *r, int *seconds)
{
	int64_t period = 0;
	int n, err = get_stack(ctx, r, TCP_OPTION_DEFER_ACCEPT, &n);

	for (int i = 0; i < n; i++)
		period += min(INT64_C(1) << min(i, 31), (int64_t)DEFER_MAX_S);
	*seconds = (int)period;
	return err;
}

static int
get_int(struct mtcp_context *ctx, struct sockref *r, const struct option *o, int *value)
{
	switch (o->kind) {
	case KIND_BIT:
	case KIND_V6ONLY:
		*value = ref_has_bit(ctx, r, (uint16_t)o->arg);
		return 0;
	case KIND_QUICK:
		*value = !ref_has_bit(ctx, r, SOCK_OPT_SLOWACK);
		return 0;
	case KIND_FLAG:
	case KIND_FASTOPEN_CONNECT:
		*value = (r->flags & o->arg) != 0;
		return 0;
	case KIND_ERROR:
		*value = r->type == MTCP_SOCK_DGRAM ? dgram_take_error(ctx, r)
		                                    : sockref_take_error(ctx, r);
		return 0;
	case KIND_LISTENS:
		*value = r->type == MTCP_SOCK_LISTENER;
		return 0;
	case KIND_DOMAIN:
		*value = ref_is_v6(ctx, r) ? AF_INET6 : AF_INET;
		return 0;
	case KIND_CONST:
		*value = r->type == MTCP_SOCK_DGRAM ? o->lo : o->arg;
		return 0;
	case KIND_PMTU:
		*value = get_pmtu(ctx, r);
		return 0;
	case KIND_DEFER:
		return get_defer(ctx, r, value);
	default:
		return get_stack(ctx, r, o->arg, value);
	}
}

static int
get_timeout(const struct mtcp_context *ctx, const struct sockref *r, bool sending, void *val,
            socklen_t *len)
{
	const struct ref_opts *o = ref_opts(ctx, r);
	uint32_t ms = sending ? o->snd_timeout_ms : o->rcv_timeout_ms;
	struct timeval tv = { .tv_sec = ms / 1000, .tv_usec = ms % 1000 * 1000 };

	if (ms == TIMEOUT_NOW)
		tv = (struct timeval){ 0, 0 };
	return give(val, len, &tv, sizeof tv);
}

static int
get_linger(const struct mtcp_context *ctx, const struct sockref *r, void *val, socklen_t *len)
{
	struct linger l = { (r->flags & REF_LINGER) != 0, (int)ref_opts(ctx, r)->linger_s };

	return give(val, len, &l, sizeof l);
}

static int
get_rate(struct mtcp_context *ctx, struct sockref *r, const struct option *o, void *val,
         socklen_t *len)
{
	int64_t rate;
	uint64_t wide;
	uint32_t narrow;
	int err = get_wide(ctx, r, o->arg, &rate);

	if (err)
		return err;
	wide = rate == INT64_MAX ? UINT64_MAX : (uint64_t)rate;
	narrow = (uint32_t)min(wide, (uint64_t)UINT32_MAX);
	if (*len >= sizeof wide)
		return give(val, len, &wide, sizeof wide);
	return give(val, len, &narrow, sizeof narrow);
}

static int
get_cc(struct mtcp_context *ctx, struct sockref *r, void *val, socklen_t *len)
{
	const struct cc_ops *cc;
	char name[CC_NAME_MAX] = "";
	int i, err = get_stack(ctx, r, TCP_OPTION_CONGESTION, &i);

	if (err)
		return err;
	cc = tcp_cc_at((unsigned)i);
	if (cc)
		memcpy(name, cc->name, min(strlen(cc->name), sizeof name - 1));
	return give(val, len, name, sizeof name);
}

static int
get_key(struct mtcp_context *ctx, struct sockref *r, void *val, socklen_t *len)
{
	struct sock_call *call = &ctx->ch->call;
	int err;

	call->value = 0;
	err = context_call(ctx, SOCK_CALL_FASTOPEN_KEY, ref_sock(ctx, r));
	return err ? err : give(val, len, call->key, (size_t)call->value);
}

static int
get_info(struct mtcp_context *ctx, struct sockref *r, void *val, socklen_t *len)
{
	struct tcp_info info;
	int err = context_call(ctx, SOCK_CALL_INFO, ref_sock(ctx, r));

	if (err)
		return err;
	(void)tcp_info_write(&ctx->ch->call.info, &info, sizeof info);
	return give(val, len, &info, sizeof info);
}

static int
get_cc_info(struct mtcp_context *ctx, struct sockref *r, void *val, socklen_t *len)
{
	const struct tcp_info_data *d = &ctx->ch->call.info;
	int err = context_call(ctx, SOCK_CALL_INFO, ref_sock(ctx, r));

	return err ? err : give(val, len, d->cc_info, d->cc_info_len);
}

/* Nine words, in the order of Linux's <linux/sock_diag.h>: what the streams hold and
 * may hold; there is no other memory that belongs to a socket. */
static int
get_meminfo(struct mtcp_context *ctx, struct sockref *r, void *val, socklen_t *len)
{
	const struct sock *s = ref_sock(ctx, r);
	uint32_t mem[SK_MEMINFO_VARS] = { 0 };
	int rcvbuf, sndbuf, err;

	err = get_stack(ctx, r, TCP_OPTION_RCVBUF, &rcvbuf);
	if (!err)
		err = get_stack(ctx, r, TCP_OPTION_SNDBUF, &sndbuf);
	if (err)
		return err;
	mem[SK_MEMINFO_RMEM_ALLOC] = stream_used(&s->rcv_w, &s->rcv_r);
	mem[SK_MEMINFO_RCVBUF] = (uint32_t)rcvbuf;
	mem[SK_MEMINFO_SNDBUF] = (uint32_t)sndbuf;
	mem[SK_MEMINFO_WMEM_QUEUED] = stream_used(&s->snd_w, &s->snd_r);
	return give(val, len, mem, sizeof mem);
}

static int
get_any(struct mtcp_context *ctx, struct sockref *r, const struct option *o, void *val,
        socklen_t *len)
{
	int value, err;

	if (!len)
		return EFAULT;
	if (*len > INT_MAX)
		return EINVAL;
	if (!o)
		return ENOPROTOOPT;
	switch (o->kind) {
	case KIND_TIMEOUT:
		return get_timeout(ctx, r, o->arg == 1, val, len);
	case KIND_LINGER:
		return get_linger(ctx, r, val, len);
	case KIND_RATE:
		return get_rate(ctx, r, o, val, len);
	case KIND_CC:
		return get_cc(ctx, r, val, len);
	case KIND_KEY:
		return get_key(ctx, r, val, len);
	case KIND_INFO:
		return get_info(ctx, r, val, len);
	case KIND_CC_INFO:
		return get_cc_info(ctx, r, val, len);
	case KIND_MEMINFO:
		return get_meminfo(ctx, r, val, len);
	default:
		err = get_int(ctx, r, o, &value);
		return err ? err : give_int(o->level, val, len, value);
	}
}

int
mtcp_getsockopt(mctx_t mctx, int sockid, int level, int optname, void *optval,
                socklen_t *optlen)
{
	struct sockref *r = sockref_of_socket(mctx, sockid);
	const struct option *o = option_find(r, level, optname);
	int err;

	if (!r)
		return -1;
	if (!o)
		context_complain(mctx, "mtcp_getsockopt", level, optname);
	err = EOPNOTSUPP; /* of a level, and only here: as on Linux */
	if (has_level(mctx, r, level))
		err = get_any(mctx, r, o, optval, optlen);
	return call_answer(err);
}
