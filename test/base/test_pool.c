/* SPDX-License-Identifier: BSD-3-Clause */
#include <CUnit/CUnit.h>
#include <signal.h>
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/pool.h"
#include "base/rng.h"
#include "test/base/memory.h"

void suite_pool(void);

static void
test_all_come_out_once(void)
{
	struct region mem = memory_new(4096);
	struct pool p;
	bool seen[7] = { false };

	CU_ASSERT_TRUE(pool_init(&p, &mem, 24, 7));
	for (int i = 0; i < 7; i++) {
		void *obj = pool_get(&p);
		uint32_t index = pool_index(&p, obj);

		CU_ASSERT_FALSE(seen[index]);
		seen[index] = true;
		CU_ASSERT_PTR_EQUAL(pool_at(&p, index), obj);
		memset(obj, 0xff, 24);
	}
	CU_ASSERT_PTR_NULL(pool_get(&p));
	CU_ASSERT_EQUAL(p.used, 7);
	memory_free(&mem);
}

static void
test_last_freed_comes_first(void)
{
	struct region mem = memory_new(4096);
	struct pool p;
	void *a, *b;

	CU_ASSERT_TRUE(pool_init(&p, &mem, 64, 7));
	a = pool_get(&p);
	b = pool_get(&p);
	pool_put(&p, a);
	pool_put(&p, b);
	CU_ASSERT_EQUAL(p.used, 0);
	CU_ASSERT_PTR_EQUAL(pool_get(&p), b);
	CU_ASSERT_PTR_EQUAL(pool_get(&p), a);
	CU_ASSERT_EQUAL(p.fresh, 2);
	memory_free(&mem);
}

static void
test_unused_objects_are_never_touched(void)
{
	struct region mem = memory_new(64 * 100);
	struct pool p;

	memset(mem.base, 0x77, mem.size);
	CU_ASSERT_TRUE(pool_init(&p, &mem, 64, 100));
	for (int i = 0; i < 1000; i++)
		pool_put(&p, pool_get(&p));
	for (size_t i = 64; i < mem.size; i++)
		if (mem.base[i] != 0x77)
			CU_FAIL("touched");
	memory_free(&mem);
}

static void
test_lines_are_aligned(void)
{
	struct region mem = memory_new(4096);
	struct pool p;

	CU_ASSERT_PTR_NOT_NULL(region_take(&mem, 3));
	CU_ASSERT_TRUE(pool_init(&p, &mem, 128, 3));
	for (int i = 0; i < 3; i++)
		CU_ASSERT_EQUAL((uintptr_t)pool_get(&p) % CACHE_LINE, 0);
	CU_ASSERT_TRUE(pool_init(&p, &mem, 1, 3)); /* a link must fit */
	CU_ASSERT_EQUAL(p.stride, sizeof(void *));
	memory_free(&mem);
}

static void
test_region_too_small(void)
{
	struct region mem = memory_new(640), counting = { 0 };
	struct pool p;

	CU_ASSERT_FALSE(pool_init(&p, &mem, 64, 11));
	CU_ASSERT_FALSE(pool_init(&p, &mem, 2048, UINT32_MAX));
	CU_ASSERT_TRUE(pool_init(&p, &mem, 64, 10));
	CU_ASSERT_FALSE(pool_init(&p, &counting, 60, 10));
	CU_ASSERT_EQUAL(counting.used, 640);
	memory_free(&mem);
}

/* Objects hold their own mark while they are out: none is out twice. */
static bool
run(uint64_t seed)
{
	struct region mem = memory_new(64 * 24);
	struct rng rng = { seed };
	uint64_t *out[64];
	uint32_t n = 0;
	bool good = true;
	struct pool p;

	good = pool_init(&p, &mem, 24, 64);
	for (int i = 0; i < 1000 && good; i++) {
		if (rng_below(&rng, 2)) {
			uint64_t *obj = pool_get(&p);

			good = (obj == NULL) == (n == 64);
			if (obj) {
				for (int w = 0; w < 3; w++)
					obj[w] = pool_index(&p, obj);
				out[n++] = obj;
			}
		} else if (n > 0) {
			uint32_t pick = rng_below(&rng, n);
			uint64_t *obj = out[pick], mark = pool_index(&p, obj);

			good = obj[0] == mark && obj[1] == mark && obj[2] == mark;
			out[pick] = out[--n];
			pool_put(&p, obj);
		}
		good = good && p.used == n;
	}
	memory_free(&mem);
	return good;
}

static void
test_no_object_is_out_twice(void)
{
	for (uint64_t seed = 1; seed <= 20; seed++)
		if (!run(seed)) {
			CU_FAIL("seed");
			printf("\n  seed %llu\n", (unsigned long long)seed);
		}
}

/* -- what builds with MTCP_CHECKS notice ----------------------------------- */

#ifdef MTCP_CHECKS
enum { CHECKS = 1 };
#else
enum { CHECKS = 0 };
#endif

static void
put_twice(struct pool *p)
{
	void *a = pool_get(p), *b = pool_get(p);

	pool_put(p, a);
	pool_put(p, b);
	pool_put(p, a);
}

static void
write_after_put(struct pool *p)
{
	uint8_t *a = pool_get(p);

	pool_put(p, a);
	a[20] = 1;
	pool_get(p);
}

/* Content that happens to be the pattern is no crime. */
static void
write_the_pattern(struct pool *p)
{
	void *a = pool_get(p);

	memset(a, 0xa5, 24);
	pool_put(p, a);
	pool_put(p, pool_get(p));
}

/* Whether `crime`, done in a child, ends by assertion. */
static bool
dies(void (*crime)(struct pool *))
{
	struct region mem = memory_new(4096);
	int status = 0;
	struct pool p;
	pid_t child;

	pool_init(&p, &mem, 24, 7);
	child = fork();
	if (child == 0) {
		close(STDERR_FILENO);
		crime(&p);
		_exit(0);
	}
	waitpid(child, &status, 0);
	memory_free(&mem);
	return WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT;
}

static void
test_checks_notice_misuse(void)
{
	CU_ASSERT_EQUAL(dies(put_twice), CHECKS);
	CU_ASSERT_EQUAL(dies(write_after_put), CHECKS);
	CU_ASSERT_FALSE(dies(write_the_pattern));
}

void
suite_pool(void)
{
	CU_pSuite s = CU_add_suite("pool", NULL, NULL);

	CU_add_test(s, "all objects come out once", test_all_come_out_once);
	CU_add_test(s, "the last freed comes out first", test_last_freed_comes_first);
	CU_add_test(s, "unused objects are never touched",
	            test_unused_objects_are_never_touched);
	CU_add_test(s, "objects the size of lines are aligned to lines",
	            test_lines_are_aligned);
	CU_add_test(s, "a region too small is noticed", test_region_too_small);
	CU_add_test(s, "no object is out twice", test_no_object_is_out_twice);
	CU_add_test(s, "builds with checks notice misuse, others bear it",
	            test_checks_notice_misuse);
}
