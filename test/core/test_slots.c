/* SPDX-License-Identifier: BSD-3-Clause */
/* Sockets' numbers and chunks travel both ways and come back. */
#include <CUnit/CUnit.h>

#include "test/core/world.h"

void suite_slots(void);

#define N_SOCKS   256u /* host_cfg() */
#define N_CHUNKS  8192u
#define LISTS_MAX (N_CHUNKS / CHANNEL_BATCH)

static uint32_t
number(struct world *w, const struct sock *s)
{
	return sock_number(w->host[0].ch, s);
}

/* The next number, after as many steps as it takes; NULL: there is none. */
static struct sock *
next_socket(struct world *w)
{
	struct sock *s = host_socket(&w->host[0]);

	if (s)
		return s;
	world_step(w, 0);
	return host_socket(&w->host[0]);
}

static void
test_numbers_come_in_rising_order_each_once(void)
{
	struct world w;
	struct sock *s;

	world_init(&w, 1, NULL);
	for (uint32_t i = 0; i < N_SOCKS; i++) {
		s = next_socket(&w);
		CU_ASSERT_PTR_NOT_NULL_FATAL(s);
		CU_ASSERT_EQUAL(number(&w, s), i);
		CU_ASSERT_EQUAL(s->kind, SOCK_KIND_PLAIN);
	}
	CU_ASSERT_PTR_NULL(next_socket(&w));
	for (uint32_t i = 0; i < N_SOCKS; i++)
		host_close(&w.host[0], &w.host[0].ch->socks[i]);
	CU_ASSERT_PTR_NULL(world_leak(&w, 0));
	CU_ASSERT_PTR_NOT_NULL(next_socket(&w));
	world_fini(&w);
}

/* A socket that has just failed to connect: an event of it is on its way. */
static struct sock *
failed_socket(struct world *w)
{
	struct ip_addr nowhere = ip_addr_v4(0x0d000001);
	struct sock *s = next_socket(w);

	CU_ASSERT_PTR_NOT_NULL_FATAL(s);
	host_connect(&w->host[0], s, &nowhere, 80);
	world_step(w, 0);
	CU_ASSERT_TRUE(sock_facts(s) & SOCK_ERROR);
	return s;
}

static void
test_a_number_is_used_again_after_goodbye_and_event(void)
{
	struct world w;
	struct sock *s;

	world_init(&w, 1, NULL);
	s = failed_socket(&w);
	host_drain(&w.host[0]); /* the event is taken, but the application holds the socket */
	for (unsigned i = 0; i < 5; i++)
		world_step(&w, 0);
	CU_ASSERT_EQUAL(s->kind, SOCK_KIND_CONN);
	host_close(&w.host[0], s);
	world_step(&w, 0);
	CU_ASSERT_EQUAL(s->kind, SOCK_KIND_FREE);

	s = failed_socket(&w); /* the goodbye is there, but the event is not taken */
	host_close(&w.host[0], s);
	for (unsigned i = 0; i < 5; i++)
		world_step(&w, 0);
	CU_ASSERT_EQUAL(s->kind, SOCK_KIND_DYING);
	CU_ASSERT_TRUE(w.host[0].deadline > net_now(w.net)); /* nor does the stack spin on it */
	host_drain(&w.host[0]);
	world_step(&w, 0);
	CU_ASSERT_NOT_EQUAL(s->kind, SOCK_KIND_DYING);
	CU_ASSERT_PTR_NULL(world_leak(&w, 0));
	world_fini(&w);
}

static void
test_a_number_used_again_is_as_new(void)
{
	struct world w;
	struct ip_addr any = ip_addr_v4(0);
	struct sock *s, *again = NULL;

	world_init(&w, 1, NULL);
	s = next_socket(&w);
	CU_ASSERT_EQUAL(host_bind(&w.host[0], s, &any, 99), 0);
	CU_ASSERT_EQUAL(host_set(&w.host[0], s, TCP_OPTION_TTL, 3), 0);
	CU_ASSERT_EQUAL(host_listen(&w.host[0], s, 3), 0);
	atomic_store(&s->opt_bits, SOCK_OPT_NODELAY);
	host_close(&w.host[0], s);
	for (unsigned i = 0; i < N_SOCKS && again != s; i++)
		again = next_socket(&w);
	CU_ASSERT_PTR_EQUAL_FATAL(again, s);
	CU_ASSERT_EQUAL(s->name.lport, 0);
	CU_ASSERT_TRUE(ip_addr_is_any(&s->name.local));
	CU_ASSERT_EQUAL(atomic_load(&s->opt_bits), 0);
	CU_ASSERT_EQUAL(sock_requests(s), 0);
	CU_ASSERT_EQUAL(sock_facts(s), 0);
	CU_ASSERT_EQUAL(s->err, 0);
	CU_ASSERT_FALSE(s->goodbye);
	CU_ASSERT_EQUAL(s->opts, 0);
	CU_ASSERT_EQUAL(world_stack(&w, 0)->opts.used, 0);
	CU_ASSERT_EQUAL(host_bind(&w.host[0], s, &any, 99), 0);
	world_fini(&w);
}

/* Closed before its connection was over: the number waits for that. */
static void
test_a_number_waits_for_its_connection(void)
{
	struct world w;
	struct sock *l, *a;
	struct call k;

	world_init(&w, 1, NULL);
	l = world_listen(&w, 0, WORLD_PORT, 5);
	CU_ASSERT_TRUE_FATAL(world_calls(&w, 0, 100, WORLD_PORT, &k));
	a = host_accept(&w.host[0], l);
	CU_ASSERT_EQUAL(world_write(&w, 0, a, 100), 100);
	host_close(&w.host[0], a);
	world_run(&w, SEC(1));
	CU_ASSERT_EQUAL(a->kind, SOCK_KIND_CONN);
	k.rcv = seq_add(k.rcv, 101); /* text and FIN: the stream is not needed any more */
	world_tells(&w, 0, &k, TCP_ACK, 0);
	CU_ASSERT_EQUAL(a->kind, SOCK_KIND_FREE);
	CU_ASSERT_EQUAL(world_stack(&w, 0)->conns.used, 0);
	CU_ASSERT_EQUAL(world_stack(&w, 0)->n_fin_wait_2, 1); /* a record is enough */
	world_fini(&w);
}

/* --------------------------------------------------------------- chunks -- */

struct lists {
	uint64_t word[LISTS_MAX];
	unsigned n;
};

/* Takes every chunk that the application can get, as many steps as it takes. */
static void
take_all(struct world *w, struct lists *l)
{
	unsigned before;

	do {
		before = l->n;
		while (l->n < LISTS_MAX && spsc_pop(&w->host[0].ch->chunks_down, &l->word[l->n]))
			l->n++;
		world_step(w, 0);
	} while (l->n > before);
}

static void
give_back(struct world *w, struct lists *l, unsigned n)
{
	while (n-- > 0 && l->n > 0)
		CU_ASSERT_TRUE(spsc_push(&w->host[0].ch->chunks_up, l->word[--l->n]));
}

static uint32_t
list_len(uint64_t word)
{
	uint32_t n = 0;

	for (struct chunk *k = (struct chunk *)(uintptr_t)word; k; k = atomic_load(&k->next))
		n++;
	return n;
}

static void
test_chunks_go_down_in_lists_and_come_back(void)
{
	struct world w;
	struct lists l = { .n = 0 };
	struct stack *st;

	world_init(&w, 1, NULL);
	st = world_stack(&w, 0);
	take_all(&w, &l);
	CU_ASSERT_TRUE(l.n > LISTS_MAX / 2 && l.n < LISTS_MAX); /* peers get the rest */
	for (unsigned i = 0; i < l.n; i++)
		CU_ASSERT_EQUAL(list_len(l.word[i]), CHANNEL_BATCH);
	CU_ASSERT_EQUAL(st->env.chunks.used - st->env.spare.n, l.n * CHANNEL_BATCH);
	give_back(&w, &l, LISTS_MAX);
	CU_ASSERT_PTR_NULL(world_leak(&w, 0));
	world_fini(&w);
}

/* Back they come in lists of any length. */
static void
test_lists_of_any_length_come_back(void)
{
	struct world w;
	struct chunk *k;
	uint64_t word = 0;

	world_init(&w, 1, NULL);
	CU_ASSERT_TRUE_FATAL(spsc_pop(&w.host[0].ch->chunks_down, &word));
	k = (struct chunk *)(uintptr_t)word;
	word = (uintptr_t)atomic_load(&k->next);
	atomic_store(&k->next, NULL);
	CU_ASSERT_TRUE(spsc_push(&w.host[0].ch->chunks_up, (uintptr_t)k));
	CU_ASSERT_TRUE(spsc_push(&w.host[0].ch->chunks_up, word));
	CU_ASSERT_PTR_NULL(world_leak(&w, 0));
	world_fini(&w);
}

/* The application has no chunk to write into, asks, and is woken when there are some. */
static void
test_a_starved_writer_is_woken(void)
{
	struct world w;
	struct lists l = { .n = 0 };
	struct sock *lst, *a;
	struct call k;

	world_init(&w, 1, NULL);
	lst = world_listen(&w, 0, WORLD_PORT, 5);
	CU_ASSERT_TRUE_FATAL(world_calls(&w, 0, 100, WORLD_PORT, &k));
	a = host_accept(&w.host[0], lst);
	take_all(&w, &l);
	(void)stack_take_posted(w.host[0].st);
	w.host[0].woken = false;
	CU_ASSERT_EQUAL(world_write(&w, 0, a, 100), 0);
	for (unsigned i = 0; i < 5; i++)
		world_step(&w, 0);
	CU_ASSERT_FALSE(w.host[0].woken);
	give_back(&w, &l, 1);
	world_step(&w, 0);
	CU_ASSERT_TRUE(w.host[0].woken);
	CU_ASSERT_EQUAL(world_write(&w, 0, a, 100), 100);
	give_back(&w, &l, LISTS_MAX);
	world_fini(&w);
}

/* Text for which there is no chunk is not acknowledged; its sender brings it again. */
static void
test_a_starved_receiver_recovers(void)
{
	struct world w;
	struct lists l = { .n = 0 };
	struct chunk_list rest = { NULL, 0 };
	struct sock *lst, *c, *s;
	struct chunk *k;

	world_init(&w, 2, NULL);
	/* Host 0 is the starved one: others hold the rest. */
	lst = world_listen(&w, 0, WORLD_PORT, 5);
	c = world_connect(&w, 1, WORLD_PORT);
	world_run(&w, MS(10));
	s = host_accept(&w.host[0], lst);
	CU_ASSERT_PTR_NOT_NULL_FATAL(s);
	take_all(&w, &l);
	while ((k = tcp_chunk_get(&world_stack(&w, 0)->env)))
		chunk_list_put(&rest, k);
	CU_ASSERT_EQUAL(world_write(&w, 1, c, 5000), 5000);
	world_run(&w, SEC(2));
	CU_ASSERT_EQUAL(host_readable(s), 0);
	CU_ASSERT_TRUE(world_fate(&w, 0, DROP_NO_MEMORY) > 0);
	CU_ASSERT_TRUE(spsc_push(&w.host[0].ch->chunks_up, (uintptr_t)rest.first));
	give_back(&w, &l, LISTS_MAX);
	world_run(&w, SEC(10));
	CU_ASSERT_EQUAL(world_read(&w, 0, s), 5000);
	world_fini(&w);
}

/* Text beyond a hole gives its memory to the text that fills it (RFC 2018 8 allows it), or the
 * hole might stay for ever. */
static void
test_text_in_order_takes_memory_from_what_is_early(void)
{
	struct world w;
	struct lists l = { .n = 0 };
	struct chunk_list rest = { NULL, 0 };
	struct tcp_env *e;
	struct sock *lst, *s;
	struct chunk *c;
	struct call k, early;

	world_init(&w, 1, NULL);
	e = &world_stack(&w, 0)->env;
	lst = world_listen(&w, 0, WORLD_PORT, 5);
	CU_ASSERT_TRUE_FATAL(world_calls(&w, 0, 100, WORLD_PORT, &k));
	s = host_accept(&w.host[0], lst);
	early = k;
	early.snd = seq_add(k.snd, 100);
	world_tells(&w, 0, &early, TCP_ACK, 500);
	CU_ASSERT_EQUAL(world_fate(&w, 0, SEG_OUT_OF_ORDER), 1);
	take_all(&w, &l);
	while ((c = tcp_chunk_get(e)))
		chunk_list_put(&rest, c);
	early.snd = seq_add(k.snd, 700);
	world_tells(&w, 0, &early, TCP_ACK, 500);
	CU_ASSERT_EQUAL(world_fate(&w, 0, DROP_NO_MEMORY), 1);
	world_tells(&w, 0, &k, TCP_ACK, 100);
	CU_ASSERT_EQUAL(world_read(&w, 0, s), 100);
	CU_ASSERT_TRUE(spsc_push(&w.host[0].ch->chunks_up, (uintptr_t)rest.first));
	give_back(&w, &l, LISTS_MAX);
	world_step(&w, 0);
	world_tells(&w, 0, &k, TCP_ACK, 500);
	CU_ASSERT_EQUAL(world_read(&w, 0, s), 500);
	world_fini(&w);
}

/* --------------------------------------------------------------- options -- */

static void
test_records_of_options_are_shared_and_freed(void)
{
	struct world w;
	struct stack *st;
	struct sock *l, *a, *b;
	struct call k;

	world_init(&w, 1, NULL);
	st = world_stack(&w, 0);
	l = world_listen(&w, 0, WORLD_PORT, 5);
	CU_ASSERT_EQUAL(st->opts.used, 0);
	CU_ASSERT_EQUAL(host_set(&w.host[0], l, TCP_OPTION_TTL, 7), 0);
	CU_ASSERT_EQUAL(host_set(&w.host[0], l, TCP_OPTION_TOS, 8), 0);
	CU_ASSERT_EQUAL(st->opts.used, 1);
	CU_ASSERT_TRUE(world_calls(&w, 0, 100, WORLD_PORT, &k));
	CU_ASSERT_TRUE(world_calls(&w, 0, 101, WORLD_PORT, &k));
	a = host_accept(&w.host[0], l);
	b = host_accept(&w.host[0], l);
	CU_ASSERT_EQUAL(st->opts.used, 1);
	CU_ASSERT_EQUAL(host_set(&w.host[0], b, TCP_OPTION_TTL, 9), 0);
	CU_ASSERT_EQUAL(st->opts.used, 2);
	CU_ASSERT_TRUE(a->conn->ttl == 7 && b->conn->ttl == 9 && b->conn->tos == 8);
	host_close(&w.host[0], l);
	host_abort(&w.host[0], b);
	world_now(&w);
	CU_ASSERT_EQUAL(st->opts.used, 1);
	CU_ASSERT_EQUAL(a->conn->ttl, 7);
	host_abort(&w.host[0], a);
	world_now(&w);
	CU_ASSERT_EQUAL(st->opts.used, 0);
	CU_ASSERT_PTR_NULL(world_leak(&w, 0));
	world_fini(&w);
}

void
suite_slots(void)
{
	CU_pSuite suite = CU_add_suite("core/slots", NULL, NULL);

	CU_add_test(suite, "numbers come in rising order, each once",
	            test_numbers_come_in_rising_order_each_once);
	CU_add_test(suite, "a number is used again after goodbye and event",
	            test_a_number_is_used_again_after_goodbye_and_event);
	CU_add_test(suite, "a number used again is as new", test_a_number_used_again_is_as_new);
	CU_add_test(suite, "a number waits for its connection",
	            test_a_number_waits_for_its_connection);
	CU_add_test(suite, "chunks go down in lists and come back",
	            test_chunks_go_down_in_lists_and_come_back);
	CU_add_test(suite, "lists of any length come back", test_lists_of_any_length_come_back);
	CU_add_test(suite, "a starved writer is woken", test_a_starved_writer_is_woken);
	CU_add_test(suite, "a starved receiver recovers", test_a_starved_receiver_recovers);
	CU_add_test(suite, "text in order takes memory from what is early",
	            test_text_in_order_takes_memory_from_what_is_early);
	CU_add_test(suite, "records of options are shared and freed",
	            test_records_of_options_are_shared_and_freed);
}
