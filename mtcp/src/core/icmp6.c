/* SPDX-License-Identifier: BSD-3-Clause */
/* As in icmp.c the checks come first and the token last. */
#include "core/icmp6.h"

#include "wire/tcp_wire.h"

#define DSCP_MASK 0xfcu /* without the two bits of ECN (RFC 3168 5) */

static bool
is_one_host(const struct ip_addr *a)
{
	return !ip6_is_multicast(a) && !ip6_is_unspecified(a) && !ip6_is_loopback(a) &&
	       !ip_addr_is_v4(a);
}

static bool
is_whole(const struct ip6_hdr *h)
{
	return !h->mf && h->frag_off == 0;
}

static void
build_header(uint8_t *out, const struct ip_addr *src, const struct ip_addr *dst, uint8_t tclass,
             uint32_t total_len)
{
	struct ip6_hdr h = {
		.src = *src,
		.dst = *dst,
		.tclass = tclass,
		.hop_limit = ICMP_TTL,
		.proto = IP_PROTO_ICMP6,
		.total_len = to_u16(total_len),
	};

	wire_ip6_build(out, &h);
}

/* -- Echo -------------------------------------------------------------------------- */

uint32_t
icmp6_echo_reply(struct icmp_rate *rate, const struct ip6_hdr *h, const uint8_t *p, size_t len,
                 int64_t now, uint8_t *out, size_t room)
{
	struct icmp6_msg m;
	uint32_t total_len;

	if (!is_whole(h) || !is_one_host(&h->src) || !is_one_host(&h->dst))
		return 0;
	if (len > UINT16_MAX - IP6_LEN || len + IP6_LEN > room)
		return 0;
	if (!wire_icmp6_parse(p, len, &h->src, &h->dst, &m) || m.type != ICMP6_ECHO_REQUEST)
		return 0;
	if (!icmp_rate_take(rate, now))
		return 0;
	total_len = IP6_LEN + ICMP6_LEN + m.len;
	build_header(out, &h->dst, &h->src, h->tclass & DSCP_MASK, total_len);
	memcpy(out + IP6_LEN + ICMP6_LEN, m.payload, m.len);
	m.type = ICMP6_ECHO_REPLY;
	m.code = 0;
	wire_icmp6_build(out + IP6_LEN, &h->dst, &h->src, &m);
	return total_len;
}

/* -- Errors of others --------------------------------------------------------------- */

/* RFC 4443 3.1: as IPv4 would say it; policy and a route that rejects are a host out of reach. */
static uint8_t
unreachable_code(uint8_t code)
{
	return code == ICMP6_CODE_NO_ROUTE ? 0 : code == ICMP6_CODE_PORT ? 3 : 1;
}

/* False: an error that says nothing to TCP. */
static bool
translate(const struct icmp6_msg *m, struct icmp_error *e)
{
	*e = (struct icmp_error){ .type = ICMP4_UNREACHABLE };
	switch (m->type) {
	case ICMP6_UNREACHABLE:
		e->code = unreachable_code(m->code);
		return true;
	case ICMP6_TOO_BIG:
		e->code = ICMP4_CODE_FRAG_NEEDED;
		e->mtu = (uint16_t)min(m->rest, (uint32_t)UINT16_MAX);
		return true;
	case ICMP6_TIME_EXCEEDED:
		*e = (struct icmp_error){ .type = ICMP4_TIME_EXCEEDED, .code = m->code };
		return true;
	case ICMP6_PARAM_PROBLEM: /* code 1: nobody there speaks TCP */
		e->code = m->code == ICMP6_CODE_NEXT_HEADER ? 2 : 0;
		e->type = m->code == ICMP6_CODE_NEXT_HEADER ? ICMP4_UNREACHABLE
		                                            : ICMP4_PARAM_PROBLEM;
		return true;
	default:
		return false;
	}
}

bool
icmp6_error_parse(const struct icmp6_msg *m, struct icmp_error *e)
{
	struct ip6_hdr h;
	struct tcp_quote q;

	if (!translate(m, e) || wire_ip6_parse_quoted(m->payload, m->len, &h) != WIRE_IP6_OK)
		return false;
	if ((h.proto != IP_PROTO_TCP && h.proto != IP_PROTO_UDP) || h.frag_off != 0 ||
	    h.hdr_len > m->len)
		return false;
	if (!wire_tcp_parse_quoted(m->payload + h.hdr_len, m->len - h.hdr_len, &q))
		return false;
	e->proto = h.proto;
	e->src = h.src;
	e->dst = h.dst;
	e->sport = q.sport;
	e->dport = q.dport;
	e->seq = q.seq;
	return true;
}

/* -- Errors of ours ------------------------------------------------------------------ */

/* RFC 4443 2.4 (e.1), (e.2): types below 128; 137 is a redirect. */
static bool
is_error(const struct ip6_hdr *h, const uint8_t *p, size_t len)
{
	return h->proto == IP_PROTO_ICMP6 &&
	       (h->hdr_len >= len || p[h->hdr_len] < 128 || p[h->hdr_len] == 137);
}

uint32_t
icmp6_error(struct icmp_rate *rate, const struct ip6_hdr *h, const uint8_t *p, size_t len,
            const struct ip_addr *src, const struct icmp6_complaint *c, int64_t now, uint8_t *out,
            size_t room)
{
	struct icmp6_msg m = { .type = c->type, .code = c->code, .rest = c->rest };
	size_t head = IP6_LEN + ICMP6_LEN, quote = min(len, IP6_MTU_MIN - head);

	if (is_error(h, p, len) || !is_one_host(&h->src) || head + quote > room)
		return 0;
	if (ip6_is_multicast(&h->dst) && !c->to_group)
		return 0;
	if (!icmp_rate_take(rate, now))
		return 0;
	m.len = to_u32(quote);
	build_header(out, src, &h->src, 0, to_u32(head + quote));
	memcpy(out + head, p, quote);
	wire_icmp6_build(out + IP6_LEN, src, &h->src, &m);
	return to_u32(head + quote);
}
