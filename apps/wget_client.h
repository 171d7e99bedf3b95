/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once
/*
 * A worker of epwget: its share of the load, and what became of it.
 */
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "apps/app_run.h"
#include "apps/wget_flow.h"
#include "apps/wget_meter.h"
#include "apps/wget_options.h"
#include "apps/wget_pace.h"
#include "apps/wget_result.h"
#include "mtcp_api.h"

#define READ_MAX 65536u

/* Where workers wait for each other, so that all have the same time zero. */
struct gate {
	int workers;
	atomic_int ready;
	atomic_int_fast64_t zero; /* CLOCK_MONOTONIC, ns; 0: not yet */
};

struct client {
	struct meter meter;
	const struct options *options;
	struct app_run *run;
	struct gate *gate;
	mctx_t ctx;
	int index; /* among the workers */
	int core;
	int epid;
	int fd;            /* readable when the epoll has events; -1: not used */
	int64_t now;       /* ns, CLOCK_MONOTONIC, as all times here */
	int64_t from, end; /* of the measurement; end is INT64_MAX without -d */
	struct pace pace;  /* only with --rate */
	long share;        /* flows of this worker */
	long to_start;     /* of them */
	long at_once;
	long open;
	long first; /* the number of this worker's first flow */
	uint64_t next_source;
	int64_t retry_at;      /* no local port was free: not before this */
	int64_t starved_since; /* 0: not */
	struct flows live, idle, goodbyes;
	struct flow *spare;
	bool marred;           /* something failed, perhaps while warming up */
	struct result *result; /* of what is measured */
	struct response_known known;
	char buffer[READ_MAX];
};

/* Worker index of gate->workers, before it runs; false: no memory. */
bool client_prepare(struct client *k, const struct options *o, struct gate *gate, int index);
void client_free(struct client *k);

/* The worker's whole life on its core; 0, or -1 when it could not work at all. */
int client_run(struct client *k, struct app_run *run, mctx_t ctx);
