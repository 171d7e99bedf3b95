/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * How fast the counter counts is not asked of the processor, whose answer differs from
 * maker to maker, but seen from the pair's life so far: exact after a moment.
 */
#include "api/usage.h"

#include <time.h>

#define CYCLES_UNKNOWN UINT64_C(1) /* of a life that is too short to tell */

static int64_t
clock_ns(clockid_t id)
{
	struct timespec ts = { 0 };

	clock_gettime(id, &ts);
	return SEC(ts.tv_sec) + ts.tv_nsec;
}

uint64_t
usage_cycles(void)
{
#if defined(__x86_64__)
	return __builtin_ia32_rdtsc();
#else
	return (uint64_t)clock_ns(CLOCK_MONOTONIC);
#endif
}

void
usage_init(struct usage *u)
{
	*u = (struct usage){ .cycles_then = usage_cycles() };
	u->ns_then = clock_ns(CLOCK_MONOTONIC);
	u->app_ns_then = clock_ns(CLOCK_THREAD_CPUTIME_ID);
}

static void
add(_Atomic uint64_t *v, uint64_t n)
{
	atomic_store_explicit(v, atomic_load_explicit(v, memory_order_relaxed) + n,
	                      memory_order_relaxed);
}

void
usage_busy(struct usage *u, uint64_t began)
{
	add(&u->busy_steps, 1);
	add(&u->busy_cycles, usage_cycles() - began);
}

static uint64_t
cycles_per_s(const struct usage *u)
{
	double cycles = (double)(usage_cycles() - u->cycles_then);
	int64_t ns = clock_ns(CLOCK_MONOTONIC) - u->ns_then;

	return ns > 0 ? (uint64_t)(cycles * (double)NS_PER_S / (double)ns) : CYCLES_UNKNOWN;
}

void
usage_read(const struct usage *u, struct mtcp_usage *out)
{
	*out = (struct mtcp_usage){
		.busy_steps = atomic_load_explicit(&u->busy_steps, memory_order_relaxed),
		.busy_cycles = atomic_load_explicit(&u->busy_cycles, memory_order_relaxed),
		.cycles_per_s = cycles_per_s(u),
		.app_ns = (uint64_t)(clock_ns(CLOCK_THREAD_CPUTIME_ID) - u->app_ns_then),
	};
}
