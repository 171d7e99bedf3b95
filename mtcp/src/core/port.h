/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Local ports: which are bound, and which to take for an outgoing connection
 * (RFC 6056 3.3.3: a keyed offset per destination, so that ports neither
 * collide nor can be guessed from those of other destinations).
 */
#pragma once

#include "base/siphash.h"
#include "core/demux.h"

struct port_table {
	struct hashmap bound; /* port -> socket number                         */
	struct siphash_key key;
	uint32_t counter;     /* moves on with every connection                */
	uint16_t lo, hi;      /* the ephemeral range, inclusive                */
};

bool port_table_init(struct port_table *p, struct region *mem, const struct siphash_key *secret,
                     uint32_t max_socks, uint16_t lo, uint16_t hi);

/* Bound sockets, to look through:
 *	for (uint32_t s, i = port_first(p, port); port_next(p, port, &i, &s);) */
static inline uint32_t
port_first(const struct port_table *p, uint16_t port)
{
	return hashmap_first(&p->bound, port * 0x9e3779b1u);
}

static inline bool
port_next(const struct port_table *p, uint16_t port, uint32_t *i, uint32_t *sock)
{
	return hashmap_next(&p->bound, port * 0x9e3779b1u, i, sock);
}

bool port_bind(struct port_table *p, uint16_t port, uint32_t sock);
void port_unbind(struct port_table *p, uint16_t port, uint32_t sock);
bool port_is_bound(const struct port_table *p, uint16_t port);

/* A port of the range that nothing is bound to; 0: none left. */
uint16_t port_choose_bind(struct port_table *p);

/* Fills in t->lport so that no connection in `d` has this tuple; false: none left. */
bool port_choose_connect(struct port_table *p, const struct demux *d, struct tcp_tuple *t,
                         uint32_t *hash);
