/* SPDX-License-Identifier: BSD-3-Clause */
/* Each message says one thing; what it makes of a connection or a neighbour is theirs to say. */

#include "core/stack_priv.h"

#define WORD_QUOTA 4096u /* messages from one core, a step */

bool
words_reach(const struct steer *r, unsigned to)
{
	return hall_is_near(r->hall, to) ? hall_state(r->hall, to) != HALL_GONE
	                                 : hall_lives(r->hall, to);
}

bool
words_say(struct stack *st, unsigned to, const struct hall_word *w)
{
	struct steer *r = &st->steer;
	union hall_slot slot;

	memset(&slot, 0, sizeof slot);
	slot.word = *w;
	if (!words_reach(r, to) || !hall_push(r->hall, r->me, to, HALL_WORDS, &slot)) {
		stats_add(&st->stats.handed_dropped, 1);
		return false;
	}
	r->rings |= UINT64_C(1) << to;
	return true;
}

static void
say_to_all(struct stack *st, const struct hall_word *w)
{
	for (unsigned i = 0; i < st->steer.hall->cores; i++)
		if (i != st->steer.me && hall_state(st->steer.hall, i) == HALL_RUNS)
			(void)words_say(st, i, w);
}

void
words_neighbour(struct stack *st, unsigned port, const struct ip_addr *ip,
                const struct mac_addr *mac, enum neigh_kind kind)
{
	struct hall_word w = { .op = HALL_OP_NEIGHBOUR, .port = to_u8(port), .kind = to_u8(kind) };

	if (!st->steer.hall)
		return;
	w.neigh.ip = *ip;
	w.neigh.mac = *mac;
	say_to_all(st, &w);
}

bool
words_icmp(struct stack *st, const struct icmp_error *err, const struct tcp_tuple *t,
           uint32_t hash, unsigned hop)
{
	struct steer *r = &st->steer;
	struct hall_word w = { .op = HALL_OP_ICMP, .kind = to_u8(hop + 1), .icmp = *err };
	unsigned port, home;
	struct away *a;

	if (!r->hall || hop >= 2 || !ip_is_ours(st, &t->local))
		return false;
	port = ip_port_of(st, &t->local);
	home = hop == 0 ? steer_home(st, port, t) : r->me;
	if (home != r->me)
		return words_say(st, home, &w);
	w.kind = 2;
	if ((a = away_find(r, t, hash)))
		return words_say(st, a->core, &w);
	if (!st->port[port].steer.origin)
		return false;
	say_to_all(st, &w);
	return true;
}

static void
hear_neighbour(struct stack *st, const struct hall_word *w, int64_t now)
{
	struct list ready;

	if (w->port >= st->cfg.n_ports || w->kind > NEIGH_HEARD_ANNOUNCE)
		return;
	list_init(&ready);
	(void)neigh_learn(&st->port[w->port].neigh, &w->neigh.ip, &w->neigh.mac,
	                  (enum neigh_kind)w->kind, now, &ready);
	ip_unblock(st, &ready, now);
}

static void
hear(struct stack *st, unsigned from, const struct hall_word *w, int64_t now)
{
	switch ((enum hall_op)w->op) {
	case HALL_OP_CLAIM:
		keeper_hear_claim(st, from, w);
		break;
	case HALL_OP_GONE:
		keeper_hear_gone(st, from, w);
		break;
	case HALL_OP_NEIGHBOUR:
		hear_neighbour(st, w, now);
		break;
	case HALL_OP_ICMP:
		segment_icmp_error(st, &w->icmp, max(w->kind, 1u), now);
		break;
	}
}

static void
hear_pending(struct stack *st, int64_t now)
{
	struct steer *r = &st->steer;
	union hall_slot slot;

	for (uint64_t cores = r->pending; cores; cores &= cores - 1) {
		unsigned from = (unsigned)__builtin_ctzll(cores);

		for (unsigned n = 0; n < WORD_QUOTA; n++) {
			if (!hall_pop(r->hall, from, r->me, HALL_WORDS, &slot))
				break;
			hear(st, from, &slot.word, now);
		}
	}
}

void
words_hear(struct stack *st, int64_t now)
{
	struct steer *r = &st->steer;

	r->pending |= hall_heard(r->hall, r->me);
	if (unlikely(r->pending))
		hear_pending(st, now);
}
