/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A worker's loop.  Cores share nothing but the directory they read.
 */
#include "apps/web_server.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>

#include "apps/web_exchange.h"
#include "mtcp_epoll.h"

#define EVENTS_MAX 256

/* ---- the loop ------------------------------------------------------------ */

static void
conn_ready(struct server *s, struct conn *c, uint32_t events)
{
	if (events & MTCP_EPOLLERR) {
		conn_lost(s, c);
		return;
	}
	switch (c->phase) {
	case READING:
		web_read(s, c, events & MTCP_EPOLLRDHUP);
		break;
	case SENDING:
		if (events & MTCP_EPOLLHUP)
			conn_lost(s, c);
		else
			web_send(s, c);
		break;
	case DRAINING:
		conn_drain(s, c);
		break;
	}
}

static void
look_at_clocks(struct server *s)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC_COARSE, &t);
	s->now = (int64_t)t.tv_sec * SECOND_NS + t.tv_nsec;
	clock_gettime(CLOCK_REALTIME_COARSE, &t);
	s->date = t.tv_sec;
}

/* 0 when asked to stop, -1 when the epoll is broken. */
static int
serve_until_stopped(struct server *s)
{
	struct mtcp_epoll_event ev[EVENTS_MAX];
	int n;

	while (!app_stopping(s->run)) {
		n = mtcp_epoll_wait(s->ctx, s->epid, ev, EVENTS_MAX, APP_TICK_MS);
		if (n < 0 && errno != EINTR) {
			app_error(&s->options->common, "waiting for events failed: %m");
			return -1;
		}
		look_at_clocks(s);
		for (int i = 0; i < n; i++) {
			if (ev[i].data.ptr)
				conn_ready(s, ev[i].data.ptr, ev[i].events);
			else
				conn_accept(s);
		}
		conns_sweep(s);
		if (n <= 0)
			server_watch(s, true);
	}
	return 0;
}

/* ---- start and end of a worker ------------------------------------------- */

static int
open_listener(struct server *s)
{
	const struct server_options *o = s->options;
	struct sockaddr_in6 any = {.sin6_family = AF_INET6, .sin6_port = htons((uint16_t)o->port)};
	int one = 1;

	s->listener = mtcp_socket(s->ctx, AF_INET6, SOCK_STREAM, 0);
	if (s->listener < 0 || mtcp_setsock_nonblock(s->ctx, s->listener) != 0) {
		app_error(&o->common, "cannot create a listening socket: %m");
		return -1;
	}
	if (mtcp_bind(s->ctx, s->listener, (struct sockaddr *)&any, sizeof(any)) != 0) {
		app_error(&o->common, "cannot bind port %d: %m", o->port);
		return -1;
	}
	if (mtcp_listen(s->ctx, s->listener, o->backlog) != 0) {
		app_error(&o->common, "cannot listen on port %d: %m", o->port);
		return -1;
	}
	/* Connections inherit it.  A reply is one write or ends in one: waiting for more would only
	 * delay it. */
	mtcp_setsockopt(s->ctx, s->listener, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
	s->paused = true;
	server_watch(s, true);
	return 0;
}

static int
server_open(struct server *s)
{
	s->www = www_open(s->options->dir);
	if (!s->www) {
		app_error(&s->options->common, "cannot open the directory %s: %m",
		          s->options->dir);
		return -1;
	}
	s->epid = mtcp_epoll_create1(s->ctx, 0);
	if (s->epid < 0) {
		app_error(&s->options->common, "cannot create an epoll: %m");
		return -1;
	}
	look_at_clocks(s);
	return open_listener(s);
}

static void
server_close(struct server *s)
{
	if (s->listener >= 0)
		mtcp_close(s->ctx, s->listener);
	s->listener = -1;
	s->paused = false; /* nothing to watch again */
	conns_end(s);
	web_forget(s);
	if (s->epid >= 0)
		mtcp_close(s->ctx, s->epid);
	if (s->www)
		www_close(s->www);
}

int
server_run(struct app_run *run, mctx_t ctx, const struct server_options *options,
           struct tally *tally)
{
	struct server *s = calloc(1, sizeof(*s));
	int status;

	if (!s) {
		app_error(run->args, "out of memory");
		return -1;
	}
	s->options = options;
	s->run = run;
	s->ctx = ctx;
	s->epid = s->listener = -1;
	status = server_open(s);
	if (status == 0) {
		app_ready(run);
		status = serve_until_stopped(s);
	}
	server_close(s);
	*tally = s->tally;
	free(s);
	return status;
}
