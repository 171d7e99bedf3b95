/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * epwget: fetches one URL over many connections and checks every answer.
 *
 * Each core has its share of the connections ("flows") and keeps a fixed number
 * of them open.  A flow connects, sends a request and reads the response, as many
 * times as --keep-alive says; its end, good or bad, starts the next one.  After
 * the last response of a flow the server may close first, so that TIME-WAIT and
 * its ports are the server's.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <netinet/tcp.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "apps/app_args.h"
#include "apps/app_run.h"
#include "apps/http.h"
#include "apps/latency.h"
#include "apps/sha256.h"
#include "mtcp_api.h"
#include "mtcp_epoll.h"

#define EVENTS_MAX 256
#define READ_MAX 65536u
#define READS_PER_TURN 4
#define STARTS_PER_TURN 256
#define SECOND_NS 1000000000
#define GOODBYE_NS SECOND_NS
#define REQUEST_MAX (HTTP_PATH_MAX + HTTP_HOST_MAX + 256)

/* Why a flow failed. */
enum failure {
	NO_FAILURE,
	REFUSED,
	UNREACHABLE,
	CONNECT_TIMEOUT,
	RESET,
	CUT_SHORT,
	SILENT,
	BAD_HEAD,
	BAD_STATUS,
	BAD_BODY,
	BAD_SIZE,
	BAD_DIGEST,
	BAD_FILE,
	NO_SOCKET,
	OTHER,
	FAILURES
};

static const char *const failure_text[FAILURES] = {
	[REFUSED] = "connection refused (is a server listening on this port?)",
	[UNREACHABLE] = "no route or no answer to ARP (check address, gateway and cable)",
	[CONNECT_TIMEOUT] = "no answer to connecting (is the address right?)",
	[RESET] = "connection reset by the server",
	[CUT_SHORT] = "closed by the server before the response was complete",
	[SILENT] = "no progress within --timeout",
	[BAD_HEAD] = "the response is not HTTP/1, or its head is longer than 8192 bytes",
	[BAD_STATUS] = "status other than 200",
	[BAD_BODY] = "more data than the response announced, or malformed chunks",
	[BAD_SIZE] = "size differs from --expect-size",
	[BAD_DIGEST] = "content differs from --expect-sha256",
	[BAD_FILE] = "the output file could not be written",
	[NO_SOCKET] = "no socket or no local port (lower -c, or raise max_concurrency)",
	[OTHER] = "other errors",
};

struct options {
	struct app_args common;
	struct http_url url;
	struct sockaddr_storage server;
	socklen_t server_len;
	char request[REQUEST_MAX];
	size_t request_len;
	long flows;
	long concurrency;
	long per_flow;        /* requests on each connection */
	long timeout_s;
	const char *out;      /* -o */
	long expect_size;     /* -1: any */
	bool expect_digest;
	uint8_t digest[SHA256_SIZE];
};

enum phase { CONNECTING, AWAITING, RECEIVING, LEAVING };

struct flow {
	struct flow *older, *newer; /* by last progress; newer also links spare ones */
	int sockid;
	enum phase phase;
	uint32_t interest;
	int64_t since;       /* ns: the last progress */
	int64_t asked_at;    /* ns: when the request was sent */
	long left;           /* requests still to be made, the present one included */
	size_t unsent;       /* of the request */
	struct http_response response;
	struct http_chunks chunks;
	uint64_t got;        /* bytes of body */
	struct sha256 sum;
	int out;             /* -1: the body is not kept */
	char *head;          /* an unfinished head; NULL when there is none */
	size_t head_len;
};

struct flows {
	struct flow *oldest, *newest;
};

/* Written by one worker, read by the main thread every second. */
struct meter {
	atomic_uint_fast64_t connects, read, written, completes;
	atomic_uint_fast64_t time_us, count;
	atomic_uint_fast64_t max_us; /* since the main thread last took it */
};

struct client {
	struct meter meter;
	const struct options *options;
	struct app_run *run;
	mctx_t ctx;
	int core;
	int epid;
	int64_t now, begun_at, ended_at;
	long share;           /* flows of this worker */
	long to_start;        /* of them */
	long at_once;
	long open;
	long done, failed, incomplete;
	long early;           /* good, but ended by the server before the last request */
	long first;           /* the number of this worker's first flow */
	int64_t retry_at;     /* no local port was free: not before this */
	int64_t starved_since; /* 0: not */
	struct flows live, goodbyes;
	struct flow *spare;
	uint64_t failures[FAILURES];
	int other_errno;
	int bad_status;
	struct latency latency;
	char buffer[READ_MAX];
};

struct work {
	const struct options *options;
	struct client *clients;
	uint64_t last[6]; /* what the last second's line had reached */
};

static int64_t
clock_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * SECOND_NS + t.tv_nsec;
}

static void
meter_add(atomic_uint_fast64_t *m, uint64_t n)
{
	atomic_fetch_add_explicit(m, n, memory_order_relaxed);
}

static uint64_t
meter_get(atomic_uint_fast64_t *m)
{
	return atomic_load_explicit(m, memory_order_relaxed);
}

/* ---- lists --------------------------------------------------------------- */

static struct flows *
list_of(struct client *k, const struct flow *f)
{
	return f->phase == LEAVING ? &k->goodbyes : &k->live;
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

static void
touch(struct client *k, struct flow *f)
{
	f->since = k->now;
	list_remove(list_of(k, f), f);
	list_append(list_of(k, f), f);
}

static void
watch(struct client *k, struct flow *f, uint32_t interest)
{
	struct mtcp_epoll_event ev = {.events = interest, .data = {.ptr = f}};

	if (f->interest == interest)
		return;
	mtcp_epoll_ctl(k->ctx, k->epid, f->interest ? MTCP_EPOLL_CTL_MOD : MTCP_EPOLL_CTL_ADD,
	               f->sockid, &ev);
	f->interest = interest;
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
	free(f->head);
	f->head = NULL;
	f->newer = k->spare;
	k->spare = f;
	k->open--;
	k->retry_at = 0; /* what it held may be what another one lacked */
}

/* Counts, and drops the connection. */
static void
flow_fail(struct client *k, struct flow *f, enum failure why)
{
	k->failures[why]++;
	if (why == CUT_SHORT || why == SILENT)
		k->incomplete++;
	else
		k->failed++;
	mtcp_abort(k->ctx, f->sockid);
	flow_free(k, f);
}

static enum failure
failure_of(struct client *k, int error, bool connecting)
{
	switch (error) {
	case ECONNREFUSED:
		return REFUSED;
	case EHOSTUNREACH:
	case ENETUNREACH:
		return UNREACHABLE;
	case ETIMEDOUT:
		return connecting ? CONNECT_TIMEOUT : SILENT;
	case ECONNRESET:
	case EPIPE:
		return connecting ? REFUSED : RESET;
	default:
		k->other_errno = error;
		return OTHER;
	}
}

static void
flow_fail_errno(struct client *k, struct flow *f, int error)
{
	flow_fail(k, f, failure_of(k, error, f->phase == CONNECTING));
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
	k->done++;
	k->early += f->left > 0;
	meter_add(&k->meter.completes, 1);
	if (f->response.keep_alive) {
		flow_close(k, f);
		return;
	}
	output_close(f);
	list_remove(&k->live, f);
	f->phase = LEAVING;
	f->since = k->now;
	list_append(&k->goodbyes, f);
}

/* ---- requests and responses ---------------------------------------------- */

static void
request_send(struct client *k, struct flow *f)
{
	const struct options *o = k->options;
	ssize_t n = mtcp_write(k->ctx, f->sockid, o->request + o->request_len - f->unsent,
	                       f->unsent);

	if (n < 0 && errno != EAGAIN && errno != EINTR) {
		flow_fail_errno(k, f, errno);
		return;
	}
	if (n > 0) {
		f->unsent -= (size_t)n;
		meter_add(&k->meter.written, (uint64_t)n);
		touch(k, f);
	}
	watch(k, f, f->unsent > 0 ? MTCP_EPOLLOUT : MTCP_EPOLLIN);
}

static void
request_start(struct client *k, struct flow *f)
{
	f->phase = AWAITING;
	f->unsent = k->options->request_len;
	f->asked_at = clock_ns();
	f->got = 0;
	f->chunks = (struct http_chunks){0};
	if (k->options->expect_digest)
		sha256_start(&f->sum);
	request_send(k, f);
}

static bool
body_write(int fd, const char *data, size_t len)
{
	while (len > 0) {
		ssize_t n = write(fd, data, len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return false;
		data += n;
		len -= (size_t)n;
	}
	return true;
}

static enum failure
body_add(struct client *k, struct flow *f, const char *data, size_t len)
{
	f->got += len;
	if (k->options->expect_digest)
		sha256_add(&f->sum, data, len);
	if (f->out >= 0 && !body_write(f->out, data, len)) {
		app_error(&k->options->common, "cannot write the body: %m");
		return BAD_FILE;
	}
	return NO_FAILURE;
}

static enum failure
body_chunks(struct client *k, struct flow *f, const char *data, size_t len)
{
	enum failure why = NO_FAILURE;

	while (len > 0 && !f->chunks.done && !why) {
		const char *piece = NULL;
		size_t piece_len;
		ssize_t n = http_chunks_next(&f->chunks, data, len, &piece, &piece_len);

		if (n < 0)
			return BAD_BODY;
		data += n;
		len -= (size_t)n;
		if (piece_len > 0)
			why = body_add(k, f, piece, piece_len);
	}
	return len > 0 && !why ? BAD_BODY : why;
}

static enum failure
body_take(struct client *k, struct flow *f, const char *data, size_t len)
{
	if (len == 0)
		return NO_FAILURE;
	if (f->response.framing == HTTP_BY_CHUNKS)
		return body_chunks(k, f, data, len);
	/* One request at a time: nothing may follow the body. */
	if (f->response.framing == HTTP_NO_BODY ||
	    (f->response.framing == HTTP_BY_LENGTH && len > f->response.length - f->got))
		return BAD_BODY;
	return body_add(k, f, data, len);
}

static bool
body_complete(const struct flow *f)
{
	switch (f->response.framing) {
	case HTTP_NO_BODY:
		return true;
	case HTTP_BY_LENGTH:
		return f->got == f->response.length;
	case HTTP_BY_CHUNKS:
		return f->chunks.done;
	default:
		return false; /* its end is the connection's */
	}
}

static enum failure
response_judge(struct client *k, struct flow *f)
{
	uint8_t digest[SHA256_SIZE];
	const struct options *o = k->options;

	if (o->expect_size >= 0 && f->got != (uint64_t)o->expect_size)
		return BAD_SIZE;
	if (!o->expect_digest)
		return NO_FAILURE;
	sha256_end(&f->sum, digest);
	return memcmp(digest, o->digest, SHA256_SIZE) == 0 ? NO_FAILURE : BAD_DIGEST;
}

static void
response_time(struct client *k, const struct flow *f)
{
	int64_t ns = clock_ns() - f->asked_at;
	uint64_t us = (uint64_t)ns / 1000;

	latency_add(&k->latency, ns);
	meter_add(&k->meter.time_us, us);
	meter_add(&k->meter.count, 1);
	if (us > meter_get(&k->meter.max_us))
		atomic_store_explicit(&k->meter.max_us, us, memory_order_relaxed);
}

static void
response_done(struct client *k, struct flow *f)
{
	enum failure why = response_judge(k, f);

	if (why) {
		flow_fail(k, f, why);
		return;
	}
	response_time(k, f);
	f->left--;
	if (f->left == 0 || !f->response.keep_alive)
		flow_leave(k, f);
	else
		request_start(k, f);
}

/* A head that did not come whole waits in a buffer of its own. */
static bool
head_keep(struct flow *f, const char *data, size_t len)
{
	if (!f->head) {
		f->head = malloc(HTTP_HEAD_MAX);
		f->head_len = 0;
	}
	if (!f->head || len > HTTP_HEAD_MAX - f->head_len)
		return false;
	memcpy(f->head + f->head_len, data, len);
	f->head_len += len;
	return true;
}

/*
 * Reads the head at the front of data, which may continue a kept one.  How many
 * bytes of data it took; 0 when it is not complete; -1 and *why when it is wrong.
 */
static ssize_t
head_take(struct client *k, struct flow *f, const char *data, size_t len, enum failure *why)
{
	size_t scan = 0, before = f->head ? f->head_len : 0, end;
	size_t fits = len < HTTP_HEAD_MAX - before ? len : HTTP_HEAD_MAX - before;
	const char *head = data;

	*why = BAD_HEAD;
	if (f->head) {
		if (!head_keep(f, data, fits))
			return -1;
		head = f->head;
	}
	end = http_head_end(head, before + fits, &scan);
	if (end == 0) {
		if (fits < len || before + fits == HTTP_HEAD_MAX)
			return -1;
		return f->head || head_keep(f, data, fits) ? 0 : -1;
	}
	if (http_response_parse(&f->response, head, end, false) != 0)
		return -1;
	free(f->head);
	f->head = NULL;
	if (f->response.status >= 200 && f->response.status != 200) {
		k->bad_status = f->response.status;
		*why = BAD_STATUS;
		return -1;
	}
	return (ssize_t)(end - before);
}

/* Takes the bytes that have arrived; false when the flow is over or has failed. */
static bool
response_take(struct client *k, struct flow *f, const char *data, size_t len)
{
	enum failure why = NO_FAILURE;

	while (f->phase == AWAITING && len > 0) {
		ssize_t n = head_take(k, f, data, len, &why);

		if (n < 0) {
			flow_fail(k, f, why);
			return false;
		}
		if (n == 0)
			return true;
		data += n;
		len -= (size_t)n;
		if (f->response.status == 200) /* 1xx: another head follows */
			f->phase = RECEIVING;
	}
	if (f->phase == AWAITING)
		return true;
	why = body_take(k, f, data, len);
	if (why) {
		flow_fail(k, f, why);
		return false;
	}
	if (!body_complete(f))
		return true;
	response_done(k, f);
	return false;
}

static void
response_end(struct client *k, struct flow *f)
{
	if (f->phase != RECEIVING || f->response.framing != HTTP_BY_CLOSE)
		flow_fail(k, f, CUT_SHORT);
	else
		response_done(k, f);
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
		touch(k, f);
		if (!response_take(k, f, k->buffer, (size_t)n) || (size_t)n < sizeof(k->buffer))
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
		snprintf(name, sizeof(name), "%s.%ld", o->out, k->first + k->share - k->to_start);
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
		*f = (struct flow){.left = k->options->per_flow, .out = -1};
		f->since = k->now;
		f->phase = CONNECTING;
	}
	return f;
}

/* Sockets and local ports come back when other flows end: that is worth a wait. */
static bool
is_shortage(int error)
{
	return error == EADDRNOTAVAIL || error == EMFILE || error == ENFILE || error == ENOMEM ||
	       error == ENOBUFS || error == EAGAIN;
}

/* A connection under way; -1 and errno when there is none. */
static int
connect_start(struct client *k)
{
	const struct options *o = k->options;
	int sockid = mtcp_socket(k->ctx, o->server.ss_family, SOCK_STREAM, 0);
	int error, one = 1;

	if (sockid < 0)
		return -1;
	mtcp_setsockopt(k->ctx, sockid, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
	if (mtcp_setsock_nonblock(k->ctx, sockid) == 0 &&
	    (mtcp_connect(k->ctx, sockid, (const struct sockaddr *)&o->server,
	                  o->server_len) == 0 || errno == EINPROGRESS))
		return sockid;
	error = errno;
	mtcp_close(k->ctx, sockid);
	errno = error;
	return -1;
}

/* Counts a flow that could not even begin. */
static void
start_failed(struct client *k, enum failure why)
{
	k->to_start--;
	k->failed++;
	k->failures[why]++;
}

static void
shortage(struct client *k)
{
	k->retry_at = k->now + SECOND_NS / 10;
	if (k->open > 0)
		k->starved_since = 0;
	else if (k->starved_since == 0)
		k->starved_since = k->now;
	else if (k->now - k->starved_since >= k->options->timeout_s * SECOND_NS)
		start_failed(k, NO_SOCKET);
}

/* false: no use in starting another one now. */
static bool
flow_start(struct client *k)
{
	struct flow *f;
	int sockid = connect_start(k);

	if (sockid < 0) {
		if (is_shortage(errno)) {
			shortage(k);
			return false;
		}
		start_failed(k, failure_of(k, errno, true));
		return true;
	}
	k->starved_since = 0;
	f = flow_new(k);
	if (!f) {
		mtcp_abort(k->ctx, sockid);
		start_failed(k, NO_SOCKET);
		return true;
	}
	f->sockid = sockid;
	f->out = output_open(k);
	list_append(&k->live, f);
	k->open++;
	k->to_start--;
	if (k->options->out && f->out < 0)
		flow_fail(k, f, BAD_FILE);
	else
		watch(k, f, MTCP_EPOLLOUT);
	return true;
}

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
	touch(k, f);
	request_start(k, f);
}

/* ---- the loop ------------------------------------------------------------ */

/* What the connection's error is, when an event says that there is one. */
static void
broken(struct client *k, struct flow *f)
{
	int error = 0;
	socklen_t len = sizeof(error);

	mtcp_getsockopt(k->ctx, f->sockid, SOL_SOCKET, SO_ERROR, &error, &len);
	flow_fail_errno(k, f, error ? error : ECONNRESET);
}

static void
goodbye(struct client *k, struct flow *f)
{
	ssize_t n = mtcp_read(k->ctx, f->sockid, k->buffer, sizeof(k->buffer));

	if (n >= 0 || (errno != EAGAIN && errno != EINTR))
		flow_close(k, f);
}

static void
flow_ready(struct client *k, struct flow *f, uint32_t events)
{
	switch (f->phase) {
	case CONNECTING:
		connected(k, f);
		break;
	case AWAITING:
	case RECEIVING:
		if ((events & MTCP_EPOLLERR) && !(events & MTCP_EPOLLIN))
			broken(k, f);
		else if (f->unsent > 0)
			request_send(k, f);
		else
			response_read(k, f);
		break;
	case LEAVING:
		goodbye(k, f);
		break;
	}
}

static void
sweep(struct client *k)
{
	int64_t limit = k->options->timeout_s * SECOND_NS;

	while (k->goodbyes.oldest && k->now - k->goodbyes.oldest->since >= GOODBYE_NS)
		flow_close(k, k->goodbyes.oldest);
	while (k->live.oldest && k->now - k->live.oldest->since >= limit)
		flow_fail(k, k->live.oldest,
		          k->live.oldest->phase == CONNECTING ? CONNECT_TIMEOUT : SILENT);
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
		sweep(k);
	}
	return 0;
}

/* ---- start and end of a worker ------------------------------------------- */

static void
client_close(struct client *k)
{
	while (k->goodbyes.oldest)
		flow_close(k, k->goodbyes.oldest);
	while (k->live.oldest) {
		k->incomplete++;
		mtcp_abort(k->ctx, k->live.oldest->sockid);
		flow_free(k, k->live.oldest);
	}
	while (k->spare) {
		struct flow *f = k->spare;

		k->spare = f->newer;
		free(f);
	}
	if (k->epid >= 0)
		mtcp_close(k->ctx, k->epid);
}

static int
fetch_on_core(struct app_run *run, mctx_t ctx, int index, int core)
{
	struct work *w = run->state;
	struct client *k = &w->clients[index];
	int status = -1;

	k->run = run;
	k->ctx = ctx;
	k->core = core;
	k->epid = mtcp_epoll_create1(ctx, 0);
	k->begun_at = clock_ns();
	if (k->epid < 0)
		app_error(run->args, "cannot create an epoll: %m");
	else
		status = fetch_all(k);
	k->ended_at = clock_ns();
	client_close(k);
	return status;
}

/* ---- what is printed ----------------------------------------------------- */

/* Once a second, what this second brought. */
static void
tick(struct app_run *run)
{
	struct work *w = run->state;
	uint64_t now[6] = {0}, d[6], max_us = 0;

	for (int i = 0; i < run->workers; i++) {
		struct meter *m = &w->clients[i].meter;
		uint64_t max = atomic_exchange_explicit(&m->max_us, 0, memory_order_relaxed);

		now[0] += meter_get(&m->connects);
		now[1] += meter_get(&m->read);
		now[2] += meter_get(&m->written);
		now[3] += meter_get(&m->completes);
		now[4] += meter_get(&m->time_us);
		now[5] += meter_get(&m->count);
		max_us = max > max_us ? max : max_us;
	}
	for (int i = 0; i < 6; i++) {
		d[i] = now[i] - w->last[i];
		w->last[i] = now[i];
	}
	printf("[ ALL ] connect: %7lu, read: %4lu MB, write: %4lu MB, completes: %7lu "
	       "(resp_time avg: %4lu, max: %6lu us)\n",
	       (unsigned long)d[0], (unsigned long)(d[1] >> 20), (unsigned long)(d[2] >> 20),
	       (unsigned long)d[3], (unsigned long)(d[5] ? d[4] / d[5] : 0),
	       (unsigned long)max_us);
	fflush(stdout);
}

/* The sum of all workers. */
struct total {
	uint64_t connects, requests, read;
	long done, failed, incomplete, unstarted, early;
	uint64_t failures[FAILURES];
	int other_errno, bad_status;
	int64_t begun_at, ended_at;
	struct latency latency;
};

static void
total_add(struct total *t, struct client *k)
{
	if (k->begun_at && (!t->begun_at || k->begun_at < t->begun_at))
		t->begun_at = k->begun_at;
	if (k->ended_at > t->ended_at)
		t->ended_at = k->ended_at;
	t->connects += meter_get(&k->meter.connects);
	t->requests += meter_get(&k->meter.count);
	t->read += meter_get(&k->meter.read);
	t->done += k->done;
	t->failed += k->failed;
	t->incomplete += k->incomplete;
	t->unstarted += k->to_start;
	t->early += k->early;
	for (int i = 0; i < FAILURES; i++)
		t->failures[i] += k->failures[i];
	if (k->other_errno)
		t->other_errno = k->other_errno;
	if (k->bad_status)
		t->bad_status = k->bad_status;
	latency_merge(&t->latency, &k->latency);
}

static void
print_exceptions(const struct total *t)
{
	for (int i = 1; i < FAILURES; i++) {
		if (t->failures[i] == 0)
			continue;
		printf("  failed           %llu: %s", (unsigned long long)t->failures[i],
		       failure_text[i]);
		if (i == BAD_STATUS)
			printf(" (%d)", t->bad_status);
		if (i == OTHER)
			printf(" (%s)", strerror(t->other_errno));
		putchar('\n');
	}
	if (t->early > 0)
		printf("  ended early      %ld: the server's limit of requests on a connection\n",
		       t->early);
	if (t->unstarted > 0)
		printf("  not started      %ld\n", t->unstarted);
}

static void
print_total(const struct work *w, const struct total *t)
{
	double s = (double)(t->ended_at - t->begun_at + 1) / 1e9; /* never 0 */
	const struct latency *l = &t->latency;

	printf("\nepwget: %ld of %ld connections good, %llu responses, %.1f MB in %.3f s\n",
	       t->done, w->options->flows, (unsigned long long)t->requests,
	       (double)t->read / 1e6, s);
	printf("  connections/s    %.1f\n", (double)t->connects / s);
	printf("  requests/s       %.1f\n", (double)t->requests / s);
	printf("  Gbit/s           %.3f\n", (double)t->read * 8 / 1e9 / s);
	printf("  response us      avg %.1f, p50 %.1f, p99 %.1f, max %.1f\n",
	       (double)latency_mean(l) / 1e3, (double)latency_quantile(l, 500) / 1e3,
	       (double)latency_quantile(l, 990) / 1e3, (double)l->max_ns / 1e3);
	print_exceptions(t);
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
	print_total(w, t);
	good = t->done == w->options->flows;
	free(t);
	return fflush(stdout) == 0 && good;
}

/* ---- the command --------------------------------------------------------- */

static const char help[] =
	"usage: epwget URL TOTAL_FLOWS -f FILE [options]\n"
	"Fetches URL, [http://]ADDRESS[:PORT]/PATH, over TOTAL_FLOWS connections.\n"
	"\n"
	"  -c, --concurrency N     connections open at a time, on all cores together (100)\n"
	"  -n, --core CORE_ID      run on this core only\n"
	"  -o, --output FILE       keep the body; FILE.0, FILE.1, … with several flows\n"
	"      --keep-alive[=N]    make N requests (100) on each connection\n"
	"      --timeout SECONDS   a connection without progress for this long failed (30)\n"
	"      --expect-size N     each body must have N bytes\n"
	"      --expect-sha256 HEX each body must have this SHA-256\n"
	APP_OPTIONS_HELP
	"\n"
	"The status is 0 when every response was complete, with status 200 and as expected.\n"
	"SIGINT, SIGTERM and SIGHUP end it in order, with the summary so far.\n";

enum { OPT_KEEP_ALIVE = APP_OPT_OWN, OPT_TIMEOUT, OPT_SIZE, OPT_SHA256 };

static bool
read_digest(struct options *o, const char *text)
{
	if (strlen(text) == 2 * SHA256_SIZE &&
	    strspn(text, "0123456789abcdefABCDEF") == 2 * SHA256_SIZE) {
		for (size_t i = 0; i < SHA256_SIZE; i++) {
			char byte[3] = {text[2 * i], text[2 * i + 1], '\0'};

			o->digest[i] = (uint8_t)strtoul(byte, NULL, 16);
		}
		o->expect_digest = true;
		return true;
	}
	app_error(&o->common, "--expect-sha256 %s: give 64 hexadecimal digits", text);
	return false;
}

static bool
read_core(struct options *o, const char *text)
{
	long n;

	if (!app_number(&o->common, "-n", text, 0, APP_CORES_MAX - 1, &n))
		return false;
	o->common.core = (int)n;
	return true;
}

static int
own_option(struct options *o, int option, const char *value)
{
	const struct app_args *a = &o->common;
	bool good = true;

	switch (option) {
	case 'c':
		good = app_number(a, "-c", value, 1, INT_MAX, &o->concurrency);
		break;
	case 'n':
		good = read_core(o, value);
		break;
	case 'o':
		o->out = value;
		break;
	case OPT_KEEP_ALIVE:
		o->per_flow = 100;
		good = !value || app_number(a, "--keep-alive", value, 1, LONG_MAX, &o->per_flow);
		break;
	case OPT_TIMEOUT:
		good = app_number(a, "--timeout", value, 1, 86400, &o->timeout_s);
		break;
	case OPT_SIZE:
		good = app_number(a, "--expect-size", value, 0, LONG_MAX, &o->expect_size);
		break;
	case OPT_SHA256:
		good = read_digest(o, value);
		break;
	default:
		return app_option(&o->common, option, value, help);
	}
	return good ? APP_GO_ON : EXIT_FAILURE;
}

static int
read_options(struct options *o, int argc, char **argv)
{
	static const struct option table[] = {
		APP_LONG_OPTIONS,
		{"concurrency", required_argument, NULL, 'c'},
		{"core", required_argument, NULL, 'n'},
		{"output", required_argument, NULL, 'o'},
		{"keep-alive", optional_argument, NULL, OPT_KEEP_ALIVE},
		{"timeout", required_argument, NULL, OPT_TIMEOUT},
		{"expect-size", required_argument, NULL, OPT_SIZE},
		{"expect-sha256", required_argument, NULL, OPT_SHA256},
		{NULL, 0, NULL, 0},
	};
	int option, status;

	while ((option = getopt_long(argc, argv, APP_SHORT_OPTIONS "c:n:o:", table, NULL)) != -1) {
		status = own_option(o, option, optarg);
		if (status != APP_GO_ON)
			return status;
	}
	return APP_GO_ON;
}

/* Only addresses: there is no resolver on this side of the network. */
static bool
find_server(struct options *o)
{
	struct sockaddr_in *v4 = (struct sockaddr_in *)&o->server;
	struct sockaddr_in6 *v6 = (struct sockaddr_in6 *)&o->server;

	if (!o->url.bracketed && inet_pton(AF_INET, o->url.host, &v4->sin_addr) == 1) {
		v4->sin_family = AF_INET;
		v4->sin_port = htons(o->url.port);
		o->server_len = sizeof(*v4);
		return true;
	}
	if (o->url.bracketed && inet_pton(AF_INET6, o->url.host, &v6->sin6_addr) == 1) {
		v6->sin6_family = AF_INET6;
		v6->sin6_port = htons(o->url.port);
		o->server_len = sizeof(*v6);
		return true;
	}
	app_error(&o->common, "%s: not an IP address; names are not looked up", o->url.host);
	return false;
}

static void
make_request(struct options *o)
{
	const char *open = o->url.bracketed ? "[" : "", *close = o->url.bracketed ? "]" : "";
	char port[8] = "";

	if (o->url.port != 80)
		snprintf(port, sizeof(port), ":%u", o->url.port);
	o->request_len = (size_t)snprintf(
		o->request, sizeof(o->request),
		"GET %s HTTP/1.1\r\nHost: %s%s%s%s\r\nUser-Agent: epwget\r\nAccept: */*\r\n"
		"Connection: %s\r\n\r\n",
		o->url.path, open, o->url.host, close, port,
		o->per_flow > 1 ? "keep-alive" : "close");
}

static int
read_arguments(struct options *o, int argc, char **argv)
{
	const char *wrong;

	if (o->common.check || o->common.dump)
		return APP_GO_ON;
	if (argc - optind != 2) {
		app_error(&o->common, "give a URL and a number of connections, for example: "
		          "epwget 10.0.0.2/index.html 1000 -f epwget.conf");
		return EXIT_FAILURE;
	}
	wrong = http_url_parse(&o->url, argv[optind]);
	if (wrong) {
		app_error(&o->common, "%s: %s", argv[optind], wrong);
		return EXIT_FAILURE;
	}
	if (!find_server(o) ||
	    !app_number(&o->common, "TOTAL_FLOWS", argv[optind + 1], 1, LONG_MAX, &o->flows))
		return EXIT_FAILURE;
	if (o->out && o->per_flow > 1) {
		app_error(&o->common, "-o keeps one body a connection; leave --keep-alive away");
		return EXIT_FAILURE;
	}
	make_request(o);
	return APP_GO_ON;
}

/* Item index of n nearly equal parts of a whole. */
static long
share(long whole, int n, int index)
{
	return whole / n + (index < whole % n);
}

static void
clients_prepare(struct work *w, int workers)
{
	const struct options *o = w->options;
	long first = 0;

	for (int i = 0; i < workers; i++) {
		struct client *k = &w->clients[i];

		k->options = o;
		k->core = o->common.core >= 0 ? o->common.core : i;
		k->epid = -1;
		k->share = k->to_start = share(o->flows, workers, i);
		k->at_once = share(o->concurrency, workers, i);
		if (k->at_once == 0)
			k->at_once = 1;
		k->first = first;
		first += k->to_start;
	}
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
		clients_prepare(&w, run.workers);
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
	struct options o = {
		.common = {.name = "epwget", .core = -1},
		.concurrency = 100,
		.per_flow = 1,
		.timeout_s = 30,
		.expect_size = -1,
	};
	int status = read_options(&o, argc, argv);

	if (status == APP_GO_ON)
		status = read_arguments(&o, argc, argv);
	if (status == APP_GO_ON)
		status = app_start(&o.common);
	return status == APP_GO_ON ? run_client(&o) : status;
}
