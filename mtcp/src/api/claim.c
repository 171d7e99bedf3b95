/* SPDX-License-Identifier: BSD-3-Clause */
/* A probe is a request from the address 0.0.0.0, so that nobody's cache learns an
 * address that may not become ours (RFC 5227 2.1.1). */
#include "api/claim.h"

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
	pkt.flags = 0;
	if (io_tx(io, now, &pkt, 1) != 1)
		io_release(io, &pkt, 1);
}

void
claim_ask(struct io *io, const struct stack_port_cfg *port, int64_t now)
{
	for (unsigned i = 0; i < port->n_addrs; i++) {
		const struct stack_addr *a = &port->addr[i];

		for (uint32_t n = 0; n <= min(a->more, STACK_RANGE_TOLD - 1); n++)
			if (ip_addr_is_v4(&a->ip))
				ask_for(io, ip_addr_v4_host(&a->ip) + n, now);
	}
}

static bool
is_ours(const struct stack_port_cfg *port, uint32_t v4)
{
	struct ip_addr ip = ip_addr_v4(v4);

	for (unsigned i = 0; i < port->n_addrs; i++)
		if (stack_addr_has(&port->addr[i], &ip))
			return true;
	return false;
}

/* RFC 5227 2.1.1: it uses the address, or it probes for it too. */
static bool
rivals(const struct io_pkt *pkt, const struct mac_addr *own, const struct stack_port_cfg *port,
       struct claim_rival *rival)
{
	struct eth_hdr eth;
	struct arp_pkt arp;

	if (!wire_eth_parse(pkt->data, pkt->len, &eth) || eth.type != ETH_TYPE_ARP ||
	    !wire_arp_parse(pkt->data + ETH_LEN, pkt->len - ETH_LEN, &arp) ||
	    mac_eq(&arp.sha, own))
		return false;
	rival->mac = arp.sha;
	rival->ip = arp.spa ? arp.spa : arp.tpa;
	return is_ours(port, rival->ip) && (arp.spa || arp.op == ARP_REQUEST);
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
