/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Frames in and out: Ethernet, ARP, IPv4, ICMP, and the way to a destination of either family.
 * What is TCP for us goes on to segment.c.
 */

#include "core/stack_priv.h"
#include "tcp/tcp_rare.h"
#include "wire/usual.h"

/* ------------------------------------------------------------ addresses -- */

bool
ip_is_ours(const struct stack *st, const struct ip_addr *a)
{
	for (unsigned i = 0; i < st->cfg.n_ports; i++)
		if (port_owns(&st->port[i], a))
			return true;
	return false;
}

unsigned
ip_port_of(const struct stack *st, const struct ip_addr *a)
{
	for (unsigned i = 0; i < st->cfg.n_ports; i++)
		if (port_owns(&st->port[i], a))
			return i;
	return 0;
}

/* A host's own address: neither 0/8 nor 127/8 nor multicast nor broadcast
 * (RFC 1122 3.2.1.3), nor one of ours (the packet would be a forgery). */
static bool
is_host(const struct stack *st, const struct ip_addr *a)
{
	uint32_t v4 = ip_addr_v4_host(a);
	uint8_t top = (uint8_t)(v4 >> 24);

	return top != 0 && top != 127 && top < 224 && !ip_is_ours(st, a);
}

/* The broadcast address of a subnet we are on is nobody's unicast address. */
static bool
is_subnet_broadcast(const struct stack_port *p, const struct ip_addr *a)
{
	for (unsigned i = 0; i < p->cfg.n_addrs; i++) {
		unsigned bits = 128u - p->cfg.addr[i].prefix;
		uint32_t host = bits >= 32 ? UINT32_MAX : (1u << bits) - 1;

		if (bits > 1 && (ip_addr_v4_host(a) | host) == ip_addr_v4_host(a) &&
		    ip_addr_is_v4(&p->cfg.addr[i].ip) &&
		    ((ip_addr_v4_host(a) ^ ip_addr_v4_host(&p->cfg.addr[i].ip)) & ~host) == 0)
			return true;
	}
	return false;
}

bool
ip_is_broadcast(const struct stack *st, const struct ip_addr *a)
{
	if (!ip_addr_is_v4(a))
		return false;
	if (ip_addr_v4_host(a) == UINT32_MAX)
		return true;
	for (unsigned i = 0; i < st->cfg.n_ports; i++)
		if (is_subnet_broadcast(&st->port[i], a))
			return true;
	return false;
}

/* ------------------------------------------------------------------ ways -- */

/* The address of the port that shares the longest prefix with the next hop, of IPv4. */
static const struct ip_addr *
port_source(const struct stack_port *p, const struct ip_addr *hop)
{
	const struct ip_addr *best = NULL;

	for (unsigned i = 0; i < p->cfg.n_addrs; i++) {
		const struct stack_addr *a = &p->cfg.addr[i];
		unsigned bits = 128u - a->prefix;
		uint32_t mask = bits >= 32 ? 0 : UINT32_MAX << bits;

		if (!ip_addr_is_v4(&a->ip))
			continue;
		if (((ip_addr_v4_host(&a->ip) ^ ip_addr_v4_host(hop)) & mask) == 0)
			return &a->ip;
		if (!best)
			best = &a->ip;
	}
	return best;
}

bool
ip_source(const struct stack *st, const struct ip_addr *dst, struct ip_addr *src, uint16_t *mtu)
{
	const struct route *r = route_lookup(&st->cfg.routes, dst);
	const struct ip_addr *a;

	if (!ip_addr_is_v4(dst))
		return ip6_source(st, dst, src, mtu);
	if (!r || !is_host(st, dst))
		return false;
	if (is_subnet_broadcast(&st->port[r->port], dst))
		return false;
	a = ip_addr_is_any(&r->src) ? port_source(&st->port[r->port], route_next_hop(r, dst))
	                            : &r->src;
	if (!a)
		return false;
	*src = *a;
	*mtu = st->port[r->port].mtu;
	return true;
}

struct neigh_entry *
ip_way_look(struct stack *st, const struct ip_addr *dst, int64_t now, struct known_way *k,
            unsigned *port)
{
	const struct route *r = route_lookup(&st->cfg.routes, dst);
	struct neigh *n;

	if (!r)
		return NULL;
	n = &st->port[r->port].neigh;
	k->entry = neigh_lookup(n, route_next_hop(r, dst), now);
	k->neigh = n;
	k->dst = *dst;
	k->gen = n->gen;
	*port = k->port = r->port;
	return k->entry;
}

enum ip_way_answer
ip_way_find(struct stack *st, const struct ip_addr *dst, struct link *waiter, int64_t now,
            struct ip_way *way)
{
	const struct neigh_entry *e = ip_way_known(st, dst, now, &way->port);
	const struct route *r;
	struct neigh *n;

	if (likely(e != NULL)) {
		way->mac = e->mac;
		return WAY_FOUND;
	}
	if (!(r = route_lookup(&st->cfg.routes, dst)))
		return WAY_NO_ROUTE;
	n = &st->port[r->port].neigh;
	way->port = r->port;
	switch (neigh_wait(n, route_next_hop(r, dst), waiter, now)) {
	case NEIGH_WAITING:
		return WAY_WAITING;
	case NEIGH_UNREACHABLE:
		return WAY_UNREACHABLE;
	case NEIGH_NO_ROOM:
	case NEIGH_KNOWN: /* looked up just before: it cannot be */
		break;
	}
	return WAY_NO_ROOM;
}

void
ip_learn_way(struct stack *st, const struct ip_addr *dst, const struct segment_from *from,
             int64_t now)
{
	struct neigh *n = &st->port[from->port].neigh;
	const struct route *r;
	struct list ready;
	unsigned port;

	if (likely(ip_way_known(st, dst, now, &port) != NULL))
		return;
	r = route_lookup(&st->cfg.routes, dst);
	if (!r || r->port != from->port || neigh_lookup(n, route_next_hop(r, dst), now))
		return;
	list_init(&ready);
	(void)neigh_learn(n, route_next_hop(r, dst), &from->mac, NEIGH_HEARD_REQUEST, now,
	                  &ready);
	ip_unblock(st, &ready, now);
}

void
ip_unblock(struct stack *st, struct list *waiters, int64_t now)
{
	struct link *l;

	st->proved_at = INT64_MIN; /* what follows confirms what has just been learned */
	while ((l = list_pop_front(waiters))) {
		struct tcp_conn *c = container_of(l, struct tcp_conn, tx_link);

		c->tx_list = TX_NONE;
		conn_settle(st, c, now);
	}
}

/* ------------------------------------------------------------------- out -- */

void
ip_flush(struct stack *st, unsigned port, int64_t now)
{
	struct stack_port *p = &st->port[port];
	unsigned sent;
	uint64_t bytes = 0;

	if (p->n_out == 0)
		return;
	for (unsigned i = 0; i < p->n_out; i++)
		bytes += p->out[i].len;
	sent = p->info.queue != IO_NO_QUEUE ? io_tx(p->io, now, p->out, p->n_out)
	                                    : handover_send(st, port, p->out, p->n_out);
	for (unsigned i = sent; i < p->n_out; i++)
		bytes -= p->out[i].len;
	p->full = sent < p->n_out;
	memmove(p->out, p->out + sent, (p->n_out - sent) * sizeof p->out[0]);
	p->n_out -= sent;
	if (p->info.queue == IO_NO_QUEUE) /* who sends it counts it */
		return;
	stats_add(&st->stats.tx_pkts, sent);
	stats_add(&st->stats.tx_bytes, bytes);
}

bool
ip_sends_room(struct stack *st, int64_t now)
{
	for (unsigned i = 0; i < st->cfg.n_ports; i++) {
		struct stack_port *p = &st->port[i];

		if (p->n_out == IO_BURST && !p->full)
			ip_flush(st, i, now);
		if (p->n_out == IO_BURST)
			return false;
	}
	return true;
}

void
ip_send_for(struct stack *st, unsigned port, struct io_pkt pkt)
{
	struct stack_port *p = &st->port[port];

	p->out[p->n_out++] = pkt;
}

bool
ip_room_made(struct stack *st, unsigned port, int64_t now)
{
	struct stack_port *p = &st->port[port];

	if (p->n_out == IO_BURST && !p->full)
		ip_flush(st, port, now);
	if (p->n_out == IO_BURST)
		return false;
	if (p->n_fresh == 0)
		p->n_fresh = io_alloc(p->io, p->fresh, IO_BURST);
	p->full |= p->n_fresh == 0; /* no memory is as good as no room */
	return p->n_fresh > 0;
}

struct io_pkt *
ip_pkt_out(struct stack_port *p)
{
	struct io_pkt *k = &p->out[p->n_out++];

	assert(p->n_fresh > 0 && p->n_out <= IO_BURST);
	*k = p->fresh[--p->n_fresh];
	k->flags = 0;
	return k;
}

void
ip_eth_out(const struct stack_port *p, uint8_t *frame, const struct mac_addr *dst, uint16_t type)
{
	struct eth_hdr h = { .dst = *dst, .type = type };

	memcpy(h.src.b, p->info.mac, sizeof h.src.b);
	wire_eth_build(frame, &h);
}

/* The checksum by the port if it can, else here. */
static void
tcp_sum(const struct stack_port *p, struct io_pkt *k, uint8_t *tcp, uint32_t len, uint8_t hdr_len,
        const struct tcp_tuple *t)
{
	k->l2_len = ETH_LEN;
	k->l3_len = IP4_LEN;
	k->l4_len = hdr_len;
	if (p->info.caps & IO_CAP_TX_TCP_SUM) {
		wire_tcp_sum_pseudo(tcp, len, &t->local, &t->remote);
		k->flags |= IO_TX_TCP_SUM;
	} else {
		wire_tcp_sum_fill(tcp, len, &t->local, &t->remote);
	}
	if (p->info.caps & IO_CAP_TX_IP_SUM)
		k->flags |= IO_TX_IP_SUM;
}

static inline void
text_out(struct tcp_conn *c, const struct tcp_seg *s, uint8_t *to)
{
	if (s->len)
		stream_peek(&c->streams->snd_r, &c->streams->snd_w, tcp_text_cursor(c, s),
		            tcp_text_offset(c, s), to, s->len);
}

/* Not inlined: it would be everywhere, and the one copy above nowhere. */
__attribute__((noinline)) void
ip_text_out(struct tcp_conn *c, const struct tcp_seg *s, uint8_t *to)
{
	text_out(c, s, to);
}

/* Same effect as general_out(), faster, for segments that wire_usual_can() write. */
static void
usual_out(const struct stack *st, struct stack_port *p, struct io_pkt *k, const struct ip_way *way,
          const struct tcp_tuple *t, const struct tcp_seg *s, struct tcp_conn *c)
{
	uint32_t hdr_len = wire_usual_hdr_len(s);
	struct usual_hdr h;

	text_out(c, s, k->data + hdr_len); /* first: the rest need not outlive the call */
	h = (struct usual_hdr){
		.dst_mac = way->mac.b,
		.src_mac = p->info.mac,
		.src = &t->local,
		.dst = &t->remote,
		.len = hdr_len,
		.tos = (uint8_t)(((c ? c->tos : 0) & ~3u) | s->ecn),
		.ttl = c ? c->ttl : st->cfg.tcp.ttl,
		.ip_sum = !(p->info.caps & IO_CAP_TX_IP_SUM),
		.tcp_sum = !(p->info.caps & IO_CAP_TX_TCP_SUM),
	};
	wire_usual_build(k->data, &h, s);
	k->len = hdr_len + s->len;
	k->l2_len = ETH_LEN;
	k->l3_len = IP4_LEN;
	k->l4_len = (uint8_t)(hdr_len - USUAL_TCP);
	k->flags = (uint16_t)((h.ip_sum ? 0 : IO_TX_IP_SUM) | (h.tcp_sum ? 0 : IO_TX_TCP_SUM));
}

static void
general_out(struct stack *st, struct stack_port *p, struct io_pkt *k, const struct ip_way *way,
            const struct tcp_tuple *t, const struct tcp_seg *s, struct tcp_conn *c)
{
	uint8_t *ip = k->data + ETH_LEN, *tcp = ip + IP4_LEN;
	uint32_t hdr_len = wire_tcp_hdr_len(s), len = hdr_len + s->len;
	struct ip4_hdr h = {
		.src = t->local,
		.dst = t->remote,
		.tos = (uint8_t)(((c ? c->tos : 0) & ~3u) | s->ecn),
		.ttl = c ? c->ttl : st->cfg.tcp.ttl,
		.proto = IP_PROTO_TCP,
		.total_len = to_u16(IP4_LEN + len),
		.df = true,
	};

	ip_text_out(c, s, tcp + hdr_len);
	(void)wire_tcp_build(tcp, s);
	wire_ip4_build(ip, &h, !(p->info.caps & IO_CAP_TX_IP_SUM));
	ip_eth_out(p, k->data, &way->mac, ETH_TYPE_IP4);
	k->len = ETH_LEN + IP4_LEN + len;
	tcp_sum(p, k, tcp, len, (uint8_t)hdr_len, t);
}

void
ip_segment_out(struct stack *st, const struct ip_way *way, const struct tcp_tuple *t,
               const struct tcp_seg *s, struct tcp_conn *c)
{
	struct stack_port *p;
	struct io_pkt *k;

	if (unlikely(!ip_addr_is_v4(&t->remote))) {
		ip6_segment_out(st, way, t, s, c);
		return;
	}
	p = &st->port[way->port];
	k = ip_pkt_out(p);
	if (likely(wire_usual_can(s)))
		usual_out(st, p, k, way, t, s, c);
	else
		general_out(st, p, k, way, t, s, c);
}

uint8_t *
ip_packet_begin(struct stack *st, const struct ip_way *way, const struct ip4_hdr *h, uint32_t len)
{
	struct stack_port *p = &st->port[way->port];
	struct ip4_hdr hdr = *h;
	struct io_pkt *k;

	if (!ip_addr_is_v4(&h->dst))
		return ip6_packet_begin(st, way, h, len);
	k = ip_pkt_out(p);
	hdr.total_len = to_u16(IP4_LEN + len);
	ip_eth_out(p, k->data, &way->mac, ETH_TYPE_IP4);
	wire_ip4_build(k->data + ETH_LEN, &hdr, true);
	k->len = ETH_LEN + IP4_LEN + len;
	assert(k->len <= k->room);
	return k->data + ETH_LEN + IP4_LEN;
}

void
ip_packet_out(struct stack *st, const struct ip_way *way, const struct ip4_hdr *h,
              const uint8_t *data, uint32_t len)
{
	memcpy(ip_packet_begin(st, way, h, len), data, len);
}

struct io_pkt
ip_packet_take(struct stack *st, unsigned port)
{
	struct stack_port *p = &st->port[port];

	assert(p->n_out > 0);
	return p->out[--p->n_out];
}

bool
ip_frame_out(struct stack *st, unsigned port, const struct io_pkt *frame, int64_t now)
{
	struct stack_port *p = &st->port[port];
	struct io_pkt *k;

	if (!ip_room(st, port, now) || frame->len > p->fresh[p->n_fresh - 1].room ||
	    frame->len > ETH_LEN + (uint32_t)p->mtu)
		return false;
	k = ip_pkt_out(p);
	memcpy(k->data, frame->data, frame->len);
	k->len = frame->len;
	return true;
}

static void
arp_out(struct stack *st, unsigned port, const struct mac_addr *dst, const struct arp_pkt *a,
        int64_t now)
{
	struct stack_port *p = &st->port[port];
	struct io_pkt *k;

	if (!ip_room(st, port, now))
		return; /* it will be asked again */
	k = ip_pkt_out(p);
	ip_eth_out(p, k->data, dst, ETH_TYPE_ARP);
	wire_arp_build(k->data + ETH_LEN, a);
	k->len = ETH_LEN + ARP_LEN;
}

/* ------------------------------------------------------------------- ARP -- */

static struct arp_pkt
arp_from(const struct stack_port *p, uint16_t op, uint32_t spa)
{
	struct arp_pkt a = { .op = op, .spa = spa };

	memcpy(a.sha.b, p->info.mac, sizeof a.sha.b);
	return a;
}

static enum fate
arp_in(struct stack *st, unsigned port, const uint8_t *data, size_t len, int64_t now)
{
	struct stack_port *p = &st->port[port];
	struct arp_pkt a, reply;
	struct ip_addr sender, target;
	struct list ready;
	bool for_us;

	if (!wire_arp_parse(data, len, &a) || mac_is_group(&a.sha))
		return DROP_ARP;
	sender = ip_addr_v4(a.spa);
	target = ip_addr_v4(a.tpa);
	for_us = port_owns(p, &target);
	list_init(&ready);
	if (a.spa != 0 && is_host(st, &sender))
		(void)neigh_learn(&p->neigh, &sender, &a.sha,
		                  !for_us               ? NEIGH_HEARD_ANNOUNCE
		                  : a.op == ARP_REPLY ? NEIGH_HEARD_REPLY
		                                        : NEIGH_HEARD_REQUEST,
		                  now, &ready);
	ip_unblock(st, &ready, now);
	if (a.spa != 0 && is_host(st, &sender) && (a.op == ARP_REPLY ? for_us : a.spa == a.tpa))
		words_neighbour(st, port, &sender, &a.sha,
		                for_us ? NEIGH_HEARD_REPLY : NEIGH_HEARD_ANNOUNCE);
	if (!for_us)
		return DROP_NOT_OURS;
	if (a.op == ARP_REQUEST) {
		reply = arp_from(p, ARP_REPLY, a.tpa);
		reply.tha = a.sha;
		reply.tpa = a.spa;
		arp_out(st, port, &a.sha, &reply, now);
	}
	return IN_ARP;
}

/* Of either family.  Not inlined: nearly always there is nobody to ask for. */
static __attribute__((noinline)) void
ask(struct stack *st, unsigned port, const struct neigh_probe *q, int64_t now)
{
	struct stack_port *p = &st->port[port];
	const struct ip_addr *src;
	struct arp_pkt a;

	if (!ip_addr_is_v4(&q->ip)) {
		nd_ask(st, port, q, now);
		return;
	}
	if (!(src = port_source(p, &q->ip)))
		return;
	a = arp_from(p, ARP_REQUEST, ip_addr_v4_host(src));
	a.tpa = ip_addr_v4_host(&q->ip);
	arp_out(st, port, &q->mac, &a, now);
}

static void
announce_range(struct stack *st, unsigned port, const struct stack_addr *range, int64_t now)
{
	static const struct mac_addr all = { { 0xff, 0xff, 0xff, 0xff, 0xff, 0xff } };

	for (uint32_t n = 0; n <= min(range->more, STACK_RANGE_TOLD - 1); n++) {
		uint32_t ip = ip_addr_v4_host(&range->ip) + n;
		struct arp_pkt a = arp_from(&st->port[port], ARP_REQUEST, ip);

		a.tpa = a.spa;
		arp_out(st, port, &all, &a, now);
	}
}

/* RFC 5227 2.3: neighbours that know an older owner of the address learn. */
void
ip_announce(struct stack *st, int64_t now)
{
	if (st->cfg.core != 0)
		return;
	for (unsigned i = 0; i < st->cfg.n_ports; i++)
		for (unsigned k = 0; k < st->port[i].cfg.n_addrs; k++)
			if (ip_addr_is_v4(&st->port[i].cfg.addr[k].ip))
				announce_range(st, i, &st->port[i].cfg.addr[k], now);
	nd_announce(st, now);
}

void
ip_timers(struct stack *st, int64_t now)
{
	for (unsigned i = 0; i < st->cfg.n_ports; i++) {
		struct neigh_probe probe;
		struct list failed;

		list_init(&failed);
		neigh_timers(&st->port[i].neigh, now, &failed);
		if (!list_empty(&failed))
			ip_unblock(st, &failed, now);
		while (neigh_asks(&st->port[i].neigh) && ip_room(st, i, now) &&
		       neigh_next_probe(&st->port[i].neigh, now, &probe))
			ask(st, i, &probe, now);
	}
}

int64_t
ip_deadline(const struct stack *st)
{
	int64_t at = TIME_NEVER;

	for (unsigned i = 0; i < st->cfg.n_ports; i++) {
		const struct stack_port *p = &st->port[i];
		int64_t neigh = neigh_deadline(&p->neigh);
		int64_t io = p->io->ops->deadline ? p->io->ops->deadline(p->io) : TIME_NEVER;

		at = min(at, neigh);
		at = min(at, io);
	}
	return at;
}

/* -------------------------------------------------------------------- in -- */

/* As long as its request, and so fragments as that was. */
static enum fate
long_echo(struct stack *st, unsigned port, const struct mac_addr *from, const struct ip4_hdr *h,
          const uint8_t *p, uint32_t len, int64_t now)
{
	struct ip_way way = { port, *from };
	uint8_t *out = st->frags.out;
	uint32_t at = 0;
	struct ip4_hdr r;

	len = icmp4_echo_reply(&st->icmp_rate, h, p, len, now, out, REASS_IP_MAX);
	if (len == 0)
		return DROP_ICMP;
	(void)wire_ip4_parse(out, len, false, &r);
	r.id = frag_id(st, &r.dst);
	(void)frag_out(st, &way, &r, st->port[port].mtu, out + IP4_LEN, len - IP4_LEN, &at, now);
	return IN_ICMP;
}

static enum fate
icmp_in(struct stack *st, unsigned port, const struct mac_addr *from, const struct ip4_hdr *h,
        const uint8_t *p, uint32_t len, int64_t now)
{
	struct icmp4_msg m;
	struct icmp_error err;
	struct io_pkt *k;
	uint32_t n;

	if (!wire_icmp4_parse(p, len, &m))
		return DROP_ICMP;
	if (icmp4_error_parse(&m, &err)) {
		segment_icmp_error(st, &err, 0, now);
		return IN_ICMP;
	}
	if (st->port[port].except.io)
		return TO_KERNEL;
	if (m.type != ICMP4_ECHO_REQUEST || !ip_room(st, port, now))
		return DROP_ICMP;
	if (len + IP4_LEN > st->port[port].mtu)
		return long_echo(st, port, from, h, p, len, now);
	k = &st->port[port].fresh[st->port[port].n_fresh - 1];
	n = icmp4_echo_reply(&st->icmp_rate, h, p, len, now, k->data + ETH_LEN, k->room - ETH_LEN);
	if (n == 0)
		return DROP_ICMP;
	k = ip_pkt_out(&st->port[port]);
	ip_eth_out(&st->port[port], k->data, from, ETH_TYPE_IP4);
	k->len = ETH_LEN + n;
	return IN_ICMP;
}

static enum fate
tcp_frame_in(struct stack *st, unsigned port, const struct mac_addr *from, const struct ip4_hdr *h,
             const struct io_pkt *pkt, const uint8_t *p, uint32_t len, int64_t now)
{
	struct segment_from back = { port, *from, pkt };
	struct tcp_tuple t;
	struct tcp_seg s;

	if (wire_tcp_parse(p, len, &s) != WIRE_TCP_OK)
		return DROP_TCP_HEADER;
	if ((pkt->flags & IO_RX_L4_BAD) ||
	    (!(pkt->flags & IO_RX_L4_GOOD) && !wire_tcp_sum_ok(p, len, &h->src, &h->dst)))
		return DROP_TCP_SUM;
	s.ecn = h->tos & 3u;
	t = (struct tcp_tuple){ h->dst, h->src, s.dport, s.sport };
	return segment_in(st, &back, &t, &s, now);
}

static enum fate
udp_frame_in(struct stack *st, unsigned port, const struct mac_addr *from, const struct ip4_hdr *h,
             const struct io_pkt *pkt, int64_t now)
{
	const uint8_t *ip = pkt->data + ETH_LEN;
	struct segment_from back = { port, *from, pkt };
	enum fate fate = udp_in(st, &back, &h->src, &h->dst, ip + h->hdr_len,
	                        (uint32_t)h->total_len - h->hdr_len);

	if (fate == DROP_UDP_NOBODY && !st->port[port].except.io)
		refuse_packet(st, port, from, ICMP4_UNREACHABLE, ICMP4_CODE_PORT, ip, h->total_len,
		              now);
	return fate;
}

/* To everybody on the link: only datagrams can be meant, whole ones. */
static enum fate
broadcast_in(struct stack *st, unsigned port, const struct mac_addr *from,
             const struct ip4_hdr *h, const struct io_pkt *pkt)
{
	struct segment_from back = { port, *from, pkt };

	if (h->proto != IP_PROTO_UDP || h->mf || h->frag_off || !ip_is_broadcast(st, &h->dst))
		return DROP_NOT_OURS;
	if (!is_host(st, &h->src))
		return DROP_IP_SOURCE;
	return udp_broadcast_in(st, &back, &h->src, &h->dst, pkt->data + ETH_LEN + h->hdr_len,
	                        (uint32_t)h->total_len - h->hdr_len);
}

/* `group`: it came to everybody on the link. */
static enum fate
ip4_in(struct stack *st, unsigned port, const struct mac_addr *from, const struct io_pkt *pkt,
       bool group, int64_t now)
{
	const uint8_t *p = pkt->data + ETH_LEN;
	struct ip4_hdr h;
	uint32_t len;

	if (pkt->flags & IO_RX_IP_BAD)
		return DROP_IP_SUM;
	switch (wire_ip4_parse(p, pkt->len - ETH_LEN, !(pkt->flags & IO_RX_IP_GOOD), &h)) {
	case WIRE_IP_OK:
		break;
	case WIRE_IP_SUM:
		return DROP_IP_SUM;
	case WIRE_IP_SHORT:
	case WIRE_IP_VERSION:
		return DROP_IP_HEADER;
	}
	if (!port_owns(&st->port[port], &h.dst))
		return broadcast_in(st, port, from, &h, pkt);
	if (group) /* whatever its destination says (RFC 1122 3.3.6, RFC 9293 MUST-57) */
		return DROP_NOT_OURS;
	if (!is_host(st, &h.src) || is_subnet_broadcast(&st->port[port], &h.src))
		return DROP_IP_SOURCE;
	if (h.mf || h.frag_off)
		return frag_in(st, port, pkt, &h, now);
	p += h.hdr_len;
	len = h.total_len - h.hdr_len;
	switch (h.proto) {
	case IP_PROTO_TCP:
		return tcp_frame_in(st, port, from, &h, pkt, p, len, now);
	case IP_PROTO_ICMP:
		return icmp_in(st, port, from, &h, p, len, now);
	case IP_PROTO_UDP:
		return udp_frame_in(st, port, from, &h, pkt, now);
	default:
		if (!st->port[port].except.io)
			refuse_packet(st, port, from, ICMP4_UNREACHABLE, ICMP4_CODE_PROTO,
			              pkt->data + ETH_LEN, h.total_len, now);
		return DROP_IP_PROTO;
	}
}

/* From somebody who may be anybody, as ip4_in() asks. */
static bool
usual_stranger(const struct stack *st, const struct stack_port *p, const uint8_t *f,
               struct tcp_tuple *t)
{
	*t = (struct tcp_tuple){ .local = ip_addr_v4(get_be32(f + USUAL_DST)),
		                 .remote = ip_addr_v4(get_be32(f + USUAL_SRC)),
		                 .lport = get_be16(f + USUAL_TCP + 2),
		                 .rport = get_be16(f + USUAL_TCP) };
	return port_owns(p, &t->local) && is_host(st, &t->remote) &&
	       !is_subnet_broadcast(p, &t->remote);
}

/* The usual frame, best for a connection that had one lately.  Same effect as below, faster: that the
 * sender's address is a host's was seen when the connection was made.  False: go the general way. */
static bool
usual_in(struct stack *st, unsigned port, const struct io_pkt *pkt, int64_t now, enum fate *fate)
{
	const struct stack_port *p = &st->port[port];
	const uint8_t *f = pkt->data;
	struct segment_from from = { .port = port, .pkt = pkt };
	struct tcp_req *opening = NULL;
	struct tcp_conn *c;
	struct tcp_tuple t;
	struct tcp_seg s;

	if (!wire_usual_is(f, pkt->len) || memcmp(f, p->info.mac, 6) != 0 || (f[6] & 1) ||
	    (pkt->flags & (IO_RX_IP_BAD | IO_RX_L4_BAD | STEER_KEEP)))
		return false;
	c = demux_recent(&st->demux, f + USUAL_SRC);
	if (unlikely(!c))
		opening = demux_opening(&st->demux, f + USUAL_SRC);
	if (c || opening) {
		if (!port_owns(p, c ? &tcp_name(c)->local : &opening->tuple.local))
			return false;
	} else if (!usual_stranger(st, p, f, &t)) {
		return false;
	}
	if (!wire_usual_parse(f, !(pkt->flags & IO_RX_IP_GOOD), !(pkt->flags & IO_RX_L4_GOOD), &s))
		return false;
	memcpy(from.mac.b, f + 6, sizeof from.mac.b);
	*fate = likely(c != NULL) ? segment_in_conn(st, c, &from, &s, now)
	        : opening         ? segment_in_opening(st, opening, &from, &s, now)
	                          : segment_in(st, &from, &t, &s, now);
	return true;
}

static enum fate
general_in(struct stack *st, unsigned port, const struct io_pkt *pkt, int64_t now)
{
	struct stack_port *p = &st->port[port];
	struct eth_hdr eth;
	struct mac_addr own;

	if (!wire_eth_parse(pkt->data, pkt->len, &eth))
		return DROP_SHORT;
	memcpy(own.b, p->info.mac, sizeof own.b);
	if (mac_is_group(&eth.src))
		return DROP_NOT_OURS;
	if (!mac_eq(&eth.dst, &own) && !mac_is_group(&eth.dst))
		return DROP_NOT_OURS; /* a port that hears everything */
	if (eth.type == ETH_TYPE_ARP)
		return arp_in(st, port, pkt->data + ETH_LEN, pkt->len - ETH_LEN, now);
	if (eth.type == ETH_TYPE_IP6)
		return ip6_in(st, port, &eth.src, !mac_eq(&eth.dst, &own), pkt, now);
	if (eth.type == ETH_TYPE_IP4)
		return ip4_in(st, port, &eth.src, pkt, !mac_eq(&eth.dst, &own), now);
	return mac_eq(&eth.dst, &own) ? DROP_ETHERTYPE : DROP_NOT_OURS;
}

enum fate
ip_frame_in(struct stack *st, unsigned port, const struct io_pkt *pkt, int64_t now)
{
	enum fate fate;

	if (unlikely(!usual_in(st, port, pkt, now, &fate)) &&
	    !ip6_usual_in(st, port, pkt, now, &fate))
		fate = general_in(st, port, pkt, now);
	return likely(!st->port[port].except.io) ? fate
	                                         : except_frame(st, port, pkt, fate, now);
}
