/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The stack's thread steps, and when a step finds nothing does what idle.c
 * says.  Signals never run on it: handlers belong to the application's thread,
 * whose waits they end.
 */
#include "api/runtime.h"

#include <errno.h>
#include <numa.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/random.h>
#include <time.h>

#include "api/handoff.h"
#include "api/idle.h"
#include "api/usage.h"
#include "core/except.h"

/* A doze shorter than this is not worth arming interrupts for. */
#define ARM_MIN US(100)

/* Steps after the last connection is gone, for the last segments to leave. */
#define LAST_STEPS 4

#define DEAF_NS MS(200) /* from a stack's start to its first listener, at most */

struct runtime {
	struct handoff handoff;
	struct mtcp_context ctx;
	struct stack *st;
	struct channel *ch;
	struct idle idle;
	struct usage usage;
	struct io *ios[2 * STACK_PORTS_MAX]; /* what can wake it: a port each, then kernels */
	unsigned n_ports, n_ios;
	bool can_wait;               /* every port has a descriptor       */
	_Atomic bool stop, retires, relieved;
	_Atomic bool quiet;          /* retired: nothing of its own is left; under `lock` */
	pthread_mutex_t lock;
	pthread_cond_t turned;       /* `quiet` is true now               */
	bool alone;                  /* the application has left          */
	int64_t stop_timeout_ns;     /* written before `stop`             */
	struct stat_board *board;
	struct crew *crew;           /* NULL: alone                       */
	unsigned seat;               /* in its hall                       */
	int64_t next_look;           /* at the other processes            */
	int64_t next_line;           /* when the counters are written next */
	unsigned core;
	int cpu;
	pthread_t thread;
	struct region mem;
};

/* -- the stack's thread --------------------------------------------------- */

/* All ports will wake us: false when one of them has packets by now. */
static bool
arm_ports(struct runtime *rt, unsigned *armed)
{
	for (*armed = 0; *armed < rt->n_ios; ++*armed) {
		struct io *io = rt->ios[*armed];

		if (!io->ops->rx_arm(io))
			return false;
	}
	return true;
}

static void
disarm_ports(struct runtime *rt, unsigned armed)
{
	for (unsigned i = 0; i < armed; i++)
		rt->ios[i]->ops->rx_disarm(rt->ios[i]);
}

static void
doze(struct runtime *rt, enum handoff_sleep how, int64_t now, int64_t deadline)
{
	bool arm = rt->can_wait && how == HANDOFF_ASLEEP && deadline - now >= ARM_MIN;
	unsigned armed = 0;

	if (!handoff_doze(&rt->handoff, how, &rt->ch->jobs))
		return;
	if (stack_may_sleep(rt->st)) {
		if (!arm || arm_ports(rt, &armed))
			handoff_sleep(&rt->handoff, deadline);
		disarm_ports(rt, armed);
		stack_woke(rt->st);
		if (rt->crew)
			crew_hush(rt->crew, rt->seat);
	}
	handoff_rouse(&rt->handoff);
}

static void
rest(struct runtime *rt, int64_t now, int64_t deadline)
{
	bool shared = !rt->alone && handoff_shares_cpu(&rt->handoff);
	bool app_sleeps = rt->alone || handoff_app_sleeps(&rt->handoff);
	int64_t nap;

	if (deadline <= now)
		return;
	switch (idle_next(&rt->idle, now, shared, app_sleeps, &nap)) {
	case IDLE_LOOK:
		break;
	case IDLE_YIELD:
		sched_yield();
		break;
	case IDLE_NAP:
		doze(rt, HANDOFF_NAPPING, now, min(deadline, now + nap));
		break;
	case IDLE_SLEEP:
		doze(rt, HANDOFF_ASLEEP, now, nap == TIME_NEVER ? deadline : min(deadline, now + nap));
		break;
	}
}

static void
write_lines(struct runtime *rt, int64_t now)
{
	if (now < rt->next_line)
		return;
	rt->next_line = now + SEC(1);
	stat_board_update(rt->board, rt->core, stack_stats(rt->st));
	stat_board_print(rt->board, rt->core, now, stderr);
}

static void
wake_others(struct runtime *rt)
{
	uint64_t cores = stack_take_wakes(rt->st);

	if (cores)
		crew_wake(rt->crew, cores);
}

/* One step and its events.  Sharing a CPU, an application that was woken goes first. */
static int64_t
step(struct runtime *rt, int64_t now)
{
	uint64_t began = usage_cycles();
	int64_t deadline = stack_step(rt->st, now);

	if (stack_was_busy(rt->st))
		usage_busy(&rt->usage, began);
	wake_others(rt);
	if (stack_take_posted(rt->st)) {
		handoff_post(&rt->handoff);
		if (handoff_shares_cpu(&rt->handoff))
			sched_yield();
	}
	return deadline;
}

/* Whether the other processes live. */
static void
look_around(struct runtime *rt, int64_t now)
{
	if (now < rt->next_look)
		return;
	rt->next_look = now + crew_period(rt->crew);
	crew_look(rt->crew);
}

static void
run(struct runtime *rt, const _Atomic bool *end)
{
	while (!atomic_load_explicit(end, memory_order_acquire)) {
		int64_t now = handoff_now();
		int64_t deadline = step(rt, now);

		if (rt->board && !rt->alone) {
			write_lines(rt, now);
			deadline = min(deadline, rt->next_line);
		}
		if (rt->next_look != TIME_NEVER) {
			look_around(rt, now);
			deadline = min(deadline, rt->next_look);
		}
		if (stack_was_busy(rt->st))
			idle_busy(&rt->idle, now);
		else
			rest(rt, now, deadline);
	}
}

static void
tell_others(struct runtime *rt, enum hall_state state)
{
	if (rt->crew && hall_state(crew_hall(rt->crew), rt->seat) != state)
		hall_enter(crew_hall(rt->crew), rt->seat, state);
}

/* When all end at once: packets of others' last connections may come to this core. */
static bool
others_need_us(struct runtime *rt)
{
	tell_others(rt, HALL_QUIET);
	return rt->crew && crew_ends(rt->crew) &&
	       !hall_others_quiet(crew_hall(rt->crew), rt->seat);
}

/* Connections get a moment to finish; then they are reset. */
static void
wind_up(struct runtime *rt)
{
	int64_t now = handoff_now(), until = now + rt->stop_timeout_ns;

	tell_others(rt, HALL_LEAVES);
	stack_quiesce(rt->st, rt->stop_timeout_ns, now);
	while (!stack_is_quiet(rt->st, now) || (now < until && others_need_us(rt))) {
		int64_t deadline = stack_step(rt->st, now);

		wake_others(rt);
		handoff_rouse(&rt->handoff);
		if (!stack_was_busy(rt->st) && deadline > now)
			handoff_sleep(&rt->handoff, min(deadline, now + US(200)));
		now = handoff_now();
	}
	for (int i = 0; i < LAST_STEPS; i++)
		stack_step(rt->st, handoff_now());
}

/* Its own application has left; others' packets still come to its queues. */
static void
serve_others(struct runtime *rt)
{
	tell_others(rt, HALL_QUIET);
	if (rt->board)
		stat_board_leave(rt->board, rt->core);
	rt->alone = true;
	pthread_mutex_lock(&rt->lock);
	atomic_store(&rt->quiet, true);
	pthread_cond_signal(&rt->turned);
	pthread_mutex_unlock(&rt->lock);
	run(rt, &rt->relieved);
}

/* On this thread, which engines may know as theirs. */
static void
release_ports(struct runtime *rt)
{
	stack_delete(rt->st);
	for (unsigned i = 0; i < rt->n_ios; i++)
		rt->ios[i]->ops->close(rt->ios[i]);
}

static void *
thread_main(void *arg)
{
	struct runtime *rt = arg;

	prctl(PR_SET_NAME, "mtcp-stack");
	prctl(PR_SET_TIMERSLACK, 1ul);
	handoff_rouse(&rt->handoff);
	run(rt, &rt->stop);
	wind_up(rt);
	if (atomic_load(&rt->retires))
		serve_others(rt);
	release_ports(rt);
	if (rt->board)
		stat_board_handed(rt->board, rt->core, stack_stats(rt->st), stderr);
	if (rt->board && !rt->alone)
		stat_board_leave(rt->board, rt->core);
	return NULL;
}

/* -- set-up --------------------------------------------------------------- */

/* Address space only: pages come when they are touched, on the core's node. */
static int
memory_reserve(struct region *mem, size_t size, int node)
{
	void *p = mmap(NULL, size, PROT_READ | PROT_WRITE,
	               MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	if (p == MAP_FAILED)
		return -ENOMEM;
	if (node >= 0 && numa_available() >= 0)
		numa_tonode_memory(p, size, node);
	*mem = (struct region){ .base = p, .size = size };
	return 0;
}

static int
draw_secret(struct siphash_key *key)
{
	return getrandom(key, sizeof *key, 0) == (ssize_t)sizeof *key ? 0 : -EIO;
}

/* Of this machine since it was started, whatever the process and the core; peers
 * cannot know it.  Elsewhere than on Linux a secret is good enough. */
static struct siphash_key
host_key(const struct siphash_key *secret)
{
	static const struct siphash_key k0 = { 'c', 0 }, k1 = { 'c', 1 };
	FILE *f = fopen("/proc/sys/kernel/random/boot_id", "re");
	char id[64];
	size_t n;

	if (!f)
		return *secret;
	n = fread(id, 1, sizeof id, f);
	fclose(f);
	return n == 0 ? *secret
	              : (struct siphash_key){ siphash24(&k0, id, n), siphash24(&k1, id, n) };
}

/* A neighbour of arp.conf belongs to the port whose subnet it is in. */
static bool
in_subnet(const struct stack_port_cfg *port, const struct ip_addr *ip)
{
	for (unsigned i = 0; i < port->n_addrs; i++) {
		const struct stack_addr *a = &port->addr[i];
		unsigned bytes = a->prefix / 8, bits = a->prefix % 8;

		if (memcmp(a->ip.b, ip->b, bytes) == 0 &&
		    (bits == 0 || (a->ip.b[bytes] ^ ip->b[bytes]) >> (8 - bits) == 0))
			return true;
	}
	return false;
}

static void
add_neighbours(struct runtime *rt, const struct config *cfg)
{
	for (unsigned i = 0; i < cfg->n_arp; i++)
		for (unsigned p = 0; p < rt->n_ports; p++)
			if (in_subnet(&cfg->port[p].ip, &cfg->arp[i].ip))
				stack_neighbour(rt->st, p, &cfg->arp[i].ip, cfg->arp[i].mac);
}

static void
add_kernels(struct runtime *rt, const struct runtime_cfg *cfg)
{
	for (unsigned i = 0; cfg->kernels && i < cfg->n_ios; i++)
		if (cfg->kernels[i])
			except_begin(rt->st, i, cfg->kernels[i], cfg->config->exception_rate,
			             handoff_now());
}

/* The stack and the application's side of it, in memory of their own. */
static int
make_stack(struct runtime *rt, const struct runtime_cfg *cfg)
{
	struct stack_cfg *sc = malloc(sizeof *sc);
	int err;

	if (!sc)
		return -ENOMEM;
	*sc = cfg->config->stack;
	sc->core = rt->seat;
	sc->cores = rt->crew ? crew_hall(rt->crew)->cores : cfg->config->num_cores;
	sc->n_ports = cfg->n_ios;
	sc->deaf_ns = DEAF_NS;
	err = draw_secret(&sc->secret);
	sc->clock_key = host_key(&sc->secret);
	if (!err)
		err = memory_reserve(&rt->mem, stack_memory(sc), cfg->node);
	if (err)
		goto done;
	rt->st = stack_new(sc, &rt->mem, cfg->ios, handoff_now());
	if (rt->st && rt->crew && !stack_join(rt->st, crew_hall(rt->crew)))
		rt->st = NULL;
	rt->ch = rt->st ? stack_channel(rt->st) : NULL;
	if (rt->ch) {
		context_init(&rt->ctx, rt->ch, &rt->handoff.pair);
		add_neighbours(rt, cfg->config);
		add_kernels(rt, cfg);
	} else {
		munmap(rt->mem.base, rt->mem.size);
		err = -ENOMEM;
	}
done:
	free(sc);
	return err;
}

/* What, where, and what to do. */
static int
begin_failed(const struct runtime_cfg *cfg, unsigned port, int err)
{
	if (cfg->why)
		snprintf(cfg->why, cfg->why_size, "port %s: its queue gets no packets: %s; is the interface "
		         "still there, and made for several queues (ip tuntap: multi_queue)?",
		         cfg->config->port[port].name, strerror(-err));
	return err;
}

/* Ports that can wake the thread do so by a descriptor each. */
static int
watch_ports(struct runtime *rt, const struct runtime_cfg *cfg)
{
	rt->can_wait = true;
	for (unsigned i = 0; i < rt->n_ios; i++) {
		struct io *io = rt->ios[i];
		int err = io_begin(io), fd = io->ops->rx_fd ? io->ops->rx_fd(io) : -1;
		struct io_info info;

		if (err)
			return i < rt->n_ports ? begin_failed(cfg, i, err) : err;
		if (fd >= 0)
			err = handoff_watch(&rt->handoff, fd);
		if (err)
			return err;
		io->ops->info(io, &info);
		rt->can_wait = rt->can_wait && (fd >= 0 || info.queue == IO_NO_QUEUE);
	}
	return rt->crew ? handoff_watch_writes(&rt->handoff, crew_bell(rt->crew, rt->seat)) : 0;
}

static int
start_thread(struct runtime *rt)
{
	pthread_attr_t attr;
	sigset_t all, old;
	cpu_set_t cpus;
	int err;

	pthread_attr_init(&attr);
	if (rt->cpu >= 0) {
		CPU_ZERO(&cpus);
		CPU_SET((unsigned)rt->cpu, &cpus);
		pthread_attr_setaffinity_np(&attr, sizeof cpus, &cpus);
	}
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &old);
	err = pthread_create(&rt->thread, &attr, thread_main, rt);
	pthread_sigmask(SIG_SETMASK, &old, NULL);
	pthread_attr_destroy(&attr);
	return -err;
}

static struct runtime *
runtime_new(const struct runtime_cfg *cfg)
{
	struct runtime *rt = aligned_alloc(CACHE_LINE, align_up(sizeof *rt, CACHE_LINE));

	if (!rt)
		return NULL;
	memset(rt, 0, sizeof *rt);
	rt->n_ports = cfg->n_ios;
	for (unsigned i = 0; i < cfg->n_ios; i++)
		rt->ios[rt->n_ios++] = cfg->ios[i];
	for (unsigned i = 0; cfg->kernels && i < cfg->n_ios; i++)
		if (cfg->kernels[i])
			rt->ios[rt->n_ios++] = cfg->kernels[i];
	rt->core = cfg->core;
	rt->cpu = cfg->cpu;
	rt->board = cfg->board;
	rt->crew = cfg->crew;
	rt->seat = crew_first(cfg->crew) + cfg->core;
	rt->next_look = crew_period(cfg->crew) == TIME_NEVER ? TIME_NEVER : 0;
	pthread_mutex_init(&rt->lock, NULL);
	pthread_cond_init(&rt->turned, NULL);
	return rt;
}

int
runtime_start(const struct runtime_cfg *cfg, struct runtime **out)
{
	struct runtime *rt = runtime_new(cfg);
	int err;

	if (!rt)
		return -ENOMEM;
	err = handoff_init(&rt->handoff, cfg->config->spin_ns);
	if (err)
		goto no_handoff;
	usage_init(&rt->usage);
	err = make_stack(rt, cfg);
	if (err)
		goto no_stack;
	rt->ctx.runtime = rt;
	err = watch_ports(rt, cfg);
	if (err)
		goto no_thread;
	idle_init(&rt->idle, cfg->config->spin_ns, cfg->config->idle_poll_ns, rt->can_wait,
	          handoff_now());
	err = start_thread(rt);
	if (err)
		goto no_thread;
	*out = rt;
	return 0;
no_thread:
	stack_delete(rt->st);
	munmap(rt->mem.base, rt->mem.size);
no_stack:
	handoff_fini(&rt->handoff);
no_handoff:
	free(rt);
	return err;
}

/* -- the end -------------------------------------------------------------- */

void
runtime_stop_soon(struct runtime *rt, int64_t timeout_ns)
{
	rt->stop_timeout_ns = timeout_ns;
	atomic_store_explicit(&rt->stop, true, memory_order_release);
	handoff_kick(&rt->handoff);
}

void
runtime_retire(struct runtime *rt, int64_t timeout_ns)
{
	atomic_store(&rt->retires, true);
	runtime_stop_soon(rt, timeout_ns);
	pthread_mutex_lock(&rt->lock);
	while (!atomic_load(&rt->quiet))
		pthread_cond_wait(&rt->turned, &rt->lock);
	pthread_mutex_unlock(&rt->lock);
	context_fini(&rt->ctx);
}

void
runtime_relieve(struct runtime *rt)
{
	atomic_store_explicit(&rt->relieved, true, memory_order_release);
	handoff_kick(&rt->handoff);
}

void
runtime_join(struct runtime *rt)
{
	pthread_join(rt->thread, NULL);
}

void
runtime_free(struct runtime *rt)
{
	if (!atomic_load(&rt->retires))
		context_fini(&rt->ctx);
	handoff_fini(&rt->handoff);
	munmap(rt->mem.base, rt->mem.size);
	free(rt);
}

struct mtcp_context *
runtime_context(struct runtime *rt)
{
	return &rt->ctx;
}

struct runtime *
runtime_of(struct mtcp_context *ctx)
{
	return ctx->runtime;
}

unsigned
runtime_core(const struct runtime *rt)
{
	return rt->core;
}

const struct stack_stats *
runtime_stats(const struct runtime *rt)
{
	return stack_stats(rt->st);
}

/* CPU time of the stack's thread; 0 when the system cannot tell. */
static uint64_t
stack_cpu_ns(const struct runtime *rt)
{
	struct timespec ts = { 0 };
	clockid_t clock;

	if (pthread_getcpuclockid(rt->thread, &clock) != 0 || clock_gettime(clock, &ts) != 0)
		return 0;
	return (uint64_t)(SEC(ts.tv_sec) + ts.tv_nsec);
}

void
runtime_usage(const struct runtime *rt, struct mtcp_usage *out)
{
	usage_read(&rt->usage, out);
	out->steps = atomic_load_explicit(&runtime_stats(rt)->steps, memory_order_relaxed);
	out->stack_ns = stack_cpu_ns(rt);
}
