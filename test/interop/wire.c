/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A bad cable: forwards frames between two interfaces of a network namespace,
 * each way through io_fault, so that whoever stands at its ends, a kernel or this
 * stack, meets the same line.  Each direction has dice of its own: what comes back
 * does not change the fate of what goes.
 *
 * It is a real-time thread where it may be one, since its lateness would be the
 * line's; between two frames it sleeps.
 */
#include <errno.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <time.h>

#include "api/config_value.h"
#include "io_engine/io_fault.h"
#include "test/interop/io_packet.h"

#define HOLD_DEFAULT 20000u
#define NAP_MAX      MS(100)

enum { LEFT, RIGHT, SIDES };

struct wire {
	struct packet_pool *pool;
	struct io_fault_config cfg[SIDES]; /* [RIGHT]: what goes right */
	struct io *bare[SIDES], *io[SIDES];
	uint64_t jammed; /* lost since an interface took nothing */
};

static volatile sig_atomic_t stop_asked;

static void
on_signal(int sig)
{
	(void)sig;
	stop_asked = 1;
}

static int64_t
now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * NS_PER_S + t.tv_nsec;
}

/* ---- forwarding ---------------------------------------------------------- */

/* One burst from one side to the other; how many frames. */
static unsigned
forward(struct wire *w, unsigned from)
{
	struct io *to = w->io[!from];
	struct io_pkt pkts[IO_BURST];
	int64_t now = now_ns();
	unsigned n = io_rx(w->io[from], now, pkts, IO_BURST);
	unsigned taken = n ? io_tx(to, now, pkts, n) : 0;

	io_release(to, pkts + taken, n - taken);
	w->jammed += n - taken;
	return n;
}

static int64_t
deadline(struct wire *w)
{
	int64_t l = w->io[LEFT]->ops->deadline(w->io[LEFT]);
	int64_t r = w->io[RIGHT]->ops->deadline(w->io[RIGHT]);

	return min(l, r);
}

/* A signal that comes just before poll() is seen after NAP_MAX. */
static void
nap(struct wire *w)
{
	struct pollfd fds[SIDES];
	int64_t left = min(deadline(w) - now_ns(), NAP_MAX);
	struct timespec t = { 0, max(left, 0) };

	for (unsigned i = 0; i < SIDES; i++)
		fds[i] = (struct pollfd){ w->bare[i]->ops->rx_fd(w->bare[i]), POLLIN, 0 };
	ppoll(fds, SIDES, &t, NULL);
}

static void
run(struct wire *w)
{
	signal(SIGINT, on_signal);
	signal(SIGTERM, on_signal);
	printf("wire: up\n");
	fflush(stdout);
	while (!stop_asked) {
		if (forward(w, LEFT) + forward(w, RIGHT) == 0)
			nap(w);
	}
}

/* ---- the end ------------------------------------------------------------- */

static void
report_way(struct wire *w, const char *way, unsigned to)
{
	struct io_fault_stats st;

	io_fault_stats(w->io[to], &st);
	printf("%s: packets %lu lost %lu duplicated %lu corrupted %lu reordered %lu "
	       "overflow %lu marked %lu\n",
	       way, st.tx.packets, st.tx.lost, st.tx.duplicated, st.tx.corrupted, st.tx.reordered,
	       st.tx.overflow, st.tx.marked);
}

/* What nobody asked for makes every figure void: false then. */
static bool
report(struct wire *w)
{
	uint64_t wrong = w->jammed;

	report_way(w, "right", RIGHT);
	report_way(w, "left", LEFT);
	for (unsigned i = 0; i < SIDES; i++) {
		struct packet_counts c;

		io_packet_counts(w->bare[i], &c);
		wrong += c.oversize + c.missed;
		if (c.oversize + c.missed)
			printf("WRONG: %s side: %lu frames too long (an offload is on), "
			       "%lu missed\n", i ? "right" : "left", c.oversize, c.missed);
	}
	if (w->jammed)
		printf("WRONG: %lu frames lost at a full interface\n", w->jammed);
	return wrong == 0;
}

/* ---- the beginning ------------------------------------------------------- */

static int
usage(void)
{
	fputs("usage: wire LEFT RIGHT [[right.|left.]KEY=VALUE]...\n"
	      "  forwards frames between two interfaces until SIGTERM, then prints counts\n"
	      "  KEY is one of loss duplicate corrupt reorder (2%), delay jitter reorder_delay (5ms),\n"
	      "  rate (100Mbit), queue mark (256KB), hold (frames), seed; with right. or left. in\n"
	      "  front only for frames that go there\n",
	      stderr);
	return 2;
}

#define WAY(member) offsetof(struct io_fault_dir, member), sizeof(((struct io_fault_dir *)0)->member)

static const struct key {
	const char *name;
	enum value_kind kind;
	int64_t bare;
	size_t at, size;
} keys[] = {
	{ "loss", VALUE_RATIO, 0, WAY(loss_ppm) },
	{ "duplicate", VALUE_RATIO, 0, WAY(dup_ppm) },
	{ "corrupt", VALUE_RATIO, 0, WAY(corrupt_ppm) },
	{ "reorder", VALUE_RATIO, 0, WAY(reorder_ppm) },
	{ "reorder_delay", VALUE_TIME, 0, WAY(reorder_ns) },
	{ "delay", VALUE_TIME, 0, WAY(delay_ns) },
	{ "jitter", VALUE_TIME, 0, WAY(jitter_ns) },
	{ "rate", VALUE_RATE, 0, WAY(rate_bps) },
	{ "queue", VALUE_BYTES, 1, WAY(queue_bytes) },
	{ "mark", VALUE_BYTES, 1, WAY(mark_bytes) },
	{ "hold", VALUE_COUNT, 1, WAY(hold) },
};

static bool
set_key(struct io_fault_config *cfg, const char *name, const char *value)
{
	uint32_t narrow;
	int64_t v;

	if (strcmp(name, "seed") == 0 && value_parse(value, VALUE_COUNT, 1, &v)) {
		cfg->seed = (uint64_t)v;
		return true;
	}
	for (size_t i = 0; i < array_len(keys); i++) {
		const struct key *k = &keys[i];

		if (strcmp(name, k->name) != 0)
			continue;
		if (!value_parse(value, k->kind, k->bare, &v) ||
		    (k->size == sizeof narrow && v > UINT32_MAX))
			return false;
		narrow = (uint32_t)v;
		memcpy((char *)&cfg->tx + k->at, k->size == sizeof v ? (void *)&v : &narrow, k->size);
		return true;
	}
	return false;
}

/* [right.|left.]KEY=VALUE */
static bool
set_word(struct wire *w, char *word)
{
	char *value = strchr(word, '=');
	bool right = strncmp(word, "right.", 6) == 0, left = strncmp(word, "left.", 5) == 0;

	if (!value)
		return false;
	*value++ = '\0';
	word += right ? 6 : left ? 5 : 0;
	return (left || set_key(&w->cfg[RIGHT], word, value)) &&
	       (right || set_key(&w->cfg[LEFT], word, value));
}

static bool
open_side(struct wire *w, unsigned side, const char *name)
{
	w->bare[side] = io_packet_new(name, w->pool);
	if (w->bare[side])
		w->io[side] = io_fault_new(w->bare[side], &w->cfg[side]);
	if (!w->io[side])
		fprintf(stderr, "wire: %s: %s\n", name, strerror(errno));
	return w->io[side] != NULL;
}

static void
be_punctual(void)
{
	struct sched_param p = { .sched_priority = 2 }; /* 1 is its ends' */

	prctl(PR_SET_TIMERSLACK, 1UL);
	if (sched_setscheduler(0, SCHED_FIFO, &p))
		fprintf(stderr, "wire: not a real-time thread (%s): the line may be late\n",
		        strerror(errno));
}

int
main(int argc, char **argv)
{
	struct wire w = { .cfg = { { .seed = 1, .tx.hold = HOLD_DEFAULT },
		                   { .seed = 1, .tx.hold = HOLD_DEFAULT } } };
	bool good;

	if (argc < 3)
		return usage();
	for (int i = 3; i < argc; i++) {
		if (!set_word(&w, argv[i]))
			return usage();
	}
	w.cfg[LEFT].seed += UINT64_C(1) << 32; /* never the same dice both ways */
	w.pool = packet_pool_new(w.cfg[LEFT].tx.hold + w.cfg[RIGHT].tx.hold + 4 * IO_BURST);
	if (!w.pool || !open_side(&w, LEFT, argv[1]) || !open_side(&w, RIGHT, argv[2]))
		return 1;
	be_punctual();
	run(&w);
	good = report(&w);
	for (unsigned i = 0; i < SIDES; i++)
		w.io[i]->ops->close(w.io[i]);
	packet_pool_free(w.pool);
	return good ? 0 : 1;
}
