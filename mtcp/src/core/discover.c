/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Neighbour discovery (RFC 4861 7) between the wire and the neighbours.  A message is answered or
 * learned from, never kept; states and time are neigh.h's.  Who asks from no address looks
 * whether its own is free (RFC 4862 5.4): the answer goes to everybody.
 */
#include "wire/nd.h"

#include "core/inet6.h"
#include "core/source.h"
#include "core/stack_priv.h"

static struct mac_addr
own_mac(const struct stack_port *p)
{
	struct mac_addr m;

	memcpy(m.b, p->info.mac, sizeof m.b);
	return m;
}

/* `src`, `dst` and the target inside are as on the wire. */
static void
send(struct stack *st, unsigned port, const struct mac_addr *to, const struct ip_addr *src,
     const struct ip_addr *dst, const struct nd_neigh *n, int64_t now)
{
	struct stack_port *p = &st->port[port];
	struct ip6_hdr h = { .src = *src, .dst = *dst, .proto = IP_PROTO_ICMP6,
		             .hop_limit = ND_HOP_LIMIT };
	struct io_pkt *k;
	uint32_t len;

	if (!ip_room(st, port, now))
		return; /* it will be asked again */
	k = ip_pkt_out(p);
	ip_eth_out(p, k->data, to, ETH_TYPE_IP6);
	len = wire_nd_build(k->data + ETH_LEN + IP6_LEN, src, dst, n);
	h.total_len = to_u16(IP6_LEN + len);
	wire_ip6_build(k->data + ETH_LEN, &h);
	k->len = ETH_LEN + IP6_LEN + len;
}

/* To everybody on the link: `target` is here. */
static void
tell_all(struct stack *st, unsigned port, const struct ip_addr *target, int64_t now)
{
	struct nd_neigh n = { .advert = true, .target = *target, .mac = own_mac(&st->port[port]),
		              .has_mac = true, .override = true };
	struct ip_addr all = ip6_all_nodes();
	struct mac_addr to = ip6_group_mac(&all);

	send(st, port, &to, target, &all, &n, now);
}

static void
answer(struct stack *st, unsigned port, const struct mac_addr *from, const struct ip6_hdr *h,
       const struct nd_neigh *q, int64_t now)
{
	struct nd_neigh n = { .advert = true, .target = q->target, .mac = own_mac(&st->port[port]),
		              .has_mac = true, .override = true, .solicited = true };

	if (ip6_is_unspecified(&h->src))
		tell_all(st, port, &q->target, now);
	else
		send(st, port, q->has_mac ? &q->mac : from, &q->target, &h->src, &n, now);
}

static enum fate
solicit_in(struct stack *st, unsigned port, const struct mac_addr *from, const struct ip6_hdr *h,
           const struct nd_neigh *q, int64_t now)
{
	struct ip_addr target = ip6_scoped(&q->target, port), src = ip6_scoped(&h->src, port);
	struct stack_port *p = &st->port[port];
	struct list ready;

	if (!port_owns(p, &target))
		return DROP_NOT_OURS;
	if (!ip6_is_unspecified(&src) && !ip6_is_host(st, &src))
		return DROP_IP_SOURCE;
	list_init(&ready);
	if (q->has_mac)
		(void)neigh_learn(&p->neigh, &src, &q->mac, NEIGH_HEARD_REQUEST, now, &ready);
	ip_unblock(st, &ready, now);
	answer(st, port, from, h, q, now);
	return IN_ND;
}

static enum fate
advert_in(struct stack *st, unsigned port, const struct nd_neigh *n, int64_t now)
{
	struct ip_addr target = ip6_scoped(&n->target, port);
	struct stack_port *p = &st->port[port];
	struct list ready;
	bool learned;

	if (!ip6_is_host(st, &target)) /* ours too: whoever has it besides us we do not talk to */
		return DROP_ND;
	list_init(&ready);
	learned = neigh_advert(&p->neigh, &target, n->has_mac ? &n->mac : NULL, n->solicited,
	                       n->override, now, &ready);
	ip_unblock(st, &ready, now);
	if (n->has_mac)
		words_neighbour(st, port, &target, &n->mac,
		                n->solicited ? NEIGH_HEARD_REPLY : NEIGH_HEARD_ANNOUNCE);
	return learned ? IN_ND : DROP_ND;
}

enum fate
nd_in(struct stack *st, unsigned port, const struct mac_addr *from, const struct ip6_hdr *h,
      const struct icmp6_msg *m, int64_t now)
{
	struct nd_neigh n;

	if (!wire_nd_parse(h, m, &n))
		return DROP_ND;
	return n.advert ? advert_in(st, port, &n, now) : solicit_in(st, port, from, h, &n, now);
}

void
nd_ask(struct stack *st, unsigned port, const struct neigh_probe *q, int64_t now)
{
	struct stack_port *p = &st->port[port];
	const struct ip_addr *ours = source_choose(p->cfg.addr, p->cfg.n_addrs, &q->ip);
	struct nd_neigh n = { .target = ip6_plain(&q->ip), .mac = own_mac(p), .has_mac = true };
	struct ip_addr group = ip6_solicited_node(&q->ip), src;
	struct mac_addr to = q->broadcast ? ip6_group_mac(&group) : q->mac;

	if (!ours)
		return;
	src = ip6_plain(ours);
	send(st, port, &to, &src, q->broadcast ? &group : &n.target, &n, now);
}

static void
announce_port(struct stack *st, unsigned port, int64_t now)
{
	const struct stack_port_cfg *cfg = &st->port[port].cfg;

	for (unsigned i = 0; i < cfg->n_addrs && !cfg->alone; i++) {
		struct ip_addr a = ip6_plain(&cfg->addr[i].ip);

		if (!ip_addr_is_v4(&a))
			tell_all(st, port, &a, now);
	}
}

void
nd_announce(struct stack *st, int64_t now)
{
	for (unsigned i = 0; i < st->cfg.n_ports; i++)
		announce_port(st, i, now);
}
