/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The exception path: what arrives at a port and is nobody's here goes to the kernel beside us, and
 * what the kernel sends goes out by the port.  The kernel has the port's addresses, too, so that
 * ssh, ping, tcpdump or a routing daemon live on the same address as our sockets: a port that
 * somebody listens on here is ours, every other is the kernel's.
 *
 * ARP, neighbour discovery and ICMP errors both hear; we alone say where our addresses are, the
 * kernel alone answers echo.  Each way is limited to so many packets a second, so that a flood for the kernel costs us no more
 * than that, nor one from it.
 */
#pragma once

#include "core/icmp.h"
#include "io_engine/io.h"
#include "tcp/tcp_fate.h"

struct stack;

/* One port's. */
struct except {
	struct io *io; /* NULL: there is no kernel beside this port */
	struct icmp_rate up, down;
};

/* `io` (an engine such as io_kernel.c's, which stays the caller's) is the kernel beside the port, from now
 * on; `rate`: packets a second each way, 1 and more. */
void except_begin(struct stack *st, unsigned port, struct io *io, uint32_t rate, int64_t now);

/* A frame has met its fate: the kernel gets a copy, if it is one that the kernel should see.
 * Returns the fate that counts. */
enum fate except_frame(struct stack *st, unsigned port, const struct io_pkt *pkt, enum fate fate,
                       int64_t now);

/* Sends on what the kernel has sent; how many frames that were. */
unsigned except_take(struct stack *st, unsigned port, int64_t now);
