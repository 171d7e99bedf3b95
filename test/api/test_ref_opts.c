/* SPDX-License-Identifier: BSD-3-Clause */
/* Records of options, shared and not. */
#include "api/ref_opts.h"

#include "test/api/api_test.h"

void suite_ref_opts(void);

static void
test_who_sets_nothing_has_no_record(void)
{
	struct fake_stack f;
	int id;

	fake_init(&f);
	id = fake_connected(&f);
	CU_ASSERT_EQUAL(ref_opts(&f.ctx, ref_at(&f.ctx, (uint32_t)id))->snd_timeout_ms, 0);
	CU_ASSERT_PTR_NULL(f.ctx.opts);
	fake_fini(&f);
}

/* A listener's record is that of all it accepts, until one changes something: that one alone. */
static void
test_a_listeners_record_is_shared_until_one_changes_it(void)
{
	struct sockref *listener, *a, *b;
	struct fake_stack f;

	fake_init(&f);
	listener = ref_at(&f.ctx, (uint32_t)fake_connected(&f));
	a = ref_at(&f.ctx, (uint32_t)fake_connected(&f));
	b = ref_at(&f.ctx, (uint32_t)fake_connected(&f));
	ref_opts_own(&f.ctx, listener)->rcv_timeout_ms = 5;
	ref_opts_share(&f.ctx, a, listener);
	ref_opts_share(&f.ctx, b, listener);
	CU_ASSERT_EQUAL(a->opts, b->opts);
	ref_opts_own(&f.ctx, a)->rcv_timeout_ms = 6;
	CU_ASSERT_EQUAL(ref_opts(&f.ctx, a)->rcv_timeout_ms, 6);
	CU_ASSERT_EQUAL(ref_opts(&f.ctx, b)->rcv_timeout_ms, 5);
	CU_ASSERT_EQUAL(ref_opts(&f.ctx, listener)->rcv_timeout_ms, 5);
	ref_opts_drop(&f.ctx, listener);
	CU_ASSERT_EQUAL(ref_opts(&f.ctx, listener)->rcv_timeout_ms, 0);
	CU_ASSERT_EQUAL(ref_opts(&f.ctx, b)->rcv_timeout_ms, 5);
	fake_fini(&f);
}

/* What is dropped is used again, so the array grows with the sockets that need it, not with time. */
static void
test_a_record_is_used_again(void)
{
	struct fake_stack f;
	struct sockref *r;

	fake_init(&f);
	r = ref_at(&f.ctx, (uint32_t)fake_connected(&f));
	for (uint32_t i = 1; i < 1000; i++) {
		ref_opts_own(&f.ctx, r)->linger_s = i;
		CU_ASSERT_EQUAL(ref_opts(&f.ctx, r)->linger_s, i);
		CU_ASSERT_EQUAL(ref_opts(&f.ctx, r)->lowat, 0);
		ref_opts_drop(&f.ctx, r);
	}
	CU_ASSERT_EQUAL(f.ctx.n_opts, 64);
	fake_fini(&f);
}

static void
test_records_grow_with_the_sockets(void)
{
	enum { MANY = 200 };
	struct sockref many[MANY] = { 0 };
	struct fake_stack f;

	fake_init(&f);
	for (uint32_t i = 0; i < MANY; i++)
		ref_opts_own(&f.ctx, &many[i])->lowat = i;
	for (uint32_t i = 0; i < MANY; i++)
		CU_ASSERT_EQUAL(ref_opts(&f.ctx, &many[i])->lowat, i);
	for (uint32_t i = 0; i < MANY; i++)
		ref_opts_drop(&f.ctx, &many[i]);
	fake_fini(&f);
}

void
suite_ref_opts(void)
{
	CU_pSuite s = CU_add_suite("api/ref_opts", NULL, NULL);

	CU_add_test(s, "who sets nothing has no record", test_who_sets_nothing_has_no_record);
	CU_add_test(s, "a listener's record is shared until one changes it",
	            test_a_listeners_record_is_shared_until_one_changes_it);
	CU_add_test(s, "a record is used again", test_a_record_is_used_again);
	CU_add_test(s, "records grow with the sockets", test_records_grow_with_the_sockets);
}
