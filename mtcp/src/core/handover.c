/* SPDX-License-Identifier: BSD-3-Clause */
/* A near core gets the packet itself, one of another process a copy. */

#include "core/stack_priv.h"

#define RX_QUOTA (4 * IO_BURST) /* packets from one core, a step */

static union hall_slot
slot_of(const struct io_pkt *k, unsigned port, unsigned flags, uint32_t adopt)
{
	union hall_slot slot;

	memset(&slot, 0, sizeof slot);
	slot.pkt = (struct hall_packet){
		.handle = (uintptr_t)k->handle,
		.data = (int64_t)((uintptr_t)k->data - (uintptr_t)k->handle),
		.len = k->len,
		.room = k->room,
		.hash = k->hash,
		.adopt = adopt,
		.flags = (uint16_t)flags,
		.port = to_u8(port),
		.l2_len = k->l2_len,
		.l3_len = k->l3_len,
		.l4_len = k->l4_len,
	};
	return slot;
}

static struct io_pkt
pkt_of(const struct hall_packet *p)
{
	return (struct io_pkt){
		.data = (uint8_t *)(uintptr_t)(p->handle + (uint64_t)p->data),
		.len = p->len,
		.room = p->room,
		.hash = p->hash,
		.flags = p->flags,
		.l2_len = p->l2_len,
		.l3_len = p->l3_len,
		.l4_len = p->l4_len,
		.handle = (void *)(uintptr_t)p->handle,
	};
}

static bool
put(struct stack *st, unsigned to, const struct segment_from *from, const union hall_slot *slot)
{
	struct steer *r = &st->steer;
	struct io_pkt spent = *from->pkt;

	if (hall_is_near(r->hall, to))
		return hall_push(r->hall, r->me, to, HALL_PACKETS, slot);
	if (!hall_push_frame(r->hall, r->me, to, slot, from->pkt->data))
		return false;
	io_release(st->port[from->port].io, &spent, 1);
	return true;
}

enum fate
handover_to(struct stack *st, unsigned to, const struct segment_from *from, unsigned as,
          uint32_t adopt)
{
	struct steer *r = &st->steer;
	unsigned flags = from->pkt->flags & ~(unsigned)(STEER_HOME | STEER_KEEP);
	union hall_slot slot;

	if (unlikely(flags & STEER_WHOLE))
		return frag_hand_over(st, to, from, as, adopt);
	slot = slot_of(from->pkt, from->port, flags | as | IO_RX_IP_GOOD | IO_RX_L4_GOOD, adopt);
	if (!words_reach(r, to)) {
		stats_add(&st->stats.handed_dropped, 1);
		return DROP_CORE_GONE;
	}
	if (!put(st, to, from, &slot)) {
		stats_add(&st->stats.handed_dropped, 1);
		return DROP_HANDOVER_FULL;
	}
	stats_add(&st->stats.handed_out, 1);
	r->rings |= UINT64_C(1) << to;
	return HANDED_OVER;
}

/* Packets of one port that are to be given back. */
struct spent {
	unsigned port, n;
	struct io_pkt pkt[IO_BURST];
};

static void
spent_flush(struct stack *st, struct spent *s)
{
	io_release(st->port[s->port].io, s->pkt, s->n);
	s->n = 0;
}

static void
spent_add(struct stack *st, struct spent *s, unsigned port, const struct io_pkt *pkt)
{
	if (s->n == IO_BURST || (s->n > 0 && s->port != port))
		spent_flush(st, s);
	s->port = port;
	s->pkt[s->n++] = *pkt;
}

/* Whatever stands in the slot of another process is looked at before it is believed. */
static bool
frame_copy(struct stack *st, const struct hall_packet *p, const uint8_t *frame,
           struct io_pkt *pkt)
{
	if (p->port >= st->cfg.n_ports || io_alloc(st->port[p->port].io, pkt, 1) != 1)
		return false;
	if (p->len > pkt->room) {
		io_release(st->port[p->port].io, pkt, 1);
		return false;
	}
	memcpy(pkt->data, frame, p->len);
	pkt->len = p->len;
	pkt->hash = 0;
	pkt->flags = p->flags & (IO_RX_IP_GOOD | IO_RX_L4_GOOD | STEER_HOME | STEER_KEEP |
	                         STEER_MEET);
	return true;
}

/* What other processes have left. */
static unsigned
take_frames(struct stack *st, unsigned from, int64_t now)
{
	struct steer *r = &st->steer;
	union hall_slot slot;
	const uint8_t *frame;
	unsigned n = 0;

	for (; n < RX_QUOTA && (frame = hall_next_frame(r->hall, from, r->me, &slot)); n++) {
		struct io_pkt pkt;
		bool copied = frame_copy(st, &slot.pkt, frame, &pkt);
		enum fate fate;

		hall_drop_frame(r->hall, from, r->me);
		if (!copied) {
			st->fates[DROP_HANDOVER_FULL]++;
			stats_add(&st->stats.handed_dropped, 1);
			continue;
		}
		r->from = from;
		r->adopt = slot.pkt.adopt;
		fate = ip_frame_in(st, slot.pkt.port, &pkt, now);
		st->fates[fate]++;
		if (fate != HANDED_OVER)
			io_release(st->port[slot.pkt.port].io, &pkt, 1);
	}
	stats_add(&st->stats.handed_in, n);
	return n;
}

static unsigned
take_packets(struct stack *st, unsigned from, int64_t now)
{
	struct steer *r = &st->steer;
	union hall_slot slot;
	struct spent spent;
	unsigned n = 0;

	spent.port = spent.n = 0;
	while (n < RX_QUOTA && hall_pop(r->hall, from, r->me, HALL_PACKETS, &slot)) {
		struct io_pkt pkt = pkt_of(&slot.pkt);
		enum fate fate;

		n++;
		r->from = from;
		r->adopt = slot.pkt.adopt;
		fate = ip_frame_in(st, slot.pkt.port, &pkt, now);
		st->fates[fate]++;
		if (fate != HANDED_OVER)
			spent_add(st, &spent, slot.pkt.port, &pkt);
	}
	spent_flush(st, &spent);
	stats_add(&st->stats.handed_in, n);
	return n;
}

/* What a core without a queue wants sent; false: the engine is full. */
static bool
take_sends(struct stack *st, unsigned from, int64_t now)
{
	struct steer *r = &st->steer;
	union hall_slot slot;

	for (unsigned n = 0; n < RX_QUOTA && ip_sends_room(st, now); n++) {
		if (!hall_pop(r->hall, from, r->me, HALL_SENDS, &slot))
			return true;
		ip_send_for(st, slot.pkt.port, pkt_of(&slot.pkt));
	}
	return false;
}

unsigned
handover_take(struct stack *st, unsigned from, int64_t now)
{
	struct steer *r = &st->steer;
	bool near = hall_is_near(r->hall, from);
	unsigned n = near ? take_packets(st, from, now) : take_frames(st, from, now);

	if ((!near || take_sends(st, from, now)) && n < RX_QUOTA)
		r->pending &= ~(UINT64_C(1) << from);
	return n;
}

unsigned
handover_send(struct stack *st, unsigned port, struct io_pkt *pkts, unsigned n)
{
	struct steer *r = &st->steer;
	unsigned to = st->port[port].steer.relay, i;

	if (hall_state(r->hall, to) == HALL_GONE) {
		io_release(st->port[port].io, pkts, n);
		stats_add(&st->stats.tx_drops, n);
		return n;
	}
	for (i = 0; i < n; i++) {
		union hall_slot slot = slot_of(&pkts[i], port, pkts[i].flags, 0);

		if (!hall_push(r->hall, r->me, to, HALL_SENDS, &slot))
			break;
	}
	if (i > 0)
		r->rings |= UINT64_C(1) << to;
	return i;
}

static void
give_back(struct stack *st, unsigned from, enum hall_lane_kind kind)
{
	union hall_slot slot;

	while (hall_pop(st->steer.hall, from, st->steer.me, kind, &slot)) {
		struct io_pkt pkt = pkt_of(&slot.pkt);

		io_release(st->port[slot.pkt.port].io, &pkt, 1);
	}
}

void
handover_give_back(struct stack *st)
{
	const struct hall *h = st->steer.hall;

	for (unsigned i = h->first; i < h->first + h->mine; i++) {
		give_back(st, i, HALL_PACKETS);
		give_back(st, i, HALL_SENDS);
	}
}
