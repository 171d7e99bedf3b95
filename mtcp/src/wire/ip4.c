/* SPDX-License-Identifier: BSD-3-Clause */
/* The bytes of IPv4 headers (RFC 791 3.1) and of ICMP messages (RFC 792). */
#include "wire/ip4.h"

#include "wire/sum.h"

#define IP4_DF       0x4000u
#define IP4_MF       0x2000u
#define IP4_OFF_MASK 0x1fffu /* in units of 8 bytes */

/* Version and lengths, before anything else in the header is believed.  The packet itself is
 * not measured here: it may be a quoted one. */
static enum wire_ip_error
check_header(const uint8_t *p, size_t len)
{
	uint32_t hdr_len;

	if (len < IP4_LEN)
		return WIRE_IP_SHORT;
	hdr_len = (p[0] & 0xfu) * 4u;
	if (p[0] >> 4 != 4 || hdr_len < IP4_LEN)
		return WIRE_IP_VERSION;
	if (hdr_len > len || hdr_len > get_be16(p + 2))
		return WIRE_IP_SHORT;
	return WIRE_IP_OK;
}

static void
read_header(const uint8_t *p, struct ip4_hdr *h)
{
	uint32_t frag = get_be16(p + 6);

	h->hdr_len = (uint8_t)((p[0] & 0xfu) * 4u);
	h->tos = p[1];
	h->total_len = get_be16(p + 2);
	h->id = get_be16(p + 4);
	h->df = frag & IP4_DF;
	h->mf = frag & IP4_MF;
	h->frag_off = (uint16_t)((frag & IP4_OFF_MASK) * 8u);
	h->ttl = p[8];
	h->proto = p[9];
	h->src = ip_addr_v4(get_be32(p + 12));
	h->dst = ip_addr_v4(get_be32(p + 16));
}

enum wire_ip_error
wire_ip4_parse(const uint8_t *p, size_t len, bool check_sum, struct ip4_hdr *h)
{
	enum wire_ip_error error = check_header(p, len);

	if (error)
		return error;
	if (get_be16(p + 2) > len)
		return WIRE_IP_SHORT;
	if (check_sum && wire_sum_finish(wire_sum_add(0, p, (p[0] & 0xfu) * 4u)) != 0)
		return WIRE_IP_SUM;
	read_header(p, h);
	return WIRE_IP_OK;
}

enum wire_ip_error
wire_ip4_parse_quoted(const uint8_t *p, size_t len, struct ip4_hdr *h)
{
	enum wire_ip_error error = check_header(p, len);

	if (!error)
		read_header(p, h);
	return error;
}

void
wire_ip4_build(uint8_t *p, const struct ip4_hdr *h, bool with_sum)
{
	uint16_t sum = 0;

	assert(h->frag_off % 8 == 0);
	p[0] = 4u << 4 | IP4_LEN / 4u;
	p[1] = h->tos;
	put_be16(p + 2, h->total_len);
	put_be16(p + 4, h->id);
	put_be16(p + 6, to_u16((h->df ? IP4_DF : 0) | (h->mf ? IP4_MF : 0) | h->frag_off / 8u));
	p[8] = h->ttl;
	p[9] = h->proto;
	memcpy(p + 10, &sum, sizeof sum);
	memcpy(p + 12, h->src.b + 12, 4);
	memcpy(p + 16, h->dst.b + 12, 4);
	if (!with_sum)
		return;
	sum = wire_sum_finish(wire_sum_add(0, p, IP4_LEN));
	memcpy(p + 10, &sum, sizeof sum);
}

void
wire_ip4_set_offset(uint8_t *p, uint32_t off, bool more)
{
	assert(off % 8 == 0);
	put_be16(p + 6, to_u16((more ? IP4_MF : 0) | off / 8u));
}

bool
wire_icmp4_parse(const uint8_t *p, size_t len, struct icmp4_msg *m)
{
	if (len < ICMP4_LEN || wire_sum_finish(wire_sum_add(0, p, len)) != 0)
		return false;
	m->type = p[0];
	m->code = p[1];
	m->rest = get_be32(p + 4);
	m->payload = p + ICMP4_LEN;
	m->len = to_u32(len - ICMP4_LEN);
	return true;
}

void
wire_icmp4_build(uint8_t *p, const struct icmp4_msg *m)
{
	uint16_t sum = 0;

	p[0] = m->type;
	p[1] = m->code;
	memcpy(p + 2, &sum, sizeof sum);
	put_be32(p + 4, m->rest);
	sum = wire_sum_finish(wire_sum_add(0, p, (size_t)ICMP4_LEN + m->len));
	memcpy(p + 2, &sum, sizeof sum);
}
