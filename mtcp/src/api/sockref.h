/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What only the application's side knows of a socket number: what it stands
 * for, who watches it, how calls on it behave.  It stands in the socket, in a part of
 * its own; the stack only keeps the place.
 */
#pragma once

#include "core/sock.h"

struct mtcp_context;
struct epoll;
struct epoll_item;
struct pipe;

enum {
	REF_NONBLOCK = 1 << 0,
	REF_BOUND = 1 << 1,
	REF_TOLD = 1 << 2,     /* the connection's error was given to the application */
	REF_KNOWN = 1 << 3,    /* connect() has returned 0                            */
	REF_STARVED = 1 << 4,  /* waits for chunks to write into                      */
	REF_QUEUED = 1 << 5,   /* born, and not accepted yet                          */
	REF_LINGER = 1 << 6,   /* SO_LINGER is on                                     */
	REF_DEFERRED = 1 << 7, /* connected as far as it shows: the first write opens    */
	REF_FASTOPEN_CONNECT = 1 << 8, /* TCP_FASTOPEN_CONNECT                         */
	REF_WRITES = 1 << 9,   /* the writing end of a pipe                           */
	REF_WAITS = 1 << 10,   /* the stack was asked to tell when there is room      */
	REF_OOBINLINE = 1 << 11,   /* SO_OOBINLINE                                    */
	REF_URGENT = 1 << 12,      /* urgent text is announced and not read past      */
	REF_URGENT_READ = 1 << 13, /* MSG_OOB has given out its byte                  */
	REF_URGENT_KNOWN = 1 << 14, /* is.urgent was set once                          */
	REF_EOR = 1 << 15,         /* what was written last ends a record             */
	REF_HAS_PORT = REF_EOR,    /* datagrams: the stack knows it                   */
};

#define NO_SOCK UINT32_MAX

#define TIMEOUT_NOW UINT32_MAX /* a call does not wait at all */

/* Connections that wait for accept, first come first, linked by sockref.next. */
struct accept_queue {
	uint32_t first, last;
};

struct sockref {
	uint8_t type;             /* enum socket_type                                   */
	uint16_t flags;           /* REF_*                                              */
	uint32_t told;            /* receive counter when the stack last heard of it    */
	struct epoll_item *items; /* who watches                                        */
	union {
		struct accept_queue queue; /* listener */
		uint32_t urgent;  /* stream: where the last urgent byte stands, as s->rcv_urgent */
		uint32_t error;   /* datagrams: of s->dgram_error, so much was told         */
		struct epoll *epoll;
		struct pipe *pipe;
	} is;
	uint32_t next;            /* in the accept queue, or among the starved          */
	uint32_t opts;            /* options that few set, ref_opts.h; 0: none              */
};

static_assert(sizeof(struct sockref) == SOCK_REF_WORDS * sizeof(uint64_t), "fits the socket");

/* A fresh number for the application's use, of `type`: or -1 with errno EMFILE. */
int sockref_new(struct mtcp_context *ctx, uint8_t type);

/* The record of an open number, or NULL with errno EBADF (EINVAL: no context). */
struct sockref *sockref_of(struct mtcp_context *ctx, int sockid);

/* The same for calls on sockets only: NULL with errno ENOTSOCK for others. */
struct sockref *sockref_of_socket(struct mtcp_context *ctx, int sockid);

/* Says goodbye to the stack, with SOCK_REQ_ABORT or 0 in `how`, and forgets all.
 * What the number stood for must have been undone. */
void sockref_close(struct mtcp_context *ctx, struct sockref *r, uint16_t how);

/* The application heard of a connection for one of its listeners. */
void sockref_born(struct mtcp_context *ctx, struct sockref *r);

/* The longest waiting connection of a listener, or NULL. */
struct sockref *sockref_accept(struct mtcp_context *ctx, struct sockref *listener);

/* The error that ended the connection if nobody was told yet, and now somebody is; else 0. */
int sockref_take_error(struct mtcp_context *ctx, struct sockref *r);
