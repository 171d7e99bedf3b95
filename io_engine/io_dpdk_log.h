/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What DPDK has to say, kept: a stream to give to DPDK that remembers the last
 * lines with their levels, so that an error can quote the ones that tell why.  All
 * but _new() and _free() may be called from several threads.
 */
#pragma once

#include <stdio.h>

#include "base/base.h"

struct io_dpdk_log;

/* A new log.  `level` gives the level of the message being written (smaller is
 * worse; DPDK's numbers).  With `echo`, lines also go there, else critical ones, which end
 * the process as a rule, to standard error.  NULL: no memory. */
struct io_dpdk_log *io_dpdk_log_new(int (*level)(void), FILE *echo);

/* The stream: unbuffered, so the level is that of the line. */
FILE *io_dpdk_log_stream(struct io_dpdk_log *log);

/* How many lines there have been: a mark for io_dpdk_log_quote(). */
unsigned io_dpdk_log_mark(struct io_dpdk_log *log);

/* The lines after `mark` that tell most of an error, in one line in `buf`, "" if
 * there are none.  Returns `buf`. */
const char *io_dpdk_log_quote(struct io_dpdk_log *log, unsigned mark, char *buf, size_t size);

void io_dpdk_log_free(struct io_dpdk_log *log);
