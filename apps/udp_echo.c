/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Datagrams sent back to whoever sent them; or sent, and their echoes judged; or a question to a
 * name server.  A server's core has a socket of its own on the same port.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/time.h>

#include "apps/app_args.h"
#include "apps/app_run.h"
#include "mtcp_epoll.h"

#define LONGEST 65507
#define PORT    7
#define DNS     53

struct work {
	struct sockaddr_in6 to; /* of a client, IPv4 in mapped form; a server has none */
	const char *name;      /* to ask for                     */
	long port, count, bytes, wait_s;
};

static const char help[] =
	"usage: udp_echo -f FILE [-p PORT]                                 send back what comes\n"
	"       udp_echo -f FILE -c ADDRESS [-p PORT] [-n N] [-l BYTES]    send, and judge echoes\n"
	"       udp_echo -f FILE -c ADDRESS --ask NAME                     ask a name server\n"
	"\n"
	"  -p, --port PORT         of the server; 7, or 53 with --ask\n"
	"  -c, --client ADDRESS    of the server\n"
	"  -n, --count N           datagrams to send, one after the other; 1\n"
	"  -l, --length BYTES      of each, 0 to 65507; 64\n"
	"      --wait SECONDS      for each answer; 2\n"
	"      --ask NAME          prints the IPv4 addresses that the server knows of it\n" APP_OPTIONS_HELP;

/* ---- a server ------------------------------------------------------------- */

/* Everything that waits on a socket goes back; false: it is broken. */
static bool
echo_all(mctx_t ctx, int s, char *text)
{
	struct sockaddr_in6 from;
	socklen_t len = sizeof(from);
	ssize_t n;

	while ((n = mtcp_recvfrom(ctx, s, text, LONGEST, 0, (struct sockaddr *)&from, &len)) >= 0) {
		(void)mtcp_sendto(ctx, s, text, (size_t)n, 0, (struct sockaddr *)&from, len);
		len = sizeof(from);
	}
	return errno == EAGAIN;
}

static int
serve(struct app_run *run, mctx_t ctx, char *text)
{
	const struct work *w = run->state;
	struct sockaddr_in6 here = {.sin6_family = AF_INET6, .sin6_port = htons((uint16_t)w->port)};
	struct mtcp_epoll_event ev = {.events = MTCP_EPOLLIN};
	int epoll = mtcp_epoll_create1(ctx, 0);
	int s = mtcp_socket(ctx, AF_INET6, SOCK_DGRAM | SOCK_NONBLOCK, 0);

	if (s < 0 || mtcp_bind(ctx, s, (struct sockaddr *)&here, sizeof(here)) != 0 ||
	    mtcp_epoll_ctl(ctx, epoll, MTCP_EPOLL_CTL_ADD, s, &ev) != 0) {
		app_error(run->args, "port %ld: %s", w->port, strerror(errno));
		return -1;
	}
	app_ready(run);
	while (!app_stopping(run))
		if (mtcp_epoll_wait(ctx, epoll, &ev, 1, APP_TICK_MS) == 1 && !echo_all(ctx, s, text))
			app_error(run->args, "receiving: %s", strerror(errno));
	return 0;
}

/* ---- a client ------------------------------------------------------------- */

static int
connected(struct app_run *run, mctx_t ctx)
{
	const struct work *w = run->state;
	struct timeval tv = {.tv_sec = w->wait_s};
	int s = mtcp_socket(ctx, AF_INET6, SOCK_DGRAM, 0);

	if (s < 0 || mtcp_connect(ctx, s, (const struct sockaddr *)&w->to, sizeof(w->to)) != 0 ||
	    mtcp_setsockopt(ctx, s, SOL_SOCKET, SO_RCVTIMEO, &tv, sizeof(tv)) != 0) {
		app_error(run->args, "cannot connect: %s", strerror(errno));
		return -1;
	}
	return s;
}

static int
judge(struct app_run *run, mctx_t ctx, char *text)
{
	const struct work *w = run->state;
	char *back = text + LONGEST;
	int s = connected(run, ctx);
	long good = 0;

	if (s < 0)
		return -1;
	for (long i = 0; i < w->count && !app_stopping(run); i++) {
		ssize_t n;

		for (long k = 0; k < w->bytes; k++)
			text[k] = (char)(k * 7 + k / 256 + i);
		if (mtcp_write(ctx, s, text, (size_t)w->bytes) != w->bytes ||
		    (n = mtcp_read(ctx, s, back, LONGEST)) < 0) {
			app_error(run->args, "datagram %ld: %s", i + 1, strerror(errno));
			continue;
		}
		good += n == w->bytes && memcmp(text, back, (size_t)n) == 0;
	}
	printf("%ld of %ld echoed\n", good, w->count);
	return good == w->count ? 0 : -1;
}

/* ---- a question ----------------------------------------------------------- */

/* RFC 1035 4.1: one question for an address; its length, 0: no name. */
static size_t
question(const char *name, uint16_t id, uint8_t *q)
{
	size_t at = 12;

	memset(q, 0, 12);
	q[0] = (uint8_t)(id >> 8);
	q[1] = (uint8_t)id;
	q[2] = q[5] = 1; /* recursion is wanted; one question */
	while (*name) {
		size_t n = strcspn(name, ".");

		if (n == 0 || n > 63 || at + n > 250)
			return 0;
		q[at++] = (uint8_t)n;
		memcpy(q + at, name, n);
		at += n;
		name += n + (name[n] == '.');
	}
	memcpy(q + at, "\0\0\1\0\1", 5);
	return at + 5;
}

/* Where a name ends that stands at `at`; 0: nowhere. */
static size_t
past_name(const uint8_t *a, size_t len, size_t at)
{
	while (at < len && a[at] != 0 && a[at] < 0xc0)
		at += a[at] + 1u;
	at += at < len && a[at] != 0 ? 2 : 1;
	return at <= len ? at : 0;
}

/* Prints what it says; how many addresses. */
static int
tell_answer(const uint8_t *a, size_t len)
{
	unsigned answers = (unsigned)(a[6] << 8 | a[7]);
	size_t at = past_name(a, len, 12);
	int told = 0;

	at = at ? at + 4 : 0;
	for (; answers > 0 && at && (at = past_name(a, len, at)) && at + 10 <= len; answers--) {
		size_t size = (size_t)(a[at + 8] << 8 | a[at + 9]);
		char text[INET_ADDRSTRLEN];

		if (a[at + 1] == 1 && size == 4 && at + 14 <= len) {
			printf("%s\n", inet_ntop(AF_INET, a + at + 10, text, sizeof(text)));
			told++;
		}
		at += 10 + size;
	}
	return told;
}

static int
ask(struct app_run *run, mctx_t ctx, char *text)
{
	const struct work *w = run->state;
	uint8_t q[300], *a = (uint8_t *)text;
	struct timeval now;
	size_t len;
	ssize_t n;
	int s;

	gettimeofday(&now, NULL);
	len = question(w->name, (uint16_t)now.tv_usec, q);
	s = len ? connected(run, ctx) : -1;
	if (s < 0)
		return -1;
	if (mtcp_write(ctx, s, (char *)q, len) != (ssize_t)len ||
	    (n = mtcp_read(ctx, s, text, LONGEST)) < 12 || memcmp(a, q, 2) != 0) {
		app_error(run->args, "no answer: %s", strerror(errno));
		return -1;
	}
	return tell_answer(a, (size_t)n) > 0 ? 0 : -1;
}

/* ---- all ------------------------------------------------------------------ */

static int
work(struct app_run *run, mctx_t ctx, int index, int core)
{
	const struct work *w = run->state;
	char *text = calloc(2, LONGEST);
	int rc;

	(void)index;
	(void)core;
	if (!text)
		return -1;
	rc = w->name             ? ask(run, ctx, text)
	     : w->to.sin6_family ? judge(run, ctx, text)
	                          : serve(run, ctx, text);
	free(text);
	return rc;
}

static void
say_ready(struct app_run *run)
{
	const struct work *w = run->state;

	printf("echoing port %ld\n", w->port);
	fflush(stdout);
}

enum { OPT_ASK = APP_OPT_OWN, OPT_WAIT };

/* Of either family. */
static bool
address(const char *text, struct sockaddr_in6 *to)
{
	char mapped[INET6_ADDRSTRLEN + 8];

	to->sin6_family = AF_INET6;
	snprintf(mapped, sizeof(mapped), "::ffff:%s", text);
	return inet_pton(AF_INET6, strchr(text, ':') ? text : mapped, &to->sin6_addr) == 1;
}

static int
option(struct app_args *a, struct work *w, int o, const char *value)
{
	switch (o) {
	case 'p':
		return app_number(a, "--port", value, 1, 65535, &w->port) ? APP_GO_ON : 2;
	case 'n':
		return app_number(a, "--count", value, 1, 1000000000, &w->count) ? APP_GO_ON : 2;
	case 'l':
		return app_number(a, "--length", value, 0, LONGEST, &w->bytes) ? APP_GO_ON : 2;
	case OPT_WAIT:
		return app_number(a, "--wait", value, 1, 3600, &w->wait_s) ? APP_GO_ON : 2;
	case OPT_ASK:
		w->name = value;
		return APP_GO_ON;
	case 'c':
		if (address(value, &w->to))
			return APP_GO_ON;
		app_error(a, "--client: %s is no address", value);
		return 2;
	default:
		return app_option(a, o, value, help);
	}
}

int
main(int argc, char **argv)
{
	static const struct option options[] = {{"port", required_argument, NULL, 'p'},
	                                        {"client", required_argument, NULL, 'c'},
	                                        {"count", required_argument, NULL, 'n'},
	                                        {"length", required_argument, NULL, 'l'},
	                                        {"wait", required_argument, NULL, OPT_WAIT},
	                                        {"ask", required_argument, NULL, OPT_ASK},
	                                        APP_LONG_OPTIONS,
	                                        {NULL, 0, NULL, 0}};
	struct work w = {.count = 1, .bytes = 64, .wait_s = 2};
	struct app_args a = {.name = "udp_echo", .core = -1};
	struct app_run run = {.args = &a, .work = work, .ready = say_ready, .state = &w};
	int o, rc;

	while ((o = getopt_long(argc, argv, "p:c:n:l:" APP_SHORT_OPTIONS, options, NULL)) != -1)
		if ((rc = option(&a, &w, o, optarg)) != APP_GO_ON)
			return rc;
	if (w.name && !w.to.sin6_family) {
		app_error(&a, "--ask needs --client");
		return 2;
	}
	if (w.port == 0)
		w.port = w.name ? DNS : PORT;
	w.to.sin6_port = htons((uint16_t)w.port);
	if ((rc = app_start(&a)) != APP_GO_ON)
		return rc;
	run.workers = w.to.sin6_family ? 1 : a.cores;
	rc = app_run(&run);
	mtcp_destroy();
	return rc == 0 ? 0 : 1;
}
