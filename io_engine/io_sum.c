/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Sums that a stack leaves to the port.  The sender says where its headers end,
 * so nothing is parsed there; the receiver has only the bytes.
 */
#include "io_engine/io_sum.h"

#include "base/be.h"
#include "wire/sum.h"

#define ETHERTYPE_AT  12u
#define ETHERTYPE_IP4 0x0800u
#define ETHERTYPE_IP6 0x86ddu
#define ETH_LEN       14u
#define IP4_LEN       20u
#define IP6_LEN       40u
#define IP4_SUM_AT    10u
#define PROTO_TCP     6u
#define PROTO_UDP     17u
#define TCP_SUM_AT    16u
#define UDP_SUM_AT    6u

static void
put_sum(uint8_t *at, uint16_t sum)
{
	memcpy(at, &sum, sizeof sum);
}

void
io_sum_finish(struct io_pkt *pkt)
{
	uint32_t l3 = pkt->l2_len;
	uint32_t l4 = l3 + pkt->l3_len;

	assert(l4 <= pkt->len);
	if (pkt->flags & IO_TX_IP_SUM) {
		put_sum(pkt->data + l3 + IP4_SUM_AT, 0);
		put_sum(pkt->data + l3 + IP4_SUM_AT,
		        wire_sum_finish(wire_sum_add(0, pkt->data + l3, pkt->l3_len)));
	}
	/* The field already holds the pseudo-header's sum: it is added as data is. */
	if (pkt->flags & IO_TX_TCP_SUM)
		put_sum(pkt->data + l4 + TCP_SUM_AT,
		        wire_sum_finish(wire_sum_add(0, pkt->data + l4, pkt->len - l4)));
	pkt->flags &= (uint16_t)~(IO_TX_IP_SUM | IO_TX_TCP_SUM);
}

/* Over pseudo-header, header and data; 0 when the sum among them holds. */
static uint16_t
l4_sum(const uint8_t *ip, uint32_t hlen, uint32_t total)
{
	uint8_t pseudo[4] = { 0, ip[9], 0, 0 };
	uint32_t sum = wire_sum_add(0, ip + 12, 8);

	put_be16(pseudo + 2, to_u16(total - hlen));
	sum = wire_sum_add(sum, pseudo, sizeof pseudo);
	return wire_sum_finish(wire_sum_add(sum, ip + hlen, total - hlen));
}

/* The same of IPv6, for a payload without extension headers. */
static uint16_t
l4_sum6(const uint8_t *ip, uint32_t len)
{
	uint8_t pseudo[8] = { 0, 0, 0, 0, 0, 0, 0, ip[6] };
	uint32_t sum = wire_sum_add(0, ip + 8, 32);

	put_be32(pseudo, len);
	sum = wire_sum_add(sum, pseudo, sizeof pseudo);
	return wire_sum_finish(wire_sum_add(sum, ip + IP6_LEN, len));
}

static uint16_t
judge6(const uint8_t *frame, uint32_t len)
{
	const uint8_t *ip = frame + ETH_LEN;

	if (len < ETH_LEN + IP6_LEN || ip[0] >> 4 != 6 || get_be16(ip + 4) > len - ETH_LEN - IP6_LEN ||
	    (ip[6] != PROTO_TCP && ip[6] != PROTO_UDP))
		return 0;
	return l4_sum6(ip, get_be16(ip + 4)) ? IO_RX_L4_BAD : IO_RX_L4_GOOD;
}

uint16_t
io_sum_judge(const uint8_t *frame, uint32_t len)
{
	const uint8_t *ip = frame + ETH_LEN;
	uint32_t hlen, total;
	uint16_t says;

	if (len >= ETH_LEN && get_be16(frame + ETHERTYPE_AT) == ETHERTYPE_IP6)
		return judge6(frame, len);
	if (len < ETH_LEN + IP4_LEN || get_be16(frame + ETHERTYPE_AT) != ETHERTYPE_IP4)
		return 0;
	hlen = (ip[0] & 0x0fu) * 4u;
	total = get_be16(ip + 2);
	if (ip[0] >> 4 != 4 || hlen < IP4_LEN || total < hlen || total > len - ETH_LEN)
		return 0;
	if (wire_sum_finish(wire_sum_add(0, ip, hlen)))
		return IO_RX_IP_BAD;
	says = IO_RX_IP_GOOD;
	if ((ip[9] != PROTO_TCP && ip[9] != PROTO_UDP) || get_be16(ip + 6) & 0x3fffu)
		return says; /* more fragments, or not the first */
	/* A UDP sum of 0 means that the sender made none (RFC 768). */
	if (ip[9] == PROTO_UDP && total - hlen >= 8 && !get_be16(ip + hlen + 6))
		return says | IO_RX_L4_GOOD;
	return says | (uint16_t)(l4_sum(ip, hlen, total) ? IO_RX_L4_BAD : IO_RX_L4_GOOD);
}

static void
repair6(uint8_t *ip)
{
	uint32_t len = get_be16(ip + 4), at = ip[6] == PROTO_TCP ? TCP_SUM_AT : UDP_SUM_AT;

	if (at + 2 > len)
		return;
	put_sum(ip + IP6_LEN + at, 0);
	put_sum(ip + IP6_LEN + at, l4_sum6(ip, len));
}

void
io_sum_repair(uint8_t *frame)
{
	uint8_t *ip = frame + ETH_LEN;
	uint32_t hlen = (ip[0] & 0x0fu) * 4u, total = get_be16(ip + 2);
	uint32_t at = hlen + (ip[9] == PROTO_TCP ? TCP_SUM_AT : UDP_SUM_AT);

	if (ip[0] >> 4 == 6) {
		repair6(ip);
		return;
	}
	if (at + 2 > total)
		return;
	put_sum(ip + at, 0);
	put_sum(ip + at, l4_sum(ip, hlen, total));
}
