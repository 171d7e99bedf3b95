/* SPDX-License-Identifier: BSD-3-Clause */
/* Each bit of the input that is set adds the 32 bits of the key that stand at its
 * place: a product of polynomials without carries. */
#include "core/rss.h"

#include "base/be.h"

#define TUPLE6_LEN 36u
#define PORT6_AT   34u /* where the destination port stands in it */

const uint8_t rss_default_key[RSS_KEY_LEN] = {
	0x6d, 0x5a, 0x56, 0xda, 0x25, 0x5b, 0x0e, 0xc2, 0x41, 0x67, 0x25, 0x3d, 0x43, 0xa3,
	0x8f, 0xb0, 0xd0, 0xca, 0x2b, 0xcb, 0xae, 0x7b, 0x30, 0xb4, 0x77, 0xcb, 0x2d, 0xa3,
	0x80, 0x30, 0xf2, 0x0c, 0x6a, 0x42, 0xb7, 0x3b, 0xbe, 0xac, 0x01, 0xfa,
};

uint32_t
rss_toeplitz(const uint8_t key[RSS_KEY_LEN], const uint8_t *data, size_t len)
{
	uint64_t window = (uint64_t)get_be32(key) << 32;
	uint32_t hash = 0;

	assert(len <= RSS_KEY_LEN - 4);
	for (size_t i = 0; i < len; i++) {
		window |= (uint64_t)key[i + 4] << 24;
		for (int bit = 7; bit >= 0; bit--) {
			if (data[i] >> bit & 1)
				hash ^= (uint32_t)(window >> 32);
			window <<= 1;
		}
	}
	return hash;
}

uint32_t
rss_hash_tcp4(const uint8_t key[RSS_KEY_LEN], uint32_t src, uint32_t dst, uint16_t sport,
              uint16_t dport)
{
	uint8_t tuple[12];

	put_be32(tuple, src);
	put_be32(tuple + 4, dst);
	put_be16(tuple + 8, sport);
	put_be16(tuple + 10, dport);
	return rss_toeplitz(key, tuple, sizeof tuple);
}

/* One bit after the other, each without what those before can do. */
bool
rss_key_is_good(const uint8_t key[RSS_KEY_LEN])
{
	uint32_t by_lead[RSS_INDEX_BITS] = { 0 };

	for (unsigned bit = 0; bit < RSS_INDEX_BITS; bit++) {
		uint32_t place = rss_hash_tcp4(key, 0, 0, 0, (uint16_t)(1u << bit)) & (RSS_TABLE_MAX - 1);
		unsigned lead = 0;

		while (place && by_lead[lead = 31u - (unsigned)__builtin_clz(place)])
			place ^= by_lead[lead];
		if (!place)
			return false;
		by_lead[lead] = place;
	}
	return true;
}

/* ------------------------------------------------------------ a flow's core -- */

/* The hash is linear: a byte adds what its bits add. */
static void
fill_part(uint32_t part[256], const uint8_t key[RSS_KEY_LEN], unsigned at)
{
	part[0] = 0;
	for (unsigned v = 1; v < 256; v++) {
		uint8_t tuple[TUPLE6_LEN] = { 0 };
		unsigned lowest = v & -v;

		tuple[at] = (uint8_t)v;
		part[v] = v == lowest ? rss_toeplitz(key, tuple, at + 1)
		                      : part[v - lowest] ^ part[lowest];
	}
}

bool
rss_init(struct rss *r, const uint8_t key[RSS_KEY_LEN], const uint16_t *table, unsigned size)
{
	if (size == 0 || size > RSS_TABLE_MAX || (size & (size - 1)) != 0)
		return false;
	for (unsigned i = 0; i < size; i++)
		if (table[i] > UINT8_MAX)
			return false;
	memcpy(r->key, key, sizeof r->key);
	r->mask = size - 1;
	for (unsigned i = 0; i < size; i++)
		r->core[i] = to_u8(table[i]);
	for (unsigned i = 0; i < array_len(r->part); i++)
		fill_part(r->part[i], key, i);
	for (unsigned i = 0; i < array_len(r->port6); i++)
		fill_part(r->port6[i], key, PORT6_AT + i);
	return true;
}

/* What a number adds that stands in the tuple from byte `at` on. */
static inline uint32_t
part_of_16(const struct rss *r, unsigned at, uint32_t number)
{
	return r->part[at][number >> 8 & 255] ^ r->part[at + 1][number & 255];
}

static inline uint32_t
part_of_32(const struct rss *r, unsigned at, uint32_t number)
{
	return part_of_16(r, at, number >> 16) ^ part_of_16(r, at + 2, number);
}

/* The same for a destination port. */
static inline uint32_t
part_of_port(const struct rss_ports *p, uint16_t port)
{
	return p->part[0][port >> 8] ^ p->part[1][port & 255];
}

/* What the third and fourth byte of a link-local address say inside is not on the wire. */
static void
put_plain(uint8_t *to, const struct ip_addr *a)
{
	memcpy(to, a->b, sizeof a->b);
	if (a->b[0] == 0xfe && (a->b[1] & 0xc0) == 0x80)
		to[2] = to[3] = 0;
}

static uint32_t
hash6(const struct rss *r, const struct ip_addr *src, const struct ip_addr *dst, uint16_t sport,
      uint16_t dport)
{
	uint8_t tuple[TUPLE6_LEN];

	put_plain(tuple, src);
	put_plain(tuple + 16, dst);
	put_be16(tuple + 32, sport);
	put_be16(tuple + PORT6_AT, dport);
	return rss_toeplitz(r->key, tuple, sizeof tuple);
}

uint32_t
rss_hash(const struct rss *r, const struct ip_addr *src, const struct ip_addr *dst,
         uint16_t sport, uint16_t dport)
{
	if (!ip_addr_is_v4(src))
		return hash6(r, src, dst, sport, dport);
	return part_of_32(r, 0, ip_addr_v4_host(src)) ^ part_of_32(r, 4, ip_addr_v4_host(dst)) ^
	       part_of_16(r, 8, sport) ^ part_of_16(r, 10, dport);
}

/* ---------------------------------------------------- the ports of one core -- */

static uint16_t
places_of(struct rss_ports *p, const struct rss *r, unsigned core)
{
	for (unsigned i = 0; i <= r->mask; i++) {
		if (r->core[i] != core)
			continue;
		p->nth[i] = p->n_mine;
		p->mine[p->n_mine++] = to_u16(i);
	}
	return p->n_mine;
}

static uint16_t
lead_of(uint16_t v)
{
	return (uint16_t)(v ? 1u << (31 - __builtin_clz(v)) : 0);
}

/* The change of the port, among those known, that makes this change of place; false: none
 * does, and *place is what is left of it. */
static bool
solve(const struct rss_ports *p, uint16_t *place, uint16_t *port)
{
	for (unsigned i = 0; i < p->rank; i++) {
		if (!(*place & p->step[i].lead))
			continue;
		*place ^= p->step[i].place;
		*port ^= p->step[i].port;
	}
	return *place == 0;
}

/* Steps stay in the order of their highest bits, so that one walk solves. */
static void
add_step(struct rss_ports *p, uint16_t place, uint16_t port)
{
	unsigned i = p->rank++;

	for (; i > 0 && p->step[i - 1].place < place; i--)
		p->step[i] = p->step[i - 1];
	p->step[i].lead = lead_of(place);
	p->step[i].place = place;
	p->step[i].port = port;
}

/* Elimination by Gauss, a bit of the port at a time, from the lowest: what the bits below
 * can do already is a loose bit, else a step.  Loose bits above the last step only choose
 * among blocks. */
static void
eliminate(struct rss_ports *p)
{
	unsigned loose_below = 0;

	for (unsigned b = 0; b < 16; b++) {
		uint16_t place = p->column[b], port = (uint16_t)(1u << b);

		if (solve(p, &place, &port)) {
			p->loose_bit[p->n_loose] = to_u8(b);
			p->loose[p->n_loose++] = port;
			continue;
		}
		add_step(p, place, port);
		p->bits = to_u8(b + 1);
		loose_below = p->n_loose;
	}
	p->n_loose = to_u8(loose_below);
}

bool
rss_ports_init(struct rss_ports *p, const struct rss *r, unsigned core, bool v6)
{
	memset(p, 0, sizeof *p);
	p->rss = r;
	p->part = v6 ? r->port6 : &r->part[10];
	if (places_of(p, r, core) == 0)
		return false;
	for (unsigned b = 0; b < 16; b++)
		p->column[b] = (uint16_t)(part_of_port(p, (uint16_t)(1u << b)) & r->mask);
	eliminate(p);
	return p->rank > 0 || r->mask == 0;
}

/* Numbers of a block: for each place of ours, so many ports. */
static uint32_t
per_block(const struct rss_ports *p)
{
	return (uint32_t)p->n_mine << p->n_loose;
}

uint32_t
rss_ports_count(const struct rss_ports *p, uint16_t lo, uint16_t hi)
{
	return (((uint32_t)hi >> p->bits) - ((uint32_t)lo >> p->bits) + 1) * per_block(p);
}

bool
rss_ports_nth(const struct rss_ports *p, uint32_t hash, uint16_t lo, uint16_t hi, uint32_t n,
              uint16_t *port)
{
	uint32_t block = ((uint32_t)lo >> p->bits) + n / per_block(p), i = n % per_block(p);
	uint16_t base = (uint16_t)(block << p->bits), change = 0, place = p->mine[i % p->n_mine];
	uint32_t loose = i / p->n_mine;

	place ^= (uint16_t)((hash ^ part_of_port(p, base)) & p->rss->mask);
	if (!solve(p, &place, &change))
		return false;
	for (unsigned b = 0; loose; b++, loose >>= 1)
		if (loose & 1)
			change ^= p->loose[b];
	*port = base ^ change;
	return *port >= lo && *port <= hi;
}

bool
rss_ports_number(const struct rss_ports *p, uint32_t hash, uint16_t lo, uint16_t port, uint32_t *n)
{
	uint32_t place = (hash ^ part_of_port(p, port)) & p->rss->mask, loose = 0;

	if (p->mine[p->nth[place]] != place)
		return false;
	for (unsigned b = 0; b < p->n_loose; b++)
		loose |= (uint32_t)(port >> p->loose_bit[b] & 1) << b;
	*n = (((uint32_t)port >> p->bits) - ((uint32_t)lo >> p->bits)) * per_block(p) +
	     loose * p->n_mine + p->nth[place];
	return true;
}
