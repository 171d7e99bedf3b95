/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * From the four numbers of a segment to who it is for: a connection, a
 * half-open record or a TIME-WAIT record, in one table.  The hash is keyed, so
 * that peers cannot choose collisions.
 */
#pragma once

#include "base/hashmap.h"
#include "tcp/tcp_listen.h"
#include "tcp/tcp_tw.h"

enum demux_kind { DEMUX_NONE, DEMUX_CONN, DEMUX_REQ, DEMUX_TW };

struct demux {
	struct hashmap map;
	struct siphash_key key;
	const struct pool *conns, *reqs, *tws;
	uint32_t *recent; /* connections that were found last, pool index + 1; or 0 */
	uint32_t *opening; /* the same of half-open records                        */
	uint32_t recent_shift, opening_shift;
};

bool demux_init(struct demux *d, struct region *mem, const struct siphash_key *secret,
                const struct pool *conns, const struct pool *reqs, const struct pool *tws);

uint32_t demux_hash(const struct demux *d, const struct tcp_tuple *t);

/* Whose tuple it is; *found points to it. */
enum demux_kind demux_find(const struct demux *d, const struct tcp_tuple *t, uint32_t hash,
                           void **found);

/*
 * Most segments are for a connection that had one lately, and need no keyed hash to be found: it
 * is remembered by a cheap one.  Whoever makes connections collide there pushes others
 * out, and these are found as ever.  `name` is how a frame of IPv4 names it: the peer's address,
 * ours, the peer's port and ours, 12 bytes.  NULL: not remembered.
 */
struct tcp_conn *demux_recent(const struct demux *d, const uint8_t *name);

/* The same for a frame of IPv6: its addresses, 16 bytes each, and ports. */
struct tcp_conn *demux_recent6(const struct demux *d, const uint8_t *name);

/* demux_find() has found it. */
void demux_remember(struct demux *d, const struct tcp_conn *c);

/* The same for half-open records, from their SYN until they are forgotten, which they have to be
 * before they go. */
struct tcp_req *demux_opening(const struct demux *d, const uint8_t *name);
void demux_open(struct demux *d, const struct tcp_req *r);
void demux_opened(struct demux *d, const struct tcp_req *r);

/* Somebody of this hash is looked for before long. */
static inline void
demux_expect(const struct demux *d, uint32_t hash)
{
	__builtin_prefetch(&d->map.slot[hashmap_first(&d->map, hash)]);
}

/* False when the table is full. */
bool demux_add(struct demux *d, enum demux_kind kind, void *obj, uint32_t hash);
/* `by` stands where `obj` stood: it has the same name. */
void demux_replace(struct demux *d, enum demux_kind kind, const void *obj, enum demux_kind by_kind,
                   const void *by, uint32_t hash);
void demux_del(struct demux *d, enum demux_kind kind, void *obj, uint32_t hash);
