/* SPDX-License-Identifier: BSD-3-Clause */
/* The bytes of Ethernet II and of ARP (RFC 826), field by field. */
#include "wire/eth.h"

#define ARP_HTYPE_ETHERNET 1u

bool
wire_eth_parse(const uint8_t *p, size_t len, struct eth_hdr *h)
{
	if (len < ETH_LEN)
		return false;
	memcpy(h->dst.b, p, 6);
	memcpy(h->src.b, p + 6, 6);
	h->type = get_be16(p + 12);
	return true;
}

void
wire_eth_build(uint8_t *p, const struct eth_hdr *h)
{
	memcpy(p, h->dst.b, 6);
	memcpy(p + 6, h->src.b, 6);
	put_be16(p + 12, h->type);
}

/* RFC 826, "Packet Reception": the hardware and protocol types first, then their lengths. */
bool
wire_arp_parse(const uint8_t *p, size_t len, struct arp_pkt *a)
{
	if (len < ARP_LEN)
		return false;
	if (get_be16(p) != ARP_HTYPE_ETHERNET || get_be16(p + 2) != ETH_TYPE_IP4)
		return false;
	if (p[4] != sizeof a->sha.b || p[5] != sizeof a->spa)
		return false;
	a->op = get_be16(p + 6);
	memcpy(a->sha.b, p + 8, 6);
	a->spa = get_be32(p + 14);
	memcpy(a->tha.b, p + 18, 6);
	a->tpa = get_be32(p + 24);
	return true;
}

void
wire_arp_build(uint8_t *p, const struct arp_pkt *a)
{
	put_be16(p, ARP_HTYPE_ETHERNET);
	put_be16(p + 2, ETH_TYPE_IP4);
	p[4] = sizeof a->sha.b;
	p[5] = sizeof a->spa;
	put_be16(p + 6, a->op);
	memcpy(p + 8, a->sha.b, 6);
	put_be32(p + 14, a->spa);
	memcpy(p + 18, a->tha.b, 6);
	put_be32(p + 24, a->tpa);
}
