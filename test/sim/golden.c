/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Goodput in virtual time: one connection in bulk over each kind of path, with
 * each congestion control, the same on every machine.  The table of what was
 * measured last stands in golden.txt; a cell that has moved by more than 2 %
 * fails, until the table is changed in the same commit.
 *
 * Beside the table stands theory: the second half of a run, when the start is
 * over, may not be below what the path lets anybody have who is not broken, so
 * that a wrong table is not blessed by writing it anew; --write refuses, too.
 *
 *	test/sim/golden                 compares
 *	test/sim/golden --write         prints the table anew: > test/sim/golden.txt
 *	test/sim/golden --cell PATTERN  some cells only, in full: '1g_*' or '*:bbr'
 */
#include <fnmatch.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "tcp/tcp_cc.h"
#include "tcp/tcp_ecn.h"
#include "test/sim/host.h"

#define PORT      80u
#define AT_ONCE   100000u /* steps without time passing: somebody spins */
#define TOLERANCE 2       /* percent */
#define MSS       1448u   /* with timestamps, of ... */
#define FRAME     1514u   /* ... so much of the line */
#define SEEDS     4u      /* of a path that rolls dice: the mean */
#define MB_MOST   25u     /* of one run, unless the path says otherwise */

struct path {
	const char *name;
	uint32_t mbps;
	int64_t rtt;
	unsigned queue;     /* frames                                               */
	int64_t time;       /* how long is measured, ...                            */
	uint32_t mb;        /* ... or until so much has arrived; 0: MB_MOST         */
	uint32_t loss, ack_loss, reorder; /* in a million                           */
	int64_t reorder_ns;
	int64_t dark_every, dark_for;
	bool no_sack;
	unsigned mark;      /* frames that may wait without a mark; ECN is on       */
	uint32_t slice;     /* bytes of one read; 0: all                            */
	int64_t pause;      /* ... and between reads                                */
	uint32_t floor;     /* percent of what there is to have; 0: 85              */
};

/* clang-format off */
static const struct path paths[] = {
	/* Rate by round trip by loss; the queue holds a round trip's worth. */
	{ "10m_2ms",            10, MS(2),     30, SEC(4),   .loss = 0 },
	{ "10m_2ms_0.1%",       10, MS(2),     30, SEC(10),  .loss = 1000 },
	{ "10m_2ms_1%",         10, MS(2),     30, SEC(10),  .loss = 10000 },
	{ "10m_20ms",           10, MS(20),    30, SEC(10),  .loss = 0 },
	{ "10m_20ms_0.1%",      10, MS(20),    30, SEC(20),  .loss = 1000 },
	{ "10m_20ms_1%",        10, MS(20),    30, SEC(20),  .loss = 10000 },
	{ "10m_100ms",          10, MS(100),   84, SEC(20),  .loss = 0 },
	{ "10m_100ms_0.1%",     10, MS(100),   84, SEC(40),  .loss = 1000 },
	{ "10m_100ms_1%",       10, MS(100),   84, SEC(40),  .loss = 10000 },
	{ "100m_20ms",         100, MS(20),   170, SEC(3),   .loss = 0 },
	{ "100m_20ms_0.1%",    100, MS(20),   170, SEC(10),  .loss = 1000 },
	{ "100m_20ms_1%",      100, MS(20),   170, SEC(10),  .loss = 10000 },
	{ "100m_100ms",        100, MS(100),  840, SEC(10),  .loss = 0, .mb = 110 },
	{ "100m_100ms_0.1%",   100, MS(100),  840, SEC(40),  .loss = 1000, .mb = 60 },
	{ "100m_100ms_1%",     100, MS(100),  840, SEC(40),  .loss = 10000 },
	{ "1g_200us",         1000, US(200),  100, MS(400),  .loss = 0, .mb = 50 },
	{ "1g_2ms",           1000, MS(2),    170, SEC(1),   .loss = 0, .mb = 50 },
	{ "1g_2ms_0.1%",      1000, MS(2),    170, SEC(2),   .loss = 1000 },
	{ "1g_2ms_1%",        1000, MS(2),    170, SEC(2),   .loss = 10000 },
	{ "1g_20ms",          1000, MS(20),  1700, SEC(2),   .loss = 0, .mb = 130 },
	{ "1g_100ms",         1000, MS(100), 8400, SEC(3),   .loss = 0, .mb = 220 },
	{ "1g_100ms_0.1%",    1000, MS(100), 8400, SEC(20),  .loss = 1000, .mb = 50 },
	{ "10g_10ms",        10000, MS(10),  8400, MS(250),  .loss = 0, .mb = 220 },
	{ "satellite_600ms",    20, MS(600), 1000, SEC(40),  .loss = 0, .mb = 80 },
	/* What else happens to packets.  Late ones are overtaken by some twenty. */
	{ "reordering_1%",      50, MS(40),   170, SEC(10),  .reorder = 10000, .reorder_ns = MS(5) },
	{ "reordering_5%",      50, MS(40),   170, SEC(10),  .reorder = 50000, .reorder_ns = MS(5) },
	{ "reordering_5%_loss_1%", 50, MS(40), 170, SEC(20), .loss = 10000, .reorder = 50000,
	  .reorder_ns = MS(5) },
	{ "loss_5%",            20, MS(20),   100, SEC(20),  .loss = 50000 },
	{ "without_sack_1%",    20, MS(20),   100, SEC(20),  .loss = 10000, .no_sack = true,
	  .floor = 40 },
	{ "without_sack",      100, MS(20),   170, SEC(10),  .loss = 0, .no_sack = true,
	  .floor = 25 },
	{ "ack_loss_50%",       50, MS(40),   170, SEC(10),  .ack_loss = 500000 },
	{ "bufferbloat",        10, MS(40),  2000, SEC(20),  .loss = 0 },
	{ "shallow_queue",      50, MS(40),    20, SEC(10),  .loss = 0, .mb = 50, .floor = 65 },
	/* A time-out doubles, and the road may be clear long before the next. */
	{ "blackouts",          20, MS(40),   100, SEC(20),  .dark_every = SEC(4), .dark_for = SEC(1),
	  .floor = 35 },
	{ "marks_1g",         1000, US(200),  500, MS(400),  .mark = 30 },
	{ "reader_of_a_byte",  100, MS(20),   170, SEC(3),   .slice = 1, .pause = US(50) },
	{ "slow_reader",       100, MS(20),   170, SEC(3),   .slice = 20000, .pause = MS(10) },
};
/* clang-format on */

struct run {
	const struct path *path;
	struct net_cfg line;
	struct net *net;
	struct host host[2];
	struct sock *listener, *from, *to;
	uint64_t got;
	int64_t read_at;  /* when the reader reads next */
	bool starved;     /* the writer found no room: there will be news */
	int64_t began, half_at; /* half of the time or of the bytes is over */
	uint64_t half_got;
};

/* What a path and an algorithm have come to, kB/s. */
struct cell {
	uint64_t rate;   /* the start included    */
	uint64_t steady; /* in the second half    */
	uint64_t least; /* of the second half: what theory allows; and ... */
	uint64_t most;  /* ... of the whole */
};

static uint8_t buf[65536];

/* ---------------------------------------------------------------- set-up -- */

static void
set_faults(struct run *r, bool dark)
{
	const struct path *p = r->path;

	r->line.loss = p->loss;
	r->line.loss_of[1] = p->ack_loss;
	r->line.reorder = p->reorder;
	r->line.reorder_ns = p->reorder_ns;
	r->line.dark_from = dark ? 0 : TIME_NEVER;
	r->line.dark_to = TIME_NEVER;
	net_set(r->net, &r->line);
}

static void
set_host(struct run *r, unsigned i, const struct cc_ops *cc, unsigned seed)
{
	struct stack_cfg c;

	host_cfg(&c, i, 7 + i + 10 * seed);
	c.max_conns = 8;
	c.max_in_flight = 65536;
	c.max_chunks = 131072;
	c.trace_records = 0;
	c.tcp.cc = cc;
	c.tcp.sndbuf_max = 64u << 20;
	c.tcp.rcvbuf_max = 128u << 20;
	c.tcp.sack = !r->path->no_sack;
	c.tcp.ecn = r->path->mark ? TCP_ECN_ON : TCP_ECN_PASSIVE;
	host_init(&r->host[i], &c, r->net, i, SEC(100));
}

/* Addresses are learned and the listener listens before anything can be lost. */
static void
run_start(struct run *r, const struct path *p, const struct cc_ops *cc, unsigned seed)
{
	struct ip_addr any = IP_ANY, ip = host_ip(1);

	memset(r, 0, sizeof *r);
	r->path = p;
	r->line = (struct net_cfg){
		.seed = 1 + seed,
		.latency_ns = p->rtt / 2,
		.rate_bps = (uint64_t)p->mbps * 1000000,
		.queue = p->queue,
		.mark_queue = p->mark,
		.dark_from = TIME_NEVER,
		.dark_to = TIME_NEVER,
	};
	r->net = net_new(&r->line);
	for (unsigned i = 0; i < 2; i++) {
		net_plug(r->net, i);
		set_host(r, i, cc, seed);
	}
	for (unsigned k = 0; k < 10; k++)
		host_step(&r->host[k & 1]);
	r->listener = host_socket(&r->host[1]);
	if (host_bind(&r->host[1], r->listener, &any, PORT) ||
	    host_listen(&r->host[1], r->listener, 16))
		abort();
	r->from = host_socket(&r->host[0]);
	host_connect(&r->host[0], r->from, &ip, PORT);
	r->began = net_now(r->net);
}

static void
run_end(struct run *r)
{
	host_fini(&r->host[0]);
	host_fini(&r->host[1]);
	net_free(r->net);
}

/* ------------------------------------------------------------- the loop -- */

/* A step without the checks of host_step(), which look at every range in flight. */
static void
step(struct host *h)
{
	int64_t now = net_now(h->net), next = stack_step(h->st, now + h->epoch);

	h->woken |= stack_take_posted(h->st);
	h->deadline = next == TIME_NEVER ? next : max(next, now + h->epoch) - h->epoch;
}

static void
reads(struct run *r)
{
	uint32_t n, most = r->path->slice ? r->path->slice : (uint32_t)sizeof buf;

	if (net_now(r->net) < r->read_at)
		return;
	do {
		n = host_read(&r->host[1], r->to, buf, most);
		r->got += n;
	} while (n && !r->path->slice);
	r->read_at = net_now(r->net) + r->path->pause;
}

/* As much as there is room for; the event that there is some again comes by itself. */
static void
writes(struct run *r)
{
	while (host_write(&r->host[0], r->from, buf, sizeof buf) == sizeof buf)
		;
	r->starved = true;
}

static void
applications(struct run *r)
{
	bool woken = r->host[0].woken;

	r->host[0].woken = false;
	host_drain(&r->host[0]);
	host_drain(&r->host[1]);
	if (!r->to && (r->to = host_accept(&r->host[1], r->listener)))
		set_faults(r, false);
	if (!r->to)
		return;
	if (host_news(&r->host[0], r->from) || woken || !r->starved)
		writes(r);
	reads(r);
}

static void
now_happens(struct run *r)
{
	unsigned n = 0;

	while (host_due(&r->host[0]) || host_due(&r->host[1])) {
		for (unsigned i = 0; i < 2; i++)
			if (host_due(&r->host[i]))
				step(&r->host[i]);
		applications(r);
		if (++n > AT_ONCE)
			abort();
	}
}

static void
blackout(struct run *r)
{
	const struct path *p = r->path;

	if (p->dark_every && r->to)
		set_faults(r, (net_now(r->net) - r->began) % p->dark_every >=
		                  p->dark_every - p->dark_for);
}

/* Whether a part of the run, in percent, is over. */
static bool
is_over(const struct run *r, unsigned percent)
{
	uint64_t most = (r->path->mb ? r->path->mb : MB_MOST) * UINT64_C(1000000);

	return net_now(r->net) - r->began >= r->path->time / 100 * percent ||
	       r->got >= most / 100 * percent;
}

static void
one_moment(struct run *r)
{
	int64_t at;

	now_happens(r);
	applications(r);
	now_happens(r);
	blackout(r);
	if (!r->half_at && is_over(r, 50)) {
		r->half_at = net_now(r->net);
		r->half_got = r->got;
	}
	at = min(net_next(r->net), min(r->host[0].deadline, r->host[1].deadline));
	if (r->to && r->path->slice)
		at = min(at, r->read_at);
	at = min(at, r->began + r->path->time);
	net_time(r->net, max(at, net_now(r->net) + 1));
}

static uint64_t
kbytes_per_s(uint64_t bytes, int64_t ns)
{
	return bytes * 1000 / (uint64_t)max(ns / NS_PER_US, INT64_C(1));
}

static void
one_run(const struct path *p, const struct cc_ops *cc, unsigned seed, struct cell *sum)
{
	struct run r;
	int64_t now;

	run_start(&r, p, cc, seed);
	while (!is_over(&r, 100))
		one_moment(&r);
	now = net_now(r.net);
	sum->rate += kbytes_per_s(r.got, now - r.began);
	sum->steady += kbytes_per_s(r.got - r.half_got, now - r.half_at);
	run_end(&r);
}

/* ----------------------------------------------------------- the theory -- */

static uint64_t
square_root(uint64_t v)
{
	uint64_t r = 0;

	for (int bit = 31; bit >= 0; bit--)
		if ((r | UINT64_C(1) << bit) * (r | UINT64_C(1) << bit) <= v)
			r |= UINT64_C(1) << bit;
	return r;
}

/* What line and reader allow. */
static uint64_t
there_is(const struct path *p)
{
	uint64_t line = (uint64_t)p->mbps * 125 * MSS / FRAME;

	return p->slice ? min(line, kbytes_per_s(p->slice, p->pause)) : line;
}

/* MSS / RTT * sqrt(3/2 / p): what Reno has of a path that loses one of 1/p (Mathis). */
static uint64_t
by_loss(const struct path *p)
{
	uint64_t thousandths = square_root(UINT64_C(1500000000000) / p->loss);

	return thousandths * MSS / (uint64_t)(p->rtt / NS_PER_US);
}

/* Coarse: half of what Reno would have, if there is loss; of an algorithm that takes loss
 * for what it is, up to BBR's 2 %, somewhat more than half of what there is. */
static void
theory(const struct path *p, const struct cc_ops *cc, struct cell *c)
{
	bool bears_loss = cc->control && p->loss < 20000;

	c->most = there_is(p) + 1;
	c->least = there_is(p) * (p->floor ? p->floor : 85) / 100;
	if (p->loss)
		c->least = min(c->least, bears_loss ? c->least * 6 / 10 : by_loss(p) / 2);
}

static struct cell
measure(const struct path *p, const struct cc_ops *cc)
{
	unsigned seeds = p->loss + p->ack_loss + p->reorder ? SEEDS : 1;
	struct cell c = { 0 };

	for (unsigned i = 0; i < seeds; i++)
		one_run(p, cc, i, &c);
	c.rate /= seeds;
	c.steady /= seeds;
	theory(p, cc, &c);
	return c;
}

static bool
plausible(const struct cell *c)
{
	return c->least <= c->steady && c->rate <= c->most;
}

/* ------------------------------------------------------------ the table -- */

static bool
close_enough(uint64_t is, uint64_t was)
{
	uint64_t apart = is > was ? is - was : was - is;

	return apart * 100 <= was * TOLERANCE || apart <= 1;
}

/* What the table says of a path and an algorithm, by the names of rows and columns. */
static bool
expected(FILE *table, const char *path, const char *alg, uint64_t *was)
{
	char line[400], head[400] = "", *word, *save, *hsave, *name;

	rewind(table);
	while (fgets(line, sizeof line, table)) {
		if (line[0] == '#')
			continue;
		if (head[0] == '\0') {
			(void)snprintf(head, sizeof head, "%s", line);
			continue;
		}
		if (!(word = strtok_r(line, " \n", &save)) || strcmp(word, path))
			continue;
		name = strtok_r(head, " \n", &hsave);
		while ((word = strtok_r(NULL, " \n", &save)) &&
		       (name = strtok_r(NULL, " \n", &hsave)))
			if (strcmp(name, alg) == 0) {
				*was = strtoull(word, NULL, 10);
				return true;
			}
		return false;
	}
	return false;
}

static bool
wanted(const char *pattern, const char *path, const char *alg)
{
	char name[100];

	(void)snprintf(name, sizeof name, "%s:%s", path, alg);
	return !pattern || fnmatch(pattern, name, 0) == 0 || fnmatch(pattern, path, 0) == 0;
}

/* "+1.5": by how much a cell has moved. */
static const char *
percent(char out[30], uint64_t is, uint64_t was)
{
	uint64_t apart = (is > was ? is - was : was - is) * 1000 / max(was, UINT64_C(1));

	(void)snprintf(out, 30, "%c%" PRIu64 ".%" PRIu64, is < was ? '-' : '+', apart / 10,
	               apart % 10);
	return out;
}

/* Says what is wrong with a cell, or everything; false: something is wrong. */
static bool
judge(FILE *table, const struct path *p, const struct cc_ops *cc, bool verbose)
{
	struct cell c = measure(p, cc);
	uint64_t was = 0;
	bool known = expected(table, p->name, cc->name, &was);
	bool same = known && close_enough(c.rate, was);
	char moved[30];

	if (!same || verbose)
		printf("%-22s %-6s %8" PRIu64 " kB/s, the table has %8" PRIu64
		       ", %s %%%s\n",
		       p->name, cc->name, c.rate, was, percent(moved, c.rate, was),
		       same ? "" : "  <-- moved");
	if (!plausible(&c) || verbose)
		printf("%-22s %-6s %8" PRIu64 " kB/s once started, at least %" PRIu64
		       "; at most %" PRIu64 " in all%s\n",
		       p->name, cc->name, c.steady, c.least, c.most,
		       plausible(&c) ? "" : "  <-- not what the path gives");
	return same && plausible(&c);
}

static unsigned
compare(const char *pattern)
{
	const char *src = getenv("MTCP_SRCDIR");
	char file[1000];
	FILE *table;
	unsigned wrong = 0, cells = 0;

	(void)snprintf(file, sizeof file, "%s/test/sim/golden.txt", src ? src : ".");
	if (!(table = fopen(file, "r"))) {
		perror(file);
		return 1;
	}
	for (unsigned i = 0; i < array_len(paths); i++)
		for (unsigned k = 0; tcp_cc_at(k); k++)
			if (wanted(pattern, paths[i].name, tcp_cc_at(k)->name)) {
				wrong += !judge(table, &paths[i], tcp_cc_at(k), pattern != NULL);
				cells++;
			}
	(void)fclose(table);
	printf("%u passed, %u failed\n", cells - wrong, wrong);
	return wrong;
}

/* The head of a line: what the path is. */
static void
write_path(const struct path *p)
{
	char rtt[20];

	(void)snprintf(rtt, sizeof rtt, "%u.%u", (unsigned)(p->rtt / MS(1)),
	               (unsigned)(p->rtt / US(100) % 10));
	printf("\n%-22s %5u %5s %5u %3u.%u %4u", p->name, p->mbps, rtt, p->queue,
	       p->loss / 10000, p->loss / 1000 % 10, p->reorder / 10000);
}

/* False: a cell is not what its path gives, and the table is not to be kept. */
static bool
write_table(void)
{
	bool good = true;

	printf("# Goodput in virtual time, kB/s: what test/sim/golden measures and compares.\n"
	       "# A change of more than 2 %% needs this file in the same commit:\n"
	       "#	test/sim/golden --write > test/sim/golden.txt\n"
	       "# Mbit/s, ms of round trip, frames that wait, %% lost, %% late; then what is made\n"
	       "# of it.  What its name says besides stands in golden.c.\n%-22s %5s %5s %5s %5s %4s",
	       "path", "rate", "rtt", "queue", "loss", "late");
	for (unsigned k = 0; tcp_cc_at(k); k++)
		printf(" %8s", tcp_cc_at(k)->name);
	for (unsigned i = 0; i < array_len(paths); i++) {
		write_path(&paths[i]);
		for (unsigned k = 0; tcp_cc_at(k); k++) {
			struct cell c = measure(&paths[i], tcp_cc_at(k));

			printf(" %8" PRIu64, c.rate);
			(void)fflush(stdout);
			if (!plausible(&c)) {
				fprintf(stderr, "%s:%s: %" PRIu64 " kB/s, of %" PRIu64 " to %" PRIu64 "\n",
				        paths[i].name, tcp_cc_at(k)->name, c.steady, c.least, c.most);
				good = false;
			}
		}
	}
	printf("\n");
	return good;
}

int
main(int argc, char **argv)
{
	const char *sanitize = getenv("MTCP_SANITIZE");

	if (argc == 1 && sanitize && *sanitize) {
		puts("skipped: other builds count these bytes, and the simulator is watched");
		return 77;
	}
	if (argc == 2 && strcmp(argv[1], "--write") == 0)
		return write_table() ? 0 : 1;
	if (argc == 3 && strcmp(argv[1], "--cell") == 0)
		return compare(argv[2]) ? 1 : 0;
	if (argc > 1) {
		fprintf(stderr, "usage: golden [--write | --cell PATTERN]\n");
		return 2;
	}
	return compare(NULL) ? 1 : 0;
}
