/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The server is epserver itself, with its main() called epserver_main() and the few
 * calls that start a process's mtcp replaced by those below: its one core is the
 * world's server.  Threads and clocks would count differently every time; here its
 * worker runs on the caller's, and what time it is the world tells.
 */
#include "test/bench/exact.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "apps/app_args.h"
#include "apps/app_run.h"
#include "mtcp_epoll.h"
#include "test/bench/exact_world.h"

#define CONNS_MOST 64u

int epserver_main(int argc, char **argv);

/* One kind of load.  Warmed up, then so many operations with the stack counted, then as
 * many with the application counted. */
struct phase {
	const char *name;
	unsigned conns;
	bool kept;
	uint64_t warm, count;
};

static const struct phase phases[] = {
	{ "short_connection", 64, false, 640, 1280 },
	{ "kept_request_64", 64, true, 1280, 2560 },
	{ "kept_request_1", 1, true, 200, 500 },
};

struct conn {
	int sockid;
	bool asked;
	uint32_t got;
};

struct load {
	const struct phase *phase;
	struct conn conn[CONNS_MOST];
	unsigned open;
	int epid;
	uint64_t done;       /* of this phase                  */
	uint32_t reply;      /* bytes of a kept reply          */
	bool ending;         /* connections end, none is opened */
};

/* The one world there is, for those whose signature has no room for it. */
static struct world *the_world;

/* ---- what stands in for a process's mtcp --------------------------------- */

int
mtcp_init(const char *config_file)
{
	(void)config_file;
	return 0;
}

void
mtcp_destroy(void)
{
}

int
mtcp_getconf(struct mtcp_conf *conf)
{
	*conf = (struct mtcp_conf){ .num_cores = 1 };
	return 0;
}

int
mtcp_config_set(const char *assignment)
{
	(void)assignment;
	return 0;
}

int
mtcp_check_config(const char *file, FILE *out)
{
	(void)file;
	(void)out;
	return 0;
}

int
mtcp_dump_config(FILE *out)
{
	(void)out;
	return 0;
}

void
app_block_signals(void)
{
}

bool
app_stopping(struct app_run *run)
{
	(void)run;
	return the_world->over;
}

void
app_ready(struct app_run *run)
{
	(void)run;
}

int
app_run(struct app_run *run)
{
	return run->work(run, &the_world->server.ctx, 0, 0);
}

int
clock_gettime(clockid_t id, struct timespec *t)
{
	(void)id;
	*t = (struct timespec){ 0 };
	if (the_world) {
		t->tv_sec = the_world->now / NS_PER_S;
		t->tv_nsec = the_world->now % NS_PER_S;
	}
	return 0;
}

/* ---- the client ---------------------------------------------------------- */

static struct load *
load_of(struct world *w)
{
	return w->state;
}

static void
give_up(const char *what)
{
	fprintf(stderr, "exact: %s: %s\n", what, strerror(errno));
	exit(1);
}

static void
watch(struct world *w, struct conn *c, int op, uint32_t events)
{
	struct mtcp_epoll_event ev = { .events = events, .data = { .ptr = c } };

	if (mtcp_epoll_ctl(&w->client.ctx, load_of(w)->epid, op, c->sockid, &ev) != 0)
		give_up("the client's epoll");
}

static void
conn_open(struct world *w, struct conn *c)
{
	struct sockaddr_in to = world_server();
	mctx_t ctx = &w->client.ctx;

	*c = (struct conn){ .sockid = mtcp_socket(ctx, AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0) };
	if (c->sockid < 0)
		give_up("a socket of the client");
	watch(w, c, MTCP_EPOLL_CTL_ADD, MTCP_EPOLLOUT);
	if (mtcp_connect(ctx, c->sockid, (struct sockaddr *)&to, sizeof to) != 0 &&
	    errno != EINPROGRESS)
		give_up("connecting");
	load_of(w)->open++;
}

static void
ask(struct world *w, struct conn *c)
{
	static const char kept[] = "GET /64 HTTP/1.1\r\nHost: 10.0.0.1\r\n\r\n";
	static const char once[] =
		"GET /64 HTTP/1.1\r\nHost: 10.0.0.1\r\nConnection: close\r\n\r\n";
	bool keep = load_of(w)->phase->kept;
	size_t len = keep ? sizeof kept - 1 : sizeof once - 1;

	if (mtcp_write(&w->client.ctx, c->sockid, keep ? kept : once, len) != (ssize_t)len)
		give_up("asking");
	c->asked = true;
	c->got = 0;
}

static void
conn_close(struct world *w, struct conn *c)
{
	mtcp_close(&w->client.ctx, c->sockid);
	load_of(w)->open--;
}

/* An operation more: where counting begins, changes and ends. */
static void
count(struct world *w)
{
	struct load *l = load_of(w);
	const struct phase *p = l->phase;

	l->done++;
	if (l->done == p->warm) {
		world_count(w, STACK, l->done);
	} else if (l->done == p->warm + p->count) {
		world_report(w, p->name, l->done);
		world_count(w, APP, l->done);
	} else if (l->done == p->warm + 2 * p->count) {
		world_report(w, p->name, l->done);
		l->ending = true;
	}
}

static void
conn_over(struct world *w, struct conn *c)
{
	struct load *l = load_of(w);

	conn_close(w, c);
	count(w);
	if (!l->ending)
		conn_open(w, c);
}

static void
reply_over(struct world *w, struct conn *c)
{
	struct load *l = load_of(w);

	count(w);
	if (l->ending)
		conn_close(w, c);
	else
		ask(w, c);
}

static void
conn_read(struct world *w, struct conn *c)
{
	struct load *l = load_of(w);
	char buffer[4096];
	ssize_t n = mtcp_read(&w->client.ctx, c->sockid, buffer, sizeof buffer);

	if (n < 0)
		give_up("reading");
	c->got += (uint32_t)n;
	if (!l->phase->kept) {
		if (n > 0) /* the end has come with it */
			n = mtcp_read(&w->client.ctx, c->sockid, buffer, sizeof buffer);
		if (n == 0)
			conn_over(w, c);
		return;
	}
	if (n == 0)
		give_up("a kept connection was closed");
	if (l->reply == 0)
		l->reply = c->got; /* the first reply comes in one segment, and all are alike */
	if (c->got == l->reply)
		reply_over(w, c);
}

static void
phase_begin(struct world *w)
{
	struct load *l = load_of(w);

	l->done = 0;
	l->ending = false;
	for (unsigned i = 0; i < l->phase->conns; i++)
		conn_open(w, &l->conn[i]);
}

/* The client's application, as far as it comes without waiting. */
static void
turn(struct world *w)
{
	struct load *l = load_of(w);
	struct mtcp_epoll_event ev[CONNS_MOST];
	int n;

	if (l->epid < 0)
		l->epid = mtcp_epoll_create1(&w->client.ctx, 0);
	if (l->open == 0 && !w->over) {
		l->phase = l->phase ? l->phase + 1 : phases;
		w->over = l->phase == phases + array_len(phases);
		if (!w->over)
			phase_begin(w);
	}
	n = mtcp_epoll_wait(&w->client.ctx, l->epid, ev, CONNS_MOST, 0);
	for (int i = 0; i < n; i++) {
		struct conn *c = ev[i].data.ptr;

		if (c->asked) {
			conn_read(w, c);
		} else {
			watch(w, c, MTCP_EPOLL_CTL_MOD, MTCP_EPOLLIN);
			ask(w, c);
		}
	}
}

void
exact_http(char *dir)
{
	static struct load load = { .epid = -1 };
	char *argv[] = { (char[]){ "epserver" }, (char[]){ "-p" }, dir, (char[]){ "-f" },
		             (char[]){ "none" }, NULL };

	the_world = world_new(WORLD_NIC, turn, &load);
	if (epserver_main((int)array_len(argv) - 1, argv) != 0)
		exit(1);
	world_free(the_world);
}
