/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * perf: bytes in bulk, one way, as fast as TCP lets them.
 *
 * Who listens and who connects, and who sends and who reads, are chosen apart, and
 * nothing but the bytes is on the connection: the other end may be socat or nc as
 * well.  The bytes are those of a counter, so both ends can name their digest.
 * A rate is measured from the first byte to the last; what TCP_INFO knows is
 * printed beside it.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <linux/tcp.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "apps/app_args.h"
#include "apps/app_run.h"
#include "apps/sha256.h"
#include "mtcp_api.h"
#include "mtcp_epoll.h"

#define FLOWS_MAX  1024
#define EVENTS_MAX 64
#define PIECE      65536u
#define TURN       16 /* pieces of one connection before others have theirs */
#define SECOND_NS  INT64_C(1000000000)

struct options {
	struct app_args common;
	const char *server;  /* -c; NULL: listen */
	bool reverse;        /* the listening side sends */
	bool once;           /* -1: leave after the first connection */
	bool digest;
	long port, flows, timeout_s;
	long seconds, bytes; /* what a sender sends; bytes 0: for so many seconds */
	long interval_s;     /* of progress lines; 0: none */
	const char *cc;
};

enum phase { CONNECTING, SENDING, READING, DRAINING };

struct flow {
	int sockid;
	int number;
	enum phase phase;
	int64_t begun;      /* ns: connected                       */
	int64_t first, last; /* ns: of the bytes; first 0: none yet */
	int64_t touched;    /* ns: the last progress               */
	int64_t report_at;
	uint64_t reported;  /* bytes by the last progress line     */
	uint64_t bytes;
	struct sha256 sum;
	struct tcp_info info; /* as it was last asked */
};

struct worker {
	mctx_t ctx;
	const struct options *options;
	struct app_run *run;
	int epid, listener;
	int open, done, failed;
	int64_t now;
	struct flow *flows[FLOWS_MAX];
	int numbered;
	uint64_t buffer[PIECE / 8];
};

static int64_t
now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * SECOND_NS + t.tv_nsec;
}

static bool
is_sender(const struct options *o)
{
	return (o->server != NULL) != o->reverse;
}

/* ---- what is printed ------------------------------------------------------ */

static double
mbits(uint64_t bytes, int64_t ns)
{
	return ns > 0 ? (double)bytes * 8e3 / (double)ns : 0;
}

static void
take_info(struct worker *w, struct flow *f)
{
	struct tcp_info now;
	socklen_t len = sizeof(now);

	memset(&now, 0, sizeof(now));
	if (mtcp_getsockopt(w->ctx, f->sockid, IPPROTO_TCP, TCP_INFO, &now, &len) == 0)
		f->info = now;
}

static void
print_info(const struct tcp_info *i)
{
	printf(" cwnd %u ssthresh %u rtt %u rttvar %u min_rtt %u rto %u unacked %u lost %u "
	       "retrans %u reordering %u ca %u snd_wnd %u rcv_wnd %u mss %u\n",
	       i->tcpi_snd_cwnd, i->tcpi_snd_ssthresh, i->tcpi_rtt, i->tcpi_rttvar,
	       i->tcpi_min_rtt, i->tcpi_rto, i->tcpi_unacked, i->tcpi_lost,
	       i->tcpi_total_retrans, i->tcpi_reordering, i->tcpi_ca_state, i->tcpi_snd_wnd,
	       i->tcpi_rcv_ssthresh, i->tcpi_snd_mss);
}

static void
progress(struct worker *w, struct flow *f)
{
	int64_t interval = w->options->interval_s * SECOND_NS;

	if (interval == 0 || f->phase == CONNECTING || w->now < f->report_at)
		return;
	take_info(w, f);
	printf("[%d] %5.1f s %9.3f Mbit/s", f->number, (double)(w->now - f->begun) / 1e9,
	       mbits(f->bytes - f->reported, w->now - f->report_at + interval));
	print_info(&f->info);
	fflush(stdout);
	f->reported = f->bytes;
	f->report_at = w->now + interval;
}

static void
print_digest(struct sha256 *s)
{
	uint8_t digest[SHA256_SIZE];

	sha256_end(s, digest);
	printf(" sha256 ");
	for (int i = 0; i < SHA256_SIZE; i++)
		printf("%02x", digest[i]);
}

static void
verdict(struct worker *w, struct flow *f, const char *failure)
{
	int64_t ns = f->last - f->first;

	printf("[%d] %s %lu bytes in %.3f s: %.3f Mbit/s", f->number,
	       is_sender(w->options) ? "sent" : "received", f->bytes, (double)ns / 1e9,
	       mbits(f->bytes, ns));
	if (w->options->digest)
		print_digest(&f->sum);
	printf("%s%s\n[%d] tcp_info", failure ? " FAILED: " : "", failure ? failure : "", f->number);
	print_info(&f->info);
	fflush(stdout);
}

/* ---- a connection's life -------------------------------------------------- */

static void
watch(struct worker *w, struct flow *f, int op, uint32_t events)
{
	struct mtcp_epoll_event ev = {.events = events};

	ev.data.ptr = f;
	mtcp_epoll_ctl(w->ctx, w->epid, op, f->sockid, &ev);
}

static void
flow_end(struct worker *w, struct flow *f, const char *failure)
{
	if (f->phase != DRAINING)
		take_info(w, f);
	verdict(w, f, failure);
	if (failure)
		mtcp_abort(w->ctx, f->sockid);
	else
		mtcp_close(w->ctx, f->sockid);
	for (int i = 0; i < w->open; i++) {
		if (w->flows[i] == f) {
			w->flows[i] = w->flows[--w->open];
			break;
		}
	}
	w->done++;
	w->failed += failure != NULL;
	free(f);
}

static void
flow_begin(struct worker *w, struct flow *f)
{
	f->begun = f->touched = w->now;
	f->report_at = w->now + w->options->interval_s * SECOND_NS;
	f->phase = is_sender(w->options) ? SENDING : READING;
	watch(w, f, MTCP_EPOLL_CTL_MOD, f->phase == SENDING ? MTCP_EPOLLOUT : MTCP_EPOLLIN);
}

static struct flow *
flow_new(struct worker *w, int sockid)
{
	struct flow *f = w->open < FLOWS_MAX ? calloc(1, sizeof(*f)) : NULL;

	if (!f) {
		mtcp_abort(w->ctx, sockid);
		return NULL;
	}
	f->sockid = sockid;
	f->number = ++w->numbered;
	f->touched = w->now;
	sha256_start(&f->sum);
	w->flows[w->open++] = f;
	mtcp_setsock_nonblock(w->ctx, sockid);
	watch(w, f, MTCP_EPOLL_CTL_ADD, MTCP_EPOLLOUT);
	return f;
}

/* ---- sending -------------------------------------------------------------- */

/* Eight bytes of the stream, by their number: splitmix64. */
static uint64_t
word_at(uint64_t n)
{
	uint64_t z = (n + 1) * UINT64_C(0x9e3779b97f4a7c15);

	z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
	z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
	return z ^ (z >> 31);
}

/* The bytes from f->bytes on: where they begin in the buffer, and how many. */
static const char *
next_bytes(struct worker *w, const struct flow *f, size_t *len)
{
	size_t skip = f->bytes % 8;
	uint64_t left = (uint64_t)w->options->bytes - f->bytes;

	for (size_t i = 0; i < PIECE / 8; i++)
		w->buffer[i] = word_at(f->bytes / 8 + i);
	*len = PIECE - skip;
	if (w->options->bytes && left < *len)
		*len = (size_t)left;
	return (const char *)w->buffer + skip;
}

static bool
is_all_sent(const struct worker *w, const struct flow *f)
{
	const struct options *o = w->options;

	if (app_stopping(w->run))
		return true;
	return o->bytes ? f->bytes >= (uint64_t)o->bytes
	                : w->now - f->begun >= o->seconds * SECOND_NS;
}

static void
count(struct worker *w, struct flow *f, const char *bytes, size_t n)
{
	w->now = now_ns();
	if (f->first == 0)
		f->first = w->now;
	f->last = f->touched = w->now;
	f->bytes += n;
	if (w->options->digest)
		sha256_add(&f->sum, bytes, n);
}

/* The end is known to have come when the peer says so too. */
static void
flow_finish(struct worker *w, struct flow *f)
{
	take_info(w, f);
	mtcp_shutdown(w->ctx, f->sockid, SHUT_WR);
	f->phase = DRAINING;
	watch(w, f, MTCP_EPOLL_CTL_MOD, MTCP_EPOLLIN);
}

static void
flow_send(struct worker *w, struct flow *f)
{
	for (int i = 0; i < TURN; i++) {
		const char *bytes;
		size_t len;
		ssize_t n;

		if (is_all_sent(w, f)) {
			flow_finish(w, f);
			return;
		}
		bytes = next_bytes(w, f, &len);
		n = mtcp_write(w->ctx, f->sockid, bytes, len);
		if (n < 0) {
			if (errno != EAGAIN && errno != EINTR)
				flow_end(w, f, strerror(errno));
			return;
		}
		count(w, f, bytes, (size_t)n);
	}
}

/* ---- reading -------------------------------------------------------------- */

static void
flow_read(struct worker *w, struct flow *f)
{
	for (int i = 0; i < TURN; i++) {
		char *bytes = (char *)w->buffer;
		ssize_t n = mtcp_read(w->ctx, f->sockid, bytes, sizeof(w->buffer));

		if (n < 0) {
			if (errno != EAGAIN && errno != EINTR)
				flow_end(w, f, strerror(errno));
			return;
		}
		if (n == 0) {
			flow_end(w, f, NULL);
			return;
		}
		if (f->phase == READING)
			count(w, f, bytes, (size_t)n);
	}
}

/* ---- the loop ------------------------------------------------------------- */

static void
flow_connected(struct worker *w, struct flow *f)
{
	int error = 0;
	socklen_t len = sizeof(error);

	if (mtcp_getsockopt(w->ctx, f->sockid, SOL_SOCKET, SO_ERROR, &error, &len) != 0)
		error = errno;
	if (error)
		flow_end(w, f, strerror(error));
	else
		flow_begin(w, f);
}

static void
flow_ready(struct worker *w, struct flow *f)
{
	switch (f->phase) {
	case CONNECTING:
		flow_connected(w, f);
		break;
	case SENDING:
		flow_send(w, f);
		break;
	case READING:
	case DRAINING:
		flow_read(w, f);
		break;
	}
}

static void
accept_all(struct worker *w)
{
	int sockid;

	while ((sockid = mtcp_accept(w->ctx, w->listener, NULL, NULL)) >= 0) {
		struct flow *f = flow_new(w, sockid);

		if (f)
			flow_begin(w, f);
	}
}

static void
look_at_flows(struct worker *w)
{
	for (int i = w->open; i-- > 0;) {
		struct flow *f = w->flows[i];

		progress(w, f);
		/* The wait for room to write must not outlast the time. */
		if (f->phase == SENDING && is_all_sent(w, f))
			flow_finish(w, f);
		if (w->now - f->touched >= w->options->timeout_s * SECOND_NS)
			flow_end(w, f, "no progress");
	}
}

static bool
is_over(const struct worker *w)
{
	if (app_stopping(w->run) && (w->listener < 0 || w->open == 0))
		return true;
	if (w->options->server)
		return w->done >= w->options->flows;
	return w->options->once && w->done > 0;
}

static void
loop(struct worker *w)
{
	struct mtcp_epoll_event events[EVENTS_MAX];

	while (!is_over(w)) {
		int n = mtcp_epoll_wait(w->ctx, w->epid, events, EVENTS_MAX, APP_TICK_MS);

		w->now = now_ns();
		for (int i = 0; i < n; i++) {
			if (events[i].data.ptr)
				flow_ready(w, events[i].data.ptr);
			else
				accept_all(w);
		}
		look_at_flows(w);
	}
}

/* ---- the start of a worker ------------------------------------------------ */

static int
new_socket(struct worker *w)
{
	const struct options *o = w->options;
	/* A listener of IPv6 takes IPv4, too. */
	bool v4 = o->server && !strchr(o->server, ':');
	int sockid = mtcp_socket(w->ctx, v4 ? AF_INET : AF_INET6, SOCK_STREAM, 0);

	if (sockid < 0)
		app_error(&o->common, "cannot make a socket: %m");
	if (sockid >= 0 && o->cc &&
	    mtcp_setsockopt(w->ctx, sockid, IPPROTO_TCP, TCP_CONGESTION, o->cc,
	                    (socklen_t)strlen(o->cc)) != 0) {
		app_error(&o->common, "--cc %s: %m", o->cc);
		mtcp_close(w->ctx, sockid);
		return -1;
	}
	return sockid;
}

static bool
start_listening(struct worker *w, const struct sockaddr_in6 *here)
{
	struct mtcp_epoll_event ev = {.events = MTCP_EPOLLIN};

	w->listener = new_socket(w);
	if (w->listener < 0)
		return false;
	if (mtcp_bind(w->ctx, w->listener, (const struct sockaddr *)here, sizeof(*here)) != 0 ||
	    mtcp_listen(w->ctx, w->listener, FLOWS_MAX) != 0) {
		app_error(&w->options->common, "port %ld: %m", w->options->port);
		return false;
	}
	mtcp_setsock_nonblock(w->ctx, w->listener);
	mtcp_epoll_ctl(w->ctx, w->epid, MTCP_EPOLL_CTL_ADD, w->listener, &ev);
	printf("listening on port %ld\n", w->options->port);
	fflush(stdout);
	return true;
}

static bool
start_connecting(struct worker *w, const struct sockaddr *there, socklen_t len)
{
	for (long i = 0; i < w->options->flows; i++) {
		int sockid = new_socket(w);

		if (sockid < 0 || !flow_new(w, sockid))
			return false;
		if (mtcp_connect(w->ctx, sockid, there, len) != 0 &&
		    errno != EINPROGRESS) {
			app_error(&w->options->common, "%s: %m", w->options->server);
			return false;
		}
	}
	return true;
}

static bool
start(struct worker *w)
{
	const struct options *o = w->options;
	struct sockaddr_in6 v6 = {.sin6_family = AF_INET6, .sin6_port = htons((uint16_t)o->port)};
	struct sockaddr_in v4 = {.sin_family = AF_INET, .sin_port = htons((uint16_t)o->port)};

	w->epid = mtcp_epoll_create1(w->ctx, 0);
	w->now = now_ns();
	if (!o->server)
		return start_listening(w, &v6);
	if (inet_pton(AF_INET, o->server, &v4.sin_addr) == 1)
		return start_connecting(w, (const struct sockaddr *)&v4, sizeof(v4));
	inet_pton(AF_INET6, o->server, &v6.sin6_addr);
	return start_connecting(w, (const struct sockaddr *)&v6, sizeof(v6));
}

static int
work_on_core(struct app_run *run, mctx_t ctx, int index, int core)
{
	struct worker *w = calloc(1, sizeof(*w));
	int status;

	(void)index;
	(void)core;
	if (!w)
		return -1;
	w->ctx = ctx;
	w->run = run;
	w->options = run->state;
	w->listener = -1;
	status = start(w) ? 0 : -1;
	if (status == 0)
		loop(w);
	while (w->open > 0)
		flow_end(w, w->flows[0], "interrupted");
	if (w->failed > 0)
		status = -1;
	free(w);
	return status;
}

/* ---- the command line ----------------------------------------------------- */

static const char help[] =
	"usage: perf -s -f FILE [options]            listens and reads\n"
	"       perf -c ADDRESS -f FILE [options]    connects and sends\n"
	"\n"
	"Bytes in bulk, one way; the other end may be socat or nc.\n"
	"\n"
	"  -s, --server            listen, on every core\n"
	"  -c, --client ADDRESS    connect to this address\n"
	"  -p, --port PORT         5001 if not given\n"
	"  -R, --reverse           the listening side sends, the connecting side reads\n"
	"  -t, --time SECONDS      send for so long (10)\n"
	"  -n, --bytes BYTES       send so many bytes instead\n"
	"  -P, --parallel N        so many connections at once (1)\n"
	"  -1, --once              a server leaves after its first connection\n"
	"  -i, --interval SECONDS  show progress, with what TCP_INFO knows\n"
	"      --cc NAME           congestion control of the connections\n"
	"      --sha256            show the digest of the bytes\n"
	"      --timeout SECONDS   without progress a connection has failed (60)\n"
	APP_OPTIONS_HELP
	"\n"
	"The status is 0 when every connection ended in order.\n";

enum { OPT_CC = APP_OPT_OWN, OPT_SHA256, OPT_TIMEOUT };

static int
own_option(struct options *o, bool *serve, int option, const char *value)
{
	const struct app_args *a = &o->common;
	bool good = true;

	switch (option) {
	case 's': *serve = true; break;
	case 'c': o->server = value; break;
	case 'R': o->reverse = true; break;
	case '1': o->once = true; break;
	case OPT_CC: o->cc = value; break;
	case OPT_SHA256: o->digest = true; break;
	case 'p': good = app_number(a, "-p", value, 1, 65535, &o->port); break;
	case 't': good = app_number(a, "-t", value, 1, 86400, &o->seconds); break;
	case 'n': good = app_number(a, "-n", value, 1, LONG_MAX, &o->bytes); break;
	case 'P': good = app_number(a, "-P", value, 1, FLOWS_MAX, &o->flows); break;
	case 'i': good = app_number(a, "-i", value, 1, 86400, &o->interval_s); break;
	case OPT_TIMEOUT:
		good = app_number(a, "--timeout", value, 1, 86400, &o->timeout_s);
		break;
	default: return app_option(&o->common, option, value, help);
	}
	return good ? APP_GO_ON : EXIT_FAILURE;
}

static int
read_options(struct options *o, bool *serve, int argc, char **argv)
{
	static const struct option table[] = {
		APP_LONG_OPTIONS,
		{"server", no_argument, NULL, 's'},
		{"client", required_argument, NULL, 'c'},
		{"port", required_argument, NULL, 'p'},
		{"reverse", no_argument, NULL, 'R'},
		{"time", required_argument, NULL, 't'},
		{"bytes", required_argument, NULL, 'n'},
		{"parallel", required_argument, NULL, 'P'},
		{"once", no_argument, NULL, '1'},
		{"interval", required_argument, NULL, 'i'},
		{"cc", required_argument, NULL, OPT_CC},
		{"sha256", no_argument, NULL, OPT_SHA256},
		{"timeout", required_argument, NULL, OPT_TIMEOUT},
		{NULL, 0, NULL, 0},
	};
	int option, status;

	while ((option = getopt_long(argc, argv, APP_SHORT_OPTIONS "sc:p:Rt:n:P:1i:", table,
	                             NULL)) != -1) {
		status = own_option(o, serve, option, optarg);
		if (status != APP_GO_ON)
			return status;
	}
	return APP_GO_ON;
}

static int
examine(const struct options *o, bool serve)
{
	struct in6_addr addr;

	if (o->common.check || o->common.dump)
		return APP_GO_ON;
	if (serve == (o->server != NULL)) {
		app_error(&o->common, "give either -s or -c ADDRESS (see --help)");
		return EXIT_FAILURE;
	}
	if (o->server && inet_pton(AF_INET, o->server, &addr) != 1 &&
	    inet_pton(AF_INET6, o->server, &addr) != 1) {
		app_error(&o->common, "%s: not an address; names are not looked up", o->server);
		return EXIT_FAILURE;
	}
	return APP_GO_ON;
}

/* Connections are of one core; a listener is on each. */
static int
run_workers(struct options *o)
{
	struct app_run run = {.args = &o->common, .work = work_on_core, .state = o};
	int status;

	run.workers = o->server ? 1 : o->common.cores;
	status = app_run(&run);
	mtcp_destroy();
	return status == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}

int
main(int argc, char **argv)
{
	struct options o = {
		.common = {.name = "perf", .core = -1},
		.port = 5001,
		.flows = 1,
		.seconds = 10,
		.timeout_s = 60,
	};
	bool serve = false;
	int status = read_options(&o, &serve, argc, argv);

	if (status == APP_GO_ON)
		status = examine(&o, serve);
	if (status == APP_GO_ON)
		status = app_start(&o.common);
	return status == APP_GO_ON ? run_workers(&o) : status;
}
