/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once
/*
 * What a run has shown: counts, causes of failure, histograms and the course of
 * time.  Results of cores and of machines add up, exactly, to a result.
 */
#include <stdbool.h>
#include <stdint.h>

#include "apps/latency.h"
#include "apps/wget_failure.h"
#include "apps/wget_series.h"

#define MACHINES_MAX 64u

/* Only what belongs to the measurement: what began when the warm-up was over. */
enum count {
	CONNECTIONS_STARTED, /* good + failed + incomplete */
	CONNECTIONS_ESTABLISHED,
	CONNECTIONS_GOOD,
	CONNECTIONS_FAILED,
	CONNECTIONS_INCOMPLETE,  /* failed: ended by the server, --timeout or the end */
	CONNECTIONS_NOT_STARTED, /* of those asked for */
	CONNECTIONS_ENDED_EARLY, /* good, but ended by the server before the last request */
	REQUESTS_STARTED,        /* completed + failed */
	REQUESTS_COMPLETED,
	REQUESTS_FAILED,
	REQUESTS_NOT_STARTED, /* --rate: due, but no connection was free */
	BYTES_READ,
	BYTES_WRITTEN,
	COUNTS
};

/* The name of a count in files. */
const char *count_key(enum count c);

enum timing {
	RESPONSE, /* from when the request was due (--rate) or sent */
	SERVICE,  /* from when it was sent */
	CONNECT,  /* from the call to the connection */
	TIMINGS
};

/* The name of a histogram in files. */
const char *timing_key(enum timing t);

/* How one machine was told to run. */
struct settings {
	char host[65];
	char url[512];
	int64_t started_s; /* the time of day: seconds since 1970 */
	long cores;
	long concurrency;
	long flows; /* 0: no limit */
	long per_flow;
	long timeout_s;
	long warm_up_s;
	long duration_s; /* 0: until all flows have ended */
	long rate;       /* requests per second in open loop; 0: closed loop */
	bool poisson;
	long sources; /* 0: the stack chose the address */
};

struct result {
	unsigned machines;
	struct settings machine[MACHINES_MAX];
	int64_t elapsed_ns; /* of the measurement: the longest of what was added */
	uint64_t count[COUNTS];
	uint64_t failures[FAILURES]; /* of requests */
	int other_errno;             /* the last one; 0: none, or unknown */
	int bad_status;              /* likewise */
	struct latency latency[TIMINGS];
	struct series series;
};

/* A new result, all empty; NULL: no memory.  result_free(NULL) is allowed. */
struct result *result_new(void);
void result_free(struct result *r);

/* Adds all of from; false: more than MACHINES_MAX machines, and r is as it was. */
bool result_add(struct result *r, const struct result *from);

/* Seconds, never 0: what a rate is divided by. */
double result_seconds(const struct result *r);

/* Whether a machine sent at a fixed rate: then responses and services are two things. */
bool result_is_open_loop(const struct result *r);

/* Whether all that was asked for was done, and well. */
bool result_good(const struct result *r);
