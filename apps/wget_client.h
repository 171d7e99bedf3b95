/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once
/*
 * A worker of epwget: its share of the connections, and what became of them.
 */
#include <stdbool.h>
#include <stdint.h>

#include "apps/app_run.h"
#include "apps/latency.h"
#include "apps/wget_failure.h"
#include "apps/wget_flow.h"
#include "apps/wget_meter.h"
#include "apps/wget_options.h"
#include "mtcp_api.h"

#define READ_MAX 65536u

struct client {
	struct meter meter;
	const struct options *options;
	struct app_run *run;
	mctx_t ctx;
	int core;
	int epid;
	int64_t now, begun_at, ended_at;
	long share;           /* flows of this worker */
	long to_start;        /* of them */
	long at_once;
	long open;
	long done, failed, incomplete;
	long early;           /* good, but ended by the server before the last request */
	long first;           /* the number of this worker's first flow */
	int64_t retry_at;     /* no local port was free: not before this */
	int64_t starved_since; /* 0: not */
	struct flows live, goodbyes;
	struct flow *spare;
	uint64_t failures[FAILURES];
	int other_errno;
	int bad_status;
	struct latency latency;
	char buffer[READ_MAX];
};

/* Worker index of `workers`, before it runs. */
void client_prepare(struct client *k, const struct options *o, int workers, int index);

/* The worker's whole life on its core; 0, or -1 when it could not work at all. */
int client_run(struct client *k, struct app_run *run, mctx_t ctx);
