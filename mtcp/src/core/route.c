/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Sorted runs: by length, longest first, and by prefix within a length.  All
 * order is kept on insertion, so a lookup is a few binary searches.
 */
#include "core/route.h"

/* An address as the two numbers it is compared by: what leaves looks for its route each time. */
struct words {
	uint64_t hi, lo;
};

static inline struct words
words_of(const struct ip_addr *a)
{
	return (struct words){ get_be64(a->b), get_be64(a->b + 8) };
}

/* Clears what stands behind the first `len` bits, 0 to 128. */
static inline struct words
masked(struct words w, uint32_t len)
{
	if (likely(len > 64))
		return (struct words){ w.hi, w.lo & ~UINT64_C(0) << (128 - len) };
	return (struct words){ len ? w.hi & ~UINT64_C(0) << (64 - len) : 0, 0 };
}

static inline bool
is_before(struct words a, struct words b)
{
	return a.hi != b.hi ? a.hi < b.hi : a.lo < b.lo;
}

/* Where `prefix` stands in the run, or would. */
static uint32_t
search(const struct route_table *t, const struct route_run *u, struct words prefix)
{
	uint32_t lo = u->first, hi = u->first + (uint32_t)u->n;

	while (lo < hi) {
		uint32_t mid = (lo + hi) / 2;

		if (is_before(words_of(&t->route[mid].prefix), prefix))
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo;
}

static bool
stands_at(const struct route_table *t, const struct route_run *u, uint32_t at,
          struct words prefix)
{
	struct words w;

	if (at >= u->first + (uint32_t)u->n)
		return false;
	w = words_of(&t->route[at].prefix);
	return w.hi == prefix.hi && w.lo == prefix.lo;
}

/* The run of this length, made (empty) if there is none. */
static uint32_t
run_of(struct route_table *t, uint8_t len)
{
	uint32_t i = 0;

	while (i < t->n_runs && t->run[i].len > len)
		i++;
	if (i < t->n_runs && t->run[i].len == len)
		return i;
	memmove(&t->run[i + 1], &t->run[i], (t->n_runs - i) * sizeof t->run[0]);
	t->run[i].first = i == 0 ? 0 : (uint16_t)(t->run[i - 1].first + t->run[i - 1].n);
	t->run[i].n = 0;
	t->run[i].len = len;
	t->n_runs++;
	return i;
}

static bool
same_family(const struct route *r, const struct ip_addr *a)
{
	bool v4 = ip_addr_is_v4(&r->prefix) && r->len >= ROUTE_V4;

	return ip_addr_is_any(a) || ip_addr_is_v4(a) == v4;
}

/* Only a mapped prefix of at least 96 bits is IPv4's; a shorter one says something about IPv6
 * that nobody meant. */
static bool
is_sane(const struct route *r)
{
	if (r->len > ROUTE_BITS || (r->len < ROUTE_V4 && ip_addr_is_v4(&r->prefix)))
		return false;
	return same_family(r, &r->gateway) && same_family(r, &r->src);
}

enum route_error
route_insert(struct route_table *t, const struct route *r)
{
	struct words prefix;
	struct route copy = *r;
	uint32_t i, at;

	if (!is_sane(r))
		return ROUTE_BAD;
	if (t->n == ROUTE_MAX)
		return ROUTE_FULL;
	prefix = masked(words_of(&r->prefix), r->len);
	put_be64(copy.prefix.b, prefix.hi);
	put_be64(copy.prefix.b + 8, prefix.lo);
	i = run_of(t, r->len);
	at = search(t, &t->run[i], prefix);
	if (stands_at(t, &t->run[i], at, prefix))
		return ROUTE_EXISTS;
	memmove(&t->route[at + 1], &t->route[at], (t->n - at) * sizeof t->route[0]);
	t->route[at] = copy;
	t->n++;
	t->run[i].n++;
	while (++i < t->n_runs)
		t->run[i].first++;
	return ROUTE_OK;
}

/* As search(), but only for what is there. */
static inline const struct route *
find(const struct route_table *t, const struct route_run *u, struct words prefix)
{
	uint32_t lo = u->first, hi = u->first + (uint32_t)u->n;

	while (lo < hi) {
		uint32_t mid = (lo + hi) / 2;
		struct words at = words_of(&t->route[mid].prefix);

		if (at.hi == prefix.hi && at.lo == prefix.lo)
			return &t->route[mid];
		if (is_before(at, prefix))
			lo = mid + 1;
		else
			hi = mid;
	}
	return NULL;
}

void
route_init(struct route_table *t)
{
	t->n = t->n_runs = 0;
}

const struct route *
route_lookup(const struct route_table *t, const struct ip_addr *dst)
{
	uint32_t least = ip_addr_is_v4(dst) ? ROUTE_V4 : 0;
	struct words to = words_of(dst);

	for (uint32_t i = 0; i < t->n_runs && t->run[i].len >= least; i++) {
		const struct route *r = find(t, &t->run[i], masked(to, t->run[i].len));

		if (r)
			return r;
	}
	return NULL;
}
