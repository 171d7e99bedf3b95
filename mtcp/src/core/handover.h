/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Packets that pass from core to core through the hall's lanes: those that arrived on the wrong
 * core, and those of a core without a queue of its own, which another sends for it.  A core of
 * this process gets the packet itself, one of another process a copy.
 */
#pragma once

#include "core/hall.h"
#include "io_engine/io.h"
#include "tcp/tcp_fate.h"

struct stack;
struct segment_from;

/* Hands a received packet to core `to`, as STEER_HOME, STEER_KEEP or STEER_MEET; `adopt` is the number of
 * the keeping that begins with it, or 0.  Its sums have been looked at, and were good.
 * HANDED_OVER: it is not the caller's any more; else why it is dropped, counted. */
enum fate handover_to(struct stack *st, unsigned to, const struct segment_from *from, unsigned as,
                      uint32_t adopt);

/* Takes what core `from` has left, a few bursts at most: received packets go through
 * ip_frame_in(), others are sent for it.  How many were received. */
unsigned handover_take(struct stack *st, unsigned from, int64_t now);

/* Sends through the port's relay; how many were taken. */
unsigned handover_send(struct stack *st, unsigned port, struct io_pkt *pkts, unsigned n);

/* Nobody will take what cores of this process have left here. */
void handover_give_back(struct stack *st);
