/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * IPv6 of one core: frames in and out, and whose addresses are whose.
 *
 * A link-local address means something on its link only (RFC 4007).  Inside the stack its third
 * and fourth byte, which are zero on the wire, say which port's link that is: so two hosts of
 * the same link-local address on two links are two addresses to everybody, and a route leads
 * each out of its port.  ip6_scoped() on the way in, ip6_plain() on the way out.
 */
#pragma once

#include "core/neigh.h"
#include "io_engine/io.h"
#include "tcp/tcp_fate.h"
#include "tcp/tcp_streams.h"
#include "wire/ip6.h"

struct stack;
struct stack_port;
struct ip_way;
struct tcp_conn;
struct tcp_seg;

/* What the port of number `port` hears as `a`. */
static inline struct ip_addr
ip6_scoped(const struct ip_addr *a, unsigned port)
{
	struct ip_addr s = *a;

	if (unlikely(ip6_is_link_local(a)))
		put_be16(s.b + 2, to_u16(port + 1));
	return s;
}

/* As it stands on the wire. */
static inline struct ip_addr
ip6_plain(const struct ip_addr *a)
{
	struct ip_addr s = *a;

	if (unlikely(ip6_is_link_local(a)))
		put_be16(s.b + 2, 0);
	return s;
}

/* The number of a scoped address's port, from 1 on (sin6_scope_id); 0: it has none. */
static inline unsigned
ip6_scope(const struct ip_addr *a)
{
	return ip6_is_link_local(a) ? get_be16(a->b + 2) : 0;
}

/* Before the first packet: link-local addresses get their scope, a port with an address of IPv6
 * one of that kind if it has none (RFC 4291 2.1), and the routes to go with them. */
void ip6_begin(struct stack *st);

/* The usual frame for a connection that had one lately.  Same effect as ip6_in(), faster.  False: go
 * the general way. */
bool ip6_usual_in(struct stack *st, unsigned port, const struct io_pkt *pkt, int64_t now,
                  enum fate *fate);

/* One frame of IPv6 that came for our link address or for a group (`group`). */
enum fate ip6_in(struct stack *st, unsigned port, const struct mac_addr *from, bool group,
                 const struct io_pkt *pkt, int64_t now);

/* As ip_segment_out(), for IPv6. */
void ip6_segment_out(struct stack *st, const struct ip_way *way, const struct tcp_tuple *t,
                     const struct tcp_seg *s, struct tcp_conn *c);

/* As refuse_packet(), for IPv6. */
void ip6_refuse(struct stack *st, unsigned port, const struct mac_addr *from, uint8_t type,
                uint8_t code, const uint8_t *ip, uint32_t len, int64_t now);

/* As ip_packet_begin(), for IPv6: with h->mf or an offset it has a fragment header. */
struct ip4_hdr;
uint8_t *ip6_packet_begin(struct stack *st, const struct ip_way *way, const struct ip4_hdr *h,
                          uint32_t len);

/* As ip_source(). */
bool ip6_source(const struct stack *st, const struct ip_addr *dst, struct ip_addr *src,
                uint16_t *mtu);

/* Whether one host of another name may have it. */
bool ip6_is_host(const struct stack *st, const struct ip_addr *a);

/* ----------------------------------------------------- discover.c: neighbours -- */

/* A message of neighbour discovery, in the packet of `h`. */
enum fate nd_in(struct stack *st, unsigned port, const struct mac_addr *from,
                const struct ip6_hdr *h, const struct icmp6_msg *m, int64_t now);

/* Asks who has an address. */
void nd_ask(struct stack *st, unsigned port, const struct neigh_probe *q, int64_t now);

/* RFC 4861 7.2.6: neighbours that know an older link address of ours learn. */
void nd_announce(struct stack *st, int64_t now);
