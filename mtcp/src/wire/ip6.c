/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The bytes of IPv6.  Extension headers are walked once, in the order in which they stand
 * (RFC 8200 4); every step moves forward and is counted, so that the walk is short whatever
 * stands there.
 */
#include "wire/ip6.h"

#include "wire/sum.h"

#define FRAG_LEN 8u
#define OPT_PAD1 0u
#define OPT_PADN 1u

/* How far the walk has come. */
struct walk {
	const uint8_t *p;
	uint32_t len;    /* of what is there                                  */
	uint32_t at;     /* where the next header stands                      */
	uint32_t n;      /* headers seen                                      */
	bool quoted;     /* an error quotes it: nothing in it is for us       */
};

static enum wire_ip6_error
problem_at(struct ip6_problem *problem, uint8_t code, uint32_t at)
{
	*problem = (struct ip6_problem){ .code = code, .at = to_u16(at) };
	return WIRE_IP6_PROBLEM;
}

/* An option that nobody knows says itself what is to be done (RFC 8200 4.2). */
static enum wire_ip6_error
unknown_option(const uint8_t *p, uint32_t at, struct ip6_problem *problem)
{
	switch (p[at] >> 6) {
	case 0:
		return WIRE_IP6_OK;
	case 1:
		return WIRE_IP6_SILENT;
	default:
		(void)problem_at(problem, ICMP6_CODE_OPTION, at);
		problem->to_group = p[at] >> 6 == 2;
		return WIRE_IP6_PROBLEM;
	}
}

static enum wire_ip6_error
check_options(const struct walk *w, uint32_t end, struct ip6_problem *problem)
{
	enum wire_ip6_error error = WIRE_IP6_OK;
	uint32_t n = 0;

	for (uint32_t at = w->at + 2; at < end && !error;) {
		uint8_t type = w->p[at];

		if (type == OPT_PAD1) {
			at++;
			continue;
		}
		if (at + 2 > end || at + 2 + w->p[at + 1] > end)
			return WIRE_IP6_EXT;
		if (type != OPT_PADN) {
			if (++n > IP6_OPTIONS_MAX)
				return WIRE_IP6_EXT;
			error = unknown_option(w->p, at, problem);
		}
		at += 2u + w->p[at + 1];
	}
	return error;
}

/* We are nobody's way to a third host: a route that is not at its end is not for us, and one of
 * type 0 not for anybody (RFC 5095). */
static enum wire_ip6_error
check_routing(const struct walk *w, struct ip6_problem *problem)
{
	return w->p[w->at + 3] ? problem_at(problem, ICMP6_CODE_FIELD, w->at + 2) : WIRE_IP6_OK;
}

static enum wire_ip6_error
read_fragment(struct walk *w, struct ip6_hdr *h)
{
	uint32_t word;

	if (h->frag_at || w->at + FRAG_LEN > w->len)
		return WIRE_IP6_EXT;
	word = get_be16(w->p + w->at + 2);
	h->frag_at = to_u16(w->at);
	h->frag_off = (uint16_t)(word & 0xfff8u);
	h->mf = word & 1;
	h->id = get_be32(w->p + w->at + 4);
	return WIRE_IP6_OK;
}

/* The header at w->at, of kind h->proto; w->at and h->proto go on to what follows it. */
static enum wire_ip6_error
one_header(struct walk *w, struct ip6_hdr *h, struct ip6_problem *problem)
{
	enum wire_ip6_error error = WIRE_IP6_OK;
	uint32_t size;

	if (++w->n > IP6_EXT_MAX || w->at + 8 > w->len)
		return WIRE_IP6_EXT;
	if (h->proto == IP_PROTO_HOP_BY_HOP && w->n > 1) /* RFC 8200 4.1: first or nowhere */
		return problem_at(problem, ICMP6_CODE_NEXT_HEADER, h->proto_at);
	size = h->proto == IP_PROTO_FRAGMENT ? FRAG_LEN : (w->p[w->at + 1] + 1u) * 8u;
	if (w->at + size > w->len || w->at + size > IP6_LEN + IP6_EXT_BYTES)
		return WIRE_IP6_EXT;
	if (h->proto == IP_PROTO_FRAGMENT)
		error = read_fragment(w, h);
	else if (!w->quoted)
		error = h->proto == IP_PROTO_ROUTING ? check_routing(w, problem)
		                                     : check_options(w, w->at + size, problem);
	h->proto_at = to_u16(w->at);
	h->proto = w->p[w->at];
	w->at += size;
	return error;
}

static bool
is_extension(uint8_t proto)
{
	return proto == IP_PROTO_HOP_BY_HOP || proto == IP_PROTO_ROUTING ||
	       proto == IP_PROTO_FRAGMENT || proto == IP_PROTO_DST_OPTS;
}

static enum wire_ip6_error
walk_headers(struct walk *w, struct ip6_hdr *h, struct ip6_problem *problem)
{
	enum wire_ip6_error error = WIRE_IP6_OK;

	while (!error && is_extension(h->proto) && h->frag_off == 0)
		error = one_header(w, h, problem);
	h->hdr_len = to_u16(w->at);
	return error;
}

static void
read_header(const uint8_t *p, struct ip6_hdr *h)
{
	uint32_t word = get_be32(p);

	*h = (struct ip6_hdr){
		.flow = word & 0xfffffu,
		.tclass = (uint8_t)(word >> 20),
		.proto = p[6],
		.proto_at = 6,
		.hop_limit = p[7],
	};
	memcpy(h->src.b, p + 8, sizeof h->src.b);
	memcpy(h->dst.b, p + 24, sizeof h->dst.b);
}

/* The jumbo payload option (RFC 2675) belongs to no link that we have: with it, the length is 0. */
enum wire_ip6_error
wire_ip6_parse(const uint8_t *p, size_t len, struct ip6_hdr *h, struct ip6_problem *problem)
{
	struct walk w = { .p = p, .at = IP6_LEN };

	if (len < IP6_LEN)
		return WIRE_IP6_SHORT;
	if (p[0] >> 4 != 6)
		return WIRE_IP6_VERSION;
	w.len = IP6_LEN + (uint32_t)get_be16(p + 4);
	if (w.len > len)
		return WIRE_IP6_SHORT;
	read_header(p, h);
	h->total_len = to_u32(w.len);
	if (likely(!is_extension(h->proto))) {
		h->hdr_len = IP6_LEN;
		return WIRE_IP6_OK;
	}
	return walk_headers(&w, h, problem);
}

enum wire_ip6_error
wire_ip6_parse_quoted(const uint8_t *p, size_t len, struct ip6_hdr *h)
{
	struct walk w = { .p = p, .at = IP6_LEN, .quoted = true };
	struct ip6_problem problem;

	if (len < IP6_LEN)
		return WIRE_IP6_SHORT;
	if (p[0] >> 4 != 6)
		return WIRE_IP6_VERSION;
	w.len = to_u32(min(len, (size_t)UINT16_MAX));
	read_header(p, h);
	h->total_len = IP6_LEN + (uint32_t)get_be16(p + 4);
	return walk_headers(&w, h, &problem);
}

void
wire_ip6_set_offset(uint8_t *p, uint32_t off, bool more)
{
	assert(off % 8 == 0);
	put_be16(p + 2, to_u16(off | more));
}

void
wire_ip6_fragment_build(uint8_t *p, uint8_t proto, uint32_t off, bool more, uint32_t id)
{
	p[0] = proto;
	p[1] = 0;
	wire_ip6_set_offset(p, off, more);
	put_be32(p + 4, id);
}

void
wire_ip6_build(uint8_t *p, const struct ip6_hdr *h)
{
	assert(h->total_len >= IP6_LEN);
	put_be32(p, UINT32_C(6) << 28 | (uint32_t)h->tclass << 20 | (h->flow & 0xfffffu));
	put_be16(p + 4, to_u16(h->total_len - IP6_LEN));
	p[6] = h->proto;
	p[7] = h->hop_limit;
	memcpy(p + 8, h->src.b, sizeof h->src.b);
	memcpy(p + 24, h->dst.b, sizeof h->dst.b);
}

/* -- Addresses ---------------------------------------------------------------------- */

struct ip_addr
ip6_all_nodes(void)
{
	return (struct ip_addr){ { 0xff, 0x02, [15] = 1 } };
}

struct ip_addr
ip6_all_routers(void)
{
	return (struct ip_addr){ { 0xff, 0x02, [15] = 2 } };
}

struct ip_addr
ip6_solicited_node(const struct ip_addr *a)
{
	struct ip_addr group = { { 0xff, 0x02, [11] = 1, [12] = 0xff } };

	memcpy(group.b + 13, a->b + 13, 3);
	return group;
}

struct mac_addr
ip6_group_mac(const struct ip_addr *group)
{
	struct mac_addr m = { { 0x33, 0x33 } };

	memcpy(m.b + 2, group->b + 12, 4);
	return m;
}

/* -- ICMPv6 ------------------------------------------------------------------------- */

bool
wire_icmp6_parse(const uint8_t *p, size_t len, const struct ip_addr *src,
                 const struct ip_addr *dst, struct icmp6_msg *m)
{
	uint32_t sum;

	if (len < ICMP6_LEN || len > UINT16_MAX)
		return false;
	sum = wire_sum_pseudo(src, dst, IP_PROTO_ICMP6, to_u32(len));
	if (wire_sum_finish(wire_sum_add(sum, p, len)) != 0)
		return false;
	m->type = p[0];
	m->code = p[1];
	m->rest = get_be32(p + 4);
	m->payload = p + ICMP6_LEN;
	m->len = to_u32(len - ICMP6_LEN);
	return true;
}

void
wire_icmp6_build(uint8_t *p, const struct ip_addr *src, const struct ip_addr *dst,
                 const struct icmp6_msg *m)
{
	uint32_t len = ICMP6_LEN + m->len;
	uint16_t sum = 0;

	p[0] = m->type;
	p[1] = m->code;
	memcpy(p + 2, &sum, sizeof sum);
	put_be32(p + 4, m->rest);
	sum = wire_sum_finish(
	    wire_sum_add(wire_sum_pseudo(src, dst, IP_PROTO_ICMP6, len), p, len));
	memcpy(p + 2, &sum, sizeof sum);
}
