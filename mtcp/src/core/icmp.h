/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * ICMP for IPv4 (RFC 792, RFC 1122 3.2.2): answers echo requests, writes errors, and tells
 * what an error says of which TCP segment or datagram.  Whether the segment was ours, and
 * what follows from it, TCP decides (RFC 5927).  Nothing is sent and nothing
 * kept here but the rate.
 */
#pragma once

#include "base/seq.h"
#include "wire/ip4.h"

#define ICMP_TTL 64u

/* A token bucket, told as time: one token is `interval` ns, and the bucket is full when
 * `empty_at` lies `interval * burst` back. */
struct icmp_rate {
	int64_t interval; /* ns for one token; 0: no limit     */
	int64_t depth;    /* ns of tokens the bucket holds     */
	int64_t empty_at; /* tokens there are: now - empty_at  */
};

/* `per_s` answers a second on average (0: no limit), `burst` (at least 1) at once.  Starts
 * full. */
void icmp_rate_init(struct icmp_rate *r, uint32_t per_s, uint32_t burst, int64_t now);

/* Takes a token; false when there is none. */
bool icmp_rate_take(struct icmp_rate *r, int64_t now);

/*
 * Answers an echo request.  `h` is its IP header, whose destination the caller
 * has found to be an address of ours; `p` its `len` bytes of ICMP.  Writes a
 * whole IP packet to `out` (not overlapping, `room` bytes) and returns its
 * length; 0 when there is nothing to say: not an echo request, damaged, a
 * fragment, from or to what is no single host (RFC 1122 3.2.2), too long for
 * `room`, over the rate.
 */
uint32_t icmp4_echo_reply(struct icmp_rate *rate, const struct ip4_hdr *h, const uint8_t *p,
                          size_t len, int64_t now, uint8_t *out, size_t room);

#define ICMP_ERROR_MAX 576u /* bytes of a packet that tells of an error (RFC 1812 4.3.2.3) ... */
#define ICMP_QUOTE     (ICMP_ERROR_MAX - IP4_LEN - ICMP4_LEN) /* ... and of what it quotes */

/* Whether an error may be told about an IPv4 packet for one of our addresses, of which `len`
 * bytes stand at `ip`: not about ICMP errors, later fragments, nor to or from what is no single
 * host (RFC 1122 3.2.2, RFC 1812 4.3.2.7). */
bool icmp4_may_tell(const uint8_t *ip, size_t len);

/* Writes a whole IP packet of at most ICMP_ERROR_MAX bytes to `out`; its length.  It quotes as much
 * of the packet as it can. */
uint32_t icmp4_error_build(uint8_t type, uint8_t code, const uint8_t *ip, size_t len, uint8_t *out);

/* What an ICMP error says of a TCP segment or a datagram that we (allegedly) sent. */
struct icmp_error {
	uint8_t type, code;
	uint8_t proto;            /* of the quoted packet: TCP or UDP                  */
	uint16_t mtu;             /* fragmentation needed: of the next hop; else 0     */
	struct ip_addr src, dst;  /* of the quoted segment: src is ours                */
	uint16_t sport, dport;
	seq_t seq;                /* TCP                                               */
};

/* Whether `m` is an error that quotes enough of a TCP segment or a datagram: unreachable, time exceeded or
 * parameter problem.  Source quench is none (RFC 6633).  A router that does not tell the MTU
 * gets the next plateau below the quoted packet (RFC 1191 7). */
bool icmp4_error_parse(const struct icmp4_msg *m, struct icmp_error *e);
