/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Everything here is a decision about one packet.  The checks come first and
 * the token last, so that what would not be answered anyway uses up nothing.
 */
#include "core/icmp.h"

#include "wire/tcp_wire.h"

#define DSCP_MASK 0xfcu /* without the two bits of ECN (RFC 3168 5) */
#define PMTU_MIN  68u   /* RFC 791: every link carries this much */

/* -- Rate -------------------------------------------------------------------------- */

void
icmp_rate_init(struct icmp_rate *r, uint32_t per_s, uint32_t burst, int64_t now)
{
	r->interval = per_s ? NS_PER_S / per_s : 0;
	r->depth = r->interval * max(burst, 1u);
	r->empty_at = now - r->depth;
}

bool
icmp_rate_take(struct icmp_rate *r, int64_t now)
{
	if (r->empty_at < now - r->depth)
		r->empty_at = now - r->depth;
	if (now - r->empty_at < r->interval)
		return false;
	r->empty_at += r->interval;
	return true;
}

/* -- Echo -------------------------------------------------------------------------- */

/* RFC 1122 3.2.1.3: addresses that no single host sends from.  Network-directed broadcasts the
 * caller knows. */
static bool
is_one_host(const struct ip_addr *a)
{
	uint32_t ip;

	if (!ip_addr_is_v4(a))
		return false;
	ip = ip_addr_v4_host(a);
	return ip >> 24 != 0 && ip >> 24 != 127 && ip < 0xe0000000u;
}

static bool
is_whole(const struct ip4_hdr *h)
{
	return !h->mf && h->frag_off == 0;
}

/* Addresses turned round, no options, the same type of service (RFC 1349 5.1); but the reply is
 * not ECN-capable because the request was (RFC 3168 5). */
static void
build_reply_header(uint8_t *out, const struct ip4_hdr *request, uint32_t total_len)
{
	struct ip4_hdr h = {
		.src = request->dst,
		.dst = request->src,
		.tos = request->tos & DSCP_MASK,
		.ttl = ICMP_TTL,
		.proto = IP_PROTO_ICMP,
		.total_len = to_u16(total_len),
		.df = true,
	};

	wire_ip4_build(out, &h, true);
}

uint32_t
icmp4_echo_reply(struct icmp_rate *rate, const struct ip4_hdr *h, const uint8_t *p, size_t len,
                 int64_t now, uint8_t *out, size_t room)
{
	struct icmp4_msg m;
	uint32_t total_len;

	if (!is_whole(h) || !is_one_host(&h->src) || !is_one_host(&h->dst))
		return 0;
	if (len > UINT16_MAX - IP4_LEN || len + IP4_LEN > room)
		return 0;
	if (!wire_icmp4_parse(p, len, &m) || m.type != ICMP4_ECHO_REQUEST)
		return 0;
	if (!icmp_rate_take(rate, now))
		return 0;
	total_len = IP4_LEN + ICMP4_LEN + m.len;
	build_reply_header(out, h, total_len);
	memcpy(out + IP4_LEN + ICMP4_LEN, m.payload, m.len);
	m.type = ICMP4_ECHO_REPLY;
	m.code = 0;
	wire_icmp4_build(out + IP4_LEN, &m);
	return total_len;
}

/* -- Errors ------------------------------------------------------------------------ */

#define TOS_CONTROL 0xc0u /* RFC 1812 4.3.2.5: precedence of internetwork control */

static bool
is_error(uint8_t type)
{
	return type == ICMP4_UNREACHABLE || type == ICMP4_SOURCE_QUENCH || type == ICMP4_REDIRECT ||
	       type == ICMP4_TIME_EXCEEDED || type == ICMP4_PARAM_PROBLEM;
}

bool
icmp4_may_tell(const uint8_t *ip, size_t len)
{
	struct ip4_hdr h;

	if (wire_ip4_parse_quoted(ip, len, &h) != WIRE_IP_OK || h.frag_off != 0)
		return false;
	if (h.proto == IP_PROTO_ICMP && (len <= h.hdr_len || is_error(ip[h.hdr_len])))
		return false;
	return is_one_host(&h.src) && is_one_host(&h.dst);
}

uint32_t
icmp4_error_build(uint8_t type, uint8_t code, const uint8_t *ip, size_t len, uint8_t *out)
{
	struct icmp4_msg m = { .type = type, .code = code };
	struct ip4_hdr h, reply;

	(void)wire_ip4_parse_quoted(ip, len, &h);
	m.len = (uint32_t)min(min(len, (size_t)h.total_len), (size_t)ICMP_QUOTE);
	reply = (struct ip4_hdr){
		.src = h.dst,
		.dst = h.src,
		.tos = TOS_CONTROL,
		.ttl = ICMP_TTL,
		.proto = IP_PROTO_ICMP,
		.total_len = to_u16(IP4_LEN + ICMP4_LEN + m.len),
		.df = true,
	};
	wire_ip4_build(out, &reply, true);
	memcpy(out + IP4_LEN + ICMP4_LEN, ip, m.len);
	wire_icmp4_build(out + IP4_LEN, &m);
	return reply.total_len;
}

/* RFC 1191 7.1: sizes that real links have. */
static uint16_t
plateau_below(uint16_t len)
{
	static const uint16_t plateau[] = {
		32000, 17914, 8166, 4352, 2002, 1492, 1006, 508, 296
	};

	for (size_t i = 0; i < array_len(plateau); i++) {
		if (plateau[i] < len)
			return plateau[i];
	}
	return PMTU_MIN;
}

/* The lower half of the second word (RFC 1191 4). */
static uint16_t
next_hop_mtu(const struct icmp4_msg *m, const struct ip4_hdr *quoted)
{
	uint16_t mtu = m->rest & UINT16_MAX;

	if (m->type != ICMP4_UNREACHABLE || m->code != ICMP4_CODE_FRAG_NEEDED)
		return 0;
	return mtu ? max(mtu, (uint16_t)PMTU_MIN) : plateau_below(quoted->total_len);
}

bool
icmp4_error_parse(const struct icmp4_msg *m, struct icmp_error *e)
{
	struct ip4_hdr h;
	struct tcp_quote q;

	if (m->type != ICMP4_UNREACHABLE && m->type != ICMP4_TIME_EXCEEDED &&
	    m->type != ICMP4_PARAM_PROBLEM)
		return false;
	if (wire_ip4_parse_quoted(m->payload, m->len, &h) != WIRE_IP_OK)
		return false;
	if ((h.proto != IP_PROTO_TCP && h.proto != IP_PROTO_UDP) ||
	    h.frag_off != 0) /* ports stand in the first fragment */
		return false;
	/* The first 8 bytes: UDP has its ports where TCP has, and no sequence. */
	if (!wire_tcp_parse_quoted(m->payload + h.hdr_len, m->len - h.hdr_len, &q))
		return false;
	*e = (struct icmp_error){
		.type = m->type,
		.code = m->code,
		.proto = h.proto,
		.mtu = next_hop_mtu(m, &h),
		.src = h.src,
		.dst = h.dst,
		.sport = q.sport,
		.dport = q.dport,
		.seq = q.seq,
	};
	return true;
}
