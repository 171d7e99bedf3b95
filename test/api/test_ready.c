/* SPDX-License-Identifier: BSD-3-Clause */
/* Readiness of a socket in each state of its life, as Linux's poll() shows it. */
#include "test/api/api_test.h"

#include "api/ready.h"
#include "mtcp_epoll.h"

void suite_ready(void);

#define IN    ((uint32_t)MTCP_EPOLLIN | (uint32_t)MTCP_EPOLLRDNORM)
#define OUT   ((uint32_t)MTCP_EPOLLOUT | (uint32_t)MTCP_EPOLLWRNORM)
#define HUP   ((uint32_t)MTCP_EPOLLHUP)
#define RDHUP ((uint32_t)MTCP_EPOLLRDHUP)
#define ERR   ((uint32_t)MTCP_EPOLLERR)
#define ALL   UINT32_C(0xffff)

/* Who does not ask for room sees the rest alike. */
static uint32_t
ready(struct fake_stack *f, int id)
{
	struct sockref *r = ref_at(&f->ctx, (uint32_t)id);
	uint32_t all = ready_events(&f->ctx, r, ALL);

	CU_ASSERT_EQUAL(ready_events(&f->ctx, r, ALL & ~OUT), all & ~OUT);
	CU_ASSERT_EQUAL(ready_events(&f->ctx, r, IN), all & IN);
	return all;
}

static void
test_before_a_connection(void)
{
	struct fake_stack f;
	struct sockaddr_in a = { .sin_family = AF_INET, .sin_port = 1 };
	int id;

	fake_init(&f);
	id = mtcp_socket(&f.ctx, AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
	CU_ASSERT_EQUAL(ready(&f, id), OUT | HUP);
	mtcp_connect(&f.ctx, id, (struct sockaddr *)&a, sizeof a);
	CU_ASSERT_EQUAL(ready(&f, id), 0);
	fake_step(&f);
	fake_error(&f, id, ECONNREFUSED);
	CU_ASSERT_EQUAL(ready(&f, id), IN | OUT | HUP | RDHUP | ERR);
	fake_fini(&f);
}

static void
test_text_shows(void)
{
	struct fake_stack f;
	char text[8];
	int id;

	fake_init(&f);
	id = fake_connected(&f);
	CU_ASSERT_EQUAL(ready(&f, id), OUT);
	fake_receive(&f, id, "text", 4);
	CU_ASSERT_EQUAL(ready(&f, id), IN | OUT);
	CU_ASSERT_EQUAL(mtcp_read(&f.ctx, id, text, 3), 3);
	CU_ASSERT_EQUAL(ready(&f, id), IN | OUT);
	CU_ASSERT_EQUAL(mtcp_read(&f.ctx, id, text, sizeof text), 1);
	CU_ASSERT_EQUAL(ready(&f, id), OUT);
	fake_fini(&f);
}

static void
test_half_closed_either_way(void)
{
	struct fake_stack f;
	int a, b;

	fake_init(&f);
	a = fake_connected(&f);
	b = fake_connected(&f);
	CU_ASSERT_EQUAL(ready(&f, a), OUT);
	mtcp_shutdown(&f.ctx, a, SHUT_WR);
	CU_ASSERT_EQUAL(ready(&f, a), OUT);
	fake_fin(&f, a);
	CU_ASSERT_EQUAL(ready(&f, a), IN | OUT | RDHUP | HUP);
	mtcp_shutdown(&f.ctx, b, SHUT_RD);
	CU_ASSERT_EQUAL(ready(&f, b), IN | OUT | RDHUP);
	fake_fini(&f);
}

static void
test_urgent_text_shows_as_pri(void)
{
	struct fake_stack f;
	char c;
	int id;

	fake_init(&f);
	id = fake_connected(&f);
	fake_fact(&f, id, SOCK_URGENT); /* the first byte is it */
	CU_ASSERT_EQUAL(ready(&f, id), OUT);
	fake_receive(&f, id, "!", 1);
	CU_ASSERT_EQUAL(ready(&f, id), OUT | MTCP_EPOLLPRI);
	CU_ASSERT_EQUAL(mtcp_recv(&f.ctx, id, &c, 1, MSG_OOB), 1);
	CU_ASSERT_EQUAL(ready(&f, id), OUT);
	fake_fini(&f);
}

/* Who wants to write hears of room; who does not costs the stack nothing. */
static void
test_room_is_asked_for_only_when_wanted(void)
{
	static char big[FAKE_SND_LIMIT];
	struct fake_stack f;
	struct sock *s;
	int id;

	fake_init(&f);
	id = fake_connected(&f);
	s = &f.ch.socks[id];
	CU_ASSERT_EQUAL(mtcp_write(&f.ctx, id, big, sizeof big), sizeof big);
	CU_ASSERT_EQUAL(ready_events(&f.ctx, ref_at(&f.ctx, (uint32_t)id), IN), 0);
	CU_ASSERT_EQUAL(atomic_load(&s->want_space), 0);
	CU_ASSERT_EQUAL(ready_events(&f.ctx, ref_at(&f.ctx, (uint32_t)id), OUT), 0);
	CU_ASSERT_EQUAL(ready_events(&f.ctx, ref_at(&f.ctx, (uint32_t)id), OUT), 0);
	CU_ASSERT_EQUAL(atomic_load(&s->want_space), 1);
	fake_take(&f, id, NULL, UINT32_MAX);
	context_drain(&f.ctx);
	CU_ASSERT_EQUAL(ready_events(&f.ctx, ref_at(&f.ctx, (uint32_t)id), OUT), OUT);
	fake_fini(&f);
}

void
suite_ready(void)
{
	CU_pSuite s = CU_add_suite("api/ready", NULL, NULL);

	CU_add_test(s, "before a connection", test_before_a_connection);
	CU_add_test(s, "text shows", test_text_shows);
	CU_add_test(s, "half closed, either way", test_half_closed_either_way);
	CU_add_test(s, "urgent text shows as PRI", test_urgent_text_shows_as_pri);
	CU_add_test(s, "room is asked for only when wanted",
	            test_room_is_asked_for_only_when_wanted);
}
