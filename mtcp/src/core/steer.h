/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Packets that arrived on the wrong core, and how every core knows the right one.
 *
 * Cores share no table of connections.  Instead each flow has a *home*, a core that anybody
 * can compute from the packet's bytes: the device's own function (Toeplitz with its key and
 * table) where the device steers and every core has a queue, else one of ours with a random
 * key.  A connection is looked for where its packet arrived; only what is found nowhere
 * (a SYN, or a packet on the wrong core) has its home computed and is handed there, once.
 *
 *	opened here   the local port is chosen so that home is this core (rss_ports_nth)
 *	opened to us  the connection is made at home, if home listens
 *
 * Two exceptions live elsewhere than at home, with a *keeper*: a connection from a port that
 * the program has bound itself (the keeper claims it, by a message, before its SYN leaves),
 * and one to a port on which home does not listen and the keeper does (home chooses it among
 * those that listen, by a hash).  For these home has a record (`away`) and hands on; the
 * keeper has one too (`guest`), so as to tell home when nothing of the flow is left.  A
 * keeping has a number, or a late goodbye would end the next one of the same flow.
 *
 * Where packets come back on the queue they left by (memif, virtio-user) a flow opened to us
 * is at home where its SYN arrived.
 *
 * Where the cores are of several processes some may be missing: census.h says who stands in
 * for them.  What a process accepts stays with the process on whose queue it arrived, so that
 * nothing of it ends with another one; home is told by a claim.
 *
 * So a packet is handed over twice at most: to home, and on to the keeper.  ARP's replies go
 * to all cores as messages, ICMP errors to home; a core without a queue of its own sends
 * through the lane to one that has one.  Who finds a lane full drops, and counts.
 */
#pragma once

#include "base/hashmap.h"
#include "base/list.h"
#include "base/pool.h"
#include "core/census.h"
#include "core/hall.h"
#include "core/rss.h"
#include "core/stack_cfg.h"
#include "io_engine/io.h"
#include "tcp/tcp_fate.h"

/* Flags of a packet between cores (struct io_pkt.flags). */
enum {
	STEER_HOME = 1 << 12, /* the receiver is its home                        */
	STEER_KEEP = 1 << 13, /* the receiver is its keeper                      */
};

#define STEER_NO_RELAY UINT32_MAX

/* How one port's flows are divided among the cores. */
struct steer_port {
	struct rss rss;
	struct rss_ports own; /* the ports whose replies reach this core         */
	bool chooses;         /* `own` is good for something                     */
	bool origin;          /* packets come back where they left               */
	uint32_t relay;       /* the core that sends for us, or STEER_NO_RELAY   */
};

struct steer {
	struct hall *hall;    /* NULL: this core is alone                        */
	unsigned me;
	uint32_t claims;
	uint64_t pending;     /* cores whose lanes may hold something for us     */
	uint64_t rings;       /* cores to ring for                               */
	uint64_t wakes;       /* cores that slept when we rang                   */
	unsigned from;        /* who handed over the packet in work ...          */
	uint32_t adopt;       /* ... and the number of its keeping, 0: none      */
	bool lodges;          /* the segment in work may stay here, where it is not at home */
	struct hashmap away_map, guest_map;
	struct pool aways, guests;
	struct list away_list; /* oldest first                                   */
	struct list goodbyes;  /* guests gone whose home has not been told yet   */
	struct list guest_list; /* all of them                                   */
	struct census census;
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

struct stack;
struct segment_from;

/* The records of exceptions; address space until there are any. */
bool steer_init(struct steer *r, struct region *mem, const struct stack_cfg *cfg);

/* Everything others have left for us, a few bursts of packets at most.  How many packets. */
unsigned steer_rx(struct stack *st, int64_t now);

/* It has not been told yet what others keep: packets wait. */
static inline bool
steer_joins(const struct steer *r)
{
	return unlikely(r->census.joins);
}

/* Rings for whom something was left. */
void steer_ring(struct stack *st);

/* When to look at what others have left: now, soon, or when they ring. */
int64_t steer_deadline(const struct stack *st, int64_t now);

/* Nobody on this core knows the segment.  HANDED_OVER, or a drop: it is another core's.
 * SEG_OK: it is for this core to answer. */
enum fate steer_segment(struct stack *st, const struct segment_from *from,
                        const struct tcp_tuple *t, uint32_t hash, const struct tcp_seg *s,
                        int64_t now);

/* The same for an ICMP error; `hop` counts the cores that have looked before.  False: it
 * ends here. */
bool steer_icmp(struct stack *st, const struct icmp_error *err, const struct tcp_tuple *t,
                uint32_t hash, unsigned hop);

/* Tells all cores what ARP said on `port`. */
void steer_neighbour(struct stack *st, unsigned port, const struct ip_addr *ip,
                     const struct mac_addr *mac, enum neigh_kind kind);

/* A segment that steer_segment() left here although the core is not its home has been dealt
 * with: if it has made a flow, home hears of it. */
void steer_lodge(struct stack *st, const struct tcp_tuple *t, uint32_t hash);

/* Tells the home of a guest that it is here, or that it is not to be told of any more.  False:
 * no room, or nobody there. */
bool steer_tell(struct stack *st, struct guest *g, enum hall_op op);

/* The core that a flow hashes to, whether somebody sits there or not; its hash. */
unsigned steer_primary(const struct stack *st, unsigned port, const struct tcp_tuple *t,
                       uint32_t *hash);

/* A segment that this core keeps for its home has met `fate`. */
void steer_kept(struct stack *st, const struct tcp_tuple *t, uint32_t hash, enum fate fate);

/* Nothing of a flow may be left here. */
void steer_look_gone(struct stack *st, const struct tcp_tuple *t, uint32_t hash);

/* The ports whose replies from anybody to `local` reach this core; NULL: all. */
const struct rss_ports *steer_ports(const struct stack *st, const struct ip_addr *local);

/* Replies to `t`, whose port was not chosen by those, shall reach this core.  False: the
 * home cannot be told. */
bool steer_claim(struct stack *st, const struct tcp_tuple *t, uint32_t hash);

/* A listener of the port is there, or the last one has gone. */
void steer_listen(struct stack *st, uint16_t port, bool on);

/* Sends through the port's relay; how many were taken. */
unsigned steer_send(struct stack *st, unsigned port, struct io_pkt *pkts, unsigned n);

/* Nobody will sit here any more: gives back what was left. */
void steer_leave(struct stack *st);
