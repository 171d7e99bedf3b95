/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once
/*
 * What is to be started when.  In a closed loop the end of a flow starts the next;
 * in an open loop a schedule does, whatever the server is doing.
 */
#include <stdbool.h>
#include <stdint.h>

struct client;

/* Starts whatever should start now. */
void load_start(struct client *k);

/* How long, in ns, nothing will need to be started; at most APP_TICK_MS. */
int64_t load_patience(const struct client *k);

/* True when nothing is left to do, or no more time. */
bool load_over(const struct client *k);

/* After the last flow: counts what was to be started and was not. */
void load_end(struct client *k);
