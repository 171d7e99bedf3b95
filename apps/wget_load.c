/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Without coordinated omission: an arrival is taken from the schedule only when it
 * starts, on an idle connection or a new one.  While all connections are busy the schedule
 * waits, its times do not change, and each late request is measured from its own.
 */
#include "apps/wget_load.h"

#include "apps/wget_client.h"

#define STARTS_PER_TURN 256
/* What is on its way at the end of -d, or was due before, gets this long. */
#define GRACE_NS SECOND_NS

static bool
is_open_loop(const struct client *k)
{
	return k->options->rate > 0;
}

static bool
may_connect(const struct client *k)
{
	return k->to_start > 0 && k->open < k->at_once && k->now >= k->retry_at;
}

static bool
is_due(const struct client *k)
{
	int64_t due = pace_due(&k->pace);

	return due <= k->now && due < k->end;
}

/* May a closed loop open another connection now? */
static bool
wants_more(const struct client *k)
{
	return k->now < k->end && may_connect(k);
}

/* ---- starting ------------------------------------------------------------ */

/* What waited for as long as a response may take is not sent any more. */
static void
give_up_late(struct client *k)
{
	int64_t until = k->now - k->options->timeout_s * SECOND_NS;
	uint64_t n;

	if (until > k->end)
		until = k->end;
	n = pace_skip(&k->pace, k->from, until);
	k->result->count[REQUESTS_NOT_STARTED] += n;
}

static void
start_due(struct client *k)
{
	give_up_late(k);
	for (int i = 0; i < STARTS_PER_TURN && is_due(k); i++) {
		int64_t due = pace_due(&k->pace);

		if (k->idle.oldest)
			flow_ask(k, k->idle.oldest, due);
		else if (!may_connect(k) || !flow_start(k, due))
			return;
		pace_take(&k->pace);
	}
}

void
load_start(struct client *k)
{
	if (is_open_loop(k)) {
		start_due(k);
		return;
	}
	for (int i = 0; i < STARTS_PER_TURN && wants_more(k); i++)
		if (!flow_start(k, k->now))
			return;
}

/* ---- waiting ------------------------------------------------------------- */

/* When the next arrival wants attention; the end of a flow may come before. */
static int64_t
next_start(const struct client *k)
{
	bool blocked = !k->idle.oldest && (k->open >= k->at_once || k->to_start == 0);
	int64_t due = pace_due(&k->pace);

	if (blocked || due >= k->end)
		return INT64_MAX;
	return !k->idle.oldest && k->retry_at > due ? k->retry_at : due;
}

int64_t
load_patience(const struct client *k)
{
	int64_t until = k->now + APP_TICK_MS * INT64_C(1000000), start = INT64_MAX;

	if (is_open_loop(k))
		start = next_start(k);
	else if (wants_more(k)) /* more to start at once needs no wait */
		start = k->now;
	if (start < until)
		until = start;
	if (k->now < k->end && k->end < until)
		until = k->end;
	return until > k->now ? until - k->now : 0;
}

/* ---- the end --------------------------------------------------------------- */

bool
load_over(const struct client *k)
{
	bool waiting = k->live.oldest || (is_open_loop(k) && is_due(k));

	if (k->now >= k->end)
		return !waiting || k->now >= k->end + GRACE_NS;
	return k->to_start == 0 && k->open == 0;
}

void
load_end(struct client *k)
{
	uint64_t *count = k->result->count;

	if (k->options->flows > 0 && k->options->duration_s == 0)
		count[CONNECTIONS_NOT_STARTED] += (uint64_t)k->to_start;
	if (is_open_loop(k))
		count[REQUESTS_NOT_STARTED] +=
		    pace_skip(&k->pace, k->from, k->now < k->end ? k->now : k->end);
}
