/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Any Ethernet device that DPDK drives, chosen by configuration alone.  No type
 * of DPDK's appears here; io_dpdk_absent.c has the same functions for builds
 * without it, where io_dpdk_start() says so.
 *
 * Order of use: io_dpdk_start() once a process, io_dpdk_port_open() per logical
 * port, io_dpdk_queue() per core; then close every queue (io->ops->close), the
 * ports, and io_dpdk_stop().  All but the queues is set-up: from one thread.
 */
#pragma once

#include "io_engine/io.h"

struct io_dpdk;      /* DPDK's environment, started     */
struct io_dpdk_port; /* one logical port, opened        */

#define IO_DPDK_NAME 64 /* room for a device's name */

struct io_dpdk_config {
	const char *eal_args;  /* for DPDK, split as a shell does; NULL: none           */
	const char *log_level; /* DPDK's --log-level, and its log to stderr; NULL: quiet */
	unsigned mem_mb;       /* memory for all pools; 0 means 512                     */
	unsigned mem_channels; /* DPDK's -n; 0: its own choice                         */
	bool telemetry;        /* let DPDK open its telemetry socket                    */
	const char *shared;    /* the name of an environment that processes share; NULL: none */
	bool secondary;        /* of these another one has been the first               */
};

struct io_dpdk_port_config {
	/* Ethernet devices, separated by commas: DPDK's name of each, or dpdkN for
	 * the Nth.  Several make one logical port, each giving queues to it
	 * (net_af_xdp on veth needs one device a queue). */
	const char *devices;
	unsigned cores;    /* queues wanted, one a core; > 0.  When there are fewer the
	                    * last cores have none (io_info.queue)                 */
	unsigned first_core; /* the number of core 0 among those of all processes    */
	unsigned all_cores;  /* how many these are; 0: there are no others           */
	unsigned rx_desc;  /* of each queue; 0 means 1024                          */
	unsigned tx_desc;
	unsigned mbufs;    /* of each queue; 0 means what rings and bursts need    */
	uint16_t mtu;      /* 0: as the device has it, 1500 at most                */
	int numa_node;     /* of pools and rings; -1: the device's own             */
	bool no_rx_wait;   /* do not use receive interrupts                        */
	bool no_offload;   /* do not use the device's checksums                    */
	bool promiscuous;
	/* What the port hashes with, if it does not tell itself: Toeplitz over addresses and
	 * ports of TCP, queues in turn in a table of 128.  NULL: not known. */
	const uint8_t *rss_key;
};

struct io_dpdk_stats {
	uint64_t rx_packets, rx_bytes;
	uint64_t rx_missed;  /* no room in the device's ring                        */
	uint64_t rx_errors;  /* bad frames, and frames for which no buffer was left */
	uint64_t tx_packets, tx_bytes;
	uint64_t tx_errors;
};

/* Whether this build has DPDK. */
bool io_dpdk_built(void);

/* Starts DPDK's environment: on a thread of its own, so the caller's affinity
 * stays; with hugepages when enough are free, else without any.  0 and *out, or
 * -errno and one line in `err` that quotes what DPDK logged.  Blocks about 0.2 s.
 * Once a process: DPDK cannot start again after io_dpdk_stop() (-EALREADY). */
int io_dpdk_start(const struct io_dpdk_config *cfg, struct io_dpdk **out, char *err,
                  size_t errlen);

/* What is closed from now on stays as it is until the process ends, since other processes use
 * the same devices, and closing would take an interface down or a program off it. */
void io_dpdk_leave(struct io_dpdk *dpdk);

/* Ends what io_dpdk_start() began, after all ports are closed; nothing stays
 * behind: devices, files, signal dispositions.  NULL is allowed. */
void io_dpdk_stop(struct io_dpdk *dpdk);

/* How many Ethernet devices there are, and the name of the nth from 0, or NULL.
 * The name lives in `name`. */
unsigned io_dpdk_devices(const struct io_dpdk *dpdk);
const char *io_dpdk_device_name(const struct io_dpdk *dpdk, unsigned n,
                                char name[IO_DPDK_NAME]);

/* Opens and starts a logical port.  0 and *out, or -errno and one line in `err`:
 * -ENODEV no such device, -ENOSPC one without queues, -EBUSY device in use,
 * -ENOMEM, -EINVAL, or what the device's driver said. */
int io_dpdk_port_open(struct io_dpdk *dpdk, const struct io_dpdk_port_config *cfg,
                      struct io_dpdk_port **out, char *err, size_t errlen);

/* What core `core` (0 .. cores-1) sees of the port.  Valid until its close(),
 * and at the latest until io_dpdk_port_close(). */
struct io *io_dpdk_queue(struct io_dpdk_port *port, unsigned core);

/* Whether the link is up now.  A port whose peer comes later is not in error. */
bool io_dpdk_port_link(const struct io_dpdk_port *port);

/* Packets and bytes since the port was opened; any thread. */
void io_dpdk_port_stats(const struct io_dpdk_port *port, struct io_dpdk_stats *stats);

/* Stops and closes the port's devices.  NULL is allowed. */
void io_dpdk_port_close(struct io_dpdk_port *port);
