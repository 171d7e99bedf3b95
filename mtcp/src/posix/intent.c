/* SPDX-License-Identifier: BSD-3-Clause */
#include "posix/intent.h"

#include <errno.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <sys/epoll.h>

#include "base/ip_addr.h"

struct intent *
intent_new(int domain, bool nonblocking)
{
	struct intent *it = calloc(1, sizeof *it);

	if (!it)
		return NULL;
	it->domain = domain;
	it->nonblocking = nonblocking;
	it->sockid = -1;
	return it;
}

void
intent_said(struct intent *it)
{
	while (it->options) {
		struct intent_option *o = it->options;

		it->options = o->next;
		free(o);
	}
	while (it->watches) {
		struct intent_watch *w = it->watches;

		it->watches = w->next;
		free(w);
	}
}

void
intent_free(struct intent *it)
{
	if (!it)
		return;
	intent_said(it);
	free(it);
}

/* ---- options ------------------------------------------------------------ */

int
intent_option(struct intent *it, int level, int name, const void *val, socklen_t len)
{
	struct intent_option **at = &it->options, *o = malloc(sizeof *o + len);

	if (!o)
		return -ENOMEM;
	*o = (struct intent_option){ .level = level, .name = name, .len = len };
	memcpy(o->val, val, len);
	while (*at) {
		struct intent_option *was = *at;

		if (was->level == level && was->name == name) {
			*at = was->next;
			free(was);
		} else {
			at = &was->next;
		}
	}
	*at = o;
	return 0;
}

/* ---- the local address -------------------------------------------------- */

bool
intent_bind(struct intent *it, const struct sockaddr *addr, socklen_t len)
{
	if (len > sizeof it->local)
		return false;
	memcpy(&it->local, addr, len);
	it->local_len = len;
	it->bound = true;
	return true;
}

bool
intent_is_bound_to_any(const struct intent *it)
{
	const struct sockaddr_in *in = (const void *)&it->local;
	const struct sockaddr_in6 *in6 = (const void *)&it->local;

	if (!it->bound)
		return false;
	return it->local.ss_family == AF_INET ? in->sin_addr.s_addr == INADDR_ANY
	                                      : IN6_IS_ADDR_UNSPECIFIED(&in6->sin6_addr);
}

/* ---- watches ------------------------------------------------------------ */

static struct intent_watch **
find_watch(struct intent *it, const struct poller *poller)
{
	struct intent_watch **at = &it->watches;

	while (*at && (*at)->poller != poller)
		at = &(*at)->next;
	return at;
}

static int
add_watch(struct intent_watch **at, struct poller *poller, uint32_t events, uint64_t data)
{
	struct intent_watch *w = malloc(sizeof *w);

	if (!w)
		return -ENOMEM;
	*w = (struct intent_watch){ NULL, poller, events, data };
	*at = w;
	return 0;
}

int
intent_watch(struct intent *it, struct poller *poller, int op, uint32_t events, uint64_t data)
{
	struct intent_watch **at = find_watch(it, poller), *w = *at;

	if (op == EPOLL_CTL_ADD)
		return w ? -EEXIST : add_watch(at, poller, events, data);
	if (!w)
		return -ENOENT;
	switch (op) {
	case EPOLL_CTL_MOD:
		w->events = events;
		w->data = data;
		return 0;
	case EPOLL_CTL_DEL:
		*at = w->next;
		free(w);
		return 0;
	default:
		return -EINVAL;
	}
}

void
intent_forget_poller(struct intent *it, const struct poller *poller)
{
	struct intent_watch **at = find_watch(it, poller), *w = *at;

	if (!w)
		return;
	*at = w->next;
	free(w);
}
