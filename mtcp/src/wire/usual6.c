/* SPDX-License-Identifier: BSD-3-Clause */
/* What is compared and read is the same as in ip6.c and tcp_wire.c, of fewer kinds. */
#include "wire/usual6.h"

#include "wire/sum.h"
#include "wire/usual.h"

#define TS_WORD UINT32_C(0x0101080a) /* nop, nop, timestamp of 10 bytes (RFC 7323 A) */
#define TS_LEN  12u

/* 2000::/3 and fc00::/7: no group, no link, nothing of IPv4's. */
static inline bool
is_wide(uint8_t first)
{
	return (first & 0xe0) == 0x20 || (first & 0xfe) == 0xfc;
}

bool
wire_usual6_is(const uint8_t *p, size_t len)
{
	uint32_t hdr_len, payload;

	if (len < USUAL6_TEXT || get_be16(p + 12) != ETH_TYPE_IP6 || p[USUAL6_IP] >> 4 != 6 ||
	    p[USUAL6_IP + 6] != IP_PROTO_TCP || !is_wide(p[USUAL6_NAME]) || !is_wide(p[USUAL6_DST]))
		return false;
	hdr_len = (p[USUAL6_TCP + 12] >> 4) * 4u;
	payload = get_be16(p + USUAL6_IP + 4);
	if (payload > len - USUAL6_TCP || payload < hdr_len || payload > UINT16_MAX - IP6_LEN)
		return false;
	if (hdr_len == TCP_HDR_LEN)
		return true;
	return hdr_len == TCP_HDR_LEN + TS_LEN && get_be32(p + USUAL6_TEXT) == TS_WORD;
}

static bool
sum_is_wrong(const uint8_t *p, uint32_t len)
{
	uint64_t sum = (uint64_t)be32(IP_PROTO_TCP).raw + be32(len).raw;

	for (unsigned i = 0; i < 32; i += 4)
		sum += wire_sum_word(p + USUAL6_NAME + i);
	return wire_sum_finish(wire_sum_add(wire_sum_carries(sum), p + USUAL6_TCP, len)) != 0;
}

bool
wire_usual6_parse(const uint8_t *p, bool tcp_sum, struct tcp_seg *s)
{
	const uint8_t *tcp = p + USUAL6_TCP;
	uint32_t len = get_be16(p + USUAL6_IP + 4);

	if (tcp_sum && sum_is_wrong(p, len))
		return false;
	usual_tcp_parse(tcp, len, s);
	s->ecn = p[USUAL6_IP + 1] >> 4 & 3u;
	return true;
}
