/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * All that the cores of an instance share: one piece of memory with a seat for each core
 * and lanes from each to each other.  What a core writes for others stands in its seat, and
 * in the lanes that begin at it; nothing else of a core is ever looked at by another.
 *
 * A lane is a ring between one producer and one consumer.  It carries packets by the handle
 * of their engine, and small messages as values; it holds no address of its own, so the hall
 * may lie in memory that processes map at different places.
 *
 * Two words of a seat are everybody's, changed by read-modify-write only: `rung`, a bit for
 * each core that has left something, so that a core looks at one word instead of at all
 * lanes; and `asleep`, the rule of all sleepers here: set it by an exchange, look at `rung`
 * again, sleep; whoever has rung exchanges it back before it wakes.
 */
#pragma once

#include <stdatomic.h>

#include "base/region.h"
#include "core/icmp.h"
#include "core/neigh.h"
#include "core/rss.h"
#include "tcp/tcp.h"

#define HALL_CORES_MAX 64u

/* What goes from one core to another, each kind in its own order. */
enum hall_lane_kind {
	HALL_WORDS,   /* short messages: struct hall_word                        */
	HALL_PACKETS, /* received on the wrong core                              */
	HALL_SENDS,   /* to be sent for a core that has no queue of its own      */
	HALL_LANES
};

/* A packet between cores: struct io_pkt without addresses but the engine's handle. */
struct hall_packet {
	uint64_t handle;
	int64_t data;    /* where the frame begins, from the handle              */
	uint32_t len, room, hash;
	uint32_t adopt;  /* which keeping of this flow it is, see steer.h; 0: none */
	uint16_t flags;
	uint8_t port;
	uint8_t l2_len, l3_len, l4_len;
};

enum hall_op {
	HALL_OP_CLAIM,     /* replies to `tuple` are the sender's                   */
	HALL_OP_GONE,      /* the sender has nothing of `tuple` any more            */
	HALL_OP_NEIGHBOUR, /* what ARP said                                         */
	HALL_OP_ICMP,      /* an ICMP error about a connection                      */
};

struct hall_word {
	uint8_t op;           /* enum hall_op                                    */
	uint8_t port;         /* NEIGHBOUR                                       */
	uint8_t kind;         /* NEIGHBOUR: enum neigh_kind; ICMP: it may go on  */
	uint32_t n;           /* CLAIM, GONE: which keeping                      */
	union {
		struct tcp_tuple tuple;
		struct icmp_error icmp;
		struct {
			struct ip_addr ip;
			struct mac_addr mac;
		} neigh;
	};
};

union hall_slot {
	_Alignas(CACHE_LINE) struct hall_packet pkt;
	struct hall_word word;
};

static_assert(sizeof(union hall_slot) == CACHE_LINE, "a slot is a line");

enum hall_state {
	HALL_EMPTY,  /* nobody yet: what is left for it waits         */
	HALL_RUNS,
	HALL_LEAVES, /* it is asked to end                            */
	HALL_QUIET,  /* it has nothing left, and goes on for others   */
	HALL_GONE,   /* nobody any more: nothing can be left for it   */
};

struct hall_seat {
	/* -- line 0: everybody's -------------------------------------------------- */
	_Alignas(CACHE_LINE) _Atomic uint64_t rung; /* cores that have left something     */
	_Atomic uint32_t asleep;

	/* -- line 1: its core's, read by all ----------------------------------------- */
	_Alignas(CACHE_LINE) _Atomic uint32_t state; /* enum hall_state                   */
	_Atomic uint32_t turn;                       /* how many have sat here            */

	/* -- its core's: a bit for each TCP port that it listens on --------------------- */
	_Alignas(CACHE_LINE) _Atomic uint64_t listens[65536 / 64];
};

struct hall {
	uint32_t cores;
	uint8_t key[RSS_KEY_LEN]; /* of flows that no device steers                      */
	struct hall_seat seat[];  /* [cores], then the lanes                              */
};

/* Bytes for `cores` cores, 1..HALL_CORES_MAX. */
size_t hall_size(unsigned cores);

/* Makes a hall of zeroed memory, which is touched only where it is used; `key` is
 * random.  NULL: too many cores, or the region is too small. */
struct hall *hall_new(struct region *mem, unsigned cores, const uint8_t key[RSS_KEY_LEN]);

/* ---------------------------------------------------------------- lanes -- */

/* Core `from` leaves something for `to`, unseen before hall_ring().  False: the lane is full. */
bool hall_push(struct hall *h, unsigned from, unsigned to, enum hall_lane_kind kind,
               const union hall_slot *slot);

/* Core `to` takes the next; false: none is there. */
bool hall_pop(struct hall *h, unsigned from, unsigned to, enum hall_lane_kind kind,
              union hall_slot *slot);

/* Core `from` tells `to` that something waits.  True: `to` slept, and is to be woken now. */
bool hall_ring(struct hall *h, unsigned from, unsigned to);

/* The cores that have rung for `me` since this was asked last, one bit each. */
static inline uint64_t
hall_heard(struct hall *h, unsigned me)
{
	_Atomic uint64_t *rung = &h->seat[me].rung;

	if (likely(atomic_load_explicit(rung, memory_order_relaxed) == 0))
		return 0;
	return atomic_exchange_explicit(rung, 0, memory_order_seq_cst);
}

/* `me` wants to sleep: false, and it shall not, when somebody has rung. */
bool hall_sleep(struct hall *h, unsigned me);
void hall_rouse(struct hall *h, unsigned me);

/* ---------------------------------------------------------------- seats -- */

static inline enum hall_state
hall_state(const struct hall *h, unsigned core)
{
	return (enum hall_state)atomic_load_explicit(&h->seat[core].state, memory_order_acquire);
}

static inline uint32_t
hall_turn(const struct hall *h, unsigned core)
{
	return atomic_load_explicit(&h->seat[core].turn, memory_order_relaxed);
}

/* Of one's own seat.  HALL_RUNS begins another turn. */
void hall_enter(struct hall *h, unsigned me, enum hall_state state);
void hall_listen(struct hall *h, unsigned me, uint16_t port, bool on);

static inline bool
hall_listens(const struct hall *h, unsigned core, uint16_t port)
{
	return atomic_load_explicit(&h->seat[core].listens[port / 64], memory_order_relaxed) >>
	           port % 64 & 1;
}

/* The core that serves `port`, if `me` does not: one of those that listen, the same for the
 * same hash.  HALL_CORES_MAX: nobody. */
unsigned hall_listener(const struct hall *h, unsigned me, uint16_t port, uint32_t hash);

/* Whether every core but `me` is past HALL_LEAVES, or never was there. */
bool hall_others_quiet(const struct hall *h, unsigned me);
