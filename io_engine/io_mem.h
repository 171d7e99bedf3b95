/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A wire in memory: two sides, each with the same number of queues.  What is
 * sent on queue i of one side is received on queue i of the other, or where `steer` says.  Frames are
 * copied into a buffer of exactly their size, obtained by malloc() and poisoned
 * before it is freed, so that reading past the end of a frame or after its
 * release is seen by a memory checker.
 *
 * Everything a test does from one thread is deterministic: the wire reads no
 * clock, it is told.  The same wire may also join two threads, one at each end
 * of a queue; with `wake` set, an end can then sleep until a frame comes.
 */
#pragma once

#include "io_engine/io.h"

/* The queue of the other side on which a frame arrives that `side` has sent on `queue`. */
typedef unsigned io_mem_steer(void *arg, unsigned side, unsigned queue, const uint8_t *frame,
                              uint32_t len);

struct io_mem_config {
	unsigned queues;     /* of each side; 0 means 1                             */
	unsigned depth;      /* frames one direction of a queue holds; 0 means 1024 */
	uint16_t mtu;        /* largest IP packet; 0 means 1500                     */
	int64_t latency_ns;  /* from the last bit sent to arrival                   */
	uint64_t rate_bps;   /* bits a second; 0: no serialization time             */
	uint32_t caps;       /* IO_CAP_*_SUM the port shall pretend to have         */
	unsigned pool;       /* buffers an end may hold at a time; 0: no limit      */
	bool drop_when_full; /* lose frames as a router does, instead of refusing   */
	bool wake;           /* rx_fd() works: one eventfd per end                  */
	unsigned idle;       /* ends of each side that have no queue, behind those
	                      * that have one: they only hold packets                */
	io_mem_steer *steer; /* NULL: the queue it was sent on.  Else all ends are one
	                      * thread's                                            */
	void *steer_arg;
	const struct io_rss *rss; /* what `steer` does, for io_info; NULL: unknown   */
};

/* What one end (one queue of one side) has done so far.  A packet may be given back to
 * another end of its side than it came from: then `held` is right for the side only. */
struct io_mem_stats {
	uint64_t sent;     /* frames that tx() took                                 */
	uint64_t received; /* frames that rx() gave                                 */
	uint64_t dropped;  /* taken by tx(), then lost: tap, memory, full           */
	uint64_t held;     /* buffers now with the owner: 0 when nothing leaks      */
};

/* Sees a frame as it goes onto the wire and may change its bytes.  Returns
 * false to swallow it. */
typedef bool io_mem_tap(void *arg, unsigned side, unsigned queue, int64_t now, uint8_t *frame,
                        uint32_t len);

struct io_mem_wire;

/* A new wire, or NULL when memory or descriptors are short.  `cfg` may be NULL
 * for all defaults. */
struct io_mem_wire *io_mem_wire_new(const struct io_mem_config *cfg);

/* Frees the wire, its ends and the frames on it.  Packets that an end still
 * owns are leaked (and so reported by a leak checker). NULL is allowed. */
void io_mem_wire_free(struct io_mem_wire *wire);

/* The end of `side` (0 or 1) and `queue`, or without one from cfg->queues on.  It lives as long as the wire:
 * io->ops->close() only disconnects it, then it neither sends nor receives. */
struct io *io_mem_end(struct io_mem_wire *wire, unsigned side, unsigned queue);

/* Calls `tap` for each frame that any end sends from now on; NULL: no more.
 * Set it before the ends are used by other threads. */
void io_mem_set_tap(struct io_mem_wire *wire, io_mem_tap *tap, void *arg);

/* Puts a frame on the wire as if `side` had sent it on `queue`; not shown to
 * the tap.  False when the wire is full.  Not while another thread sends there. */
bool io_mem_inject(struct io_mem_wire *wire, unsigned side, unsigned queue, int64_t now,
                   const void *frame, uint32_t len);

/* Takes the next frame that has arrived at an end into `buf`: for tests that
 * play the peer by hand.  Its length (cut to `size` in the buffer), 0 if none. */
uint32_t io_mem_read(struct io *end, int64_t now, void *buf, uint32_t size);

/* The counters of one end. */
void io_mem_stats(struct io *end, struct io_mem_stats *stats);
