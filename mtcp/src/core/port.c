/* SPDX-License-Identifier: BSD-3-Clause */
/* The search for a port to bind looks at every one at most once. */

#include "core/port.h"

static uint32_t
range(const struct port_table *p)
{
	return (uint32_t)p->hi - p->lo + 1;
}

bool
port_table_init(struct port_table *p, struct region *mem, const struct siphash_key *secret,
                uint32_t max_socks, uint16_t lo, uint16_t hi)
{
	p->key.k0 = siphash24(secret, "ports 0", 7);
	p->key.k1 = siphash24(secret, "ports 1", 7);
	p->counter = (uint32_t)p->key.k1;
	p->looks = 0;
	port_set_range(p, lo, hi);
	for (uint32_t i = 0; i < PORT_GROUPS; i++)
		p->group[i].next = (uint32_t)siphash24(&p->key, &i, sizeof i) % range(p);
	return hashmap_init(&p->bound, mem, max_socks);
}

void
port_set_range(struct port_table *p, uint16_t lo, uint16_t hi)
{
	p->lo = lo;
	p->hi = max(hi, lo);
	for (uint32_t i = 0; i < PORT_GROUPS; i++)
		p->group[i].left = range(p); /* nobody has looked at these */
}

bool
port_bind(struct port_table *p, uint16_t port, uint32_t sock)
{
	return hashmap_add(&p->bound, port * 0x9e3779b1u, sock);
}

void
port_unbind(struct port_table *p, uint16_t port, uint32_t sock)
{
	(void)hashmap_del(&p->bound, port * 0x9e3779b1u, sock);
	for (uint32_t i = 0; port >= p->lo && port <= p->hi && i < PORT_GROUPS; i++)
		p->group[i].left = range(p); /* free to everybody */
}

bool
port_is_bound(const struct port_table *p, uint16_t port)
{
	uint32_t s, i = port_first(p, port);

	return port_next(p, port, &i, &s);
}

uint16_t
port_choose_bind(struct port_table *p)
{
	uint32_t first = p->counter % range(p);

	for (uint32_t n = 0; n < range(p); n++) {
		uint16_t port = (uint16_t)(p->lo + (first + n) % range(p));

		p->counter++;
		if (!port_is_bound(p, port))
			return port;
	}
	return 0;
}

/* A destination's group and its number in it (RFC 6056 3.3.4: G and F, here two parts of one
 * keyed hash of everything but the local port). */
static struct port_group *
group_of(struct port_table *p, const struct tcp_tuple *t, uint32_t *who)
{
	struct tcp_tuple to = *t;
	uint64_t h;

	to.lport = 0;
	h = siphash24(&p->key, &to, sizeof to);
	*who = (uint32_t)h;
	return &p->group[h >> 32 & (PORT_GROUPS - 1)];
}

/* The first that becomes free to one who searched in vain is looked at first; those that
 * become free soon after it were mostly taken soon after it, too. */
void
port_freed(struct port_table *p, const struct tcp_tuple *t)
{
	uint32_t who;
	struct port_group *g;

	if (t->lport < p->lo || t->lport > p->hi)
		return;
	g = group_of(p, t, &who);
	if (g->who != who || g->left == range(p))
		return;
	g->next = ((uint32_t)t->lport - p->lo + range(p) - who % range(p)) % range(p);
	g->left = range(p);
}

bool
port_choose_connect(struct port_table *p, const struct demux *d, struct tcp_tuple *t,
                    uint32_t *hash)
{
	uint32_t who, looks;
	struct port_group *g = group_of(p, t, &who);
	void *found;

	if (g->who != who)
		g->left = range(p);
	g->who = who;
	looks = min(g->left, PORT_LOOKS);
	for (uint32_t n = 0; n < looks; n++) {
		p->looks++;
		t->lport = (uint16_t)(p->lo + (who % range(p) + g->next) % range(p));
		g->next = (g->next + 1) % range(p);
		*hash = demux_hash(d, t);
		if (!port_is_bound(p, t->lport) && demux_find(d, t, *hash, &found) == DEMUX_NONE) {
			g->left = range(p);
			return true;
		}
	}
	g->left -= looks;
	return false;
}
