/* SPDX-License-Identifier: BSD-3-Clause */
/* The search for a free port looks at every one at most once. */

#include "core/port.h"

bool
port_table_init(struct port_table *p, struct region *mem, const struct siphash_key *secret,
                uint32_t max_socks, uint16_t lo, uint16_t hi)
{
	p->key.k0 = siphash24(secret, "ports 0", 7);
	p->key.k1 = siphash24(secret, "ports 1", 7);
	p->counter = (uint32_t)p->key.k1;
	p->lo = lo;
	p->hi = max(hi, lo);
	return hashmap_init(&p->bound, mem, max_socks);
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
}

bool
port_is_bound(const struct port_table *p, uint16_t port)
{
	uint32_t s, i = port_first(p, port);

	return port_next(p, port, &i, &s);
}

static uint32_t
range(const struct port_table *p)
{
	return (uint32_t)p->hi - p->lo + 1;
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

/* RFC 6056 3.3.3: offset = F(local, remote address and port, key), then the
 * next of a counter that all destinations share. */
bool
port_choose_connect(struct port_table *p, const struct demux *d, struct tcp_tuple *t,
                    uint32_t *hash)
{
	uint32_t first;
	void *found;

	t->lport = 0;
	first = ((uint32_t)siphash24(&p->key, t, sizeof *t) + p->counter) % range(p);
	for (uint32_t n = 0; n < range(p); n++) {
		p->counter++;
		t->lport = (uint16_t)(p->lo + (first + n) % range(p));
		*hash = demux_hash(d, t);
		if (!port_is_bound(p, t->lport) && demux_find(d, t, *hash, &found) == DEMUX_NONE)
			return true;
	}
	return false;
}
