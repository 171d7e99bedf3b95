/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What one run is made of, drawn from its seed.  Each fault has a strength of
 * its own and is off in half of the runs, since faults hide each other; sizes,
 * windows and sequence numbers aim at their edges.
 */
#pragma once

#include "test/sim/host.h"

#define SWARM_FLOWS_MAX 50u
#define SWARM_PORT      80u   /* where both hosts listen                      */
#define SWARM_BOUND     20000u /* local port of flow 0, so that its ISN can be chosen */

/* How an end finishes. */
enum swarm_end_mode {
	SWARM_SHUT,   /* half-close when all is written, close at the peer's FIN */
	SWARM_CLOSE,  /* close as soon as all is written and read                */
	SWARM_LINGER, /* as SHUT, but only when our FIN is acknowledged too      */
	SWARM_N_MODES
};

struct swarm_end {
	uint32_t total;       /* bytes to send                                   */
	uint32_t slice;       /* bytes of one write                              */
	int64_t pause;        /* between writes; 0: as fast as the stream takes  */
	uint32_t lazy;        /* chance in a million not to read                 */
	uint32_t gulp;        /* bytes of one read                               */
	enum swarm_end_mode mode;
	uint16_t opt_bits;
	uint32_t abort_after; /* bytes written and read; UINT32_MAX: never       */
};

struct swarm_flow {
	unsigned client;      /* host 0 or 1                                     */
	uint16_t bind;        /* local port; 0: the stack's choice               */
	int64_t start;
	bool may_fail;        /* somebody aborts it                              */
	struct swarm_end end[2]; /* client's, server's                           */
};

struct swarm {
	struct net_cfg net;
	struct stack_cfg cfg[2];
	int64_t epoch[2];
	int64_t attack_every; /* 0: no attacker                                  */
	int64_t accept_pause; /* how long connections wait to be accepted        */
	int backlog;
	bool tight;           /* few connections: refusals are no fault          */
	unsigned n_flows;
	struct swarm_flow flow[SWARM_FLOWS_MAX];
};

void swarm_draw(struct swarm *s, uint64_t seed);
/* A line or two about it. */
void swarm_print(const struct swarm *s);
