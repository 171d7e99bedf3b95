/* SPDX-License-Identifier: BSD-3-Clause */
/* IPv4 headers (RFC 791) and ICMPv4 messages (RFC 792). */
#pragma once

#include "base/ip_addr.h"

#define IP4_LEN       20u
#define IP_PROTO_ICMP 1u
#define IP_PROTO_TCP  6u
#define IP_PROTO_UDP  17u

struct ip4_hdr {
	struct ip_addr src, dst;
	uint8_t hdr_len;     /* bytes, 20..60                               */
	uint8_t tos;         /* DSCP and ECN                                */
	uint8_t ttl, proto;
	uint16_t total_len;  /* header and payload                          */
	uint16_t id;
	uint16_t frag_off;   /* bytes                                       */
	bool df, mf;
};

enum wire_ip_error {
	WIRE_IP_OK = 0,
	WIRE_IP_SHORT,   /* frame shorter than the header or its total length */
	WIRE_IP_VERSION, /* not version 4, or header length below 20          */
	WIRE_IP_SUM,     /* header checksum wrong                             */
};

/* Parses; options are skipped, not interpreted (RFC 9293 MUST-50).  The frame may be longer
 * than total_len (padding).  The checksum is only checked when `check_sum`. */
enum wire_ip_error wire_ip4_parse(const uint8_t *p, size_t len, bool check_sum,
                                  struct ip4_hdr *h);

/* The same for the beginning of a packet that an ICMP error quotes (RFC 792): the packet may be
 * cut anywhere behind its header, and its checksum means nothing any more. */
enum wire_ip_error wire_ip4_parse_quoted(const uint8_t *p, size_t len, struct ip4_hdr *h);

/* Writes IP4_LEN bytes (hdr_len is taken as 20); `with_sum` false leaves the checksum 0 for the
 * port. */
void wire_ip4_build(uint8_t *p, const struct ip4_hdr *h, bool with_sum);

/* Makes a header that stands at `p` that of a fragment, `off` bytes (a multiple of 8) behind the
 * packet's beginning.  The checksum is as it was. */
void wire_ip4_set_offset(uint8_t *p, uint32_t off, bool more);

#define ICMP4_LEN            8u
#define ICMP4_ECHO_REPLY     0u
#define ICMP4_UNREACHABLE    3u
#define ICMP4_SOURCE_QUENCH  4u
#define ICMP4_REDIRECT       5u
#define ICMP4_ECHO_REQUEST   8u
#define ICMP4_TIME_EXCEEDED  11u
#define ICMP4_PARAM_PROBLEM  12u
#define ICMP4_CODE_PROTO       2u
#define ICMP4_CODE_PORT        3u
#define ICMP4_CODE_FRAG_NEEDED 4u
#define ICMP4_CODE_REASSEMBLY  1u /* of time exceeded */

struct icmp4_msg {
	uint8_t type, code;
	uint32_t rest;           /* the header's second word, host order (id+seq, or MTU) */
	const uint8_t *payload;
	uint32_t len;            /* of the payload */
};

/* False when too short or the checksum is wrong. */
bool wire_icmp4_parse(const uint8_t *p, size_t len, struct icmp4_msg *m);

/* Writes ICMP4_LEN bytes before a payload that already stands at p + ICMP4_LEN, and the checksum
 * of both. */
void wire_icmp4_build(uint8_t *p, const struct icmp4_msg *m);
