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
	p->core = 0;
	p->cores = 1;
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
		p->group[i].left = PORT_ALL; /* nobody has looked at these */
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
		p->group[i].left = PORT_ALL; /* free to everybody */
}

bool
port_is_bound(const struct port_table *p, uint16_t port)
{
	uint32_t s, i = port_first(p, port);

	return port_next(p, port, &i, &s);
}

/* One that is free among those of the range that have remainder p->core, or among all. */
static uint16_t
choose_bind(struct port_table *p, bool all)
{
	uint32_t first = p->counter % range(p);

	for (uint32_t n = 0; n < range(p); n++) {
		uint16_t port = (uint16_t)(p->lo + (first + n) % range(p));

		p->counter++;
		if ((all || port % p->cores == p->core) && !port_is_bound(p, port))
			return port;
	}
	return 0;
}

uint16_t
port_choose_bind(struct port_table *p)
{
	uint16_t port = choose_bind(p, p->cores == 1);

	return port || p->cores == 1 ? port : choose_bind(p, true);
}

/* How many ports there are to look at; with `own`, some of them may be none. */
static uint32_t
space(const struct port_table *p, const struct rss_ports *own)
{
	return own ? rss_ports_count(own, p->lo, p->hi) : range(p);
}

/* What the device makes of a reply, but for the local port. */
static uint32_t
steered(const struct rss_ports *own, const struct tcp_tuple *t)
{
	return own ? rss_hash(own->rss, &t->remote, &t->local, t->rport, 0) : 0;
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
port_freed(struct port_table *p, const struct rss_ports *own, const struct tcp_tuple *t)
{
	uint32_t who, n = (uint32_t)t->lport - p->lo, all = space(p, own);
	struct port_group *g;

	if (t->lport < p->lo || t->lport > p->hi)
		return;
	g = group_of(p, t, &who);
	if (g->who != who || g->left == PORT_ALL)
		return;
	if (own && !rss_ports_number(own, steered(own, t), p->lo, t->lport, &n))
		return;
	g->next = (n + all - who % all) % all;
	g->left = PORT_ALL;
}

/* Number `n` of what there is. */
static bool
nth_port(const struct port_table *p, const struct rss_ports *own, uint32_t hash, uint32_t n,
         uint16_t *port)
{
	*port = (uint16_t)(p->lo + n);
	return !own || rss_ports_nth(own, hash, p->lo, p->hi, n, port);
}

bool
port_choose_connect(struct port_table *p, const struct rss_ports *own, const struct demux *d,
                    struct tcp_tuple *t, uint32_t *hash)
{
	uint32_t who, looks, all = space(p, own), reply = steered(own, t);
	struct port_group *g = group_of(p, t, &who);
	void *found;

	if (g->who != who)
		g->left = PORT_ALL;
	g->who = who;
	g->left = min(g->left, all);
	looks = min(g->left, PORT_LOOKS);
	for (uint32_t n = 0; n < looks; n++) {
		uint32_t at = (uint32_t)(((uint64_t)who + g->next) % all);

		p->looks++;
		g->next = (g->next + 1) % all;
		if (!nth_port(p, own, reply, at, &t->lport))
			continue;
		*hash = demux_hash(d, t);
		if (!port_is_bound(p, t->lport) && demux_find(d, t, *hash, &found) == DEMUX_NONE) {
			g->left = PORT_ALL;
			return true;
		}
	}
	g->left -= looks;
	return false;
}
