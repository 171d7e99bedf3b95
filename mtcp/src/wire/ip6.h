/* SPDX-License-Identifier: BSD-3-Clause */
/* IPv6 headers with their extension headers (RFC 8200) and ICMPv6 messages (RFC 4443). */
#pragma once

#include "wire/eth.h"
#include "wire/ip4.h"

#define IP6_LEN     40u
#define IP6_MTU_MIN 1280u /* RFC 8200 5: every link carries this much */

/* More than anybody needs: what is longer costs a host more than it is worth (RFC 8504 5.3). */
#define IP6_EXT_MAX     8u   /* extension headers of a packet      */
#define IP6_EXT_BYTES   256u /* ... and what they are long together */
#define IP6_OPTIONS_MAX 8u   /* options of one header, padding apart */

#define IP_PROTO_HOP_BY_HOP 0u
#define IP_PROTO_ROUTING    43u
#define IP_PROTO_FRAGMENT   44u
#define IP_PROTO_ICMP6      58u
#define IP_PROTO_NONE       59u
#define IP_PROTO_DST_OPTS   60u

struct ip6_hdr {
	struct ip_addr src, dst;
	uint32_t flow;        /* flow label, 20 bits                               */
	uint32_t id;          /* of a fragment                                     */
	uint32_t total_len;   /* bytes: headers and payload                        */
	uint16_t hdr_len;     /* header and extension headers                      */
	uint16_t frag_off;    /* bytes                                             */
	uint8_t tclass;       /* DSCP and ECN, as IPv4's TOS                       */
	uint8_t hop_limit;
	uint8_t proto;        /* of the payload                                    */
	bool mf;
	uint16_t frag_at;     /* where the fragment header stands; 0: there is none */
	uint16_t proto_at;    /* which byte said `proto`                           */
};

/* What a host does about a packet that it does not understand. */
struct ip6_problem {
	uint8_t code;         /* ICMP6_CODE_*, of a parameter problem              */
	bool to_group;        /* told even if the destination is a multicast group  */
	uint16_t at;          /* the offending byte, from the header on            */
};

enum wire_ip6_error {
	WIRE_IP6_OK = 0,
	WIRE_IP6_SHORT,   /* shorter than its header or the length that says      */
	WIRE_IP6_VERSION, /* not version 6, or a jumbogram                        */
	WIRE_IP6_EXT,     /* extension headers that are cut off or too many       */
	WIRE_IP6_SILENT,  /* an option says: drop it and say nothing              */
	WIRE_IP6_PROBLEM, /* ... and say so: *problem                             */
};

/*
 * Parses the header and all extension headers, in whatever order they stand, but that Hop-by-Hop
 * options are first (RFC 8200 4.1).  A fragment header that makes no fragment of the packet is
 * skipped as others are (RFC 6946); behind that of a fragment other than the first nothing is
 * looked at: `proto` is what its next header says.  The frame may be longer than total_len.
 */
enum wire_ip6_error wire_ip6_parse(const uint8_t *p, size_t len, struct ip6_hdr *h,
                                   struct ip6_problem *problem);

/* The same for the beginning of a packet that an ICMP error quotes: it may be cut anywhere behind
 * its headers, and what its options say is nobody's concern. */
enum wire_ip6_error wire_ip6_parse_quoted(const uint8_t *p, size_t len, struct ip6_hdr *h);

/* Writes IP6_LEN bytes: a header without extensions, which hdr_len is taken to say. */
void wire_ip6_build(uint8_t *p, const struct ip6_hdr *h);

#define IP6_FRAG_LEN 8u

/* Writes a fragment header: IP6_FRAG_LEN bytes (RFC 8200 4.5). */
void wire_ip6_fragment_build(uint8_t *p, uint8_t proto, uint32_t off, bool more, uint32_t id);

/* Makes the fragment header at `p` that of another part, or, with 0 and false, of no fragment. */
void wire_ip6_set_offset(uint8_t *p, uint32_t off, bool more);

/* ---------------------------------------------------------------- addresses -- */

static inline bool
ip6_is_multicast(const struct ip_addr *a)
{
	return a->b[0] == 0xff;
}

static inline bool
ip6_is_link_local(const struct ip_addr *a)
{
	return a->b[0] == 0xfe && (a->b[1] & 0xc0) == 0x80;
}

static inline bool
ip6_is_loopback(const struct ip_addr *a)
{
	return get_be64(a->b) == 0 && get_be64(a->b + 8) == 1;
}

static inline bool
ip6_is_unspecified(const struct ip_addr *a)
{
	return (get_be64(a->b) | get_be64(a->b + 8)) == 0;
}

/* All nodes of the link, ff02::1. */
struct ip_addr ip6_all_nodes(void);
/* All routers of the link, ff02::2. */
struct ip_addr ip6_all_routers(void);
/* Where somebody is asked for who may have this address (RFC 4291 2.7.1). */
struct ip_addr ip6_solicited_node(const struct ip_addr *a);
/* The link's group of a multicast address (RFC 2464 7). */
struct mac_addr ip6_group_mac(const struct ip_addr *group);

/* ------------------------------------------------------------------ ICMPv6 -- */

#define ICMP6_LEN           8u
#define ICMP6_UNREACHABLE   1u
#define ICMP6_TOO_BIG       2u
#define ICMP6_TIME_EXCEEDED 3u
#define ICMP6_PARAM_PROBLEM 4u
#define ICMP6_ECHO_REQUEST  128u
#define ICMP6_ECHO_REPLY    129u
#define ICMP6_MLD_QUERY     130u
#define ICMP6_ROUTER_SOLICIT 133u
#define ICMP6_ROUTER_ADVERT 134u
#define ICMP6_NEIGH_SOLICIT 135u
#define ICMP6_NEIGH_ADVERT  136u
#define ICMP6_MLD2_REPORT   143u

enum {
	ICMP6_CODE_NO_ROUTE = 0, /* unreachable */
	ICMP6_CODE_PROHIBITED = 1,
	ICMP6_CODE_ADDRESS = 3,
	ICMP6_CODE_PORT = 4,
	ICMP6_CODE_HOPS = 0, /* time exceeded */
	ICMP6_CODE_REASSEMBLY = 1,
	ICMP6_CODE_FIELD = 0, /* parameter problem */
	ICMP6_CODE_NEXT_HEADER = 1,
	ICMP6_CODE_OPTION = 2,
};

struct icmp6_msg {
	uint8_t type, code;
	uint32_t rest;           /* the header's second word, host order             */
	const uint8_t *payload;
	uint32_t len;            /* of the payload                                   */
};

/* False when too short or the checksum, which covers the addresses, is wrong. */
bool wire_icmp6_parse(const uint8_t *p, size_t len, const struct ip_addr *src,
                      const struct ip_addr *dst, struct icmp6_msg *m);

/* Writes ICMP6_LEN bytes before a payload that already stands at p + ICMP6_LEN, and the checksum
 * of both. */
void wire_icmp6_build(uint8_t *p, const struct ip_addr *src, const struct ip_addr *dst,
                      const struct icmp6_msg *m);
