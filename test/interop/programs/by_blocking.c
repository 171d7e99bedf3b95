/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Calls that block, as a program for the original API would like to make them: asks an
 * echo server and compares, or is one, a connection after the other.  C99 and C++.
 * usage: by_blocking FILE ask ADDRESS | by_blocking FILE answer CONNECTIONS
 */
#include <mtcp_api.h>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>

#define PIECE 16384
#define PIECES 64

static struct sockaddr_in
address(const char *host)
{
	struct sockaddr_in addr;

	memset(&addr, 0, sizeof(addr));
	addr.sin_family = AF_INET;
	addr.sin_addr.s_addr = host ? inet_addr(host) : INADDR_ANY;
	addr.sin_port = htons(7);
	return addr;
}

static int
send_all(mctx_t ctx, int sock, char *at, size_t left)
{
	while (left > 0) {
		struct iovec halves[2];
		ssize_t n;

		halves[0].iov_base = at;
		halves[0].iov_len = left / 2;
		halves[1].iov_base = at + left / 2;
		halves[1].iov_len = left - left / 2;
		n = left > 1 ? mtcp_writev(ctx, sock, halves, 2) : mtcp_write(ctx, sock, at, left);
		if (n <= 0)
			return -1;
		at += n;
		left -= (size_t)n;
	}
	return 0;
}

static int
read_all(mctx_t ctx, int sock, char *at, size_t left)
{
	while (left > 0) {
		ssize_t n = mtcp_read(ctx, sock, at, left);

		if (n <= 0)
			return -1;
		at += n;
		left -= (size_t)n;
	}
	return 0;
}

static int
ask(mctx_t ctx, const char *host)
{
	static char said[PIECE], heard[PIECE];
	struct sockaddr_in addr = address(host), own;
	socklen_t len = sizeof(own);
	int sock = mtcp_socket(ctx, AF_INET, SOCK_STREAM, 0), i;

	mtcp_init_rss(ctx, INADDR_ANY, 1, addr.sin_addr.s_addr, addr.sin_port);
	if (sock < 0 || mtcp_connect(ctx, sock, (struct sockaddr *)&addr, sizeof(addr)) < 0) {
		perror("mtcp_connect");
		return 1;
	}
	if (mtcp_getsockname(ctx, sock, (struct sockaddr *)&own, &len) < 0 || own.sin_port == 0) {
		perror("mtcp_getsockname");
		return 1;
	}
	for (i = 0; i < PIECES; i++) {
		memset(said, i, PIECE);
		if (send_all(ctx, sock, said, PIECE) < 0 || read_all(ctx, sock, heard, PIECE) < 0 ||
		    memcmp(said, heard, PIECE) != 0) {
			fprintf(stderr, "piece %d is wrong\n", i);
			return 1;
		}
	}
	return mtcp_close(ctx, sock) == 0 ? 0 : 1;
}

static int
answer(mctx_t ctx, int connections)
{
	static char text[PIECE];
	struct sockaddr_in addr = address(NULL);
	int listener = mtcp_socket(ctx, AF_INET, SOCK_STREAM, 0);

	if (listener < 0 || mtcp_bind(ctx, listener, (struct sockaddr *)&addr, sizeof(addr)) < 0 ||
	    mtcp_listen(ctx, listener, 16) < 0) {
		perror("mtcp_listen");
		return 1;
	}
	while (connections-- > 0) {
		int sock = mtcp_accept(ctx, listener, NULL, NULL);
		ssize_t n;

		if (sock < 0) {
			perror("mtcp_accept");
			return 1;
		}
		while ((n = mtcp_recv(ctx, sock, text, sizeof(text), 0)) > 0)
			if (send_all(ctx, sock, text, (size_t)n) < 0)
				return 1;
		mtcp_close(ctx, sock);
	}
	mtcp_close(ctx, listener);
	return 0;
}

int
main(int argc, char **argv)
{
	mctx_t ctx;
	int status;

	if (argc != 4 || mtcp_init(argv[1]) != 0)
		return 2;
	mtcp_core_affinitize(0);
	ctx = mtcp_create_context(0);
	if (!ctx)
		return 2;
	if (strcmp(argv[2], "ask") == 0)
		status = ask(ctx, argv[3]);
	else
		status = answer(ctx, atoi(argv[3]));
	mtcp_destroy_context(ctx);
	mtcp_destroy();
	return status;
}
