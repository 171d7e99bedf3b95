/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Flows that live elsewhere than at home, with a *keeper*, and the records of them.
 *
 *	claimed    a connection from a port that the program has bound itself, one that a cookie
 *	           has made, or what stayed with the process on whose queue it arrived: the keeper
 *	           tells home, before its SYN leaves
 *	handed on  one to a port on which home does not listen and the keeper does: home chooses
 *	           the keeper among those that listen, by a hash
 *
 * Home has a record of each (`away`) and hands its packets on; the keeper has one too
 * (`guest`), so as to tell home when nothing of the flow is left.  A keeping has a number, or a
 * late goodbye would end the next one of the same flow.
 */
#pragma once

#include "base/hashmap.h"
#include "base/list.h"
#include "base/pool.h"
#include "core/hall.h"
#include "core/stack_cfg.h"
#include "tcp/tcp_fate.h"

#define KEEPING_CLAIM (UINT32_C(1) << 31) /* in the number of a keeping: the keeper's own count */

/* A flow whose home this is and that another core keeps. */
struct away {
	struct tcp_tuple tuple;
	uint32_t hash;
	uint32_t keeping; /* its number                                          */
	uint32_t core;    /* the keeper ...                                      */
	uint32_t turn;    /* ... in this turn of its seat                        */
	struct link order;
};

/* A flow that this core keeps for its home. */
struct guest {
	struct tcp_tuple tuple;
	uint32_t hash;
	uint32_t keeping; /* its number                                          */
	uint32_t home;    /* who was told; this core: nobody                     */
	uint32_t turn;    /* ... in which turn of its seat                       */
	struct link goodbye;
	struct link all;
};

struct keepings {
	struct hashmap away_map, guest_map;
	struct pool aways, guests;
	struct list away_list;  /* oldest first                                  */
	struct list guest_list; /* all of them                                   */
	struct list goodbyes;   /* guests gone whose home has not been told yet  */
	uint32_t claims;
};

struct stack;
struct steer;

/* Address space until there are any. */
bool keeper_init(struct keepings *k, struct region *mem, const struct stack_cfg *cfg);

/* -- at home ------------------------------------------------------------------------------ */

/* One whose keeper has ended, and perhaps begun anew, is none. */
struct away *away_find(struct steer *r, const struct tcp_tuple *t, uint32_t hash);

/* When there are too many the oldest makes room: its flow is found again by the hash that
 * had chosen its keeper, unless others listen by now. */
struct away *away_new(struct steer *r, const struct tcp_tuple *t, uint32_t hash, unsigned core);

/* What core `from` has said. */
void keeper_hear_claim(struct stack *st, unsigned from, const struct hall_word *w);
void keeper_hear_gone(struct stack *st, unsigned from, const struct hall_word *w);

/* -- at the keeper ------------------------------------------------------------------------- */

/* Replies to `t`, whose port was not chosen by those, shall reach this core.  False: the
 * home cannot be told. */
bool keeper_claim(struct stack *st, const struct tcp_tuple *t, uint32_t hash);

/* A segment that steer_segment() left here although the core is not its home has been dealt
 * with: if it has made a flow, home hears of it. */
void keeper_lodge(struct stack *st, const struct tcp_tuple *t, uint32_t hash);

/* A segment that this core keeps for its home has met `fate`. */
void keeper_kept(struct stack *st, const struct tcp_tuple *t, uint32_t hash, enum fate fate);

/* Tells the home of a guest that it is here, or that it is not to be told of any more.  False:
 * no room, or nobody there. */
bool keeper_tell(struct stack *st, struct guest *g, enum hall_op op);

/* Nothing of a flow may be left here. */
void keeper_look_gone(struct stack *st, const struct tcp_tuple *t, uint32_t hash);

/* Goodbyes for which there was no room. */
void keeper_say_goodbyes(struct stack *st);
