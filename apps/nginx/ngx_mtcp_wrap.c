/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The linker's --wrap gives nginx's calls of the system to the functions below, and calls them
 * __real_ here.  Only what is linked statically is rerouted: libc, OpenSSL, DPDK and libmtcp are shared
 * libraries, and keep the system's.  nginx reads and writes its sockets by none but these.
 */
#include "ngx_mtcp.h"

#include <stdarg.h>

#include "ngx_mtcp_rights.h"

struct posix *ngx_mtcp_posix;

/* ---- the system's ------------------------------------------------------- */

int __real_socket(int domain, int type, int protocol);
int __real_bind(int fd, const struct sockaddr *addr, socklen_t len);
int __real_listen(int fd, int backlog);
int __real_accept(int fd, struct sockaddr *addr, socklen_t *len);
int __real_accept4(int fd, struct sockaddr *addr, socklen_t *len, int flags);
int __real_connect(int fd, const struct sockaddr *addr, socklen_t len);
int __real_shutdown(int fd, int how);
int __real_close(int fd);
ssize_t __real_recv(int fd, void *buf, size_t len, int flags);
ssize_t __real_send(int fd, const void *buf, size_t len, int flags);
ssize_t __real_readv(int fd, const struct iovec *iov, int n);
ssize_t __real_writev(int fd, const struct iovec *iov, int n);
ssize_t __real_recvmsg(int fd, struct msghdr *msg, int flags);
ssize_t __real_sendmsg(int fd, const struct msghdr *msg, int flags);
int __real_getsockopt(int fd, int level, int name, void *val, socklen_t *len);
int __real_setsockopt(int fd, int level, int name, const void *val, socklen_t len);
int __real_getsockname(int fd, struct sockaddr *addr, socklen_t *len);
int __real_getpeername(int fd, struct sockaddr *addr, socklen_t *len);
int __real_ioctl(int fd, unsigned long request, void *arg);
int __real_setuid(uid_t uid);

static const struct kernel_calls kernel = {
	.socket = __real_socket,
	.bind = __real_bind,
	.listen = __real_listen,
	.accept4 = __real_accept4,
	.connect = __real_connect,
	.shutdown = __real_shutdown,
	.close = __real_close,
	.recv = __real_recv,
	.send = __real_send,
	.readv = __real_readv,
	.writev = __real_writev,
	.recvmsg = __real_recvmsg,
	.sendmsg = __real_sendmsg,
	.getsockopt = __real_getsockopt,
	.setsockopt = __real_setsockopt,
	.getsockname = __real_getsockname,
	.getpeername = __real_getpeername,
	.ioctl = __real_ioctl,
	.epoll_create1 = epoll_create1,
	.epoll_ctl = epoll_ctl,
	.epoll_wait = epoll_wait,
};

ngx_int_t
ngx_mtcp_follow(ngx_mtcp_conf_t *mcf, ngx_log_t *log)
{
	struct bypass_rule *rule;
	struct bypass next = { NULL, 0 };
	ngx_uint_t i;

	if (!ngx_mtcp_posix && !mcf)
		return NGX_OK;
	if (!ngx_mtcp_posix)
		ngx_mtcp_posix = posix_new(&kernel, &stack_calls_mtcp, NGX_MTCP_FIRST);
	if (!ngx_mtcp_posix)
		goto no_memory;
	rule = mcf ? mcf->bypass.elts : NULL;
	for (i = 0; mcf && i < mcf->bypass.nelts; i++)
		if (bypass_add(&next, &rule[i]) < 0)
			goto no_memory;
	bypass_clear(&ngx_mtcp_posix->bypass);
	ngx_mtcp_posix->bypass = next;
	ngx_mtcp_posix->active = mcf != NULL;
	return NGX_OK;
no_memory:
	bypass_clear(&next);
	ngx_log_error(NGX_LOG_EMERG, log, 0, "mtcp: no memory");
	return NGX_ERROR;
}

/* ---- nginx's ------------------------------------------------------------ */

int __wrap_socket(int domain, int type, int protocol);
int __wrap_bind(int fd, const struct sockaddr *addr, socklen_t len);
int __wrap_listen(int fd, int backlog);
int __wrap_accept(int fd, struct sockaddr *addr, socklen_t *len);
int __wrap_accept4(int fd, struct sockaddr *addr, socklen_t *len, int flags);
int __wrap_connect(int fd, const struct sockaddr *addr, socklen_t len);
int __wrap_shutdown(int fd, int how);
int __wrap_close(int fd);
ssize_t __wrap_recv(int fd, void *buf, size_t len, int flags);
ssize_t __wrap___recv_chk(int fd, void *buf, size_t len, size_t room, int flags);
ssize_t __wrap_send(int fd, const void *buf, size_t len, int flags);
ssize_t __wrap_readv(int fd, const struct iovec *iov, int n);
ssize_t __wrap_writev(int fd, const struct iovec *iov, int n);
ssize_t __wrap_recvmsg(int fd, struct msghdr *msg, int flags);
ssize_t __wrap_sendmsg(int fd, const struct msghdr *msg, int flags);
int __wrap_getsockopt(int fd, int level, int name, void *val, socklen_t *len);
int __wrap_setsockopt(int fd, int level, int name, const void *val, socklen_t len);
int __wrap_getsockname(int fd, struct sockaddr *addr, socklen_t *len);
int __wrap_getpeername(int fd, struct sockaddr *addr, socklen_t *len);
int __wrap_ioctl(int fd, unsigned long request, ...);
int __wrap_setuid(uid_t uid);

int
__wrap_socket(int domain, int type, int protocol)
{
	return ngx_mtcp_posix ? posix_socket(ngx_mtcp_posix, domain, type, protocol)
	                      : __real_socket(domain, type, protocol);
}

int
__wrap_bind(int fd, const struct sockaddr *addr, socklen_t len)
{
	return ngx_mtcp_posix ? posix_bind(ngx_mtcp_posix, fd, addr, len)
	                      : __real_bind(fd, addr, len);
}

int
__wrap_listen(int fd, int backlog)
{
	return ngx_mtcp_posix ? posix_listen(ngx_mtcp_posix, fd, backlog)
	                      : __real_listen(fd, backlog);
}

int
__wrap_accept4(int fd, struct sockaddr *addr, socklen_t *len, int flags)
{
	return ngx_mtcp_posix ? posix_accept4(ngx_mtcp_posix, fd, addr, len, flags)
	                      : __real_accept4(fd, addr, len, flags);
}

int
__wrap_accept(int fd, struct sockaddr *addr, socklen_t *len)
{
	return __wrap_accept4(fd, addr, len, 0);
}

int
__wrap_connect(int fd, const struct sockaddr *addr, socklen_t len)
{
	return ngx_mtcp_posix ? posix_connect(ngx_mtcp_posix, fd, addr, len)
	                      : __real_connect(fd, addr, len);
}

int
__wrap_shutdown(int fd, int how)
{
	return ngx_mtcp_posix ? posix_shutdown(ngx_mtcp_posix, fd, how) : __real_shutdown(fd, how);
}

int
__wrap_close(int fd)
{
	return ngx_mtcp_posix ? posix_close(ngx_mtcp_posix, fd) : __real_close(fd);
}

ssize_t
__wrap_recv(int fd, void *buf, size_t len, int flags)
{
	return ngx_mtcp_posix ? posix_recv(ngx_mtcp_posix, fd, buf, len, flags)
	                      : __real_recv(fd, buf, len, flags);
}

/* recv() of a program built with _FORTIFY_SOURCE, where the buffer's size is known. */
ssize_t
__wrap___recv_chk(int fd, void *buf, size_t len, size_t room, int flags)
{
	if (len > room)
		abort();
	return __wrap_recv(fd, buf, len, flags);
}

ssize_t
__wrap_send(int fd, const void *buf, size_t len, int flags)
{
	return ngx_mtcp_posix ? posix_send(ngx_mtcp_posix, fd, buf, len, flags)
	                      : __real_send(fd, buf, len, flags);
}

ssize_t
__wrap_readv(int fd, const struct iovec *iov, int n)
{
	return ngx_mtcp_posix ? posix_readv(ngx_mtcp_posix, fd, iov, n) : __real_readv(fd, iov, n);
}

ssize_t
__wrap_writev(int fd, const struct iovec *iov, int n)
{
	return ngx_mtcp_posix ? posix_writev(ngx_mtcp_posix, fd, iov, n)
	                      : __real_writev(fd, iov, n);
}

ssize_t
__wrap_recvmsg(int fd, struct msghdr *msg, int flags)
{
	return ngx_mtcp_posix ? posix_recvmsg(ngx_mtcp_posix, fd, msg, flags)
	                      : __real_recvmsg(fd, msg, flags);
}

ssize_t
__wrap_sendmsg(int fd, const struct msghdr *msg, int flags)
{
	return ngx_mtcp_posix ? posix_sendmsg(ngx_mtcp_posix, fd, msg, flags)
	                      : __real_sendmsg(fd, msg, flags);
}

int
__wrap_getsockopt(int fd, int level, int name, void *val, socklen_t *len)
{
	return ngx_mtcp_posix ? posix_getsockopt(ngx_mtcp_posix, fd, level, name, val, len)
	                      : __real_getsockopt(fd, level, name, val, len);
}

int
__wrap_setsockopt(int fd, int level, int name, const void *val, socklen_t len)
{
	return ngx_mtcp_posix ? posix_setsockopt(ngx_mtcp_posix, fd, level, name, val, len)
	                      : __real_setsockopt(fd, level, name, val, len);
}

int
__wrap_getsockname(int fd, struct sockaddr *addr, socklen_t *len)
{
	return ngx_mtcp_posix ? posix_getsockname(ngx_mtcp_posix, fd, addr, len)
	                      : __real_getsockname(fd, addr, len);
}

int
__wrap_getpeername(int fd, struct sockaddr *addr, socklen_t *len)
{
	return ngx_mtcp_posix ? posix_getpeername(ngx_mtcp_posix, fd, addr, len)
	                      : __real_getpeername(fd, addr, len);
}

int
__wrap_ioctl(int fd, unsigned long request, ...)
{
	va_list args;
	void *arg;

	va_start(args, request);
	arg = va_arg(args, void *);
	va_end(args);
	return ngx_mtcp_posix ? posix_ioctl(ngx_mtcp_posix, fd, request, arg)
	                      : __real_ioctl(fd, request, arg);
}

/* A worker gives the superuser's rights away before its stack starts.  Helpers start none. */
int
__wrap_setuid(uid_t uid)
{
	if (uid == 0 || ngx_process != NGX_PROCESS_WORKER || !ngx_mtcp_posix ||
	    !ngx_mtcp_posix->active)
		return __real_setuid(uid);
	return ngx_mtcp_setuid_keeping(uid, ngx_mtcp_conf_of((ngx_cycle_t *)ngx_cycle)->xdp);
}
