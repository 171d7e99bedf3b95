/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Local ports: which are bound, and which to take for an outgoing connection
 * (RFC 6056 3.3.4: a keyed offset per destination and a counter per group of them, so
 * that ports neither collide nor can be guessed from those of other destinations).
 *
 * One search looks at PORT_LOOKS ports at most; the next to the same group goes on
 * where it ended.  When searches for one destination have found nothing all around the
 * range, it is known to be full, and a search costs nothing until a port becomes free;
 * that one is then looked at first.
 *
 * Where several cores share a device, only ports count whose replies reach this core (struct
 * rss_ports): they are computed, not tried, and each is one core's only.
 */
#pragma once

#include "base/siphash.h"
#include "core/demux.h"
#include "core/rss.h"

#define PORT_LOOKS  256u
#define PORT_GROUPS 256u

/* Destinations whose keyed hash falls together. */
struct port_group {
	uint32_t next;        /* offset into what there is of the next to look at */
	uint32_t who;         /* the destination that was searched for last    */
	uint32_t left;        /* ... and how many it has not looked at since one was free;
	                       * PORT_ALL: no search was in vain               */
};

#define PORT_ALL UINT32_MAX

struct port_table {
	struct hashmap bound; /* port -> socket number                         */
	struct siphash_key key;
	uint32_t counter;     /* moves on with every port chosen for bind()    */
	uint16_t lo, hi;      /* the ephemeral range, inclusive                */
	uint16_t core, cores; /* for bind(): of ports no device decides about  */
	uint64_t looks;       /* ports looked at for connections, ever         */
	struct port_group group[PORT_GROUPS];
};

bool port_table_init(struct port_table *p, struct region *mem, const struct siphash_key *secret,
                     uint32_t max_socks, uint16_t lo, uint16_t hi);

/* Another ephemeral range for what is chosen from now on; `hi` below `lo`: one port. */
void port_set_range(struct port_table *p, uint16_t lo, uint16_t hi);

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

/* A port of the range that nothing is bound to; 0: none left.  Of `cores` cores each takes
 * those of its own remainder first, so that they do not choose the same. */
uint16_t port_choose_bind(struct port_table *p);

/* Nothing has this tuple any more: its port may be free again to that destination.  `own`: as
 * it was chosen with. */
void port_freed(struct port_table *p, const struct rss_ports *own, const struct tcp_tuple *t);

/* Fills in t->lport so that nothing in `d` has this tuple and replies reach the core of `own`
 * (NULL: any port does); false: none was found among PORT_LOOKS, or none is left. */
bool port_choose_connect(struct port_table *p, const struct rss_ports *own, const struct demux *d,
                         struct tcp_tuple *t, uint32_t *hash);
