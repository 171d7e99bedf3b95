/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Routes: the longest prefix that holds the destination wins.  One table for
 * both families, since addresses are one type; but a prefix shorter than 96
 * bits is IPv6's alone, so that ::/0 does not catch IPv4.  A table is a value:
 * filled at set-up, then only read.
 *
 * Routes stand sorted, longest prefixes first.  A lookup searches the run of
 * each length that occurs: few lengths, so few searches, whatever the number
 * of routes.
 */
#pragma once

#include "base/ip_addr.h"

#define ROUTE_MAX  1024u
#define ROUTE_BITS 128u
#define ROUTE_V4   96u /* bits of prefix before an IPv4 address: 10.0.0.0/8 is 96 + 8 */

struct route {
	struct ip_addr prefix;
	struct ip_addr gateway; /* any: the destination is on the link              */
	struct ip_addr src;     /* source address to prefer; any: the port's choice */
	uint8_t len;            /* bits of prefix, 0..128                           */
	uint8_t port;           /* number of the port it leads out of               */
};

/* A run: the routes of one length. */
struct route_run {
	uint16_t first, n;
	uint8_t len;
};

/* All zeros is an empty table. */
struct route_table {
	uint32_t n, n_runs;
	struct route_run run[ROUTE_BITS + 1]; /* longest first                 */
	struct route route[ROUTE_MAX];        /* in runs, sorted by prefix there */
};

enum route_error {
	ROUTE_OK = 0,
	ROUTE_FULL,   /* ROUTE_MAX routes are in                                */
	ROUTE_EXISTS, /* the same prefix and length are in; nothing was changed */
	ROUTE_BAD,    /* prefix, gateway and source address of two families, or len above 128 */
};

void route_init(struct route_table *t);

/* Adds a copy; bits of the prefix behind `len` are cleared in it.  Set-up only: costs a move of
 * the table. */
enum route_error route_insert(struct route_table *t, const struct route *r);

/* The same without a preferred source address; a gateway of IP_ANY: on the link. */
static inline enum route_error
route_add(struct route_table *t, const struct ip_addr *prefix, uint8_t len,
          const struct ip_addr *gateway, unsigned port)
{
	struct route r = { *prefix, *gateway, IP_ANY, len, to_u8(port) };

	return route_insert(t, &r);
}

/* The route to `dst`, or NULL: the network is unreachable.  Valid until one is added. */
const struct route *route_lookup(const struct route_table *t, const struct ip_addr *dst);

/* Whom to ask for the link address: the gateway, or the destination itself. */
static inline const struct ip_addr *
route_next_hop(const struct route *r, const struct ip_addr *dst)
{
	return ip_addr_is_any(&r->gateway) ? dst : &r->gateway;
}
