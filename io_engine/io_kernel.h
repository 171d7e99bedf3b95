/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The kernel beside us, as an engine: what is sent here the kernel of this host receives on a
 * TAP interface, and what it sends by that interface is received here.  The interface stands
 * for a port of the stack, with that port's link address, so that both are one host to the
 * network; who gets which packet is core/except.c's to say.
 *
 * One queue of the interface a core, nothing shared.  Needs CAP_NET_ADMIN, or an interface that
 * was made for this user before (`ip tuntap add NAME mode tap multi_queue user USER`).
 */
#pragma once

#include "base/ip_addr.h"
#include "io_engine/io.h"

#define IO_KERNEL_NAME_MAX 16u /* of an interface, with its end: Linux's IFNAMSIZ */

struct io_kernel_addr {
	struct ip_addr ip;
	uint8_t prefix; /* bits of 128, 96 + n for IPv4 */
};

struct io_kernel_config {
	const char *name;  /* of the interface                                          */
	uint8_t mac[6];    /* the port's                                                */
	uint16_t mtu;      /* bytes of the largest IP packet, as the port's             */
	const struct io_kernel_addr *addr; /* what the interface gets when it is made here */
	unsigned n_addrs;
};

/* Opens a queue of the interface.  One that does not exist is made, gets the link address, the
 * MTU and the addresses, and goes with its last queue.  One that exists keeps its addresses, and
 * has to have the link address, or to take it.  0, or -errno with `err` telling what is wrong;
 * `*out` is closed by its close(). */
int io_kernel_open(const struct io_kernel_config *cfg, struct io **out, char *err, size_t errlen);

/* The same engine on a descriptor that reads and writes one frame at a time, for tests; it is the
 * engine's from now on.  NULL: no memory. */
struct io *io_kernel_on(int fd, const uint8_t mac[6], uint16_t mtu);
