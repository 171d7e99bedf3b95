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
 * What lives elsewhere than at home has a *keeper*, and home knows it: keeper.h.
 *
 * Where packets come back on the queue they left by (memif, virtio-user) a flow opened to us
 * is at home where its SYN arrived.
 *
 * Where the cores are of several processes some may be missing: census.h says who stands in
 * for them.  What a process accepts stays with the process on whose queue it arrived, so that
 * nothing of it ends with another one; home is told by a claim.
 *
 * So a packet is handed over twice at most (handover.h): to home, and on to the keeper.  ARP's
 * replies go to all cores as messages (words.h), ICMP errors to home.
 */
#pragma once

#include "core/census.h"
#include "core/hall.h"
#include "core/keeper.h"
#include "core/rss.h"
#include "core/stack_cfg.h"
#include "io_engine/io.h"
#include "tcp/tcp_fate.h"

/* Flags of a packet between cores (struct io_pkt.flags). */
enum {
	STEER_HOME = 1 << 12, /* the receiver is its home                        */
	STEER_KEEP = 1 << 13, /* the receiver is its keeper                      */
	STEER_MEET = 1 << 14, /* a fragment: the receiver puts it together       */
	STEER_WHOLE = 1 << 15, /* put together here: no packet of the engine's    */
};

#define STEER_NO_RELAY UINT32_MAX

/* How one port's flows are divided among the cores. */
struct steer_port {
	struct rss rss;
	struct rss_ports own, own6; /* the ports whose replies reach this core   */
	bool chooses, chooses6; /* `own`, `own6` is good for something           */
	bool origin;          /* packets come back where they left               */
	uint32_t relay;       /* the core that sends for us, or STEER_NO_RELAY   */
};

struct steer {
	struct hall *hall;    /* NULL: this core is alone                        */
	unsigned me;
	uint64_t pending;     /* cores whose lanes may hold something for us     */
	uint64_t rings;       /* cores to ring for                               */
	uint64_t wakes;       /* cores that slept when we rang                   */
	unsigned from;        /* who handed over the packet in work ...          */
	uint32_t adopt;       /* ... and the number of its keeping, 0: none      */
	bool lodges;          /* the segment in work may stay here, where it is not at home */
	struct keepings kept;
	struct census census;
};

struct stack;
struct segment_from;

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

/* The core that a flow hashes to, whether somebody sits there or not; its hash. */
unsigned steer_primary(const struct stack *st, unsigned port, const struct tcp_tuple *t,
                       uint32_t *hash);

/* The core where it is at home today. */
unsigned steer_home(const struct stack *st, unsigned port, const struct tcp_tuple *t);

/* The ports whose replies from anybody to `local` reach this core; NULL: all. */
const struct rss_ports *steer_ports(const struct stack *st, const struct ip_addr *local);

/* A listener of the port is there, or the last one has gone. */
void steer_listen(struct stack *st, uint16_t port, bool on);

/* Whether another core listens on the port. */
bool steer_others_listen(const struct stack *st, uint16_t port);

/* Whether another process may still have to tell this core what it keeps. */
static inline bool
steer_is_unsure(const struct steer *r, int64_t now)
{
	return r->hall && r->hall->far && census_unsure(&r->census, r->hall, now);
}

/* Nobody will sit here any more: gives back what was left. */
void steer_leave(struct stack *st);
