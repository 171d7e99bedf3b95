/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Workers and the thread that waits for them.  Workers tell their end through
 * an eventfd, so that signals, ends and seconds are one poll().
 */
#include "apps/app_run.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <sys/signalfd.h>
#include <time.h>
#include <unistd.h>

struct crew;

struct worker {
	struct crew *crew;
	pthread_t thread;
	int index;
	int core;
	int status;
};

struct crew {
	struct app_run *run;
	int signal_fd;
	int done_fd;
	int started;
	int finished;
	struct worker worker[APP_CORES_MAX];
};

static sigset_t
ending_signals(void)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGHUP);
	return set;
}

void
app_block_signals(void)
{
	sigset_t set = ending_signals();

	pthread_sigmask(SIG_BLOCK, &set, NULL);
	signal(SIGPIPE, SIG_IGN);
}

bool
app_stopping(struct app_run *run)
{
	return atomic_load_explicit(&run->stopping, memory_order_relaxed);
}

static void
stop(struct app_run *run)
{
	atomic_store_explicit(&run->stopping, true, memory_order_relaxed);
}

void
app_ready(struct app_run *run)
{
	if (atomic_fetch_add(&run->n_ready, 1) + 1 == run->workers && run->ready)
		run->ready(run);
}

/* ---- a worker ------------------------------------------------------------ */

/* One line that is easy to take apart. */
static void
print_usage(const struct worker *w, mctx_t ctx)
{
	struct mtcp_usage u;

	if (mtcp_getusage(ctx, &u) != 0)
		return;
	printf("%s: usage core=%d steps=%llu busy_steps=%llu busy_cycles=%llu cycles_per_s=%llu "
	       "stack_ns=%llu app_ns=%llu\n",
	       w->crew->run->args->name, w->core, (unsigned long long)u.steps,
	       (unsigned long long)u.busy_steps, (unsigned long long)u.busy_cycles,
	       (unsigned long long)u.cycles_per_s, (unsigned long long)u.stack_ns,
	       (unsigned long long)u.app_ns);
	fflush(stdout);
}

static int
work_on_core(struct worker *w)
{
	struct app_run *run = w->crew->run;
	mctx_t ctx;
	int status;

	if (mtcp_core_affinitize(w->core) != 0)
		app_error(run->args, "core %d: cannot run there, so anywhere: %m", w->core);
	ctx = mtcp_create_context(w->core);
	if (!ctx) {
		app_error(run->args, "core %d: cannot create a context: %m", w->core);
		return -1;
	}
	status = run->work(run, ctx, w->index, w->core);
	if (run->args->usage)
		print_usage(w, ctx);
	mtcp_destroy_context(ctx);
	return status;
}

static void *
worker_main(void *arg)
{
	struct worker *w = arg;

	w->status = work_on_core(w);
	if (w->status != 0)
		stop(w->crew->run);
	eventfd_write(w->crew->done_fd, 1);
	return NULL;
}

/* Those that started run on when one cannot: they are told to stop. */
static int
start_workers(struct crew *k)
{
	const struct app_args *a = k->run->args;

	while (k->started < k->run->workers) {
		struct worker *w = &k->worker[k->started];
		int error;

		*w = (struct worker){.crew = k, .index = k->started};
		w->core = a->core >= 0 ? a->core : k->started;
		error = pthread_create(&w->thread, NULL, worker_main, w);
		if (error) {
			errno = error;
			app_error(a, "core %d: cannot start a thread: %m", w->core);
			stop(k->run);
			return -1;
		}
		k->started++;
	}
	return 0;
}

/* ---- the main thread ----------------------------------------------------- */

static int64_t
now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

static void
take_signal(struct crew *k)
{
	struct signalfd_siginfo info;

	if (read(k->signal_fd, &info, sizeof(info)) != (ssize_t)sizeof(info))
		return;
	if (k->run->signalled) {
		app_error(k->run->args, "a second signal: leaving at once");
		_exit(EXIT_FAILURE);
	}
	k->run->signalled = true;
	stop(k->run);
}

static void
take_ends(struct crew *k)
{
	eventfd_t n;

	if (eventfd_read(k->done_fd, &n) == 0)
		k->finished += (int)n;
}

static void
wait_for_workers(struct crew *k)
{
	struct pollfd fds[] = {{k->signal_fd, POLLIN, 0}, {k->done_fd, POLLIN, 0}};
	int64_t next = now_ms() + 1000;

	while (k->finished < k->started) {
		int64_t left = next - now_ms();

		if (left <= 0) {
			if (k->run->tick)
				k->run->tick(k->run);
			next += 1000;
			continue;
		}
		if (poll(fds, 2, (int)left) <= 0)
			continue;
		if (fds[0].revents)
			take_signal(k);
		if (fds[1].revents)
			take_ends(k);
	}
}

static int
open_descriptors(struct crew *k)
{
	sigset_t set = ending_signals();

	k->signal_fd = signalfd(-1, &set, SFD_CLOEXEC);
	k->done_fd = eventfd(0, EFD_CLOEXEC);
	if (k->signal_fd >= 0 && k->done_fd >= 0)
		return 0;
	app_error(k->run->args, "cannot open descriptors for signals: %m");
	return -1;
}

static int
run_crew(struct crew *k)
{
	int status;

	if (open_descriptors(k) != 0)
		return -1;
	status = start_workers(k);
	wait_for_workers(k);
	for (int i = 0; i < k->started; i++) {
		pthread_join(k->worker[i].thread, NULL);
		if (k->worker[i].status != 0)
			status = -1;
	}
	return status;
}

int
app_run(struct app_run *run)
{
	struct crew *k = calloc(1, sizeof(*k));
	int status;

	if (!k) {
		app_error(run->args, "out of memory");
		return -1;
	}
	k->run = run;
	k->signal_fd = k->done_fd = -1;
	status = run_crew(k);
	if (k->signal_fd >= 0)
		close(k->signal_fd);
	if (k->done_fd >= 0)
		close(k->done_fd);
	free(k);
	return status;
}
