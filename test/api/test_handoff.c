/* SPDX-License-Identifier: BSD-3-Clause */
/* Sleep and wake.  Two threads where it takes two; no test depends on how fast. */
#include <CUnit/CUnit.h>

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <stdlib.h>
#include <unistd.h>

#include "api/handoff.h"

void suite_handoff(void);

struct fixture {
	struct handoff h;
	struct spsc jobs;
	void *mem;
};

static struct fixture *
fixture_new(void)
{
	struct fixture *f = aligned_alloc(CACHE_LINE, align_up(sizeof *f, CACHE_LINE));
	struct region r = { .size = 4096 };

	CU_ASSERT_PTR_NOT_NULL_FATAL(f);
	memset((void *)f, 0, sizeof *f);
	CU_ASSERT_EQUAL_FATAL(handoff_init(&f->h, 0), 0);
	f->mem = r.base = aligned_alloc(CACHE_LINE, r.size);
	CU_ASSERT_FATAL(spsc_init(&f->jobs, &r, 16));
	return f;
}

static void
fixture_free(struct fixture *f)
{
	handoff_fini(&f->h);
	free(f->mem);
	free(f);
}

static uint32_t
posted(struct fixture *f)
{
	return pair_posted(&f->h.pair);
}

static int
wait_until(struct fixture *f, uint32_t seen, int64_t deadline)
{
	return f->h.pair.ops->wait(&f->h.pair, seen, deadline);
}

static void
test_a_post_before_the_wait_is_not_slept_through(void)
{
	struct fixture *f = fixture_new();
	uint32_t seen = posted(f);

	CU_ASSERT_EQUAL(wait_until(f, seen, 0), -ETIMEDOUT);
	CU_ASSERT_EQUAL(wait_until(f, seen, handoff_now() + MS(2)), -ETIMEDOUT);
	handoff_post(&f->h);
	CU_ASSERT_EQUAL(wait_until(f, seen, TIME_NEVER), 0);
	CU_ASSERT_EQUAL(wait_until(f, posted(f), 1), -ETIMEDOUT);
	fixture_free(f);
}

static void
test_a_job_before_the_doze_is_not_slept_through(void)
{
	struct fixture *f = fixture_new();
	uint64_t word;

	CU_ASSERT_TRUE(handoff_doze(&f->h, HANDOFF_ASLEEP, &f->jobs));
	handoff_rouse(&f->h);
	spsc_push(&f->jobs, 1);
	CU_ASSERT_FALSE(handoff_doze(&f->h, HANDOFF_ASLEEP, &f->jobs));
	CU_ASSERT_EQUAL(atomic_load(&f->h.stack_asleep), HANDOFF_AWAKE);
	spsc_pop(&f->jobs, &word);
	fixture_free(f);
}

/* Whether a sleep with this deadline ended early. */
static bool
woken(struct fixture *f)
{
	int64_t deadline = handoff_now() + SEC(100);

	handoff_sleep(&f->h, deadline);
	return handoff_now() < deadline;
}

static void
test_requests_wake_a_sleeper_and_spare_a_napper(void)
{
	struct fixture *f = fixture_new();

	CU_ASSERT_TRUE(handoff_doze(&f->h, HANDOFF_ASLEEP, &f->jobs));
	f->h.pair.ops->wake_stack(&f->h.pair);
	CU_ASSERT_TRUE(woken(f));
	CU_ASSERT_TRUE(handoff_doze(&f->h, HANDOFF_NAPPING, &f->jobs));
	f->h.pair.ops->wake_stack(&f->h.pair);
	CU_ASSERT_EQUAL(atomic_load(&f->h.stack_asleep), HANDOFF_NAPPING);
	handoff_sleep(&f->h, handoff_now() + US(10));
	/* The end of the application's turn is when it counts. */
	CU_ASSERT_EQUAL(wait_until(f, posted(f), 0), -ETIMEDOUT);
	CU_ASSERT_TRUE(woken(f));
	handoff_rouse(&f->h);
	handoff_kick(&f->h);
	CU_ASSERT_TRUE(woken(f));
	fixture_free(f);
}

static void
test_the_descriptor_rings_once_when_armed(void)
{
	struct fixture *f = fixture_new();
	const struct pair_ops *ops = f->h.pair.ops;
	struct pollfd p = { .events = POLLIN };

	p.fd = ops->fd(&f->h.pair);
	CU_ASSERT_FATAL(p.fd >= 0);
	CU_ASSERT_EQUAL(ops->fd(&f->h.pair), p.fd);
	handoff_post(&f->h);
	CU_ASSERT_EQUAL(poll(&p, 1, 0), 0);
	CU_ASSERT_FALSE(ops->arm(&f->h.pair, posted(f) - 1));
	CU_ASSERT_TRUE(ops->arm(&f->h.pair, posted(f)));
	CU_ASSERT_TRUE(handoff_app_sleeps(&f->h));
	CU_ASSERT_EQUAL(poll(&p, 1, 0), 0);
	handoff_post(&f->h);
	handoff_post(&f->h);
	CU_ASSERT_EQUAL(poll(&p, 1, 0), 1);
	ops->disarm(&f->h.pair);
	CU_ASSERT_EQUAL(poll(&p, 1, 0), 0);
	CU_ASSERT_FALSE(handoff_app_sleeps(&f->h));
	CU_ASSERT_TRUE(ops->arm(&f->h.pair, posted(f)));
	ops->ring(&f->h.pair);
	CU_ASSERT_EQUAL(poll(&p, 1, 0), 1);
	fixture_free(f);
}

static void
test_a_watched_descriptor_ends_the_sleep(void)
{
	struct fixture *f = fixture_new();
	int p[2];

	CU_ASSERT_EQUAL_FATAL(pipe(p), 0);
	CU_ASSERT_EQUAL(handoff_watch(&f->h, p[0]), 0);
	CU_ASSERT_EQUAL(write(p[1], "x", 1), 1);
	CU_ASSERT_TRUE(woken(f));
	close(p[0]);
	close(p[1]);
	CU_ASSERT_EQUAL(handoff_watch(&f->h, 9999), -EBADF);
	fixture_free(f);
}

#define TURNS 20000u

/* The other side: answers each job by a post, and sleeps in between. */
static void *
answer(void *arg)
{
	struct fixture *f = arg;
	uint64_t word = 0;

	while (word < TURNS) {
		if (spsc_pop(&f->jobs, &word)) {
			handoff_post(&f->h);
		} else if (handoff_doze(&f->h, HANDOFF_ASLEEP, &f->jobs)) {
			handoff_sleep(&f->h, TIME_NEVER);
			handoff_rouse(&f->h);
		}
	}
	return NULL;
}

/* A lost wake-up would stop this for ever. */
static void
test_no_wake_up_is_lost(void)
{
	struct fixture *f = fixture_new();
	pthread_t t;

	CU_ASSERT_EQUAL_FATAL(pthread_create(&t, NULL, answer, f), 0);
	for (uint64_t i = 1; i <= TURNS; i++) {
		uint32_t seen = posted(f);

		spsc_push(&f->jobs, i);
		f->h.pair.ops->wake_stack(&f->h.pair);
		while (posted(f) == seen)
			wait_until(f, seen, TIME_NEVER);
	}
	pthread_join(t, NULL);
	CU_ASSERT_EQUAL(posted(f), TURNS);
	fixture_free(f);
}

void
suite_handoff(void)
{
	CU_pSuite s = CU_add_suite("api/handoff", NULL, NULL);

	CU_add_test(s, "a post before the wait is not slept through",
	            test_a_post_before_the_wait_is_not_slept_through);
	CU_add_test(s, "a job before the doze is not slept through",
	            test_a_job_before_the_doze_is_not_slept_through);
	CU_add_test(s, "requests wake a sleeper and spare a napper",
	            test_requests_wake_a_sleeper_and_spare_a_napper);
	CU_add_test(s, "the descriptor rings once when armed",
	            test_the_descriptor_rings_once_when_armed);
	CU_add_test(s, "a watched descriptor ends the sleep",
	            test_a_watched_descriptor_ends_the_sleep);
	CU_add_test(s, "no wake-up is lost", test_no_wake_up_is_lost);
}
