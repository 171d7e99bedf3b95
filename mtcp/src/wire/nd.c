/* SPDX-License-Identifier: BSD-3-Clause */
/* Options are walked once; one of length 0 makes the whole message void (RFC 4861 4.6). */
#include "wire/nd.h"

#define NEIGH_LEN  16u /* of what follows ICMPv6's header: the target       */
#define ROUTER_LEN 8u  /* reachable time and retransmission timer           */
#define FLAG_ROUTER    UINT32_C(0x80000000)
#define FLAG_SOLICITED UINT32_C(0x40000000)
#define FLAG_OVERRIDE  UINT32_C(0x20000000)

enum {
	OPT_SOURCE_MAC = 1,
	OPT_TARGET_MAC = 2,
	OPT_PREFIX = 3,
	OPT_MTU = 5,
};

/* The option at *at, of `len` bytes in all; false: there is none, and *at is `len` if nothing is
 * wrong. */
static bool
next_option(const uint8_t *p, uint32_t len, uint32_t *at, const uint8_t **opt, uint32_t *opt_len)
{
	if (len - *at < 2 || p[*at + 1] == 0 || p[*at + 1] * 8u > len - *at)
		return false;
	*opt = p + *at;
	*opt_len = p[*at + 1] * 8u;
	*at += *opt_len;
	return true;
}

static void
put_mac_option(uint8_t *p, uint8_t type, const struct mac_addr *mac)
{
	p[0] = type;
	p[1] = 1;
	memcpy(p + 2, mac->b, sizeof mac->b);
}

static bool
is_void(const struct ip6_hdr *h, const struct icmp6_msg *m, uint32_t least)
{
	return h->hop_limit != ND_HOP_LIMIT || m->code != 0 || m->len < least;
}

/* RFC 4861 7.1.1, 7.1.2. */
static bool
is_sane(const struct ip6_hdr *h, const struct nd_neigh *n)
{
	struct ip_addr group = ip6_solicited_node(&n->target);

	if (ip6_is_multicast(&n->target))
		return false;
	if (n->advert)
		return !(ip6_is_multicast(&h->dst) && n->solicited);
	if (ip6_is_unspecified(&h->src))
		return ip_addr_eq(&h->dst, &group) && !n->has_mac;
	return true;
}

bool
wire_nd_parse(const struct ip6_hdr *h, const struct icmp6_msg *m, struct nd_neigh *n)
{
	uint8_t wanted = m->type == ICMP6_NEIGH_ADVERT ? OPT_TARGET_MAC : OPT_SOURCE_MAC;
	uint32_t at = NEIGH_LEN, len;
	const uint8_t *opt;

	if (is_void(h, m, NEIGH_LEN) ||
	    (m->type != ICMP6_NEIGH_SOLICIT && m->type != ICMP6_NEIGH_ADVERT))
		return false;
	*n = (struct nd_neigh){ .advert = m->type == ICMP6_NEIGH_ADVERT };
	memcpy(n->target.b, m->payload, sizeof n->target.b);
	if (n->advert) {
		n->router = m->rest & FLAG_ROUTER;
		n->solicited = m->rest & FLAG_SOLICITED;
		n->override = m->rest & FLAG_OVERRIDE;
	}
	while (next_option(m->payload, m->len, &at, &opt, &len))
		if (opt[0] == wanted && len == 8 && !n->has_mac) {
			n->has_mac = true;
			memcpy(n->mac.b, opt + 2, sizeof n->mac.b);
		}
	return at == m->len && is_sane(h, n);
}

uint32_t
wire_nd_build(uint8_t *p, const struct ip_addr *src, const struct ip_addr *dst,
              const struct nd_neigh *n)
{
	struct icmp6_msg m = { .type = n->advert ? ICMP6_NEIGH_ADVERT : ICMP6_NEIGH_SOLICIT,
		               .len = NEIGH_LEN };
	uint8_t *body = p + ICMP6_LEN;

	if (n->advert)
		m.rest = (n->router ? FLAG_ROUTER : 0) | (n->solicited ? FLAG_SOLICITED : 0) |
		         (n->override ? FLAG_OVERRIDE : 0);
	memcpy(body, n->target.b, sizeof n->target.b);
	if (n->has_mac) {
		put_mac_option(body + NEIGH_LEN, n->advert ? OPT_TARGET_MAC : OPT_SOURCE_MAC,
		               &n->mac);
		m.len += 8;
	}
	wire_icmp6_build(p, src, dst, &m);
	return ICMP6_LEN + m.len;
}

static void
read_prefix(const uint8_t *opt, struct nd_router *r)
{
	struct nd_prefix *f = &r->prefix[r->n_prefixes];

	if (r->n_prefixes == ND_PREFIXES || opt[2] > 128)
		return;
	r->n_prefixes++;
	*f = (struct nd_prefix){
		.len = opt[2],
		.on_link = opt[3] & 0x80,
		.autonomous = opt[3] & 0x40,
		.valid_s = get_be32(opt + 4),
		.preferred_s = get_be32(opt + 8),
	};
	memcpy(f->prefix.b, opt + 16, sizeof f->prefix.b);
}

static void
read_router_option(const uint8_t *opt, uint32_t len, struct nd_router *r)
{
	if (opt[0] == OPT_SOURCE_MAC && len == 8) {
		r->has_mac = true;
		memcpy(r->mac.b, opt + 2, sizeof r->mac.b);
	} else if (opt[0] == OPT_MTU && len == 8) {
		r->mtu = get_be32(opt + 4);
	} else if (opt[0] == OPT_PREFIX && len == 32) {
		read_prefix(opt, r);
	}
}

/* RFC 4861 6.1.2: only a router's link-local address says who it is. */
bool
wire_nd_parse_router(const struct ip6_hdr *h, const struct icmp6_msg *m, struct nd_router *r)
{
	uint32_t at = ROUTER_LEN, len;
	const uint8_t *opt;

	if (is_void(h, m, ROUTER_LEN) || m->type != ICMP6_ROUTER_ADVERT ||
	    !ip6_is_link_local(&h->src))
		return false;
	*r = (struct nd_router){
		.hop_limit = (uint8_t)(m->rest >> 24),
		.lifetime_s = (uint16_t)m->rest,
		.reachable_ms = get_be32(m->payload),
		.retrans_ms = get_be32(m->payload + 4),
	};
	while (next_option(m->payload, m->len, &at, &opt, &len))
		read_router_option(opt, len, r);
	return at == m->len;
}

uint32_t
wire_nd_build_solicit(uint8_t *p, const struct ip_addr *src, const struct ip_addr *dst,
                      const struct mac_addr *mac)
{
	struct icmp6_msg m = { .type = ICMP6_ROUTER_SOLICIT };

	if (mac) {
		put_mac_option(p + ICMP6_LEN, OPT_SOURCE_MAC, mac);
		m.len = 8;
	}
	wire_icmp6_build(p, src, dst, &m);
	return ICMP6_LEN + m.len;
}
