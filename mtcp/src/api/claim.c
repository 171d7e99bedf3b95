/* SPDX-License-Identifier: BSD-3-Clause */
/* A probe is a request from the address 0.0.0.0 (RFC 5227 2.1.1), or from :: (RFC 4862 5.4.2), so
 * that nobody's cache learns an address that may not become ours. */
#include "api/claim.h"

#include "wire/nd.h"

#define BURSTS_MAX 64 /* in one look: a flood must not hold up the start */

static const struct mac_addr everybody = { { 0xff, 0xff, 0xff, 0xff, 0xff, 0xff } };

static struct mac_addr
own_mac(struct io *io)
{
	struct io_info info;
	struct mac_addr mac;

	io->ops->info(io, &info);
	memcpy(mac.b, info.mac, sizeof mac.b);
	return mac;
}

static void
send(struct io *io, struct io_pkt *pkt, int64_t now)
{
	pkt->flags = 0;
	if (io_tx(io, now, pkt, 1) != 1)
		io_release(io, pkt, 1);
}

static void
ask_for(struct io *io, uint32_t ip, int64_t now)
{
	struct mac_addr mac = own_mac(io);
	struct eth_hdr eth = { .dst = everybody, .src = mac, .type = ETH_TYPE_ARP };
	struct arp_pkt arp = { .op = ARP_REQUEST, .sha = mac, .tpa = ip };
	struct io_pkt pkt;

	if (io_alloc(io, &pkt, 1) != 1)
		return;
	wire_eth_build(pkt.data, &eth);
	wire_arp_build(pkt.data + ETH_LEN, &arp);
	pkt.len = ETH_LEN + ARP_LEN;
	send(io, &pkt, now);
}

static void
ask_for6(struct io *io, const struct ip_addr *ip, int64_t now)
{
	struct ip6_hdr h = { .dst = ip6_solicited_node(ip), .hop_limit = ND_HOP_LIMIT,
		             .proto = IP_PROTO_ICMP6 };
	struct eth_hdr eth = { .dst = ip6_group_mac(&h.dst), .src = own_mac(io),
		               .type = ETH_TYPE_IP6 };
	struct nd_neigh q = { .target = *ip };
	struct io_pkt pkt;
	uint32_t len;

	if (io_alloc(io, &pkt, 1) != 1)
		return;
	wire_eth_build(pkt.data, &eth);
	len = wire_nd_build(pkt.data + ETH_LEN + IP6_LEN, &h.src, &h.dst, &q);
	h.total_len = to_u16(IP6_LEN + len);
	wire_ip6_build(pkt.data + ETH_LEN, &h);
	pkt.len = ETH_LEN + h.total_len;
	send(io, &pkt, now);
}

void
claim_ask(struct io *io, const struct stack_port_cfg *port, int64_t now)
{
	for (unsigned i = 0; i < port->n_addrs; i++) {
		const struct stack_addr *a = &port->addr[i];

		if (!ip_addr_is_v4(&a->ip))
			ask_for6(io, &a->ip, now);
		else
			for (uint32_t n = 0; n <= min(a->more, STACK_RANGE_TOLD - 1); n++)
				ask_for(io, ip_addr_v4_host(&a->ip) + n, now);
	}
}

static bool
is_ours(const struct stack_port_cfg *port, const struct ip_addr *ip)
{
	for (unsigned i = 0; i < port->n_addrs; i++)
		if (stack_addr_has(&port->addr[i], ip))
			return true;
	return false;
}

/* RFC 5227 2.1.1: it uses the address, or it probes for it too. */
static bool
rivals4(const uint8_t *p, size_t len, const struct mac_addr *own,
        const struct stack_port_cfg *port, struct claim_rival *rival)
{
	struct arp_pkt arp;

	if (!wire_arp_parse(p, len, &arp) || mac_eq(&arp.sha, own))
		return false;
	rival->mac = arp.sha;
	rival->ip = ip_addr_v4(arp.spa ? arp.spa : arp.tpa);
	return is_ours(port, &rival->ip) && (arp.spa || arp.op == ARP_REQUEST);
}

/* The same by RFC 4862 5.4.3 and 5.4.4. */
static bool
rivals6(const uint8_t *p, size_t len, const struct mac_addr *from,
        const struct stack_port_cfg *port, struct claim_rival *rival)
{
	struct ip6_problem problem;
	struct icmp6_msg m;
	struct nd_neigh n;
	struct ip6_hdr h;

	if (wire_ip6_parse(p, len, &h, &problem) != WIRE_IP6_OK || h.proto != IP_PROTO_ICMP6 ||
	    !wire_icmp6_parse(p + h.hdr_len, (size_t)h.total_len - h.hdr_len, &h.src, &h.dst, &m) ||
	    !wire_nd_parse(&h, &m, &n))
		return false;
	rival->mac = *from;
	rival->ip = n.target;
	return is_ours(port, &n.target) && (n.advert || ip6_is_unspecified(&h.src));
}

static bool
rivals(const struct io_pkt *pkt, const struct mac_addr *own, const struct stack_port_cfg *port,
       struct claim_rival *rival)
{
	const uint8_t *p = pkt->data + ETH_LEN;
	struct eth_hdr eth;

	if (!wire_eth_parse(pkt->data, pkt->len, &eth))
		return false;
	if (eth.type == ETH_TYPE_ARP)
		return rivals4(p, pkt->len - ETH_LEN, own, port, rival);
	return eth.type == ETH_TYPE_IP6 && !mac_eq(&eth.src, own) &&
	       rivals6(p, pkt->len - ETH_LEN, &eth.src, port, rival);
}

bool
claim_heard(struct io *io, const struct stack_port_cfg *port, int64_t now,
            struct claim_rival *rival)
{
	struct mac_addr own = own_mac(io);
	struct io_pkt pkt[IO_BURST];
	bool heard = false;
	unsigned n = 1;

	for (int burst = 0; n > 0 && !heard && burst < BURSTS_MAX; burst++) {
		n = io_rx(io, now, pkt, IO_BURST);
		for (unsigned i = 0; i < n && !heard; i++)
			heard = rivals(&pkt[i], &own, port, rival);
		io_release(io, pkt, n);
	}
	return heard;
}
