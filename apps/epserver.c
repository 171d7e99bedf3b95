/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * epserver: a web server for files.
 *
 * Each core has a listener, an epoll and connections of its own; cores share
 * nothing but the directory they read.  A connection is in one of three phases:
 * it reads a request, sends a reply, or, when it closes while the client may
 * still be talking, drains what arrives so that the reply is not lost to a reset
 * (RFC 9112 9.6).  A full send buffer is waited for; meanwhile nothing is read.
 */
#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "apps/app_args.h"
#include "apps/app_run.h"
#include "apps/http.h"
#include "apps/www.h"
#include "mtcp_api.h"
#include "mtcp_epoll.h"

#define EVENTS_MAX 256
#define ACCEPTS_PER_TURN 64
#define WRITES_PER_TURN 4
#define CHUNK_MAX 65536u
#define CHUNK_MIN 4096u
#define DRAIN_NS 2000000000
#define SECOND_NS 1000000000

struct options {
	struct app_args common;
	const char *dir;
	int port;
	int backlog;
	long idle_s;
};

enum phase { READING, SENDING, DRAINING };

struct conn {
	struct conn *older, *newer; /* on the list of its phase, by last progress */
	int sockid;
	enum phase phase;
	uint32_t interest;  /* what the epoll was told */
	bool keep_alive;    /* after the present reply */
	bool head_only;     /* the present reply answers a HEAD */
	int64_t since;      /* ns: the last progress */
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

struct tally {
	uint64_t accepted, requests, good, refused, bytes;
	uint64_t timeouts, resets;
};

struct server {
	const struct options *options;
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
	struct tally tally;
	char chunk[CHUNK_MAX];
};

/* What one worker leaves behind. */
struct report {
	const struct options *options;
	struct tally tally[APP_CORES_MAX];
};

/* ---- lists and buffers --------------------------------------------------- */

static struct conns *
list_of(struct server *s, const struct conn *c)
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

/* Progress: the connection's time starts anew. */
static void
touch(struct server *s, struct conn *c)
{
	struct conns *l = list_of(s, c);

	c->since = s->now;
	list_remove(l, c);
	list_append(l, c);
}

/* Only connections with a request under way hold a buffer: idle ones cost little. */
static bool
take_buffer(struct server *s, struct conn *c)
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

static void
give_buffer(struct server *s, struct conn *c)
{
	if (!c->in)
		return;
	memcpy(c->in, &s->spare, sizeof(s->spare));
	s->spare = c->in;
	c->in = NULL;
	c->in_at = c->in_len = c->scan = 0;
}

static void
consume(struct conn *c, size_t n)
{
	c->in_at += n;
	c->in_len -= n;
	c->scan = 0;
}

/* ---- connections --------------------------------------------------------- */

static void
watch(struct server *s, struct conn *c, uint32_t interest)
{
	struct mtcp_epoll_event ev = {.events = interest, .data = {.ptr = c}};

	if (c->interest == interest)
		return;
	mtcp_epoll_ctl(s->ctx, s->epid, c->interest ? MTCP_EPOLL_CTL_MOD : MTCP_EPOLL_CTL_ADD,
	               c->sockid, &ev);
	c->interest = interest;
}

static void
accept_watch(struct server *s, bool on)
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
	list_remove(list_of(s, c), c);
	give_buffer(s, c);
	free(c->rest);
	free(c);
	accept_watch(s, true);
}

static void
conn_close(struct server *s, struct conn *c)
{
	mtcp_close(s->ctx, c->sockid);
	conn_free(s, c);
}

/* A reply that cannot be finished must not look finished. */
static void
conn_abort(struct server *s, struct conn *c)
{
	mtcp_abort(s->ctx, c->sockid);
	conn_free(s, c);
}

static void
conn_lost(struct server *s, struct conn *c)
{
	s->tally.resets++;
	conn_close(s, c);
}

static void
conn_new(struct server *s, int sockid)
{
	struct conn *c = calloc(1, sizeof(*c));
	int one = 1;

	if (!c) {
		mtcp_abort(s->ctx, sockid);
		return;
	}
	c->sockid = sockid;
	c->since = s->now;
	list_append(&s->live, c);
	s->tally.accepted++;
	/* A reply is one write or ends in one: waiting for more would only delay it. */
	mtcp_setsockopt(s->ctx, sockid, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
	watch(s, c, MTCP_EPOLLIN);
}

static void
accept_some(struct server *s)
{
	for (int i = 0; i < ACCEPTS_PER_TURN; i++) {
		int sockid = mtcp_accept4(s->ctx, s->listener, NULL, NULL, SOCK_NONBLOCK);

		if (sockid >= 0) {
			conn_new(s, sockid);
			continue;
		}
		/* Level-triggered, a listener that cannot be served would spin. */
		if (errno == EMFILE || errno == ENFILE || errno == ENOMEM || errno == ENOBUFS)
			accept_watch(s, false);
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
	give_buffer(s, c);
	watch(s, c, MTCP_EPOLLIN);
}

static void
drain(struct server *s, struct conn *c)
{
	ssize_t n = mtcp_read(s->ctx, c->sockid, s->chunk, sizeof(s->chunk));

	if (n == 0 || (n < 0 && errno != EAGAIN && errno != EINTR))
		conn_close(s, c);
}

/* The last reply is on its way.  Bytes of the client that nobody read would turn
 * our close into a reset: look whether there are any. */
static void
conn_finish(struct server *s, struct conn *c)
{
	bool talking = c->in_len > 0 || c->skip > 0 ||
	               mtcp_read(s->ctx, c->sockid, s->chunk, sizeof(s->chunk)) > 0;

	if (talking)
		linger(s, c);
	else
		conn_close(s, c);
}

/* ---- sending ------------------------------------------------------------- */

/* What is still to be sent of the body. */
static uint64_t
body_left(const struct conn *c)
{
	return c->head_only ? 0 : c->file->size - c->sent;
}

/* The next piece of the body: from memory, or read for this one write.  false when
 * the file has become shorter or cannot be read. */
static bool
body_piece(struct server *s, struct conn *c, struct iovec *piece)
{
	uint64_t left = body_left(c);
	ssize_t n;

	if (c->file->data || left == 0) {
		piece->iov_base = c->file->data ? c->file->data + c->sent : NULL;
		piece->iov_len = (size_t)left;
		return true;
	}
	n = pread(c->file->fd, s->chunk, left < c->chunk ? (size_t)left : c->chunk,
	          (off_t)c->sent);
	piece->iov_base = s->chunk;
	piece->iov_len = n > 0 ? (size_t)n : 0;
	return n > 0;
}

/* Reading more of a file than the socket takes is work done twice: follow it. */
static void
adapt_chunk(struct conn *c, size_t offered, size_t taken)
{
	size_t next = taken < offered ? 2 * taken : 2 * c->chunk;

	c->chunk = next < CHUNK_MIN ? CHUNK_MIN : next > CHUNK_MAX ? CHUNK_MAX : next;
}

/* Keeps what the socket did not take of the head.  Rare: a head is short. */
static bool
keep_rest(struct conn *c, const char *head, size_t len)
{
	char *rest = NULL;

	if (len > 0) {
		rest = malloc(len);
		if (!rest)
			return false;
		memcpy(rest, head, len);
	}
	free(c->rest);
	c->rest = rest;
	c->rest_len = len;
	return true;
}

static bool
head_taken(struct server *s, struct conn *c, const struct iovec v[2], size_t taken)
{
	size_t of_head = taken < v[0].iov_len ? taken : v[0].iov_len;

	s->tally.bytes += taken;
	c->sent += taken - of_head;
	if (v[1].iov_len > 0)
		adapt_chunk(c, v[0].iov_len + v[1].iov_len, taken);
	return keep_rest(c, (const char *)v[0].iov_base + of_head, v[0].iov_len - of_head);
}

/* One write of head, if any is left, and body.  1: some was taken, 0: the socket is
 * full, -1: the connection is gone or the file is. */
static int
push(struct server *s, struct conn *c, char *head, size_t head_len)
{
	struct iovec v[2] = {{head, head_len}, {NULL, 0}};
	ssize_t n;

	if (!body_piece(s, c, &v[1]))
		return -1;
	n = head_len > 0 ? mtcp_writev(s->ctx, c->sockid, v, v[1].iov_len > 0 ? 2 : 1)
	                 : mtcp_write(s->ctx, c->sockid, v[1].iov_base, v[1].iov_len);
	if (n < 0 && errno != EAGAIN && errno != EINTR)
		return -1;
	if (!head_taken(s, c, v, n > 0 ? (size_t)n : 0))
		return -1;
	if (n > 0)
		touch(s, c);
	return n > 0;
}

/* True when the reply is complete and the connection goes on with the next request. */
static bool
reply_done(struct server *s, struct conn *c)
{
	if (!c->keep_alive) {
		conn_finish(s, c);
		return false;
	}
	www_put(s->www, c->file);
	c->file = NULL;
	c->phase = READING;
	return true;
}

/* Sends until the reply is complete (true: go on reading), the socket is full or
 * others should have their turn. */
static bool
send_some(struct server *s, struct conn *c)
{
	for (int i = 0; i < WRITES_PER_TURN; i++) {
		int pushed = push(s, c, c->rest, c->rest_len);

		if (pushed < 0) {
			conn_abort(s, c);
			return false;
		}
		if (c->rest_len == 0 && body_left(c) == 0)
			return reply_done(s, c);
		if (pushed == 0)
			break;
	}
	watch(s, c, MTCP_EPOLLOUT);
	return false;
}

/* Starts a reply with file, whose reference c takes over.  As send_some(). */
static bool
reply(struct server *s, struct conn *c, struct www_file *file)
{
	size_t len;
	const char *made = www_head(file, c->keep_alive, s->date, &len);
	char head[HTTP_REPLY_MAX];
	int pushed;

	memcpy(head, made, len);
	c->file = file;
	c->sent = 0;
	c->chunk = CHUNK_MAX;
	c->phase = SENDING;
	s->tally.requests++;
	*(file->status == 200 ? &s->tally.good : &s->tally.refused) += 1;
	touch(s, c);
	pushed = push(s, c, head, len);
	if (pushed < 0) {
		conn_abort(s, c);
		return false;
	}
	if (c->rest_len == 0 && body_left(c) == 0)
		return reply_done(s, c);
	return send_some(s, c);
}

/* ---- requests ------------------------------------------------------------ */

static struct www_file *
file_for(struct server *s, const struct http_request *r)
{
	char path[HTTP_PATH_MAX];
	int status;

	if (r->method == HTTP_OTHER)
		return www_page(s->www, 405);
	status = http_target_path(path, sizeof(path), r->target, r->target_len);
	return status ? www_page(s->www, status) : www_get(s->www, path, s->now);
}

/* Answers the head of head_len bytes at the front of the input.  As send_some(). */
static bool
serve(struct server *s, struct conn *c, size_t head_len)
{
	struct http_request r;
	struct www_file *file;
	int status = http_request_parse(&r, c->in + c->in_at, head_len);

	if (status) {
		c->keep_alive = c->head_only = false;
		return reply(s, c, www_page(s->www, status));
	}
	file = file_for(s, &r);
	c->keep_alive = r.keep_alive;
	c->head_only = r.method == HTTP_HEAD;
	c->skip = r.body_len;
	consume(c, head_len);
	return reply(s, c, file);
}

/* A head that does not fit: the target is too long, or the fields are (RFC 6585 5). */
static bool
refuse_head(struct server *s, struct conn *c)
{
	bool target = !memchr(c->in + c->in_at, '\n', c->in_len);

	c->keep_alive = c->head_only = false;
	return reply(s, c, www_page(s->www, target ? 414 : 431));
}

/* Throws away what stands before the next request. */
static void
skip_to_request(struct conn *c)
{
	size_t n = c->skip < c->in_len ? (size_t)c->skip : c->in_len;

	if (n > 0) {
		consume(c, n);
		c->skip -= n;
	}
	if (c->skip == 0) {
		n = http_blank(c->in + c->in_at, c->in_len);
		if (n > 0)
			consume(c, n);
	}
}

/* Serves the requests that have arrived whole, then waits for more. */
static void
serve_all(struct server *s, struct conn *c)
{
	size_t len;
	bool go_on = true;

	while (go_on && c->in_len > 0) {
		skip_to_request(c);
		len = http_head_end(c->in + c->in_at, c->in_len, &c->scan);
		if (len > 0)
			go_on = serve(s, c, len);
		else if (c->in_len == HTTP_HEAD_MAX)
			go_on = refuse_head(s, c);
		else
			break;
	}
	if (!go_on)
		return;
	if (c->in_len == 0)
		give_buffer(s, c);
	watch(s, c, MTCP_EPOLLIN);
}

static void
read_some(struct server *s, struct conn *c)
{
	ssize_t n;

	if (!c->in && !take_buffer(s, c)) {
		conn_abort(s, c);
		return;
	}
	if (c->in_at > 0) {
		memmove(c->in, c->in + c->in_at, c->in_len);
		c->in_at = 0;
	}
	n = mtcp_read(s->ctx, c->sockid, c->in + c->in_len, HTTP_HEAD_MAX - c->in_len);
	if (n > 0) {
		c->in_len += (size_t)n;
		serve_all(s, c);
	} else if (n == 0) {
		conn_close(s, c);
	} else if (errno != EAGAIN && errno != EINTR) {
		conn_lost(s, c);
	} else if (c->in_len == 0) {
		give_buffer(s, c);
	}
}

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
		read_some(s, c);
		break;
	case SENDING:
		if (events & MTCP_EPOLLHUP)
			conn_lost(s, c);
		else if (send_some(s, c))
			serve_all(s, c);
		break;
	case DRAINING:
		drain(s, c);
		break;
	}
}

static void
sweep(struct server *s)
{
	while (s->draining.oldest && s->now - s->draining.oldest->since >= DRAIN_NS)
		conn_close(s, s->draining.oldest);
	while (s->live.oldest &&
	       s->now - s->live.oldest->since >= s->options->idle_s * SECOND_NS) {
		s->tally.timeouts++;
		if (s->live.oldest->phase == SENDING)
			conn_abort(s, s->live.oldest);
		else
			conn_close(s, s->live.oldest);
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
				accept_some(s);
		}
		sweep(s);
		if (n <= 0)
			accept_watch(s, true);
	}
	return 0;
}

/* ---- start and end of a worker ------------------------------------------- */

static int
open_listener(struct server *s)
{
	const struct options *o = s->options;
	struct sockaddr_in any = {.sin_family = AF_INET, .sin_port = htons((uint16_t)o->port)};

	s->listener = mtcp_socket(s->ctx, AF_INET, SOCK_STREAM, 0);
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
	s->paused = true;
	accept_watch(s, true);
	return 0;
}

static int
server_open(struct server *s)
{
	s->www = www_open(s->options->dir);
	if (!s->www) {
		app_error(&s->options->common, "cannot open the directory %s: %m", s->options->dir);
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
	if (s->epid >= 0)
		mtcp_close(s->ctx, s->epid);
	if (s->www)
		www_close(s->www);
}

static int
work(struct app_run *run, mctx_t ctx, int index, int core)
{
	struct report *report = run->state;
	struct server *s = calloc(1, sizeof(*s));
	int status;

	(void)core;
	if (!s) {
		app_error(run->args, "out of memory");
		return -1;
	}
	s->options = report->options;
	s->run = run;
	s->ctx = ctx;
	s->epid = s->listener = -1;
	status = server_open(s);
	if (status == 0)
		status = serve_until_stopped(s);
	server_close(s);
	report->tally[index] = s->tally;
	free(s);
	return status;
}

/* ---- the command --------------------------------------------------------- */

static const char help[] =
	"usage: epserver -p WWW_DIR -f FILE [options]\n"
	"Serves the files below WWW_DIR over HTTP.\n"
	"\n"
	"  -p, --www DIR           the directory to serve\n"
	"      --port PORT         listen on PORT (80)\n"
	"  -c, --core CORE_ID      serve on this core only\n"
	"  -b, --backlog N         connections that may wait to be accepted, per core (4096)\n"
	"      --timeout SECONDS   close a connection without progress after this long (60)\n"
	APP_OPTIONS_HELP
	"\n"
	"SIGINT, SIGTERM and SIGHUP end it in order, with a summary.\n";

static int
own_option(struct options *o, int option, const char *value)
{
	long n;

	switch (option) {
	case 'p':
		o->dir = value;
		return APP_GO_ON;
	case 'c':
		if (!app_number(&o->common, "-c", value, 0, APP_CORES_MAX - 1, &n))
			return EXIT_FAILURE;
		o->common.core = (int)n;
		return APP_GO_ON;
	case 'b':
		if (!app_number(&o->common, "-b", value, 1, 1 << 20, &n))
			return EXIT_FAILURE;
		o->backlog = (int)n;
		return APP_GO_ON;
	case APP_OPT_OWN:
		if (!app_number(&o->common, "--port", value, 1, 65535, &n))
			return EXIT_FAILURE;
		o->port = (int)n;
		return APP_GO_ON;
	case APP_OPT_OWN + 1:
		if (!app_number(&o->common, "--timeout", value, 1, 86400, &o->idle_s))
			return EXIT_FAILURE;
		return APP_GO_ON;
	default:
		return app_option(&o->common, option, value, help);
	}
}

static int
read_options(struct options *o, int argc, char **argv)
{
	static const struct option table[] = {
		APP_LONG_OPTIONS,
		{"www", required_argument, NULL, 'p'},
		{"core", required_argument, NULL, 'c'},
		{"backlog", required_argument, NULL, 'b'},
		{"port", required_argument, NULL, APP_OPT_OWN},
		{"timeout", required_argument, NULL, APP_OPT_OWN + 1},
		{NULL, 0, NULL, 0},
	};
	int option, status;

	while ((option = getopt_long(argc, argv, APP_SHORT_OPTIONS "p:c:b:", table, NULL)) != -1) {
		status = own_option(o, option, optarg);
		if (status != APP_GO_ON)
			return status;
	}
	if (optind < argc) {
		app_error(&o->common, "%s: what is this for? (directories follow -p)", argv[optind]);
		return EXIT_FAILURE;
	}
	return APP_GO_ON;
}

/* Said before the library starts, so that it costs no second. */
static int
check_dir(const struct options *o)
{
	int fd;

	if (o->common.check || o->common.dump)
		return APP_GO_ON;
	if (!o->dir) {
		app_error(&o->common, "nothing to serve; name a directory with -p DIR");
		return EXIT_FAILURE;
	}
	fd = open(o->dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0) {
		app_error(&o->common, "-p %s: %m; name a directory that can be read", o->dir);
		return EXIT_FAILURE;
	}
	close(fd);
	return APP_GO_ON;
}

static void
summary(const struct report *report)
{
	struct tally all = {0};

	for (int i = 0; i < APP_CORES_MAX; i++) {
		const struct tally *t = &report->tally[i];

		all.accepted += t->accepted;
		all.requests += t->requests;
		all.good += t->good;
		all.refused += t->refused;
		all.bytes += t->bytes;
		all.timeouts += t->timeouts;
		all.resets += t->resets;
	}
	printf("epserver: %llu connections, %llu requests (%llu served, %llu refused), "
	       "%.1f MB sent, %llu timeouts, %llu resets\n",
	       (unsigned long long)all.accepted, (unsigned long long)all.requests,
	       (unsigned long long)all.good, (unsigned long long)all.refused,
	       (double)all.bytes / 1e6, (unsigned long long)all.timeouts,
	       (unsigned long long)all.resets);
	fflush(stdout);
}

static int
run_server(const struct options *o)
{
	struct report report = {.options = o};
	struct app_run run = {.args = &o->common, .work = work, .state = &report};
	int status;

	run.workers = o->common.core >= 0 ? 1 : o->common.cores;
	printf("epserver: serving %s on port %d, %d core%s\n", o->dir, o->port, run.workers,
	       run.workers == 1 ? "" : "s");
	fflush(stdout);
	status = app_run(&run);
	summary(&report);
	mtcp_destroy();
	return status == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}

int
main(int argc, char **argv)
{
	struct options o = {
		.common = {.name = "epserver", .core = -1},
		.port = 80,
		.backlog = 4096,
		.idle_s = 60,
	};
	int status = read_options(&o, argc, argv);

	if (status == APP_GO_ON)
		status = check_dir(&o);
	if (status == APP_GO_ON)
		status = app_start(&o.common);
	return status == APP_GO_ON ? run_server(&o) : status;
}
