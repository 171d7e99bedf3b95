/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Datagrams from streams to packets.  One that is longer than the way takes leaves in fragments,
 * made of a copy, since the sum of all of it stands in the first; it may leave in parts as the
 * engine has room, and its socket's next one waits for it.
 */

#include "core/stack_priv.h"
#include "wire/udp_wire.h"

#define TURN 32u /* datagrams of a socket, before the next one's turn */

enum { E_ACCES = 13, E_MSGSIZE = 90 };

/* How a datagram leaves. */
struct course {
	struct ip_way way;
	struct ip4_hdr ip;
	uint32_t mtu;
	bool known;         /* its neighbour is: way.mac is good            */
};

/* ------------------------------------------------------------------- paths -- */

static struct udp_path *
path_of(struct stack *st, const struct ip_addr *dst)
{
	return &st->udp.path[siphash24(&st->udp.key, dst, sizeof *dst) % UDP_PATHS];
}

void
udp_path_learn(struct stack *st, const struct ip_addr *dst, uint16_t mtu, int64_t now)
{
	struct udp_path *p = path_of(st, dst);
	bool known = ip_addr_eq(&p->dst, dst) && p->until > now;

	mtu = (uint16_t)max((uint32_t)mtu, ip_addr_is_v4(dst) ? UDP_PATH_MIN : IP6_MTU_MIN);
	if (known && p->mtu <= mtu)
		return;
	*p = (struct udp_path){ *dst, now + UDP_PATH_NS, mtu };
}

static uint32_t
path_mtu(struct stack *st, const struct ip_addr *dst, uint32_t mtu, int64_t now)
{
	const struct udp_path *p = path_of(st, dst);

	return ip_addr_eq(&p->dst, dst) && p->until > now ? min(mtu, (uint32_t)p->mtu) : mtu;
}

/* -------------------------------------------------------------------- held -- */

/* The oldest, or the oldest for `dst`, makes room. */
static void
held_drop(struct stack *st, unsigned i)
{
	struct udp *u = &st->udp;

	io_release(st->port[u->held[i].port].io, &u->held[i].pkt, 1);
	stats_add(&st->stats.tx_drops, 1);
	memmove(&u->held[i], &u->held[i + 1], (--u->n_held - i) * sizeof u->held[0]);
}

static void
held_room(struct stack *st, const struct ip_addr *dst)
{
	struct udp *u = &st->udp;
	unsigned n = 0, first = UDP_HELD;

	for (unsigned i = 0; i < u->n_held; i++) {
		if (!ip_addr_eq(&u->held[i].dst, dst))
			continue;
		first = min(first, i);
		n++;
	}
	if (n >= UDP_HELD_ONE)
		held_drop(st, first);
	else if (u->n_held == UDP_HELD)
		held_drop(st, 0);
}

/* Changes whenever a neighbour's address is heard of. */
static uint32_t
news_of(const struct stack *st)
{
	uint32_t n = 0;

	for (unsigned i = 0; i < st->cfg.n_ports; i++)
		n += st->port[i].neigh.news;
	return n;
}

/* The packet that was made last waits. */
static void
hold(struct stack *st, const struct course *c, int64_t now)
{
	struct udp *u = &st->udp;

	held_room(st, &c->ip.dst);
	if (u->n_held == 0)
		u->held_news = news_of(st);
	u->held[u->n_held++] = (struct udp_held){
		ip_packet_take(st, c->way.port), c->ip.dst, now + UDP_HELD_NS, c->way.port,
	};
}

/* Sent, or given up: true. */
static bool
held_done(struct stack *st, struct udp_held *h, int64_t now)
{
	const struct neigh_entry *e;
	unsigned port;

	if (now >= h->until) {
		io_release(st->port[h->port].io, &h->pkt, 1);
		stats_add(&st->stats.tx_drops, 1);
		return true;
	}
	e = ip_way_known(st, &h->dst, now, &port);
	if (!e || port != h->port)
		return false;
	if (!ip_room(st, port, now)) {
		st->udp.held_stuck = true;
		return false;
	}
	memcpy(h->pkt.data, e->mac.b, sizeof e->mac.b);
	ip_send_for(st, port, h->pkt);
	return true;
}

/* They are looked at when some neighbour was heard of, or their time is up. */
static unsigned
held_run(struct stack *st, int64_t now)
{
	struct udp *u = &st->udp;
	unsigned kept = 0, n = u->n_held;
	uint32_t news = news_of(st);

	if (n == 0 || (news == u->held_news && !u->held_stuck && now < u->held[0].until))
		return 0;
	u->held_news = news;
	u->held_stuck = false;
	for (unsigned i = 0; i < n; i++)
		if (!held_done(st, &u->held[i], now))
			u->held[kept++] = u->held[i];
	u->n_held = kept;
	return n - kept;
}

void
udp_give_back(struct stack *st)
{
	while (st->udp.n_held > 0)
		held_drop(st, st->udp.n_held - 1);
}

int64_t
udp_deadline(const struct udp *u)
{
	return u->n_held ? u->held[0].until : TIME_NEVER;
}

/* ------------------------------------------------------------------ course -- */

static enum udp_pmtu_mode
pmtu_mode(const struct sock *s)
{
	uint16_t bits = atomic_load_explicit(&s->opt_bits, memory_order_relaxed);

	return (enum udp_pmtu_mode)((bits >> SOCK_OPT_PMTU_SHIFT & 3u) ^ UDP_PMTU_WANT);
}

/* Everybody on the link.  0 or an errno value. */
static int
course_to_all(struct stack *st, const struct sock *s, const struct ip_addr *dst,
              struct course *c)
{
	static const struct mac_addr all = { { 0xff, 0xff, 0xff, 0xff, 0xff, 0xff } };
	const struct route *r = route_lookup(&st->cfg.routes, dst);

	if (!(atomic_load_explicit(&s->opt_bits, memory_order_relaxed) & SOCK_OPT_BROADCAST))
		return E_ACCES;
	c->way.port = r ? r->port : 0;
	if (!ip_addr_is_any(&s->name.local))
		c->way.port = ip_port_of(st, &s->name.local);
	if (st->port[c->way.port].cfg.n_addrs == 0)
		return E_NETUNREACH;
	c->way.mac = all;
	c->ip.src = st->port[c->way.port].cfg.addr[0].ip;
	c->mtu = st->port[c->way.port].mtu;
	c->known = true;
	return 0;
}

static int
course_to_one(struct stack *st, const struct ip_addr *dst, int64_t now, struct course *c)
{
	uint16_t mtu;

	if (!ip_source(st, dst, &c->ip.src, &mtu))
		return E_NETUNREACH;
	c->mtu = mtu;
	switch (ip_way_find(st, dst, NULL, now, &c->way)) {
	case WAY_FOUND:
		c->known = true;
		return 0;
	case WAY_WAITING:
		c->known = false;
		return 0;
	case WAY_NO_ROUTE:
		return E_NETUNREACH;
	case WAY_UNREACHABLE:
	case WAY_NO_ROOM:
		break;
	}
	return -1; /* as if it were lost on the way */
}

/* How long the packet is. */
static uint32_t
packet_len(const struct dgram_head *h)
{
	return (ip_addr_is_v4(&h->peer.ip) ? IP4_LEN : IP6_LEN) + UDP_LEN + h->len;
}

/* 0; an errno value that the application is told; -1: it is dropped. */
static int
course_of(struct stack *st, const struct sock *s, const struct dgram_head *h, int64_t now,
          struct course *c)
{
	const struct ip_addr *dst = &h->peer.ip;
	const struct tcp_opts *o = sock_opts(st, s);
	enum udp_pmtu_mode mode = pmtu_mode(s);
	uint32_t len = packet_len(h);
	int err = ip_is_broadcast(st, dst) ? course_to_all(st, s, dst, c)
	                                   : course_to_one(st, dst, now, c);

	if (err)
		return err;
	if (mode != UDP_PMTU_PROBE)
		c->mtu = path_mtu(st, dst, c->mtu, now);
	if (len > c->mtu && mode >= UDP_PMTU_DO)
		return E_MSGSIZE;
	if (!ip_addr_is_any(&s->name.local)) {
		if (ip_addr_is_v4(&s->name.local) != ip_addr_is_v4(dst))
			return E_NETUNREACH;
		c->ip.src = s->name.local;
	}
	c->ip.dst = *dst;
	c->ip.proto = IP_PROTO_UDP;
	c->ip.ttl = (uint8_t)tcp_opt_value(&st->env, o, TCP_OPTION_TTL);
	c->ip.tos = (uint8_t)tcp_opt_value(&st->env, o, TCP_OPTION_TOS);
	c->ip.df = mode != UDP_PMTU_DONT && len <= c->mtu;
	return 0;
}

/* --------------------------------------------------------------------- out -- */

static void
write_datagram(struct sock *s, const struct dgram_head *h, const struct ip4_hdr *ip, uint8_t *to)
{
	struct udp_hdr udp = { s->name.lport, h->peer.port, to_u16(UDP_LEN + h->len) };
	struct ip_addr src = ip6_plain(&ip->src), dst = ip6_plain(&ip->dst);

	stream_peek(&s->snd_r, &s->snd_w, NULL, sizeof *h, to + UDP_LEN, h->len);
	wire_udp_build(to, &udp, &src, &dst);
}

/* False: the engine is full. */
static bool
send_whole(struct stack *st, struct sock *s, const struct dgram_head *h, struct course *c,
           int64_t now)
{
	if (!ip_room(st, c->way.port, now))
		return false;
	if (!c->ip.df)
		c->ip.id = frag_id(st, &c->ip.dst);
	write_datagram(s, h, &c->ip,
	               ip_packet_begin(st, &c->way, &c->ip, UDP_LEN + h->len));
	if (!c->known)
		hold(st, c, now);
	return true;
}

static bool
send_parts(struct stack *st, struct udp_sock *u, struct sock *s, const struct dgram_head *h,
           struct course *c, int64_t now)
{
	uint8_t *whole = st->frags.out;
	uint32_t len = UDP_LEN + h->len;

	if (!ip_room(st, c->way.port, now))
		return false;
	if (u->at == 0)
		u->id = frag_id(st, &c->ip.dst);
	c->ip.id = u->id;
	write_datagram(s, h, &c->ip, whole);
	for (; u->at < len && ip_room(st, c->way.port, now);) {
		uint32_t n = frag_next(&c->ip, c->mtu, len, u->at);

		memcpy(ip_packet_begin(st, &c->way, &c->ip, n), whole + u->at, n);
		u->at += n;
		if (!c->known)
			hold(st, c, now);
	}
	if (u->at < len)
		return false;
	u->at = 0;
	return true;
}

/* The first datagram of a socket is sent, or never will be: true. */
static bool
send_first(struct stack *st, struct udp_sock *u, struct sock *s, const struct dgram_head *h,
           int64_t now)
{
	struct course c = { .mtu = 0 };
	int err = course_of(st, s, h, now, &c);
	bool fits = packet_len(h) <= c.mtu && u->at == 0;

	if (err) {
		stats_add(&st->stats.tx_drops, 1);
		if (err > 0)
			udp_error(st, u, err);
		u->at = 0;
		return true;
	}
	return fits ? send_whole(st, s, h, &c, now) : send_parts(st, u, s, h, &c, now);
}

/* Who found no room may write again. */
static void
tell_room(struct stack *st, struct sock *s)
{
	uint16_t want = atomic_load_explicit(&s->want_space, memory_order_acquire);
	uint32_t limit = atomic_load_explicit(&s->snd_limit, memory_order_relaxed);

	limit = limit ? limit : DGRAM_LIMIT;
	if (want == s->told_space ||
	    stream_used(&s->snd_w, &s->snd_r) > sock_writable_below(limit, 0))
		return;
	s->told_space = want;
	events_tell(st, s, 0);
}

/* A socket's turn; true: the engine was full. */
static bool
turn(struct stack *st, struct udp_sock *u, int64_t now, unsigned *sent)
{
	struct sock *s = &st->ch.socks[u->sock];
	struct dgram_head h;
	bool full = false;

	for (unsigned n = 0; n < TURN && !full && dgram_first(&s->snd_r, &s->snd_w, &h); n++) {
		full = !send_first(st, u, s, &h, now);
		if (full)
			break;
		stream_consume(&s->snd_r, &s->snd_w, NULL, dgram_size(h.len), &st->env.spare);
		++*sent;
	}
	if (!u->closing)
		tell_room(st, s);
	return full;
}

unsigned
udp_run(struct stack *st, int64_t now)
{
	unsigned n = held_run(st, now), quota = n + st->cfg.tx_data;
	struct list later;
	struct link *l;

	list_init(&later);
	while (n < quota && (l = list_pop_front(&st->udp.tx))) {
		struct udp_sock *u = container_of(l, struct udp_sock, tx);
		struct sock *s = &st->ch.socks[u->sock];

		if (turn(st, u, now, &n))
			list_push_back(&later, l);
		else if (stream_used(&s->snd_w, &s->snd_r) > 0)
			list_push_back(&st->udp.tx, l);
		else if (u->closing)
			udp_end(st, u);
	}
	list_splice_back(&st->udp.tx, &later);
	return n;
}
