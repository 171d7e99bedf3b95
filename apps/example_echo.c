/* SPDX-License-Identifier: BSD-3-Clause */
/* A first program: sends back, on port 7, whatever arrives.  usage: example_echo FILE */
#include <mtcp_epoll.h>

int
main(int argc, char **argv)
{
	struct sockaddr_in here = {.sin_family = AF_INET, .sin_port = htons(7)};
	struct mtcp_epoll_event ev = {.events = MTCP_EPOLLIN};
	char text[4096];

	if (argc != 2 || mtcp_init(argv[1]) != 0 || mtcp_core_affinitize(0) != 0)
		return 1;
	mctx_t ctx = mtcp_create_context(0);
	int epoll = mtcp_epoll_create1(ctx, 0), listener = mtcp_socket(ctx, AF_INET, SOCK_STREAM, 0);
	if (mtcp_bind(ctx, listener, (struct sockaddr *)&here, sizeof(here)) != 0 ||
	    mtcp_listen(ctx, listener, 128) != 0)
		return 1;
	ev.data.sockid = listener;
	mtcp_epoll_ctl(ctx, epoll, MTCP_EPOLL_CTL_ADD, listener, &ev);
	while (mtcp_epoll_wait(ctx, epoll, &ev, 1, -1) == 1) {
		int s = ev.data.sockid;
		if (s == listener) {
			ev = (struct mtcp_epoll_event){.events = MTCP_EPOLLIN};
			ev.data.sockid = mtcp_accept(ctx, listener, NULL, NULL);
			mtcp_epoll_ctl(ctx, epoll, MTCP_EPOLL_CTL_ADD, ev.data.sockid, &ev);
			continue;
		}
		ssize_t n = mtcp_read(ctx, s, text, sizeof(text));
		if (n <= 0 || mtcp_write(ctx, s, text, (size_t)n) != n)
			mtcp_close(ctx, s);
	}
	mtcp_destroy();
	return 0;
}
