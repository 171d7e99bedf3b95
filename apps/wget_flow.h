/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once
/*
 * One connection of epwget: it connects, sends a request and reads the response,
 * as many times as it may, and leaves.  In an open loop it is idle between two
 * requests.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "apps/wget_response.h"

#define SECOND_NS 1000000000

struct client;

enum phase { CONNECTING, AWAITING, IDLE, LEAVING };

struct flow {
	struct flow *older, *newer; /* by last progress; newer also links spare ones */
	int sockid;
	enum phase phase;
	uint32_t interest;
	int64_t since;     /* ns: the last progress, or up to TOUCH_NS before it */
	int64_t opened_at; /* ns */
	int64_t due;       /* ns: when the request should have been sent */
	int64_t sent_at;   /* ns: when it was */
	bool counted;      /* the connection is of the measurement */
	bool measured;     /* the request is, and has not ended */
	long left;         /* requests still to be made, the present one included */
	size_t unsent;     /* of the request */
	int out;           /* -1: the body is not kept */
	struct response response;
};

/* Time-outs are whole seconds: so fine is progress noted. */
#define TOUCH_NS 50000000

struct flows {
	struct flow *oldest, *newest;
};

/* CLOCK_MONOTONIC, in ns. */
int64_t clock_ns(void);

/* Opens a connection for a request that is due; false: no use in trying another one now,
 * and nothing was counted. */
bool flow_start(struct client *k, int64_t due);

/* Makes the next request on an idle flow. */
void flow_ask(struct client *k, struct flow *f, int64_t due);

/* Goes on after events of its socket.  The flow may be gone then. */
void flow_ready(struct client *k, struct flow *f, uint32_t events);

/* Ends flows that made no progress for too long, and goodbyes that took long enough. */
void flows_sweep(struct client *k);

/* Drops whatever is open, and gives memory back. */
void flows_end(struct client *k);
