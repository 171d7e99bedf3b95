/* SPDX-License-Identifier: BSD-3-Clause */
/* UDP headers (RFC 768), over IPv4 and IPv6 (RFC 8200 8.1). */
#pragma once

#include "base/ip_addr.h"

#define UDP_LEN 8u

struct udp_hdr {
	uint16_t sport, dport;
	uint16_t len;          /* header and payload                          */
};

/* False when it is too short, or says that it is longer than the `len` bytes there are.  What
 * stands behind its own length is padding (RFC 1122 4.1 has nothing against it). */
bool wire_udp_parse(const uint8_t *p, size_t len, struct udp_hdr *h);

/* The same for the beginning of a datagram that an ICMP error quotes: only ports are asked for. */
bool wire_udp_parse_quoted(const uint8_t *p, size_t len, struct udp_hdr *h);

/* Whether the checksum of a datagram that wire_udp_parse() took is right, or, over IPv4, was not
 * made (RFC 768, RFC 1122 4.1.3.4). */
bool wire_udp_sum_ok(const uint8_t *p, const struct ip_addr *src, const struct ip_addr *dst);

/* Writes UDP_LEN bytes before a payload that stands there already, and the sum of both. */
void wire_udp_build(uint8_t *p, const struct udp_hdr *h, const struct ip_addr *src,
                    const struct ip_addr *dst);
