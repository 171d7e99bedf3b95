/* SPDX-License-Identifier: BSD-3-Clause */
/* mtcp_poll(). */
#include "test/api/api_test.h"

#include <poll.h>

#include "mtcp_epoll.h"

void suite_api_poll(void);

static void
test_it_tells_who_is_ready(void)
{
	struct fake_stack f;
	struct mtcp_pollfd p[4];

	fake_init(&f);
	p[0] = (struct mtcp_pollfd){ fake_connected(&f), POLLIN, -1 };
	p[1] = (struct mtcp_pollfd){ fake_connected(&f), POLLIN | POLLOUT, -1 };
	p[2] = (struct mtcp_pollfd){ -1, POLLIN, -1 };
	p[3] = (struct mtcp_pollfd){ 4711, POLLIN, -1 };
	fake_receive(&f, p[1].sockid, "x", 1);
	CU_ASSERT_EQUAL(mtcp_poll(&f.ctx, p, 4, 0), 2);
	CU_ASSERT_EQUAL(p[0].revents, 0);
	CU_ASSERT_EQUAL(p[1].revents, POLLIN | POLLOUT);
	CU_ASSERT_EQUAL(p[2].revents, 0);
	CU_ASSERT_EQUAL(p[3].revents, POLLNVAL);
	fake_fini(&f);
}

static void
text_comes(struct fake_stack *f, void *arg)
{
	f->now += MS(2);
	fake_receive(f, *(int *)arg, "x", 1);
}

static void
test_it_waits(void)
{
	struct fake_stack f;
	struct mtcp_pollfd p;
	int64_t began;

	fake_init(&f);
	p = (struct mtcp_pollfd){ fake_connected(&f), POLLIN, 0 };
	began = f.now;
	CU_ASSERT_EQUAL(mtcp_poll(&f.ctx, &p, 1, 5), 0);
	CU_ASSERT_EQUAL(f.now - began, MS(5));
	fake_on_wait(&f, text_comes, &p.sockid);
	CU_ASSERT_EQUAL(mtcp_poll(&f.ctx, &p, 1, -1), 1);
	CU_ASSERT_EQUAL(f.now - began, MS(7));
	p.events = 0;
	FAILS_WITH(mtcp_poll(&f.ctx, &p, 1, -1), EINTR);
	CU_ASSERT_EQUAL(mtcp_poll(&f.ctx, NULL, 0, 3), 0);
	FAILS_WITH(mtcp_poll(&f.ctx, NULL, 1, 3), EFAULT);
	FAILS_WITH(mtcp_poll(NULL, &p, 1, 3), EINVAL);
	fake_fini(&f);
}

/* Errors and hang-ups are told whether asked for or not. */
static void
test_errors_need_not_be_asked_for(void)
{
	struct fake_stack f;
	struct mtcp_pollfd p;

	fake_init(&f);
	p = (struct mtcp_pollfd){ fake_connected(&f), 0, 0 };
	fake_error(&f, p.sockid, ECONNRESET);
	CU_ASSERT_EQUAL(mtcp_poll(&f.ctx, &p, 1, -1), 1);
	CU_ASSERT_EQUAL(p.revents, POLLERR | POLLHUP);
	fake_fini(&f);
}

void
suite_api_poll(void)
{
	CU_pSuite s = CU_add_suite("api/api_poll", NULL, NULL);

	CU_add_test(s, "it tells who is ready", test_it_tells_who_is_ready);
	CU_add_test(s, "it waits", test_it_waits);
	CU_add_test(s, "errors need not be asked for", test_errors_need_not_be_asked_for);
}
