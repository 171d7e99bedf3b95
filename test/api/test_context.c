/* SPDX-License-Identifier: BSD-3-Clause */
/* Traffic with the stack: calls, chunks, deadlines. */
#include "test/api/api_test.h"

void suite_context(void);

static void
test_a_call_waits_for_its_answer(void)
{
	struct fake_stack f;
	int id;

	fake_init(&f);
	id = mtcp_socket(&f.ctx, AF_INET, SOCK_STREAM, 0);
	f.ch.call.option = TCP_OPTION_TTL;
	f.ch.call.value = 7;
	CU_ASSERT_EQUAL(context_call(&f.ctx, SOCK_CALL_SET, &f.ch.socks[id]), 0);
	CU_ASSERT_EQUAL(atomic_load(&f.ch.call.asked), atomic_load(&f.ch.call.done));
	CU_ASSERT_EQUAL(f.sock[id].option[TCP_OPTION_TTL], 7);
	fake_fini(&f);
}

static void
test_a_wait_maps_what_ended_it(void)
{
	struct fake_stack f;

	fake_init(&f);
	FAILS_WITH(context_wait(&f.ctx, f.posted, f.now + MS(1)), EAGAIN);
	FAILS_WITH(context_wait(&f.ctx, f.posted, TIME_NEVER), EINTR);
	CU_ASSERT_EQUAL(context_wait(&f.ctx, f.posted - 1, TIME_NEVER), 0);
	CU_ASSERT_EQUAL(context_deadline(&f.ctx, 0), TIME_NEVER);
	CU_ASSERT_EQUAL(context_deadline(&f.ctx, 5), f.now + MS(5));
	fake_fini(&f);
}

static void
test_chunks_go_up_in_batches_and_all_before_a_wait(void)
{
	static char big[CHUNK_SIZE * 8];
	struct fake_stack f;
	int id;
	uint64_t word;

	fake_init(&f);
	id = fake_connected(&f);
	for (int i = 0; i < 10; i++) {
		fake_receive(&f, id, big, sizeof big);
		CU_ASSERT_EQUAL(mtcp_read(&f.ctx, id, big, sizeof big), sizeof big);
	}
	CU_ASSERT(f.ctx.spent.n < CHANNEL_BATCH);
	CU_ASSERT(spsc_ready(&f.ch.chunks_up));
	f.ctx.pair->ops->wake_stack(f.ctx.pair);
	context_wait(&f.ctx, f.posted, 0);
	CU_ASSERT_EQUAL(f.ctx.spent.n, 0);
	while (spsc_pop(&f.ch.chunks_up, &word))
		CU_FAIL("the stack has taken them all");
	fake_fini(&f);
}

static void
test_requests_wake_the_stack_once_per_turn(void)
{
	struct fake_stack f;
	unsigned before;
	int id;

	fake_init(&f);
	id = fake_connected(&f);
	fake_step(&f);
	before = f.wakes;
	for (int i = 0; i < 10; i++)
		CU_ASSERT_EQUAL(mtcp_write(&f.ctx, id, "x", 1), 1);
	CU_ASSERT_EQUAL(f.wakes, before + 1);
	fake_fini(&f);
}

static void
test_a_missing_context_is_invalid(void)
{
	CU_ASSERT_FALSE(context_usable(NULL));
	CU_ASSERT_EQUAL(errno, EINVAL);
}

void
suite_context(void)
{
	CU_pSuite s = CU_add_suite("api/context", NULL, NULL);

	CU_add_test(s, "a call waits for its answer", test_a_call_waits_for_its_answer);
	CU_add_test(s, "a wait maps what ended it", test_a_wait_maps_what_ended_it);
	CU_add_test(s, "chunks go up in batches, and all before a wait",
	            test_chunks_go_up_in_batches_and_all_before_a_wait);
	CU_add_test(s, "requests wake the stack once per turn",
	            test_requests_wake_the_stack_once_per_turn);
	CU_add_test(s, "a missing context is invalid", test_a_missing_context_is_invalid);
}
