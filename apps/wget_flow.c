/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A flow is connecting, awaiting a response, or leaving: after a response that
 * announced the end of the connection it lets the server close first, a second
 * at most, so that TIME-WAIT is the server's.
 */
#include "apps/wget_flow.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "apps/wget_client.h"
#include "mtcp_epoll.h"

#define READS_PER_TURN 4
#define GOODBYE_NS     SECOND_NS

int64_t
clock_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * SECOND_NS + t.tv_nsec;
}

/* ---- lists --------------------------------------------------------------- */

static struct flows *
list_of(struct client *k, const struct flow *f)
{
	return f->phase == LEAVING ? &k->goodbyes : f->phase == IDLE ? &k->idle : &k->live;
}

static void
list_remove(struct flows *l, struct flow *f)
{
	*(f->older ? &f->older->newer : &l->oldest) = f->newer;
	*(f->newer ? &f->newer->older : &l->newest) = f->older;
}

static void
list_append(struct flows *l, struct flow *f)
{
	f->newer = NULL;
	f->older = l->newest;
	*(l->newest ? &l->newest->newer : &l->oldest) = f;
	l->newest = f;
}

/* Into a phase, or again into the present one: it is the newest there. */
static void
enter(struct client *k, struct flow *f, enum phase phase)
{
	list_remove(list_of(k, f), f);
	f->phase = phase;
	f->since = k->now;
	list_append(list_of(k, f), f);
}

static void
touch(struct client *k, struct flow *f)
{
	if (k->now - f->since >= TOUCH_NS)
		enter(k, f, f->phase);
}

static void
watch(struct client *k, struct flow *f, uint32_t interest)
{
	struct mtcp_epoll_event ev = { .events = interest, .data = { .ptr = f } };

	if (f->interest == interest)
		return;
	mtcp_epoll_ctl(k->ctx, k->epid, f->interest ? MTCP_EPOLL_CTL_MOD : MTCP_EPOLL_CTL_ADD,
	               f->sockid, &ev);
	f->interest = interest;
}

/* ---- what is counted ------------------------------------------------------- */

static void
count(struct client *k, const struct flow *f, enum count what)
{
	if (f->counted)
		k->result->count[what]++;
}

static struct interval *
interval_of(struct client *k, int64_t at)
{
	/* What arrives after the end of -d belongs to the last second. */
	return series_at(&k->result->series, (at < k->end ? at : k->end - 1) - k->from);
}

/* A request begins: is it measured? */
static void
request_count(struct client *k, struct flow *f, int64_t due)
{
	f->due = due;
	f->measured = due >= k->from;
	if (f->measured)
		k->result->count[REQUESTS_STARTED]++;
}

static void
request_failed(struct client *k, struct flow *f, enum failure why)
{
	k->marred = true;
	meter_add(&k->meter.failed, 1);
	if (!f->measured)
		return;
	f->measured = false;
	k->result->count[REQUESTS_FAILED]++;
	k->result->failures[why]++;
	interval_of(k, k->now)->failed++;
}

static void
connection_failed(struct client *k, struct flow *f, enum failure why)
{
	bool cut = why == CUT_SHORT || why == SILENT || why == UNFINISHED;

	count(k, f, cut ? CONNECTIONS_INCOMPLETE : CONNECTIONS_FAILED);
	request_failed(k, f, why);
}

static void
request_completed(struct client *k, struct flow *f, int64_t now)
{
	struct result *r = k->result;
	/* A closed loop begins with the sending; connecting is a time of its own. */
	int64_t begun_at = k->options->rate > 0 ? f->due : f->sent_at;

	meter_time(&k->meter, now - begun_at);
	if (!f->measured)
		return;
	f->measured = false;
	r->count[REQUESTS_COMPLETED]++;
	latency_add(&r->latency[RESPONSE], now - begun_at);
	latency_add(&r->latency[SERVICE], now - f->sent_at);
	interval_of(k, now)->completed++;
	latency_add(&interval_of(k, begun_at)->response, now - begun_at);
}

/* ---- the end of a flow --------------------------------------------------- */

static void
output_close(struct flow *f)
{
	if (f->out >= 0)
		close(f->out);
	f->out = -1;
}

static void
flow_free(struct client *k, struct flow *f)
{
	list_remove(list_of(k, f), f);
	output_close(f);
	response_drop(&f->response);
	f->newer = k->spare;
	k->spare = f;
	k->open--;
	k->retry_at = 0; /* what it held may be what another one lacked */
}

/* Counts, and drops the connection. */
static void
flow_fail(struct client *k, struct flow *f, enum failure why)
{
	connection_failed(k, f, why);
	mtcp_abort(k->ctx, f->sockid);
	flow_free(k, f);
}

static enum failure
errno_judge(struct client *k, int error, bool connecting)
{
	enum failure why = failure_of_errno(error, connecting);

	if (why == OTHER)
		k->result->other_errno = error;
	return why;
}

static void
flow_fail_errno(struct client *k, struct flow *f, int error)
{
	flow_fail(k, f, errno_judge(k, error, f->phase == CONNECTING));
}

static void
flow_close(struct client *k, struct flow *f)
{
	mtcp_close(k->ctx, f->sockid);
	flow_free(k, f);
}

/* All is well; a server that said it would close gets a moment to do so first. */
static void
flow_leave(struct client *k, struct flow *f)
{
	count(k, f, CONNECTIONS_GOOD);
	meter_add(&k->meter.completes, 1);
	if (f->response.head.keep_alive) {
		flow_close(k, f);
		return;
	}
	if (f->left > 0)
		count(k, f, CONNECTIONS_ENDED_EARLY);
	output_close(f);
	enter(k, f, LEAVING);
}

/* ---- requests and responses ---------------------------------------------- */

static void
request_send(struct client *k, struct flow *f)
{
	const struct options *o = k->options;
	ssize_t n =
	    mtcp_write(k->ctx, f->sockid, o->request + o->request_len - f->unsent, f->unsent);

	if (n < 0 && errno != EAGAIN && errno != EINTR) {
		flow_fail_errno(k, f, errno);
		return;
	}
	if (n > 0) {
		f->unsent -= (size_t)n;
		meter_add(&k->meter.written, (uint64_t)n);
		if (f->measured)
			k->result->count[BYTES_WRITTEN] += (uint64_t)n;
		touch(k, f);
	}
	watch(k, f, f->unsent > 0 ? MTCP_EPOLLOUT : MTCP_EPOLLIN);
}

/* Of a request that was counted; now is when, by the clock. */
static void
request_start(struct client *k, struct flow *f, int64_t now)
{
	if (f->phase == AWAITING)
		touch(k, f);
	else
		enter(k, f, AWAITING);
	f->unsent = k->options->request_len;
	f->sent_at = now;
	response_begin(&f->response, &k->options->check, f->out);
	f->response.known = &k->known;
	request_send(k, f);
}

void
flow_ask(struct client *k, struct flow *f, int64_t due)
{
	request_count(k, f, due);
	request_start(k, f, clock_ns());
}

/* The next one of a closed loop, at once. */
static void
flow_ask_again(struct client *k, struct flow *f, int64_t now)
{
	request_count(k, f, k->now);
	request_start(k, f, now);
}

static void
response_done(struct client *k, struct flow *f)
{
	int64_t now = clock_ns();

	request_completed(k, f, now);
	f->left--;
	if (f->left == 0 || !f->response.head.keep_alive)
		flow_leave(k, f);
	else if (k->options->rate > 0)
		enter(k, f, IDLE);
	else if (k->now >= k->end)
		flow_leave(k, f);
	else
		flow_ask_again(k, f, now);
}

static void
response_bad(struct client *k, struct flow *f, enum failure why)
{
	if (why == BAD_STATUS)
		k->result->bad_status = f->response.head.status;
	if (why == BAD_FILE)
		app_error(&k->options->common, "cannot write the body: %m");
	flow_fail(k, f, why);
}

static void
response_end(struct client *k, struct flow *f)
{
	enum failure why = response_close(&f->response);

	if (why)
		response_bad(k, f, why);
	else
		response_done(k, f);
}

/* false when there is no more to read now: the response is over, or the flow. */
static bool
response_add(struct client *k, struct flow *f, size_t len)
{
	bool done;
	enum failure why = response_take(&f->response, k->buffer, len, &done);

	if (why)
		response_bad(k, f, why);
	else if (done)
		response_done(k, f);
	return !why && !done;
}

static void
response_read(struct client *k, struct flow *f)
{
	for (int i = 0; i < READS_PER_TURN; i++) {
		ssize_t n = mtcp_read(k->ctx, f->sockid, k->buffer, sizeof(k->buffer));

		if (n == 0) {
			response_end(k, f);
			return;
		}
		if (n < 0) {
			if (errno != EAGAIN && errno != EINTR)
				flow_fail_errno(k, f, errno);
			return;
		}
		meter_add(&k->meter.read, (uint64_t)n);
		if (f->measured)
			k->result->count[BYTES_READ] += (uint64_t)n;
		touch(k, f);
		if (!response_add(k, f, (size_t)n) || (size_t)n < sizeof(k->buffer))
			return;
	}
}

/* ---- the start of a flow ------------------------------------------------- */

static int
output_open(struct client *k)
{
	const struct options *o = k->options;
	char name[PATH_MAX];
	int fd;

	if (!o->out)
		return -1;
	if (o->flows == 1)
		snprintf(name, sizeof(name), "%s", o->out);
	else
		snprintf(name, sizeof(name), "%s.%ld", o->out,
		         k->first + k->share - k->to_start);
	fd = open(name, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
	if (fd < 0)
		app_error(&o->common, "-o %s: %m", name);
	return fd;
}

static struct flow *
flow_new(struct client *k)
{
	struct flow *f = k->spare;

	if (f)
		k->spare = f->newer;
	else
		f = malloc(sizeof(*f));
	if (f) {
		*f = (struct flow){ .left = k->options->per_flow, .out = -1 };
		f->since = f->opened_at = k->now;
		f->phase = CONNECTING;
	}
	return f;
}

/* Sockets and local ports come back when other flows end: that is worth a wait. */
static bool
is_shortage(int error)
{
	return error == EADDRNOTAVAIL || error == EMFILE || error == ENFILE ||
	       error == ENOMEM || error == ENOBUFS || error == EAGAIN;
}

/* One of --source; 0, or -1 and errno. */
static int
bind_source(struct client *k, int sockid)
{
	const struct sources *s = &k->options->sources;
	struct sockaddr_storage from;
	socklen_t len;
	int one = 1;

	if (s->total == 0)
		return 0;
	/* Else 64 K ports would have to do for all addresses together. */
	mtcp_setsockopt(k->ctx, sockid, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &one, sizeof(one));
	len = sources_at(s, k->next_source, &from);
	k->next_source += (uint64_t)k->gate->workers;
	return mtcp_bind(k->ctx, sockid, (const struct sockaddr *)&from, len);
}

static int
connect_nonblocking(struct client *k, int sockid)
{
	const struct sockaddr *to = (const struct sockaddr *)&k->options->server;
	int one = 1;

	mtcp_setsockopt(k->ctx, sockid, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
	if (mtcp_setsock_nonblock(k->ctx, sockid) != 0 || bind_source(k, sockid) != 0)
		return -1;
	if (mtcp_connect(k->ctx, sockid, to, k->options->server_len) == 0)
		return 0;
	return errno == EINPROGRESS ? 0 : -1;
}

/* A connection under way; -1 and errno when there is none. */
static int
connect_start(struct client *k)
{
	int sockid = mtcp_socket(k->ctx, k->options->server.ss_family, SOCK_STREAM, 0);
	int error;

	if (sockid < 0)
		return -1;
	if (connect_nonblocking(k, sockid) == 0)
		return sockid;
	error = errno;
	mtcp_close(k->ctx, sockid);
	errno = error;
	return -1;
}

/* Counts a flow that could not even begin. */
static void
start_failed(struct client *k, int64_t due, enum failure why)
{
	struct flow f = { .counted = k->now >= k->from };

	k->to_start--;
	count(k, &f, CONNECTIONS_STARTED);
	request_count(k, &f, due);
	connection_failed(k, &f, why);
}

/* true: it lasts for so long that the flow has failed. */
static bool
shortage(struct client *k)
{
	k->retry_at = k->now + SECOND_NS / 10;
	if (k->open > 0)
		k->starved_since = 0;
	else if (k->starved_since == 0)
		k->starved_since = k->now;
	return k->starved_since &&
	       k->now - k->starved_since >= k->options->timeout_s * SECOND_NS;
}

static bool
connect_failed(struct client *k, int64_t due, int error)
{
	if (is_shortage(error) && !shortage(k))
		return false;
	start_failed(k, due, is_shortage(error) ? NO_SOCKET : errno_judge(k, error, true));
	return true;
}

static void
flow_open(struct client *k, struct flow *f, int64_t due)
{
	f->counted = k->now >= k->from;
	f->out = output_open(k);
	list_append(&k->live, f);
	k->open++;
	k->to_start--;
	count(k, f, CONNECTIONS_STARTED);
	request_count(k, f, due);
	if (k->options->out && f->out < 0)
		flow_fail(k, f, BAD_FILE);
	else
		watch(k, f, MTCP_EPOLLOUT);
}

bool
flow_start(struct client *k, int64_t due)
{
	struct flow *f;
	int sockid = connect_start(k);

	if (sockid < 0)
		return connect_failed(k, due, errno);
	k->starved_since = 0;
	f = flow_new(k);
	if (!f) {
		mtcp_abort(k->ctx, sockid);
		start_failed(k, due, NO_SOCKET);
		return true;
	}
	f->sockid = sockid;
	flow_open(k, f, due);
	return true;
}

static void
connected(struct client *k, struct flow *f)
{
	int error = 0;
	socklen_t len = sizeof(error);

	if (mtcp_getsockopt(k->ctx, f->sockid, SOL_SOCKET, SO_ERROR, &error, &len) != 0)
		error = errno;
	if (error) {
		flow_fail_errno(k, f, error);
		return;
	}
	meter_add(&k->meter.connects, 1);
	count(k, f, CONNECTIONS_ESTABLISHED);
	if (f->counted)
		latency_add(&k->result->latency[CONNECT], k->now - f->opened_at);
	request_start(k, f, clock_ns());
}

/* ---- events ---------------------------------------------------------------- */

/* What the connection's error is, when an event says that there is one. */
static void
broken(struct client *k, struct flow *f)
{
	int error = 0;
	socklen_t len = sizeof(error);

	mtcp_getsockopt(k->ctx, f->sockid, SOL_SOCKET, SO_ERROR, &error, &len);
	flow_fail_errno(k, f, error ? error : ECONNRESET);
}

/* An idle connection is only heard of when the server ends it, which is its right. */
static void
idle_ready(struct client *k, struct flow *f)
{
	ssize_t n = mtcp_read(k->ctx, f->sockid, k->buffer, sizeof(k->buffer));

	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	count(k, f, CONNECTIONS_GOOD);
	count(k, f, CONNECTIONS_ENDED_EARLY);
	meter_add(&k->meter.completes, 1);
	flow_close(k, f);
}

static void
goodbye(struct client *k, struct flow *f)
{
	ssize_t n = mtcp_read(k->ctx, f->sockid, k->buffer, sizeof(k->buffer));

	if (n >= 0 || (errno != EAGAIN && errno != EINTR))
		flow_close(k, f);
}

void
flow_ready(struct client *k, struct flow *f, uint32_t events)
{
	switch (f->phase) {
	case CONNECTING:
		connected(k, f);
		break;
	case AWAITING:
		if ((events & MTCP_EPOLLERR) && !(events & MTCP_EPOLLIN))
			broken(k, f);
		else if (f->unsent > 0)
			request_send(k, f);
		else
			response_read(k, f);
		break;
	case IDLE:
		idle_ready(k, f);
		break;
	case LEAVING:
		goodbye(k, f);
		break;
	}
}

/* ---- all of them ----------------------------------------------------------- */

void
flows_sweep(struct client *k)
{
	int64_t limit = k->options->timeout_s * SECOND_NS + TOUCH_NS;

	while (k->goodbyes.oldest && k->now - k->goodbyes.oldest->since >= GOODBYE_NS)
		flow_close(k, k->goodbyes.oldest);
	while (k->live.oldest && k->now - k->live.oldest->since >= limit)
		flow_fail(k, k->live.oldest,
		          k->live.oldest->phase == CONNECTING ? CONNECT_TIMEOUT : SILENT);
}

static void
flows_leave(struct client *k)
{
	while (k->idle.oldest) {
		count(k, k->idle.oldest, CONNECTIONS_GOOD);
		meter_add(&k->meter.completes, 1);
		flow_close(k, k->idle.oldest);
	}
	while (k->goodbyes.oldest)
		flow_close(k, k->goodbyes.oldest);
}

void
flows_end(struct client *k)
{
	flows_leave(k);
	while (k->live.oldest)
		flow_fail(k, k->live.oldest, UNFINISHED);
	while (k->spare) {
		struct flow *f = k->spare;

		k->spare = f->newer;
		free(f);
	}
}
