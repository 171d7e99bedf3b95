/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The same work for each of 1, 2 ... 32 cores of one server: a world a core, each with a
 * client of its own, all in step.  Clients choose their ports so that their flows hash to
 * the core they are meant for: the one behind their wire, or, to see what handing over costs,
 * the one after it.  Steps and application are counted together, over all cores.
 */
#include "test/bench/exact.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>

#include "core/hall.h"
#include "mtcp_epoll.h"
#include "test/bench/exact_world.h"

#define EVENTS   64
#define CONNS    8u    /* of each core */
#define MESSAGE  64u
#define PIECE    65536u
#define STEPS    200u
#define PORT_MIN 1024u

enum kind { KEPT, SHORT, RECEIVE, SEND, IDLE };

struct cell {
	const char *name;
	enum kind kind;
	bool handed;            /* all that arrives is for another core */
	uint64_t warm, count;   /* operations of each core              */
};

static const struct cell cells[] = {
	{ "kept_request", KEPT, false, 32, 64 },
	{ "short_connection", SHORT, false, 32, 64 },
	{ "segment_received", RECEIVE, false, 100, 200 },
	{ "segment_sent", SEND, false, 100, 200 },
	{ "kept_request_handed", KEPT, true, 32, 64 },
	{ "idle_step", IDLE, false, 0, 0 },
};

struct conn {
	int sockid;
	bool up;
};

/* One core and its client. */
struct pair_of {
	const struct cell *cell;
	const struct rss *rss;
	unsigned home;          /* where the client's flows belong      */
	uint16_t port;          /* the client's last                    */
	int server_epid, client_epid, listener;
	uint32_t seen;          /* events of the server                 */
	struct conn conn[CONNS];
	unsigned open;
	uint64_t done;          /* of KEPT and SHORT                    */
};

static char buffer[PIECE];

static void
give_up(const char *what)
{
	fprintf(stderr, "exact: %s: %s\n", what, strerror(errno));
	exit(1);
}

static struct pair_of *
pair_of(struct world *w)
{
	return w->state;
}

static void
watch(mctx_t ctx, int epid, int sockid, int op, uint32_t events, void *ptr)
{
	struct mtcp_epoll_event ev = { .events = events, .data = { .ptr = ptr } };

	if (mtcp_epoll_ctl(ctx, epid, op, sockid, &ev) != 0)
		give_up("an epoll");
}

/* ---- the server's application -------------------------------------------- */

static void
listen_to_all(struct world *w)
{
	struct pair_of *p = pair_of(w);
	mctx_t ctx = &w->server.ctx;
	struct sockaddr_in any = world_server();

	p->server_epid = mtcp_epoll_create1(ctx, 0);
	p->listener = mtcp_socket(ctx, AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
	if (mtcp_bind(ctx, p->listener, (struct sockaddr *)&any, sizeof any) != 0 ||
	    mtcp_listen(ctx, p->listener, (int)CONNS) != 0)
		give_up("a listener");
	watch(ctx, p->server_epid, p->listener, MTCP_EPOLL_CTL_ADD, MTCP_EPOLLIN, NULL);
}

static void
accept_all(struct world *w)
{
	struct pair_of *p = pair_of(w);
	uint32_t events = p->cell->kind == SEND ? MTCP_EPOLLOUT : MTCP_EPOLLIN;
	mctx_t ctx = &w->server.ctx;
	int sockid;

	while ((sockid = mtcp_accept4(ctx, p->listener, NULL, NULL, SOCK_NONBLOCK)) >= 0)
		watch(ctx, p->server_epid, sockid, MTCP_EPOLL_CTL_ADD, events,
		      (void *)((uintptr_t)sockid + 1));
}

/* Answers what it reads; a short connection ends with the answer. */
static void
answer(struct world *w, int sockid)
{
	mctx_t ctx = &w->server.ctx;
	enum kind kind = pair_of(w)->cell->kind;
	ssize_t n;

	if (kind == SEND) {
		(void)mtcp_write(ctx, sockid, buffer, PIECE);
		return;
	}
	n = mtcp_read(ctx, sockid, buffer, PIECE);
	if (n < 0 || kind == RECEIVE)
		return;
	if (n > 0 && mtcp_write(ctx, sockid, buffer, (size_t)n) != n)
		give_up("answering");
	if (n == 0 || kind == SHORT)
		mtcp_close(ctx, sockid);
}

static void
serve(struct world *w)
{
	struct pair_of *p = pair_of(w);
	struct mtcp_epoll_event ev[EVENTS];
	int n;

	while ((n = mtcp_epoll_wait(&w->server.ctx, p->server_epid, ev, EVENTS, 0)) > 0)
		for (int i = 0; i < n; i++) {
			if (ev[i].data.ptr)
				answer(w, (int)((uintptr_t)ev[i].data.ptr - 1));
			else
				accept_all(w);
		}
}

/* ---- the client's -------------------------------------------------------- */

/* The next port whose flow is that core's. */
static struct sockaddr_in
next_source(struct world *w)
{
	struct ip_addr me = world_client_ip(w), server = ip_addr_v4(ntohl(world_server().sin_addr.s_addr));
	struct pair_of *p = pair_of(w);
	struct sockaddr_in a = { .sin_family = AF_INET };

	do
		p->port++;
	while (rss_core(p->rss, rss_hash(p->rss, &me, &server, p->port, 80)) != p->home);
	a.sin_addr.s_addr = htonl(ip_addr_v4_host(&me));
	a.sin_port = htons(p->port);
	return a;
}

static void
conn_open(struct world *w, struct conn *c)
{
	struct pair_of *p = pair_of(w);
	struct sockaddr_in to = world_server(), from = next_source(w);
	mctx_t ctx = &w->client.ctx;

	*c = (struct conn){ .sockid = mtcp_socket(ctx, AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0) };
	if (c->sockid < 0 || mtcp_bind(ctx, c->sockid, (struct sockaddr *)&from, sizeof from) != 0)
		give_up("a socket");
	watch(ctx, p->client_epid, c->sockid, MTCP_EPOLL_CTL_ADD, MTCP_EPOLLOUT, c);
	if (mtcp_connect(ctx, c->sockid, (struct sockaddr *)&to, sizeof to) != 0 &&
	    errno != EINPROGRESS)
		give_up("connecting");
	p->open++;
}

static void
ask(struct world *w, struct conn *c)
{
	if (mtcp_write(&w->client.ctx, c->sockid, buffer, MESSAGE) != MESSAGE)
		give_up("asking");
}

static void
conn_up(struct world *w, struct conn *c)
{
	struct pair_of *p = pair_of(w);
	bool writes = p->cell->kind == RECEIVE;

	c->up = true;
	watch(&w->client.ctx, p->client_epid, c->sockid, MTCP_EPOLL_CTL_MOD,
	      writes ? MTCP_EPOLLOUT : MTCP_EPOLLIN, c);
	if (p->cell->kind == KEPT || p->cell->kind == SHORT)
		ask(w, c);
}

static void
conn_heard(struct world *w, struct conn *c)
{
	struct pair_of *p = pair_of(w);
	mctx_t ctx = &w->client.ctx;
	ssize_t n = mtcp_read(ctx, c->sockid, buffer, PIECE);

	if (n == MESSAGE && p->cell->kind == KEPT) {
		p->done++;
		ask(w, c);
	} else if (n == 0 && p->cell->kind == SHORT) {
		p->done++;
		mtcp_close(ctx, c->sockid);
		conn_open(w, c);
	} else if (n <= 0 && errno != EAGAIN) {
		give_up("a connection");
	}
}

static void
client(struct world *w)
{
	struct pair_of *p = pair_of(w);
	mctx_t ctx = &w->client.ctx;
	unsigned conns = p->cell->kind == KEPT || p->cell->kind == SHORT ? CONNS : 1;
	struct mtcp_epoll_event ev[EVENTS];
	int n;

	if (p->client_epid < 0)
		p->client_epid = mtcp_epoll_create1(ctx, 0);
	while (p->open < conns)
		conn_open(w, &p->conn[p->open]);
	n = mtcp_epoll_wait(ctx, p->client_epid, ev, EVENTS, 0);
	for (int i = 0; i < n; i++) {
		struct conn *c = ev[i].data.ptr;

		if (!c->up)
			conn_up(w, c);
		else if (p->cell->kind == RECEIVE)
			(void)mtcp_write(ctx, c->sockid, buffer, PIECE);
		else
			conn_heard(w, c);
	}
}

/* ---- all in step --------------------------------------------------------- */

/* Something waits for the core, on its wire or from another. */
static bool
is_due(struct world *w)
{
	bool quiet = stack_may_sleep(w->server.st);

	stack_woke(w->server.st);
	return !quiet || world_server_due(w);
}

/* Every client, then every server and its application; then time passes for all. */
static void
turn(struct world_town *t)
{
	int64_t next = TIME_NEVER;

	for (unsigned i = 0; i < t->cores; i++)
		world_client(t->core[i]);
	for (unsigned i = 0; i < t->cores; i++)
		if (is_due(t->core[i]))
			world_step(t->core[i]);
	for (unsigned i = 0; i < t->cores; i++) {
		struct world *w = t->core[i];

		if (pair_of(w)->seen != w->server.posted)
			world_app(w, serve);
		pair_of(w)->seen = w->server.posted;
	}
	for (unsigned i = 0; i < t->cores; i++)
		next = min(next, world_next(t->core[i]));
	for (unsigned i = 0; i < t->cores; i++)
		t->core[i]->now = next;
}

/* Operations of all cores so far. */
static uint64_t
done(const struct world_town *t)
{
	uint64_t n = 0;

	for (unsigned i = 0; i < t->cores; i++) {
		const struct pair_of *p = pair_of(t->core[i]);
		const struct stack_stats *s = stack_stats(t->core[i]->server.st);

		n += p->cell->kind == SEND ? s->tx_bytes / WORLD_FRAME
		     : p->cell->kind == RECEIVE ? s->rx_bytes / WORLD_FRAME
		                                : p->done;
	}
	return n;
}

static void
run_until(struct world_town *t, uint64_t operations)
{
	for (unsigned i = 0; done(t) < operations * t->cores; i++) {
		if (i == 1000000) {
			errno = ETIME;
			give_up("a town stands still");
		}
		turn(t);
	}
}

static void
count_from(struct world_town *t, enum part part, uint64_t units)
{
	for (unsigned i = 0; i < t->cores; i++)
		world_count(t->core[i], part, units);
}

static uint64_t
handed(const struct world_town *t)
{
	uint64_t n = 0;

	for (unsigned i = 0; i < t->cores; i++)
		n += stack_stats(t->core[i]->server.st)->handed_out;
	return n;
}

static void
measure(struct world_town *t, const struct cell *cell)
{
	char name[64];
	uint64_t units;

	snprintf(name, sizeof name, "%s/%u", cell->name, t->cores);
	for (unsigned i = 0; i < 10; i++)
		turn(t);
	run_until(t, cell->warm);
	units = done(t);
	count_from(t, BOTH, units);
	if (cell->kind == IDLE) {
		for (unsigned i = 0; i < STEPS * t->cores; i++) {
			t->core[i % t->cores]->now += 100;
			world_step(t->core[i % t->cores]);
		}
		units = 0;
		t->core[0]->units_before = 0;
		world_report(t->core[0], name, (uint64_t)STEPS * t->cores);
	} else {
		run_until(t, cell->warm + cell->count);
		world_report(t->core[0], name, done(t));
	}
	count_from(t, NOBODY, 0);
	if (cell->handed ? handed(t) < cell->count * t->cores : handed(t) > 0) {
		fprintf(stderr, "exact: %s: %u packets were handed over\n", name, (unsigned)handed(t));
		exit(1);
	}
}

/* ---- a town -------------------------------------------------------------- */

static void
town_init(struct world_town *t, struct region *mem, unsigned cores)
{
	*t = (struct world_town){ .cores = cores, .rss = { .types = IO_RSS_TCP4, .size = 128 } };
	memcpy(t->rss.key, rss_default_key, sizeof t->rss.key);
	for (unsigned i = 0; i < t->rss.size; i++)
		t->rss.table[i] = (uint16_t)(i % cores);
	*mem = (struct region){ .size = hall_size(cores) };
	mem->base = mmap(NULL, mem->size, PROT_READ | PROT_WRITE,
	                 MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (mem->base == MAP_FAILED)
		give_up("memory");
	if (cores > 1)
		t->hall = hall_new(mem, cores, t->rss.key);
	if (cores > 1 && !t->hall)
		give_up("a hall");
}

static void
run_cell(const struct cell *cell, unsigned cores)
{
	static struct pair_of pairs[WORLD_CORES];
	static struct rss rss;
	struct world_town t;
	struct region mem;

	town_init(&t, &mem, cores);
	(void)rss_init(&rss, t.rss.key, t.rss.table, t.rss.size);
	for (unsigned i = 0; i < cores; i++) {
		pairs[i] = (struct pair_of){
			.cell = cell,
			.rss = &rss,
			.home = cell->handed ? (i + 1) % cores : i,
			.port = PORT_MIN,
			.client_epid = -1,
		};
		(void)world_new_in(&t, i, WORLD_NIC, client, &pairs[i]);
	}
	for (unsigned i = 0; i < cores; i++)
		listen_to_all(t.core[i]);
	for (unsigned i = 0; i < cores; i++)
		t.core[i]->now = t.core[cores - 1]->now;
	for (unsigned i = 0; i < cores; i++)
		t.core[i]->served = true;
	measure(&t, cell);
	for (unsigned i = 0; i < cores; i++)
		world_free(t.core[i]);
	(void)munmap(mem.base, mem.size);
}

void
exact_cores(void)
{
	for (unsigned k = 0; k < array_len(cells); k++)
		for (unsigned cores = cells[k].handed ? 2 : 1; cores <= WORLD_CORES; cores *= 2)
			run_cell(&cells[k], cores);
}
