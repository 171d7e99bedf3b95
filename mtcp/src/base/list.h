/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * An intrusive doubly linked list whose links know whether they are on one:
 * an unlinked link points at nothing, so "is it queued already?" needs no flag
 * beside it that could disagree.
 */
#pragma once

#include "base/base.h"

struct link {
	struct link *next, *prev; /* both NULL: on no list */
};

struct list {
	struct link head;
};

static inline void
list_init(struct list *l)
{
	l->head.next = l->head.prev = &l->head;
}

static inline bool
list_empty(const struct list *l)
{
	return l->head.next == &l->head;
}

static inline bool
link_on_list(const struct link *n)
{
	return n->next != NULL;
}

static inline void
link_insert_after(struct link *at, struct link *n)
{
	assert(!link_on_list(n));
	n->prev = at;
	n->next = at->next;
	at->next->prev = n;
	at->next = n;
}

static inline void
list_push_back(struct list *l, struct link *n)
{
	link_insert_after(l->head.prev, n);
}

static inline void
list_push_front(struct list *l, struct link *n)
{
	link_insert_after(&l->head, n);
}

/* Takes `n` off its list; on no list is fine. */
static inline void
link_remove(struct link *n)
{
	if (!link_on_list(n))
		return;
	n->prev->next = n->next;
	n->next->prev = n->prev;
	n->next = n->prev = NULL;
}

static inline struct link *
list_first(const struct list *l)
{
	return list_empty(l) ? NULL : l->head.next;
}

static inline struct link *
list_last(const struct list *l)
{
	return list_empty(l) ? NULL : l->head.prev;
}

/* Takes all up to `last`, which is on it, off in one go.  For who forgets them: their links still say
 * what they said. */
static inline void
list_cut_front(struct list *l, struct link *last)
{
	l->head.next = last->next;
	last->next->prev = &l->head;
}

static inline struct link *
list_pop_front(struct list *l)
{
	struct link *n = list_first(l);

	if (n)
		link_remove(n);
	return n;
}

/* Moves everything of `from` to the end of `to`; `from` is empty afterwards. */
static inline void
list_splice_back(struct list *to, struct list *from)
{
	if (list_empty(from))
		return;
	from->head.next->prev = to->head.prev;
	to->head.prev->next = from->head.next;
	from->head.prev->next = &to->head;
	to->head.prev = from->head.prev;
	list_init(from);
}

/* `n` may be removed inside the loop; nothing else may. */
#define list_for_each(n, l)                                                                    \
	for (struct link *n = (l)->head.next, *n##_next = n->next; n != &(l)->head;            \
	     n = n##_next, n##_next = n->next)
