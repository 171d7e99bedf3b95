/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Sorted runs: by length, longest first, and by prefix within a length.  All
 * order is kept on insertion, so a lookup is a few binary searches.
 */
#include "core/route.h"

/* Clears what stands behind the first `len` bits. */
static struct ip_addr
masked(const struct ip_addr *a, uint32_t len)
{
	struct ip_addr m = *a;
	uint32_t whole = len / 8;

	if (whole == sizeof m.b)
		return m;
	m.b[whole] &= (uint8_t)(0xff00u >> len % 8);
	memset(m.b + whole + 1, 0, sizeof m.b - whole - 1);
	return m;
}

/* Where `prefix` stands in the run, or would. */
static uint32_t
search(const struct route_table *t, const struct route_run *u, const struct ip_addr *prefix)
{
	uint32_t lo = u->first, hi = u->first + (uint32_t)u->n;

	while (lo < hi) {
		uint32_t mid = (lo + hi) / 2;

		if (memcmp(t->route[mid].prefix.b, prefix->b, sizeof prefix->b) < 0)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo;
}

static bool
stands_at(const struct route_table *t, const struct route_run *u, uint32_t at,
          const struct ip_addr *prefix)
{
	return at < u->first + (uint32_t)u->n && ip_addr_eq(&t->route[at].prefix, prefix);
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
	struct route copy = *r;
	uint32_t i, at;

	if (!is_sane(r))
		return ROUTE_BAD;
	if (t->n == ROUTE_MAX)
		return ROUTE_FULL;
	copy.prefix = masked(&r->prefix, r->len);
	i = run_of(t, r->len);
	at = search(t, &t->run[i], &copy.prefix);
	if (stands_at(t, &t->run[i], at, &copy.prefix))
		return ROUTE_EXISTS;
	memmove(&t->route[at + 1], &t->route[at], (t->n - at) * sizeof t->route[0]);
	t->route[at] = copy;
	t->n++;
	t->run[i].n++;
	while (++i < t->n_runs)
		t->run[i].first++;
	return ROUTE_OK;
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

	for (uint32_t i = 0; i < t->n_runs && t->run[i].len >= least; i++) {
		struct ip_addr prefix = masked(dst, t->run[i].len);
		uint32_t at = search(t, &t->run[i], &prefix);

		if (stands_at(t, &t->run[i], at, &prefix))
			return &t->route[at];
	}
	return NULL;
}
