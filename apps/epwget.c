/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * epwget: fetches one URL over many connections and checks every answer.
 *
 * wget_options knows what to do; a wget_client on each core does it, as wget_load
 * says, with its wget_flows; wget_result adds up and wget_summary, wget_json and wget_report
 * tell.  This file holds them together.
 */
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "apps/app_run.h"
#include "apps/wget_client.h"
#include "apps/wget_merge.h"
#include "apps/wget_options.h"
#include "apps/wget_output.h"
#include "apps/wget_progress.h"
#include "apps/wget_result.h"
#include "apps/wget_summary.h"
#include "mtcp_api.h"

struct work {
	const struct options *options;
	struct client *clients;
	struct gate gate;
	struct progress progress;
	struct outputs outputs;
};

static int
fetch_on_core(struct app_run *run, mctx_t ctx, int index, int core)
{
	struct work *w = run->state;

	(void)core;
	return client_run(&w->clients[index], run, ctx);
}

static void
tick(struct app_run *run)
{
	struct work *w = run->state;
	struct meter_sum now = { 0 };

	for (int i = 0; i < run->workers; i++)
		meter_sum_add(&now, &w->clients[i].meter);
	progress_tick(&w->progress, &now, clock_ns() / SECOND_NS);
}

/* ---- the end --------------------------------------------------------------- */

/* What a file may hold of a text that came from outside. */
static void
text_clean(char *text)
{
	for (; *text; text++)
		if (*text < ' ' || *text > '~')
			*text = '?';
}

static void
settings_fill(struct settings *m, const struct options *o, int workers)
{
	*m = (struct settings){
		.cores = workers,
		.concurrency = o->concurrency,
		.flows = o->flows,
		.per_flow = o->per_flow,
		.timeout_s = o->timeout_s,
		.warm_up_s = o->warm_up_s,
		.duration_s = o->duration_s,
		.rate = o->rate,
		.poisson = o->poisson,
		.sources = o->sources.total,
	};
	if (gethostname(m->host, sizeof(m->host) - 1) != 0)
		m->host[0] = '\0';
	snprintf(m->url, sizeof(m->url), "%s", o->target);
	text_clean(m->host);
	text_clean(m->url);
}

/* Tells what the workers did; false: not all was good. */
static bool
tell(struct work *w, struct result *sum)
{
	bool good = true;

	for (int i = 0; i < w->gate.workers; i++) {
		struct client *k = &w->clients[i];
		const uint64_t *n = k->result->count;

		printf("[CPU %d] Completed %lu connections, errors: %lu incompletes: %lu\n",
		       k->core, (unsigned long)n[CONNECTIONS_GOOD],
		       (unsigned long)n[CONNECTIONS_FAILED],
		       (unsigned long)n[CONNECTIONS_INCOMPLETE]);
		result_add(sum, k->result);
		good = good && !k->marred;
	}
	summary_print(stdout, sum);
	good = result_good(sum) && good;
	return fflush(stdout) == 0 && good;
}

/* ---- the command --------------------------------------------------------- */

/* The stack must hold as many connections as -c asks for. */
static void
make_room(const struct work *w)
{
	struct mtcp_conf conf;
	const struct client *k = &w->clients[0];
	long want = k->at_once < k->share ? k->at_once : k->share;

	if (mtcp_getconf(&conf) != 0 || conf.max_concurrency >= want || want > INT_MAX)
		return;
	conf.max_concurrency = (int)want;
	if (conf.max_num_buffers < conf.max_concurrency)
		conf.max_num_buffers = conf.max_concurrency;
	if (mtcp_setconf(&conf) != 0)
		app_error(&w->options->common,
		          "max_concurrency is too small for -c %ld on %d "
		          "cores; using what there is",
		          w->options->concurrency, w->gate.workers);
}

static bool
prepare(struct work *w, struct result *sum)
{
	const struct options *o = w->options;
	bool good = sum && w->clients;

	for (int i = 0; i < w->gate.workers && good; i++)
		good = client_prepare(&w->clients[i], o, &w->gate, i);
	if (!good) {
		app_error(&o->common, "out of memory");
		return false;
	}
	settings_fill(&sum->machine[sum->machines++], o, w->gate.workers);
	sum->machine[0].started_s = time(NULL);
	w->progress = (struct progress){
		.shown = o->progress,
		.begun_s = clock_ns() / SECOND_NS,
		.warm_up_s = o->warm_up_s,
		.duration_s = o->duration_s,
		.flows = o->flows,
	};
	make_room(w);
	return true;
}

static int
run_workers(struct work *w, struct result *sum)
{
	struct app_run run = { .args = &w->options->common,
		               .work = fetch_on_core,
		               .tick = tick };
	bool bad = false;
	int status;

	run.state = w;
	run.workers = w->gate.workers;
	status = app_run(&run);
	tick(&run); /* what the last full second did not cover */
	progress_end(&w->progress);
	if (!tell(w, sum) || run.signalled)
		bad = true;
	if (status == 0 &&
	    !outputs_write(&w->outputs, sum)) /* a run that failed has no result */
		bad = true;
	return bad ? -1 : status;
}

static int
run_client(const struct options *o)
{
	struct work w = { .options = o };
	struct result *sum = result_new();
	int status = -1;

	w.gate.workers = o->common.core >= 0 ? 1 : o->common.cores;
	if (o->flows > 0 && w.gate.workers > o->flows)
		w.gate.workers = (int)o->flows;
	w.clients = calloc((size_t)w.gate.workers, sizeof(*w.clients));
	if (outputs_open(&w.outputs, &o->common, o->json, o->report) && prepare(&w, sum))
		status = run_workers(&w, sum);
	outputs_close(&w.outputs);
	for (int i = 0; i < w.gate.workers && w.clients; i++)
		client_free(&w.clients[i]);
	free(w.clients);
	result_free(sum);
	mtcp_destroy();
	return status == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}

int
main(int argc, char **argv)
{
	struct options o;
	int status = options_read(&o, argc, argv);

	if (status == APP_GO_ON && o.merge)
		return merge_results(&o);
	if (status == APP_GO_ON)
		status = app_start(&o.common);
	return status == APP_GO_ON ? run_client(&o) : status;
}
