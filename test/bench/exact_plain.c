/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Full segments, timers and idle steps, with the plainest applications there are: one
 * that reads all it gets and one that writes all it can, 64 KB a call.
 */
#include "test/bench/exact.h"

#include <errno.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>

#include "mtcp_epoll.h"
#include "test/bench/exact_world.h"

#define PIECE     65536u
#define EVENTS    64
#define BULK_WARM 3000u /* segments */
#define BULK      3000u
#define SLEEPERS  512u
#define POKES     40u
#define STEPS     2000u

struct plain {
	const char *name;
	bool server_writes;
	int epid;              /* the client's */
	unsigned conns;        /* to be opened */
	int sockid[SLEEPERS];
	unsigned accepted;
	uint64_t bytes;        /* that the reader has got */
	unsigned stage;
	unsigned poked;        /* connections that have got this stage's byte */
	char buffer[PIECE];
};

static struct plain *
plain_of(struct world *w)
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
watch(mctx_t ctx, int epid, int sockid, uint32_t events)
{
	struct mtcp_epoll_event ev = { .events = events, .data = { .sockid = sockid } };

	if (mtcp_epoll_ctl(ctx, epid, MTCP_EPOLL_CTL_ADD, sockid, &ev) != 0)
		give_up("an epoll");
}

/* Reads or writes once; how many bytes, 0 when there are none or no room. */
static size_t
move(struct plain *p, mctx_t ctx, int sockid, bool write)
{
	ssize_t n = write ? mtcp_write(ctx, sockid, p->buffer, PIECE)
	                  : mtcp_read(ctx, sockid, p->buffer, PIECE);

	if (n < 0 && errno != EAGAIN)
		give_up("moving bytes");
	return n > 0 ? (size_t)n : 0;
}

/* ---- the server's application -------------------------------------------- */

static void
serve(struct world *w)
{
	struct plain *p = plain_of(w);
	mctx_t ctx = &w->server.ctx;
	struct sockaddr_in any = world_server();
	struct mtcp_epoll_event ev[EVENTS];
	int epid = mtcp_epoll_create1(ctx, 0), n, sockid;
	int listener = mtcp_socket(ctx, AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);

	if (mtcp_bind(ctx, listener, (struct sockaddr *)&any, sizeof any) != 0 ||
	    mtcp_listen(ctx, listener, (int)SLEEPERS) != 0)
		give_up("a listener");
	watch(ctx, epid, listener, MTCP_EPOLLIN);
	while (!w->over) {
		n = mtcp_epoll_wait(ctx, epid, ev, EVENTS, 100);
		for (int i = 0; i < n; i++) {
			if (ev[i].data.sockid != listener) {
				size_t moved = move(p, ctx, ev[i].data.sockid, p->server_writes);

				p->bytes += p->server_writes ? 0 : moved;
				continue;
			}
			while ((sockid = mtcp_accept4(ctx, listener, NULL, NULL, SOCK_NONBLOCK)) >= 0) {
				watch(ctx, epid, sockid, p->server_writes ? MTCP_EPOLLOUT : MTCP_EPOLLIN);
				p->accepted++;
			}
		}
	}
}

/* ---- the client's -------------------------------------------------------- */

static void
open_one(struct world *w, int *sockid, uint32_t events)
{
	struct sockaddr_in to = world_server();
	mctx_t ctx = &w->client.ctx;
	int one = 1;

	*sockid = mtcp_socket(ctx, AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
	if (*sockid < 0)
		give_up("a socket");
	/* Small writes must not wait for acknowledgments. */
	(void)mtcp_setsockopt(ctx, *sockid, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
	if (events)
		watch(ctx, plain_of(w)->epid, *sockid, events);
	if (mtcp_connect(ctx, *sockid, (struct sockaddr *)&to, sizeof to) != 0 &&
	    errno != EINPROGRESS)
		give_up("connecting");
}

static void
open_all(struct world *w, uint32_t events)
{
	struct plain *p = plain_of(w);

	p->epid = mtcp_epoll_create1(&w->client.ctx, 0);
	for (unsigned i = 0; i < p->conns; i++)
		open_one(w, &p->sockid[i], events);
}

/* ---- bulk ---------------------------------------------------------------- */

/* Full segments that the server has received, or sent. */
static uint64_t
segments(struct world *w)
{
	const struct stack_stats *s = stack_stats(w->server.st);

	return plain_of(w)->server_writes ? s->tx_bytes / WORLD_FRAME : s->rx_bytes / WORLD_FRAME;
}

static void
bulk_stages(struct world *w)
{
	struct plain *p = plain_of(w);
	uint64_t n = segments(w);

	if (n < BULK_WARM + p->stage * BULK)
		return;
	if (p->stage > 0)
		world_report(w, p->name, n);
	if (p->stage < 2)
		world_count(w, p->stage == 0 ? STACK : APP, n);
	else
		w->over = true;
	p->stage++;
}

static void
bulk_turn(struct world *w)
{
	struct plain *p = plain_of(w);
	struct mtcp_epoll_event ev[EVENTS];
	int n;

	if (p->epid < 0)
		open_all(w, p->server_writes ? MTCP_EPOLLIN : MTCP_EPOLLOUT);
	bulk_stages(w);
	n = mtcp_epoll_wait(&w->client.ctx, p->epid, ev, EVENTS, 0);
	for (int i = 0; i < n; i++)
		(void)move(p, &w->client.ctx, ev[i].data.sockid, !p->server_writes);
}

static void
bulk(const char *name, bool server_writes, uint32_t caps)
{
	static struct plain p;
	struct world *w = world_new(caps, bulk_turn, &p);

	memset(&p, 0, sizeof p);
	p.name = name;
	p.server_writes = server_writes;
	p.epid = -1;
	p.conns = 1;
	serve(w);
	world_free(w);
}

/* ---- timers and idle steps ------------------------------------------------ */

/* A byte on every connection: each then owes an acknowledgment, and none has text to put
 * it on.  The client's stack has to bring memory in between. */
static void
poke(struct world *w)
{
	struct plain *p = plain_of(w);

	while (p->poked < p->conns) {
		if (mtcp_write(&w->client.ctx, p->sockid[p->poked], "x", 1) != 1) {
			if (errno != EAGAIN)
				give_up("a byte");
			return;
		}
		p->poked++;
	}
}

/* The delayed acknowledgments fall due.  Nothing else happens. */
static void
count_timers(struct world *w)
{
	const struct stack_stats *s = stack_stats(w->server.st);
	uint64_t sent = s->tx_pkts;

	world_count(w, STACK, sent);
	for (int i = 0; i < 100 && s->tx_pkts < sent + SLEEPERS; i++) {
		w->now = max(w->now, w->server.deadline);
		world_step(w);
	}
	world_report(w, "timer", s->tx_pkts);
}

static void
count_idle_steps(struct world *w)
{
	world_count(w, STACK, 0);
	for (unsigned i = 0; i < STEPS; i++) {
		w->now += 100;
		world_step(w);
	}
	world_report(w, "idle_step", STEPS);
}

static void
sleepers_turn(struct world *w)
{
	struct plain *p = plain_of(w);

	if (p->epid < 0)
		open_all(w, 0);
	if (p->accepted < p->conns)
		return;
	poke(w);
	if (p->bytes < (uint64_t)p->conns * p->stage)
		return;
	/* The first bytes of a connection are acknowledged at once, or nearly so. */
	if (w->server.deadline < w->now + US(100))
		return;
	if (p->stage < POKES) {
		p->stage++;
		p->poked = 0;
		return;
	}
	if (world_server_due(w))
		return;
	count_timers(w);
	count_idle_steps(w);
	w->over = true;
}

static void
sleepers(void)
{
	static struct plain p = { .epid = -1, .conns = SLEEPERS, .poked = SLEEPERS };
	struct world *w = world_new(WORLD_NIC, sleepers_turn, &p);

	serve(w);
	world_free(w);
}

void
exact_plain(void)
{
	bulk("segment_received", false, WORLD_NIC);
	bulk("segment_sent", true, WORLD_NIC);
	bulk("segment_received_summed", false, 0);
	bulk("segment_sent_summed", true, 0);
	sleepers();
}
