/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The per-second lines: one a core and one for all.  Each stack's thread writes
 * its own counters on the board once a second; the one with the lowest core
 * prints them all, so lines of different cores never mix.
 */
#pragma once

#include <stdio.h>

#include "core/stack.h"

#define STAT_CORES_MAX 64u

/* Counters of one core as last written, and as last printed. */
struct stat_slot {
	_Alignas(CACHE_LINE) _Atomic bool active;
	_Atomic uint64_t flows, rx_pkts, rx_bytes, rx_errors, tx_pkts, tx_bytes;
};

struct stat_board {
	struct stat_slot now[STAT_CORES_MAX];
	struct stat_slot then[STAT_CORES_MAX];
	_Atomic int64_t printed_at;
	char name[64]; /* of the port, as the lines show it */
};

/* Writes `core`'s counters. */
void stat_board_update(struct stat_board *b, unsigned core, const struct stack_stats *s);

/* The core's thread ends. */
void stat_board_leave(struct stat_board *b, unsigned core);

/* One line about packets that arrived on another core than theirs, if there were any. */
void stat_board_handed(const struct stat_board *b, unsigned core, const struct stack_stats *s,
                       FILE *out);

/* Prints the lines if `core` is the one to do so. */
void stat_board_print(struct stat_board *b, unsigned core, int64_t now, FILE *out);
