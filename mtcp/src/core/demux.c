/* SPDX-License-Identifier: BSD-3-Clause */
/* The table's values are a pool's index with the kind in the two lowest bits. */

#include "core/demux.h"

bool
demux_init(struct demux *d, struct region *mem, const struct siphash_key *secret,
           const struct pool *conns, const struct pool *reqs, const struct pool *tws)
{
	d->conns = conns;
	d->reqs = reqs;
	d->tws = tws;
	/* Not the key of sequence numbers: what one leaks must not help the other. */
	d->key.k0 = siphash24(secret, "demux 0", 7);
	d->key.k1 = siphash24(secret, "demux 1", 7);
	return hashmap_init(&d->map, mem, conns->max + reqs->max + tws->max);
}

/* Of two IPv4 addresses only what differs: a third of the bytes, in less than half the time.
 * SipHash ends with the length of its input, so no tuple of IPv6 looks like one of these. */
uint32_t
demux_hash(const struct demux *d, const struct tcp_tuple *t)
{
	uint8_t in[12];

	static_assert(sizeof *t == 36, "a tuple has no padding");
	if (unlikely(!ip_addr_is_v4(&t->local) || !ip_addr_is_v4(&t->remote)))
		return (uint32_t)siphash13(&d->key, t, sizeof *t);
	memcpy(in, t->local.b + 12, 4);
	memcpy(in + 4, t->remote.b + 12, 4);
	memcpy(in + 8, &t->lport, 2);
	memcpy(in + 10, &t->rport, 2);
	return (uint32_t)siphash13_12(&d->key, in);
}

static const struct pool *
pool_of(const struct demux *d, enum demux_kind kind)
{
	return kind == DEMUX_CONN ? d->conns : kind == DEMUX_REQ ? d->reqs : d->tws;
}

static uint32_t
value_of(const struct demux *d, enum demux_kind kind, const void *obj)
{
	return pool_index(pool_of(d, kind), obj) << 2 | kind;
}

static const struct tcp_tuple *
tuple_of(enum demux_kind kind, const void *obj)
{
	if (kind == DEMUX_CONN)
		return &((const struct tcp_conn *)obj)->tuple;
	if (kind == DEMUX_REQ)
		return &((const struct tcp_req *)obj)->tuple;
	return &((const struct tcp_tw *)obj)->tuple;
}

enum demux_kind
demux_find(const struct demux *d, const struct tcp_tuple *t, uint32_t hash, void **found)
{
	uint32_t v;

	for (uint32_t i = hashmap_first(&d->map, hash); hashmap_next(&d->map, hash, &i, &v);) {
		enum demux_kind kind = v & 3;
		void *obj = pool_at(pool_of(d, kind), v >> 2);

		if (memcmp(tuple_of(kind, obj), t, sizeof *t) == 0) {
			*found = obj;
			return kind;
		}
	}
	*found = NULL;
	return DEMUX_NONE;
}

bool
demux_add(struct demux *d, enum demux_kind kind, void *obj, uint32_t hash)
{
	return hashmap_add(&d->map, hash, value_of(d, kind, obj));
}

void
demux_del(struct demux *d, enum demux_kind kind, void *obj, uint32_t hash)
{
	bool there = hashmap_del(&d->map, hash, value_of(d, kind, obj));

	assert(there);
	(void)there;
}
