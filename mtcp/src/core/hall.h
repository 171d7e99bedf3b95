/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * All that the cores of an instance share: one piece of memory with a seat for each core
 * and lanes from each to each other.  What a core writes for others stands in its seat, and
 * in the lanes that begin at it; nothing else of a core is ever looked at by another.
 *
 * A lane is a ring between one producer and one consumer.  It carries packets by the handle
 * of their engine, and small messages as values; it holds no address of its own.
 *
 * Several processes may share a hall, each with some of the cores: then seats, and the lanes
 * between cores of different processes, lie in memory that all of them map, and packets are
 * copied into it, since nobody can use another's handles.  Whatever stands there may have been
 * left by a process that was killed, or be plain garbage.  So no number from there is used as
 * an index, a length or a count before it has been looked at, and what decides where things
 * lie (this struct) is each process's own.
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
	uint32_t adopt;  /* which keeping of this flow it is, see keeper.h; 0: none */
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
	HALL_JOINS,  /* of several processes: it hears what others have to tell first */
	HALL_RUNS,
	HALL_LEAVES, /* it is asked to end                            */
	HALL_QUIET,  /* it has nothing left, and goes on for others   */
	HALL_GONE,   /* nobody any more: nothing can be left for it   */
};

struct hall_seat {
	/* -- line 0: everybody's -------------------------------------------------- */
	_Alignas(CACHE_LINE) _Atomic uint64_t rung; /* cores that have left something     */
	_Atomic uint32_t asleep;
	_Atomic uint32_t adopter; /* who receives what is for it while nobody sits here: its
	                           * number and 1; 0: nobody                         */

	/* -- line 1: its core's, read by all ----------------------------------------- */
	/* How many have sat here (the upper half), and enum hall_state.  Who finds that its
	 * process is no more writes HALL_GONE: in one word, lest it meet the next turn. */
	_Alignas(CACHE_LINE) _Atomic uint64_t post;
	_Atomic uint32_t told; /* which epoch others have been told of all that it keeps  */

	/* -- its core's: which turn of each other it has told what it knows ------------- */
	_Alignas(CACHE_LINE) _Atomic uint32_t greeted[HALL_CORES_MAX];

	/* -- its core's: a bit for each TCP port that it listens on --------------------- */
	_Alignas(CACHE_LINE) _Atomic uint64_t listens[65536 / 64];

	/* -- its core's: the same for each UDP port whose datagrams it takes from others --- */
	_Alignas(CACHE_LINE) _Atomic uint64_t dgrams[65536 / 64];
};

/* What all cores share beside their seats. */
struct hall_common {
	_Alignas(CACHE_LINE) _Atomic uint32_t epoch; /* changes whenever somebody comes or goes */
};

/* Who shares a hall. */
struct hall_plan {
	unsigned cores;       /* of all processes, 1..HALL_CORES_MAX              */
	unsigned first, mine; /* those of this one: first .. first + mine - 1     */
	uint32_t frame;       /* the longest frame between processes, 1..65535    */
	uint32_t frames;      /* that a lane holds: a power of two                */
	uint8_t key[RSS_KEY_LEN];
};

/* A process's own idea of the hall. */
struct hall {
	struct hall_seat *seat;       /* [cores]                                         */
	struct hall_common *common;
	uint8_t *near;                /* lanes among the cores of this process           */
	uint8_t *far;                 /* lanes between processes; NULL: there is one     */
	size_t far_size;              /* bytes of those from one core to another         */
	uint64_t all;                 /* a bit for each core                             */
	uint32_t cores, first, mine;
	uint32_t frame, frames;
	uint8_t key[RSS_KEY_LEN];     /* of flows that no device steers                  */
};

/* Bytes for `cores` cores, 1..HALL_CORES_MAX. */
size_t hall_size(unsigned cores);

/* Makes a hall of zeroed memory, which is touched only where it is used; `key` is
 * random.  NULL: too many cores, or the region is too small. */
struct hall *hall_new(struct region *mem, unsigned cores, const uint8_t key[RSS_KEY_LEN]);

/* The same for several processes: bytes of each one's own memory, and of what they share. */
size_t hall_own_size(const struct hall_plan *plan);
size_t hall_shared_size(const struct hall_plan *plan);

/* This process's view of `shared`, hall_shared_size() bytes on a cache line that were zero
 * when the first came.  `mem` is its own.  NULL: a plan that cannot be, or too small a region. */
struct hall *hall_share(struct region *mem, const struct hall_plan *plan, void *shared);

/* Whether it is a core of this process. */
static inline bool
hall_is_near(const struct hall *h, unsigned core)
{
	return core - h->first < h->mine;
}

/* ---------------------------------------------------------------- lanes -- */

/* Core `from` leaves something for `to`, unseen before hall_ring().  False: the lane is full. */
bool hall_push(struct hall *h, unsigned from, unsigned to, enum hall_lane_kind kind,
               const union hall_slot *slot);

/* Core `to` takes the next; false: none is there. */
bool hall_pop(struct hall *h, unsigned from, unsigned to, enum hall_lane_kind kind,
              union hall_slot *slot);

/* A frame for a core of another process: `slot` says its length, at most h->frame, and is pushed
 * with a copy of it. */
bool hall_push_frame(struct hall *h, unsigned from, unsigned to, const union hall_slot *slot,
                     const uint8_t *frame);

/* The next one for `to`, which stays until it is dropped: its frame, of slot->pkt.len bytes
 * (at most h->frame), or NULL. */
const uint8_t *hall_next_frame(struct hall *h, unsigned from, unsigned to, union hall_slot *slot);
void hall_drop_frame(struct hall *h, unsigned from, unsigned to);

/* Core `from` tells `to` that something waits.  True: `to` slept, and is to be woken now. */
bool hall_ring(struct hall *h, unsigned from, unsigned to);

/* The cores that have rung for `me` since this was asked last, one bit each. */
static inline uint64_t
hall_heard(struct hall *h, unsigned me)
{
	_Atomic uint64_t *rung = &h->seat[me].rung;

	if (likely(atomic_load_explicit(rung, memory_order_relaxed) == 0))
		return 0;
	return atomic_exchange_explicit(rung, 0, memory_order_seq_cst) & h->all;
}

/* `me` wants to sleep: false, and it shall not, when somebody has rung. */
bool hall_sleep(struct hall *h, unsigned me);
void hall_rouse(struct hall *h, unsigned me);

/* ---------------------------------------------------------------- seats -- */

static inline uint64_t
hall_post(const struct hall *h, unsigned core)
{
	return atomic_load_explicit(&h->seat[core].post, memory_order_acquire);
}

static inline enum hall_state
hall_state(const struct hall *h, unsigned core)
{
	uint32_t state = (uint32_t)hall_post(h, core);

	return state <= HALL_GONE ? (enum hall_state)state : HALL_GONE;
}

static inline uint32_t
hall_turn(const struct hall *h, unsigned core)
{
	return (uint32_t)(hall_post(h, core) >> 32);
}

/* Somebody sits there. */
static inline bool
hall_lives(const struct hall *h, unsigned core)
{
	enum hall_state s = hall_state(h, core);

	return s != HALL_EMPTY && s != HALL_GONE;
}

/* Changes whenever anybody comes or goes. */
static inline uint32_t
hall_epoch(const struct hall *h)
{
	return atomic_load_explicit(&h->common->epoch, memory_order_acquire);
}

/* Of one's own seat.  HALL_JOINS begins another turn, and so does HALL_RUNS after any other. */
void hall_enter(struct hall *h, unsigned me, enum hall_state state);
void hall_listen(struct hall *h, unsigned me, uint16_t port, bool on);
void hall_take_dgrams(struct hall *h, unsigned me, uint16_t port, bool on);
/* Neither the one nor the other, of any port. */
void hall_deafen(struct hall *h, unsigned me);

/* Before a seat is taken that somebody may have died in: nothing of it counts any more, and
 * what other processes have left for it is dropped. */
void hall_sweep(struct hall *h, unsigned me);

/* The process that had said `post` is no more.  False: it has said something else by now. */
bool hall_bury(struct hall *h, unsigned core, uint64_t post);

static inline bool
hall_listens(const struct hall *h, unsigned core, uint16_t port)
{
	return atomic_load_explicit(&h->seat[core].listens[port / 64], memory_order_relaxed) >>
	           port % 64 & 1;
}

/* The core that serves `port`, if `me` does not: one of those that listen, the same for the
 * same hash; one that joins, and takes nothing yet, if no other does.  HALL_CORES_MAX: nobody. */
unsigned hall_listener(const struct hall *h, unsigned me, uint16_t port, uint32_t hash);

/* The same for datagrams. */
unsigned hall_dgram_taker(const struct hall *h, unsigned me, uint16_t port, uint32_t hash);

/* Whether every core of this process but `me` is past HALL_LEAVES, or never was there. */
bool hall_others_quiet(const struct hall *h, unsigned me);
