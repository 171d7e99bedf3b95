/* SPDX-License-Identifier: BSD-3-Clause */
/* What is whole is a frame as any other, but that it lies in memory of ours. */

#include "core/stack_priv.h"
#include "wire/sum.h"

bool
frag_init(struct stack *st, struct region *mem)
{
	struct frags *f = &st->frags;
	bool ok = reass_ip_init(&f->reass, mem, &st->env, &st->cfg.secret);

	f->whole = region_take(mem, FRAG_FRAME);
	f->out = region_take(mem, FRAG_FRAME);
	return ok && f->whole && f->out;
}

/* --------------------------------------------------------------------- in -- */

/* The length of IPv6 does not count its own header. */
static uint32_t
uncounted(const struct ip_addr *of)
{
	return ip_addr_is_v4(of) ? 0 : IP6_LEN;
}

/* The frame that would have come, in f->whole; its length.  0: it contradicts itself. */
static uint32_t
make_whole(struct frags *f, const struct reass_ip_pkt *p)
{
	uint32_t hdr_len = p->head_len - ETH_LEN, total = hdr_len + p->end;
	uint8_t *ip = f->whole + ETH_LEN;
	int ecn = reass_ip_ecn(p);
	uint16_t sum;

	if (total - uncounted(&p->key.src) > REASS_IP_MAX || ecn < 0)
		return 0;
	memcpy(f->whole, p->head, p->head_len);
	if (ip_addr_is_v4(&p->key.src)) {
		put_be16(ip + 2, to_u16(total));
		put_be16(ip + 6, 0);
		ip[1] = (uint8_t)((ip[1] & ~3u) | (unsigned)ecn);
		put_be16(ip + 10, 0);
		sum = wire_sum_finish(wire_sum_add(0, ip, hdr_len));
		memcpy(ip + 10, &sum, sizeof sum);
	} else {
		put_be16(ip + 4, to_u16(total - IP6_LEN));
		wire_ip6_set_offset(ip + hdr_len - IP6_FRAG_LEN, 0, false);
		ip[1] = (uint8_t)((ip[1] & ~0x30u) | (unsigned)ecn << 4);
	}
	reass_ip_copy(p, ip + hdr_len, p->end);
	return ETH_LEN + total;
}

static enum fate
whole_in(struct stack *st, unsigned port, struct reass_ip_pkt *p, int64_t now)
{
	struct frags *f = &st->frags;
	struct io_pkt k = { .data = f->whole, .room = FRAG_FRAME };
	enum fate fate;

	k.flags = (uint16_t)(p->key.as | STEER_WHOLE | IO_RX_IP_GOOD);
	if (p->key.as) /* whoever handed it over has looked at its sum */
		k.flags |= IO_RX_L4_GOOD;
	k.len = make_whole(f, p);
	reass_ip_free(&f->reass, p);
	if (k.len == 0)
		return DROP_FRAGMENT_OVERLAP;
	fate = ip_frame_in(st, port, &k, now);
	return fate == HANDED_OVER ? IN_FRAGMENT : fate;
}

static enum fate
keep(struct stack *st, const struct reass_ip_frag *f, int64_t now)
{
	struct reass_ip_pkt *whole;

	if (f->off + f->len + f->head_len - ETH_LEN - uncounted(&f->key.src) > REASS_IP_MAX)
		return DROP_FRAGMENT;
	st->aside = true;
	switch (reass_ip_in(&st->frags.reass, f, now, &whole)) {
	case REASS_IP_KEPT:
		return IN_FRAGMENT;
	case REASS_IP_WHOLE:
		return whole_in(st, f->key.port, whole, now);
	case REASS_IP_OVERLAP:
		return DROP_FRAGMENT_OVERLAP;
	case REASS_IP_NO_ROOM:
		return DROP_FRAGMENT_ROOM;
	case REASS_IP_AGAIN:
	case REASS_IP_BAD:
		break;
	}
	return DROP_FRAGMENT;
}

/* It is kept here, or on the core where it meets the others. */
static enum fate
keep_or_meet(struct stack *st, const struct io_pkt *pkt, struct reass_ip_frag *f, int64_t now)
{
	struct tcp_tuple addresses = { .local = f->key.dst, .remote = f->key.src };
	struct segment_from from = { .port = f->key.port, .pkt = pkt };
	unsigned core;

	f->key.as = pkt->flags & (STEER_HOME | STEER_KEEP);
	f->head = pkt->data;
	f->data = pkt->data + f->head_len;
	if (st->steer.hall && !(pkt->flags & (STEER_HOME | STEER_KEEP | STEER_MEET))) {
		core = steer_home(st, f->key.port, &addresses);
		if (core != st->steer.me)
			return handover_to(st, core, &from, STEER_MEET, 0);
	}
	return keep(st, f, now);
}

enum fate
frag_in(struct stack *st, unsigned port, const struct io_pkt *pkt, const struct ip4_hdr *h,
        int64_t now)
{
	struct reass_ip_frag f = {
		.key = { h->src, h->dst, h->id, h->proto, to_u8(port), 0 },
		.off = h->frag_off,
		.more = h->mf,
		.ecn = h->tos & 3u,
		.len = (uint32_t)h->total_len - h->hdr_len,
		.head_len = (uint16_t)(ETH_LEN + h->hdr_len),
	};

	return keep_or_meet(st, pkt, &f, now);
}

enum fate
frag6_in(struct stack *st, unsigned port, const struct io_pkt *pkt, const struct ip6_hdr *h,
         const struct ip_addr *src, const struct ip_addr *dst, int64_t now)
{
	uint32_t hdr_len = h->frag_at + IP6_FRAG_LEN;
	struct reass_ip_frag f = {
		.key = { *src, *dst, h->id, 0, to_u8(port), 0 },
		.off = h->frag_off,
		.more = h->mf,
		.ecn = h->tclass & 3u,
		.len = h->total_len - hdr_len,
		.head_len = (uint16_t)(ETH_LEN + hdr_len),
	};

	return keep_or_meet(st, pkt, &f, now);
}

/* --------------------------------------------------------------- handover -- */

/* Of a whole packet: bytes of the frame in front of what can be cut, the fragment header of IPv6
 * included. */
static uint32_t
head_of(const struct io_pkt *whole)
{
	const uint8_t *ip = whole->data + ETH_LEN;
	struct ip6_hdr h;

	if (ip[0] >> 4 == 4)
		return ETH_LEN + (ip[0] & 0xfu) * 4u;
	(void)wire_ip6_parse_quoted(ip, whole->len - ETH_LEN, &h);
	return ETH_LEN + h.frag_at + IP6_FRAG_LEN;
}

/* A part of a whole packet, as a fragment in a packet of the engine; false: no memory. */
static bool
part_of(struct stack *st, const struct segment_from *from, uint32_t head_len, uint32_t at,
        uint32_t len, struct io_pkt *k)
{
	const uint8_t *frame = from->pkt->data;
	bool more = head_len + at + len < from->pkt->len;
	uint8_t *ip;

	if (io_alloc(st->port[from->port].io, k, 1) != 1)
		return false;
	assert(head_len + len <= k->room);
	memcpy(k->data, frame, head_len);
	memcpy(k->data + head_len, frame + head_len + at, len);
	ip = k->data + ETH_LEN;
	if (ip[0] >> 4 == 4) {
		put_be16(ip + 2, to_u16(head_len - ETH_LEN + len));
		wire_ip4_set_offset(ip, at, more);
	} else {
		put_be16(ip + 4, to_u16(head_len - ETH_LEN - IP6_LEN + len));
		wire_ip6_set_offset(k->data + head_len - IP6_FRAG_LEN, at, more);
	}
	k->len = head_len + len;
	k->flags = 0;
	return true;
}

enum fate
frag_hand_over(struct stack *st, unsigned to, const struct segment_from *from, unsigned as,
               uint32_t adopt)
{
	struct segment_from part = *from;
	struct io_pkt k;
	uint32_t head_len = head_of(from->pkt), len = from->pkt->len - head_len;
	uint32_t step = (st->port[from->port].mtu + ETH_LEN - head_len) & ~7u;

	part.pkt = &k;
	for (uint32_t at = 0; at < len; at += step) {
		enum fate fate = DROP_HANDOVER_FULL;

		if (part_of(st, from, head_len, at, min(step, len - at), &k)) {
			fate = handover_to(st, to, &part, as, adopt);
			if (fate != HANDED_OVER)
				io_release(st->port[from->port].io, &k, 1);
		}
		if (fate != HANDED_OVER)
			return fate;
	}
	return HANDED_OVER;
}

/* -------------------------------------------------------------------- out -- */

uint16_t
frag_id(struct stack *st, const struct ip_addr *dst)
{
	uint64_t h = siphash24(&st->frags.reass.key, dst, sizeof *dst);
	uint32_t *id = &st->frags.ids[h % FRAG_IDS];

	if (*id == 0)
		*id = (uint32_t)(h >> 32) | 1;
	++*id;
	return (uint16_t)(*id * st->cfg.cores + st->cfg.core);
}

uint32_t
frag_next(struct ip4_hdr *f, uint32_t mtu, uint32_t len, uint32_t at)
{
	uint32_t head = ip_addr_is_v4(&f->dst) ? IP4_LEN : IP6_LEN + IP6_FRAG_LEN;
	uint32_t n = min((mtu - head) & ~7u, len - at);

	f->frag_off = to_u16(at);
	f->mf = at + n < len;
	f->df = false;
	return n;
}

bool
frag_out(struct stack *st, const struct ip_way *way, const struct ip4_hdr *h, uint32_t mtu,
         const uint8_t *data, uint32_t len, uint32_t *at, int64_t now)
{
	struct ip4_hdr f = *h;

	while (*at < len) {
		uint32_t n;

		if (!ip_room(st, way->port, now))
			return false;
		n = frag_next(&f, mtu, len, *at);
		ip_packet_out(st, way, &f, data + *at, n);
		*at += n;
	}
	return true;
}

/* ------------------------------------------------------------------- late -- */

/* Only who has the first fragment knows enough to tell (RFC 792). */
static void
tell(struct stack *st, const struct reass_ip_pkt *p, int64_t now)
{
	uint8_t ip[REASS_IP_HEAD + IP6_MTU_MIN];
	uint32_t hdr_len = p->head_len - ETH_LEN;
	struct eth_hdr eth;
	bool v4 = ip_addr_is_v4(&p->key.src);

	if (p->head_len == 0 || p->spoilt || !wire_eth_parse(p->head, p->head_len, &eth))
		return;
	memcpy(ip, p->head + ETH_LEN, hdr_len);
	hdr_len += reass_ip_first(p, v4 ? ICMP_QUOTE : IP6_MTU_MIN);
	reass_ip_copy(p, ip + p->head_len - ETH_LEN, hdr_len - (p->head_len - ETH_LEN));
	if (v4)
		refuse_packet(st, p->key.port, &eth.src, ICMP4_TIME_EXCEEDED,
		              ICMP4_CODE_REASSEMBLY, ip, hdr_len, now);
	else
		ip6_refuse(st, p->key.port, &eth.src, ICMP6_TIME_EXCEEDED, ICMP6_CODE_REASSEMBLY, ip,
		           hdr_len, now);
}

void
frag_late(struct stack *st, int64_t now)
{
	struct reass_ip_pkt *p;

	while ((p = reass_ip_late(&st->frags.reass, now))) {
		tell(st, p, now);
		st->fates[DROP_FRAGMENT_LATE] += !p->spoilt;
		reass_ip_free(&st->frags.reass, p);
	}
}
