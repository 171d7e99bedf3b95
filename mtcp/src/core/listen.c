/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Listeners: SYNs become half-open records, the ACK that completes one becomes
 * a connection with a socket of its own, born into its listener's queue.
 */

#include "core/stack_priv.h"
#include "tcp/tcp_cookie.h"
#include "tcp/tcp_fastopen.h"
#include "tcp/tcp_rare.h"

#define FASTOPEN_SPAN_NS SEC(20) /* three to four of them: a minute, and a little more */

/* A socket of IPv6 on any address takes IPv4's connections too, unless it said not to (RFC 3493
 * 5.3); one of IPv4 only those. */
static bool
takes_any(const struct sock *s, const struct ip_addr *local)
{
	uint16_t bits = atomic_load_explicit(&s->opt_bits, memory_order_relaxed);

	if (ip_addr_is_v4(local))
		return !(bits & SOCK_OPT_V6) || !(bits & SOCK_OPT_V6ONLY);
	return bits & SOCK_OPT_V6;
}

/* How well a listener fits: 0 not at all, 1 by the port, 2 by the address too. */
static unsigned
fit(struct stack *st, uint32_t number, const struct tcp_tuple *t)
{
	const struct sock *s = &st->ch.socks[number];
	const struct listener *l;

	if (s->kind != SOCK_KIND_LISTENER || !(l = listener_of(st, number)) || l->retired)
		return 0;
	if (ip_addr_is_any(&s->name.local))
		return takes_any(s, &t->local);
	return ip_addr_eq(&s->name.local, &t->local) ? 2 : 0;
}

/* The nth of those that fit that well: there are more. */
static struct listener *
nth_listener(struct stack *st, const struct tcp_tuple *t, unsigned fits, uint32_t n)
{
	uint32_t number, i = port_first(&st->ports, t->lport);

	while (port_next(&st->ports, t->lport, &i, &number))
		if (fit(st, number, t) == fits && n-- == 0)
			return listener_of(st, number);
	return NULL;
}

/* Listeners that share a port (SO_REUSEPORT) divide its connections by the hash. */
struct listener *
listener_find(struct stack *st, const struct tcp_tuple *t)
{
	uint32_t number, last = 0, n = 0, i = port_first(&st->ports, t->lport);
	unsigned best = 1;

	while (port_next(&st->ports, t->lport, &i, &number)) {
		unsigned fits = fit(st, number, t);

		if (fits < best)
			continue;
		n = fits > best ? 1 : n + 1;
		best = fits;
		last = number;
	}
	if (likely(n == 1))
		return listener_of(st, last);
	return n ? nth_listener(st, t, best, demux_hash(&st->demux, t) % n) : NULL;
}

static struct listener *
free_listener(struct stack *st)
{
	for (unsigned i = 0; i < st->n_listeners; i++)
		if (st->listener[i].sock == NO_SOCK)
			return &st->listener[i];
	return st->n_listeners < STACK_LISTENERS_MAX ? &st->listener[st->n_listeners++] : NULL;
}

int
listener_add(struct stack *st, struct sock *s, uint32_t backlog)
{
	uint32_t number = sock_number(&st->ch, s);
	struct listener *l = listener_of(st, number);

	if (!l) { /* also after everything was asked to finish */
		if (!(l = free_listener(st)))
			return TCP_E_NOBUFS;
		*l = (struct listener){ .ip = s->name.local,
			                .port = s->name.lport,
			                .sock = number,
			                .gen = st->listeners_made++ };
		s->listener = to_u16((uint32_t)(l - st->listener));
	}
	l->backlog = max(backlog, 1u);
	l->retired = false;
	s->kind = SOCK_KIND_LISTENER;
	steer_listen(st, s->name.lport, true);
	return 0;
}

static bool
anybody_listens(const struct stack *st, uint16_t port)
{
	for (unsigned i = 0; i < st->n_listeners; i++)
		if (st->listener[i].sock != NO_SOCK && st->listener[i].port == port &&
		    !st->listener[i].retired)
			return true;
	return false;
}

/* Connections whose handshake has begun still come to it; the next ones go to others that listen, and
 * find silence as long as there are none. */
int
listener_retire(struct stack *st, struct sock *s)
{
	struct listener *l = listener_of(st, sock_number(&st->ch, s));

	if (!l)
		return E_INVAL;
	l->retired = true;
	steer_listen(st, s->name.lport, anybody_listens(st, s->name.lport));
	return 0;
}

bool
listener_is_deaf(const struct stack *st, const struct tcp_tuple *t)
{
	for (unsigned i = 0; i < st->n_listeners; i++) {
		const struct listener *l = &st->listener[i];

		if (l->sock != NO_SOCK && l->retired && l->port == t->lport &&
		    (ip_addr_is_any(&l->ip) || ip_addr_eq(&l->ip, &t->local)))
			return true;
	}
	return false;
}

/* Their ACKs will find nobody and be reset. */
static void
half_opens_end(struct stack *st, const struct listener *l)
{
	for (uint32_t i = 0; i < st->half_opens.fresh && l->half_open; i++) {
		struct half_open *h = pool_at(&st->half_opens, i);

		if (link_on_list(&h->req.timer.link) && h->req.listener == l->sock)
			half_open_free(st, h);
	}
}

void
listeners_quiesce(struct stack *st)
{
	for (unsigned i = 0; i < st->n_listeners; i++) {
		struct listener *l = &st->listener[i];

		if (l->sock != NO_SOCK && l->retired)
			half_opens_end(st, l);
		else if (l->sock != NO_SOCK)
			listener_close(st, &st->ch.socks[l->sock]);
	}
}

void
listener_close(struct stack *st, struct sock *s)
{
	struct listener *l = listener_of(st, sock_number(&st->ch, s));

	if (!l)
		return; /* closed before, when everything was asked to finish */
	half_opens_end(st, l);
	l->sock = NO_SOCK;
	steer_listen(st, s->name.lport, anybody_listens(st, s->name.lport));
}

static uint32_t
waiting(const struct stack *st, const struct listener *l)
{
	const struct sock *s = &st->ch.socks[l->sock];

	return atomic_load_explicit(&s->accepts, memory_order_relaxed) -
	       atomic_load_explicit(&s->accepted, memory_order_acquire);
}

static void
born(struct stack *st, struct sock *s, struct sock *parent, struct tcp_conn *c)
{
	uint16_t bits = atomic_load_explicit(&parent->opt_bits, memory_order_relaxed);

	s->kind = SOCK_KIND_CONN;
	s->conn = c;
	s->parent = sock_number(&st->ch, parent);
	atomic_store_explicit(&s->opt_bits, bits, memory_order_relaxed);
	c->flags |= bits & SOCK_OPT_NODELAY ? TCPF_NODELAY : 0;
	c->flags |= bits & SOCK_OPT_CORK ? TCPF_CORK : 0;
	c->flags |= bits & SOCK_OPT_KEEPALIVE ? TCPF_KEEPALIVE : 0;
	atomic_store_explicit(&parent->accepts,
	                      atomic_load_explicit(&parent->accepts, memory_order_relaxed) + 1,
	                      memory_order_relaxed);
	/* Told to the application when the connection settles. */
	atomic_store_explicit(&s->facts, SOCK_BORN, memory_order_relaxed);
}

/* The largest segment that the port takes, without options. */
static uint16_t
local_mss(const struct stack *st, const struct segment_from *from, const struct tcp_tuple *t)
{
	return to_u16(st->port[from->port].mtu - wire_tcp_headers(&t->remote));
}

/* The connection that a record stands for, which may be that of a half-open; NULL: no memory. */
static struct tcp_conn *
promote(struct stack *st, const struct tcp_req *req, const struct half_open *h,
        const struct segment_from *from, struct sock *parent, int64_t now)
{
	struct sock *s = slot_get(st);
	struct tcp_open o = {
		.tuple = req->tuple,
		.local_mss = req->adv_mss,
		.iss = req->iss,
		.ts_offset = req->ts_offset,
		.opts = sock_opts(st, parent),
	};
	struct tcp_conn *c;

	if (!s)
		return NULL;
	o.streams = &s->streams;
	if (!(c = conn_new(st, &o, req->hash, h, now))) {
		s->kind = SOCK_KIND_FREE;
		slot_release(st, s);
		return NULL;
	}
	(void)opts_share(st, c->opts);
	sock_set_opts(st, s, opts_share(st, c->opts));
	ip_learn_way(st, &req->tuple.remote, from, now);
	tcp_req_promote(&st->env, req, c, now);
	born(st, s, parent, c);
	return c;
}

static struct tcp_conn *
promote_half_open(struct stack *st, struct half_open *h, struct sock *parent, int64_t now)
{
	struct segment_from from = { h->port, h->mac, NULL };
	struct tcp_conn *c = promote(st, &h->req, h, &from, parent, now);

	if (c)
		half_open_replaced(st, h);
	return c;
}

/* TCP_DEFER_ACCEPT: the ACK is noted, and the SYN-ACK repeated only when the time is
 * almost over, for another that counts. */
static bool
waits_for_text(struct tcp_req *r, const struct tcp_seg *s)
{
	if (r->retries >= r->defer || s->len > 0 || (s->flags & TCP_FIN))
		return false;
	r->acked = true;
	return true;
}

/* How many connections by Fast Open may wait for their handshake (RFC 7413 5.1). */
static uint32_t
fastopen_room(const struct stack *st, const struct listener *l)
{
	const struct tcp_opts *o = sock_opts(st, &st->ch.socks[l->sock]);
	int64_t most = tcp_opt_value(&st->env, o, TCP_OPTION_FASTOPEN);

	if (!(st->cfg.tcp.fastopen & FASTOPEN_SERVER))
		return 0;
	if (most <= 0)
		most = st->cfg.tcp.fastopen & FASTOPEN_SERVER_ALL ? l->backlog : 0;
	return (uint32_t)most;
}

/* The span that is now; what lies farther back than all of them is forgotten. */
static uint32_t *
resets_now(struct listener *l, int64_t now)
{
	uint32_t span = (uint32_t)(now / FASTOPEN_SPAN_NS);

	for (uint32_t n = min(span - l->span, FASTOPEN_SPANS); n > 0; n--)
		l->resets[(span - n + 1) % FASTOPEN_SPANS] = 0;
	l->span = span;
	return &l->resets[span % FASTOPEN_SPANS];
}

/* Those whose handshake goes on, and those that a RST has ended a minute ago or less: a host
 * whose address is forged resets what it hears of, and a place that it freed at once would limit
 * nobody (RFC 7413 5.1). */
static uint32_t
fastopen_pending(struct listener *l, int64_t now)
{
	uint32_t n = l->fastopen;

	(void)resets_now(l, now);
	for (unsigned i = 0; i < FASTOPEN_SPANS; i++)
		n += l->resets[i];
	return n;
}

/* True: the SYN's text was taken, and the record is a connection already. */
static bool
fastopen_syn(struct stack *st, struct listener *l, struct half_open *h, const struct tcp_seg *s,
             int64_t now)
{
	struct tcp_rare *rare;
	struct tcp_conn *c;

	if (!tcp_fastopen_judge(&st->env, &h->req.tuple, s, &h->req.give_cookie) ||
	    fastopen_pending(l, now) >= fastopen_room(st, l) ||
	    !(c = promote_half_open(st, h, &st->ch.socks[l->sock], now)))
		return false;
	l->fastopen++;
	rare = tcp_rare_own(&st->env, c);
	rare->listener = l->sock;
	rare->listener_gen = l->gen;
	tcp_fastopen_accept(&st->env, c, s, now);
	conn_settle(st, c, now);
	return true;
}

/* The handshake of one is over, whichever way. */
void
listener_fastopen_over(struct stack *st, struct tcp_conn *c, int64_t now)
{
	const struct tcp_rare *rare = tcp_rare(c);
	struct listener *l = listener_of(st, rare->listener);

	c->flags &= ~(uint32_t)TCPF_FASTOPEN;
	if (!l || l->gen != rare->listener_gen)
		return;
	assert(l->fastopen > 0);
	l->fastopen--;
	if (c->state == TCP_CLOSED && c->err == TCP_E_RESET)
		++*resets_now(l, now);
}

static bool
wants_cookie(const struct stack *st)
{
	if (st->cfg.tcp.syn_cookies == TCP_COOKIES_ON)
		return st->half_opens.used == st->half_opens.max;
	return st->cfg.tcp.syn_cookies == TCP_COOKIES_ALWAYS;
}

static uint32_t
rcvbuf_of(const struct stack *st, const struct listener *l)
{
	return 2 * tcp_opt_rcv_space(&st->env, sock_opts(st, &st->ch.socks[l->sock]));
}

/* RFC 4987 3.6: nothing is remembered, but that there are cookies about. */
static enum fate
answer_with_cookie(struct stack *st, const struct listener *l, const struct segment_from *from,
                   const struct tcp_tuple *t, const struct tcp_seg *syn, int64_t now)
{
	struct tcp_seg synack;

	st->cookies_until = now + 2 * TCP_COOKIE_PERIOD_NS;
	tcp_cookie_synack(&st->env, t, syn, local_mss(st, from, t),
	                  rcvbuf_of(st, l), now, &synack);
	txq_stray(st, from, t, &synack);
	return SYN_COOKIE;
}

/* `reopened`: the SYN takes the place of a TIME-WAIT connection (RFC 6191), and
 * its ISN lies beyond `min_iss`. */
enum fate
listener_syn(struct stack *st, struct listener *l, const struct segment_from *from,
             const struct tcp_tuple *t, uint32_t hash, const struct tcp_seg *s, seq_t min_iss,
             bool reopened, int64_t now)
{
	seq_t iss = conn_isn(st, t, now);
	struct half_open *h;

	if (waiting(st, l) >= l->backlog)
		return DROP_BACKLOG;
	if (!reopened && wants_cookie(st)) /* its ISN lies where the hash says */
		return answer_with_cookie(st, l, from, t, s, now);
	if (!(h = half_open_new(st, t, hash)))
		return DROP_HALF_OPEN;
	if (reopened && seq_lt(iss, min_iss))
		iss = min_iss;
	tcp_req_init(&st->env, &h->req, t, s, iss, local_mss(st, from, t),
	             rcvbuf_of(st, l), now);
	h->req.hash = hash;
	h->req.listener = l->sock;
	h->req.defer = (uint8_t)sock_opts(st, &st->ch.socks[l->sock])->value[TCP_OPTION_DEFER_ACCEPT];
	h->mac = from->mac;
	h->port = (uint8_t)from->port;
	l->half_open++;
	if (fastopen_room(st, l) && fastopen_syn(st, l, h, s, now))
		return SYN_FASTOPEN;
	txq_put_synack(st, h);
	wheel_set(&st->wheel, &h->req.timer, now + h->req.rto_ns);
	return SYN_TAKEN;
}

enum fate
listener_ack(struct stack *st, struct half_open *h, const struct tcp_seg *s, int64_t now)
{
	struct listener *l = listener_of(st, h->req.listener);
	struct tcp_conn *c;
	enum fate fate;

	if (l && waits_for_text(&h->req, s))
		return DROP_DEFERRED;
	if (!l || waiting(st, l) >= l->backlog)
		return DROP_BACKLOG; /* the SYN-ACK comes again, and with it another ACK */
	if (!(c = promote_half_open(st, h, &st->ch.socks[l->sock], now)))
		return DROP_NO_MEMORY;
	fate = conn_in(st, c, s, now);
	conn_settle(st, c, now);
	return fate;
}

/* An ACK that no record waits for. */
enum fate
listener_cookie(struct stack *st, struct listener *l, const struct segment_from *from,
                const struct tcp_tuple *t, uint32_t hash, const struct tcp_seg *s, int64_t now)
{
	struct tcp_req req;
	struct tcp_conn *c;
	enum fate fate;

	if (now >= st->cookies_until)
		return DROP_NO_CONN;
	if (!tcp_cookie_ack(&st->env, t, s, local_mss(st, from, t),
	                    rcvbuf_of(st, l), now, &req))
		return DROP_COOKIE;
	if (waiting(st, l) >= l->backlog)
		return DROP_BACKLOG;
	req.hash = hash;
	req.listener = l->sock;
	if (!(c = promote(st, &req, NULL, from, &st->ch.socks[l->sock], now)))
		return DROP_NO_MEMORY;
	fate = conn_in(st, c, s, now);
	conn_settle(st, c, now);
	return fate == SEG_OK ? COOKIE_TAKEN : fate;
}
