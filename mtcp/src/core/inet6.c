/* SPDX-License-Identifier: BSD-3-Clause */
/* Addresses stand here as on the wire until everything about the packet itself is checked, its
 * checksum for one; what others see of them is scoped. */
#include "core/inet6.h"

#include "core/icmp6.h"
#include "core/source.h"
#include "core/stack_priv.h"
#include "tcp/tcp_rare.h"
#include "wire/usual6.h"

/* ------------------------------------------------------------ addresses -- */

static bool
has_v6(const struct stack_port_cfg *cfg)
{
	for (unsigned i = 0; i < cfg->n_addrs; i++)
		if (!ip_addr_is_v4(&cfg->addr[i].ip))
			return true;
	return false;
}

static bool
has_link_local(const struct stack_port_cfg *cfg)
{
	for (unsigned i = 0; i < cfg->n_addrs; i++)
		if (ip6_is_link_local(&cfg->addr[i].ip))
			return true;
	return false;
}

/* RFC 8064, RFC 7217 5: what follows fe80::/64 tells nobody the link address, and stays the same
 * for all of this host while it runs.  It is not the kernel's either, which may have the same link
 * address on the other side of a TAP. */
static void
add_link_local(const struct stack *st, struct stack_port *p)
{
	struct stack_addr a = { .ip = { { 0xfe, 0x80 } }, .prefix = 64 };

	if (p->cfg.n_addrs == STACK_PORT_ADDRS_MAX)
		return;
	put_be64(a.ip.b + 8, siphash24(&st->cfg.clock_key, p->info.mac, sizeof p->info.mac));
	p->cfg.addr[p->cfg.n_addrs++] = a;
}

static void
add_link_route(struct stack *st, unsigned port, const struct stack_addr *a)
{
	struct route r = { .prefix = a->ip, .len = 64, .src = a->ip, .port = to_u8(port) };

	(void)route_insert(&st->cfg.routes, &r);
}

static void
begin_port(struct stack *st, unsigned port)
{
	struct stack_port *p = &st->port[port];

	if (!has_v6(&p->cfg) || p->cfg.alone)
		return;
	if (!has_link_local(&p->cfg))
		add_link_local(st, p);
	for (unsigned i = 0; i < p->cfg.n_addrs; i++) {
		struct stack_addr *a = &p->cfg.addr[i];

		a->ip = ip6_scoped(&a->ip, port);
		if (ip6_is_link_local(&a->ip))
			add_link_route(st, port, a);
	}
}

void
ip6_begin(struct stack *st)
{
	struct route_table *t = &st->cfg.routes;

	for (unsigned i = 0; i < st->cfg.n_ports; i++)
		begin_port(st, i);
	for (uint32_t i = 0; i < t->n; i++)
		if (ip6_scope(&t->route[i].gateway) == 0)
			t->route[i].gateway = ip6_scoped(&t->route[i].gateway, t->route[i].port);
}

bool
ip6_is_host(const struct stack *st, const struct ip_addr *a)
{
	return !ip6_is_multicast(a) && !ip6_is_unspecified(a) && !ip6_is_loopback(a) &&
	       !ip_addr_is_v4(a) && !ip_is_ours(st, a);
}

bool
ip6_source(const struct stack *st, const struct ip_addr *dst, struct ip_addr *src, uint16_t *mtu)
{
	const struct route *r = route_lookup(&st->cfg.routes, dst);
	const struct stack_port *p;
	const struct ip_addr *a;

	if (!r || !ip6_is_host(st, dst))
		return false;
	p = &st->port[r->port];
	a = ip_addr_is_any(&r->src) ? source_choose(p->cfg.addr, p->cfg.n_addrs, dst) : &r->src;
	if (!a || p->mtu < IP6_MTU_MIN)
		return false;
	*src = *a;
	*mtu = p->mtu;
	return true;
}

/* ------------------------------------------------------------------- out -- */

void
ip6_segment_out(struct stack *st, const struct ip_way *way, const struct tcp_tuple *t,
                const struct tcp_seg *s, struct tcp_conn *c)
{
	struct stack_port *p = &st->port[way->port];
	struct io_pkt *k = ip_pkt_out(p);
	uint8_t *ip = k->data + ETH_LEN, *tcp = ip + IP6_LEN;
	uint32_t hdr_len = wire_tcp_hdr_len(s), len = hdr_len + s->len;
	struct ip6_hdr h = {
		.src = ip6_plain(&t->local),
		.dst = ip6_plain(&t->remote),
		.tclass = (uint8_t)(((c ? c->tos : 0) & ~3u) | s->ecn),
		.hop_limit = c ? c->ttl : st->cfg.tcp.ttl,
		.proto = IP_PROTO_TCP,
		.total_len = to_u16(IP6_LEN + len),
	};

	ip_text_out(c, s, tcp + hdr_len);
	(void)wire_tcp_build(tcp, s);
	wire_ip6_build(ip, &h);
	ip_eth_out(p, k->data, &way->mac, ETH_TYPE_IP6);
	k->len = ETH_LEN + IP6_LEN + len;
	k->l2_len = ETH_LEN;
	k->l3_len = IP6_LEN;
	k->l4_len = (uint8_t)hdr_len;
	if (p->info.caps & IO_CAP_TX_TCP_SUM) {
		wire_tcp_sum_pseudo(tcp, len, &h.src, &h.dst);
		k->flags |= IO_TX_TCP_SUM;
	} else {
		wire_tcp_sum_fill(tcp, len, &h.src, &h.dst);
	}
}

uint8_t *
ip6_packet_begin(struct stack *st, const struct ip_way *way, const struct ip4_hdr *h, uint32_t len)
{
	struct stack_port *p = &st->port[way->port];
	struct io_pkt *k = ip_pkt_out(p);
	uint8_t *ip = k->data + ETH_LEN;
	bool part = h->mf || h->frag_off;
	uint32_t head = IP6_LEN + (part ? IP6_FRAG_LEN : 0);
	struct ip6_hdr six = {
		.src = ip6_plain(&h->src),
		.dst = ip6_plain(&h->dst),
		.tclass = h->tos,
		.hop_limit = h->ttl,
		.proto = part ? IP_PROTO_FRAGMENT : h->proto,
		.total_len = to_u16(head + len),
	};

	wire_ip6_build(ip, &six);
	if (part)
		wire_ip6_fragment_build(ip + IP6_LEN, h->proto, h->frag_off, h->mf, h->id);
	ip_eth_out(p, k->data, &way->mac, ETH_TYPE_IP6);
	k->len = ETH_LEN + head + len;
	assert(k->len <= k->room);
	return ip + head;
}

/* -------------------------------------------------------------------- in -- */

/* A packet that has come this far. */
struct packet {
	unsigned port;
	const struct mac_addr *from;
	const struct io_pkt *pkt;
	struct ip6_hdr h;
	struct ip_addr src, dst; /* of h, scoped */
	bool to_group;
};

/* Groups that a host is in: all nodes, and that of each of its addresses. */
static bool
in_group(const struct stack_port *p, const struct ip_addr *group)
{
	struct ip_addr all = ip6_all_nodes();

	if (ip_addr_eq(group, &all))
		return has_v6(&p->cfg);
	for (unsigned i = 0; i < p->cfg.n_addrs; i++) {
		struct ip_addr g = ip6_solicited_node(&p->cfg.addr[i].ip);

		if (!ip_addr_is_v4(&p->cfg.addr[i].ip) && ip_addr_eq(group, &g))
			return true;
	}
	return false;
}

/* Who speaks for us about what came for `dst`. */
static const struct ip_addr *
speaker(const struct stack_port *p, const struct packet *k)
{
	return k->to_group ? source_choose(p->cfg.addr, p->cfg.n_addrs, &k->src) : &k->dst;
}

static void
complain(struct stack *st, const struct packet *k, const struct icmp6_complaint *why, int64_t now)
{
	struct stack_port *p = &st->port[k->port];
	const struct ip_addr *ours = speaker(p, k);
	struct ip_addr src;
	struct io_pkt *out;
	uint32_t n;

	if (!ours || !ip_room(st, k->port, now))
		return;
	src = ip6_plain(ours);
	out = &p->fresh[p->n_fresh - 1];
	n = icmp6_error(&st->error_rate, &k->h, k->pkt->data + ETH_LEN, k->h.total_len, &src, why, now,
	                out->data + ETH_LEN, out->room - ETH_LEN);
	if (n == 0)
		return;
	out = ip_pkt_out(p);
	ip_eth_out(p, out->data, k->from, ETH_TYPE_IP6);
	out->len = ETH_LEN + n;
}

static void
complain_parameter(struct stack *st, const struct packet *k, const struct ip6_problem *what,
                   int64_t now)
{
	struct icmp6_complaint why = { .type = ICMP6_PARAM_PROBLEM, .code = what->code,
		                       .rest = what->at, .to_group = what->to_group };

	complain(st, k, &why, now);
}

/* As long as its request, and so fragments as that was. */
static enum fate
long_echo(struct stack *st, const struct packet *k, const uint8_t *p, uint32_t len, int64_t now)
{
	struct ip_way way = { k->port, *k->from };
	struct ip4_hdr r = { .src = k->dst, .dst = k->src, .tos = k->h.tclass & 0xfcu,
		             .ttl = ICMP_TTL, .proto = IP_PROTO_ICMP6 };
	uint8_t *out = st->frags.out;
	uint32_t at = 0;

	len = icmp6_echo_reply(&st->icmp_rate, &k->h, p, len, now, out, REASS_IP_MAX);
	if (len == 0)
		return DROP_ICMP;
	r.id = frag_id(st, &r.dst);
	(void)frag_out(st, &way, &r, st->port[k->port].mtu, out + IP6_LEN, len - IP6_LEN, &at, now);
	return IN_ICMP;
}

static enum fate
echo_in(struct stack *st, const struct packet *k, const uint8_t *p, uint32_t len, int64_t now)
{
	struct stack_port *port = &st->port[k->port];
	struct io_pkt *out;
	uint32_t n;

	if (k->to_group || !ip_room(st, k->port, now))
		return DROP_ICMP;
	if (IP6_LEN + len > port->mtu)
		return long_echo(st, k, p, len, now);
	out = &port->fresh[port->n_fresh - 1];
	n = icmp6_echo_reply(&st->icmp_rate, &k->h, p, len, now, out->data + ETH_LEN,
	                     out->room - ETH_LEN);
	if (n == 0)
		return DROP_ICMP;
	out = ip_pkt_out(port);
	ip_eth_out(port, out->data, k->from, ETH_TYPE_IP6);
	out->len = ETH_LEN + n;
	return IN_ICMP;
}

static bool
is_nd(uint8_t type)
{
	return type >= ICMP6_ROUTER_SOLICIT && type <= ICMP6_NEIGH_ADVERT;
}

static enum fate
icmp6_in(struct stack *st, const struct packet *k, const uint8_t *p, uint32_t len, int64_t now)
{
	struct icmp_error err;
	struct icmp6_msg m;

	if (!wire_icmp6_parse(p, len, &k->h.src, &k->h.dst, &m))
		return DROP_ICMP;
	if (is_nd(m.type))
		return k->h.frag_at ? DROP_ND : nd_in(st, k->port, k->from, &k->h, &m, now); /* RFC 6980 */
	if (!ip6_is_host(st, &k->src))
		return DROP_IP_SOURCE;
	if (!icmp6_error_parse(&m, &err)) {
		if (st->port[k->port].except.io)
			return TO_KERNEL;
		return m.type == ICMP6_ECHO_REQUEST ? echo_in(st, k, p, len, now) : DROP_ICMP;
	}
	err.src = ip6_scoped(&err.src, k->port);
	err.dst = ip6_scoped(&err.dst, k->port);
	segment_icmp_error(st, &err, 0, now);
	return IN_ICMP;
}

static enum fate
tcp_in6(struct stack *st, const struct packet *k, const uint8_t *p, uint32_t len, int64_t now)
{
	struct segment_from back = { k->port, *k->from, k->pkt };
	struct tcp_tuple t;
	struct tcp_seg s;

	if (k->to_group)
		return DROP_NOT_OURS;
	if (!ip6_is_host(st, &k->src))
		return DROP_IP_SOURCE;
	if (wire_tcp_parse(p, len, &s) != WIRE_TCP_OK)
		return DROP_TCP_HEADER;
	if ((k->pkt->flags & IO_RX_L4_BAD) ||
	    (!(k->pkt->flags & IO_RX_L4_GOOD) && !wire_tcp_sum_ok(p, len, &k->h.src, &k->h.dst)))
		return DROP_TCP_SUM;
	s.ecn = k->h.tclass & 3u;
	t = (struct tcp_tuple){ k->dst, k->src, s.dport, s.sport };
	return segment_in(st, &back, &t, &s, now);
}

static enum fate
udp_in6(struct stack *st, const struct packet *k, const uint8_t *p, uint32_t len, int64_t now)
{
	static const struct icmp6_complaint why = { .type = ICMP6_UNREACHABLE,
		                                    .code = ICMP6_CODE_PORT };
	struct segment_from back = { k->port, *k->from, k->pkt };
	enum fate fate;

	if (k->to_group)
		return DROP_NOT_OURS;
	if (!ip6_is_host(st, &k->src))
		return DROP_IP_SOURCE;
	fate = udp_in(st, &back, &k->src, &k->dst, p, len);
	if (fate == DROP_UDP_NOBODY && !st->port[k->port].except.io)
		complain(st, k, &why, now);
	return fate;
}

void
ip6_refuse(struct stack *st, unsigned port, const struct mac_addr *from, uint8_t type,
           uint8_t code, const uint8_t *ip, uint32_t len, int64_t now)
{
	struct icmp6_complaint why = { .type = type, .code = code };
	struct ip6_hdr h;
	struct io_pkt *out;
	uint32_t n;

	if (wire_ip6_parse_quoted(ip, len, &h) != WIRE_IP6_OK || !ip_room(st, port, now))
		return;
	out = &st->port[port].fresh[st->port[port].n_fresh - 1];
	n = icmp6_error(&st->error_rate, &h, ip, len, &h.dst, &why, now, out->data + ETH_LEN,
	                out->room - ETH_LEN);
	if (n == 0)
		return;
	out = ip_pkt_out(&st->port[port]);
	ip_eth_out(&st->port[port], out->data, from, ETH_TYPE_IP6);
	out->len = ETH_LEN + n;
}

static enum fate
unknown_in(struct stack *st, const struct packet *k, int64_t now)
{
	struct ip6_problem what = { .code = ICMP6_CODE_NEXT_HEADER, .at = k->h.proto_at };

	if (!st->port[k->port].except.io && k->h.proto != IP_PROTO_NONE)
		complain_parameter(st, k, &what, now);
	return DROP_IP_PROTO;
}

static enum fate
payload_in(struct stack *st, const struct packet *k, int64_t now)
{
	const uint8_t *p = k->pkt->data + ETH_LEN + k->h.hdr_len;
	uint32_t len = k->h.total_len - k->h.hdr_len;

	if ((k->h.mf || k->h.frag_off) && (k->to_group || !ip6_is_host(st, &k->src)))
		return DROP_FRAGMENT;
	if (k->h.mf || k->h.frag_off)
		return frag6_in(st, k->port, k->pkt, &k->h, &k->src, &k->dst, now);
	switch (k->h.proto) {
	case IP_PROTO_TCP:
		return tcp_in6(st, k, p, len, now);
	case IP_PROTO_ICMP6:
		return icmp6_in(st, k, p, len, now);
	case IP_PROTO_UDP:
		return udp_in6(st, k, p, len, now);
	default:
		return unknown_in(st, k, now);
	}
}

/* What the third and fourth byte of a link-local address say inside must not come from outside,
 * nor may an address of IPv4 come in IPv6's clothes. */
static bool
is_strange(const struct ip_addr *a)
{
	return ip_addr_is_v4(a) || ip6_scope(a) != 0;
}

bool
ip6_usual_in(struct stack *st, unsigned port, const struct io_pkt *pkt, int64_t now,
             enum fate *fate)
{
	const struct stack_port *p = &st->port[port];
	struct segment_from from = { .port = port, .pkt = pkt };
	const uint8_t *f = pkt->data;
	struct tcp_conn *c;
	struct tcp_seg s;

	if (!wire_usual6_is(f, pkt->len) || memcmp(f, p->info.mac, 6) != 0 || (f[6] & 1) ||
	    (pkt->flags & (IO_RX_L4_BAD | STEER_KEEP)))
		return false;
	c = demux_recent6(&st->demux, f + USUAL6_NAME);
	if (!c || !port_owns(p, &tcp_name(c)->local) ||
	    !wire_usual6_parse(f, !(pkt->flags & IO_RX_L4_GOOD), &s))
		return false;
	memcpy(from.mac.b, f + 6, sizeof from.mac.b);
	*fate = segment_in_conn(st, c, &from, &s, now);
	return true;
}

enum fate
ip6_in(struct stack *st, unsigned port, const struct mac_addr *from, bool group,
       const struct io_pkt *pkt, int64_t now)
{
	struct packet k = { .port = port, .from = from, .pkt = pkt };
	const struct stack_port *p = &st->port[port];
	struct ip6_problem problem;
	enum wire_ip6_error error =
	    wire_ip6_parse(pkt->data + ETH_LEN, pkt->len - ETH_LEN, &k.h, &problem);

	if (error == WIRE_IP6_SHORT || error == WIRE_IP6_VERSION)
		return DROP_IP_HEADER;
	if (is_strange(&k.h.src) || is_strange(&k.h.dst) || ip6_is_multicast(&k.h.src))
		return DROP_IP_SOURCE;
	k.src = ip6_scoped(&k.h.src, port);
	k.dst = ip6_scoped(&k.h.dst, port);
	k.to_group = ip6_is_multicast(&k.dst);
	if (k.to_group ? !in_group(p, &k.dst) : group || !port_owns(p, &k.dst))
		return DROP_NOT_OURS;
	if (error == WIRE_IP6_PROBLEM && !ip6_is_host(st, &k.src))
		return DROP_IP_SOURCE;
	if (error == WIRE_IP6_PROBLEM)
		complain_parameter(st, &k, &problem, now);
	return error ? DROP_IP6_EXT : payload_in(st, &k, now);
}
