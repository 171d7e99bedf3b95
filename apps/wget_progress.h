/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once
/*
 * What is told while a run goes on: each second a line on standard output, and on
 * a terminal one that overwrites itself.
 */
#include <stdbool.h>
#include <stdint.h>

#include "apps/wget_meter.h"

struct progress {
	bool shown;      /* the line on the terminal is wanted */
	int64_t begun_s; /* CLOCK_MONOTONIC */
	long warm_up_s, duration_s;
	long flows;            /* 0: no limit */
	struct meter_sum last; /* what the last second's line had reached */
};

/* The second that ended now, by the sum of all meters. */
void progress_tick(struct progress *p, const struct meter_sum *now, int64_t now_s);

/* Clears the line on the terminal. */
void progress_end(const struct progress *p);
