/* SPDX-License-Identifier: BSD-3-Clause */
/* A sum of 0 says that there is none; one that comes out as 0 is sent as its other form. */
#include "wire/udp_wire.h"

#include "wire/ip4.h"
#include "wire/sum.h"

bool
wire_udp_parse_quoted(const uint8_t *p, size_t len, struct udp_hdr *h)
{
	if (len < UDP_LEN)
		return false;
	h->sport = get_be16(p);
	h->dport = get_be16(p + 2);
	h->len = get_be16(p + 4);
	return true;
}

bool
wire_udp_parse(const uint8_t *p, size_t len, struct udp_hdr *h)
{
	return wire_udp_parse_quoted(p, len, h) && h->len >= UDP_LEN && h->len <= len;
}

static uint16_t
sum_of(const uint8_t *p, uint32_t len, const struct ip_addr *src, const struct ip_addr *dst)
{
	uint32_t sum = wire_sum_pseudo(src, dst, IP_PROTO_UDP, len);

	return wire_sum_finish(wire_sum_add(sum, p, len));
}

bool
wire_udp_sum_ok(const uint8_t *p, const struct ip_addr *src, const struct ip_addr *dst)
{
	if (get_be16(p + 6) == 0)
		return ip_addr_is_v4(src);
	return sum_of(p, get_be16(p + 4), src, dst) == 0;
}

void
wire_udp_build(uint8_t *p, const struct udp_hdr *h, const struct ip_addr *src,
               const struct ip_addr *dst)
{
	uint16_t sum;

	assert(h->len >= UDP_LEN);
	put_be16(p, h->sport);
	put_be16(p + 2, h->dport);
	put_be16(p + 4, h->len);
	put_be16(p + 6, 0);
	sum = sum_of(p, h->len, src, dst);
	if (sum == 0)
		sum = UINT16_MAX;
	memcpy(p + 6, &sum, sizeof sum);
}
