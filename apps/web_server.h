/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once
/*
 * A worker of epserver: a listener, an epoll and connections of its own.
 */
#include <stdbool.h>
#include <stdint.h>
#include <time.h>

#include "apps/app_run.h"
#include "apps/http_known.h"
#include "apps/web_conn.h"
#include "apps/www.h"
#include "mtcp_api.h"

#define CHUNK_MAX 65536u
#define SECOND_NS 1000000000

struct server_options {
	struct app_args common;
	const char *dir;
	int port;
	int backlog;
	long idle_s;
};

struct tally {
	uint64_t accepted, requests, good, refused, bytes;
	uint64_t timeouts, resets;
};

/* Requests for short files that may come again: a power of two. */
#define ASKED_MAX 64u

struct asked {
	struct http_known head;
	bool keep_alive, head_only;
	struct www_file *file; /* held; NULL when nothing is known */
};

struct server {
	const struct server_options *options;
	struct app_run *run;
	mctx_t ctx;
	int epid;
	int listener;
	bool paused;          /* accepting waits for a connection to close */
	int64_t now;          /* ns, monotonic */
	time_t date;          /* s, for Date fields */
	struct www *www;
	struct conns live;    /* reading or sending */
	struct conns draining;
	char *spare;          /* input buffers to be used again, linked by their first word */
	struct conn *vacant;  /* connections to be used again, linked by `newer` */
	struct tally tally;
	struct asked asked[ASKED_MAX];
	char chunk[CHUNK_MAX];
};

/* Progress: the connection's time starts anew. */
static inline void
conn_touch(struct server *s, struct conn *c)
{
	if (s->now - c->since >= TOUCH_NS)
		conn_touch_anew(s, c);
}

/* The worker's whole life; what it did is added to *tally.  0, or -1 when it could not
 * work, which was said. */
int server_run(struct app_run *run, mctx_t ctx, const struct server_options *options,
               struct tally *tally);
