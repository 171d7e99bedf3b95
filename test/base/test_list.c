/* SPDX-License-Identifier: BSD-3-Clause */
#include <CUnit/CUnit.h>

#include "base/list.h"

void suite_list(void);

struct item {
	int value;
	struct link link;
};

/* Whether the list holds exactly the digits of `want`, both ways. */
static bool
holds(const struct list *l, const char *want)
{
	size_t len = strlen(want), i = 0;

	list_for_each(n, l) if (i == len || container_of(n, struct item, link)->value !=
	                                        want[i++] - '0') return false;
	for (struct link *n = l->head.prev; n != &l->head; n = n->prev)
		if (i == 0 || container_of(n, struct item, link)->value != want[--i] - '0')
			return false;
	return i == 0 && list_empty(l) == (len == 0);
}

static void
items_init(struct item *it, int n)
{
	for (int i = 0; i < n; i++)
		it[i] = (struct item){ .value = i };
}

static void
test_links_know_whether_they_are_on_a_list(void)
{
	struct item it[1];
	struct list l;

	items_init(it, 1);
	list_init(&l);
	CU_ASSERT_FALSE(link_on_list(&it[0].link));
	link_remove(&it[0].link); /* on none: fine */
	list_push_back(&l, &it[0].link);
	CU_ASSERT_TRUE(link_on_list(&it[0].link));
	link_remove(&it[0].link);
	CU_ASSERT_FALSE(link_on_list(&it[0].link));
	CU_ASSERT_TRUE(holds(&l, ""));
}

static void
test_both_ends(void)
{
	struct item it[4];
	struct list l;

	items_init(it, 4);
	list_init(&l);
	CU_ASSERT_PTR_NULL(list_first(&l));
	CU_ASSERT_PTR_NULL(list_last(&l));
	CU_ASSERT_PTR_NULL(list_pop_front(&l));
	list_push_back(&l, &it[1].link);
	list_push_back(&l, &it[2].link);
	list_push_front(&l, &it[0].link);
	link_insert_after(&it[1].link, &it[3].link);
	CU_ASSERT_TRUE(holds(&l, "0132"));
	CU_ASSERT_PTR_EQUAL(list_first(&l), &it[0].link);
	CU_ASSERT_PTR_EQUAL(list_last(&l), &it[2].link);
	CU_ASSERT_PTR_EQUAL(list_pop_front(&l), &it[0].link);
	CU_ASSERT_FALSE(link_on_list(&it[0].link));
	CU_ASSERT_TRUE(holds(&l, "132"));
}

static void
test_the_current_link_may_go_inside_the_loop(void)
{
	struct item it[5];
	struct list l;

	items_init(it, 5);
	list_init(&l);
	for (int i = 0; i < 5; i++)
		list_push_back(&l, &it[i].link);
	list_for_each(n, &l) if (container_of(n, struct item, link)->value % 2 == 0)
	    link_remove(n);
	CU_ASSERT_TRUE(holds(&l, "13"));
}

static void
test_splicing_moves_all(void)
{
	struct item it[4];
	struct list a, b;

	items_init(it, 4);
	list_init(&a);
	list_init(&b);
	list_splice_back(&a, &b);
	CU_ASSERT_TRUE(holds(&a, ""));
	list_push_back(&b, &it[0].link);
	list_push_back(&b, &it[1].link);
	list_splice_back(&a, &b); /* to an empty one */
	CU_ASSERT_TRUE(holds(&a, "01"));
	CU_ASSERT_TRUE(holds(&b, ""));
	list_push_back(&b, &it[2].link);
	list_push_back(&b, &it[3].link);
	list_splice_back(&a, &b);
	CU_ASSERT_TRUE(holds(&a, "0123"));
	CU_ASSERT_TRUE(holds(&b, ""));
}

static void
test_the_front_is_cut_off(void)
{
	struct item it[4];
	struct list l;

	items_init(it, 4);
	list_init(&l);
	for (unsigned i = 0; i < 4; i++)
		list_push_back(&l, &it[i].link);
	list_cut_front(&l, &it[1].link);
	CU_ASSERT_TRUE(holds(&l, "23"));
	it[0].link = (struct link){ NULL, NULL };
	list_push_front(&l, &it[0].link);
	CU_ASSERT_TRUE(holds(&l, "023"));
	list_cut_front(&l, &it[3].link);
	CU_ASSERT_TRUE(holds(&l, ""));
	CU_ASSERT_TRUE(list_empty(&l));
}

void
suite_list(void)
{
	CU_pSuite s = CU_add_suite("list", NULL, NULL);

	CU_add_test(s, "links know whether they are on a list",
	            test_links_know_whether_they_are_on_a_list);
	CU_add_test(s, "things come and go at both ends", test_both_ends);
	CU_add_test(s, "the current link may be removed inside the loop",
	            test_the_current_link_may_go_inside_the_loop);
	CU_add_test(s, "splicing moves all", test_splicing_moves_all);
	CU_add_test(s, "the front is cut off in one go", test_the_front_is_cut_off);
}
