/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A request is answered when its head is whole; its body, if it has one, is thrown away.
 * Small files are sent from memory, head and body by one write; large ones are read in
 * pieces, and only what the socket took counts, so a connection holds no data of
 * its own.  A full send buffer is waited for; meanwhile nothing is read.
 */
#include "apps/web_exchange.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "apps/http.h"
#include "mtcp_epoll.h"

#define WRITES_PER_TURN 4
#define CHUNK_MIN 4096u

/* ---- replies --------------------------------------------------------------- */

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

	if (len == 0 && !c->rest)
		return true;
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

/* What became of a write of head, if any is left, and body.  1: some was taken, 0: the socket
 * is full, -1: the connection is gone or memory is. */
static int
pushed(struct server *s, struct conn *c, const struct iovec v[2], ssize_t n)
{
	size_t taken = n > 0 ? (size_t)n : 0;
	size_t of_head = taken < v[0].iov_len ? taken : v[0].iov_len;

	if (n < 0 && errno != EAGAIN && errno != EINTR)
		return -1;
	s->tally.bytes += taken;
	c->sent += taken - of_head;
	if (v[1].iov_len > 0 && c->file->fd >= 0)
		adapt_chunk(c, v[0].iov_len + v[1].iov_len, taken);
	if (!keep_rest(c, (const char *)v[0].iov_base + of_head, v[0].iov_len - of_head))
		return -1;
	if (n > 0)
		conn_touch(s, c);
	return n > 0;
}

/* One write of head, if any is left, and body; -1 also when the file is gone. */
static int
push(struct server *s, struct conn *c, char *head, size_t head_len)
{
	struct iovec v[2] = {{head, head_len}, {NULL, 0}};
	ssize_t n;

	if (!body_piece(s, c, &v[1]))
		return -1;
	n = head_len > 0 ? mtcp_writev(s->ctx, c->sockid, v, v[1].iov_len > 0 ? 2 : 1)
	                 : mtcp_write(s->ctx, c->sockid, v[1].iov_base, v[1].iov_len);
	return pushed(s, c, v, n);
}

/* The first write of a reply: head and body in one piece where it was made so. */
static int
push_first(struct server *s, struct conn *c, const struct www_reply *made)
{
	struct iovec v[2] = {{made->text, made->head}, {NULL, 0}};

	if (made->body < body_left(c))
		return push(s, c, made->text, made->head);
	v[1].iov_len = (size_t)body_left(c);
	return pushed(s, c, v, mtcp_write(s->ctx, c->sockid, made->text,
	                                  v[0].iov_len + v[1].iov_len));
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
send_more(struct server *s, struct conn *c)
{
	for (int i = 0; i < WRITES_PER_TURN; i++) {
		int sent = push(s, c, c->rest, c->rest_len);

		if (sent < 0) {
			conn_abort(s, c);
			return false;
		}
		if (c->rest_len == 0 && body_left(c) == 0)
			return reply_done(s, c);
		if (sent == 0)
			break;
	}
	conn_watch(s, c, MTCP_EPOLLOUT);
	return false;
}

/* Starts a reply with file, whose reference c takes over.  As send_more(). */
static bool
reply(struct server *s, struct conn *c, struct www_file *file)
{
	int sent;

	c->file = file;
	c->sent = 0;
	c->chunk = CHUNK_MAX;
	c->phase = SENDING;
	s->tally.requests++;
	*(file->status == 200 ? &s->tally.good : &s->tally.refused) += 1;
	conn_touch(s, c);
	sent = push_first(s, c, www_reply(file, c->keep_alive, s->date));
	if (sent < 0) {
		conn_abort(s, c);
		return false;
	}
	if (c->rest_len == 0 && body_left(c) == 0)
		return reply_done(s, c);
	return send_more(s, c);
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

/* Where a request that begins like this is remembered; NULL: too little of it is there. */
static struct asked *
asked_at(struct server *s, const struct conn *c)
{
	if (c->in_len < HTTP_KNOWN_KEY)
		return NULL;
	return &s->asked[http_known_hash(c->in + c->in_at) & (ASKED_MAX - 1)];
}

/* Next time it need not be read, nor its file looked for.  Large files are not held. */
static void
remember(struct server *s, struct conn *c, const struct http_request *r, size_t head_len,
         struct www_file *file)
{
	struct asked *a = asked_at(s, c);

	if (!a || r->body_len > 0 || !www_is_short(file) || !file->cached)
		return;
	if (a->file)
		www_put(s->www, a->file);
	a->file = NULL;
	if (!http_know(&a->head, c->in + c->in_at, head_len))
		return;
	a->keep_alive = r->keep_alive;
	a->head_only = r->method == HTTP_HEAD;
	a->file = file;
	file->refs++;
}

void
web_forget(struct server *s)
{
	for (unsigned i = 0; i < ASKED_MAX; i++) {
		if (s->asked[i].file)
			www_put(s->www, s->asked[i].file);
		s->asked[i] = (struct asked){.file = NULL};
	}
}

/* A request that came before, and whose answer is still good. */
static const struct asked *
recall(struct server *s, const struct conn *c)
{
	struct asked *a = asked_at(s, c);

	if (a && a->file && http_is_known(&a->head, c->in + c->in_at, c->in_len) &&
	    www_again(s->www, a->file, s->now))
		return a;
	return NULL;
}

static bool
serve_again(struct server *s, struct conn *c, const struct asked *a)
{
	c->keep_alive = a->keep_alive;
	c->head_only = a->head_only;
	conn_consume(c, a->head.len);
	return reply(s, c, a->file);
}

/* Answers the request whose head of head_len bytes is at the front of the input.  As
 * send_more(). */
static bool
serve(struct server *s, struct conn *c, const struct http_request *r, size_t head_len)
{
	struct www_file *file = file_for(s, r);

	remember(s, c, r, head_len, file);
	c->keep_alive = r->keep_alive;
	c->head_only = r->method == HTTP_HEAD;
	c->skip = r->body_len;
	conn_consume(c, head_len);
	return reply(s, c, file);
}

static bool
refuse(struct server *s, struct conn *c, int status)
{
	c->keep_alive = c->head_only = false;
	return reply(s, c, www_page(s->www, status));
}

/* A head that does not fit: the target is too long, or the fields are (RFC 6585 5). */
static bool
refuse_head(struct server *s, struct conn *c)
{
	bool target = !memchr(c->in + c->in_at, '\n', c->in_len);

	return refuse(s, c, target ? 414 : 431);
}

/* Throws away what stands before the next request. */
static void
skip_to_request(struct conn *c)
{
	size_t n = c->skip < c->in_len ? (size_t)c->skip : c->in_len;

	if (c->skip == 0 && c->in_len > 0 && c->in[c->in_at] > '\r')
		return;
	if (n > 0) {
		conn_consume(c, n);
		c->skip -= n;
	}
	if (c->skip == 0) {
		n = http_blank(c->in + c->in_at, c->in_len);
		if (n > 0)
			conn_consume(c, n);
	}
}

/* Serves the requests that have arrived whole, then waits for more. */
static void
serve_all(struct server *s, struct conn *c)
{
	struct http_request r;
	const struct asked *again;
	size_t len;
	int status;
	bool go_on = true;

	while (go_on && c->in_len > 0) {
		skip_to_request(c);
		again = recall(s, c);
		if (again) {
			go_on = serve_again(s, c, again);
			continue;
		}
		len = http_request_read(&r, c->in + c->in_at, c->in_len, &c->scan, &status);
		if (len > 0)
			go_on = status ? refuse(s, c, status) : serve(s, c, &r, len);
		else if (c->in_len == HTTP_HEAD_MAX)
			go_on = refuse_head(s, c);
		else
			break;
	}
	if (!go_on)
		return;
	if (c->in_len == 0)
		conn_give_buffer(s, c);
	if (c->dry)
		conn_watch(s, c, CONN_READS);
	else /* of what is there already nobody would tell */
		conn_watch_anew(s, c, CONN_READS);
}

void
web_read(struct server *s, struct conn *c, bool ended)
{
	size_t room;
	ssize_t n;

	if (!c->in && !conn_take_buffer(s, c)) {
		conn_abort(s, c);
		return;
	}
	if (c->in_at > 0) {
		memmove(c->in, c->in + c->in_at, c->in_len);
		c->in_at = 0;
	}
	room = HTTP_HEAD_MAX - c->in_len;
	n = mtcp_read(s->ctx, c->sockid, c->in + c->in_len, room);
	c->dry = n < (ssize_t)room && !ended; /* the end is read apart */
	if (n > 0) {
		c->in_len += (size_t)n;
		serve_all(s, c);
	} else if (n == 0) {
		conn_close(s, c);
	} else if (errno != EAGAIN && errno != EINTR) {
		conn_lost(s, c);
	} else if (c->in_len == 0) {
		conn_give_buffer(s, c);
	}
}

void
web_send(struct server *s, struct conn *c)
{
	c->dry = false;
	if (send_more(s, c))
		serve_all(s, c);
}
