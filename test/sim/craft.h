/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Whole frames made by hand, and taken apart: for peers that tests play
 * themselves, for boxes on the path and for attackers.
 */
#pragma once

#include "tcp/tcp.h"
#include "wire/eth.h"
#include "wire/ip4.h"
#include "wire/nd.h"

#define CRAFT_MAX 2048u

/* Who sends a frame to whom; the addresses are of one family, which is the frame's. */
struct craft_way {
	struct mac_addr smac, dmac;
	struct ip_addr src, dst;
};

/* The same way, back. */
struct craft_way craft_back(const struct craft_way *way);

/* Write a frame to `out` (CRAFT_MAX bytes) and return its length. */
uint32_t craft_tcp(uint8_t *out, const struct craft_way *way, const struct tcp_seg *s,
                   const uint8_t *text);
uint32_t craft_ip(uint8_t *out, const struct craft_way *way, uint8_t proto, const uint8_t *data,
                  uint32_t len);
uint32_t craft_arp(uint8_t *out, const struct mac_addr *dst, const struct arp_pkt *a);
uint32_t craft_echo(uint8_t *out, const struct craft_way *way, uint32_t id_seq,
                    const uint8_t *data, uint32_t len);

/* A neighbour's solicitation or advertisement. */
uint32_t craft_nd(uint8_t *out, const struct craft_way *way, const struct nd_neigh *n);

/* An ICMP error, of a type of `way`'s family, that quotes the TCP segment `way`'s receiver is said to have sent to `peer`. */
uint32_t craft_icmp_error(uint8_t *out, const struct craft_way *way, uint8_t type, uint8_t code,
                          uint32_t rest, const struct ip_addr *peer, uint16_t sport,
                          uint16_t dport, seq_t seq);

/* A frame that holds a TCP segment, whatever its checksums: s->text points into it.  False:
 * something else. */
bool craft_parse_tcp(const uint8_t *frame, uint32_t len, struct craft_way *way,
                     struct tcp_seg *s);
