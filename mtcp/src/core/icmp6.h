/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * ICMP for IPv6 (RFC 4443): answers echo requests, tells what an error says of which TCP
 * segment, and writes errors about packets that we cannot take.  As icmp.h: nothing is sent
 * and nothing kept here.
 */
#pragma once

#include "core/icmp.h"
#include "wire/ip6.h"

/* Answers an echo request to one of our unicast addresses; `h` is its IP header, `p` its `len` bytes
 * of ICMP.  Writes a whole IP packet to `out` (`room` bytes, not overlapping) and returns its
 * length; 0 when there is nothing to say: no echo request, damaged, a fragment, from no single host,
 * too long, over the rate. */
uint32_t icmp6_echo_reply(struct icmp_rate *rate, const struct ip6_hdr *h, const uint8_t *p,
                          size_t len, int64_t now, uint8_t *out, size_t room);

/* Whether `m` is an error that quotes enough of a TCP segment or a datagram.  It is told in the words of IPv4:
 * ICMP4_UNREACHABLE with its codes (ICMP4_CODE_FRAG_NEEDED for a packet that was too big) or
 * ICMP4_TIME_EXCEEDED, so that whoever hears of it need not ask for the family. */
bool icmp6_error_parse(const struct icmp6_msg *m, struct icmp_error *e);

/* What is wrong with a packet. */
struct icmp6_complaint {
	uint8_t type, code;
	uint32_t rest;      /* the pointer of a parameter problem; else 0            */
	bool to_group;      /* told even if the packet went to a group               */
};

/*
 * Writes the error about the packet at `p`, of which `len` bytes are here, from the address
 * `src` of ours; `h` is its header.  As icmp6_echo_reply().  0: RFC 4443 2.4 (e) forbids it
 * (an error about an error, to no single host, about what went to a group), or the rate does.
 */
uint32_t icmp6_error(struct icmp_rate *rate, const struct ip6_hdr *h, const uint8_t *p, size_t len,
                     const struct ip_addr *src, const struct icmp6_complaint *c, int64_t now,
                     uint8_t *out, size_t room);
