/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Costs that shaped this: across CPUs a wake-up takes 5 us and a look 0.1 us,
 * so the application looks for a while first if its stack is awake elsewhere.
 * On one CPU a look can find nothing new, and a futex hands over in 1 us.
 */
#include "api/handoff.h"

#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include <linux/futex.h>
#include <linux/membarrier.h>

#define CREDIT_MAX 8

int64_t
handoff_now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return SEC(ts.tv_sec) + ts.tv_nsec;
}

static struct timespec
timespec_of(int64_t ns)
{
	return (struct timespec){ .tv_sec = ns / NS_PER_S, .tv_nsec = ns % NS_PER_S };
}

static struct handoff *
of_pair(struct pair *p)
{
	return container_of(p, struct handoff, pair);
}

/* An eventfd never refuses 1 before it holds 2^64 - 2. */
static void
ring(int fd)
{
	uint64_t one = 1;

	(void)!write(fd, &one, sizeof one);
}

static void
silence(int fd)
{
	uint64_t n;

	(void)!read(fd, &n, sizeof n);
}

static void
cpu_relax(void)
{
#if defined(__x86_64__)
	__builtin_ia32_pause();
#endif
}

static void
note_cpu(_Atomic int *where)
{
	int cpu = sched_getcpu();

	if (cpu != atomic_load_explicit(where, memory_order_relaxed))
		atomic_store_explicit(where, cpu, memory_order_relaxed);
}

bool
handoff_shares_cpu(struct handoff *h)
{
	return atomic_load_explicit(&h->app_cpu, memory_order_relaxed) ==
	       atomic_load_explicit(&h->stack_cpu, memory_order_relaxed);
}

/* -- the application's side ----------------------------------------------- */

static void
wake_now(struct handoff *h)
{
	if (atomic_exchange_explicit(&h->stack_asleep, HANDOFF_AWAKE, memory_order_seq_cst) !=
	    HANDOFF_AWAKE)
		ring(h->stack_fd);
}

/* What was left for the stack stands before the look at its flag. */
static void
op_wake_stack(struct pair *p)
{
	struct handoff *h = of_pair(p);
	uint32_t how;

	if (unlikely(h->fences))
		fence_full();
	else
		atomic_signal_fence(memory_order_seq_cst);
	how = atomic_load_explicit(&h->stack_asleep, memory_order_relaxed);
	if (how == HANDOFF_ASLEEP)
		wake_now(h);
	else if (how == HANDOFF_NAPPING)
		h->owes_wake = true;
}

static uint32_t
op_posted(struct pair *p)
{
	return atomic_load_explicit(&of_pair(p)->posted, memory_order_seq_cst);
}

static int64_t
op_now(struct pair *p)
{
	(void)p;
	return handoff_now();
}

static bool
moved_on(struct handoff *h, uint32_t seen)
{
	return atomic_load_explicit(&h->posted, memory_order_seq_cst) != seen;
}

/* Looks until `until`, as long as the stack is at work on another CPU. */
static bool
look(struct handoff *h, uint32_t seen, int64_t until)
{
	do {
		for (int i = 0; i < 20; i++) {
			if (moved_on(h, seen))
				return true;
			cpu_relax();
		}
		if (atomic_load_explicit(&h->stack_asleep, memory_order_relaxed) != HANDOFF_AWAKE)
			return false;
	} while (handoff_now() < until);
	return false;
}

/* As idle.c does for the stack: looking that has not paid lately is cut short. */
static bool
spin(struct handoff *h, uint32_t seen)
{
	if (h->spin_ns == 0 || handoff_shares_cpu(h))
		return false;
	if (look(h, seen, handoff_now() + (h->credit ? h->spin_ns : h->spin_ns / 8))) {
		h->credit = CREDIT_MAX;
		return true;
	}
	if (h->credit > 0)
		h->credit--;
	return false;
}

/* Always with a time: then a signal handler ends it even under SA_RESTART. */
static int
futex_sleep(_Atomic uint32_t *flag, int64_t deadline)
{
	struct timespec ts = timespec_of(deadline);

	if (syscall(SYS_futex, flag, FUTEX_WAIT_BITSET_PRIVATE, 1, &ts, NULL,
	            FUTEX_BITSET_MATCH_ANY) == 0)
		return 0;
	return errno == EAGAIN ? 0 : -errno;
}

static int
sleep_until(struct handoff *h, uint32_t seen, int64_t deadline)
{
	int err = 0;

	while (err == 0 && !moved_on(h, seen)) {
		atomic_exchange_explicit(&h->app_asleep, 1, memory_order_seq_cst);
		if (!moved_on(h, seen))
			err = futex_sleep(&h->app_asleep, deadline);
	}
	atomic_store_explicit(&h->app_asleep, 0, memory_order_relaxed);
	return moved_on(h, seen) ? 0 : err;
}

static int
op_wait(struct pair *p, uint32_t seen, int64_t deadline)
{
	struct handoff *h = of_pair(p);
	int err;

	note_cpu(&h->app_cpu);
	if (h->owes_wake) {
		h->owes_wake = false;
		wake_now(h);
	}
	if (moved_on(h, seen))
		return 0;
	if (deadline <= 0) {
		if (handoff_shares_cpu(h))
			sched_yield();
		return moved_on(h, seen) ? 0 : -ETIMEDOUT;
	}
	if (spin(h, seen))
		return 0;
	err = sleep_until(h, seen, deadline);
	note_cpu(&h->app_cpu);
	return err;
}

/* -- its descriptor ------------------------------------------------------- */

static int
op_fd(struct pair *p)
{
	struct handoff *h = of_pair(p);

	if (h->app_fd < 0)
		h->app_fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
	return h->app_fd;
}

static void
op_ring(struct pair *p)
{
	struct handoff *h = of_pair(p);

	if (atomic_exchange_explicit(&h->armed, 0, memory_order_seq_cst))
		ring(h->app_fd);
}

static void
op_disarm(struct pair *p)
{
	struct handoff *h = of_pair(p);

	/* Whoever took `armed` back may ring only later: silence in any case. */
	atomic_exchange_explicit(&h->armed, 0, memory_order_seq_cst);
	silence(h->app_fd);
}

static bool
op_arm(struct pair *p, uint32_t seen)
{
	struct handoff *h = of_pair(p);

	if (h->owes_wake) {
		h->owes_wake = false;
		wake_now(h);
	}
	atomic_exchange_explicit(&h->armed, 1, memory_order_seq_cst);
	if (!moved_on(h, seen))
		return true;
	op_disarm(p);
	return false;
}

static const struct pair_ops handoff_ops = {
	.wake_stack = op_wake_stack,
	.posted = op_posted,
	.wait = op_wait,
	.now = op_now,
	.fd = op_fd,
	.arm = op_arm,
	.ring = op_ring,
	.disarm = op_disarm,
};

/* -- the stack's side ----------------------------------------------------- */

void
handoff_post(struct handoff *h)
{
	uint32_t n = atomic_load_explicit(&h->posted, memory_order_relaxed) + 1;

	atomic_store_explicit(&h->posted, n, memory_order_seq_cst);
	if (atomic_load_explicit(&h->app_asleep, memory_order_seq_cst) &&
	    atomic_exchange_explicit(&h->app_asleep, 0, memory_order_seq_cst))
		syscall(SYS_futex, &h->app_asleep, FUTEX_WAKE_PRIVATE, 1, NULL, NULL, 0);
	if (atomic_load_explicit(&h->armed, memory_order_seq_cst))
		op_ring(&h->pair);
}

bool
handoff_app_sleeps(struct handoff *h)
{
	return atomic_load_explicit(&h->app_asleep, memory_order_relaxed) ||
	       atomic_load_explicit(&h->armed, memory_order_relaxed);
}

static int
watch(struct handoff *h, int fd, uint32_t events)
{
	struct epoll_event ev = { .events = events, .data.fd = fd };

	return epoll_ctl(h->epoll_fd, EPOLL_CTL_ADD, fd, &ev) ? -errno : 0;
}

int
handoff_watch(struct handoff *h, int fd)
{
	return watch(h, fd, EPOLLIN);
}

int
handoff_watch_writes(struct handoff *h, int fd)
{
	return watch(h, fd, EPOLLIN | EPOLLET);
}

/* Whoever has left something has seen our flag since, or we see what it has left.  False: the
 * call has been forbidden meanwhile (seccomp(2)), and nobody can sleep any more. */
static bool
all_fenced(const struct handoff *h)
{
	return h->fences || syscall(SYS_membarrier, MEMBARRIER_CMD_PRIVATE_EXPEDITED, 0, 0) == 0;
}

bool
handoff_doze(struct handoff *h, enum handoff_sleep how, struct spsc *jobs)
{
	note_cpu(&h->stack_cpu);
	atomic_exchange_explicit(&h->stack_asleep, how, memory_order_seq_cst);
	if (!spsc_ready(jobs) && all_fenced(h) && !spsc_ready(jobs))
		return true;
	handoff_rouse(h);
	return false;
}

void
handoff_sleep(struct handoff *h, int64_t deadline)
{
	struct epoll_event ev[HANDOFF_FDS_MAX + 1];
	struct timespec ts, *timeout = NULL;
	int n;

	if (deadline != TIME_NEVER) {
		ts = timespec_of(max(deadline - handoff_now(), INT64_C(0)));
		timeout = &ts;
	}
	n = epoll_pwait2(h->epoll_fd, ev, (int)array_len(ev), timeout, NULL);
	for (int i = 0; i < n; i++)
		if (ev[i].data.fd == h->stack_fd)
			silence(h->stack_fd);
}

void
handoff_rouse(struct handoff *h)
{
	atomic_store_explicit(&h->stack_asleep, HANDOFF_AWAKE, memory_order_relaxed);
	note_cpu(&h->stack_cpu);
}

void
handoff_kick(struct handoff *h)
{
	ring(h->stack_fd);
}

/* -- set-up --------------------------------------------------------------- */

int
handoff_init(struct handoff *h, int64_t spin_ns)
{
	int err;

	memset(h, 0, sizeof *h);
	h->pair.ops = &handoff_ops;
	h->spin_ns = spin_ns;
	h->app_fd = -1;
	h->credit = CREDIT_MAX;
	h->fences = syscall(SYS_membarrier, MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED, 0, 0) != 0;
	atomic_store_explicit(&h->stack_cpu, -1, memory_order_relaxed);
	note_cpu(&h->app_cpu);
	h->stack_fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
	if (h->stack_fd < 0)
		return -errno;
	h->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
	if (h->epoll_fd < 0) {
		err = -errno;
		goto no_epoll;
	}
	err = handoff_watch(h, h->stack_fd);
	if (err)
		goto no_watch;
	return 0;
no_watch:
	close(h->epoll_fd);
no_epoll:
	close(h->stack_fd);
	return err;
}

void
handoff_fini(struct handoff *h)
{
	if (h->app_fd >= 0)
		close(h->app_fd);
	close(h->epoll_fd);
	close(h->stack_fd);
}
