/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A pair: the application's thread that made it and a thread that runs its
 * stack.  The only place that knows threads.
 */
#pragma once

#include "api/config.h"
#include "api/context.h"
#include "api/crew.h"
#include "api/stat_board.h"

struct runtime;

/* What a pair is made of. */
struct runtime_cfg {
	const struct config *config; /* outlives the pair                          */
	unsigned core;
	int cpu;                     /* of the stack's thread; -1: anywhere        */
	int node;                    /* of its memory; -1: anywhere                */
	struct io *const *ios;       /* one a port; the pair closes them           */
	unsigned n_ios;
	struct io *const *kernels;   /* beside each of them, or NULL; the pair closes them, too.  NULL: none */
	struct stat_board *board;    /* NULL: no per-second lines                  */
	struct crew *crew;           /* of all pairs that share the ports; NULL: it is alone */
	char *why;                   /* NULL, or where a line goes if a port refuses */
	size_t why_size;
};

/* Starts the stack's thread; the caller becomes the application's.  0 and *out, or
 * -errno (the engines stay the caller's then).  Blocks for less than a millisecond. */
int runtime_start(const struct runtime_cfg *cfg, struct runtime **out);

/* Has the stack close its connections, those that do not end in `timeout_ns` by
 * reset, and end its thread and engines; does not wait.  From any thread that
 * can be sure that the application's makes no call any more, or never returns
 * from one.  Once. */
void runtime_stop_soon(struct runtime *rt, int64_t timeout_ns);

/* For a pair that is one of several: closes its connections likewise and returns when that is
 * done, and frees the application's side; but the stack's thread goes on for the others, whose
 * packets may arrive on its queues, until runtime_relieve(); join and free it after that.  By
 * the application's thread. */
void runtime_retire(struct runtime *rt, int64_t timeout_ns);
void runtime_relieve(struct runtime *rt);

/* Waits until that is done. */
void runtime_join(struct runtime *rt);

/* Frees what is left after runtime_join(). */
void runtime_free(struct runtime *rt);

struct mtcp_context *runtime_context(struct runtime *rt);
struct runtime *runtime_of(struct mtcp_context *ctx);
unsigned runtime_core(const struct runtime *rt);

/* What the pair has cost so far; asked by the application's thread. */
void runtime_usage(const struct runtime *rt, struct mtcp_usage *out);

/* For tests and telemetry. */
const struct stack_stats *runtime_stats(const struct runtime *rt);
