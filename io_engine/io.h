/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The seam between a stack and whatever carries its packets.  One call moves
 * one burst, so the indirect call is paid once per burst, not once per packet.
 *
 * A `struct io` is what one core sees of one logical port: a receive side and a
 * send side of its own.  Nothing in it is shared with another core.  Engines
 * may be stacked: io_fault.c and io_pcap.c stand around another engine.
 */
#pragma once

#include "base/base.h"

#define IO_BURST 32u /* packets in a burst, at most */

/* What the engine says of a received packet, and the stack of one it sends. */
enum {
	IO_RX_IP_GOOD = 1 << 0, /* header checksum verified by the port            */
	IO_RX_IP_BAD = 1 << 1,
	IO_RX_L4_GOOD = 1 << 2, /* TCP/UDP checksum verified (or not needed)       */
	IO_RX_L4_BAD = 1 << 3,
	IO_RX_HASH = 1 << 4,    /* `hash` is the port's RSS hash                   */
	                        /* bits 12 to 15 are the stack's own                */
	IO_TX_IP_SUM = 1 << 8,  /* the port shall fill in the IPv4 header checksum */
	IO_TX_TCP_SUM = 1 << 9, /* the port shall finish the TCP checksum; the field
	                         * holds the pseudo-header's sum (not inverted)    */
};

/* A packet: a frame from the link layer up, in memory of the engine. */
struct io_pkt {
	uint8_t *data; /* first byte of the Ethernet header          */
	uint32_t len;  /* bytes of the frame                         */
	uint32_t room; /* bytes there are at `data` (for sending)    */
	uint32_t hash; /* RSS hash when IO_RX_HASH                   */
	uint16_t flags;
	uint8_t l2_len, l3_len, l4_len; /* header lengths, with IO_TX_*         */
	void *handle;                   /* the engine's own                     */
};

/* What a port can do (struct io_info.caps). */
enum {
	IO_CAP_TX_IP_SUM = 1 << 0,
	IO_CAP_TX_TCP_SUM = 1 << 1,
	IO_CAP_RX_IP_SUM = 1 << 2,
	IO_CAP_RX_L4_SUM = 1 << 3,
	IO_CAP_RX_WAIT = 1 << 4, /* can sleep until a packet comes: rx_fd() works */
};

/* How a port chooses the queue that a packet arrives on. */
enum io_steering {
	IO_STEER_UNKNOWN, /* any, and another one tomorrow                     */
	IO_STEER_ORIGIN,  /* the one that its sender sent it on                */
	IO_STEER_RSS,     /* io_info.rss tells                                 */
};

/* What is hashed (struct io_rss.types): addresses and ports. */
enum {
	IO_RSS_TCP4 = 1 << 0,
	IO_RSS_TCP6 = 1 << 1,
};

#define IO_RSS_KEY_LEN   40u
#define IO_RSS_TABLE_MAX 512u

/* Toeplitz as the port does it, read from the port. */
struct io_rss {
	uint8_t key[IO_RSS_KEY_LEN];
	uint32_t types;
	unsigned size;                    /* of the table: a power of two      */
	uint16_t table[IO_RSS_TABLE_MAX]; /* the hash's lowest bits -> queue   */
};

#define IO_NO_QUEUE UINT32_MAX

struct io_info {
	uint8_t mac[6];
	uint16_t mtu;    /* largest IP packet                        */
	uint32_t caps;
	unsigned queue;  /* which receive queue of the port this is; IO_NO_QUEUE: none, and none
	                  * to send on: rx() finds nothing, tx() is not to be called          */
	unsigned queues; /* how many the port has: those of cores 0 .. queues-1               */
	enum io_steering steering;
	const struct io_rss *rss; /* with IO_STEER_RSS, as long as the port is open           */
};

struct io;

struct io_ops {
	const char *name;

	/* Somebody looks for packets from now on: once per use, before the first rx() and before
	 * rx_fd().  0 or -errno.  NULL: the port does not mind. */
	int (*begin)(struct io *io);

	/* Up to `n` received packets (n <= IO_BURST).  The stack owns them until it
	 * gives them back by release().  Never blocks. */
	unsigned (*rx)(struct io *io, int64_t now, struct io_pkt *pkts, unsigned n);
	void (*release)(struct io *io, struct io_pkt *pkts, unsigned n);

	/* Up to `n` empty packets to fill; fewer when memory is short. */
	unsigned (*alloc)(struct io *io, struct io_pkt *pkts, unsigned n);

	/* Sends a burst in order.  Returns how many were taken; the others stay the
	 * caller's, which tries again later or releases them. */
	unsigned (*tx)(struct io *io, int64_t now, struct io_pkt *pkts, unsigned n);

	/* When the engine itself next wants rx() or tx() to be called (delayed
	 * packets of io_fault); TIME_NEVER for most. */
	int64_t (*deadline)(struct io *io);

	/* A descriptor that becomes readable when a packet comes, after rx_arm();
	 * -1 when the engine has none.  rx_arm() returns false when packets are
	 * waiting already: do not sleep.  rx_disarm() undoes it. */
	int (*rx_fd)(struct io *io);
	bool (*rx_arm)(struct io *io);
	void (*rx_disarm)(struct io *io);

	void (*info)(struct io *io, struct io_info *info);

	/* Receives what is for these cores, too, a bit each, numbered over all processes: theirs
	 * are not there, and nobody else looks at their queues.  False: nobody else can.  NULL:
	 * the same. */
	bool (*adopt)(struct io *io, uint64_t cores);

	/* Ends this core's use; the port itself ends with its last core. */
	void (*close)(struct io *io);
};

/* Every engine's private struct begins with this. */
struct io {
	const struct io_ops *ops;
};

static inline int
io_begin(struct io *io)
{
	return io->ops->begin ? io->ops->begin(io) : 0;
}

static inline bool
io_adopt(struct io *io, uint64_t cores)
{
	return io->ops->adopt && io->ops->adopt(io, cores);
}

static inline unsigned
io_rx(struct io *io, int64_t now, struct io_pkt *pkts, unsigned n)
{
	return io->ops->rx(io, now, pkts, n);
}

static inline void
io_release(struct io *io, struct io_pkt *pkts, unsigned n)
{
	if (n)
		io->ops->release(io, pkts, n);
}

static inline unsigned
io_alloc(struct io *io, struct io_pkt *pkts, unsigned n)
{
	return io->ops->alloc(io, pkts, n);
}

static inline unsigned
io_tx(struct io *io, int64_t now, struct io_pkt *pkts, unsigned n)
{
	return io->ops->tx(io, now, pkts, n);
}
