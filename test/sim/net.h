/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A network in virtual time: a switch with a few ports, every frame spoiled as
 * the seed says.  A port is an engine for a stack, or is played by hand with
 * net_send() and net_take().  Frames are pieces of memory of exactly their
 * size, so that reading past an end shows.
 */
#pragma once

#include "base/rng.h"
#include "io_engine/io.h"

#define NET_PORTS 4u

/* Chances are in a million; zero switches a fault off. */
struct net_cfg {
	uint64_t seed;
	uint16_t mtu;       /* of every port; 0: 1500                               */
	uint32_t caps;      /* IO_CAP_* of every port                               */
	int64_t latency_ns; /* of every frame                                       */
	int64_t jitter_ns;  /* plus 0..jitter_ns: reorders                          */
	uint64_t rate_bps;  /* of each port's line out; 0: no limit                 */
	unsigned queue;     /* frames that wait for the line; more are lost         */
	unsigned mark_queue; /* behind so many they are marked (RFC 3168); 0: not    */
	uint32_t ce;        /* marked whatever waits                                */
	uint32_t loss_of[NET_PORTS]; /* of what this port sends, besides            */
	uint32_t loss, dup, corrupt;
	uint32_t reorder;           /* late by reorder_ns, and overtaken                    */
	int64_t reorder_ns;
	uint32_t arp_loss;
	uint32_t split;             /* a box cuts TCP segments in two that may overlap      */
	uint32_t full;              /* the engine takes only a part of a burst              */
	uint32_t starve;            /* the engine has no empty packet                       */
	int64_t dark_from, dark_to; /* nothing arrives                                  */
	uint16_t path_mtu;          /* what a router in between passes on; 0: anything  */
	bool path_says;             /* it answers by ICMP what it drops                 */
	int64_t path_at;            /* it appears then                                  */
};

/* Sees every frame that a port sends, before anything happens to it. */
typedef void net_tap(void *arg, unsigned from, const uint8_t *frame, uint32_t len);

struct net_stats {
	uint64_t sent, delivered, lost, duplicated, corrupted, split, dark;
	uint64_t marked;
	uint64_t astray; /* for a link address that no port has */
};

struct net;

struct net *net_new(const struct net_cfg *cfg);
void net_free(struct net *n);

/* What the faults are from now on; the seed is not looked at. */
void net_set(struct net *n, const struct net_cfg *cfg);
void net_set_tap(struct net *n, net_tap *tap, void *arg);
/* From now on every frame sent goes to a capture file; false: it cannot be written. */
bool net_capture(struct net *n, const char *path);

/* The engine of port `i`, 0..NET_PORTS-1; its link address is net_mac(i). */
struct io *net_port(struct net *n, unsigned i);
void net_mac(unsigned i, uint8_t mac[6]);
/* Port `i` is played by hand. */
void net_plug(struct net *n, unsigned i);

/* Time passes. */
void net_time(struct net *n, int64_t now);
int64_t net_now(const struct net *n);

/* When the next frame arrives at any stack, or at one port; TIME_NEVER: none is under way. */
int64_t net_next(const struct net *n);
int64_t net_next_at(const struct net *n, unsigned i);

/* Port `from` sends a frame by hand; it is spoiled like any other. */
void net_send(struct net *n, unsigned from, const uint8_t *frame, uint32_t len);
/* A frame appears at port `to` at once, unspoiled. */
void net_inject(struct net *n, unsigned to, const uint8_t *frame, uint32_t len);
/* The next frame that has arrived at a port played by hand; its length, 0: none. */
uint32_t net_take(struct net *n, unsigned at, uint8_t *buf, uint32_t size);

/* Packets that a port's stack holds: 0 when it has given back everything. */
unsigned net_held(const struct net *n, unsigned i);
const struct net_stats *net_stats(const struct net *n);
