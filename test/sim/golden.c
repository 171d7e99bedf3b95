/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Goodput in virtual time: one connection in bulk over each kind of path, with
 * each congestion control, the same on every machine.  The table of what was
 * measured last stands in golden.txt; a cell that has moved by more than 2 %
 * fails, until the table is changed in the same commit.
 *
 *	test/sim/golden               compares
 *	test/sim/golden --write       prints the table anew: > test/sim/golden.txt
 *	test/sim/golden NAME-PART     some paths only, in full
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "tcp/tcp_cc.h"
#include "tcp/tcp_ecn.h"
#include "test/sim/host.h"

#define PORT      80u
#define AT_ONCE   100000u /* steps without time passing: somebody spins */
#define TOLERANCE 2       /* percent */
#define ALGS_MAX  8u

struct path {
	const char *name;
	uint32_t mbps;
	int64_t rtt;
	unsigned queue;     /* frames                                               */
	int64_t time;       /* how long is measured                                 */
	uint32_t loss, ack_loss, reorder; /* in a million                           */
	int64_t reorder_ns;
	int64_t dark_every, dark_for;
	unsigned mark;      /* frames that may wait without a mark; ECN is on       */
	uint32_t slice;     /* bytes of one read; 0: all                            */
	int64_t pause;      /* ... and between reads                                */
};

/* clang-format off */
static const struct path paths[] = {
	{ "lan_1g",              1000, US(200), 100, MS(400),  .loss = 0 },
	{ "wan_100m_20ms",        100, MS(20),  170, SEC(3),   .loss = 0 },
	{ "lossy_100ms_0.1%",     100, MS(100), 800, SEC(10),  .loss = 1000 },
	{ "lossy_100ms_1%",       100, MS(100), 800, SEC(20),  .loss = 10000 },
	{ "lossy_20ms_5%",         20, MS(20),  100, SEC(20),  .loss = 50000 },
	{ "fat_10g_10ms",       10000, MS(10), 8000, MS(400),  .loss = 0 },
	{ "satellite_600ms",       20, MS(600), 500, SEC(20),  .loss = 0 },
	{ "bufferbloat",           10, MS(40), 2000, SEC(20),  .loss = 0 },
	{ "shallow_queue",         50, MS(40),   20, SEC(6),   .loss = 0 },
	{ "ack_loss_50%",          50, MS(40),  170, SEC(4),   .ack_loss = 500000 },
	{ "reordering_5%",         50, MS(40),  170, SEC(4),   .reorder = 50000, .reorder_ns = MS(5) },
	{ "reordering_5%_loss_1%", 50, MS(40),  170, SEC(6),   .loss = 10000, .reorder = 50000,
	  .reorder_ns = MS(5) },
	{ "blackouts",             20, MS(40),  100, SEC(20),  .dark_every = SEC(4), .dark_for = SEC(1) },
	{ "marks_1g",            1000, US(200), 500, MS(400),  .mark = 30 },
	{ "reader_of_a_byte",     100, MS(20),  170, SEC(3),   .slice = 1, .pause = US(50) },
	{ "slow_reader",          100, MS(20),  170, SEC(3),   .slice = 20000, .pause = MS(10) },
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
set_host(struct run *r, unsigned i, const struct cc_ops *cc)
{
	struct stack_cfg c;

	host_cfg(&c, i, 7 + i);
	c.max_conns = 8;
	c.max_in_flight = 65536;
	c.max_chunks = 131072;
	c.trace_records = 0;
	c.tcp.cc = cc;
	c.tcp.sndbuf_max = 64u << 20;
	c.tcp.rcvbuf_max = 128u << 20;
	c.tcp.ecn = r->path->mark ? TCP_ECN_ON : TCP_ECN_PASSIVE;
	host_init(&r->host[i], &c, r->net, i, SEC(100));
}

/* Addresses are learned and the listener listens before anything can be lost. */
static void
run_start(struct run *r, const struct path *p, const struct cc_ops *cc)
{
	struct ip_addr any = IP_ANY, ip = host_ip(1);

	memset(r, 0, sizeof *r);
	r->path = p;
	r->line = (struct net_cfg){
		.seed = 1,
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
		set_host(r, i, cc);
	}
	for (unsigned k = 0; k < 10; k++)
		host_step(&r->host[k & 1]);
	r->listener = host_socket(&r->host[1]);
	if (host_bind(&r->host[1], r->listener, &any, PORT) ||
	    host_listen(&r->host[1], r->listener, 16))
		abort();
	r->from = host_socket(&r->host[0]);
	host_connect(&r->host[0], r->from, &ip, PORT);
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
blackout(struct run *r, int64_t t0)
{
	const struct path *p = r->path;

	if (p->dark_every && r->to)
		set_faults(r, (net_now(r->net) - t0) % p->dark_every >= p->dark_every - p->dark_for);
}

/* kB/s of text that the reader got. */
static uint64_t
measure(const struct path *p, const struct cc_ops *cc)
{
	struct run r;
	int64_t t0, at;

	run_start(&r, p, cc);
	t0 = net_now(r.net);
	while (net_now(r.net) < t0 + p->time) {
		now_happens(&r);
		applications(&r);
		now_happens(&r);
		blackout(&r, t0);
		at = min(net_next(r.net), min(r.host[0].deadline, r.host[1].deadline));
		if (r.to && p->slice)
			at = min(at, r.read_at);
		net_time(r.net, max(min(at, t0 + p->time), net_now(r.net) + 1));
	}
	run_end(&r);
	return r.got * 1000 / (uint64_t)(p->time / NS_PER_US);
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

static unsigned
compare(const char *part)
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
	for (unsigned i = 0; i < array_len(paths); i++) {
		for (unsigned k = 0; (!part || strstr(paths[i].name, part)) && tcp_cc_at(k); k++) {
			const char *alg = tcp_cc_at(k)->name;
			uint64_t is = measure(&paths[i], tcp_cc_at(k)), was = 0;
			bool known = expected(table, paths[i].name, alg, &was);
			bool bad = !known || !close_enough(is, was);

			if (bad || part)
				printf("%-22s %-6s %8" PRIu64 " kB/s, the table has %" PRIu64 "%s\n",
				       paths[i].name, alg, is, was, bad ? "  <--" : "");
			wrong += bad;
			cells++;
		}
	}
	(void)fclose(table);
	printf("%u passed, %u failed\n", cells - wrong, wrong);
	return wrong;
}

static void
write_table(void)
{
	printf("# Goodput in virtual time, kB/s: what test/sim/golden measures and compares.\n"
	       "# A change of more than 2 %% needs this file in the same commit:\n"
	       "#	test/sim/golden --write > test/sim/golden.txt\n%-22s", "path");
	for (unsigned k = 0; tcp_cc_at(k); k++)
		printf(" %8s", tcp_cc_at(k)->name);
	for (unsigned i = 0; i < array_len(paths); i++) {
		printf("\n%-22s", paths[i].name);
		for (unsigned k = 0; tcp_cc_at(k); k++) {
			printf(" %8" PRIu64, measure(&paths[i], tcp_cc_at(k)));
			(void)fflush(stdout);
		}
	}
	printf("\n");
}

int
main(int argc, char **argv)
{
	if (argc > 1 && strcmp(argv[1], "--write") == 0) {
		write_table();
		return 0;
	}
	return compare(argc > 1 ? argv[1] : NULL) != 0;
}
