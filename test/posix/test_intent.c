/* SPDX-License-Identifier: BSD-3-Clause */
/* What is kept of a socket without a side. */
#include <CUnit/CUnit.h>
#include <errno.h>
#include <sys/epoll.h>

#include "posix/intent.h"
#include "test/posix/two_sides.h"

void suite_intent(void);

static void
test_options_are_kept_in_the_order_of_their_last_setting(void)
{
	struct intent *it = intent_new(AF_INET, false);
	int one = 1, two = 2;

	CU_ASSERT_PTR_NOT_NULL_FATAL(it);
	CU_ASSERT_EQUAL(intent_option(it, 1, 10, &one, sizeof one), 0);
	CU_ASSERT_EQUAL(intent_option(it, 6, 10, &one, sizeof one), 0);
	CU_ASSERT_EQUAL(intent_option(it, 1, 10, &two, sizeof two), 0);
	CU_ASSERT_EQUAL(it->options->level, 6);
	CU_ASSERT_EQUAL(it->options->next->level, 1);
	CU_ASSERT_EQUAL(memcmp(it->options->next->val, &two, sizeof two), 0);
	CU_ASSERT_PTR_NULL(it->options->next->next);
	intent_free(it);
}

static void
test_the_unspecified_address_is_known_in_both_families(void)
{
	static const char *const ip[] = { "0.0.0.0", "::", "10.0.0.1", "::1" };

	for (unsigned i = 0; i < array_len(ip); i++) {
		struct sockaddr_storage a = two_sides_address(ip[i], 80);
		struct intent *it = intent_new(a.ss_family, false);

		CU_ASSERT_PTR_NOT_NULL_FATAL(it);
		CU_ASSERT_FALSE(intent_is_bound_to_any(it));
		CU_ASSERT_FALSE(intent_bind(it, (struct sockaddr *)&a, sizeof a + 1));
		CU_ASSERT_FALSE(it->bound);
		CU_ASSERT_TRUE(intent_bind(it, (struct sockaddr *)&a, sizeof a));
		CU_ASSERT_EQUAL(intent_is_bound_to_any(it), i < 2);
		intent_free(it);
	}
}

static void
test_each_poller_watches_once(void)
{
	struct intent *it = intent_new(AF_INET, true);
	struct poller *one = (void *)it, *two = (void *)&one;

	CU_ASSERT_PTR_NOT_NULL_FATAL(it);
	CU_ASSERT_EQUAL(intent_watch(it, one, EPOLL_CTL_MOD, 1, 1), -ENOENT);
	CU_ASSERT_EQUAL(intent_watch(it, one, EPOLL_CTL_DEL, 1, 1), -ENOENT);
	CU_ASSERT_EQUAL(intent_watch(it, one, EPOLL_CTL_ADD, 1, 11), 0);
	CU_ASSERT_EQUAL(intent_watch(it, one, EPOLL_CTL_ADD, 1, 12), -EEXIST);
	CU_ASSERT_EQUAL(intent_watch(it, two, EPOLL_CTL_ADD, 1, 13), 0);
	CU_ASSERT_EQUAL(intent_watch(it, one, EPOLL_CTL_MOD, 4, 14), 0);
	CU_ASSERT_EQUAL(intent_watch(it, one, 77, 4, 14), -EINVAL);
	CU_ASSERT_EQUAL(it->watches->events, 4);
	CU_ASSERT_EQUAL(it->watches->data, 14);
	CU_ASSERT_EQUAL(intent_watch(it, one, EPOLL_CTL_DEL, 0, 0), 0);
	CU_ASSERT_PTR_EQUAL(it->watches->poller, two);
	intent_forget_poller(it, one);
	intent_forget_poller(it, two);
	CU_ASSERT_PTR_NULL(it->watches);
	intent_free(it);
	intent_free(NULL);
}

void
suite_intent(void)
{
	CU_pSuite s = CU_add_suite("intent", NULL, NULL);

	CU_add_test(s, "options are kept in the order of their last setting",
	            test_options_are_kept_in_the_order_of_their_last_setting);
	CU_add_test(s, "the unspecified address is known in both families",
	            test_the_unspecified_address_is_known_in_both_families);
	CU_add_test(s, "each poller watches once", test_each_poller_watches_once);
}
