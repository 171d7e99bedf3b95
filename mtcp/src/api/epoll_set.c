/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A level-triggered entry that was reported stays on the ready list, behind
 * the others, and leaves it when a later look finds nothing; an edge-triggered
 * one leaves it at once, until something happens again.
 */
#include "api/epoll_set.h"

#include <errno.h>
#include <stdlib.h>

#include "api/ready.h"

#define SLAB_ITEMS 63u

/* Not events, but how to report them. */
#define MODES ((uint32_t)MTCP_EPOLLET | (uint32_t)MTCP_EPOLLONESHOT)

/* Reported whether wanted or not. */
#define ALWAYS ((uint32_t)MTCP_EPOLLERR | (uint32_t)MTCP_EPOLLHUP)

struct slab {
	_Alignas(CACHE_LINE) struct slab *next;
	struct epoll_item item[SLAB_ITEMS];
};

static bool
items_grow(struct mtcp_context *ctx)
{
	struct slab *slab = aligned_alloc(CACHE_LINE, sizeof *slab);

	if (!slab)
		return false;
	slab->next = ctx->slabs;
	ctx->slabs = slab;
	for (unsigned i = 0; i < SLAB_ITEMS; i++) {
		slab->item[i].next = ctx->free_items;
		ctx->free_items = &slab->item[i];
	}
	return true;
}

static struct epoll_item *
item_new(struct mtcp_context *ctx)
{
	struct epoll_item *it;

	if (!ctx->free_items && !items_grow(ctx))
		return NULL;
	it = ctx->free_items;
	ctx->free_items = it->next;
	*it = (struct epoll_item){ 0 };
	return it;
}

/* The item is off its socket's list already. */
static void
item_free(struct mtcp_context *ctx, struct epoll_item *it)
{
	link_remove(&it->ready);
	link_remove(&it->member);
	it->next = ctx->free_items;
	ctx->free_items = it;
}

/* Where the socket's list points at the registration with `ep`. */
static struct epoll_item **
item_find(struct sockref *r, const struct epoll *ep)
{
	struct epoll_item **at = &r->items;

	while (*at && (*at)->ep != ep)
		at = &(*at)->next;
	return at;
}

struct epoll *
epoll_set_new(void)
{
	struct epoll *ep = malloc(sizeof *ep);

	if (ep) {
		list_init(&ep->ready);
		list_init(&ep->members);
	}
	return ep;
}

void
epoll_set_delete(struct mtcp_context *ctx, struct epoll *ep)
{
	list_for_each(n, &ep->members) {
		struct epoll_item *it = container_of(n, struct epoll_item, member);

		*item_find(ref_at(ctx, it->sock), ep) = it->next;
		item_free(ctx, it);
	}
	free(ep);
}

static void
mark(struct mtcp_context *ctx, struct epoll_item *it)
{
	if (!link_on_list(&it->ready))
		list_push_back(&it->ep->ready, &it->ready);
	if (ctx->armed)
		ctx->pair->ops->ring(ctx->pair);
}

/* What a registration reports now. */
static uint32_t
item_events(struct mtcp_context *ctx, const struct epoll_item *it)
{
	return ready_events(ctx, ref_at(ctx, it->sock), it->events & ~MODES);
}

/* What is ready already counts as having happened now. */
static void
item_want(struct mtcp_context *ctx, struct epoll_item *it, const struct mtcp_epoll_event *ev)
{
	it->events = ev->events | ALWAYS;
	it->data = ev->data;
	if (item_events(ctx, it))
		mark(ctx, it);
}

int
epoll_set_add(struct mtcp_context *ctx, struct epoll *ep, struct sockref *r,
              const struct mtcp_epoll_event *ev)
{
	struct epoll_item *it;

	if (*item_find(r, ep))
		return EEXIST;
	it = item_new(ctx);
	if (!it)
		return ENOMEM;
	it->ep = ep;
	it->sock = ref_number(ctx, r);
	it->next = r->items;
	r->items = it;
	list_push_back(&ep->members, &it->member);
	item_want(ctx, it, ev);
	return 0;
}

int
epoll_set_mod(struct mtcp_context *ctx, struct epoll *ep, struct sockref *r,
              const struct mtcp_epoll_event *ev)
{
	struct epoll_item *it = *item_find(r, ep);

	if (!it)
		return ENOENT;
	item_want(ctx, it, ev);
	return 0;
}

int
epoll_set_del(struct mtcp_context *ctx, struct epoll *ep, struct sockref *r)
{
	struct epoll_item **at = item_find(r, ep), *it = *at;

	if (!it)
		return ENOENT;
	*at = it->next;
	item_free(ctx, it);
	return 0;
}

void
epoll_set_notify(struct mtcp_context *ctx, struct sockref *r)
{
	for (struct epoll_item *it = r->items; it; it = it->next)
		if (it->events & ~MODES)
			mark(ctx, it);
}

void
epoll_set_forget(struct mtcp_context *ctx, struct sockref *r)
{
	struct epoll_item *it;

	while ((it = r->items)) {
		r->items = it->next;
		item_free(ctx, it);
	}
}

/* The registration after reporting: back to the end of the list, or off it. */
static void
item_reported(struct epoll *ep, struct epoll_item *it)
{
	if (it->events & (uint32_t)MTCP_EPOLLONESHOT)
		it->events &= MODES;
	else if (!(it->events & (uint32_t)MTCP_EPOLLET))
		list_push_back(&ep->ready, &it->ready);
}

int
epoll_set_collect(struct mtcp_context *ctx, struct epoll *ep, struct mtcp_epoll_event *ev,
                  int max)
{
	struct list look;
	struct link *n;
	int got = 0;

	list_init(&look);
	list_splice_back(&look, &ep->ready);
	while (got < max && (n = list_pop_front(&look))) {
		struct epoll_item *it = container_of(n, struct epoll_item, ready);
		uint32_t events = item_events(ctx, it);

		if (!events)
			continue;
		ev[got].events = events;
		ev[got].data = it->data;
		got++;
		item_reported(ep, it);
	}
	/* What was not looked at comes before what was reported. */
	list_splice_back(&look, &ep->ready);
	list_splice_back(&ep->ready, &look);
	return got;
}

void
epoll_set_free_items(struct mtcp_context *ctx)
{
	while (ctx->slabs) {
		struct slab *slab = ctx->slabs;

		ctx->slabs = slab->next;
		free(slab);
	}
	ctx->free_items = NULL;
}
