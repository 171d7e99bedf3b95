/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Between the files of the DPDK engine: io_dpdk_eal.c starts the environment,
 * io_dpdk_port.c opens devices, io_dpdk.c moves packets.
 */
#pragma once

#include <signal.h>

#include <rte_ethdev.h>
#include <rte_mbuf.h>
#include <rte_mempool.h>

/* DPDK has names of ours; what its headers wanted with them is done. */
#undef NS_PER_S
#undef container_of

#include "io_engine/io_dpdk.h"
#include "io_engine/io_dpdk_args.h"
#include "io_engine/io_dpdk_log.h"

#define IO_DPDK_SIGNALS 64

struct io_dpdk {
	struct io_dpdk_log *log;
	struct io_dpdk_args args;
	bool opened[RTE_MAX_ETHPORTS]; /* belongs to a logical port            */
	int signals[IO_DPDK_SIGNALS];  /* whose disposition we have changed    */
	unsigned n_signals;
	bool left;                     /* devices are others', too               */
	bool refused;                  /* a device did not start, nor may it end */
	bool shared, secondary;        /* the environment is                     */
	bool own_runtime_dir;          /* RUNTIME_DIRECTORY is of our making   */
	char runtime_dir[256];         /* of the environment; removed at stop  */
};

/* How a queue waits for packets. */
enum io_dpdk_wait {
	IO_DPDK_WAIT_NONE,
	IO_DPDK_WAIT_FD,   /* a descriptor that is readable while packets wait */
	IO_DPDK_WAIT_INTR, /* interrupts, enabled before each sleep            */
};

/* What one core has of a port: one queue pair of one device. */
struct io_dpdk_queue {
	struct io io;
	uint16_t dev, queue;          /* DPDK's port id and queue id                   */
	bool entered;                 /* this queue's thread has been made known       */
	bool unknown;                 /* ... and shall not be                          */
	bool comes_and_goes;          /* the kernel is told when nobody reads, see begin() */
	uint16_t aside_at, aside_n;
	uint16_t n_adopted;           /* queues of processes that are not there        */
	struct rte_mempool *pool;
	enum io_dpdk_wait wait;
	int fd;                       /* for rx_fd()                                   */
	uint64_t rx_dropped, tx_dropped;
	struct rte_mbuf *aside[IO_BURST]; /* received while looking before a sleep      */
	struct io_info info;
	uint16_t cores, dealt;        /* of each process: cores, and queues            */
	uint16_t adopted[64];
	int lcore;                    /* that its thread got, or -1                    */
};

/* Sends what DPDK and its libraries print on stdout and stderr to the log, until
 * io_dpdk_unhush().  For set-up only: it holds for the whole process. */
struct io_dpdk_hush {
	FILE *out, *err;
};

struct io_dpdk_hush io_dpdk_hush(struct io_dpdk *dpdk);
void io_dpdk_unhush(struct io_dpdk_hush was);

/* What people forget most, to close a line about a failure; may be "". */
const char *io_dpdk_hint(void);

/* Makes one more virtual device like DPDK's port `*dev`, by the same driver with the same
 * arguments; its port in `*dev`.  -errno: it cannot be had. */
int io_dpdk_another(uint16_t *dev);

/* The first Ethernet device from `id` on that no other device owns, or
 * RTE_MAX_ETHPORTS. */
static inline uint16_t
io_dpdk_next(uint16_t id)
{
	return (uint16_t)rte_eth_find_next_owned_by(id, RTE_ETH_DEV_NO_OWNER);
}

/* Whether the kernel is to put packets into a TAP's queue: 0, also when it is so, or -errno. */
int io_dpdk_tap_attach(int fd, bool attach);

/* Makes `q` an engine over a queue that is set up and started, or over none (q->info.queue
 * is IO_NO_QUEUE: only its pool is used); the fields above
 * `entered`, comes_and_goes, pool, wait, fd and info are the caller's to fill. */
void io_dpdk_queue_init(struct io_dpdk_queue *q);

/* What the started device `dev` with `queues` queues does with `types` (RTE_ETH_RSS_*) of
 * packets; makes it symmetric if it can be.  False: nothing that could be relied on. */
bool io_dpdk_rss(uint16_t dev, const struct rte_eth_dev_info *info, unsigned queues,
                 uint64_t types, struct io_rss *rss);
