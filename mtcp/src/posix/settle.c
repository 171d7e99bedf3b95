/* SPDX-License-Identifier: BSD-3-Clause */
#include "posix/settle.h"

#include "posix/poller.h"

static int
place_watches(int fd, int sockid, const struct intent *it)
{
	for (const struct intent_watch *w = it->watches; w; w = w->next)
		if (poller_place(w->poller, fd, sockid, w->events, w->data) < 0)
			return -1;
	return 0;
}

/* An option that the kernel took and the stack does not know changes nothing that a program relies on:
 * the library says in its log which. */
static void
say_options(const struct posix *p, int sockid, const struct intent *it)
{
	for (const struct intent_option *o = it->options; o; o = o->next)
		p->stack->setsockopt(p->ctx, sockid, o->level, o->name, o->val, o->len);
}

int
settle_with_stack(struct posix *p, int fd, struct intent *it)
{
	int type = SOCK_STREAM | (it->nonblocking ? SOCK_NONBLOCK : 0);
	int id = p->stack->socket(p->ctx, it->domain, type, 0);

	if (id < 0)
		return -1;
	say_options(p, id, it);
	if (it->bound &&
	    p->stack->bind(p->ctx, id, (struct sockaddr *)&it->local, it->local_len) < 0)
		goto failed;
	if (place_watches(fd, id, it) < 0)
		goto failed;
	intent_said(it);
	it->side = INTENT_STACK;
	it->sockid = id;
	return 0;
failed:
	/* Closing takes it out of all epolls, too. */
	p->stack->close(p->ctx, id);
	return -1;
}

int
settle_with_kernel(struct posix *p, int fd, struct intent *it)
{
	if (it->bound && p->kernel->bind(fd, (struct sockaddr *)&it->local, it->local_len) < 0)
		return -1;
	if (place_watches(fd, -1, it) < 0)
		return -1;
	fdtab_set(&p->fds, fd, NULL);
	intent_free(it);
	return 0;
}
