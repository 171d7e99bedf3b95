/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A packet is the kernel's when nobody here has wanted it, which its fate says.  It was looked at
 * before: what is malformed, or comes from no host's address, the kernel is not bothered with.
 */
#include "core/except.h"

#include "core/inet6.h"
#include "core/stack_priv.h"
#include "wire/nd.h"

#define BURST_PART 10 /* a tenth of a second's packets may come at once */

void
except_begin(struct stack *st, unsigned port, struct io *io, uint32_t rate, int64_t now)
{
	struct except *x = &st->port[port].except;

	x->io = io;
	icmp_rate_init(&x->up, rate, rate / BURST_PART, now);
	icmp_rate_init(&x->down, rate, rate / BURST_PART, now);
}

/* For this host or for several: a port that hears everything hears others', too. */
static bool
is_for_host(const struct stack_port *p, const struct io_pkt *pkt)
{
	return pkt->len >= ETH_LEN && !(pkt->data[6] & 1) &&
	       ((pkt->data[0] & 1) || memcmp(pkt->data, p->info.mac, 6) == 0);
}

static bool
is_wanted(enum fate fate)
{
	switch (fate) {
	case IN_ARP:
	case IN_ICMP:
	case IN_ND:
	case DROP_ND:
	case TO_KERNEL:
	case DROP_NOT_OURS:
	case DROP_ETHERTYPE:
	case DROP_IP_PROTO:
	case DROP_NO_CONN_RST:
	case DROP_UDP_NOBODY:
		return true;
	default:
		return false;
	}
}

/* A fragment for us: the kernel gets what it is part of, whole. */
static bool
is_part(const struct io_pkt *pkt, enum fate fate)
{
	const uint8_t *p = pkt->data + ETH_LEN;
	struct ip6_problem problem;
	struct eth_hdr eth;
	struct ip4_hdr h;
	struct ip6_hdr h6;

	if (fate == DROP_NOT_OURS || !wire_eth_parse(pkt->data, pkt->len, &eth))
		return false;
	if (eth.type == ETH_TYPE_IP6)
		return !wire_ip6_parse(p, pkt->len - ETH_LEN, &h6, &problem) && (h6.mf || h6.frag_off);
	return eth.type == ETH_TYPE_IP4 &&
	       wire_ip4_parse(p, pkt->len - ETH_LEN, false, &h) == WIRE_IP_OK && (h.mf || h.frag_off);
}

/* Ours has had it as well: what the kernel misses is no loss. */
static bool
is_shared(enum fate fate)
{
	return fate == IN_ARP || fate == IN_ICMP || fate == IN_ND || fate == DROP_ND;
}

enum fate
except_frame(struct stack *st, unsigned port, const struct io_pkt *pkt, enum fate fate, int64_t now)
{
	struct stack_port *p = &st->port[port];
	struct except *x = &p->except;
	struct io_pkt copy;

	if (!is_wanted(fate) || !is_for_host(p, pkt) || is_part(pkt, fate))
		return fate;
	if (!icmp_rate_take(&x->up, now) || io_alloc(x->io, &copy, 1) == 0)
		return is_shared(fate) ? fate : DROP_EXCEPTION;
	if (pkt->len > copy.room) {
		io_release(x->io, &copy, 1);
		return is_shared(fate) ? fate : DROP_EXCEPTION;
	}
	memcpy(copy.data, pkt->data, pkt->len);
	copy.len = pkt->len;
	if (io_tx(x->io, now, &copy, 1) == 0)
		io_release(x->io, &copy, 1);
	return is_shared(fate) ? fate : TO_KERNEL;
}

static bool
is_arp_reply(const uint8_t *p, uint32_t len, struct ip_addr *of)
{
	struct arp_pkt a;

	if (!wire_arp_parse(p, len, &a) || a.op != ARP_REPLY)
		return false;
	*of = ip_addr_v4(a.spa);
	return true;
}

static bool
is_nd_advert(const uint8_t *p, uint32_t len, struct ip_addr *of)
{
	struct ip6_problem problem;
	struct icmp6_msg m;
	struct nd_neigh n;
	struct ip6_hdr h;

	if (wire_ip6_parse(p, len, &h, &problem) || h.proto != IP_PROTO_ICMP6 ||
	    !wire_icmp6_parse(p + h.hdr_len, h.total_len - h.hdr_len, &h.src, &h.dst, &m) ||
	    !wire_nd_parse(&h, &m, &n) || !n.advert)
		return false;
	*of = n.target;
	return true;
}

/* We answer for our addresses; the kernel's answer would be a second one. */
static bool
answers_for_us(const struct stack_port *p, unsigned port, const struct io_pkt *pkt)
{
	const uint8_t *in = pkt->data + ETH_LEN;
	struct ip_addr of;
	struct eth_hdr eth;

	if (!wire_eth_parse(pkt->data, pkt->len, &eth))
		return false;
	if (eth.type == ETH_TYPE_ARP ? !is_arp_reply(in, pkt->len - ETH_LEN, &of)
	    : eth.type == ETH_TYPE_IP6 ? !is_nd_advert(in, pkt->len - ETH_LEN, &of) : true)
		return false;
	of = ip6_scoped(&of, port);
	return port_owns(p, &of);
}

unsigned
except_take(struct stack *st, unsigned port, int64_t now)
{
	struct stack_port *p = &st->port[port];
	struct io_pkt pkts[IO_BURST];
	unsigned n = io_rx(p->except.io, now, pkts, st->cfg.rx_burst);

	for (unsigned i = 0; i < n; i++) {
		if (answers_for_us(p, port, &pkts[i]))
			continue;
		if (icmp_rate_take(&p->except.down, now) && ip_frame_out(st, port, &pkts[i], now))
			st->fates[FROM_KERNEL]++;
		else
			st->fates[DROP_EXCEPTION]++;
	}
	io_release(p->except.io, pkts, n);
	return n;
}
