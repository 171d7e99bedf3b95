/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Two stacks, one bad line, one seed: thousands of runs in virtual time.
 * Nothing here reads a clock.  The loop is "now = the next thing that happens";
 * after each step everything that must hold is checked.
 *
 * Runs happen in a child, so that a failed assertion costs one seed.  A seed
 * that fails is run once more with a capture, and its command is printed.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/trace.h"
#include "tcp/tcp_fate.h"
#include "test/sim/attack.h"
#include "test/sim/flow.h"
#include "test/sim/swarm.h"
#include "test/sim/watch.h"

#define SEEDS_DEFAULT 2000u
#define SEEDS_THREAD                                                                           \
	200u /* under ThreadSanitizer, twenty times slower and with one thread to watch */
#define TIME_LIMIT    SEC(4 * 3600)
#define STEPS_LIMIT   UINT64_C(3000000)
#define AT_ONCE_LIMIT 5000u /* steps of a host without time passing: it spins */
#define TRACE_LINES   150u

struct run {
	uint64_t seed;
	struct swarm swarm;
	struct net *net;
	struct host host[2];
	struct flows flows;
	struct watch watch;
	struct attack attack;
	int64_t attack_at;
	const char *broken;
	char what[160];
};

/* What children and parent share. */
struct tally {
	uint64_t seed; /* under way                        */
	bool running;
	uint64_t passed, failed, crashed;
	uint64_t frames, bytes, steps, attacks, flows_failed;
	int64_t virtual_ns;
	uint64_t fates[N_FATES];
};

struct options {
	uint64_t from, n;
	bool verbose, one;
	const char *pcap;
};

/* ------------------------------------------------------------------- a run -- */

static void
tap(void *arg, unsigned from, const uint8_t *frame, uint32_t len)
{
	struct run *r = arg;

	watch_frame(&r->watch, from, net_now(r->net), frame, len);
}

static void
run_begin(struct run *r, uint64_t seed, const char *pcap)
{
	r->seed = seed;
	r->broken = NULL;
	swarm_draw(&r->swarm, seed);
	r->net = net_new(&r->swarm.net);
	if (pcap && !net_capture(r->net, pcap))
		fprintf(stderr, "sim: %s: %s\n", pcap, strerror(errno));
	watch_init(&r->watch);
	net_set_tap(r->net, tap, r);
	net_plug(r->net, 2);
	for (unsigned i = 0; i < 2; i++) {
		r->watch.mtu[i] = r->swarm.cfg[i].port[0].mtu;
		host_init(&r->host[i], &r->swarm.cfg[i], r->net, i, r->swarm.epoch[i]);
	}
	if (r->swarm.net.dark_from != TIME_NEVER) { /* what was under way may come back first */
		r->watch.dark_from = r->swarm.net.dark_from + SEC(3);
		r->watch.dark_to = r->swarm.net.dark_to;
	}
	flows_init(&r->flows, &r->swarm, r->host, &r->watch, seed ^ 0x5eed);
	r->attack = (struct attack){
		.rng = { seed ^ 0xa77ac }, .net = r->net, .watch = &r->watch, .flows = &r->flows
	};
	r->attack_at = r->swarm.attack_every ? r->swarm.attack_every : TIME_NEVER;
}

static bool
step_all(struct run *r)
{
	bool any = false;

	for (unsigned i = 0; i < 2; i++) {
		if (!host_due(&r->host[i]))
			continue;
		host_step(&r->host[i]);
		any = true;
		if (r->host[i].steps_at_once > AT_ONCE_LIMIT)
			r->broken = "a stack spins";
	}
	return any;
}

static void
judge(struct run *r)
{
	if (r->watch.broken) {
		r->broken = r->watch.broken;
		memcpy(r->what, r->watch.what, sizeof r->what);
	} else if (r->flows.broken) {
		r->broken = r->flows.broken;
		memcpy(r->what, r->flows.what, sizeof r->what);
	} else if (net_now(r->net) > TIME_LIMIT) {
		r->broken = "not finished in time";
	} else if (r->host[0].steps + r->host[1].steps > STEPS_LIMIT) {
		r->broken = "too many steps";
	}
}

static bool
dark(const struct run *r)
{
	int64_t now = net_now(r->net);

	return now >= r->swarm.net.dark_from && now < r->swarm.net.dark_to;
}

/* Everything that happens at this moment, until nothing more does. */
static void
moment(struct run *r)
{
	bool any = true;

	if (net_now(r->net) >= r->attack_at && !flows_done(&r->flows)) {
		if (!dark(r)) /* what he draws is not the stack's own noise */
			attack_once(&r->attack);
		r->attack_at = net_now(r->net) + r->swarm.attack_every;
	}
	while (any && !r->broken) {
		any = step_all(r);
		any |= flows_act(&r->flows, 0);
		any |= flows_act(&r->flows, 1);
		any |= flows_note_orphans(&r->flows);
		judge(r);
	}
	/* Without its neighbour's address a stack cannot tell anybody anything. */
	if (!dark(r) && !r->swarm.net.arp_loss)
		flows_check_windows(&r->flows);
}

static int64_t
next_moment(struct run *r)
{
	int64_t at = min(r->host[0].deadline, r->host[1].deadline);

	at = min(at, net_next(r->net));
	at = min(at, flows_next(&r->flows));
	return flows_done(&r->flows) ? at : min(at, r->attack_at);
}

static bool
idle(const struct run *r)
{
	for (unsigned i = 0; i < 2; i++) {
		const struct stack_stats *s = stack_stats(r->host[i].st);

		if (s->flows || s->half_open || s->time_wait)
			return false;
	}
	return true;
}

static void
run_transfer(struct run *r)
{
	while (!flows_done(&r->flows) && !r->broken) {
		int64_t next;

		moment(r);
		if (idle(r))
			flows_forgive(&r->flows);
		next = next_moment(r);
		if (r->broken || flows_done(&r->flows))
			return;
		if (next == TIME_NEVER)
			r->broken = "asleep for ever";
		else
			net_time(r->net, max(next, net_now(r->net)));
	}
}

/* After the last close everything must go by itself. */
static void
run_end(struct run *r)
{
	flows_close_listeners(&r->flows);
	while (!r->broken) {
		int64_t next;

		moment(r);
		next = next_moment(r);
		if (idle(r) || r->broken)
			break;
		if (next == TIME_NEVER)
			r->broken = "something stays for ever";
		else
			net_time(r->net, max(next, net_now(r->net)));
	}
	for (unsigned i = 0; i < 2 && !r->broken; i++) {
		host_drain(&r->host[i]);
		host_return_chunks(&r->host[i]);
		for (unsigned k = 0; k < 3; k++)
			host_step(&r->host[i]);
		if (host_leak(&r->host[i])) {
			r->broken = "a host keeps something";
			(void)snprintf(r->what, sizeof r->what, "host %u: %s", i,
			               host_leak(&r->host[i]));
		}
	}
}

static void
print_traces(const struct run *r)
{
	for (unsigned i = 0; i < 2; i++) {
		const struct trace *t = stack_trace(r->host[i].st);
		uint64_t held = min(t->n, (uint64_t)t->mask + 1);
		char line[160];

		printf("  flight recorder of host %u (its clock is %.6f s ahead):\n", i,
		       (double)r->host[i].epoch / 1e9);
		for (uint64_t k = held > TRACE_LINES ? held - TRACE_LINES : 0; k < held; k++)
			if (trace_line(t, (uint32_t)k, line, sizeof line))
				printf("    %s\n", line);
	}
}

static void
tally_add(struct tally *t, const struct run *r)
{
	t->frames += net_stats(r->net)->sent;
	t->bytes += r->flows.bytes;
	t->steps += r->host[0].steps + r->host[1].steps;
	t->attacks += r->attack.frames;
	t->flows_failed += r->flows.failed;
	t->virtual_ns += net_now(r->net);
	for (unsigned i = 0; i < N_FATES; i++)
		t->fates[i] +=
		    stack_fate_count(r->host[0].st, i) + stack_fate_count(r->host[1].st, i);
}

static bool
run_seed(struct run *r, uint64_t seed, struct tally *t, const struct options *o)
{
	run_begin(r, seed, o->pcap);
	if (o->verbose && o->one)
		swarm_print(&r->swarm);
	judge(r);
	run_transfer(r);
	run_end(r);
	if (r->broken) {
		printf("seed %" PRIu64 ": %s (%s) at %.6f s\n", seed, r->broken, r->what,
		       (double)net_now(r->net) / 1e9);
		flows_print(&r->flows);
		if (o->verbose && o->one)
			print_traces(r);
	}
	tally_add(t, r);
	for (unsigned i = 0; i < 2; i++) {
		host_fini(&r->host[i]);
		if (net_held(r->net, i) && !r->broken) {
			r->broken = "packets of the engine were kept";
			printf("seed %" PRIu64 ": %s\n", seed, r->broken);
		}
	}
	net_free(r->net);
	memset(r->what, 0, sizeof r->what);
	return !r->broken;
}

/* ------------------------------------------------------------------- main -- */

static void
child(struct tally *t, uint64_t from, uint64_t to, const struct options *o)
{
	static struct run *r;
	bool good = true;

	r = calloc(1, sizeof *r);
	if (!r)
		_exit(2);
	(void)setvbuf(stdout, NULL, _IOLBF, 0);
	for (uint64_t seed = from; seed < to && good; seed++) {
		t->seed = seed;
		t->running = true;
		good = run_seed(r, seed, t, o);
		t->running = false;
		t->passed += good;
	}
	free(r);
	fflush(stdout);
	_exit(good ? 0 : 1);
}

/* True when all of from..to passed; otherwise t->seed is the one that did not. */
static bool
run_in_child(struct tally *t, uint64_t from, uint64_t to, const struct options *o)
{
	int status;
	pid_t pid;

	fflush(stdout);
	pid = o->one ? 0 : fork(); /* a debugger wants one process */
	if (pid == 0)
		child(t, from, to, o);
	if (pid < 0 || waitpid(pid, &status, 0) != pid) {
		perror("sim");
		exit(2);
	}
	if (WIFSIGNALED(status) || (WIFEXITED(status) && WEXITSTATUS(status) > 1)) {
		printf("seed %" PRIu64 ": died (%s)\n", t->seed,
		       WIFSIGNALED(status) ? strsignal(WTERMSIG(status)) : "exit");
		t->crashed++;
		return false;
	}
	return WEXITSTATUS(status) == 0;
}

static void
failed(struct tally *t, const struct options *o, const char *self)
{
	struct tally spare = *t;
	struct options again = *o;
	char path[64];

	t->failed++;
	(void)snprintf(path, sizeof path, "sim-%" PRIu64 ".pcap", t->seed);
	printf("  repeat with: %s --seed %" PRIu64 " -v\n", self, t->seed);
	if (o->one || t->failed > 3)
		return;
	again.pcap = path;
	(void)!freopen("/dev/null", "w", stderr);
	(void)run_in_child(&spare, t->seed, t->seed + 1, &again);
	printf("  its frames are in %s\n", path);
}

static int
usage(int status)
{
	fputs("usage: sim [--seeds N] [--from S] [--seed S] [--pcap FILE] [-v]\n"
	      "  --seeds N   how many runs (2000), and a quarter as many over IPv6\n"
	      "  --from S    the first one's seed (1), and none beside; from 2^40 on: over IPv6\n"
	      "  --seed S    only this one\n"
	      "  --pcap FILE its frames\n"
	      "  -v          what was drawn, the flight recorder of a failure, fates\n",
	      status ? stderr : stdout);
	return status;
}

static bool
parse(struct options *o, int argc, char **argv)
{
	const char *sanitize = getenv("MTCP_SANITIZE");
	bool thread = sanitize && strstr(sanitize, "thread");

	*o = (struct options){ .from = 1, .n = thread ? SEEDS_THREAD : SEEDS_DEFAULT };
	for (int i = 1; i < argc; i++) {
		const char *value = i + 1 < argc ? argv[i + 1] : NULL;

		if (strcmp(argv[i], "-v") == 0) {
			o->verbose = true;
			continue;
		}
		if (!value)
			return false;
		if (strcmp(argv[i], "--seeds") == 0)
			o->n = strtoull(value, NULL, 0);
		else if (strcmp(argv[i], "--from") == 0)
			o->from = strtoull(value, NULL, 0);
		else if (strcmp(argv[i], "--pcap") == 0)
			o->pcap = value;
		else if (strcmp(argv[i], "--seed") == 0)
			o->from = strtoull(value, NULL, 0), o->n = 1, o->one = true;
		else
			return false;
		i++;
	}
	return o->n > 0;
}

static void
print_fates(const struct tally *t)
{
	for (unsigned i = 0; i < N_FATES; i++)
		printf("  %12" PRIu64 "  %-22s %s\n", t->fates[i], stack_fate_name(i),
		       t->fates[i] ? stack_fate_text(i) : "NEVER: a scenario is missing");
}

/* Seeds from o->from on, each failure told. */
static void
run_all(struct tally *t, const struct options *o, const char *self)
{
	for (uint64_t at = o->from; at < o->from + o->n; at = t->seed + 1) {
		if (run_in_child(t, at, o->from + o->n, o))
			break;
		failed(t, o, self);
	}
}

/* A quarter as many over IPv6, unless the first seed was chosen. */
static struct options
over_v6(const struct options *o)
{
	struct options v6 = *o;

	v6.from = SWARM_V6;
	v6.n = o->from == 1 && !o->one ? (o->n + 3) / 4 : 0;
	return v6;
}

int
main(int argc, char **argv)
{
	struct options o, v6;
	struct tally *t =
	    mmap(NULL, sizeof *t, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	if (argc > 1 && strcmp(argv[1], "--help") == 0)
		return usage(0);
	if (!parse(&o, argc, argv))
		return usage(2);
	if (t == MAP_FAILED)
		return 2;
	v6 = over_v6(&o);
	run_all(t, &o, argv[0]);
	run_all(t, &v6, argv[0]);
	printf("%" PRIu64 " runs: %" PRIu64 " frames, %.1f MB, %.1f virtual hours, %" PRIu64
	       " steps, %" PRIu64 " frames of attackers, %" PRIu64 " flows cut short\n",
	       t->passed + t->failed, t->frames, (double)t->bytes / 1e6,
	       (double)t->virtual_ns / 3.6e12, t->steps, t->attacks, t->flows_failed);
	if (o.verbose)
		print_fates(t);
	printf("%" PRIu64 " passed, %" PRIu64 " failed\n", t->passed, t->failed);
	return t->failed ? 1 : 0;
}
