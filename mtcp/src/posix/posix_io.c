/* SPDX-License-Identifier: BSD-3-Clause */
/* Data and options of a socket: what differs between the two sides is only whom to ask. */
#include <errno.h>
#include <sys/ioctl.h>

#include "posix/intent.h"
#include "posix/posix.h"

/* ---- data --------------------------------------------------------------- */

ssize_t
posix_recv(struct posix *p, int fd, void *buf, size_t len, int flags)
{
	int id = posix_sockid(p, fd);

	return id >= 0 ? p->stack->recv(p->ctx, id, buf, len, flags)
	               : p->kernel->recv(fd, buf, len, flags);
}

ssize_t
posix_send(struct posix *p, int fd, const void *buf, size_t len, int flags)
{
	int id = posix_sockid(p, fd);

	return id >= 0 ? p->stack->send(p->ctx, id, buf, len, flags)
	               : p->kernel->send(fd, buf, len, flags);
}

ssize_t
posix_readv(struct posix *p, int fd, const struct iovec *iov, int n)
{
	int id = posix_sockid(p, fd);

	return id >= 0 ? p->stack->readv(p->ctx, id, iov, n) : p->kernel->readv(fd, iov, n);
}

ssize_t
posix_writev(struct posix *p, int fd, const struct iovec *iov, int n)
{
	int id = posix_sockid(p, fd);

	return id >= 0 ? p->stack->writev(p->ctx, id, iov, n) : p->kernel->writev(fd, iov, n);
}

ssize_t
posix_recvmsg(struct posix *p, int fd, struct msghdr *msg, int flags)
{
	int id = posix_sockid(p, fd);

	return id >= 0 ? p->stack->recvmsg(p->ctx, id, msg, flags)
	               : p->kernel->recvmsg(fd, msg, flags);
}

ssize_t
posix_sendmsg(struct posix *p, int fd, const struct msghdr *msg, int flags)
{
	int id = posix_sockid(p, fd);

	return id >= 0 ? p->stack->sendmsg(p->ctx, id, msg, flags)
	               : p->kernel->sendmsg(fd, msg, flags);
}

/* ---- options ------------------------------------------------------------ */

int
posix_getsockopt(struct posix *p, int fd, int level, int name, void *val, socklen_t *len)
{
	int id = posix_sockid(p, fd);

	return id >= 0 ? p->stack->getsockopt(p->ctx, id, level, name, val, len)
	               : p->kernel->getsockopt(fd, level, name, val, len);
}

/* While the side is unknown the kernel judges the value. */
int
posix_setsockopt(struct posix *p, int fd, int level, int name, const void *val, socklen_t len)
{
	int rc, id = posix_sockid(p, fd);
	struct intent *it;

	if (id >= 0)
		return p->stack->setsockopt(p->ctx, id, level, name, val, len);
	it = fdtab_at(&p->fds, fd);
	if (p->kernel->setsockopt(fd, level, name, val, len) < 0)
		return -1;
	rc = it ? intent_option(it, level, name, val, len) : 0;
	if (rc == 0)
		return 0;
	errno = -rc;
	return -1;
}

/* An address that is only noted is told as if it were bound. */
int
posix_getsockname(struct posix *p, int fd, struct sockaddr *addr, socklen_t *len)
{
	int id = posix_sockid(p, fd);
	struct intent *it;

	if (id >= 0)
		return p->stack->getsockname(p->ctx, id, addr, len);
	it = fdtab_at(&p->fds, fd);
	if (!it || !it->bound)
		return p->kernel->getsockname(fd, addr, len);
	memcpy(addr, &it->local, min(*len, it->local_len));
	*len = it->local_len;
	return 0;
}

int
posix_getpeername(struct posix *p, int fd, struct sockaddr *addr, socklen_t *len)
{
	int id = posix_sockid(p, fd);

	return id >= 0 ? p->stack->getpeername(p->ctx, id, addr, len)
	               : p->kernel->getpeername(fd, addr, len);
}

int
posix_ioctl(struct posix *p, int fd, unsigned long request, void *arg)
{
	int rc, id = posix_sockid(p, fd);
	struct intent *it;

	if (id >= 0)
		return p->stack->ioctl(p->ctx, id, (int)request, arg);
	rc = p->kernel->ioctl(fd, request, arg);
	it = fdtab_at(&p->fds, fd);
	if (rc == 0 && it && request == FIONBIO)
		it->nonblocking = *(const int *)arg;
	return rc;
}
