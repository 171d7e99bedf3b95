/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once
/*
 * A connection of epserver.  It is in one of three phases: it reads a request, sends a
 * reply, or, when it closes while the client may still be talking, drains what
 * arrives so that the reply is not lost to a reset (RFC 9112 9.6).
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct server;
struct www_file;

enum phase { READING, SENDING, DRAINING };

struct conn {
	struct conn *older, *newer; /* on the list of its phase, by last progress */
	int sockid;
	enum phase phase;
	uint32_t interest;  /* what the epoll was told */
	bool keep_alive;    /* after the present reply */
	bool head_only;     /* the present reply answers a HEAD */
	bool dry;           /* nothing was left to read, this turn */
	int64_t since;      /* ns: the last progress, or up to TOUCH_NS before it */
	char *in;           /* HTTP_HEAD_MAX bytes; NULL when nothing is held */
	size_t in_at, in_len, scan;
	uint64_t skip;      /* bytes of a request's body to be thrown away */
	struct www_file *file;
	uint64_t sent;      /* bytes of file that the socket took */
	char *rest;         /* of the head, when the socket did not take all of it */
	size_t rest_len;
	size_t chunk;       /* how much of a large file to read for one write */
};

struct conns {
	struct conn *oldest, *newest;
};

/* Time-outs are whole seconds: so fine is progress noted. */
#define TOUCH_NS 50000000

/* Accepts some of the connections that wait; stops listening while none can be served. */
void conn_accept(struct server *s);

/* Looks for connections again, or not for now. */
void server_watch(struct server *s, bool on);

/* conn_touch(), when the time has moved on. */
void conn_touch_anew(struct server *s, struct conn *c);

/* What a connection that reads is told of, once: web_read() takes all that is there, or asks again. */
#define CONN_READS (MTCP_EPOLLIN | MTCP_EPOLLRDHUP | (uint32_t)MTCP_EPOLLET)

/* The events to be told of, when they are not those already. */
void conn_watch_anew(struct server *s, struct conn *c, uint32_t interest);

static inline void
conn_watch(struct server *s, struct conn *c, uint32_t interest)
{
	if (c->interest != interest)
		conn_watch_anew(s, c, interest);
}

/* Only connections with a request under way hold a buffer: idle ones cost little. */
bool conn_take_buffer(struct server *s, struct conn *c);
void conn_give_buffer(struct server *s, struct conn *c);

/* n bytes of the input have been dealt with. */
static inline void
conn_consume(struct conn *c, size_t n)
{
	c->in_at += n;
	c->in_len -= n;
	c->scan = 0;
}

/* The ends: in order; a reply that cannot be finished must not look finished; the client's. */
void conn_close(struct server *s, struct conn *c);
void conn_abort(struct server *s, struct conn *c);
void conn_lost(struct server *s, struct conn *c);

/* The last reply is on its way: closes, now or when the client has stopped talking. */
void conn_finish(struct server *s, struct conn *c);

/* Throws away what the client still says. */
void conn_drain(struct server *s, struct conn *c);

/* Ends what made no progress for too long; or all. */
void conns_sweep(struct server *s);
void conns_end(struct server *s);
