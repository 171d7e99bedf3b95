/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The frame that nearly all are: Ethernet, IPv4 without options that is no fragment, TCP without
 * options or with the timestamp alone at its usual place.  Read and written in one go: the same
 * as eth, ip4 and tcp_wire do together, faster.  What is not like this goes their way.
 */
#pragma once

#include "wire/eth.h"
#include "wire/ip4.h"
#include "wire/tcp_wire.h"

/* Where things stand in it. */
#define USUAL_IP   ETH_LEN
#define USUAL_SRC  (ETH_LEN + 12u) /* address, 4 bytes; behind it the other, and both ports */
#define USUAL_DST  (ETH_LEN + 16u)
#define USUAL_TCP  (ETH_LEN + IP4_LEN)
#define USUAL_TEXT (USUAL_TCP + TCP_HDR_LEN) /* or a timestamp first */
#define USUAL_NAME 12u /* bytes at USUAL_SRC that name the connection, seen from its sender */

/* Whether the frame of `len` bytes is one.  Its checksums are not looked at. */
bool wire_usual_is(const uint8_t *p, size_t len);

/* Its segment, as wire_tcp_parse() and the ECN field give it.  False: a checksum that was to be
 * looked at (`ip_sum`, `tcp_sum`) is wrong. */
bool wire_usual_parse(const uint8_t *p, bool ip_sum, bool tcp_sum, struct tcp_seg *s);

/* For both families: the segment of `len` bytes at `tcp`, of which wire_usual_is() has said that nothing
 * but a timestamp may stand between header and text. */
static inline void
usual_tcp_parse(const uint8_t *tcp, uint32_t len, struct tcp_seg *s)
{
	uint32_t hdr_len = (tcp[12] >> 4) * 4u;

	seg_clear(s);
	s->seq = seq_of(get_be32(tcp + 4));
	s->ack = seq_of(get_be32(tcp + 8));
	s->wnd = get_be16(tcp + 14);
	s->len = len - hdr_len;
	s->text = tcp + hdr_len;
	s->sport = get_be16(tcp);
	s->dport = get_be16(tcp + 2);
	s->urg = get_be16(tcp + 18);
	s->flags = tcp[13];
	if (hdr_len == TCP_HDR_LEN)
		return;
	s->opts = TCP_OPT_TS;
	s->tsval = get_be32(tcp + TCP_HDR_LEN + 4);
	s->tsecr = get_be32(tcp + TCP_HDR_LEN + 8);
}

/* What goes into the headers around a segment. */
struct usual_hdr {
	const uint8_t *dst_mac, *src_mac; /* 6 bytes each                             */
	const struct ip_addr *src, *dst;  /* of IPv4                                  */
	uint32_t len;                     /* of all headers: wire_usual_hdr_len()     */
	uint8_t tos, ttl;
	bool ip_sum, tcp_sum;             /* compute them, or leave them to the port: */
};

/* Whether wire_usual_build() can write the segment. */
static inline bool
wire_usual_can(const struct tcp_seg *s)
{
	return !(s->flags & TCP_SYN) && (s->opts & (uint8_t)~TCP_OPT_TS) == 0;
}

/* Bytes in front of its text. */
static inline uint32_t
wire_usual_hdr_len(const struct tcp_seg *s)
{
	return USUAL_TEXT + (s->opts & TCP_OPT_TS ? 12u : 0u);
}

/* Writes all headers of a frame whose text stands in its place already.  A TCP checksum that is
 * left to the port is that of the pseudo-header; IP's is 0. */
void wire_usual_build(uint8_t *restrict p, const struct usual_hdr *h, const struct tcp_seg *s);
