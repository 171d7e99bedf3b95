/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * An engine on a kernel's interface by a plain AF_PACKET socket, for tools that
 * forward frames: both ends of a forwarder share one pool, so that what one
 * received the other may send.  Whole frames with finished sums only, so the
 * offloads of the interface's other side have to be off.
 */
#pragma once

#include "io_engine/io.h"

#define PACKET_ROOM 2048u

struct packet_pool;

/* `n` buffers of PACKET_ROOM bytes, or NULL. */
struct packet_pool *packet_pool_new(uint32_t n);
void packet_pool_free(struct packet_pool *pool);

struct packet_counts {
	uint64_t received, sent;
	uint64_t refused;  /* by the interface; the caller has them still          */
	uint64_t oversize; /* frames that a wire has no room for: an offload is on */
	uint64_t missed;   /* frames that came faster than they were read          */
};

/* An engine on `interface` of the calling thread's network namespace, or NULL and
 * errno.  Needs CAP_NET_RAW.  The pool must live as long. */
struct io *io_packet_new(const char *interface, struct packet_pool *pool);

/* The counters so far.  `io` is of io_packet_new(). */
void io_packet_counts(struct io *io, struct packet_counts *counts);
