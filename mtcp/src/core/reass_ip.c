/* SPDX-License-Identifier: BSD-3-Clause */
/* Fragments find their packet through their source's list, which is short since it is limited. */
#include "core/reass_ip.h"

bool
reass_ip_init(struct reass_ip *r, struct region *mem, struct tcp_env *env,
              const struct siphash_key *secret)
{
	*r = (struct reass_ip){ .env = env };
	r->key.k0 = siphash24(secret, "fragments 0", 11);
	r->key.k1 = siphash24(secret, "fragments 1", 11);
	list_init(&r->all);
	r->source = region_take(mem, REASS_IP_SOURCES * sizeof *r->source);
	return pool_init(&r->pkts, mem, sizeof(struct reass_ip_pkt), REASS_IP_PACKETS) &&
	       r->source;
}

/* ------------------------------------------------------------------ units -- */

static bool
bit_at(const uint64_t *bits, uint32_t n)
{
	return n < REASS_IP_UNITS && bits[n / 64] >> n % 64 & 1;
}

/* Those of a word that stand for units first .. end - 1. */
static uint64_t
mask_of(uint32_t word, uint32_t first, uint32_t end)
{
	uint32_t lo = max(first, word * 64) - word * 64, hi = min(end, word * 64 + 64) - word * 64;

	return (UINT64_MAX << lo) & (UINT64_MAX >> (64 - hi));
}

static bool
any_of(const uint64_t *bits, uint32_t first, uint32_t end)
{
	for (uint32_t w = first / 64; first < end && w <= (end - 1) / 64; w++)
		if (bits[w] & mask_of(w, first, end))
			return true;
	return false;
}

static bool
all_of(const uint64_t *bits, uint32_t first, uint32_t end)
{
	for (uint32_t w = first / 64; w <= (end - 1) / 64; w++)
		if (~bits[w] & mask_of(w, first, end))
			return false;
	return true;
}

static void
set_all(uint64_t *bits, uint32_t first, uint32_t end)
{
	for (uint32_t w = first / 64; w <= (end - 1) / 64; w++)
		bits[w] |= mask_of(w, first, end);
}

static uint32_t
units(uint32_t bytes)
{
	return (bytes + REASS_IP_UNIT - 1) / REASS_IP_UNIT;
}

/* ---------------------------------------------------------------- packets -- */

static struct reass_ip_source *
source_of(struct reass_ip *r, const struct reass_ip_key *k, uint16_t *number)
{
	uint64_t h = siphash24(&r->key, &k->src, sizeof k->src);

	*number = (uint16_t)(h % REASS_IP_SOURCES);
	if (unlikely(!r->in_use))
		for (unsigned i = 0; i < REASS_IP_SOURCES; i++)
			list_init(&r->source[i].pkts);
	r->in_use = true;
	return &r->source[*number];
}

static bool
same_key(const struct reass_ip_key *a, const struct reass_ip_key *b)
{
	return a->id == b->id && a->proto == b->proto && a->port == b->port && a->as == b->as &&
	       ip_addr_eq(&a->src, &b->src) && ip_addr_eq(&a->dst, &b->dst);
}

static struct reass_ip_pkt *
pkt_find(const struct reass_ip_source *s, const struct reass_ip_key *k)
{
	list_for_each(n, &s->pkts) {
		struct reass_ip_pkt *p = container_of(n, struct reass_ip_pkt, kin);

		if (same_key(&p->key, k))
			return p;
	}
	return NULL;
}

static void
chunks_free(struct reass_ip *r, struct reass_ip_pkt *p)
{
	for (unsigned i = 0; i < REASS_IP_PARTS; i++)
		if (p->part[i])
			chunk_list_put(&r->env->spare, p->part[i]);
	memset(p->part, 0, sizeof p->part);
	r->chunks -= p->chunks;
	r->source[p->source].chunks -= p->chunks;
	p->chunks = 0;
}

void
reass_ip_free(struct reass_ip *r, struct reass_ip_pkt *p)
{
	chunks_free(r, p);
	link_remove(&p->age);
	link_remove(&p->kin);
	r->source[p->source].n--;
	pool_put(&r->pkts, p);
}

/* The oldest that is not `but`; false: there is no other. */
static bool
make_room(struct reass_ip *r, struct link *first, const struct list *end, size_t link_at,
          const struct reass_ip_pkt *but)
{
	struct reass_ip_pkt *p;

	for (; first != &end->head; first = first->next) {
		p = (struct reass_ip_pkt *)(void *)((uint8_t *)first - link_at);
		if (p == but)
			continue;
		r->given_up += !p->spoilt;
		reass_ip_free(r, p);
		return true;
	}
	return false;
}

static bool
room_by_source(struct reass_ip *r, struct reass_ip_source *s, const struct reass_ip_pkt *but)
{
	return make_room(r, s->pkts.head.next, &s->pkts, offsetof(struct reass_ip_pkt, kin), but);
}

static bool
room_by_any(struct reass_ip *r, const struct reass_ip_pkt *but)
{
	return make_room(r, r->all.head.next, &r->all, offsetof(struct reass_ip_pkt, age), but);
}

static struct reass_ip_pkt *
pkt_new(struct reass_ip *r, struct reass_ip_source *s, uint16_t number,
        const struct reass_ip_key *k, int64_t now)
{
	struct reass_ip_pkt *p;

	if (s->n >= REASS_IP_SRC_PACKETS)
		(void)room_by_source(r, s, NULL);
	if (r->pkts.used == r->pkts.max)
		(void)room_by_any(r, NULL);
	if (!(p = pool_get(&r->pkts)))
		return NULL;
	memset(p, 0, sizeof *p);
	p->key = *k;
	p->source = number;
	p->until = now + REASS_IP_NS;
	list_push_back(&r->all, &p->age);
	list_push_back(&s->pkts, &p->kin);
	s->n++;
	return p;
}

/* ----------------------------------------------------------------- chunks -- */

/* What others need comes first: nothing is put together while memory is scarce. */
static struct chunk *
chunk_for(struct reass_ip *r, struct reass_ip_pkt *p)
{
	struct reass_ip_source *s = &r->source[p->source];
	struct chunk *k;

	if (s->chunks >= REASS_IP_SRC_CHUNKS && !room_by_source(r, s, p))
		return NULL;
	if (r->chunks >= REASS_IP_CHUNKS && !room_by_any(r, p))
		return NULL;
	if (tcp_mem_level(r->env) == TCP_MEM_SCARCE || !(k = tcp_chunk_get(r->env)))
		return NULL;
	p->chunks++;
	s->chunks++;
	r->chunks++;
	return k;
}

static bool
chunks_want(struct reass_ip *r, struct reass_ip_pkt *p, uint32_t off, uint32_t len)
{
	for (uint32_t i = off / REASS_IP_PART; i <= (off + len - 1) / REASS_IP_PART; i++)
		if (!p->part[i] && !(p->part[i] = chunk_for(r, p)))
			return false;
	return true;
}

static void
store(struct reass_ip_pkt *p, uint32_t off, const uint8_t *data, uint32_t len)
{
	while (len > 0) {
		uint32_t at = off % REASS_IP_PART, n = min(len, REASS_IP_PART - at);

		memcpy(p->part[off / REASS_IP_PART]->data + at, data, n);
		off += n;
		data += n;
		len -= n;
	}
}

void
reass_ip_copy(const struct reass_ip_pkt *p, uint8_t *to, uint32_t len)
{
	for (uint32_t off = 0; off < len; off += REASS_IP_PART)
		memcpy(to + off, p->part[off / REASS_IP_PART]->data, min(len - off, REASS_IP_PART));
}

/* -------------------------------------------------------------- fragments -- */

/* RFC 8200 4.5: all but the last are multiples of 8 bytes, and nothing reaches beyond what a length
 * can say. */
static bool
can_be(const struct reass_ip_frag *f)
{
	if (f->len == 0 || (f->more && f->len % REASS_IP_UNIT != 0) || f->off % REASS_IP_UNIT != 0)
		return false;
	return f->off <= REASS_IP_MAX && f->len <= REASS_IP_MAX - f->off &&
	       (f->off > 0 || f->head_len <= REASS_IP_HEAD);
}

/* Exactly this one came before. */
static bool
came_before(const struct reass_ip_pkt *p, const struct reass_ip_frag *f)
{
	uint32_t first = f->off / REASS_IP_UNIT, end = units(f->off + f->len);
	bool last = p->end && f->off + f->len == p->end;

	return f->more != last && bit_at(p->begins, first) && all_of(p->there, first, end) &&
	       !any_of(p->begins, first + 1, end) &&
	       (last || bit_at(p->begins, end) || !bit_at(p->there, end)) &&
	       (last || (f->off + f->len) % REASS_IP_UNIT == 0);
}

/* It does not fit to what has come. */
static bool
contradicts(const struct reass_ip_pkt *p, const struct reass_ip_frag *f)
{
	uint32_t end = f->off + f->len;

	if (any_of(p->there, f->off / REASS_IP_UNIT, units(end)))
		return true;
	if (p->end && end > p->end)
		return true;
	return !f->more && (p->end || p->top > end);
}

static enum reass_ip_answer
spoil(struct reass_ip *r, struct reass_ip_pkt *p)
{
	chunks_free(r, p);
	p->spoilt = true;
	return REASS_IP_OVERLAP;
}

static void
note(struct reass_ip_pkt *p, const struct reass_ip_frag *f)
{
	uint32_t first = f->off / REASS_IP_UNIT, end = f->off + f->len;

	set_all(p->there, first, units(end));
	set_all(p->begins, first, first + 1);
	p->got += f->len;
	p->top = max(p->top, end);
	p->ecn |= (uint8_t)(1u << (f->ecn & 3));
	if (!f->more)
		p->end = end;
	if (f->off == 0) {
		memcpy(p->head, f->head, f->head_len);
		p->head_len = f->head_len;
	}
}

enum reass_ip_answer
reass_ip_in(struct reass_ip *r, const struct reass_ip_frag *f, int64_t now,
            struct reass_ip_pkt **whole)
{
	struct reass_ip_source *s;
	struct reass_ip_pkt *p;
	uint16_t number;

	if (!can_be(f))
		return REASS_IP_BAD;
	s = source_of(r, &f->key, &number);
	p = pkt_find(s, &f->key);
	if (!p && !(p = pkt_new(r, s, number, &f->key, now)))
		return REASS_IP_NO_ROOM;
	if (p->spoilt)
		return REASS_IP_OVERLAP;
	if (came_before(p, f))
		return REASS_IP_AGAIN;
	if (contradicts(p, f))
		return spoil(r, p);
	if (!chunks_want(r, p, f->off, f->len))
		return REASS_IP_NO_ROOM;
	store(p, f->off, f->data, f->len);
	note(p, f);
	if (!p->end || p->got < p->end)
		return REASS_IP_KEPT;
	*whole = p;
	return REASS_IP_WHOLE;
}

uint32_t
reass_ip_first(const struct reass_ip_pkt *p, uint32_t most)
{
	uint32_t n = 0;

	while (n < most && bit_at(p->there, n / REASS_IP_UNIT))
		n += REASS_IP_UNIT;
	return min(min(n, most), p->top);
}

int
reass_ip_ecn(const struct reass_ip_pkt *p)
{
	bool ce = p->ecn & 1u << 3, not_ect = p->ecn & 1u << 0;

	if (ce)
		return not_ect ? -1 : 3;
	if (p->ecn & (p->ecn - 1)) /* several: what a mark could not have been made of */
		return not_ect ? 0 : 2;
	return __builtin_ctz(p->ecn);
}

struct reass_ip_pkt *
reass_ip_late(struct reass_ip *r, int64_t now)
{
	struct link *n = list_first(&r->all);
	struct reass_ip_pkt *p;

	if (!n || (p = container_of(n, struct reass_ip_pkt, age))->until > now)
		return NULL;
	r->given_up += !p->spoilt;
	return p;
}

void
reass_ip_check(const struct reass_ip *r)
{
	uint32_t n = 0, chunks = 0;

	list_for_each(l, &r->all) {
		const struct reass_ip_pkt *p = container_of(l, struct reass_ip_pkt, age);

		assert(!p->spoilt || p->chunks == 0);
		assert(!p->end || p->got < p->end || p->spoilt);
		assert(p->got <= p->top);
		chunks += p->chunks;
		n++;
	}
	assert(n == r->pkts.used);
	assert(chunks == r->chunks && chunks <= REASS_IP_CHUNKS);
	(void)n;
	(void)chunks;
}
