/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once
/*
 * HTTP/1.1 as text: pure functions from bytes to meaning and back.
 *
 * Nothing here reads a socket, a file or a clock, allocates, or keeps state
 * between calls but in the structs it is given.  Bytes come from strangers:
 * every length is checked here, and what RFC 9112 calls malformed is refused
 * with the status to answer rather than guessed at.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>
#include <time.h>

/* The longest head (start line and fields) that a caller need hold. */
#define HTTP_HEAD_MAX 8192
/* Room for what http_reply_format() writes. */
#define HTTP_REPLY_MAX 512
/* Room for an HTTP date with its NUL. */
#define HTTP_DATE_SIZE 30
#define HTTP_PATH_MAX 2048
#define HTTP_HOST_MAX 64

/* ---- both directions ---------------------------------------------------- */

/*
 * The length of the head that buf starts with, its empty line included; 0 when
 * it does not end within len bytes.  *scan, 0 at first, remembers how far the
 * search came, so that a head that arrives byte by byte is searched once.
 */
size_t http_head_end(const char *buf, size_t len, size_t *scan);

/* How many bytes of empty lines buf starts with: ignored before a request
 * (RFC 9112 2.2). */
size_t http_blank(const char *buf, size_t len);

/* ---- requests, as a server reads them ------------------------------------ */

enum http_method { HTTP_GET, HTTP_HEAD, HTTP_OTHER };

struct http_request {
	enum http_method method;
	int minor;          /* of HTTP/1.minor */
	bool keep_alive;    /* the client would like another request on this connection */
	uint64_t body_len;  /* bytes that follow the head */
	const char *target; /* inside the head */
	size_t target_len;
};

/*
 * Reads a head that http_head_end() has measured.  0, or the status to answer
 * (400, 501, 505) before closing: where the next request starts is unknown then.
 */
int http_request_parse(struct http_request *r, const char *head, size_t len);

/*
 * Both at once: the length of the head that buf starts with, and in *status what
 * http_request_parse() says of it; 0 when it does not end within len bytes.  *scan as for
 * http_head_end().
 */
size_t http_request_read(struct http_request *r, const char *buf, size_t len, size_t *scan,
                         int *status);

/*
 * The file a target names, relative to the root of the site: decoded, without
 * query, without "." and "..", without a leading slash; "" is the root itself, and
 * a trailing slash stays.  0, or the status to answer: 400 (malformed, above
 * the root, a NUL), 414 (longer than size).
 */
int http_target_path(char *path, size_t size, const char *target, size_t len);

/* ---- replies, as a server writes them ------------------------------------ */

struct http_reply {
	int status;
	const char *type;  /* Content-Type */
	const char *date;  /* as http_date() writes it */
	uint64_t length;   /* of the body */
	bool keep_alive;
};

/* The head of a reply into buf, HTTP_REPLY_MAX bytes; its length. */
size_t http_reply_format(char *buf, const struct http_reply *r);

/* "Not Found" for 404; "Unknown" for a status we never send. */
const char *http_reason(int status);

/* A Content-Type by the ending of a file's name. */
const char *http_type(const char *path);

/* RFC 9110 5.6.7: the date, in GMT, that a Date field holds. */
void http_date(char out[HTTP_DATE_SIZE], time_t at);

/* ---- responses, as a client reads them ----------------------------------- */

enum http_framing { HTTP_NO_BODY, HTTP_BY_LENGTH, HTTP_BY_CHUNKS, HTTP_BY_CLOSE };

struct http_response {
	int status;
	enum http_framing framing;
	uint64_t length; /* of the body, when HTTP_BY_LENGTH */
	bool keep_alive;
};

/* Reads a head that http_head_end() has measured; was_head: the answer to a
 * HEAD.  0, or -1 when it is no HTTP/1 response. */
int http_response_parse(struct http_response *r, const char *head, size_t len, bool was_head);

/* Finds the end of the head and reads it, the answer to a GET, as http_request_read() does;
 * *status is 0 or -1. */
size_t http_response_read(struct http_response *r, const char *buf, size_t len, size_t *scan,
                          int *status);

/* A chunked body on its way (RFC 9112 7.1).  All zero at first. */
struct http_chunks {
	uint64_t left;
	int state;
	unsigned line; /* bytes of the present line, which is bounded */
	bool done;     /* the last chunk and the trailer have been read */
};

/*
 * Takes bytes from buf up to the end of the next run of body, which is put into
 * *body and *body_len (0: none yet).  How many bytes were taken; -1 when they
 * are no chunked body.  Call until all is taken or done is set.
 */
ssize_t http_chunks_next(struct http_chunks *k, const char *buf, size_t len, const char **body,
                         size_t *body_len);

/* ---- URLs ---------------------------------------------------------------- */

struct http_url {
	char host[HTTP_HOST_MAX];
	char path[HTTP_PATH_MAX]; /* with its leading slash and query */
	uint16_t port;
	bool bracketed;           /* host stood in brackets: an IPv6 address */
};

/* Reads [http://]host[:port][/path].  NULL, or what is wrong with it. */
const char *http_url_parse(struct http_url *u, const char *text);
