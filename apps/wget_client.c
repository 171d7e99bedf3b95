/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A worker's loop: start what should start, wait for events, go on with the flows
 * that have some.
 */
#include "apps/wget_client.h"

#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/random.h>

#include "apps/wget_load.h"
#include "mtcp_epoll.h"

#define EVENTS_MAX 256
#define MS_NS      INT64_C(1000000)

/* Item index of n nearly equal parts of a whole. */
static long
share(long whole, int n, int index)
{
	return whole / n + (index < whole % n);
}

bool
client_prepare(struct client *k, const struct options *o, struct gate *gate, int index)
{
	long flows = o->flows > 0 ? o->flows : LONG_MAX;

	k->options = o;
	k->gate = gate;
	k->index = index;
	k->core = o->common.core >= 0 ? o->common.core : index;
	k->epid = k->fd = -1;
	k->share = k->to_start = o->flows > 0 ? share(flows, gate->workers, index) : LONG_MAX;
	k->at_once = share(o->concurrency, gate->workers, index);
	if (k->at_once == 0)
		k->at_once = 1;
	for (int i = 0; i < index && o->flows > 0; i++)
		k->first += share(flows, gate->workers, i);
	k->next_source = (uint64_t)index;
	k->result = result_new();
	return k->result != NULL;
}

void
client_free(struct client *k)
{
	result_free(k->result);
}

/* ---- the start ----------------------------------------------------------- */

/* Says which one of --source is not ours, before anything is measured. */
static bool
sources_are_ours(struct client *k)
{
	const struct sources *s = &k->options->sources;
	struct sockaddr_storage a;
	char text[SOURCE_TEXT_MAX];

	for (uint32_t i = 0; i < s->total; i++) {
		socklen_t len = sources_at(s, i, &a);
		int sockid = mtcp_socket(k->ctx, s->family, SOCK_STREAM, 0), error = 0;

		if (sockid < 0 || mtcp_bind(k->ctx, sockid, (struct sockaddr *)&a, len) != 0)
			error = errno;
		if (sockid >= 0)
			mtcp_close(k->ctx, sockid);
		if (error == 0)
			continue;
		app_error(&k->options->common, "--source: cannot use %s: %s%s",
		          sources_text(s, i, text), strerror(error),
		          error == EADDRNOTAVAIL ? " (the key 'address' must have it)" : "");
		return false;
	}
	return true;
}

/* Waits for the other workers; 0 when the run ends before it has begun. */
static int64_t
time_zero(struct client *k)
{
	struct gate *g = k->gate;
	struct mtcp_epoll_event ev;
	int64_t zero;

	if (atomic_fetch_add(&g->ready, 1) + 1 == g->workers)
		atomic_store(&g->zero, clock_ns());
	while ((zero = atomic_load(&g->zero)) == 0 && !app_stopping(k->run))
		mtcp_epoll_wait(k->ctx, k->epid, &ev, 1, 1);
	return zero;
}

static void
begin(struct client *k, int64_t zero)
{
	const struct options *o = k->options;
	uint64_t seed = 0;

	k->now = clock_ns();
	k->from = zero + o->warm_up_s * SECOND_NS;
	k->end = o->duration_s ? k->from + o->duration_s * SECOND_NS : INT64_MAX;
	if (o->rate == 0)
		return;
	/* Other seeds than another machine's, or their bursts would coincide. */
	if (o->poisson && getrandom(&seed, sizeof(seed), 0) != (ssize_t)sizeof(seed))
		seed = (uint64_t)k->now;
	pace_begin(&k->pace, zero, (double)o->rate, o->poisson, (unsigned)k->gate->workers,
	           (unsigned)k->index, seed);
	k->fd = mtcp_epoll_getfd(k->ctx, k->epid);
	prctl(PR_SET_TIMERSLACK, 1UL); /* else the kernel wakes us 50 us late */
}

/* ---- the loop ------------------------------------------------------------ */

/* An epoll waits whole milliseconds; a schedule is finer, so it waits by descriptor. */
static int
wait_exactly(struct client *k, struct mtcp_epoll_event *ev, int64_t ns)
{
	struct timespec t = { .tv_sec = ns / SECOND_NS, .tv_nsec = ns % SECOND_NS };
	struct pollfd fd = { .fd = k->fd, .events = POLLIN };
	int n = mtcp_epoll_wait(k->ctx, k->epid, ev, EVENTS_MAX, 0);

	if (n != 0 || ns == 0)
		return n;
	ppoll(&fd, 1, &t, NULL);
	return mtcp_epoll_wait(k->ctx, k->epid, ev, EVENTS_MAX, 0);
}

static int
wait_for_events(struct client *k, struct mtcp_epoll_event *ev)
{
	int64_t ns = load_patience(k);

	if (k->fd >= 0)
		return wait_exactly(k, ev, ns);
	return mtcp_epoll_wait(k->ctx, k->epid, ev, EVENTS_MAX,
	                       (int)((ns + MS_NS - 1) / MS_NS));
}

static int
fetch_all(struct client *k)
{
	struct mtcp_epoll_event ev[EVENTS_MAX];
	int n;

	while (!load_over(k) && !app_stopping(k->run)) {
		k->now = clock_ns();
		load_start(k);
		n = wait_for_events(k, ev);
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

static int
fetch(struct client *k)
{
	int64_t zero = sources_are_ours(k) ? time_zero(k) : 0;
	int status;

	if (zero == 0)
		return app_stopping(k->run) ? 0 : -1;
	begin(k, zero);
	status = fetch_all(k);
	k->now = clock_ns();
	k->result->elapsed_ns = (k->now < k->end ? k->now : k->end) - k->from;
	return status;
}

int
client_run(struct client *k, struct app_run *run, mctx_t ctx)
{
	int status = -1;

	k->run = run;
	k->ctx = ctx;
	k->epid = mtcp_epoll_create1(ctx, 0);
	if (k->epid < 0)
		app_error(run->args, "cannot create an epoll: %m");
	else
		status = fetch(k);
	flows_end(k);
	load_end(k);
	if (k->epid >= 0)
		mtcp_close(ctx, k->epid);
	return status;
}
