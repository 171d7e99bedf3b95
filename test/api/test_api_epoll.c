/* SPDX-License-Identifier: BSD-3-Clause */
/* The epoll calls, as a program sees them. */
#include "test/api/api_test.h"

#include "mtcp_epoll.h"

void suite_api_epoll(void);

#define IN  ((uint32_t)MTCP_EPOLLIN)
#define OUT ((uint32_t)MTCP_EPOLLOUT)
#define HUP ((uint32_t)MTCP_EPOLLHUP)
#define ERR ((uint32_t)MTCP_EPOLLERR)
#define ET  ((uint32_t)MTCP_EPOLLET)

static int
ctl(struct fake_stack *f, int ep, int op, int id, uint32_t events)
{
	struct mtcp_epoll_event ev = { .events = events, .data.sockid = id };

	return mtcp_epoll_ctl(&f->ctx, ep, op, id, &ev);
}

static int
add(struct fake_stack *f, int ep, int id, uint32_t events)
{
	return ctl(f, ep, MTCP_EPOLL_CTL_ADD, id, events);
}

/* The events of the only ready socket, 0 for none; fails when it is not `id`. */
static uint32_t
ready(struct fake_stack *f, int ep, int id)
{
	struct mtcp_epoll_event ev[4];
	int n = mtcp_epoll_wait(&f->ctx, ep, ev, 4, 0);

	if (n == 0)
		return 0;
	CU_ASSERT_EQUAL(n, 1);
	CU_ASSERT_EQUAL(ev[0].data.sockid, id);
	return ev[0].events;
}

static void
test_wrong_use_is_refused(void)
{
	struct fake_stack f;
	struct mtcp_epoll_event ev = { .events = IN };
	int ep, ep2, id;

	fake_init(&f);
	FAILS_WITH(mtcp_epoll_create(&f.ctx, 0), EINVAL);
	FAILS_WITH(mtcp_epoll_create1(&f.ctx, 1), EINVAL);
	ep = mtcp_epoll_create(&f.ctx, 10);
	ep2 = mtcp_epoll_create1(&f.ctx, 0);
	id = fake_connected(&f);
	FAILS_WITH(add(&f, id, ep, IN), EINVAL);
	FAILS_WITH(add(&f, ep, ep, IN), EINVAL);
	FAILS_WITH(add(&f, ep, ep2, IN), EPERM);
	FAILS_WITH(add(&f, ep, 999, IN), EBADF);
	FAILS_WITH(add(&f, 999, id, IN), EBADF);
	FAILS_WITH(ctl(&f, ep, MTCP_EPOLL_CTL_MOD, id, IN), ENOENT);
	FAILS_WITH(ctl(&f, ep, MTCP_EPOLL_CTL_DEL, id, IN), ENOENT);
	FAILS_WITH(ctl(&f, ep, 17, id, IN), EINVAL);
	FAILS_WITH(mtcp_epoll_ctl(&f.ctx, ep, MTCP_EPOLL_CTL_ADD, id, NULL), EFAULT);
	CU_ASSERT_EQUAL(add(&f, ep, id, IN), 0);
	FAILS_WITH(add(&f, ep, id, IN), EEXIST);
	CU_ASSERT_EQUAL(mtcp_epoll_ctl(&f.ctx, ep, MTCP_EPOLL_CTL_DEL, id, NULL), 0);
	FAILS_WITH(mtcp_epoll_wait(&f.ctx, ep, &ev, 0, 0), EINVAL);
	FAILS_WITH(mtcp_epoll_wait(&f.ctx, ep, NULL, 1, 0), EFAULT);
	FAILS_WITH(mtcp_epoll_wait(&f.ctx, id, &ev, 1, 0), EINVAL);
	FAILS_WITH(mtcp_read(&f.ctx, ep, (char *)&ev, 1), EINVAL);
	FAILS_WITH(mtcp_listen(&f.ctx, ep, 1), ENOTSOCK);
	fake_fini(&f);
}

static void
test_level_triggered_stays_until_it_is_over(void)
{
	struct fake_stack f;
	char buf[8];
	int ep, id;

	fake_init(&f);
	ep = mtcp_epoll_create(&f.ctx, 1);
	id = fake_connected(&f);
	CU_ASSERT_EQUAL(add(&f, ep, id, IN), 0);
	CU_ASSERT_EQUAL(ready(&f, ep, id), 0);
	fake_receive(&f, id, "abc", 3);
	CU_ASSERT_EQUAL(ready(&f, ep, id), IN);
	CU_ASSERT_EQUAL(ready(&f, ep, id), IN);
	CU_ASSERT_EQUAL(mtcp_read(&f.ctx, id, buf, 2), 2);
	CU_ASSERT_EQUAL(ready(&f, ep, id), IN);
	CU_ASSERT_EQUAL(mtcp_read(&f.ctx, id, buf, 2), 1);
	CU_ASSERT_EQUAL(ready(&f, ep, id), 0);
	fake_fini(&f);
}

static void
test_edge_triggered_tells_each_arrival_once(void)
{
	struct fake_stack f;
	int ep, id;

	fake_init(&f);
	ep = mtcp_epoll_create(&f.ctx, 1);
	id = fake_connected(&f);
	CU_ASSERT_EQUAL(add(&f, ep, id, IN | ET), 0);
	fake_receive(&f, id, "abc", 3);
	CU_ASSERT_EQUAL(ready(&f, ep, id), IN);
	CU_ASSERT_EQUAL(ready(&f, ep, id), 0);
	fake_receive(&f, id, "d", 1);
	CU_ASSERT_EQUAL(ready(&f, ep, id), IN);
	CU_ASSERT_EQUAL(ready(&f, ep, id), 0);
	fake_fini(&f);
}

static void
test_what_is_ready_when_added_or_changed_counts(void)
{
	struct fake_stack f;
	int ep, id;

	fake_init(&f);
	ep = mtcp_epoll_create(&f.ctx, 1);
	id = fake_connected(&f);
	fake_receive(&f, id, "abc", 3);
	context_drain(&f.ctx);
	CU_ASSERT_EQUAL(add(&f, ep, id, IN | ET), 0);
	CU_ASSERT_EQUAL(ready(&f, ep, id), IN);
	CU_ASSERT_EQUAL(ready(&f, ep, id), 0);
	CU_ASSERT_EQUAL(ctl(&f, ep, MTCP_EPOLL_CTL_MOD, id, IN | OUT | ET), 0);
	CU_ASSERT_EQUAL(ready(&f, ep, id), IN | OUT);
	CU_ASSERT_EQUAL(ready(&f, ep, id), 0);
	CU_ASSERT_EQUAL(ctl(&f, ep, MTCP_EPOLL_CTL_MOD, id, OUT), 0);
	CU_ASSERT_EQUAL(ready(&f, ep, id), OUT);
	fake_fini(&f);
}

static void
test_oneshot_fires_once_until_modified(void)
{
	struct fake_stack f;
	int ep, id;

	fake_init(&f);
	ep = mtcp_epoll_create(&f.ctx, 1);
	id = fake_connected(&f);
	CU_ASSERT_EQUAL(add(&f, ep, id, IN | MTCP_EPOLLONESHOT), 0);
	fake_receive(&f, id, "abc", 3);
	CU_ASSERT_EQUAL(ready(&f, ep, id), IN);
	fake_receive(&f, id, "abc", 3);
	fake_error(&f, id, ECONNRESET);
	CU_ASSERT_EQUAL(ready(&f, ep, id), 0);
	CU_ASSERT_EQUAL(ctl(&f, ep, MTCP_EPOLL_CTL_MOD, id, IN | MTCP_EPOLLONESHOT), 0);
	CU_ASSERT_EQUAL(ready(&f, ep, id), IN | ERR | HUP);
	CU_ASSERT_EQUAL(ready(&f, ep, id), 0);
	fake_fini(&f);
}

static void
test_one_entry_carries_all_events(void)
{
	struct fake_stack f;
	int ep, id;

	fake_init(&f);
	ep = mtcp_epoll_create(&f.ctx, 1);
	id = fake_connected(&f);
	CU_ASSERT_EQUAL(add(&f, ep, id, IN | OUT | MTCP_EPOLLRDHUP), 0);
	fake_receive(&f, id, "abc", 3);
	fake_fin(&f, id);
	CU_ASSERT_EQUAL(ready(&f, ep, id), IN | OUT | MTCP_EPOLLRDHUP);
	mtcp_shutdown(&f.ctx, id, SHUT_WR);
	CU_ASSERT_EQUAL(ready(&f, ep, id), IN | OUT | MTCP_EPOLLRDHUP | HUP);
	fake_fini(&f);
}

static void
test_err_and_hup_need_not_be_asked_for(void)
{
	struct fake_stack f;
	int ep, id, err;
	socklen_t len = sizeof err;

	fake_init(&f);
	ep = mtcp_epoll_create(&f.ctx, 1);
	id = fake_connected(&f);
	CU_ASSERT_EQUAL(add(&f, ep, id, 0), 0);
	CU_ASSERT_EQUAL(ready(&f, ep, id), 0);
	fake_error(&f, id, ETIMEDOUT);
	CU_ASSERT_EQUAL(ready(&f, ep, id), ERR | HUP);
	CU_ASSERT_EQUAL(mtcp_getsockopt(&f.ctx, id, SOL_SOCKET, SO_ERROR, &err, &len), 0);
	CU_ASSERT_EQUAL(err, ETIMEDOUT);
	CU_ASSERT_EQUAL(ready(&f, ep, id), HUP);
	fake_fini(&f);
}

static void
test_a_connect_shows_as_out(void)
{
	struct fake_stack f;
	struct sockaddr_in a = { .sin_family = AF_INET, .sin_port = 5 };
	int ep, id;

	fake_init(&f);
	ep = mtcp_epoll_create(&f.ctx, 1);
	id = mtcp_socket(&f.ctx, AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
	FAILS_WITH(mtcp_connect(&f.ctx, id, (struct sockaddr *)&a, sizeof a), EINPROGRESS);
	CU_ASSERT_EQUAL(add(&f, ep, id, IN | OUT | ET), 0);
	CU_ASSERT_EQUAL(ready(&f, ep, id), 0);
	fake_establish(&f, id);
	CU_ASSERT_EQUAL(ready(&f, ep, id), OUT);
	fake_fini(&f);
}

static void
test_a_full_buffer_is_writable_again_below_two_thirds(void)
{
	struct fake_stack f;
	static char big[FAKE_SND_LIMIT];
	int ep, id;

	fake_init(&f);
	ep = mtcp_epoll_create(&f.ctx, 1);
	id = fake_connected(&f);
	CU_ASSERT_EQUAL(mtcp_write(&f.ctx, id, big, sizeof big), sizeof big);
	CU_ASSERT_EQUAL(add(&f, ep, id, OUT), 0);
	CU_ASSERT_EQUAL(ready(&f, ep, id), 0);
	fake_take(&f, id, NULL, FAKE_SND_LIMIT / 4);
	CU_ASSERT_EQUAL(ready(&f, ep, id), 0);
	fake_take(&f, id, NULL, FAKE_SND_LIMIT / 4);
	CU_ASSERT_EQUAL(ready(&f, ep, id), OUT);
	fake_fini(&f);
}

static void
test_a_listener_is_readable_while_connections_wait(void)
{
	struct fake_stack f;
	int ep, l;

	fake_init(&f);
	ep = mtcp_epoll_create(&f.ctx, 1);
	l = fake_listener(&f, 80);
	CU_ASSERT_EQUAL(add(&f, ep, l, IN), 0);
	CU_ASSERT_EQUAL(ready(&f, ep, l), 0);
	fake_accept(&f, l, 1);
	fake_accept(&f, l, 2);
	CU_ASSERT_EQUAL(ready(&f, ep, l), IN);
	CU_ASSERT(mtcp_accept(&f.ctx, l, NULL, NULL) >= 0);
	CU_ASSERT_EQUAL(ready(&f, ep, l), IN);
	CU_ASSERT(mtcp_accept(&f.ctx, l, NULL, NULL) >= 0);
	CU_ASSERT_EQUAL(ready(&f, ep, l), 0);
	fake_fini(&f);
}

static void
test_those_left_out_come_first_the_next_time(void)
{
	struct fake_stack f;
	struct mtcp_epoll_event ev[8];
	int ep, id[5], seen[FAKE_SOCKS] = { 0 };

	fake_init(&f);
	ep = mtcp_epoll_create(&f.ctx, 1);
	for (int i = 0; i < 5; i++) {
		id[i] = fake_connected(&f);
		CU_ASSERT_EQUAL(add(&f, ep, id[i], IN), 0);
		fake_receive(&f, id[i], "x", 1);
	}
	for (int round = 0; round < 5; round++) {
		CU_ASSERT_EQUAL(mtcp_epoll_wait(&f.ctx, ep, ev, 2, 0), 2);
		seen[ev[0].data.sockid]++;
		seen[ev[1].data.sockid]++;
	}
	for (int i = 0; i < 5; i++)
		CU_ASSERT_EQUAL(seen[id[i]], 2);
	CU_ASSERT_EQUAL(mtcp_epoll_wait(&f.ctx, ep, ev, 8, 0), 5);
	fake_fini(&f);
}

static void
test_a_socket_may_be_in_several_epolls(void)
{
	struct fake_stack f;
	char c;
	int one, two, id;

	fake_init(&f);
	one = mtcp_epoll_create(&f.ctx, 1);
	two = mtcp_epoll_create(&f.ctx, 1);
	id = fake_connected(&f);
	CU_ASSERT_EQUAL(add(&f, one, id, IN), 0);
	CU_ASSERT_EQUAL(add(&f, two, id, IN | ET), 0);
	fake_receive(&f, id, "x", 1);
	CU_ASSERT_EQUAL(ready(&f, one, id), IN);
	CU_ASSERT_EQUAL(ready(&f, two, id), IN);
	CU_ASSERT_EQUAL(ready(&f, two, id), 0);
	CU_ASSERT_EQUAL(mtcp_close(&f.ctx, two), 0);
	CU_ASSERT_EQUAL(ready(&f, one, id), IN);
	CU_ASSERT_EQUAL(mtcp_read(&f.ctx, id, &c, 1), 1);
	CU_ASSERT_EQUAL(ready(&f, one, id), 0);
	fake_fini(&f);
}

static void
test_a_closed_socket_leaves_its_epolls(void)
{
	struct fake_stack f;
	int ep, id;

	fake_init(&f);
	ep = mtcp_epoll_create(&f.ctx, 1);
	id = fake_connected(&f);
	CU_ASSERT_EQUAL(add(&f, ep, id, IN), 0);
	fake_receive(&f, id, "x", 1);
	CU_ASSERT_EQUAL(mtcp_close(&f.ctx, id), 0);
	CU_ASSERT_EQUAL(ready(&f, ep, id), 0);
	fake_fini(&f);
}

static void
text_comes(struct fake_stack *f, void *arg)
{
	f->now += MS(3);
	fake_receive(f, *(int *)arg, "x", 1);
}

static void
test_a_wait_ends_by_event_time_or_signal(void)
{
	struct fake_stack f;
	struct mtcp_epoll_event ev;
	int64_t began;
	int ep, id;

	fake_init(&f);
	ep = mtcp_epoll_create(&f.ctx, 1);
	id = fake_connected(&f);
	CU_ASSERT_EQUAL(add(&f, ep, id, IN | ET), 0);
	began = f.now;
	fake_on_wait(&f, text_comes, &id);
	CU_ASSERT_EQUAL(mtcp_epoll_wait(&f.ctx, ep, &ev, 1, 10), 1);
	CU_ASSERT_EQUAL(f.now - began, MS(3));
	CU_ASSERT_EQUAL(mtcp_epoll_wait(&f.ctx, ep, &ev, 1, 10), 0);
	CU_ASSERT_EQUAL(f.now - began, MS(13));
	FAILS_WITH(mtcp_epoll_wait(&f.ctx, ep, &ev, 1, -1), EINTR);
	fake_fini(&f);
}

static void
test_the_descriptor_is_armed_by_an_empty_look(void)
{
	struct fake_stack f;
	struct mtcp_epoll_event ev;
	int ep, pipe[2];

	fake_init(&f);
	ep = mtcp_epoll_create(&f.ctx, 1);
	CU_ASSERT_EQUAL(mtcp_epoll_wait(&f.ctx, ep, &ev, 1, 0), 0);
	CU_ASSERT_FALSE(f.armed);
	CU_ASSERT_EQUAL(mtcp_epoll_getfd(&f.ctx, ep), 99);
	CU_ASSERT_EQUAL(mtcp_pipe(&f.ctx, pipe), 0);
	CU_ASSERT_EQUAL(add(&f, ep, pipe[0], IN), 0);
	CU_ASSERT_EQUAL(mtcp_epoll_wait(&f.ctx, ep, &ev, 1, 0), 0);
	CU_ASSERT_TRUE(f.armed);
	CU_ASSERT_EQUAL(mtcp_write(&f.ctx, pipe[1], "x", 1), 1);
	CU_ASSERT_TRUE(f.rung);
	CU_ASSERT_EQUAL(mtcp_epoll_wait(&f.ctx, ep, &ev, 1, 0), 1);
	CU_ASSERT_FALSE(f.armed);
	CU_ASSERT_FALSE(f.rung);
	fake_fini(&f);
}

static void
test_writers_hear_of_chunks(void)
{
	struct fake_stack f;
	uint64_t word;
	int ep, id;

	fake_init(&f);
	ep = mtcp_epoll_create(&f.ctx, 1);
	id = fake_connected(&f);
	f.starve = true;
	while (spsc_pop(&f.ch.chunks_down, &word))
		spsc_push(&f.ch.chunks_up, word);
	fake_step(&f);
	CU_ASSERT_EQUAL(add(&f, ep, id, OUT), 0);
	CU_ASSERT_EQUAL(ready(&f, ep, id), OUT);
	FAILS_WITH(mtcp_write(&f.ctx, id, "x", 1), EAGAIN);
	CU_ASSERT_EQUAL(ready(&f, ep, id), 0);
	f.starve = false;
	fake_step(&f);
	CU_ASSERT_EQUAL(ready(&f, ep, id), OUT);
	CU_ASSERT_EQUAL(mtcp_write(&f.ctx, id, "x", 1), 1);
	fake_fini(&f);
}

void
suite_api_epoll(void)
{
	CU_pSuite s = CU_add_suite("api/api_epoll", NULL, NULL);

	CU_add_test(s, "wrong use is refused", test_wrong_use_is_refused);
	CU_add_test(s, "level-triggered stays until it is over",
	            test_level_triggered_stays_until_it_is_over);
	CU_add_test(s, "edge-triggered tells each arrival once",
	            test_edge_triggered_tells_each_arrival_once);
	CU_add_test(s, "what is ready when added or changed counts",
	            test_what_is_ready_when_added_or_changed_counts);
	CU_add_test(s, "ONESHOT fires once until modified", test_oneshot_fires_once_until_modified);
	CU_add_test(s, "one entry carries all events", test_one_entry_carries_all_events);
	CU_add_test(s, "ERR and HUP need not be asked for (RFC 9293 MUST-47, SHLD-20)",
	            test_err_and_hup_need_not_be_asked_for);
	CU_add_test(s, "a connect shows as OUT", test_a_connect_shows_as_out);
	CU_add_test(s, "a full buffer is writable again below two thirds",
	            test_a_full_buffer_is_writable_again_below_two_thirds);
	CU_add_test(s, "a listener is readable while connections wait",
	            test_a_listener_is_readable_while_connections_wait);
	CU_add_test(s, "those left out come first the next time",
	            test_those_left_out_come_first_the_next_time);
	CU_add_test(s, "a socket may be in several epolls", test_a_socket_may_be_in_several_epolls);
	CU_add_test(s, "a closed socket leaves its epolls", test_a_closed_socket_leaves_its_epolls);
	CU_add_test(s, "a wait ends by event, time or signal",
	            test_a_wait_ends_by_event_time_or_signal);
	CU_add_test(s, "the descriptor is armed by an empty look",
	            test_the_descriptor_is_armed_by_an_empty_look);
	CU_add_test(s, "writers hear of chunks", test_writers_hear_of_chunks);
}
