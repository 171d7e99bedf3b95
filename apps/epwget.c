/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * epwget: fetches one URL over many connections and checks every answer.
 *
 * wget_options has been told what to do, a wget_client on each core does it with
 * its wget_flows, wget_total adds up; this file holds them together.
 */
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>

#include "apps/app_run.h"
#include "apps/wget_client.h"
#include "apps/wget_meter.h"
#include "apps/wget_options.h"
#include "apps/wget_total.h"
#include "mtcp_api.h"

struct work {
	const struct options *options;
	struct client *clients;
	struct meter_sum last; /* what the last second's line had reached */
};

static int
fetch_on_core(struct app_run *run, mctx_t ctx, int index, int core)
{
	struct work *w = run->state;

	(void)core;
	return client_run(&w->clients[index], run, ctx);
}

/* Once a second, what this second brought. */
static void
tick(struct app_run *run)
{
	struct work *w = run->state;
	struct meter_sum now = {0}, d;

	for (int i = 0; i < run->workers; i++)
		meter_sum_add(&now, &w->clients[i].meter);
	d = meter_since(&now, &w->last);
	w->last = now;
	printf("[ ALL ] connect: %7lu, read: %4lu MB, write: %4lu MB, completes: %7lu "
	       "(resp_time avg: %4lu, max: %6lu us)\n",
	       (unsigned long)d.connects, (unsigned long)(d.read >> 20),
	       (unsigned long)(d.written >> 20), (unsigned long)d.completes,
	       (unsigned long)(d.count ? d.time_us / d.count : 0), (unsigned long)d.max_us);
	fflush(stdout);
}

/* True when every flow was good. */
static bool
summary(struct work *w, int workers)
{
	struct total *t = calloc(1, sizeof(*t));
	bool good;

	if (!t)
		return false;
	for (int i = 0; i < workers; i++) {
		struct client *k = &w->clients[i];

		printf("[CPU %d] Completed %ld connections, errors: %ld incompletes: %ld\n", k->core,
		       k->done, k->failed, k->incomplete);
		total_add(t, k);
	}
	total_print(t, w->options->flows);
	good = t->done == w->options->flows;
	free(t);
	return fflush(stdout) == 0 && good;
}

/* The stack must hold as many connections as -c asks for. */
static void
make_room(const struct work *w, int workers)
{
	struct mtcp_conf conf;
	long want = w->clients[0].at_once < w->clients[0].share ? w->clients[0].at_once
	                                                        : w->clients[0].share;

	if (mtcp_getconf(&conf) != 0 || conf.max_concurrency >= want || want > INT_MAX)
		return;
	conf.max_concurrency = (int)want;
	if (conf.max_num_buffers < conf.max_concurrency)
		conf.max_num_buffers = conf.max_concurrency;
	if (mtcp_setconf(&conf) != 0)
		app_error(&w->options->common, "max_concurrency is too small for -c %ld on %d "
		          "cores; using what there is", w->options->concurrency, workers);
}

static int
run_client(const struct options *o)
{
	struct work w = {.options = o};
	struct app_run run = {.args = &o->common, .work = fetch_on_core, .tick = tick};
	int status = -1;

	run.state = &w;
	run.workers = o->common.core >= 0 ? 1 : o->common.cores;
	if (run.workers > o->flows)
		run.workers = (int)o->flows;
	w.clients = calloc((size_t)run.workers, sizeof(*w.clients));
	if (w.clients) {
		for (int i = 0; i < run.workers; i++)
			client_prepare(&w.clients[i], o, run.workers, i);
		make_room(&w, run.workers);
		status = app_run(&run);
		tick(&run); /* what the last full second did not cover */
		if (!summary(&w, run.workers))
			status = -1;
		free(w.clients);
	} else {
		app_error(&o->common, "out of memory");
	}
	mtcp_destroy();
	return status == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}

int
main(int argc, char **argv)
{
	struct options o;
	int status = options_read(&o, argc, argv);

	if (status == APP_GO_ON)
		status = app_start(&o.common);
	return status == APP_GO_ON ? run_client(&o) : status;
}
