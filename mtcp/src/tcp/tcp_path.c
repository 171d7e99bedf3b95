/* SPDX-License-Identifier: BSD-3-Clause */
/* A set-associative table: where an address may stand its hash says, and peers do
 * not know the key of the hash. */

#include "tcp/tcp_path.h"

#define WAYS 4u

bool
tcp_paths_init(struct tcp_paths *p, struct region *mem, const struct siphash_key *key, uint32_t n)
{
	uint32_t size = WAYS;

	*p = (struct tcp_paths){ .n = 0 };
	if (n == 0)
		return true;
	while (size < n)
		size *= 2;
	p->path = region_take(mem, size * sizeof *p->path);
	if (!p->path)
		return false;
	p->n = size;
	p->key.k0 = siphash24(key, "paths 0", 7);
	p->key.k1 = siphash24(key, "paths 1", 7);
	return true;
}

static struct tcp_path *
set_of(const struct tcp_paths *p, const struct ip_addr *ip)
{
	uint64_t h = siphash13(&p->key, ip->b, sizeof ip->b);

	return &p->path[(h & (p->n / WAYS - 1)) * WAYS];
}

struct tcp_path *
tcp_path_find(struct tcp_paths *p, const struct ip_addr *ip, int64_t now)
{
	struct tcp_path *set;

	if (!p->learned)
		return NULL;
	set = set_of(p, ip);
	for (unsigned i = 0; i < WAYS; i++) {
		if (!ip_addr_eq(&set[i].ip, ip))
			continue;
		set[i].used_at = now;
		return &set[i];
	}
	return NULL;
}

struct tcp_path *
tcp_path_get(struct tcp_paths *p, const struct ip_addr *ip, int64_t now)
{
	struct tcp_path *found = tcp_path_find(p, ip, now), *set, *oldest;

	if (found || p->n == 0)
		return found;
	p->learned = true;
	oldest = set = set_of(p, ip);
	for (unsigned i = 1; i < WAYS; i++) {
		if (set[i].used_at < oldest->used_at)
			oldest = &set[i];
	}
	*oldest = (struct tcp_path){ .ip = *ip, .used_at = now };
	return oldest;
}
