/* SPDX-License-Identifier: BSD-3-Clause */
/* The one place of this folder that names the library's functions. */
#include "posix/stack_calls.h"

const struct stack_calls stack_calls_mtcp = {
	.socket = mtcp_socket,
	.bind = mtcp_bind,
	.listen = mtcp_listen,
	.accept4 = mtcp_accept4,
	.connect = mtcp_connect,
	.shutdown = mtcp_shutdown,
	.close = mtcp_close,
	.recv = mtcp_recv,
	.send = mtcp_send,
	.readv = mtcp_readv,
	.writev = mtcp_writev,
	.recvmsg = mtcp_recvmsg,
	.sendmsg = mtcp_sendmsg,
	.getsockopt = mtcp_getsockopt,
	.setsockopt = mtcp_setsockopt,
	.getsockname = mtcp_getsockname,
	.getpeername = mtcp_getpeername,
	.ioctl = mtcp_socket_ioctl,
	.epoll_create1 = mtcp_epoll_create1,
	.epoll_ctl = mtcp_epoll_ctl,
	.epoll_wait = mtcp_epoll_wait,
	.epoll_getfd = mtcp_epoll_getfd,
};
