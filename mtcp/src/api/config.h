/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The .conf file: the only place that reads configuration.  A table of keys
 * (name, type, unit, range, default, where it goes) drives parsing, checking,
 * --dump-config and the manual page's test.
 */
#pragma once

#include <stdio.h>

#include "core/stack_cfg.h"
#include "io_engine/io_kernel.h"

#define CONFIG_CORES_MAX  64u
#define CONFIG_TEXT_MAX   1024u
#define CONFIG_NAME_MAX   256u
#define CONFIG_ARP_MAX    256u
#define CONFIG_ROUTES_MAX 256u
#define CONFIG_ADDRS_MAX  (STACK_PORTS_MAX * STACK_PORT_ADDRS_MAX)
#define CONFIG_KEYS_MAX   136u

/* How a port reaches its packets, wrapped or not. */
struct config_port {
	char name[CONFIG_NAME_MAX]; /* `port`: ethdevs that make up this logical port    */
	struct stack_port_cfg ip;   /* `address`, `mtu`                                  */
};

/* One direction of the impairment; the members are those of struct io_fault_dir. */
struct config_fault {
	uint32_t loss_ppm, dup_ppm, reorder_ppm, corrupt_ppm;
	int64_t delay_ns, jitter_ns, reorder_ns;
	uint64_t rate_bps;        /* 0: no limit                                         */
	uint32_t hold;            /* packets held at a time; more are lost               */
	uint32_t queue_bytes;     /* that wait for the rate; 0: as hold                  */
	uint32_t mark_bytes;      /* beyond which ECN marks; 0: never                    */
	uint64_t seed;            /* `fault_seed`: the same in both directions           */
};

struct config_arp {
	struct ip_addr ip;
	uint8_t prefix;
	uint8_t mac[6];
};

/* -- as written; `port` may be defined later in the file ------------------------- */

struct config_address {
	char port[CONFIG_NAME_MAX]; /* empty: the first                                  */
	struct stack_addr addr;
};

struct config_mtu {
	char port[CONFIG_NAME_MAX]; /* empty: all that are not named                     */
	uint16_t mtu;
};

struct config_exception {
	char port[CONFIG_NAME_MAX]; /* empty: the first                                  */
	char tap[IO_KERNEL_NAME_MAX];
};

struct config_route {
	struct stack_addr to;     /* prefix 96 (::/0: 0): the default route by way of ip */
	char port[CONFIG_NAME_MAX];
	unsigned line;            /* of `route_file`                                     */
};

/* Who gave a key its value. */
enum config_source { CONFIG_DEFAULT, CONFIG_FILE, CONFIG_SET };

struct config_origin {
	enum config_source source;
	unsigned line;            /* CONFIG_FILE: of `file`; the first, for a list       */
};

/* A value without pointers to itself, so it can be copied; large: belongs on the heap. */
struct config {
	struct stack_cfg stack;   /* what every core is told (secret, core: filled later) */

	/* -- machine ------------------------------------------------------------- */
	unsigned num_cores;       /* pairs that may be created                           */
	uint64_t core_mask;       /* CPUs that may be used; 0: all                       */
	int stack_core;           /* offset of the stack thread's CPU; 0: the same       */
	bool multiprocess;        /* others may have the same addresses                  */
	unsigned processes;       /* that serve together; 0: this one alone              */
	int place;                /* of this process; -1: the first that is free         */
	char multiprocess_name[64]; /* that they find each other by; empty: the address  */
	unsigned first_core;      /* this process's core 0 among all; known when it has joined */
	char shared_dpdk[64];     /* the name of DPDK's environment, if they share it     */
	bool secondary;           /* ... and another one has made it                      */
	char eal_args[CONFIG_TEXT_MAX];
	char dpdk_log[32];        /* DPDK's --log-level; empty: quiet                    */
	unsigned num_mem_ch;
	uint64_t memory;          /* bytes for packet buffers; 0: the engine's default   */
	bool telemetry;           /* DPDK's telemetry socket                             */

	/* -- ports ------------------------------------------------------------------ */
	struct config_port port[STACK_PORTS_MAX];
	unsigned n_ports;
	uint32_t rx_ring, tx_ring; /* descriptors                                       */
	uint32_t mbufs;            /* per queue; 0: what rings and bursts need          */
	bool rx_interrupts;        /* sleep on the port's interrupts where it has them  */
	bool checksum_offload;     /* let the port do checksums where it can            */
	bool promiscuous;
	bool has_rss_key;          /* rss_key is what ports hash with that do not tell  */
	uint8_t rss_key[IO_RSS_KEY_LEN];
	bool address_check;        /* ask the link whether an address is taken          */
	struct config_exception exception[STACK_PORTS_MAX]; /* ports with a kernel beside them */
	unsigned n_exceptions;
	uint32_t exception_rate;    /* packets a second to and from the kernel, of a core */
	struct config_fault fault_rx, fault_tx;
	char pcap[CONFIG_NAME_MAX]; /* file to write every frame to; empty: none; %q: core */
	uint32_t pcap_snaplen;
	uint64_t pcap_max_bytes;   /* 0: no limit                                       */

	/* -- the pair ------------------------------------------------------------- */
	int64_t spin_ns;           /* looks again this long before it sleeps            */
	int64_t idle_poll_ns;      /* sleep between polls on ports without interrupts   */

	/* -- sizes as asked for, before stack.* was derived from them --------------- */
	uint32_t max_num_buffers;  /* connections that may hold data at a time          */
	uint32_t rcvbuf, sndbuf;   /* bytes, fixed; 0: sized automatically              */

	/* -- neighbours and routes -------------------------------------------------- */
	struct ip_addr gateway;    /* IP_ANY: none                                      */
	struct config_arp arp[CONFIG_ARP_MAX];
	unsigned n_arp;
	struct config_route route[CONFIG_ROUTES_MAX];
	unsigned n_routes;
	char route_file[CONFIG_NAME_MAX]; /* where they came from                       */

	/* -- output ------------------------------------------------------------------ */
	bool stat_print;           /* the per-second lines                              */
	char stat_port[CONFIG_NAME_MAX]; /* a port that `stat_print` named, as it used to */

	/* -- as written -------------------------------------------------------------- */
	struct config_address address[CONFIG_ADDRS_MAX];
	unsigned n_addresses;
	struct config_mtu mtu[STACK_PORTS_MAX];
	unsigned n_mtus;
	char file[CONFIG_NAME_MAX]; /* where it came from                               */
	struct config_origin origin[CONFIG_KEYS_MAX]; /* which line set each key         */
};

/* Every default. */
void config_default(struct config *cfg);

/* Reads FILE and, where they exist, arp.conf and route.conf in `config/` below
 * the working directory or beside FILE.  Each problem is one line
 * "FILE:LINE: what is wrong (what to do)" on `err` (may be NULL).  Returns the
 * number of problems: 0 means that every line was understood; config_check()
 * then tells whether the whole can be used.  `cfg` has its defaults before. */
int config_load(struct config *cfg, const char *file, FILE *err);

/* The same from text, for programs that embed a stack; `name` stands for the file
 * in messages.  Reads no file. */
int config_parse(struct config *cfg, const char *name, const char *text, FILE *err);

/* One "key = value" on top of what is loaded; a list is replaced as a whole.  0 or
 * the number of problems, and then `cfg` is as before. */
int config_set(struct config *cfg, const char *assignment, FILE *err);

/* What only the whole can tell (an address at least, names of ports, buffers that
 * fit, …).  0 or the number of problems. */
int config_check(const struct config *cfg, FILE *err);

/* Effective values, a line each: "key = value  # FILE:LINE" or "# default".  Can
 * be read again. */
void config_dump(const struct config *cfg, FILE *out);

/* Ends the use of `cfg`: nothing of it may be used after. */
void config_free(struct config *cfg);
