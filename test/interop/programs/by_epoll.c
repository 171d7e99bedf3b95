/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * An echo server as programs for the original API are written: configuration read back
 * and changed, a signal handler, sockets made non-blocking by their own call, one epoll
 * for all.  C99 and C++.  usage: by_epoll FILE CONNECTIONS
 */
#include <mtcp_api.h>
#include <mtcp_epoll.h>

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#define EVENTS 64
#define ROOM 8192

static volatile sig_atomic_t stopped;

/* What one connection still has to send. */
struct debt {
	char bytes[ROOM];
	size_t at, len;
};

static struct debt *debts[65536];

static void
on_signal(int sig)
{
	(void)sig;
	stopped = 1;
}

static void
watch(mctx_t ctx, int ep, int op, int sock, uint32_t events)
{
	struct mtcp_epoll_event ev;

	memset(&ev, 0, sizeof(ev));
	ev.events = events;
	ev.data.sockid = sock;
	if (mtcp_epoll_ctl(ctx, ep, op, sock, &ev) < 0)
		perror("mtcp_epoll_ctl");
}

static void
hang_up(mctx_t ctx, int ep, int sock)
{
	mtcp_epoll_ctl(ctx, ep, MTCP_EPOLL_CTL_DEL, sock, NULL);
	mtcp_close(ctx, sock);
	free(debts[sock]);
	debts[sock] = NULL;
}

/* True when all has gone out; otherwise the rest waits for the next event. */
static int
pay(mctx_t ctx, int sock, struct debt *d)
{
	while (d->at < d->len) {
		int n = (int)mtcp_write(ctx, sock, d->bytes + d->at, d->len - d->at);

		if (n < 0)
			return errno == EAGAIN ? 0 : -1;
		d->at += (size_t)n;
	}
	d->at = d->len = 0;
	return 1;
}

/* True when the connection is over. */
static int
serve(mctx_t ctx, int ep, int sock)
{
	struct debt *d = debts[sock];

	for (;;) {
		int paid = pay(ctx, sock, d), n;

		if (paid < 0)
			return 1;
		if (paid == 0) {
			watch(ctx, ep, MTCP_EPOLL_CTL_MOD, sock, MTCP_EPOLLOUT);
			return 0;
		}
		n = (int)mtcp_read(ctx, sock, d->bytes, ROOM);
		if (n == 0)
			return 1;
		if (n < 0 && errno != EAGAIN)
			return 1;
		if (n < 0) {
			watch(ctx, ep, MTCP_EPOLL_CTL_MOD, sock, MTCP_EPOLLIN);
			return 0;
		}
		d->len = (size_t)n;
	}
}

static int
take(mctx_t ctx, int ep, int listener)
{
	int sock = mtcp_accept(ctx, listener, NULL, NULL);

	if (sock < 0)
		return 0;
	debts[sock] = (struct debt *)calloc(1, sizeof(struct debt));
	if (!debts[sock] || mtcp_setsock_nonblock(ctx, sock) < 0) {
		mtcp_close(ctx, sock);
		return 0;
	}
	watch(ctx, ep, MTCP_EPOLL_CTL_ADD, sock, MTCP_EPOLLIN);
	return 1;
}

static int
listen_on(mctx_t ctx, uint16_t port)
{
	struct sockaddr_in addr;
	int listener = mtcp_socket(ctx, AF_INET, SOCK_STREAM, 0);

	memset(&addr, 0, sizeof(addr));
	addr.sin_family = AF_INET;
	addr.sin_addr.s_addr = INADDR_ANY;
	addr.sin_port = htons(port);
	if (listener < 0 || mtcp_setsock_nonblock(ctx, listener) < 0 ||
	    mtcp_bind(ctx, listener, (struct sockaddr *)&addr, sizeof(addr)) < 0 ||
	    mtcp_listen(ctx, listener, 128) < 0) {
		perror("listen_on");
		return -1;
	}
	return listener;
}

static void
run(mctx_t ctx, int ep, int listener, int want)
{
	struct mtcp_epoll_event events[EVENTS];
	int ended = 0, i, n;

	while (!stopped && ended < want) {
		n = mtcp_epoll_wait(ctx, ep, events, EVENTS, -1);
		if (n < 0 && errno != EINTR) {
			perror("mtcp_epoll_wait");
			return;
		}
		for (i = 0; i < n; i++) {
			if (events[i].data.sockid == listener) {
				while (take(ctx, ep, listener))
					;
			} else if (serve(ctx, ep, events[i].data.sockid)) {
				hang_up(ctx, ep, events[i].data.sockid);
				ended++;
			}
		}
	}
	printf("ended %d\n", ended);
}

int
main(int argc, char **argv)
{
	struct mtcp_conf conf;
	mctx_t ctx;
	int ep, listener;

	if (argc != 3)
		return 2;
	mtcp_getconf(&conf);
	conf.num_cores = 1;
	mtcp_setconf(&conf);
	if (mtcp_init(argv[1]) != 0)
		return 1;
	mtcp_getconf(&conf);
	conf.max_concurrency = 1000;
	mtcp_setconf(&conf);
	mtcp_register_signal(SIGINT, on_signal);
	mtcp_core_affinitize(0);
	ctx = mtcp_create_context(0);
	if (!ctx)
		return 1;
	ep = mtcp_epoll_create(ctx, EVENTS);
	listener = listen_on(ctx, 7);
	if (ep < 0 || listener < 0)
		return 1;
	watch(ctx, ep, MTCP_EPOLL_CTL_ADD, listener, MTCP_EPOLLIN);
	run(ctx, ep, listener, atoi(argv[2]));
	mtcp_close(ctx, listener);
	mtcp_destroy_context(ctx);
	mtcp_destroy();
	return 0;
}
