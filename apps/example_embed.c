/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Two embedded stacks and a link of 20 ms that loses every fiftieth packet: one megabyte goes
 * across in virtual time.  The same every time.  usage: example_embed [KEY=VALUE]...
 */
#define _DEFAULT_SOURCE /* struct tcp_info, with -std=c99 too */
#include <arpa/inet.h>
#include <mtcp_embed.h>
#include <netinet/tcp.h>
#include <string.h>

#define DELAY  20000000 /* ns */
#define LOSS   50       /* one packet in so many */
#define BYTES  1000000
#define FLIGHT 4096

struct packet {
	int64_t due; /* when it arrives */
	size_t len;
	char data[1500];
};

/* What one stack has sent and the other has not received yet, in order. */
struct link {
	struct packet packet[FLIGHT];
	unsigned first, n, count;
};

static struct mtcp_embed *stack[2];
static struct link wire[2]; /* wire[i] leads away from stack[i] */
static int64_t now;

/* All that happens now; returns when something happens next. */
static int64_t
turn(void)
{
	int64_t next = MTCP_EMBED_NEVER, at;

	for (int i = 0; i < 2; i++) {
		struct link *in = &wire[1 - i], *out = &wire[i];
		for (; in->n > 0 && in->packet[in->first].due <= now; in->n--) {
			mtcp_embed_give(stack[i], in->packet[in->first].data, in->packet[in->first].len);
			in->first = (in->first + 1) % FLIGHT;
		}
		at = mtcp_embed_step(stack[i], now);
		next = at < next ? at : next;
		while (out->n < FLIGHT) {
			struct packet *p = &out->packet[(out->first + out->n) % FLIGHT];
			ssize_t len = mtcp_embed_take(stack[i], p->data, sizeof(p->data), &at);
			if (len <= 0)
				break;
			p->due = at + DELAY;
			p->len = (size_t)len;
			if (++out->count % LOSS != 0)
				out->n++;
		}
	}
	for (int i = 0; i < 2; i++)
		if (wire[i].n > 0 && wire[i].packet[wire[i].first].due < next)
			next = wire[i].packet[wire[i].first].due;
	return next;
}

static struct mtcp_embed *
create(const char *address)
{
	char error[200];
	struct mtcp_embed_cfg cfg = {.address = address, .error = error, .error_size = sizeof(error)};
	struct mtcp_embed *e = mtcp_embed_new(&cfg);

	if (!e)
		fprintf(stderr, "%s\n", error);
	return e;
}

int
main(int argc, char **argv)
{
	struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons(80)};
	struct tcp_info info;
	socklen_t len = sizeof(info);
	static char text[65536];
	ssize_t n;
	long sent = 0, got = 0;
	int conn = -1;

	if (!(stack[0] = create("10.0.0.1/24")) || !(stack[1] = create("10.0.0.2/24")))
		return 1;
	for (int i = 1; i < argc; i++) { /* cc=reno, tcp_sack=off, ... */
		char *value = strchr(argv[i], '=');
		if (value)
			*value++ = '\0';
		if (!value || mtcp_embed_set(stack[0], argv[i], value) != 0)
			return fprintf(stderr, "%s\n", mtcp_embed_error(stack[0])), 1;
	}
	mctx_t client = mtcp_embed_context(stack[0]), server = mtcp_embed_context(stack[1]);
	int s = mtcp_socket(client, AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
	int l = mtcp_socket(server, AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
	mtcp_bind(server, l, (struct sockaddr *)&to, sizeof(to));
	mtcp_listen(server, l, 1);
	inet_pton(AF_INET, "10.0.0.2", &to.sin_addr);
	mtcp_connect(client, s, (struct sockaddr *)&to, sizeof(to));
	while (got < BYTES && now < INT64_C(600000000000)) {
		turn(); /* what is due arrives */
		n = BYTES - sent < (long)sizeof(text) ? BYTES - sent : (long)sizeof(text);
		if (n > 0 && (n = mtcp_write(client, s, text, (size_t)n)) > 0)
			sent += n;
		if (conn < 0)
			conn = mtcp_accept4(server, l, NULL, NULL, SOCK_NONBLOCK);
		while (conn >= 0 && (n = mtcp_read(server, conn, text, sizeof(text))) > 0)
			got += n;
		now = turn(); /* what the calls have asked for leaves; then time moves on */
	}
	mtcp_getsockopt(client, s, IPPROTO_TCP, TCP_INFO, &info, &len);
	printf("%ld bytes in %.3f s, %u packets sent again, smoothed RTT %.1f ms\n", got,
	       (double)now / 1e9, info.tcpi_total_retrans, info.tcpi_rtt / 1e3);
	mtcp_embed_free(stack[0]);
	mtcp_embed_free(stack[1]);
	return got == BYTES ? 0 : 1;
}
