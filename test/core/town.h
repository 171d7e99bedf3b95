/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Two hosts on a wire in memory, each of several cores that share its address: every core
 * is a stack of its own, stepped in turn from one thread, in virtual time.  Where a frame
 * arrives is the test's to say.  Servers echo; clients say something, hear it back and close.
 */
#pragma once

#include "base/rng.h"
#include "core/stack_priv.h"
#include "io_engine/io_mem.h"
#include "test/sim/host.h"

#define TOWN_CORES 8u
#define TOWN_ALL   0xffu /* cores, a bit each */
#define TOWN_TALKS 512u
#define TOWN_SAYS  100u /* bytes */

struct town_talk {
	struct host *host;
	struct sock *s;
	uint32_t got;
	bool said, kept, over, failed;
};

struct town_side {
	unsigned cores;
	unsigned left;                      /* cores 0 .. left-1 have ended      */
	struct host core[TOWN_CORES];
	struct sock *listener[TOWN_CORES];
	unsigned accepted[TOWN_CORES];
	struct hall *hall;                  /* of the first process               */
	struct region hall_mem;
	/* -- several processes ------------------------------------------------- */
	struct hall *view[TOWN_CORES];      /* each core's                        */
	struct region view_mem[TOWN_CORES]; /* each process's                     */
	unsigned per;                       /* cores of a process; 0: there is one */
	bool dead[TOWN_CORES];
	unsigned deaths;
};

struct town {
	struct io_mem_config cfg;
	struct io_mem_wire *wire;
	struct net *clock;
	struct net_cfg clock_cfg;
	unsigned per;                       /* cores of each process of side 0; 0: one process */
	struct town_side side[2];
	struct town_talk served[TOWN_TALKS], talk[TOWN_TALKS];
	unsigned n_served, n_talks;
	struct rng rng;
	bool fenced;                        /* while a core steps, nobody else's memory is there */
	void (*tune)(struct stack_cfg *cfg, unsigned side, unsigned core);
};

/* `cores` of each side; t->cfg, t->tune and t->rng are the caller's, filled in before. */
void town_open(struct town *t, unsigned cores0, unsigned cores1);
/* Every packet must have been given back, and everything handed over have arrived. */
void town_close(struct town *t);

/* Frames to side 0 arrive on any of its queues, to side 1 on its first (io_mem_config.steer; `arg`
 * is the town). */
unsigned town_anywhere(void *arg, unsigned side, unsigned queue, const uint8_t *frame, uint32_t len);

/* So: side 0 has `cores` cores and `queues` queues, side 1 a core. */
void town_open_random(struct town *t, unsigned cores, unsigned queues);

/* A listener on port 80 of these cores (a bit each). */
void town_listen(struct town *t, unsigned side, unsigned cores);
void town_deaf(struct town *t, unsigned side, unsigned core);
/* A client on a core; `bound`: from a port of its own choice (0: the stack's).  `keep`: it
 * does not close when it has heard. */
struct town_talk *town_talk(struct town *t, unsigned side, unsigned core, uint16_t bound,
                            bool keep);
/* Says it once more. */
void town_again(struct town_talk *k);
/* Core `core` ends, as its runtime would end it. */
void town_leave(struct town *t, unsigned side, unsigned core);

/* Core `core` of several processes is no more, without a word, and, later, comes again. */
void town_kill(struct town *t, unsigned side, unsigned core);
void town_revive(struct town *t, unsigned side, unsigned core);

void town_run(struct town *t, int64_t ns);

/* Sums over the cores of a side. */
uint64_t town_fates(const struct town *t, unsigned side, enum fate f);
uint64_t town_out(const struct town *t, unsigned side);
uint64_t town_in(const struct town *t, unsigned side);
uint64_t town_dropped(const struct town *t, unsigned side);
/* Records of flows that are kept elsewhere than at home. */
unsigned town_exceptions(const struct town *t, unsigned side);
/* How many talks heard everything. */
unsigned town_heard(const struct town *t);

/* Each frame that came to a side met one end: what was handed over met it elsewhere. */
void town_check_accounts(const struct town *t, unsigned side);
