/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once
/*
 * What all workers of epwget reached together, and how it is told.
 */
#include <stdint.h>

#include "apps/latency.h"
#include "apps/wget_client.h"
#include "apps/wget_failure.h"

struct total {
	uint64_t connects, requests, read;
	long done, failed, incomplete, unstarted, early;
	uint64_t failures[FAILURES];
	int other_errno, bad_status;
	int64_t begun_at, ended_at;
	struct latency latency;
};

/* Adds a worker that has ended. */
void total_add(struct total *t, struct client *k);

/* Prints the summary; flows is how many were asked for. */
void total_print(const struct total *t, long flows);
