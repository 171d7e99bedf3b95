/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A worker keeps a fixed number of flows open; the end of one, good or bad,
 * starts the next.
 */
#include "apps/wget_client.h"

#include <errno.h>

#include "mtcp_epoll.h"

#define EVENTS_MAX 256
#define STARTS_PER_TURN 256

/* Item index of n nearly equal parts of a whole. */
static long
share(long whole, int n, int index)
{
	return whole / n + (index < whole % n);
}

void
client_prepare(struct client *k, const struct options *o, int workers, int index)
{
	k->options = o;
	k->core = o->common.core >= 0 ? o->common.core : index;
	k->epid = -1;
	k->share = k->to_start = share(o->flows, workers, index);
	k->at_once = share(o->concurrency, workers, index);
	if (k->at_once == 0)
		k->at_once = 1;
	for (int i = 0; i < index; i++)
		k->first += share(o->flows, workers, i);
}

/* ---- the loop ------------------------------------------------------------ */

static void
start_flows(struct client *k)
{
	for (int i = 0; i < STARTS_PER_TURN; i++) {
		if (k->to_start == 0 || k->open >= k->at_once || k->now < k->retry_at)
			return;
		if (!flow_start(k))
			return;
	}
}

/* More to start at once needs no wait. */
static int
patience(const struct client *k)
{
	bool more = k->to_start > 0 && k->open < k->at_once && k->now >= k->retry_at;

	return more ? 0 : APP_TICK_MS;
}

static int
fetch_all(struct client *k)
{
	struct mtcp_epoll_event ev[EVENTS_MAX];
	int n;

	while ((k->to_start > 0 || k->open > 0) && !app_stopping(k->run)) {
		k->now = clock_ns();
		start_flows(k);
		n = mtcp_epoll_wait(k->ctx, k->epid, ev, EVENTS_MAX, patience(k));
		if (n < 0 && errno != EINTR) {
			app_error(&k->options->common, "waiting for events failed: %m");
			return -1;
		}
		k->now = clock_ns();
		for (int i = 0; i < n; i++)
			flow_ready(k, ev[i].data.ptr, ev[i].events);
		flows_sweep(k);
	}
	return 0;
}

int
client_run(struct client *k, struct app_run *run, mctx_t ctx)
{
	int status = -1;

	k->run = run;
	k->ctx = ctx;
	k->epid = mtcp_epoll_create1(ctx, 0);
	k->begun_at = clock_ns();
	if (k->epid < 0)
		app_error(run->args, "cannot create an epoll: %m");
	else
		status = fetch_all(k);
	k->ended_at = clock_ns();
	flows_end(k);
	if (k->epid >= 0)
		mtcp_close(ctx, k->epid);
	return status;
}
