/* SPDX-License-Identifier: BSD-3-Clause */
/* Listeners: backlog, half-open records, floods. */
#include <CUnit/CUnit.h>

#include "tcp/tcp_cookie.h"
#include "tcp/tcp_fastopen.h"
#include "test/core/world.h"

void suite_listen(void);

#define N_HALF_OPEN 128u /* host_cfg() */

static void
syn(struct world *w, uint32_t ip, uint16_t sport)
{
	struct tcp_seg s = { .seq = { ip ^ sport }, .flags = TCP_SYN, .sport = sport,
		             .dport = WORLD_PORT, .wnd = 1000 };
	struct craft_way way = world_way(w, 0);
	uint8_t f[CRAFT_MAX];

	way.src = ip_addr_v4(ip);
	world_frame(w, 0, f, craft_tcp(f, &way, &s, NULL));
}

/* -------------------------------------------------------------- accepting -- */

static void
test_what_is_completed_is_counted_and_queued(void)
{
	struct world w;
	struct sock *l, *a;
	struct call k[3];

	world_init(&w, 1, NULL);
	l = world_listen(&w, 0, WORLD_PORT, 5);
	for (uint16_t i = 0; i < 3; i++)
		CU_ASSERT_TRUE(world_calls(&w, 0, (uint16_t)(100 + i), WORLD_PORT, &k[i]));
	CU_ASSERT_EQUAL(atomic_load(&l->accepts), 3);
	for (uint16_t i = 0; i < 3; i++) {
		a = host_accept(&w.host[0], l);
		CU_ASSERT_PTR_NOT_NULL_FATAL(a);
		CU_ASSERT_EQUAL(sock_facts(a), SOCK_BORN | SOCK_CONNECTED);
		CU_ASSERT_EQUAL(a->name.rport, 100 + i);
		CU_ASSERT_EQUAL(a->name.lport, WORLD_PORT);
		CU_ASSERT_TRUE(ip_addr_eq(&a->name.local, &w.host[0].ip));
		CU_ASSERT_EQUAL(a->parent, sock_number(w.host[0].ch, l));
	}
	CU_ASSERT_PTR_NULL(host_accept(&w.host[0], l));
	CU_ASSERT_EQUAL(atomic_load(&l->accepted), 3);
	CU_ASSERT_EQUAL(world_stack(&w, 0)->half_opens.used, 0);
	world_fini(&w);
}

/* Nobody accepts: what does not fit any more has to come again, and is not reset. */
static void
test_a_full_backlog_takes_no_more(void)
{
	struct world w;
	struct sock *l;
	struct call k[4];
	struct tcp_seg s;

	world_init(&w, 1, NULL);
	l = world_listen(&w, 0, WORLD_PORT, 2);
	CU_ASSERT_TRUE(world_calls(&w, 0, 100, WORLD_PORT, &k[0]));
	CU_ASSERT_TRUE(world_calls(&w, 0, 101, WORLD_PORT, &k[1]));
	(void)world_skips(&w, 0);
	CU_ASSERT_FALSE(world_calls(&w, 0, 102, WORLD_PORT, &k[2]));
	CU_ASSERT_EQUAL(world_fate(&w, 0, DROP_BACKLOG), 1);
	CU_ASSERT_FALSE(world_hears(&w, 0, &s));
	CU_ASSERT_EQUAL(world_stack(&w, 0)->half_opens.used, 0);
	(void)host_accept(&w.host[0], l);
	CU_ASSERT_TRUE(world_calls(&w, 0, 102, WORLD_PORT, &k[2]));
	CU_ASSERT_FALSE(world_calls(&w, 0, 103, WORLD_PORT, &k[3]));
	world_fini(&w);
}

/* The backlog fills up between SYN and ACK: the record stays, and its SYN-ACK comes again. */
static void
test_a_handshake_waits_for_the_backlog(void)
{
	struct world w;
	struct sock *l;
	struct call k, late = { 200, WORLD_PORT, { 9000 }, { 0 } };
	struct tcp_seg s;

	world_init(&w, 1, NULL);
	l = world_listen(&w, 0, WORLD_PORT, 1);
	world_say(&w, 0, &(struct tcp_seg){ .seq = late.snd, .flags = TCP_SYN, .sport = 200,
	                                    .dport = WORLD_PORT, .wnd = 1000 });
	CU_ASSERT_TRUE_FATAL(world_hears(&w, 0, &s));
	late.snd = seq_add(late.snd, 1);
	late.rcv = seq_add(s.seq, 1);
	CU_ASSERT_TRUE(world_calls(&w, 0, 100, WORLD_PORT, &k));
	world_tells(&w, 0, &late, TCP_ACK, 0);
	CU_ASSERT_EQUAL(world_fate(&w, 0, DROP_BACKLOG), 1);
	CU_ASSERT_EQUAL(world_stack(&w, 0)->half_opens.used, 1);
	CU_ASSERT_PTR_NOT_NULL(host_accept(&w.host[0], l));
	(void)world_skips(&w, 0);
	world_run(&w, SEC(2));
	CU_ASSERT_TRUE(world_hears(&w, 0, &s) && s.flags == (TCP_SYN | TCP_ACK));
	world_tells(&w, 0, &late, TCP_ACK, 0);
	CU_ASSERT_PTR_NOT_NULL(host_accept(&w.host[0], l));
	world_fini(&w);
}

static void
test_the_backlog_may_be_changed(void)
{
	struct world w;
	struct sock *l;
	struct call k;

	world_init(&w, 1, NULL);
	l = world_listen(&w, 0, WORLD_PORT, 1);
	CU_ASSERT_TRUE(world_calls(&w, 0, 100, WORLD_PORT, &k));
	CU_ASSERT_FALSE(world_calls(&w, 0, 101, WORLD_PORT, &k));
	CU_ASSERT_EQUAL(host_listen(&w.host[0], l, 2), 0);
	CU_ASSERT_TRUE(world_calls(&w, 0, 102, WORLD_PORT, &k));
	CU_ASSERT_EQUAL(host_listen(&w.host[0], l, -5), 0); /* as if it were 1 */
	CU_ASSERT_FALSE(world_calls(&w, 0, 103, WORLD_PORT, &k));
	CU_ASSERT_EQUAL(atomic_load(&l->accepts), 2);
	world_fini(&w);
}

static void
cfg_two_addresses(struct stack_cfg *cfg, unsigned who)
{
	(void)who;
	cfg->port[0].n_addrs = 2;
	cfg->port[0].addr[1] = (struct stack_addr){ .ip = ip_addr_v4(0x0a000021), .prefix = 96 + 24 };
}

/* RFC 9293 MUST-42. */
static void
test_the_listener_of_the_address_comes_first(void)
{
	struct world w;
	struct ip_addr second = ip_addr_v4(0x0a000021);
	struct sock *any, *one;
	struct call k;

	world_init(&w, 1, cfg_two_addresses);
	one = host_socket(&w.host[0]);
	CU_ASSERT_EQUAL(host_bind(&w.host[0], one, &second, WORLD_PORT), 0);
	CU_ASSERT_EQUAL(host_listen(&w.host[0], one, 5), 0);
	CU_ASSERT_FALSE(world_calls(&w, 0, 100, WORLD_PORT, &k)); /* the other address: nobody */
	any = host_socket(&w.host[0]);
	CU_ASSERT_EQUAL(host_bind(&w.host[0], any, &w.host[0].ip, WORLD_PORT), 0);
	CU_ASSERT_EQUAL(host_listen(&w.host[0], any, 5), 0);
	CU_ASSERT_TRUE(world_calls(&w, 0, 101, WORLD_PORT, &k));
	CU_ASSERT_PTR_NOT_NULL(host_accept(&w.host[0], any));
	w.host[0].ip = second;
	CU_ASSERT_TRUE(world_calls(&w, 0, 102, WORLD_PORT, &k));
	CU_ASSERT_PTR_NOT_NULL(host_accept(&w.host[0], one));
	world_fini(&w);
}

/* What was set on the listener holds for what it accepts, and stays with that when the
 * listener changes. */
static void
test_children_inherit_options(void)
{
	struct world w;
	struct sock *l, *a;
	struct call k;

	world_init(&w, 1, NULL);
	l = world_listen(&w, 0, WORLD_PORT, 5);
	CU_ASSERT_EQUAL(host_set(&w.host[0], l, TCP_OPTION_TTL, 7), 0);
	CU_ASSERT_EQUAL(host_set(&w.host[0], l, TCP_OPTION_RCVBUF, 8192), 0);
	atomic_store(&l->opt_bits, SOCK_OPT_NODELAY | SOCK_OPT_KEEPALIVE);
	CU_ASSERT_TRUE(world_calls(&w, 0, 100, WORLD_PORT, &k));
	CU_ASSERT_EQUAL(host_set(&w.host[0], l, TCP_OPTION_TTL, 9), 0);
	a = host_accept(&w.host[0], l);
	CU_ASSERT_EQUAL(a->conn->ttl, 7);
	CU_ASSERT_EQUAL(a->conn->rcv_space, 4096);
	CU_ASSERT_TRUE(a->conn->flags & TCPF_NODELAY);
	CU_ASSERT_TRUE(a->conn->flags & TCPF_KEEPALIVE);
	CU_ASSERT_EQUAL(atomic_load(&a->opt_bits), SOCK_OPT_NODELAY | SOCK_OPT_KEEPALIVE);
	world_fini(&w);
}

/* ---------------------------------------------------------------- closing -- */

/* Its half-open connections go with it; what has been accepted stays. */
static void
test_a_closed_listener_resets_what_was_half_open(void)
{
	struct world w;
	struct sock *l, *a;
	struct call open, half = { 200, WORLD_PORT, { 9000 }, { 0 } };
	struct tcp_seg s;

	world_init(&w, 1, NULL);
	l = world_listen(&w, 0, WORLD_PORT, 5);
	CU_ASSERT_TRUE(world_calls(&w, 0, 100, WORLD_PORT, &open));
	a = host_accept(&w.host[0], l);
	world_say(&w, 0, &(struct tcp_seg){ .seq = half.snd, .flags = TCP_SYN, .sport = 200,
	                                    .dport = WORLD_PORT, .wnd = 1000 });
	CU_ASSERT_TRUE_FATAL(world_hears(&w, 0, &s));
	half.snd = seq_add(half.snd, 1);
	half.rcv = seq_add(s.seq, 1);
	host_close(&w.host[0], l);
	world_now(&w);
	CU_ASSERT_EQUAL(world_stack(&w, 0)->half_opens.used, 0);
	world_tells(&w, 0, &half, TCP_ACK, 0);
	CU_ASSERT_TRUE(world_hears(&w, 0, &s) && s.flags == TCP_RST && seq_eq(s.seq, half.rcv));
	syn(&w, 0x0a000004, 300);
	CU_ASSERT_TRUE(world_hears(&w, 0, &s) && s.flags == (TCP_RST | TCP_ACK));
	world_tells(&w, 0, &open, TCP_ACK | TCP_PSH, 10);
	CU_ASSERT_EQUAL(world_read(&w, 0, a), 10);
	world_fini(&w);
}

/* What has begun is completed and queued; what begins now finds silence, and begins again. */
static void
test_a_retired_listener_finishes_what_has_begun(void)
{
	struct world w;
	struct sock *l;
	struct call half = { 200, WORLD_PORT, { 9000 }, { 0 } }, k;
	struct tcp_seg s;

	world_init(&w, 1, NULL);
	l = world_listen(&w, 0, WORLD_PORT, 5);
	world_say(&w, 0, &(struct tcp_seg){ .seq = half.snd, .flags = TCP_SYN, .sport = 200,
	                                    .dport = WORLD_PORT, .wnd = 1000 });
	CU_ASSERT_TRUE_FATAL(world_hears(&w, 0, &s));
	half.snd = seq_add(half.snd, 1);
	half.rcv = seq_add(s.seq, 1);
	CU_ASSERT_EQUAL(host_listen(&w.host[0], l, 0), 0);
	syn(&w, 0x0a000004, 300);
	CU_ASSERT_FALSE(world_hears(&w, 0, &s));
	CU_ASSERT_EQUAL(world_stack(&w, 0)->fates[DROP_DEAF], 1);
	world_tells(&w, 0, &half, TCP_ACK, 0);
	CU_ASSERT_PTR_NOT_NULL(host_accept(&w.host[0], l));
	CU_ASSERT_EQUAL(host_listen(&w.host[0], l, 5), 0);
	CU_ASSERT_TRUE(world_calls(&w, 0, 101, WORLD_PORT, &k));
	host_close(&w.host[0], l);
	world_now(&w);
	world_fini(&w);
}

/* Until it is closed; another port and another segment are refused as ever. */
static void
test_a_retired_listener_is_silent_when_everything_ends(void)
{
	struct world w;
	struct sock *l;
	struct call none = { 200, WORLD_PORT, { 9000 }, { 0 } };
	struct tcp_seg s;

	world_init(&w, 1, NULL);
	l = world_listen(&w, 0, WORLD_PORT, 5);
	(void)world_listen(&w, 0, WORLD_PORT + 1, 5);
	syn(&w, 0x0a000004, 300);
	CU_ASSERT_TRUE(world_hears(&w, 0, &s) && s.flags == (TCP_SYN | TCP_ACK));
	CU_ASSERT_EQUAL(host_listen(&w.host[0], l, 0), 0);
	stack_quiesce(world_stack(&w, 0), SEC(1), SEC(1000));
	CU_ASSERT_EQUAL(world_stack(&w, 0)->half_opens.used, 0);
	syn(&w, 0x0a000004, 301);
	CU_ASSERT_FALSE(world_hears(&w, 0, &s));
	world_tells(&w, 0, &none, TCP_ACK, 0);
	CU_ASSERT_TRUE(world_hears(&w, 0, &s) && s.flags == TCP_RST);
	world_say(&w, 0, &(struct tcp_seg){ .seq = { 1 }, .flags = TCP_SYN, .sport = 302,
	                                    .dport = WORLD_PORT + 1, .wnd = 1000 });
	CU_ASSERT_TRUE(world_hears(&w, 0, &s) && s.flags == (TCP_RST | TCP_ACK));
	host_close(&w.host[0], l);
	world_now(&w);
	syn(&w, 0x0a000004, 303);
	CU_ASSERT_TRUE(world_hears(&w, 0, &s) && s.flags == (TCP_RST | TCP_ACK));
	world_fini(&w);
}

static void
deaf_at_first(struct stack_cfg *cfg, unsigned who)
{
	(void)who;
	cfg->deaf_ns = MS(200);
}

static void
test_who_has_just_started_refuses_no_syn(void)
{
	struct call none = { 200, WORLD_PORT, { 9000 }, { 0 } };
	struct world w;
	struct tcp_seg s;

	world_init(&w, 1, deaf_at_first);
	syn(&w, 0x0a000004, 300);
	CU_ASSERT_FALSE(world_hears(&w, 0, &s));
	world_tells(&w, 0, &none, TCP_ACK, 0);
	CU_ASSERT_TRUE(world_hears(&w, 0, &s) && s.flags == TCP_RST);
	(void)world_listen(&w, 0, WORLD_PORT, 5);
	syn(&w, 0x0a000004, 300);
	CU_ASSERT_TRUE(world_hears(&w, 0, &s) && s.flags == (TCP_SYN | TCP_ACK));
	world_run(&w, MS(200));
	world_say(&w, 0, &(struct tcp_seg){ .seq = { 1 }, .flags = TCP_SYN, .sport = 302,
	                                    .dport = WORLD_PORT + 1, .wnd = 1000 });
	CU_ASSERT_TRUE(world_hears(&w, 0, &s) && s.flags == (TCP_RST | TCP_ACK));
	world_fini(&w);
}

static void
test_who_does_not_listen_cannot_retire(void)
{
	struct world w;

	world_init(&w, 1, NULL);
	CU_ASSERT_EQUAL(host_listen(&w.host[0], host_socket(&w.host[0]), 0), 22);
	world_fini(&w);
}

/* What nobody accepted is reset when the listener goes. */
static void
test_a_closed_listener_resets_its_queue(void)
{
	struct world w;
	struct sock *l;
	struct call k;
	struct tcp_seg s;

	world_init(&w, 1, NULL);
	l = world_listen(&w, 0, WORLD_PORT, 5);
	CU_ASSERT_TRUE(world_calls(&w, 0, 100, WORLD_PORT, &k));
	host_close(&w.host[0], l);
	world_now(&w);
	CU_ASSERT_TRUE(world_hears(&w, 0, &s) && (s.flags & TCP_RST) && seq_eq(s.seq, k.rcv));
	CU_ASSERT_PTR_NULL(world_leak(&w, 0));
	world_fini(&w);
}

static void
test_the_port_is_free_again_at_once(void)
{
	struct world w;
	struct sock *l;
	struct call k;

	world_init(&w, 1, NULL);
	for (uint16_t i = 0; i < 2000; i++) { /* more often than there are listeners */
		l = world_listen(&w, 0, WORLD_PORT, 5);
		if (i % 100 == 0) {
			CU_ASSERT_TRUE(world_calls(&w, 0, (uint16_t)(100 + i), WORLD_PORT, &k));
		}
		host_close(&w.host[0], l);
		world_run(&w, US(10));
	}
	CU_ASSERT_TRUE(world_stack(&w, 0)->n_listeners <= 2);
	world_fini(&w);
}

/* ----------------------------------------------------------------- floods -- */

static unsigned
synacks(struct world *w)
{
	struct tcp_seg s;
	unsigned n = 0;

	while (world_hears(w, 0, &s))
		n += s.flags == (TCP_SYN | TCP_ACK);
	return n;
}

/* Nobody answers: five repetitions, each twice as late, then it is forgotten. */
static void
test_half_open_connections_expire(void)
{
	static const int at[] = { 1, 3, 7, 15, 31 };
	struct world w;
	int64_t t = 0;

	world_init(&w, 1, NULL);
	(void)world_listen(&w, 0, WORLD_PORT, 5);
	syn(&w, 0x0a000004, 300);
	CU_ASSERT_EQUAL(synacks(&w), 1);
	for (unsigned i = 0; i < array_len(at); i++) {
		world_run(&w, SEC(at[i]) - MS(50) - t);
		CU_ASSERT_EQUAL(synacks(&w), 0);
		world_run(&w, MS(100));
		CU_ASSERT_EQUAL(synacks(&w), 1);
		t = SEC(at[i]) + MS(50);
	}
	CU_ASSERT_EQUAL(world_stack(&w, 0)->half_opens.used, 1);
	world_run(&w, SEC(64) - t);
	CU_ASSERT_EQUAL(synacks(&w), 0);
	CU_ASSERT_EQUAL(world_stack(&w, 0)->half_opens.used, 0);
	CU_ASSERT_EQUAL(world_stack(&w, 0)->listener[0].half_open, 0);
	world_fini(&w);
}

/* Who repeats its SYN is answered each time, once, and keeps the record no longer than silence
 * would. */
static void
test_repeated_syns_keep_no_record(void)
{
	unsigned n = 0, said = 0;
	struct world w;

	world_init(&w, 1, NULL);
	(void)world_listen(&w, 0, WORLD_PORT, 5);
	for (; said < 100; said++) {
		syn(&w, 0x0a000004, 300);
		world_run(&w, MS(700));
		n += synacks(&w);
	}
	CU_ASSERT_EQUAL(world_fate(&w, 0, SYN_TAKEN), 2); /* the first was forgotten after 63 s */
	CU_ASSERT_EQUAL(world_fate(&w, 0, SYN_AGAIN), said - 2);
	CU_ASSERT_TRUE(n <= said + 5 + 3);
	world_run(&w, SEC(64));
	CU_ASSERT_EQUAL(world_stack(&w, 0)->half_opens.used, 0);
	world_fini(&w);
}

/* SYNs from everywhere, and a client that means it: he is served while the flood lasts, no
 * memory but that of the records is touched, and afterwards all of it is free. */
static void
test_a_syn_flood_does_not_shut_clients_out(void)
{
	struct world w;
	struct sock *l, *client, *a;
	uint32_t ip = 0x0b000000;

	world_init(&w, 2, NULL);
	l = world_listen(&w, 0, WORLD_PORT, 50);
	for (unsigned good = 0; good < 20; good++) {
		for (unsigned i = 0; i < 3 * N_HALF_OPEN; i++) {
			syn(&w, ip++, 1000);
			world_run(&w, US(20));
		}
		CU_ASSERT_TRUE(world_stack(&w, 0)->half_opens.used <= N_HALF_OPEN);
		client = host_socket(&w.host[1]);
		host_connect(&w.host[1], client, &w.host[0].ip, WORLD_PORT);
		for (unsigned i = 0; i < 100; i++) {
			syn(&w, ip++, 1000);
			world_run(&w, US(20));
		}
		CU_ASSERT_TRUE(sock_facts(client) & SOCK_CONNECTED);
		a = host_accept(&w.host[0], l);
		CU_ASSERT_PTR_NOT_NULL_FATAL(a);
		CU_ASSERT_EQUAL(world_write(&w, 1, client, 1000), 1000);
		world_run(&w, MS(1));
		CU_ASSERT_EQUAL(world_read(&w, 0, a), 1000);
		host_abort(&w.host[1], client);
		host_close(&w.host[0], a);
		world_run(&w, MS(1));
	}
	CU_ASSERT_EQUAL(world_stack(&w, 0)->half_opens.used, N_HALF_OPEN);
	CU_ASSERT_EQUAL(world_stack(&w, 0)->listener[0].half_open, N_HALF_OPEN);
	world_run(&w, SEC(64));
	CU_ASSERT_EQUAL(world_stack(&w, 0)->half_opens.used, 0);
	host_close(&w.host[0], l);
	world_now(&w);
	CU_ASSERT_PTR_NULL(world_leak(&w, 0));
	CU_ASSERT_PTR_NULL(world_leak(&w, 1));
	world_fini(&w);
}

/* A pool without a single record: every SYN is dropped, and nothing else happens. */
static void
cfg_no_half_opens(struct stack_cfg *cfg, unsigned who)
{
	(void)who;
	cfg->max_half_open = 0;
	cfg->tcp.syn_cookies = TCP_COOKIES_OFF;
}

static void
test_no_room_for_a_half_open_connection(void)
{
	struct world w;

	world_init(&w, 1, cfg_no_half_opens);
	(void)world_listen(&w, 0, WORLD_PORT, 5);
	syn(&w, 0x0a000004, 300);
	CU_ASSERT_EQUAL(world_fate(&w, 0, DROP_HALF_OPEN), 1);
	CU_ASSERT_EQUAL(world_skips(&w, 0), 0);
	world_fini(&w);
}

/* ------------------------------------------------------- TCP_DEFER_ACCEPT -- */

static void
set_option(struct world *w, struct sock *s, enum tcp_option option, int64_t value)
{
	w->host[0].ch->call.option = (int)option;
	w->host[0].ch->call.value = value;
	CU_ASSERT_EQUAL(host_call(&w->host[0], SOCK_CALL_SET, s), 0);
}

static void
test_a_deferred_connection_is_born_with_its_text(void)
{
	struct world w;
	struct sock *l, *a;
	struct call k;

	world_init(&w, 1, NULL);
	l = world_listen(&w, 0, WORLD_PORT, 5);
	set_option(&w, l, TCP_OPTION_DEFER_ACCEPT, 3);
	CU_ASSERT_TRUE(world_calls(&w, 0, 100, WORLD_PORT, &k));
	CU_ASSERT_EQUAL(world_fate(&w, 0, DROP_DEFERRED), 1);
	CU_ASSERT_PTR_NULL(host_accept(&w.host[0], l));
	world_run(&w, MS(2500));
	CU_ASSERT_EQUAL(synacks(&w), 0); /* it is known to have arrived */
	world_tells(&w, 0, &k, TCP_ACK, 5);
	a = host_accept(&w.host[0], l);
	CU_ASSERT_PTR_NOT_NULL_FATAL(a);
	CU_ASSERT_EQUAL(world_read(&w, 0, a), 5);
	CU_ASSERT_EQUAL(world_stack(&w, 0)->half_opens.used, 0);
	world_fini(&w);
}

/* 1 + 2 + 4 s: then the SYN-ACK is repeated, and its ACK counts. */
static void
test_a_deferred_connection_is_born_when_the_time_is_over(void)
{
	struct world w;
	struct sock *l;
	struct call k;

	world_init(&w, 1, NULL);
	l = world_listen(&w, 0, WORLD_PORT, 5);
	set_option(&w, l, TCP_OPTION_DEFER_ACCEPT, 3);
	CU_ASSERT_TRUE(world_calls(&w, 0, 100, WORLD_PORT, &k));
	world_run(&w, MS(6900));
	CU_ASSERT_EQUAL(synacks(&w), 0);
	world_run(&w, MS(200));
	CU_ASSERT_EQUAL(synacks(&w), 1);
	CU_ASSERT_PTR_NULL(host_accept(&w.host[0], l));
	world_tells(&w, 0, &k, TCP_ACK, 0);
	CU_ASSERT_PTR_NOT_NULL(host_accept(&w.host[0], l));
	world_fini(&w);
}

/* Nobody answers the last SYN-ACK: the record goes, as any. */
static void
test_a_deferred_connection_that_falls_silent_goes(void)
{
	struct world w;
	struct sock *l;
	struct call k;

	world_init(&w, 1, NULL);
	l = world_listen(&w, 0, WORLD_PORT, 5);
	set_option(&w, l, TCP_OPTION_DEFER_ACCEPT, 3);
	CU_ASSERT_TRUE(world_calls(&w, 0, 100, WORLD_PORT, &k));
	world_run(&w, SEC(200));
	CU_ASSERT_EQUAL(world_stack(&w, 0)->half_opens.used, 0);
	CU_ASSERT_PTR_NULL(host_accept(&w.host[0], l));
	world_fini(&w);
}

/* -------------------------------------------------------------- Fast Open -- */

static void
fastopen_cfg(struct stack_cfg *cfg, unsigned who)
{
	(void)who;
	cfg->tcp.fastopen = FASTOPEN_CLIENT | FASTOPEN_SERVER;
}

/* A SYN with `len` bytes and the cookie that the stack makes of the stranger's address. */
static void
fast_syn(struct world *w, uint16_t sport, uint32_t len)
{
	struct tcp_tuple t = { w->host[0].ip, host_ip(WORLD_STRANGER), WORLD_PORT, sport };
	struct tcp_seg s = { .seq = { sport }, .flags = TCP_SYN, .sport = sport, .len = len,
		             .dport = WORLD_PORT, .wnd = 1000 };

	tcp_fastopen_give(&world_stack(w, 0)->env, &t, &s);
	world_say(w, 0, &s);
}

/* RFC 7413 5.1: so many may wait for their handshake; others go the usual way. */
static void
test_pending_fast_opens_are_limited(void)
{
	struct world w;
	struct sock *l, *a;
	struct tcp_seg s;

	world_init(&w, 1, fastopen_cfg);
	l = world_listen(&w, 0, WORLD_PORT, 5);
	fast_syn(&w, 100, 50); /* off until the listener asks for it */
	CU_ASSERT_EQUAL(world_fate(&w, 0, SYN_FASTOPEN), 0);
	CU_ASSERT_EQUAL(host_set(&w.host[0], l, TCP_OPTION_FASTOPEN, 2), 0);
	(void)world_skips(&w, 0);
	for (uint16_t i = 1; i <= 3; i++) {
		fast_syn(&w, (uint16_t)(100 + i), 50);
		CU_ASSERT_TRUE(world_hears(&w, 0, &s));
		CU_ASSERT_EQUAL(seq_sub(s.ack, seq_of(100u + i)), i < 3 ? 51 : 1);
	}
	CU_ASSERT_EQUAL(world_fate(&w, 0, SYN_FASTOPEN), 2);
	a = host_accept(&w.host[0], l); /* before its handshake is over */
	CU_ASSERT_PTR_NOT_NULL_FATAL(a);
	CU_ASSERT_EQUAL(a->name.rport, 101);
	CU_ASSERT_EQUAL(world_read(&w, 0, a), 50);
	/* One is completed, one reset: there is room for one more, and in a minute for another. */
	world_say(&w, 0, &(struct tcp_seg){ .seq = { 152 }, .flags = TCP_ACK, .sport = 101,
	                                    .ack = seq_add(a->conn->iss, 1), .wnd = 1000,
	                                    .dport = WORLD_PORT });
	CU_ASSERT_EQUAL(a->conn->state, TCP_ESTABLISHED);
	world_say(&w, 0, &(struct tcp_seg){ .seq = { 153 }, .flags = TCP_RST, .sport = 102,
	                                    .dport = WORLD_PORT });
	for (uint16_t i = 4; i <= 6; i++)
		fast_syn(&w, (uint16_t)(100 + i), 50);
	CU_ASSERT_EQUAL(world_fate(&w, 0, SYN_FASTOPEN), 3);
	world_run(&w, SEC(59));
	fast_syn(&w, 107, 50);
	CU_ASSERT_EQUAL(world_fate(&w, 0, SYN_FASTOPEN), 3);
	world_run(&w, SEC(21));
	for (uint16_t i = 8; i <= 10; i++)
		fast_syn(&w, (uint16_t)(100 + i), 50);
	CU_ASSERT_EQUAL(world_fate(&w, 0, SYN_FASTOPEN), 5);
	world_fini(&w);
}

/* RFC 7413 5.1: a host whose address is forged resets what it hears of, and frees no place by
 * it, however often. */
static void
test_a_reset_frees_no_place_at_once(void)
{
	struct world w;
	struct sock *l;

	world_init(&w, 1, fastopen_cfg);
	l = world_listen(&w, 0, WORLD_PORT, 50);
	CU_ASSERT_EQUAL(host_set(&w.host[0], l, TCP_OPTION_FASTOPEN, 3), 0);
	for (uint16_t i = 100; i < 130; i++) {
		fast_syn(&w, i, 50);
		world_say(&w, 0, &(struct tcp_seg){ .seq = { i + 51u }, .flags = TCP_RST,
		                                    .sport = i, .dport = WORLD_PORT });
		world_say(&w, 0, &(struct tcp_seg){ .seq = { i + 1u }, .flags = TCP_RST,
		                                    .sport = i, .dport = WORLD_PORT });
		host_abort(&w.host[0], host_accept(&w.host[0], l) ?: host_socket(&w.host[0]));
		world_run(&w, SEC(1));
	}
	CU_ASSERT_EQUAL(world_fate(&w, 0, SYN_FASTOPEN), 3);
	world_fini(&w);
}

/* The listener has gone, and another has its number: what was born of the first is none of
 * the second's. */
static void
test_a_number_used_again_is_another_listener(void)
{
	struct world w;
	struct sock *l, *a, *again;
	struct tcp_seg s;

	world_init(&w, 1, fastopen_cfg);
	l = world_listen(&w, 0, WORLD_PORT, 5);
	CU_ASSERT_EQUAL(host_set(&w.host[0], l, TCP_OPTION_FASTOPEN, 2), 0);
	fast_syn(&w, 101, 50);
	CU_ASSERT(world_hears(&w, 0, &s));
	a = host_accept(&w.host[0], l);
	CU_ASSERT_PTR_NOT_NULL_FATAL(a);
	(void)world_read(&w, 0, a);
	again = l;
	for (unsigned i = 0; i < 10000 && (i == 0 || again != l); i++) {
		host_close(&w.host[0], again);
		world_now(&w);
		again = world_listen(&w, 0, WORLD_PORT, 5);
	}
	CU_ASSERT_PTR_EQUAL_FATAL(again, l);
	CU_ASSERT_EQUAL(host_set(&w.host[0], l, TCP_OPTION_FASTOPEN, 2), 0);
	fast_syn(&w, 102, 50);
	CU_ASSERT_EQUAL(world_stack(&w, 0)->listener[0].fastopen, 1);
	world_say(&w, 0, &(struct tcp_seg){ .seq = { 152 }, .flags = TCP_ACK, .sport = 101,
	                                    .ack = seq_add(s.seq, 1), .wnd = 1000,
	                                    .dport = WORLD_PORT });
	CU_ASSERT_EQUAL(a->conn->state, TCP_ESTABLISHED);
	CU_ASSERT_EQUAL(world_stack(&w, 0)->listener[0].fastopen, 1);
	world_fini(&w);
}

/* The client's side of the core: what is written before it connects goes with the SYN. */
static void
test_a_second_connection_brings_text(void)
{
	struct world w;
	struct sock *l, *c, *a;

	world_init(&w, 2, fastopen_cfg);
	l = world_listen(&w, 1, WORLD_PORT, 5);
	CU_ASSERT_EQUAL(host_set(&w.host[1], l, TCP_OPTION_FASTOPEN, 5), 0);
	for (unsigned i = 0; i < 2; i++) {
		struct channel *ch = w.host[0].ch;

		ch->call.addr.ip = w.host[1].ip;
		CU_ASSERT_EQUAL(host_call(&w.host[0], SOCK_CALL_FASTOPEN_ROOM, l), 0);
		CU_ASSERT_EQUAL(ch->call.value, i == 0 ? 0 : 1460 - 40);
		c = host_socket(&w.host[0]);
		CU_ASSERT_PTR_NOT_NULL_FATAL(c);
		atomic_store(&c->opt_bits, SOCK_OPT_FASTOPEN);
		CU_ASSERT_EQUAL(host_write_ahead(&w.host[0], c, (const uint8_t *)"hello", 5), 5);
		host_connect(&w.host[0], c, &w.host[1].ip, WORLD_PORT);
		world_run(&w, SEC(1));
		a = host_accept(&w.host[1], l);
		CU_ASSERT_PTR_NOT_NULL_FATAL(a);
		CU_ASSERT_EQUAL(world_read(&w, 1, a), 5);
		CU_ASSERT_EQUAL(world_fate(&w, 1, SYN_FASTOPEN), i);
	}
	world_fini(&w);
}

static void
test_fast_open_keys_can_be_changed(void)
{
	struct world w;
	struct sock *l;
	struct channel *ch;

	world_init(&w, 1, fastopen_cfg);
	ch = w.host[0].ch;
	l = world_listen(&w, 0, WORLD_PORT, 5);
	CU_ASSERT_EQUAL(host_set(&w.host[0], l, TCP_OPTION_FASTOPEN, 5), 0);
	memset(ch->call.key, 7, sizeof ch->call.key);
	ch->call.value = 16;
	CU_ASSERT_EQUAL(host_call(&w.host[0], SOCK_CALL_FASTOPEN_KEY, l), 0);
	memset(ch->call.key, 0, sizeof ch->call.key);
	ch->call.value = 0;
	CU_ASSERT_EQUAL(host_call(&w.host[0], SOCK_CALL_FASTOPEN_KEY, l), 0);
	CU_ASSERT_EQUAL(ch->call.value, 16);
	CU_ASSERT_EQUAL(ch->call.key[15], 7);
	ch->call.value = 17;
	CU_ASSERT_NOT_EQUAL(host_call(&w.host[0], SOCK_CALL_FASTOPEN_KEY, l), 0);
	fast_syn(&w, 100, 50);
	CU_ASSERT_EQUAL(world_fate(&w, 0, SYN_FASTOPEN), 1);
	world_fini(&w);
}

/* RFC 9293 3.5.1, figure 10: whoever begins anew learns of the old record, and resets it; the
 * next of its SYNs is taken. */
static void
test_a_client_may_begin_anew(void)
{
	struct world w;
	struct tcp_seg s, again = { .seq = seq_of(1u << 30), .flags = TCP_SYN, .sport = 9,
		                    .dport = WORLD_PORT, .wnd = 1000 };

	world_init(&w, 1, NULL);
	(void)world_listen(&w, 0, WORLD_PORT, 5);
	world_say(&w, 0, &(struct tcp_seg){ .seq = seq_of(1), .flags = TCP_SYN, .sport = 9,
	                                    .dport = WORLD_PORT, .wnd = 1000 });
	(void)world_skips(&w, 0);
	world_say(&w, 0, &again);
	CU_ASSERT_FATAL(world_hears(&w, 0, &s));
	CU_ASSERT(s.flags == TCP_ACK && s.ack.v == 2);
	world_say(&w, 0, &(struct tcp_seg){ .seq = s.ack, .flags = TCP_RST, .sport = 9,
	                                    .dport = WORLD_PORT });
	CU_ASSERT_EQUAL(world_stack(&w, 0)->half_opens.used, 0);
	world_say(&w, 0, &again);
	CU_ASSERT(world_hears(&w, 0, &s) && s.flags == (TCP_SYN | TCP_ACK));
	CU_ASSERT_EQUAL(s.ack.v, (1u << 30) + 1);
	world_fini(&w);
}

/* ---------------------------------------------------------------- cookies -- */

static void
cfg_few_half_opens(struct stack_cfg *cfg, unsigned who)
{
	(void)who;
	cfg->max_half_open = 4;
}

static void
cfg_few_and_off(struct stack_cfg *cfg, unsigned who)
{
	cfg_few_half_opens(cfg, who);
	cfg->tcp.syn_cookies = TCP_COOKIES_OFF;
}

static void
cfg_always(struct stack_cfg *cfg, unsigned who)
{
	(void)who;
	cfg->tcp.syn_cookies = TCP_COOKIES_ALWAYS;
}

static void
cfg_always_in_large_steps(struct stack_cfg *cfg, unsigned who)
{
	cfg_always(cfg, who);
	cfg->rx_bursts = 4 * STACK_STRAYS / IO_BURST;
}

/* A SYN of the stranger with every option; the answer in `s`. */
static bool
full_syn(struct world *w, struct call *k, struct tcp_seg *s)
{
	*k = (struct call){ 400, WORLD_PORT, { 9000 }, { 0 } };
	(void)world_skips(w, 0);
	world_say(w, 0, &(struct tcp_seg){ .seq = k->snd, .flags = TCP_SYN, .sport = k->sport,
	                                   .dport = k->dport, .wnd = 1000, .mss = 1440,
	                                   .wscale = 3, .tsval = 50,
	                                   .opts = TCP_OPT_MSS | TCP_OPT_TS | TCP_OPT_WSCALE |
	                                           TCP_OPT_SACK_OK });
	k->snd = seq_add(k->snd, 1);
	if (!world_hears(w, 0, s) || s->flags != (TCP_SYN | TCP_ACK))
		return false;
	k->rcv = seq_add(s->seq, 1);
	return true;
}

static void
full_ack(struct world *w, const struct call *k, const struct tcp_seg *synack, uint32_t len)
{
	world_say(w, 0, &(struct tcp_seg){ .seq = k->snd, .ack = k->rcv, .flags = TCP_ACK,
	                                   .sport = k->sport, .dport = k->dport, .wnd = 1000,
	                                   .len = len, .opts = TCP_OPT_TS, .tsval = 60,
	                                   .tsecr = synack->tsval });
}

static void
fill_up(struct world *w)
{
	for (uint16_t i = 0; i < 4; i++)
		syn(w, 0x0b000000u + i, 1000);
	CU_ASSERT_EQUAL(world_stack(w, 0)->half_opens.used, 4);
	CU_ASSERT_EQUAL(world_fate(w, 0, SYN_COOKIE), 0);
}

/* RFC 4987 3.6: no record, and no option lost. */
static void
test_a_full_queue_answers_without_state(void)
{
	struct world w;
	struct sock *l, *a;
	struct call k;
	struct tcp_seg s;

	world_init(&w, 1, cfg_few_half_opens);
	l = world_listen(&w, 0, WORLD_PORT, 5);
	fill_up(&w);
	CU_ASSERT_TRUE_FATAL(full_syn(&w, &k, &s));
	CU_ASSERT_EQUAL(world_fate(&w, 0, SYN_COOKIE), 1);
	CU_ASSERT_EQUAL(world_fate(&w, 0, DROP_HALF_OPEN), 0); /* who is half open stays */
	CU_ASSERT_EQUAL(world_stack(&w, 0)->half_opens.used, 4);
	world_run(&w, MS(30));
	full_ack(&w, &k, &s, 0);
	CU_ASSERT_EQUAL(world_fate(&w, 0, COOKIE_TAKEN), 1);
	a = host_accept(&w.host[0], l);
	CU_ASSERT_PTR_NOT_NULL_FATAL(a);
	CU_ASSERT_EQUAL(a->conn->flags & (TCPF_TS | TCPF_SACK | TCPF_WSCALE),
	                TCPF_TS | TCPF_SACK | TCPF_WSCALE);
	CU_ASSERT_EQUAL(a->conn->snd_wscale, 3);
	CU_ASSERT_EQUAL(a->conn->snd_wnd, 8000);
	CU_ASSERT_EQUAL(a->conn->mss, 1440 - 12);
	CU_ASSERT_EQUAL(a->conn->srtt_us, 0); /* nobody knows when the SYN-ACK left */
	full_ack(&w, &k, &s, 100);
	CU_ASSERT_EQUAL(world_read(&w, 0, a), 100);
	world_fini(&w);
}

/* The first ACK was lost: the text behind it brings the cookie as well. */
static void
test_text_brings_a_cookie(void)
{
	struct world w;
	struct sock *l, *a;
	struct call k, other;
	struct tcp_seg s;

	world_init(&w, 1, cfg_always);
	l = world_listen(&w, 0, WORLD_PORT, 1);
	CU_ASSERT_TRUE(world_calls(&w, 0, 100, WORLD_PORT, &other));
	CU_ASSERT_EQUAL(atomic_load(&l->accepts), 1);
	CU_ASSERT_PTR_NOT_NULL(host_accept(&w.host[0], l));
	CU_ASSERT_TRUE_FATAL(full_syn(&w, &k, &s));
	CU_ASSERT_TRUE(world_calls(&w, 0, 101, WORLD_PORT, &other)); /* takes the place */
	(void)world_skips(&w, 0);
	full_ack(&w, &k, &s, 0);
	CU_ASSERT_EQUAL(world_fate(&w, 0, DROP_BACKLOG), 1);
	CU_ASSERT_EQUAL(world_skips(&w, 0), 0);
	CU_ASSERT_PTR_NOT_NULL(host_accept(&w.host[0], l));
	full_ack(&w, &k, &s, 100);
	a = host_accept(&w.host[0], l);
	CU_ASSERT_PTR_NOT_NULL_FATAL(a);
	CU_ASSERT_EQUAL(world_read(&w, 0, a), 100);
	world_fini(&w);
}

static void
test_a_forged_cookie_is_reset(void)
{
	struct world w;
	struct call k;
	struct tcp_seg s, synack;

	world_init(&w, 1, cfg_few_half_opens);
	(void)world_listen(&w, 0, WORLD_PORT, 5);
	fill_up(&w);
	CU_ASSERT_TRUE_FATAL(full_syn(&w, &k, &synack));
	k.rcv = seq_add(k.rcv, 64);
	full_ack(&w, &k, &synack, 0);
	CU_ASSERT_TRUE(world_hears(&w, 0, &s) && s.flags == TCP_RST && seq_eq(s.seq, k.rcv));
	CU_ASSERT_EQUAL(world_fate(&w, 0, DROP_COOKIE), 1);
	k.rcv = seq_add(k.rcv, -64u);
	world_run(&w, SEC(129)); /* a good one that comes too late */
	(void)world_skips(&w, 0);
	full_ack(&w, &k, &synack, 0);
	CU_ASSERT_TRUE(world_hears(&w, 0, &s) && s.flags == TCP_RST);
	CU_ASSERT_EQUAL(world_stack(&w, 0)->conns.used, 0);
	world_fini(&w);
}

/* What is to be reset in the same step takes half of the room for replies, and no more. */
static void
test_resets_leave_room_for_cookies(void)
{
	struct tcp_seg s = { .seq = { 9 }, .flags = TCP_ACK, .dport = WORLD_PORT, .wnd = 1000 };
	unsigned synacks = 0, n = 2 * STACK_STRAYS;
	struct world w;

	world_init(&w, 1, cfg_always_in_large_steps);
	(void)world_listen(&w, 0, WORLD_PORT, 5);
	for (s.sport = 1; s.sport <= n; s.sport++)
		world_drop_in(&w, 0, &s);
	s.flags = TCP_SYN;
	for (; s.sport <= n + 10; s.sport++)
		world_drop_in(&w, 0, &s);
	world_step(&w, 0);
	world_now(&w);
	while (world_hears(&w, 0, &s))
		synacks += s.flags == (TCP_SYN | TCP_ACK);
	CU_ASSERT_EQUAL(synacks, 10);
	world_fini(&w);
}

static void
test_no_cookies_while_there_is_room(void)
{
	struct world w;
	struct call k;
	struct tcp_seg s;

	world_init(&w, 1, cfg_few_half_opens);
	(void)world_listen(&w, 0, WORLD_PORT, 5);
	for (uint16_t i = 0; i < 3; i++)
		syn(&w, 0x0b000000u + i, 1000);
	CU_ASSERT_TRUE(full_syn(&w, &k, &s));
	CU_ASSERT_EQUAL(world_stack(&w, 0)->half_opens.used, 4);
	CU_ASSERT_EQUAL(world_fate(&w, 0, SYN_COOKIE), 0);
	world_tells(&w, 0, &(struct call){ 999, WORLD_PORT, { 1 }, { 2 } }, TCP_ACK, 0);
	CU_ASSERT_EQUAL(world_fate(&w, 0, DROP_NO_CONN), 1); /* not even looked at */
	CU_ASSERT_EQUAL(world_fate(&w, 0, DROP_COOKIE), 0);
	world_fini(&w);
}

/* Without them the oldest record makes room. */
static void
test_cookies_may_be_off(void)
{
	struct world w;
	struct call k;
	struct tcp_seg s;

	world_init(&w, 1, cfg_few_and_off);
	(void)world_listen(&w, 0, WORLD_PORT, 5);
	fill_up(&w);
	CU_ASSERT_TRUE(full_syn(&w, &k, &s));
	CU_ASSERT_EQUAL(world_fate(&w, 0, SYN_COOKIE), 0);
	CU_ASSERT_EQUAL(world_fate(&w, 0, DROP_HALF_OPEN), 1);
	world_fini(&w);
}

static void
test_cookies_for_everybody(void)
{
	struct world w;
	struct sock *l, *c, *s;
	uint32_t got = 0;

	world_init(&w, 2, cfg_always);
	l = world_listen(&w, 1, WORLD_PORT, 5);
	world_pair(&w, l, &c, &s);
	CU_ASSERT_EQUAL(world_stack(&w, 1)->half_opens.fresh, 0);
	CU_ASSERT_TRUE(c->conn->flags & TCPF_SACK);
	for (unsigned i = 0; i < 20; i++) {
		CU_ASSERT_EQUAL(world_write(&w, 0, c, 10000), 10000);
		world_run(&w, MS(10));
		got += world_read(&w, 1, s);
	}
	CU_ASSERT_EQUAL(got, 200000);
	world_fini(&w);
}

void
suite_listen(void)
{
	CU_pSuite suite = CU_add_suite("core/listen", NULL, NULL);

	CU_add_test(suite, "what is completed is counted and queued",
	            test_what_is_completed_is_counted_and_queued);
	CU_add_test(suite, "a full backlog takes no more (attack: application never accepts)",
	            test_a_full_backlog_takes_no_more);
	CU_add_test(suite, "a handshake waits for the backlog",
	            test_a_handshake_waits_for_the_backlog);
	CU_add_test(suite, "the backlog may be changed", test_the_backlog_may_be_changed);
	CU_add_test(suite, "the listener of the address comes first (RFC 9293 MUST-42)",
	            test_the_listener_of_the_address_comes_first);
	CU_add_test(suite, "children inherit options", test_children_inherit_options);
	CU_add_test(suite, "a closed listener resets what was half open",
	            test_a_closed_listener_resets_what_was_half_open);
	CU_add_test(suite, "a closed listener resets its queue",
	            test_a_closed_listener_resets_its_queue);
	CU_add_test(suite, "a retired listener finishes what has begun",
	            test_a_retired_listener_finishes_what_has_begun);
	CU_add_test(suite, "a retired listener is silent when everything ends",
	            test_a_retired_listener_is_silent_when_everything_ends);
	CU_add_test(suite, "who has just started refuses no SYN", test_who_has_just_started_refuses_no_syn);
	CU_add_test(suite, "who does not listen cannot retire", test_who_does_not_listen_cannot_retire);
	CU_add_test(suite, "the port is free again at once", test_the_port_is_free_again_at_once);
	CU_add_test(suite, "half-open connections expire", test_half_open_connections_expire);
	CU_add_test(suite, "a SYN flood does not shut clients out (attack: SYN flood)",
	            test_a_syn_flood_does_not_shut_clients_out);
	CU_add_test(suite, "a client may begin anew (RFC 9293 3.5.1)", test_a_client_may_begin_anew);
	CU_add_test(suite, "a full queue answers without state (RFC 4987 3.6/cookies)",
	            test_a_full_queue_answers_without_state);
	CU_add_test(suite, "text brings a cookie", test_text_brings_a_cookie);
	CU_add_test(suite, "a forged cookie is reset (RFC 4987 3.6/forged)",
	            test_a_forged_cookie_is_reset);
	CU_add_test(suite, "resets leave room for cookies (attack: SYN flood)",
	            test_resets_leave_room_for_cookies);
	CU_add_test(suite, "no cookies while there is room (RFC 4987 3.6/idle)",
	            test_no_cookies_while_there_is_room);
	CU_add_test(suite, "cookies may be off", test_cookies_may_be_off);
	CU_add_test(suite, "cookies for everybody", test_cookies_for_everybody);
	CU_add_test(suite, "repeated SYNs keep no record (attack: SYN flood)",
	            test_repeated_syns_keep_no_record);
	CU_add_test(suite, "no room for a half-open connection",
	            test_no_room_for_a_half_open_connection);
	CU_add_test(suite, "a deferred connection is born with its text (option: "
	            "TCP_DEFER_ACCEPT)",
	            test_a_deferred_connection_is_born_with_its_text);
	CU_add_test(suite, "a deferred connection is born when the time is over",
	            test_a_deferred_connection_is_born_when_the_time_is_over);
	CU_add_test(suite, "a deferred connection that falls silent goes",
	            test_a_deferred_connection_that_falls_silent_goes);
	CU_add_test(suite, "pending fast opens are limited (RFC 7413 5.1)",
	            test_pending_fast_opens_are_limited);
	CU_add_test(suite, "a reset frees no place at once (RFC 7413 5.1)",
	            test_a_reset_frees_no_place_at_once);
	CU_add_test(suite, "a number used again is another listener",
	            test_a_number_used_again_is_another_listener);
	CU_add_test(suite, "a second connection brings text (RFC 7413 4.1.3)",
	            test_a_second_connection_brings_text);
	CU_add_test(suite, "Fast Open keys can be changed (RFC 7413 4.1.2)", test_fast_open_keys_can_be_changed);
}
