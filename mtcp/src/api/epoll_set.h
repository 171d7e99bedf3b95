/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Who watches what.  A registration stands on three lists: of its socket, of
 * its epoll, and, while something may have changed, of its epoll's ready ones.
 * That something changed is only a hint to look: what is reported is computed
 * from the socket at that moment, so entries merge by themselves.
 */
#pragma once

#include "api/context.h"
#include "base/list.h"
#include "mtcp_epoll.h"

struct epoll {
	struct list ready;
	struct list members;
};

struct epoll_item {
	struct link ready;       /* epoll.ready                                     */
	struct link member;      /* epoll.members                                   */
	struct epoll_item *next; /* of the same socket                              */
	struct epoll *ep;
	uint32_t sock;
	uint32_t events;         /* wanted; only ET and ONESHOT: disarmed           */
	mtcp_epoll_data_t data;
};

static_assert(sizeof(struct epoll_item) == CACHE_LINE, "a registration is one line");

/* NULL when memory is short. */
struct epoll *epoll_set_new(void);

/* Ends all registrations and frees the set. */
void epoll_set_delete(struct mtcp_context *ctx, struct epoll *ep);

/* mtcp_epoll_ctl()'s three operations: 0 or an errno value. */
int epoll_set_add(struct mtcp_context *ctx, struct epoll *ep, struct sockref *r,
                  const struct mtcp_epoll_event *ev);
int epoll_set_mod(struct mtcp_context *ctx, struct epoll *ep, struct sockref *r,
                  const struct mtcp_epoll_event *ev);
int epoll_set_del(struct mtcp_context *ctx, struct epoll *ep, struct sockref *r);

/* Something happened to the socket (or pipe end). */
void epoll_set_notify(struct mtcp_context *ctx, struct sockref *r);

/* The socket is closed: it leaves all sets. */
void epoll_set_forget(struct mtcp_context *ctx, struct sockref *r);

/* Up to `max` entries for what is ready now: how many. */
int epoll_set_collect(struct mtcp_context *ctx, struct epoll *ep, struct mtcp_epoll_event *ev,
                      int max);

/* Frees the memory of all registrations; none may be in use any more. */
void epoll_set_free_items(struct mtcp_context *ctx);
