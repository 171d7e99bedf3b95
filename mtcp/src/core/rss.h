/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Receive side scaling as network cards do it: a Toeplitz hash over the packet's
 * addresses and ports, and a table that maps the hash to a queue.
 *
 * The hash is linear over GF(2): what one bit of the input adds does not depend on the
 * others.  So the local ports whose replies reach a given core need not be looked for:
 * they are the solutions of a few linear equations, 2^k of them beside each other in every
 * block of ports, and can be counted, and named by their number, both ways.
 */
#pragma once

#include "base/ip_addr.h"

#define RSS_KEY_LEN    40u
#define RSS_TABLE_SIZE 128u /* what most cards have      */
#define RSS_TABLE_MAX  512u /* what is understood here   */
#define RSS_INDEX_BITS 9u   /* of RSS_TABLE_MAX          */

/* The key that most drivers start with, and that Microsoft's verification suite uses. */
extern const uint8_t rss_default_key[RSS_KEY_LEN];

/* Whether the lowest RSS_INDEX_BITS bits of a port lead to every place of a table.  With a key of which this is not
 * true ports of one core lie far apart, and a search among a few hundred may find none. */
bool rss_key_is_good(const uint8_t key[RSS_KEY_LEN]);

/* Hash of `len` bytes (at most RSS_KEY_LEN - 4) in the order of the packet. */
uint32_t rss_toeplitz(const uint8_t key[RSS_KEY_LEN], const uint8_t *data, size_t len);

/* Hash of a TCP packet over IPv4; everything in host order, as the packet has it. */
uint32_t rss_hash_tcp4(const uint8_t key[RSS_KEY_LEN], uint32_t src, uint32_t dst,
                       uint16_t sport, uint16_t dport);

/* -------------------------------------------------------------- a flow's core -- */

/* One port's function from a flow to a core, prepared. */
struct rss {
	uint32_t part[12][256]; /* what each byte of an IPv4 tuple adds                */
	uint32_t port6[2][256]; /* and those of the destination port in one of IPv6     */
	uint8_t key[RSS_KEY_LEN];
	uint32_t mask;         /* of the hash: the place in the table                  */
	uint8_t core[RSS_TABLE_MAX];
};

/* `table` has `size` places, a power of two up to RSS_TABLE_MAX, and names cores below
 * 256.  False, and nothing made: it does not. */
bool rss_init(struct rss *r, const uint8_t key[RSS_KEY_LEN], const uint16_t *table,
              unsigned size);

/* Hash of a segment that comes from `src` to `dst`, of either family.  A link-local address counts
 * as it stands on the wire. */
uint32_t rss_hash(const struct rss *r, const struct ip_addr *src, const struct ip_addr *dst,
                  uint16_t sport, uint16_t dport);

static inline unsigned
rss_core(const struct rss *r, uint32_t hash)
{
	return r->core[hash & r->mask];
}

/* ------------------------------------------------------ the ports of one core -- */

/* The destination ports that make flows reach one core, whatever the other three numbers
 * are: `hash` below is always that of the flow with destination port 0. */
struct rss_ports {
	const struct rss *rss;
	const uint32_t (*part)[256];     /* what the port's two bytes add                 */
	uint16_t column[16];             /* what each bit of the port does to the place   */
	uint8_t bits;                    /* a block is 2^bits ports                       */
	uint8_t rank, n_loose;           /* bits that decide the place, and that do not   */
	struct {
		uint16_t lead, place;    /* a change of place, and its highest bit ...    */
		uint16_t port;           /* ... by this change of the port                */
	} step[RSS_INDEX_BITS];          /* highest bit first                             */
	uint16_t loose[16];              /* changes of the port that change no place      */
	uint8_t loose_bit[16];           /* the bit that only this one of them has        */
	uint16_t n_mine;                 /* places of the table that are this core's      */
	uint16_t mine[RSS_TABLE_MAX];
	uint16_t nth[RSS_TABLE_MAX];     /* the way back: mine[nth[place]] == place       */
};

/* For flows of IPv6 (`v6`) or of IPv4.  False: no place of the table is `core`'s, or the ports do not change the place. */
bool rss_ports_init(struct rss_ports *p, const struct rss *r, unsigned core, bool v6);

/* How many numbers there are for lo..hi.  Some of them are no port, see below. */
uint32_t rss_ports_count(const struct rss_ports *p, uint16_t lo, uint16_t hi);

/* The port with number `n`, below rss_ports_count().  False: that number has none in
 * lo..hi.  Two numbers never have the same port, and every port of the core has one. */
bool rss_ports_nth(const struct rss_ports *p, uint32_t hash, uint16_t lo, uint16_t hi, uint32_t n,
                   uint16_t *port);

/* The number of a port.  False: it does not lead to this core. */
bool rss_ports_number(const struct rss_ports *p, uint32_t hash, uint16_t lo, uint16_t port,
                      uint32_t *n);
