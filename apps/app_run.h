/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once
/*
 * One thread per core, each with a context of its own, and a main thread that
 * only waits: for signals, for the workers, and for the next second.
 *
 * Signals are taken by a descriptor, so no handler runs and nothing that a
 * worker does is interrupted; workers look at app_stopping() between two waits.
 */
#include <stdatomic.h>
#include <stdbool.h>

#include "apps/app_args.h"
#include "mtcp_api.h"

#define APP_CORES_MAX 64
/* How long a worker may wait before it looks at app_stopping() again. */
#define APP_TICK_MS 100

struct app_run {
	const struct app_args *args;
	atomic_bool stopping;
	/* A worker's whole life; 0 when its work went well. */
	int (*work)(struct app_run *run, mctx_t ctx, int index, int core);
	/* Called once, by the last worker that says app_ready(); may be NULL. */
	void (*ready)(struct app_run *run);
	/* Called every second by the main thread while workers run; may be NULL. */
	void (*tick)(struct app_run *run);
	void *state; /* the application's own */
	int workers; /* how many to run */
	bool signalled; /* a signal, not the work, ended the run */
	atomic_int n_ready;
};

/* SIGINT, SIGTERM and SIGHUP wait for app_run() from here on, in every thread to
 * come; writing to a closed pipe is an error, not a death. */
void app_block_signals(void);

/* True when workers should finish: after a signal, or when one of them failed. */
bool app_stopping(struct app_run *run);

/* Said once by each worker that can do what it is there for. */
void app_ready(struct app_run *run);

/*
 * Runs the workers until all have returned.  The first signal asks them to
 * finish, the second ends the process.  With args->core set, the only worker
 * runs there, else worker i on core i.  0, or -1 when a worker failed.
 */
int app_run(struct app_run *run);
