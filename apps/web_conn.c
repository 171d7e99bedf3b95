/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * From accept to close.  Lists in order of progress make time-outs cheap, and input
 * buffers go round among those that are reading.
 */
#include "apps/web_conn.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "apps/http.h"
#include "apps/web_server.h"
#include "mtcp_epoll.h"

#define ACCEPTS_PER_TURN 64
#define DRAIN_NS 2000000000

/* ---- lists and buffers --------------------------------------------------- */

static struct conns *
conns_of(struct server *s, const struct conn *c)
{
	return c->phase == DRAINING ? &s->draining : &s->live;
}

static void
list_remove(struct conns *l, struct conn *c)
{
	*(c->older ? &c->older->newer : &l->oldest) = c->newer;
	*(c->newer ? &c->newer->older : &l->newest) = c->older;
}

static void
list_append(struct conns *l, struct conn *c)
{
	c->newer = NULL;
	c->older = l->newest;
	*(l->newest ? &l->newest->newer : &l->oldest) = c;
	l->newest = c;
}

void
conn_touch_anew(struct server *s, struct conn *c)
{
	struct conns *l = conns_of(s, c);

	c->since = s->now;
	list_remove(l, c);
	list_append(l, c);
}

bool
conn_take_buffer(struct server *s, struct conn *c)
{
	if (s->spare) {
		c->in = s->spare;
		memcpy(&s->spare, c->in, sizeof(s->spare));
	} else {
		c->in = malloc(HTTP_HEAD_MAX);
	}
	c->in_at = c->in_len = c->scan = 0;
	return c->in != NULL;
}

void
conn_give_buffer(struct server *s, struct conn *c)
{
	if (!c->in)
		return;
	memcpy(c->in, &s->spare, sizeof(s->spare));
	s->spare = c->in;
	c->in = NULL;
	c->in_at = c->in_len = c->scan = 0;
}

/* ---- connections --------------------------------------------------------- */

void
conn_watch_anew(struct server *s, struct conn *c, uint32_t interest)
{
	struct mtcp_epoll_event ev = {.events = interest, .data = {.ptr = c}};

	mtcp_epoll_ctl(s->ctx, s->epid, c->interest ? MTCP_EPOLL_CTL_MOD : MTCP_EPOLL_CTL_ADD,
	               c->sockid, &ev);
	c->interest = interest;
}

void
server_watch(struct server *s, bool on)
{
	struct mtcp_epoll_event ev = {.events = MTCP_EPOLLIN, .data = {.ptr = NULL}};

	if (s->paused != on)
		return;
	mtcp_epoll_ctl(s->ctx, s->epid, on ? MTCP_EPOLL_CTL_ADD : MTCP_EPOLL_CTL_DEL,
	               s->listener, &ev);
	s->paused = !on;
}

static void
conn_free(struct server *s, struct conn *c)
{
	if (c->file)
		www_put(s->www, c->file);
	list_remove(conns_of(s, c), c);
	conn_give_buffer(s, c);
	free(c->rest);
	c->newer = s->vacant;
	s->vacant = c;
	server_watch(s, true);
}

void
conn_close(struct server *s, struct conn *c)
{
	mtcp_close(s->ctx, c->sockid);
	conn_free(s, c);
}

void
conn_abort(struct server *s, struct conn *c)
{
	mtcp_abort(s->ctx, c->sockid);
	conn_free(s, c);
}

void
conn_lost(struct server *s, struct conn *c)
{
	s->tally.resets++;
	conn_close(s, c);
}

static void
conn_new(struct server *s, int sockid)
{
	struct conn *c = s->vacant;

	if (c)
		s->vacant = c->newer;
	else
		c = malloc(sizeof(*c));
	if (!c) {
		mtcp_abort(s->ctx, sockid);
		return;
	}
	*c = (struct conn){.sockid = sockid, .since = s->now};
	list_append(&s->live, c);
	s->tally.accepted++;
	conn_watch(s, c, CONN_READS);
}

void
conn_accept(struct server *s)
{
	for (int i = 0; i < ACCEPTS_PER_TURN; i++) {
		int sockid = mtcp_accept4(s->ctx, s->listener, NULL, NULL, SOCK_NONBLOCK);

		if (sockid >= 0) {
			conn_new(s, sockid);
			continue;
		}
		/* Level-triggered, a listener that cannot be served would spin. */
		if (errno == EMFILE || errno == ENFILE || errno == ENOMEM || errno == ENOBUFS)
			server_watch(s, false);
		if (errno != ECONNABORTED)
			return;
	}
}

/* ---- closing in order ---------------------------------------------------- */

static void
linger(struct server *s, struct conn *c)
{
	if (mtcp_shutdown(s->ctx, c->sockid, SHUT_WR) != 0) {
		conn_close(s, c);
		return;
	}
	list_remove(&s->live, c);
	c->phase = DRAINING;
	c->since = s->now;
	list_append(&s->draining, c);
	conn_give_buffer(s, c);
	conn_watch(s, c, MTCP_EPOLLIN);
}

void
conn_drain(struct server *s, struct conn *c)
{
	ssize_t n = mtcp_read(s->ctx, c->sockid, s->chunk, sizeof(s->chunk));

	if (n == 0 || (n < 0 && errno != EAGAIN && errno != EINTR))
		conn_close(s, c);
}

/* The last reply is on its way.  Bytes of the client that nobody read would turn
 * our close into a reset: look whether there are any. */
void
conn_finish(struct server *s, struct conn *c)
{
	bool talking = c->in_len > 0 || c->skip > 0 ||
	               (!c->dry &&
	                mtcp_read(s->ctx, c->sockid, s->chunk, sizeof(s->chunk)) > 0);

	if (talking)
		linger(s, c);
	else
		conn_close(s, c);
}

/* ---- all of them ----------------------------------------------------------- */

void
conns_sweep(struct server *s)
{
	while (s->draining.oldest && s->now - s->draining.oldest->since >= DRAIN_NS)
		conn_close(s, s->draining.oldest);
	while (s->live.oldest &&
	       s->now - s->live.oldest->since >= s->options->idle_s * SECOND_NS + TOUCH_NS) {
		s->tally.timeouts++;
		if (s->live.oldest->phase == SENDING)
			conn_abort(s, s->live.oldest);
		else
			conn_close(s, s->live.oldest);
	}
}

void
conns_end(struct server *s)
{
	while (s->draining.oldest)
		conn_close(s, s->draining.oldest);
	while (s->live.oldest) {
		if (s->live.oldest->phase == SENDING)
			conn_abort(s, s->live.oldest);
		else
			conn_close(s, s->live.oldest);
	}
	while (s->spare) {
		char *buffer = s->spare;

		memcpy(&s->spare, buffer, sizeof(s->spare));
		free(buffer);
	}
	while (s->vacant) {
		struct conn *c = s->vacant;

		s->vacant = c->newer;
		free(c);
	}
}
