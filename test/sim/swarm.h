/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What one run is made of, drawn from its seed.  Each fault has a strength of
 * its own and is off in half of the runs, since faults hide each other; sizes,
 * windows and sequence numbers aim at their edges.
 */
#pragma once

#include "test/sim/host.h"

#define SWARM_FLOWS_MAX 50u
#define SWARM_PORT      80u    /* where both hosts listen                      */
#define SWARM_BOUND     20000u /* local port of flow 0, so that its ISN can be chosen */
#define SWARM_V6        (UINT64_C(1) << 40) /* from this seed on they speak IPv6      */
#define SWARM_CROSS     21000u /* from here on: both ends of a simultaneous open      */

/* How an end finishes. */
enum swarm_end_mode {
	SWARM_SHUT,   /* half-close when all is written, close at the peer's FIN */
	SWARM_CLOSE,  /* close as soon as all is written and read                */
	SWARM_LINGER, /* as SHUT, but only when our FIN is acknowledged too      */
	SWARM_N_MODES
};

struct swarm_end {
	uint32_t total; /* bytes to send                                   */
	uint32_t slice; /* bytes of one write                              */
	int64_t pause;  /* between writes; 0: as fast as the stream takes  */
	uint32_t lazy;  /* chance in a million not to read                 */
	uint32_t gulp;  /* bytes of one read                               */
	enum swarm_end_mode mode;
	uint16_t opt_bits;
	uint32_t abort_after; /* bytes written and read; UINT32_MAX: never       */
	bool gently;          /* ... by close() instead, whatever is still to come */
};

struct swarm_flow {
	unsigned client;         /* host 0 or 1                                     */
	uint16_t bind;           /* local port; 0: the stack's choice               */
	bool cross;              /* both connect (RFC 9293 3.5, figure 7)           */
	int64_t start;           /* flow 1 may wait for the end of flow 0: TIME_NEVER */
	bool fastopen;           /* the client connects with text (RFC 7413)        */
	bool urgent;             /* some of what is written is (RFC 9293 3.8.5)     */
	uint32_t record;         /* what is written are records of so many bytes; 0: none */
	bool may_fail;           /* somebody aborts it                              */
	struct swarm_end end[2]; /* client's, server's                           */
};

struct swarm {
	struct net_cfg net;
	struct stack_cfg cfg[2];
	int64_t epoch[2];
	int64_t attack_every; /* 0: no attacker                                  */
	int64_t accept_pause; /* how long connections wait to be accepted        */
	int backlog;
	bool tight;         /* few connections: refusals are no fault          */
	bool v6;            /* hosts speak IPv6, and nothing else              */
	bool cookies;       /* for everybody: likewise                         */
	int64_t quiesce_at; /* when host 0 is asked to finish; TIME_NEVER: not */
	int64_t quiesce_ms; /* ... and how long it may take                    */
	unsigned n_flows;
	struct swarm_flow flow[SWARM_FLOWS_MAX];
};

void swarm_draw(struct swarm *s, uint64_t seed);

/* Whether any connection of the run may be refused or cut short. */
static inline bool
swarm_lenient(const struct swarm *s)
{
	return s->tight || s->cookies || s->quiesce_at != TIME_NEVER;
}

/* The local port that end `k` of flow `i` has to have; 0: any. */
static inline uint16_t
swarm_bind(const struct swarm *s, unsigned i, unsigned k)
{
	if (s->flow[i].cross)
		return (uint16_t)(SWARM_CROSS + 2 * i + k);
	return k ? 0 : s->flow[i].bind;
}

/* The port that end `k` of flow `i` connects to. */
static inline uint16_t
swarm_target(const struct swarm *s, unsigned i, unsigned k)
{
	return s->flow[i].cross ? swarm_bind(s, i, !k) : SWARM_PORT;
}

/* A line or two about it. */
void swarm_print(const struct swarm *s);
