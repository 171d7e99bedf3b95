/* SPDX-License-Identifier: BSD-3-Clause */
/* Registrations by the thousand, compared with a plain list. */
#include "test/api/api_test.h"

#include "api/epoll_set.h"
#include "base/rng.h"

void suite_epoll_set(void);

#define SETS  20u
#define SOCKS 12u

static int
count(const struct list *l)
{
	int n = 0;

	list_for_each(it, l)
		n++;
	return n;
}

/* Random add, del, close, new: the sets always hold exactly what a table says. */
static void
test_registrations_are_kept_exactly(void)
{
	struct fake_stack f;
	struct epoll *ep[SETS];
	bool in[SETS][SOCKS] = { { false } };
	struct mtcp_epoll_event ev = { .events = MTCP_EPOLLIN };
	struct rng rng = { 1 };
	int id[SOCKS];

	fake_init(&f);
	for (unsigned i = 0; i < SETS; i++)
		ep[i] = epoll_set_new();
	for (unsigned i = 0; i < SOCKS; i++)
		id[i] = fake_connected(&f);
	for (int step = 0; step < 20000; step++) {
		unsigned e = rng_below(&rng, SETS), s = rng_below(&rng, SOCKS);
		struct sockref *r = ref_at(&f.ctx, (uint32_t)id[s]);

		switch (rng_below(&rng, 20)) {
		case 0:
			epoll_set_forget(&f.ctx, r);
			for (unsigned i = 0; i < SETS; i++)
				in[i][s] = false;
			break;
		case 1:
			epoll_set_delete(&f.ctx, ep[e]);
			ep[e] = epoll_set_new();
			memset(in[e], 0, sizeof in[e]);
			break;
		case 2:
			epoll_set_notify(&f.ctx, r);
			break;
		case 3: case 4: case 5: case 6: case 7: case 8:
			CU_ASSERT_EQUAL(epoll_set_del(&f.ctx, ep[e], r), in[e][s] ? 0 : ENOENT);
			in[e][s] = false;
			break;
		default:
			CU_ASSERT_EQUAL(epoll_set_add(&f.ctx, ep[e], r, &ev), in[e][s] ? EEXIST : 0);
			in[e][s] = true;
			break;
		}
		for (unsigned i = 0, n = 0; i < SOCKS; i++)
			if ((n += in[e][i]), i == SOCKS - 1)
				CU_ASSERT_EQUAL((unsigned)count(&ep[e]->members), n);
	}
	for (unsigned i = 0; i < SETS; i++)
		epoll_set_delete(&f.ctx, ep[i]);
	fake_fini(&f);
}

static void
test_nothing_ready_is_nothing_reported(void)
{
	struct fake_stack f;
	struct mtcp_epoll_event ev = { .events = MTCP_EPOLLIN };
	struct epoll *ep = epoll_set_new();
	int id;

	fake_init(&f);
	id = fake_connected(&f);
	CU_ASSERT_EQUAL(epoll_set_add(&f.ctx, ep, ref_at(&f.ctx, (uint32_t)id), &ev), 0);
	epoll_set_notify(&f.ctx, ref_at(&f.ctx, (uint32_t)id));
	CU_ASSERT_FALSE(list_empty(&ep->ready));
	CU_ASSERT_EQUAL(epoll_set_collect(&f.ctx, ep, &ev, 1), 0);
	CU_ASSERT_TRUE(list_empty(&ep->ready));
	epoll_set_delete(&f.ctx, ep);
	fake_fini(&f);
}

void
suite_epoll_set(void)
{
	CU_pSuite s = CU_add_suite("api/epoll_set", NULL, NULL);

	CU_add_test(s, "registrations are kept exactly", test_registrations_are_kept_exactly);
	CU_add_test(s, "nothing ready is nothing reported", test_nothing_ready_is_nothing_reported);
}
