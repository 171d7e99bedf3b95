/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What one core's stack is told when it starts.  Everything is a value: a
 * stack reads no file and no clock, and draws no randomness of its own.
 */
#pragma once

#include "base/siphash.h"
#include "core/neigh.h"
#include "core/route.h"
#include "tcp/tcp_cfg.h"

#define STACK_PORTS_MAX     8u
#define STACK_PORT_ADDRS_MAX 8u     /* ranges of addresses ... */
#define STACK_RANGE_MAX      65536u /* ... of so many each     */
#define STACK_RANGE_TOLD     256u   /* of a long one only so many are asked for and announced */
#define STACK_SOCKS_MAX      20000000u
#define STACK_CHUNKS_MAX     60000000u /* sockets say in 32 bits where chunks are */

/* Addresses of ours: `ip` and, of IPv4, `more` that follow it. */
struct stack_addr {
	struct ip_addr ip;
	uint8_t prefix; /* bits; of the 128 for the mapped form: 96 + n for IPv4 */
	uint32_t more;
};

/* What comes before the last 32 bits is the same in all of a range. */
static inline bool
stack_addr_has(const struct stack_addr *a, const struct ip_addr *ip)
{
	return ip_addr_v4_host(ip) - ip_addr_v4_host(&a->ip) <= a->more &&
	       memcmp(a->ip.b, ip->b, 12) == 0;
}

struct stack_port_cfg {
	struct stack_addr addr[STACK_PORT_ADDRS_MAX];
	unsigned n_addrs;
	uint16_t mtu; /* 0: the port's own */
	bool alone;   /* who is behind it is known, and asks for nobody: nothing of IPv6 is announced */
};

struct stack_cfg {
	struct tcp_cfg tcp;
	struct neigh_cfg neigh;

	/* -- sizes: address space, touched on first use ------------------------ */
	uint32_t max_conns;      /* `max_concurrency`: connections                     */
	uint32_t max_socks;      /* sockets: connections, listeners, epolls, pipes     */
	uint32_t max_half_open;  /* SYN-RECEIVED records                               */
	uint32_t max_time_wait;  /* TIME-WAIT records; the oldest makes room           */
	uint32_t max_chunks;     /* buffer chunks of 2 KB, for both directions         */
	uint32_t max_in_flight;  /* records of segments sent and not acknowledged      */
	uint32_t max_paths;      /* peers remembered beyond their connections          */
	uint32_t trace_records;  /* flight recorder; 0: off                            */

	/* -- quotas per step ----------------------------------------------------- */
	uint32_t rx_burst;       /* packets taken from each port, 1..IO_BURST          */
	uint32_t rx_bursts;      /* bursts per port and step                           */
	uint32_t tx_control;     /* segments from the control list                     */
	uint32_t tx_ack;         /* from the ack list                                  */
	uint32_t tx_data;        /* from the data list                                 */

	/* -- secrets and identity -------------------------------------------------- */
	struct siphash_key secret; /* fresh from the operating system at every start   */
	struct siphash_key clock_key; /* of timestamps and cookies: the same for all of this host */
	bool isn_fixed;            /* for tests: every sequence starts at `isn`        */
	uint32_t isn;
	int64_t deaf_ns;           /* after the start no SYN is refused, since who has just started
	                            * is about to listen; it comes again               */
	uint16_t ephemeral_lo;     /* local ports for outgoing connections             */
	uint16_t ephemeral_hi;
	unsigned core;             /* 0..cores-1                                       */
	unsigned cores;

	/* -- network ------------------------------------------------------------ */
	struct stack_port_cfg port[STACK_PORTS_MAX];
	unsigned n_ports;
	struct route_table routes;
};

/* Every default; no port, no address. */
void stack_cfg_default(struct stack_cfg *cfg);
