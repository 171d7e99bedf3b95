/* SPDX-License-Identifier: BSD-3-Clause */
#include "posix/poller.h"

#include <errno.h>
#include <stdlib.h>
#include <time.h>

#include "posix/intent.h"

/* So often the stack may be busy without the kernel being asked. */
#define KERNEL_EVERY 64

#define KERNELS_ONLY (EPOLLEXCLUSIVE | EPOLLWAKEUP)

/* ---- life --------------------------------------------------------------- */

struct poller *
poller_new(struct posix *p, unsigned batch)
{
	struct poller *po = calloc(1, sizeof *po);

	if (!po)
		return NULL;
	*po = (struct poller){ .posix = p, .epfd = -1, .epid = -1, .room = batch };
	po->found = calloc(batch, sizeof *po->found);
	if (!po->found)
		goto failed;
	po->epfd = p->kernel->epoll_create1(EPOLL_CLOEXEC);
	if (po->epfd < 0)
		goto failed;
	if (p->ctx && poller_take_stack(po) < 0)
		goto failed;
	po->next = p->pollers;
	p->pollers = po;
	return po;
failed:
	if (po->epfd >= 0)
		p->kernel->close(po->epfd);
	free(po->found);
	free(po);
	return NULL;
}

static void
leave_list(struct poller *po)
{
	struct poller **at = &po->posix->pollers;

	while (*at != po)
		at = &(*at)->next;
	*at = po->next;
}

void
poller_delete(struct poller *po)
{
	struct posix *p;

	if (!po)
		return;
	p = po->posix;
	for (int fd = -1; (fd = fdtab_next(&p->fds, fd + 1)) >= 0;)
		intent_forget_poller(fdtab_at(&p->fds, fd), po);
	leave_list(po);
	poller_leave_stack(po);
	p->kernel->close(po->epfd);
	free(po->found);
	free(po);
}

/* The bell is told from the program's entries by data that is nobody else's. */
int
poller_take_stack(struct poller *po)
{
	const struct posix *p = po->posix;
	struct epoll_event ev = { .events = EPOLLIN, .data.ptr = po };
	int bell;

	po->epid = p->stack->epoll_create1(p->ctx, 0);
	if (po->epid < 0)
		return -1;
	bell = p->stack->epoll_getfd(p->ctx, po->epid);
	if (bell >= 0 && p->kernel->epoll_ctl(po->epfd, EPOLL_CTL_ADD, bell, &ev) == 0)
		return 0;
	poller_leave_stack(po);
	return -1;
}

void
poller_leave_stack(struct poller *po)
{
	const struct posix *p = po->posix;

	if (po->epid >= 0 && p->ctx)
		p->stack->close(p->ctx, po->epid);
	po->epid = -1;
}

/* ---- who is watched ----------------------------------------------------- */

static int
ctl_kernel(struct poller *po, int op, int fd, uint32_t events, uint64_t data)
{
	struct epoll_event ev = { .events = events, .data.u64 = data };

	return po->posix->kernel->epoll_ctl(po->epfd, op, fd, &ev);
}

static int
ctl_stack(struct poller *po, int op, int sockid, uint32_t events, uint64_t data)
{
	const struct posix *p = po->posix;
	struct mtcp_epoll_event ev = { .events = events & ~KERNELS_ONLY, .data.u64 = data };

	return p->stack->epoll_ctl(p->ctx, po->epid, op, sockid, &ev);
}

int
poller_ctl(struct poller *po, int op, int fd, uint32_t events, uint64_t data)
{
	struct posix *p = po->posix;
	struct intent *it;
	int rc, sockid = posix_sockid(p, fd);

	if (sockid >= 0)
		return ctl_stack(po, op, sockid, events, data);
	it = fdtab_at(&p->fds, fd);
	if (!it)
		return ctl_kernel(po, op, fd, events, data);
	rc = intent_watch(it, po, op, events, data);
	if (rc == 0)
		return 0;
	errno = -rc;
	return -1;
}

int
poller_place(struct poller *po, int fd, int sockid, uint32_t events, uint64_t data)
{
	return sockid >= 0 ? ctl_stack(po, EPOLL_CTL_ADD, sockid, events, data)
	                   : ctl_kernel(po, EPOLL_CTL_ADD, fd, events, data);
}

/* ---- waiting ------------------------------------------------------------ */

static int
ask_stack(struct poller *po, struct epoll_event *ev, int max)
{
	const struct posix *p = po->posix;
	int n;

	if (po->epid < 0 || max == 0)
		return 0;
	n = p->stack->epoll_wait(p->ctx, po->epid, po->found, min(max, (int)po->room), 0);
	for (int i = 0; i < n; i++) {
		ev[i].events = po->found[i].events;
		ev[i].data.u64 = po->found[i].data.u64;
	}
	return n;
}

/* The bell is no entry of the program's. */
static int
ask_kernel(struct poller *po, struct epoll_event *ev, int max, int timeout_ms, bool *rang)
{
	int n = po->posix->kernel->epoll_wait(po->epfd, ev, max, timeout_ms);

	for (int i = 0; i < n; i++) {
		if (ev[i].data.ptr != po)
			continue;
		ev[i] = ev[--n];
		*rang = true;
		break;
	}
	return n;
}

static int64_t
now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * INT64_C(1000) + t.tv_nsec / NS_PER_MS;
}

/* The stack has nothing, and its bell is armed.  *over: the time has passed. */
static int
sleep_for_either(struct poller *po, struct epoll_event *ev, int max, int64_t deadline, bool *over)
{
	int64_t left = deadline < 0 ? -1 : max(deadline - now_ms(), INT64_C(0));
	bool rang = false;
	int more, n = ask_kernel(po, ev, max, (int)left, &rang);

	*over = left == 0 || (n == 0 && !rang);
	if (n < 0 || !rang)
		return n;
	more = ask_stack(po, ev + n, max - n);
	return more < 0 && n == 0 ? -1 : n + max(more, 0);
}

/* The stack has something: the kernel may wait, but not for ever. */
static int
glance_at_kernel(struct poller *po, struct epoll_event *ev, int n, int max)
{
	bool rang = false;
	int more;

	if (++po->busy < KERNEL_EVERY || n == max)
		return n;
	po->busy = 0;
	more = ask_kernel(po, ev + n, max - n, 0, &rang);
	return n + max(more, 0);
}

int
poller_wait(struct poller *po, struct epoll_event *ev, int max, int timeout_ms)
{
	int64_t deadline = timeout_ms > 0 ? now_ms() + timeout_ms : timeout_ms;
	bool over = false;
	int n;

	if (max <= 0) {
		errno = EINVAL;
		return -1;
	}
	do {
		n = ask_stack(po, ev, max);
		if (n < 0)
			return -1;
		if (n > 0)
			return glance_at_kernel(po, ev, n, max);
		po->busy = 0;
		n = sleep_for_either(po, ev, max, deadline, &over);
	} while (n == 0 && !over);
	return n;
}
