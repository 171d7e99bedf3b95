/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The applications of a run: each flow is a connection over which both ends
 * send what can be foretold, so that whoever reads can judge every byte.  An
 * end acts only when the stack has told it something or its own pause is over:
 * an event that never comes shows as a run that never ends.
 */
#pragma once

#include "test/sim/swarm.h"
#include "test/sim/watch.h"

struct flow_end {
	struct sock *s; /* NULL: not there yet, or done                     */
	uint32_t written, got;
	uint32_t urgent; /* the last urgent text written ends here; 0: none         */
	bool connecting, connected, shut, done, failed;
	int64_t try_at; /* when it connects (again)                         */
	unsigned tries;
	uint64_t full; /* SYNs that the other host had dropped for want of backlog by then */
	bool starved;              /* the last write found no chunk                    */
	bool more_to_read;         /* it was too lazy to                               */
	int64_t write_at, read_at; /* when it will again                          */
	bool shut_out;             /* all was read, and yet the window was closed      */
};

struct flow {
	const struct swarm_flow *plan;
	uint32_t id;
	uint16_t lport; /* the client's, once it is known                   */
	struct host_isn iss; /* the client's last                           */
	struct flow_end end[2];
};

struct flows {
	const struct swarm *swarm;
	struct host *host; /* two                                              */
	struct rng rng;
	struct sock *listener[2];
	int64_t accept_at[2];
	int64_t next;             /* before this nothing happens but by events        */
	bool quiescing, quiesced; /* host 0 is being asked, has answered          */
	bool orphans;             /* some were reset, for want of memory              */
	unsigned n;
	struct watch *watch;
	int64_t windows_at; /* when windows are looked at next                  */
	const char *broken;
	char what[160];
	uint64_t bytes;  /* read, all flows                                  */
	unsigned failed; /* flows that ended early, as they may              */
	struct flow flow[SWARM_FLOWS_MAX];
};

/* Opens the listeners. */
void flows_init(struct flows *f, const struct swarm *s, struct host host[2],
                struct watch *watch, uint64_t seed);

/* Lets the applications of one host act; true when something was done. */
bool flows_act(struct flows *f, unsigned host);

/* Once a second: who has read everything must have told the peer that there is room. */
void flows_check_windows(struct flows *f);

/* Whoever does not hear that the other end was reset for want of memory has to ask: from then on
 * all do whose other end has been closed.  True when somebody does since now. */
bool flows_note_orphans(struct flows *f);

/* When an application will act of its own accord; TIME_NEVER: never. */
int64_t flows_next(struct flows *f);

/* Nothing moves any more: a client that has closed may have been cut off before its server's
 * application heard of it, if it may fail. */
void flows_forgive(struct flows *f);

bool flows_done(const struct flows *f);
void flows_close_listeners(struct flows *f);
/* Says of each flow that is not done what it waits for. */
void flows_print(const struct flows *f);
