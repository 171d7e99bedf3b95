/* SPDX-License-Identifier: BSD-3-Clause */
/* The table's values are a pool's index with the kind in the two lowest bits. */

#include "core/demux.h"

#include "tcp/tcp_rare.h"

#define RECENT_MAX  16384u /* 64 KB: what a core's cache can spare */
#define OPENING_MAX 4096u

/* For so many numbers at least; the upper bits of a hash from *shift on choose one. */
static uint32_t *
places(struct region *mem, uint32_t n, uint32_t *shift)
{
	n = pow2_at_least(max(n, 2u));
	*shift = 64 - (unsigned)__builtin_ctz(n);
	return region_take(mem, n * sizeof(uint32_t));
}

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
	d->recent = places(mem, min(conns->max, RECENT_MAX), &d->recent_shift);
	d->opening = places(mem, min(reqs->max, OPENING_MAX), &d->opening_shift);
	return hashmap_init(&d->map, mem, conns->max + reqs->max + tws->max) && d->recent &&
	       d->opening;
}

/* ------------------------------------------------------- who was found last -- */

/* The name as two numbers, whatever their byte order. */
struct name {
	uint64_t addrs;
	uint32_t ports;
};

static inline uint64_t
name_addrs(const uint8_t *remote, const uint8_t *local)
{
	uint32_t r, l;

	memcpy(&r, remote, sizeof r);
	memcpy(&l, local, sizeof l);
	return (uint64_t)r << 32 | l;
}

static inline struct name
name_in_frame(const uint8_t *f)
{
	uint32_t ports = (uint32_t)get_be16(f + 8) << 16 | get_be16(f + 10);

	return (struct name){ name_addrs(f, f + 4), ports };
}

static inline struct name
name_of(const struct tcp_tuple *t)
{
	return (struct name){ name_addrs(t->remote.b + 12, t->local.b + 12),
		              (uint32_t)t->rport << 16 | t->lport };
}

/* Odd numbers without a pattern: the upper bits of the product depend on all of the name. */
static inline uint32_t
place_of(struct name n, uint32_t shift)
{
	uint64_t h = n.addrs ^ n.ports * UINT64_C(0x9e3779b97f4a7c15);

	return (uint32_t)(h * UINT64_C(0xbf58476d1ce4e5b9) >> shift);
}

static inline bool
is_v4(const struct ip_addr *a)
{
	return (get_be64(a->b) | (get_be32(a->b + 8) ^ 0xffffu)) == 0;
}

static inline bool
is_called(const struct tcp_tuple *t, struct name n)
{
	struct name its = name_of(t);

	return its.ports == n.ports && its.addrs == n.addrs &&
	       likely(is_v4(&t->remote) && is_v4(&t->local));
}

struct tcp_conn *
demux_recent(const struct demux *d, const uint8_t *name)
{
	struct name n = name_in_frame(name);
	uint32_t v = d->recent[place_of(n, d->recent_shift)];
	struct tcp_conn *c;

	if (v == 0)
		return NULL;
	c = pool_at(d->conns, v - 1);
	return c->in_use == TCP_CONN_IN_USE && is_called(tcp_name(c), n) ? c : NULL;
}

/* By the last 32 bits of its addresses it is where demux_remember() has put it. */
struct tcp_conn *
demux_recent6(const struct demux *d, const uint8_t *name)
{
	struct name n = { name_addrs(name + 12, name + 28),
		          (uint32_t)get_be16(name + 32) << 16 | get_be16(name + 34) };
	uint32_t v = d->recent[place_of(n, d->recent_shift)];
	const struct tcp_tuple *t;
	struct tcp_conn *c;

	if (v == 0)
		return NULL;
	c = pool_at(d->conns, v - 1);
	if (c->in_use != TCP_CONN_IN_USE)
		return NULL;
	t = tcp_name(c);
	return name_of(t).ports == n.ports && memcmp(t->remote.b, name, 16) == 0 &&
	               memcmp(t->local.b, name + 16, 16) == 0
	           ? c
	           : NULL;
}

void
demux_remember(struct demux *d, const struct tcp_conn *c)
{
	d->recent[place_of(name_of(tcp_name(c)), d->recent_shift)] = pool_index(d->conns, c) + 1;
}

struct tcp_req *
demux_opening(const struct demux *d, const uint8_t *name)
{
	struct name n = name_in_frame(name);
	uint32_t v = d->opening[place_of(n, d->opening_shift)];
	struct tcp_req *r = v ? pool_at(d->reqs, v - 1) : NULL;

	return r && is_called(&r->tuple, n) ? r : NULL;
}

void
demux_open(struct demux *d, const struct tcp_req *r)
{
	d->opening[place_of(name_of(&r->tuple), d->opening_shift)] = pool_index(d->reqs, r) + 1;
}

void
demux_opened(struct demux *d, const struct tcp_req *r)
{
	uint32_t *at = &d->opening[place_of(name_of(&r->tuple), d->opening_shift)];

	if (*at == pool_index(d->reqs, r) + 1)
		*at = 0;
}

/* ------------------------------------------------------------- the table -- */

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
		return tcp_name(obj);
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
demux_replace(struct demux *d, enum demux_kind kind, const void *obj, enum demux_kind by_kind,
              const void *by, uint32_t hash)
{
	bool there = hashmap_replace(&d->map, hash, value_of(d, kind, obj),
	                             value_of(d, by_kind, by));

	assert(there);
	(void)there;
}

void
demux_del(struct demux *d, enum demux_kind kind, void *obj, uint32_t hash)
{
	bool there = hashmap_del(&d->map, hash, value_of(d, kind, obj));

	assert(there);
	(void)there;
}
