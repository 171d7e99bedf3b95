/* SPDX-License-Identifier: BSD-3-Clause */
/* A socket's life: made, named, connected, closed.  Its data and options stand in posix_io.c. */
#include "posix/posix.h"

#include <errno.h>
#include <limits.h>
#include <netinet/in.h>
#include <stdlib.h>

#include "posix/poller.h"
#include "posix/settle.h"

static int
fail(int err)
{
	errno = err;
	return -1;
}

/* ---- the process -------------------------------------------------------- */

struct posix *
posix_new(const struct kernel_calls *kernel, const struct stack_calls *stack, int first)
{
	struct posix *p = calloc(1, sizeof *p);

	if (!p)
		return NULL;
	p->kernel = kernel;
	p->stack = stack;
	p->first = first;
	return p;
}

void
posix_delete(struct posix *p)
{
	if (!p)
		return;
	while (p->pollers)
		poller_delete(p->pollers);
	for (int fd = -1; (fd = fdtab_next(&p->fds, fd + 1)) >= 0;)
		intent_free(fdtab_at(&p->fds, fd));
	fdtab_free(&p->fds);
	bypass_clear(&p->bypass);
	free(p);
}

int
posix_take_stack(struct posix *p, mctx_t ctx)
{
	p->ctx = ctx;
	for (struct poller *po = p->pollers; po; po = po->next)
		if (poller_take_stack(po) < 0) {
			posix_leave_stack(p);
			return -1;
		}
	return 0;
}

/* What had become the stack's is still there, as a number without use. */
void
posix_leave_stack(struct posix *p)
{
	for (struct poller *po = p->pollers; po; po = po->next)
		poller_leave_stack(po);
	for (int fd = -1; (fd = fdtab_next(&p->fds, fd + 1)) >= 0;) {
		struct intent *it = fdtab_at(&p->fds, fd);

		if (it->side == INTENT_STACK)
			it->side = INTENT_AWAITS;
	}
	p->ctx = NULL;
}

int
posix_awaken(struct posix *p, int fd)
{
	struct intent *it = fdtab_at(&p->fds, fd);
	int err;

	if (!it || it->side != INTENT_AWAITS)
		return 0;
	if (settle_with_stack(p, fd, it) < 0)
		return -1;
	if (!it->listening || p->stack->listen(p->ctx, it->sockid, it->backlog) == 0)
		return 0;
	err = errno;
	p->stack->close(p->ctx, it->sockid);
	it->side = INTENT_AWAITS;
	return fail(err);
}

bool
posix_is_misplaced(const struct posix *p, int fd)
{
	const struct intent *it = fdtab_at(&p->fds, fd);
	struct sockaddr_storage local = { 0 };
	socklen_t len = sizeof local;

	if (it)
		return it->side != INTENT_OPEN && it->bound &&
		       (!p->active ||
		        bypass_takes(&p->bypass, (const struct sockaddr *)&it->local, it->local_len));
	return p->active && p->kernel->getsockname(fd, (struct sockaddr *)&local, &len) == 0 &&
	       !bypass_takes(&p->bypass, (struct sockaddr *)&local, len);
}

int
posix_surrender(struct posix *p, int fd)
{
	struct intent *it = fdtab_at(&p->fds, fd);
	bool listening = it && it->listening;
	int backlog = it ? it->backlog : 0;

	if (!it || it->side != INTENT_AWAITS)
		return fail(EINVAL);
	if (settle_with_kernel(p, fd, it) < 0)
		return -1;
	return listening ? p->kernel->listen(fd, backlog) : 0;
}

int
posix_retire(struct posix *p, int fd)
{
	struct intent *it = fdtab_at(&p->fds, fd);

	if (!it || it->side != INTENT_STACK)
		return fail(EINVAL);
	if (p->stack->shutdown(p->ctx, it->sockid, SHUT_RD) < 0)
		return -1;
	it->retired = true;
	return 0;
}

int
posix_sockid(const struct posix *p, int fd)
{
	const struct intent *it;

	if (fd >= p->first)
		return fd - p->first;
	it = fdtab_at(&p->fds, fd);
	return it && it->side == INTENT_STACK ? it->sockid : -1;
}

/* ---- opening and closing ------------------------------------------------ */

static bool
may_be_the_stacks(const struct posix *p, int domain, int type, int protocol)
{
	return p->active && (domain == AF_INET || domain == AF_INET6) &&
	       (type & ~(SOCK_NONBLOCK | SOCK_CLOEXEC)) == SOCK_STREAM &&
	       (protocol == 0 || protocol == IPPROTO_TCP);
}

int
posix_socket(struct posix *p, int domain, int type, int protocol)
{
	int rc, fd = p->kernel->socket(domain, type, protocol);
	struct intent *it;

	if (fd < 0 || !may_be_the_stacks(p, domain, type, protocol))
		return fd;
	it = intent_new(domain, type & SOCK_NONBLOCK);
	rc = it ? fdtab_set(&p->fds, fd, it) : -ENOMEM;
	if (rc == 0)
		return fd;
	intent_free(it);
	p->kernel->close(fd);
	return fail(-rc);
}

/* The entry goes first: once the kernel has the number back, another thread may get it. */
int
posix_close(struct posix *p, int fd)
{
	struct intent *it;

	if (fd >= p->first)
		return p->stack->close(p->ctx, fd - p->first);
	it = fdtab_at(&p->fds, fd);
	if (it) {
		fdtab_set(&p->fds, fd, NULL);
		if (it->side == INTENT_STACK && !it->retired)
			p->stack->close(p->ctx, it->sockid);
		intent_free(it);
	}
	return p->kernel->close(fd);
}

/* ---- names -------------------------------------------------------------- */

/* With a stack at hand, a certain address is bound at once, so that errors are told; the unspecified one waits
 * for listen() or connect(). */
static int
bind_intent(struct posix *p, int fd, struct intent *it, const struct sockaddr *addr, socklen_t len)
{
	if (it->side != INTENT_OPEN || it->bound)
		return fail(EINVAL);
	if (bypass_takes(&p->bypass, addr, len)) {
		if (settle_with_kernel(p, fd, it) < 0)
			return -1;
		return p->kernel->bind(fd, addr, len);
	}
	if (!intent_bind(it, addr, len))
		return fail(EINVAL);
	if (!p->ctx) {
		it->side = INTENT_AWAITS;
		return 0;
	}
	if (intent_is_bound_to_any(it) || settle_with_stack(p, fd, it) == 0)
		return 0;
	it->bound = false;
	return -1;
}

int
posix_bind(struct posix *p, int fd, const struct sockaddr *addr, socklen_t len)
{
	int id = posix_sockid(p, fd);
	struct intent *it;

	if (id >= 0)
		return p->stack->bind(p->ctx, id, addr, len);
	it = fdtab_at(&p->fds, fd);
	return it ? bind_intent(p, fd, it, addr, len) : p->kernel->bind(fd, addr, len);
}

int
posix_listen(struct posix *p, int fd, int backlog)
{
	int id = posix_sockid(p, fd);
	struct intent *it = fdtab_at(&p->fds, fd);

	if (id < 0 && !it)
		return p->kernel->listen(fd, backlog);
	if (id < 0 && !p->ctx) {
		it->side = INTENT_AWAITS;
		it->listening = true;
		it->backlog = backlog;
		return 0;
	}
	if (id < 0 && settle_with_stack(p, fd, it) < 0)
		return -1;
	return p->stack->listen(p->ctx, posix_sockid(p, fd), backlog);
}

int
posix_accept4(struct posix *p, int fd, struct sockaddr *addr, socklen_t *len, int flags)
{
	int id = posix_sockid(p, fd);

	if (id < 0)
		return p->kernel->accept4(fd, addr, len, flags);
	id = p->stack->accept4(p->ctx, id, addr, len, flags);
	if (id <= INT_MAX - p->first)
		return id < 0 ? -1 : p->first + id;
	p->stack->close(p->ctx, id);
	return fail(EMFILE);
}

/* ---- connecting --------------------------------------------------------- */

/* A process without a stack has but the kernel to connect with. */
static int
connect_intent(struct posix *p, int fd, struct intent *it, const struct sockaddr *addr, socklen_t len)
{
	if (it->side == INTENT_AWAITS)
		return fail(ENETDOWN);
	if (!p->ctx || bypass_takes(&p->bypass, addr, len)) {
		if (settle_with_kernel(p, fd, it) < 0)
			return -1;
		return p->kernel->connect(fd, addr, len);
	}
	if (settle_with_stack(p, fd, it) < 0)
		return -1;
	return p->stack->connect(p->ctx, it->sockid, addr, len);
}

int
posix_connect(struct posix *p, int fd, const struct sockaddr *addr, socklen_t len)
{
	int id = posix_sockid(p, fd);
	struct intent *it;

	if (id >= 0)
		return p->stack->connect(p->ctx, id, addr, len);
	it = fdtab_at(&p->fds, fd);
	return it ? connect_intent(p, fd, it, addr, len) : p->kernel->connect(fd, addr, len);
}

int
posix_shutdown(struct posix *p, int fd, int how)
{
	int id = posix_sockid(p, fd);

	return id >= 0 ? p->stack->shutdown(p->ctx, id, how) : p->kernel->shutdown(fd, how);
}
