/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Neighbour discovery's messages (RFC 4861 4), between ICMPv6 and the neighbours.  What makes
 * a message void whoever it is for (RFC 4861 6.1, 7.1) is looked at here and only here.
 */
#pragma once

#include "wire/ip6.h"

#define ND_HOP_LIMIT 255u /* no router passes on what has it: the sender is on the link */
#define ND_LEN_MAX   96u  /* of what the builders below write */

/* A solicitation or an advertisement. */
struct nd_neigh {
	bool advert;
	struct ip_addr target;
	struct mac_addr mac;     /* the sender's, or the target's with an advertisement    */
	bool has_mac;
	bool router, solicited, override; /* of an advertisement                          */
};

/* Whether the message of `m` in the packet of `h` is a valid solicitation or advertisement. */
bool wire_nd_parse(const struct ip6_hdr *h, const struct icmp6_msg *m, struct nd_neigh *n);

/* Writes the ICMPv6 message at `p`, ND_LEN_MAX bytes at most, and returns its length. */
uint32_t wire_nd_build(uint8_t *p, const struct ip_addr *src, const struct ip_addr *dst,
                       const struct nd_neigh *n);

#define ND_PREFIXES 8u /* that are looked at in one advertisement */

struct nd_prefix {
	struct ip_addr prefix;
	uint8_t len;
	bool on_link, autonomous;
	uint32_t valid_s, preferred_s; /* UINT32_MAX: for ever */
};

/* A router's advertisement (RFC 4861 4.2). */
struct nd_router {
	uint8_t hop_limit;       /* 0: it does not say                                     */
	uint16_t lifetime_s;     /* 0: it is no default router (any more)                  */
	uint32_t reachable_ms, retrans_ms; /* 0: it does not say                           */
	uint32_t mtu;            /* 0: it does not say                                     */
	struct mac_addr mac;
	bool has_mac;
	uint32_t n_prefixes;
	struct nd_prefix prefix[ND_PREFIXES];
};

bool wire_nd_parse_router(const struct ip6_hdr *h, const struct icmp6_msg *m,
                          struct nd_router *r);

/* A router solicitation; `mac` may be NULL.  As wire_nd_build(). */
uint32_t wire_nd_build_solicit(uint8_t *p, const struct ip_addr *src, const struct ip_addr *dst,
                               const struct mac_addr *mac);
