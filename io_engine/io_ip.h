/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A port whose wire is the caller: it gives IP packets and takes those that the
 * stack sends, with the time at which they left.  There is no link layer; the
 * stack sees one Ethernet neighbour, IO_IP_PEER, behind which everybody lives,
 * and whatever is not IP is swallowed.
 *
 * A packet that is given lies in memory of exactly its size, so that reading past
 * its end is seen by a memory checker.  One thread; reads no clock.
 */
#pragma once

#include "io_engine/io.h"

/* The link addresses of the port and of the one neighbour. */
#define IO_IP_SELF { 2, 0, 0, 0, 0, 1 }
#define IO_IP_PEER { 2, 0, 0, 0, 0, 2 }

struct io_ip_config {
	unsigned rx_depth; /* packets given and not yet looked at; 0 means 1024     */
	unsigned tx_depth; /* packets sent and not yet taken; 0 means 1024          */
	uint16_t mtu;      /* largest IP packet to be sent; 0 means 1500            */
	bool rx_good;      /* vouch for the checksums of what is given              */
};

/* A new port, or NULL when memory is short. */
struct io *io_ip_new(const struct io_ip_config *cfg);

/* Room for larger packets from the next alloc() on; never less than before. */
void io_ip_mtu(struct io *io, uint16_t mtu);

/* A packet of `len` bytes, 1..65535, arrives: it is copied, and rx() gives it next time.
 * 0, -ENOBUFS (`rx_depth` packets wait) or -ENOMEM. */
int io_ip_give(struct io *io, const void *pkt, uint32_t len);

/* How many packets were given and not looked at. */
unsigned io_ip_given(struct io *io);

/* The packet that was sent longest ago: its bytes, until io_ip_drop(), its length and when
 * it was sent.  NULL: none. */
const uint8_t *io_ip_sent(struct io *io, uint32_t *len, int64_t *at);
void io_ip_drop(struct io *io);
