/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A crowd of connections to one web server, all opened before anything is measured.
 *
 * Busy: each asks for the same small file again and again, and how often each was
 * answered tells how fairly the server treats them: Jain's index, 1 when all got the
 * same, 1/n when one got everything.
 *
 * Idle: when all are open each asks once, then nothing happens; "held" is printed, and whoever
 * wants to know what an idle connection costs can look at both processes' memory.  A million of
 * them need many addresses: --source lists them, and they are taken in turn.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "apps/app_args.h"
#include "apps/app_run.h"
#include "apps/wget_source.h"
#include "mtcp_api.h"
#include "mtcp_epoll.h"

#define EVENTS 256
#define OPENING 200 /* connections that may be on their way at a time */
#define ASKING  1000 /* idle ones that may wait for their answer at a time */

struct conn {
	int sockid;
	bool up, asked;
	uint32_t interest; /* what the epoll was told */
	uint32_t got;      /* of the reply */
	unsigned long n;   /* replies that counted */
};

struct options {
	struct app_args common;
	struct sockaddr_in server;
	struct sources sources; /* none: the stack's choice */
	char request[512];
	long conns, seconds;
	bool idle;
};

struct crowd {
	const struct options *options;
	struct app_run *run;
	mctx_t ctx;
	int epid;
	struct conn *conn;
	long opened, up, asked, answered;
	uint32_t reply;    /* bytes of a whole one: they are all alike */
	bool counting;
};

static double
seconds_now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static int
failed(struct crowd *k, const char *what)
{
	app_error(&k->options->common, "%s: %m", what);
	return -1;
}

static int
watch(struct crowd *k, struct conn *c, uint32_t interest)
{
	struct mtcp_epoll_event ev = {.events = interest, .data = {.ptr = c}};
	int op = c->interest ? MTCP_EPOLL_CTL_MOD : MTCP_EPOLL_CTL_ADD;

	if (c->interest == interest)
		return 0;
	c->interest = interest;
	return mtcp_epoll_ctl(k->ctx, k->epid, op, c->sockid, &ev) == 0 ? 0 : failed(k, "an epoll");
}

/* The address in turn; the port is chosen when the destination is known. */
static int
conn_bind(struct crowd *k, struct conn *c)
{
	const struct sources *s = &k->options->sources;
	struct sockaddr_storage from;
	socklen_t len;
	int one = 1;

	if (s->total == 0)
		return 0;
	len = sources_at(s, (uint64_t)k->opened, &from);
	if (mtcp_setsockopt(k->ctx, c->sockid, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &one,
	                    sizeof(one)) != 0 ||
	    mtcp_bind(k->ctx, c->sockid, (struct sockaddr *)&from, len) != 0)
		return failed(k, "a source address");
	return 0;
}

static int
conn_open(struct crowd *k, struct conn *c)
{
	const struct options *o = k->options;

	c->sockid = mtcp_socket(k->ctx, AF_INET, SOCK_STREAM, 0);
	if (c->sockid < 0 || mtcp_setsock_nonblock(k->ctx, c->sockid) != 0)
		return failed(k, "a socket");
	if (conn_bind(k, c) != 0)
		return -1;
	if (watch(k, c, MTCP_EPOLLOUT) != 0)
		return -1;
	if (mtcp_connect(k->ctx, c->sockid, (const struct sockaddr *)&o->server,
	                 sizeof(o->server)) != 0 &&
	    errno != EINPROGRESS)
		return failed(k, "connecting");
	k->opened++;
	return 0;
}

/* A request is short: it is taken whole, or there is no room for any of it yet. */
static int
conn_ask(struct crowd *k, struct conn *c)
{
	size_t len = strlen(k->options->request);

	if (mtcp_write(k->ctx, c->sockid, k->options->request, len) == (ssize_t)len) {
		c->got = 0;
		c->asked = true;
		return watch(k, c, MTCP_EPOLLIN);
	}
	if (errno != EAGAIN)
		return failed(k, "asking");
	c->asked = false;
	return watch(k, c, MTCP_EPOLLOUT);
}

static int
conn_up(struct crowd *k, struct conn *c)
{
	int error = 0;
	socklen_t len = sizeof(error);

	if (mtcp_getsockopt(k->ctx, c->sockid, SOL_SOCKET, SO_ERROR, &error, &len) != 0 || error) {
		errno = error ? error : errno;
		return failed(k, "a connection");
	}
	c->up = true;
	k->up++;
	return watch(k, c, MTCP_EPOLLIN);
}

static int
conn_read(struct crowd *k, struct conn *c)
{
	char buffer[16384];
	ssize_t n = mtcp_read(k->ctx, c->sockid, buffer, sizeof(buffer));

	if (n < 0 && errno == EAGAIN)
		return 0;
	if (n <= 0)
		return failed(k, n == 0 ? "the server closed a connection" : "reading");
	c->got += (uint32_t)n;
	if (k->reply == 0)
		k->reply = c->got; /* small enough to come in one piece */
	if (c->got < k->reply)
		return 0;
	k->answered++;
	c->n += k->counting;
	return k->options->idle ? 0 : conn_ask(k, c);
}

static int
conn_ready(struct crowd *k, struct conn *c)
{
	if (!c->up)
		return conn_up(k, c);
	return c->asked ? conn_read(k, c) : conn_ask(k, c);
}

/* One wait and what it brought. */
static int
turn(struct crowd *k)
{
	struct mtcp_epoll_event ev[EVENTS];
	int n = mtcp_epoll_wait(k->ctx, k->epid, ev, EVENTS, APP_TICK_MS);

	for (int i = 0; i < n; i++) {
		struct conn *c = ev[i].data.ptr;

		if (conn_ready(k, c) != 0)
			return -1;
	}
	return app_stopping(k->run) ? -1 : 0;
}

static int
open_all(struct crowd *k)
{
	const struct options *o = k->options;

	while (k->up < o->conns) {
		while (k->opened < o->conns && k->opened - k->up < OPENING)
			if (conn_open(k, &k->conn[k->opened]) != 0)
				return -1;
		if (turn(k) != 0)
			return -1;
	}
	return 0;
}

static int
turns_for(struct crowd *k, double seconds)
{
	double until = seconds_now() + seconds;

	while (seconds_now() < until)
		if (turn(k) != 0)
			return -1;
	return 0;
}

static void
report(const struct crowd *k, double seconds)
{
	double sum = 0, squares = 0;
	unsigned long least = ULONG_MAX, most = 0;

	for (long i = 0; i < k->options->conns; i++) {
		unsigned long n = k->conn[i].n;

		sum += (double)n;
		squares += (double)n * (double)n;
		least = n < least ? n : least;
		most = n > most ? n : most;
	}
	printf("crowd: connections=%ld per_s=%.0f least=%lu most=%lu jain=%.5f\n",
	       k->options->conns, sum / seconds, least, most,
	       squares > 0 ? sum * sum / ((double)k->options->conns * squares) : 0);
	fflush(stdout);
}

static int
keep_busy(struct crowd *k)
{
	double began;

	for (long i = 0; i < k->options->conns; i++)
		if (conn_ask(k, &k->conn[i]) != 0)
			return -1;
	if (turns_for(k, 1) != 0)
		return -1;
	k->counting = true;
	began = seconds_now();
	if (turns_for(k, (double)k->options->seconds) != 0)
		return -1;
	report(k, seconds_now() - began);
	return 0;
}

/* Each once; those that were asked and the server has not answered are never many. */
static int
ask_all(struct crowd *k)
{
	const struct options *o = k->options;

	while (k->answered < o->conns) {
		for (; k->asked < o->conns && k->asked - k->answered < ASKING; k->asked++)
			if (conn_ask(k, &k->conn[k->asked]) != 0)
				return -1;
		if (turn(k) != 0)
			return -1;
	}
	return 0;
}

static int
hold(struct crowd *k, double began)
{
	double open = seconds_now();

	printf("crowd: opened connections=%ld in %.1f s\n", k->up, open - began);
	fflush(stdout);
	if (ask_all(k) != 0)
		return -1;
	printf("crowd: held connections=%ld answered=%ld in %.1f s\n", k->up, k->answered,
	       seconds_now() - open);
	fflush(stdout);
	return turns_for(k, (double)k->options->seconds);
}

static int
work(struct app_run *run, mctx_t ctx, int index, int core)
{
	const struct options *o = run->state;
	struct crowd k = {.options = o, .run = run, .ctx = ctx};
	double began = seconds_now();
	int status = -1;

	(void)index;
	(void)core;
	k.conn = calloc((size_t)o->conns, sizeof(*k.conn));
	k.epid = mtcp_epoll_create1(ctx, 0);
	if (k.conn && k.epid >= 0 && open_all(&k) == 0)
		status = o->idle ? hold(&k, began) : keep_busy(&k);
	for (long i = 0; i < k.opened; i++)
		mtcp_abort(ctx, k.conn[i].sockid);
	free(k.conn);
	return status;
}

static const char help[] =
	"usage: crowd ADDRESS PATH CONNECTIONS SECONDS -f FILE [--idle] [--source LIST]\n"
	APP_OPTIONS_HELP;

static int
read_arguments(struct options *o, char **argv)
{
	o->server.sin_family = AF_INET;
	o->server.sin_port = htons(80);
	if (inet_pton(AF_INET, argv[0], &o->server.sin_addr) != 1) {
		app_error(&o->common, "%s: not an IPv4 address", argv[0]);
		return EXIT_FAILURE;
	}
	snprintf(o->request, sizeof(o->request), "GET /%s HTTP/1.1\r\nHost: %s\r\n\r\n", argv[1],
	         argv[0]);
	if (!app_number(&o->common, "CONNECTIONS", argv[2], 1, INT_MAX, &o->conns) ||
	    !app_number(&o->common, "SECONDS", argv[3], 0, 86400, &o->seconds))
		return EXIT_FAILURE;
	return APP_GO_ON;
}

/* crowd's own option that `option` stands for. */
static int
own_option(struct options *o, int option)
{
	char where[64];
	const char *wrong = NULL;

	if (option == APP_OPT_OWN)
		o->idle = true;
	else
		wrong = sources_parse(&o->sources, optarg, where);
	if (!wrong)
		return APP_GO_ON;
	app_error(&o->common, "--source: %s: %s", where, wrong);
	return EXIT_FAILURE;
}

int
main(int argc, char **argv)
{
	static const struct option table[] = {
		APP_LONG_OPTIONS,
		{"idle", no_argument, NULL, APP_OPT_OWN},
		{"source", required_argument, NULL, APP_OPT_OWN + 1},
		{NULL, 0, NULL, 0},
	};
	struct options o = {.common = {.name = "crowd", .core = -1}};
	struct app_run run = {.args = &o.common, .work = work, .state = &o, .workers = 1};
	int option, status = APP_GO_ON;

	while (status == APP_GO_ON &&
	       (option = getopt_long(argc, argv, APP_SHORT_OPTIONS, table, NULL)) != -1) {
		if (option >= APP_OPT_OWN)
			status = own_option(&o, option);
		else
			status = app_option(&o.common, option, optarg, help);
	}
	if (status == APP_GO_ON && argc - optind != 4) {
		fputs(help, stderr);
		status = EXIT_FAILURE;
	}
	if (status == APP_GO_ON)
		status = read_arguments(&o, argv + optind);
	if (status == APP_GO_ON)
		status = app_start(&o.common);
	if (status != APP_GO_ON)
		return status;
	status = app_run(&run);
	mtcp_destroy();
	return status == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
