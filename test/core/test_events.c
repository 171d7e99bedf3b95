/* SPDX-License-Identifier: BSD-3-Clause */
/* What the application is told, and how often. */
#include <CUnit/CUnit.h>

#include "test/core/world.h"

void suite_events(void);

static uint64_t
told(struct world *w)
{
	return atomic_load(&stack_stats(world_stack(w, 0))->events);
}

/* An accepted call of the stranger, with nothing left to be told. */
static struct sock *
accepted(struct world *w, struct call *k)
{
	struct sock *l = world_listen(w, 0, WORLD_PORT, 5), *a;

	CU_ASSERT_TRUE_FATAL(world_calls(w, 0, 100, WORLD_PORT, k));
	a = host_accept(&w->host[0], l);
	CU_ASSERT_PTR_NOT_NULL_FATAL(a);
	(void)host_news(&w->host[0], a);
	return a;
}

/* How often something was said of it: put on the ring, and said more while it was there. */
static unsigned
told_of(struct sock *s)
{
	return s->events_pushed + (unsigned)atomic_load(&s->happened);
}

static void
test_a_connect_is_told_once_with_its_addresses(void)
{
	struct world w;
	struct sock *c;

	world_init(&w, 2, NULL);
	(void)world_listen(&w, 1, WORLD_PORT, 5);
	c = world_connect(&w, 0, WORLD_PORT);
	world_now(&w);
	CU_ASSERT_EQUAL(told_of(c), 0);
	world_run(&w, SEC(1));
	CU_ASSERT_EQUAL(told_of(c), 1);
	CU_ASSERT_EQUAL(sock_facts(c), SOCK_CONNECTED);
	CU_ASSERT_TRUE(ip_addr_eq(&c->name.local, &w.host[0].ip) && c->name.lport != 0);
	CU_ASSERT_TRUE(ip_addr_eq(&c->name.remote, &w.host[1].ip) && c->name.rport == WORLD_PORT);
	CU_ASSERT_TRUE(atomic_load(&c->snd_limit) > 0);
	world_fini(&w);
}

/* However many segments a step brings, the socket is on the ring once, and the application is
 * woken once. */
static void
test_a_burst_of_text_is_one_event(void)
{
	struct world w;
	struct call k;
	struct sock *a;
	uint32_t pushed;

	world_init(&w, 1, NULL);
	a = accepted(&w, &k);
	pushed = a->events_pushed;
	for (unsigned i = 0; i < 20; i++) {
		world_drop_in(&w, 0, &(struct tcp_seg){ .seq = k.snd, .ack = k.rcv,
		                                        .flags = TCP_ACK, .sport = k.sport,
		                                        .dport = k.dport, .wnd = 65535, .len = 100 });
		k.snd = seq_add(k.snd, 100);
	}
	world_step(&w, 0);
	CU_ASSERT_EQUAL(host_readable(a), 2000);
	CU_ASSERT_EQUAL(a->events_pushed, pushed + 1);
	CU_ASSERT_TRUE(w.host[0].woken);
	CU_ASSERT_FALSE(stack_take_posted(world_stack(&w, 0)));
	host_drain(&w.host[0]);
	world_step(&w, 0);
	CU_ASSERT_FALSE(w.host[0].woken);
	world_fini(&w);
}

/* A program that reads what is there before it looks at the ring sleeps with an old event on
 * it, and is to be woken by the next news all the same. */
static void
test_news_wake_although_the_ring_was_not_read(void)
{
	struct world w;
	struct call k;
	struct sock *a;
	uint32_t pushed;

	world_init(&w, 1, NULL);
	a = accepted(&w, &k);
	pushed = a->events_pushed;
	for (unsigned i = 1; i <= 3; i++) {
		world_drop_in(&w, 0, &(struct tcp_seg){ .seq = k.snd, .ack = k.rcv,
		                                        .flags = TCP_ACK, .sport = k.sport,
		                                        .dport = k.dport, .wnd = 65535, .len = 1 });
		k.snd = seq_add(k.snd, 1);
		w.host[0].woken = false;
		world_step(&w, 0);
		CU_ASSERT_TRUE(w.host[0].woken);
		CU_ASSERT_EQUAL(a->events_pushed, pushed + 1);
		CU_ASSERT_EQUAL(world_read(&w, 0, a), 1);
	}
	world_fini(&w);
}

static void
test_nothing_new_is_no_event(void)
{
	struct world w;
	struct call k;
	struct sock *a;
	uint64_t before;

	world_init(&w, 1, NULL);
	a = accepted(&w, &k);
	world_tells(&w, 0, &k, TCP_ACK, 10);
	CU_ASSERT_TRUE(host_news(&w.host[0], a));
	CU_ASSERT_EQUAL(world_write(&w, 0, a, 1000), 1000);
	before = told(&w);
	world_now(&w);
	k.rcv = seq_add(k.rcv, 1000);
	world_tells(&w, 0, &k, TCP_ACK, 0);                    /* our text is acknowledged */
	k.snd = seq_add(k.snd, 100);
	world_tells(&w, 0, &k, TCP_ACK, 100);                  /* beyond a hole            */
	k.snd = seq_add(k.snd, (uint32_t)-5000);
	world_tells(&w, 0, &k, TCP_ACK, 100);                  /* long ago                 */
	CU_ASSERT_EQUAL(told(&w), before);
	CU_ASSERT_FALSE(host_news(&w.host[0], a));
	world_fini(&w);
}

static void
test_a_refused_connection_says_why(void)
{
	struct world w;
	struct sock *c;

	world_init(&w, 2, NULL);
	c = world_connect(&w, 0, WORLD_PORT);
	world_run(&w, MS(10));
	CU_ASSERT_EQUAL(sock_facts(c), SOCK_ERROR | SOCK_OVER);
	CU_ASSERT_EQUAL(c->err, TCP_E_REFUSED);
	CU_ASSERT_EQUAL(world_stack(&w, 0)->conns.used, 0);
	host_close(&w.host[0], c);
	CU_ASSERT_PTR_NULL(world_leak(&w, 0));
	world_fini(&w);
}

/* RFC 9293 MUST-12; what had been received can still be read. */
static void
test_a_reset_is_told_and_leaves_what_was_received(void)
{
	struct world w;
	struct call k;
	struct sock *a;

	world_init(&w, 1, NULL);
	a = accepted(&w, &k);
	world_tells(&w, 0, &k, TCP_ACK, 100);
	world_tells(&w, 0, &k, TCP_RST, 0);
	CU_ASSERT_EQUAL(sock_facts(a), SOCK_BORN | SOCK_CONNECTED | SOCK_ERROR | SOCK_OVER);
	CU_ASSERT_EQUAL(a->err, TCP_E_RESET);
	CU_ASSERT_EQUAL(world_stack(&w, 0)->conns.used, 0);
	CU_ASSERT_EQUAL(world_read(&w, 0, a), 100);
	CU_ASSERT_TRUE(host_eof(a));
	world_fini(&w);
}

/* A peer that never answers. */
static void
test_a_timeout_is_told(void)
{
	struct world w;
	struct ip_addr peer = host_ip(WORLD_STRANGER);
	struct sock *c;

	world_init(&w, 1, NULL);
	c = host_socket(&w.host[0]);
	host_connect(&w.host[0], c, &peer, 80);
	world_run(&w, SEC(126));
	CU_ASSERT_EQUAL(sock_facts(c), 0);
	world_run(&w, SEC(2));
	CU_ASSERT_EQUAL(sock_facts(c), SOCK_ERROR | SOCK_OVER);
	CU_ASSERT_EQUAL(c->err, TCP_E_TIMEDOUT);
	world_fini(&w);
}

static void
test_each_end_of_each_direction_is_told(void)
{
	struct world w;
	struct sock *l, *c, *s;

	world_init(&w, 2, NULL);
	l = world_listen(&w, 1, WORLD_PORT, 5);
	world_pair(&w, l, &c, &s);
	host_shutdown(&w.host[0], c);
	world_run(&w, MS(10));
	CU_ASSERT_EQUAL(sock_facts(c), SOCK_CONNECTED | SOCK_FIN_ACKED);
	CU_ASSERT_EQUAL(sock_facts(s), SOCK_BORN | SOCK_CONNECTED | SOCK_PEER_FIN);
	CU_ASSERT_TRUE(host_eof(s));
	CU_ASSERT_FALSE(host_eof(c));
	host_shutdown(&w.host[1], s);
	world_run(&w, MS(10));
	CU_ASSERT_EQUAL(sock_facts(c), SOCK_CONNECTED | SOCK_FIN_ACKED | SOCK_PEER_FIN | SOCK_OVER);
	CU_ASSERT_TRUE(sock_facts(s) & SOCK_OVER);
	CU_ASSERT_FALSE(sock_facts(s) & SOCK_ERROR);
	CU_ASSERT_TRUE(host_eof(c));
	world_fini(&w);
}

/* Text and FIN are told together, in whatever order they came. */
static void
test_a_fin_before_its_text_is_told_with_it(void)
{
	struct world w;
	struct call k, fin;
	struct sock *a;

	world_init(&w, 1, NULL);
	a = accepted(&w, &k);
	fin = k;
	fin.snd = seq_add(k.snd, 100);
	world_tells(&w, 0, &fin, TCP_FIN | TCP_ACK, 50);
	CU_ASSERT_FALSE(host_news(&w.host[0], a));
	CU_ASSERT_FALSE(sock_facts(a) & SOCK_PEER_FIN);
	world_tells(&w, 0, &k, TCP_ACK, 100);
	CU_ASSERT_TRUE(host_news(&w.host[0], a));
	CU_ASSERT_TRUE(sock_facts(a) & SOCK_PEER_FIN);
	CU_ASSERT_EQUAL(world_read(&w, 0, a), 150);
	world_fini(&w);
}

/* ----------------------------------------------------------------- room -- */

/* Writes until there is no room; how much went in. */
static uint32_t
fill(struct world *w, struct sock *a)
{
	uint32_t sum = 0, n;

	do {
		n = world_write(w, 0, a, 1 << 20);
		sum += n;
		world_now(w); /* the window of 10 segments leaves; the limit may grow */
	} while (n);
	(void)host_news(&w->host[0], a);
	return sum;
}

/* A writer that was refused is told when a third of the buffer is free, and not before. */
static void
test_a_refused_writer_is_told_once_there_is_room(void)
{
	struct world w;
	struct call k;
	struct sock *a;
	uint32_t used, told_at = 0;

	world_init(&w, 1, NULL);
	a = accepted(&w, &k);
	used = fill(&w, a);
	CU_ASSERT_TRUE(used >= 16384);
	while (used > 0 && !told_at) {
		k.rcv = seq_add(k.rcv, min(used, 500u));
		used -= min(used, 500u);
		world_tells(&w, 0, &k, TCP_ACK, 0);
		if (host_news(&w.host[0], a))
			told_at = used;
		else
			CU_ASSERT_TRUE(used > a->conn->snd_limit / 3 * 2);
	}
	CU_ASSERT_TRUE(told_at > 0 && told_at <= atomic_load(&a->snd_limit) / 3 * 2);
	k.rcv = seq_add(k.rcv, 100);
	world_tells(&w, 0, &k, TCP_ACK, 0);
	CU_ASSERT_FALSE(host_news(&w.host[0], a)); /* nobody was refused since */
	world_fini(&w);
}

/* The room comes in the very step in which somebody else holds all chunks: it must be told all
 * the same, since nothing else happens to this connection. */
static void
test_room_is_told_even_while_chunks_are_short(void)
{
	struct world w;
	struct call k;
	struct sock *a;
	uint64_t word[16];
	unsigned n = 0;

	world_init(&w, 1, NULL);
	a = accepted(&w, &k);
	CU_ASSERT_EQUAL(host_set(&w.host[0], a, TCP_OPTION_SNDBUF, 8192), 0);
	CU_ASSERT_EQUAL(fill(&w, a), 8192);
	while (spsc_pop(&w.host[0].ch->chunks_down, &word[n]))
		n++;
	k.rcv = seq_add(k.rcv, 8192);
	world_tells(&w, 0, &k, TCP_ACK, 0);
	CU_ASSERT_EQUAL(stream_used(&a->snd_w, &a->snd_r), 0);
	while (n > 0)
		CU_ASSERT_TRUE(spsc_push(&w.host[0].ch->chunks_up, word[--n]));
	world_run(&w, MS(1));
	CU_ASSERT_TRUE(host_news(&w.host[0], a));
	CU_ASSERT_TRUE(world_write(&w, 0, a, 100));
	world_fini(&w);
}

/* Whoever waits to write on a connection that is not open yet is told by its opening: an
 * answer before that would only make him ask again, for as long as the SYN lasts. */
static void
test_room_is_not_told_before_the_connection_is_open(void)
{
	struct world w;
	struct sock *s;
	uint32_t before;

	world_init(&w, 2, NULL);
	s = world_connect(&w, 0, WORLD_PORT);
	world_step(&w, 0);
	CU_ASSERT_PTR_NOT_NULL_FATAL(s->conn);
	before = told_of(s);
	atomic_fetch_add(&s->want_space, 1);
	(void)sock_ask(w.host[0].ch, s, 0);
	world_step(&w, 0);
	CU_ASSERT_EQUAL(told_of(s), before);
	host_abort(&w.host[0], s);
	world_run(&w, MS(10));
	world_fini(&w);
}

void
suite_events(void)
{
	CU_pSuite suite = CU_add_suite("core/events", NULL, NULL);

	CU_add_test(suite, "a connect is told once, with its addresses",
	            test_a_connect_is_told_once_with_its_addresses);
	CU_add_test(suite, "a burst of text is one event", test_a_burst_of_text_is_one_event);
	CU_add_test(suite, "news wake although the ring was not read",
	            test_news_wake_although_the_ring_was_not_read);
	CU_add_test(suite, "nothing new is no event", test_nothing_new_is_no_event);
	CU_add_test(suite, "a refused connection says why", test_a_refused_connection_says_why);
	CU_add_test(suite, "a reset is told, and leaves what was received",
	            test_a_reset_is_told_and_leaves_what_was_received);
	CU_add_test(suite, "a time-out is told", test_a_timeout_is_told);
	CU_add_test(suite, "each end of each direction is told",
	            test_each_end_of_each_direction_is_told);
	CU_add_test(suite, "a FIN before its text is told with it",
	            test_a_fin_before_its_text_is_told_with_it);
	CU_add_test(suite, "a refused writer is told once there is room",
	            test_a_refused_writer_is_told_once_there_is_room);
	CU_add_test(suite, "room is not told before the connection is open",
	            test_room_is_not_told_before_the_connection_is_open);
	CU_add_test(suite, "room is told even while chunks are short",
	            test_room_is_told_even_while_chunks_are_short);
}
