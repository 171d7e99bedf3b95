/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Two stacks in one thread, a wire in memory between them, virtual time: a server
 * whose instructions are counted and a client that gives it work.  Both have the
 * sockets API; the server's application runs as any application does, and when it
 * waits the world goes on: the client's turn, the server's step, the client's turn ...
 *
 * What is counted is chosen by `counted`: the server's steps, or what its application
 * does between two waits, calls into the library included.  The wire, the client and
 * the clock never are.
 */
#pragma once

#include "api/context.h"
#include "core/stack.h"
#include "io_engine/io.h"

#define WORLD_TURN US(10) /* of virtual time: what a round trip takes at least */
#define WORLD_SEGMENT 1448u /* bytes of text in a full segment, with timestamps */
#define WORLD_FRAME   1514u /* ... and what the wire carries for it             */

enum part { NOBODY, STACK, APP, BOTH };

#define WORLD_CORES 32u

struct hall;
struct world_wire;
struct world;

/* Several worlds whose servers are the cores of one host: one address, one hall, a port whose
 * queues are the worlds' wires.  What a server sends goes to the client whose link address it
 * names. */
struct world_town {
	unsigned cores;
	struct hall *hall;            /* NULL: one core                  */
	struct io_rss rss;            /* what the port tells             */
	struct world *core[WORLD_CORES];
};

struct side {
	struct pair pair;
	struct mtcp_context ctx;
	struct world *world;
	struct stack *st;
	struct channel *ch;
	struct io *io;
	struct region mem;
	int64_t deadline;
	uint32_t posted;
};

struct world {
	struct side server, client;
	struct world_wire *wire;
	struct world_town *town;        /* NULL: a host of its own                    */
	unsigned number;                /* in the town                                */
	int64_t now;
	enum part counted;
	bool in_step;                   /* of the server                              */
	void (*load)(struct world *w);  /* the client's application: one turn of it   */
	void *state;                    /* its own                                    */
	bool served;                    /* the server's application waits for events  */
	bool over;                      /* the server's application shall return      */
	uint64_t units_before;          /* what world_units() was when counting began */
};

/* What a port can do: sums in hardware, as NICs can, or nothing. */
#define WORLD_NIC (IO_CAP_TX_IP_SUM | IO_CAP_TX_TCP_SUM | IO_CAP_RX_IP_SUM | IO_CAP_RX_L4_SUM)

/* Never fails: a bench without memory ends here. */
struct world *world_new(uint32_t caps, void (*load)(struct world *w), void *state);
void world_free(struct world *w);

/* World `number` of a town, whose other members are there. */
struct world *world_new_in(struct world_town *town, unsigned number, uint32_t caps,
                           void (*load)(struct world *w), void *state);

/* The client's address. */
struct ip_addr world_client_ip(const struct world *w);

/* The server's address, port 80. */
struct sockaddr_in world_server(void);

/* Client, server, client; then time passes, as much as nothing happens in. */
void world_turn(struct world *w);
/* The server's step alone, counted if steps are. */
void world_step(struct world *w);
/* What the server's application does, counted if that is. */
void world_app(struct world *w, void (*work)(struct world *w));
/* The client's part of a turn. */
void world_client(struct world *w);
/* When anything has next to happen, at least WORLD_TURN from now. */
int64_t world_next(const struct world *w);
/* Whether the server's stack has a reason to be stepped at this moment. */
bool world_server_due(const struct world *w);

/* From here on `part` of the server is counted; `units` is how many operations there were so far. */
void world_count(struct world *w, enum part part, uint64_t units);
/* No more; what was counted since goes to callgrind under `name`, with how many operations it was
 * good for. */
void world_report(struct world *w, const char *name, uint64_t units);
