/* SPDX-License-Identifier: BSD-3-Clause */
/* Several fields at a time, as words: what is compared or written is the same as one by one. */
#include "wire/usual.h"

#include "wire/sum.h"

#define TS_WORD    UINT32_C(0x0101080a) /* nop, nop, timestamp of 10 bytes (RFC 7323 A)      */
#define TS_LEN     12u
#define IP_BEGINS  UINT32_C(0x08004500) /* Ethernet's type; version, header length, any TOS  */
#define FRAG_PROTO UINT32_C(0x3fff00ff) /* more fragments, offset; any TTL; protocol         */
#define IP_V4      UINT32_C(0x45000000)
#define IP_DF      UINT32_C(0x00004000) /* identification 0                                  */

bool
wire_usual_is(const uint8_t *p, size_t len)
{
	uint32_t hdr_len, total;

	if (len < USUAL_TEXT || (get_be32(p + 12) & 0xffffff00u) != IP_BEGINS ||
	    (get_be32(p + USUAL_IP + 6) & FRAG_PROTO) != IP_PROTO_TCP)
		return false;
	hdr_len = (p[USUAL_TCP + 12] >> 4) * 4u;
	total = get_be16(p + USUAL_IP + 2);
	if (total > len - ETH_LEN || total < IP4_LEN + hdr_len)
		return false;
	if (hdr_len == TCP_HDR_LEN)
		return true;
	return hdr_len == TCP_HDR_LEN + TS_LEN && get_be32(p + USUAL_TEXT) == TS_WORD;
}

/* The sum of an IPv4 header without options, its own included. */
static inline uint16_t
ip_sum_of(const uint8_t *ip)
{
	return wire_sum_fold(wire_sum_carries(wire_sum_word(ip) + wire_sum_word(ip + 4) +
	                                      wire_sum_word(ip + 8) + wire_sum_word(ip + 12) +
	                                      wire_sum_word(ip + 16)));
}

/* As wire_sum_pseudo(), of addresses as they stand in a frame. */
static inline uint32_t
pseudo(const uint8_t *src, const uint8_t *dst, uint32_t len)
{
	return wire_sum_carries(wire_sum_word(src) + wire_sum_word(dst) +
	                        be32(IP_PROTO_TCP).raw + be32(len).raw);
}

bool
wire_usual_parse(const uint8_t *p, bool ip_sum, bool tcp_sum, struct tcp_seg *s)
{
	const uint8_t *tcp = p + USUAL_TCP;
	uint32_t len = get_be16(p + USUAL_IP + 2) - IP4_LEN;

	if (ip_sum && ip_sum_of(p + USUAL_IP) != UINT16_MAX)
		return false;
	if (tcp_sum &&
	    wire_sum_finish(wire_sum_add(pseudo(p + USUAL_SRC, p + USUAL_DST, len), tcp, len)) != 0)
		return false;
	usual_tcp_parse(tcp, len, s);
	s->ecn = p[USUAL_IP + 1] & 3u;
	return true;
}

/* Words, flags, window: in host order, as the others are put. */
static inline uint32_t
tcp_fourth(const struct tcp_seg *s)
{
	uint32_t words = (TCP_HDR_LEN + (s->opts & TCP_OPT_TS ? TS_LEN : 0)) / 4;

	return words << 28 | (uint32_t)s->flags << 16 | s->wnd;
}

static inline void
build_tcp(uint8_t *restrict tcp, const struct tcp_seg *s)
{
	if (s->opts & TCP_OPT_TS) {
		put_be32(tcp + TCP_HDR_LEN, TS_WORD);
		put_be32(tcp + TCP_HDR_LEN + 4, s->tsval);
		put_be32(tcp + TCP_HDR_LEN + 8, s->tsecr);
	}
	put_be32(tcp, (uint32_t)s->sport << 16 | s->dport);
	put_be32(tcp + 4, s->seq.v);
	put_be32(tcp + 8, s->ack.v);
	put_be32(tcp + 12, tcp_fourth(s));
	put_be32(tcp + 16, s->urg);
}

static void
store16(uint8_t *p, uint16_t v)
{
	memcpy(p, &v, sizeof v);
}

/* Sums of what is written, from what it is made of: to load words that have just been stored
 * in other pieces takes as long as the stores. */
static inline uint64_t
tcp_sum_built(const struct tcp_seg *s)
{
	uint64_t sum = be32((uint32_t)s->sport << 16 | s->dport).raw;

	sum += (uint64_t)be32(s->seq.v).raw + be32(s->ack.v).raw + be32(tcp_fourth(s)).raw +
	       be32(s->urg).raw;
	if (s->opts & TCP_OPT_TS)
		sum += (uint64_t)be32(TS_WORD).raw + be32(s->tsval).raw + be32(s->tsecr).raw;
	return sum;
}

static inline uint16_t
ip_sum_built(const struct usual_hdr *h, uint32_t flags, uint32_t len)
{
	uint32_t first = IP_V4 | (uint32_t)h->tos << 16 | (IP4_LEN + len);

	return wire_sum_fold(wire_sum_carries((uint64_t)be32(first).raw + be32(flags).raw +
	                                      wire_sum_word(h->src->b + 12) +
	                                      wire_sum_word(h->dst->b + 12)));
}

void
wire_usual_build(uint8_t *restrict p, const struct usual_hdr *h, const struct tcp_seg *s)
{
	uint8_t *ip = p + USUAL_IP, *tcp = p + USUAL_TCP;
	uint32_t len = h->len - USUAL_TCP + s->len;
	uint32_t flags = IP_DF << 16 | (uint32_t)h->ttl << 8 | IP_PROTO_TCP, sum;

	memcpy(p, h->dst_mac, 6);
	memcpy(p + 6, h->src_mac, 6);
	put_be32(p + 12, IP_BEGINS | h->tos);
	put_be32(ip + 2, (IP4_LEN + len) << 16);
	put_be32(ip + 6, flags);
	store16(ip + 10, h->ip_sum ? (uint16_t)~ip_sum_built(h, flags, len) : 0);
	memcpy(ip + 12, h->src->b + 12, 4);
	memcpy(ip + 16, h->dst->b + 12, 4);
	build_tcp(tcp, s);
	sum = pseudo(h->src->b + 12, h->dst->b + 12, len);
	if (h->tcp_sum) {
		sum = wire_sum_carries(sum + tcp_sum_built(s));
		store16(tcp + 16, wire_sum_finish(wire_sum_add(sum, p + h->len, s->len)));
	} else {
		store16(tcp + 16, wire_sum_fold(sum));
	}
}
