/* SPDX-License-Identifier: BSD-3-Clause */
/* What the application asks for, and what it is answered. */
#include <CUnit/CUnit.h>

#include "test/core/world.h"

void suite_jobs(void);

enum { E_HOSTUNREACH = 113 }; /* the others: stack_priv.h */

#define LO      50000u
#define N_PORTS 8u

static void
cfg_few_ports(struct stack_cfg *cfg, unsigned who)
{
	(void)who;
	cfg->ephemeral_lo = LO;
	cfg->ephemeral_hi = LO + N_PORTS - 1;
	cfg->port[0].n_addrs = 2;
	cfg->port[0].addr[1] = (struct stack_addr){ .ip = ip_addr_v4(0x0a000041 + who), .prefix = 96 + 24 };
}

static struct sock *
new_socket(struct world *w)
{
	struct sock *s = host_socket(&w->host[0]);

	CU_ASSERT_PTR_NOT_NULL_FATAL(s);
	return s;
}

static int
bind_to(struct world *w, struct sock *s, uint32_t ip, uint16_t port)
{
	struct ip_addr a = ip_addr_v4(ip);

	return host_bind(&w->host[0], s, &a, port);
}

/* ------------------------------------------------------------------ bind -- */

static void
test_one_address_and_port_has_one_owner(void)
{
	struct world w;
	struct sock *s[4];

	world_init(&w, 1, cfg_few_ports);
	for (unsigned i = 0; i < 4; i++)
		s[i] = new_socket(&w);
	CU_ASSERT_EQUAL(bind_to(&w, s[0], 0x0a000001, 80), 0);
	CU_ASSERT_EQUAL(bind_to(&w, s[1], 0x0a000001, 80), E_ADDRINUSE);
	CU_ASSERT_EQUAL(bind_to(&w, s[1], 0, 80), E_ADDRINUSE);
	CU_ASSERT_EQUAL(bind_to(&w, s[1], 0x0a000041, 80), 0); /* the other address */
	CU_ASSERT_EQUAL(bind_to(&w, s[2], 0, 81), 0);
	CU_ASSERT_EQUAL(bind_to(&w, s[3], 0x0a000001, 81), E_ADDRINUSE);
	CU_ASSERT_EQUAL(bind_to(&w, s[3], 0x0a000009, 90), E_ADDRNOTAVAIL); /* not ours */
	CU_ASSERT_EQUAL(bind_to(&w, s[3], 0xffffffff, 90), E_ADDRNOTAVAIL);
	CU_ASSERT_EQUAL(s[3]->name.lport, 0);
	CU_ASSERT_EQUAL(bind_to(&w, s[0], 0x0a000001, 82), E_INVAL); /* bound already */
	host_close(&w.host[0], s[2]);
	CU_ASSERT_EQUAL(bind_to(&w, s[3], 0x0a000001, 81), 0);
	world_fini(&w);
}

static void
test_port_0_chooses_one(void)
{
	struct world w;
	bool seen[N_PORTS] = { false };
	struct sock *s = NULL;
	uint16_t port;

	world_init(&w, 1, cfg_few_ports);
	for (unsigned i = 0; i < N_PORTS; i++) {
		s = new_socket(&w);
		CU_ASSERT_EQUAL(bind_to(&w, s, 0, 0), 0);
		port = w.host[0].ch->call.addr.port;
		CU_ASSERT_EQUAL(s->name.lport, port);
		CU_ASSERT_FATAL(port >= LO && port < LO + N_PORTS);
		CU_ASSERT_FALSE(seen[port - LO]);
		seen[port - LO] = true;
	}
	CU_ASSERT_EQUAL(bind_to(&w, new_socket(&w), 0, 0), E_ADDRINUSE);
	host_close(&w.host[0], s);
	CU_ASSERT_EQUAL(bind_to(&w, new_socket(&w), 0, 0), 0);
	world_fini(&w);
}

static void
test_a_listener_without_bind_gets_a_port(void)
{
	struct world w;
	struct ip_addr peer = host_ip(WORLD_STRANGER);
	struct sock *l, *c;

	world_init(&w, 1, cfg_few_ports);
	l = new_socket(&w);
	CU_ASSERT_EQUAL(host_listen(&w.host[0], l, 5), 0);
	CU_ASSERT_TRUE(l->name.lport >= LO && l->name.lport < LO + N_PORTS);
	CU_ASSERT_EQUAL(bind_to(&w, l, 0, 80), E_INVAL);
	c = new_socket(&w);
	host_connect(&w.host[0], c, &peer, 80);
	world_now(&w);
	CU_ASSERT_EQUAL(host_listen(&w.host[0], c, 5), E_INVAL); /* it is a connection */
	world_fini(&w);
}

/* --------------------------------------------------------------- connect -- */

/* The error that a connect to this address ends with at once; 0: none. */
static int
connect_error(struct world *w, struct sock *s, uint32_t ip)
{
	struct ip_addr a = ip_addr_v4(ip);

	host_connect(&w->host[0], s, &a, 80);
	world_now(w);
	return sock_facts(s) & SOCK_ERROR ? s->err : 0;
}

/* RFC 9293 MUST-46. */
static void
test_there_is_no_way_to_some_addresses(void)
{
	static const uint32_t nowhere[] = {
		0x0d000001, /* no route */
		0, 0xffffffff, 0x0a0000ff, 0xe0000001, 0x7f000001, 0xf0000001,
		0x0a000001, /* ourselves: there is no loopback */
	};
	struct world w;
	struct sock *s;

	world_init(&w, 1, NULL);
	for (unsigned i = 0; i < array_len(nowhere); i++) {
		s = new_socket(&w);
		CU_ASSERT_EQUAL(connect_error(&w, s, nowhere[i]), E_NETUNREACH);
		CU_ASSERT_EQUAL(sock_facts(s), SOCK_ERROR | SOCK_OVER);
		host_close(&w.host[0], s);
	}
	CU_ASSERT_EQUAL(world_skips(&w, 0), 0);
	CU_ASSERT_PTR_NULL(world_leak(&w, 0));
	world_fini(&w);
}

/* Nobody answers ARP: three tries a second apart.  Others do not wait for that. */
static void
test_a_dead_neighbour_is_unreachable(void)
{
	struct world w;
	struct sock *s[50], *good;

	world_init(&w, 2, NULL);
	(void)world_listen(&w, 1, WORLD_PORT, 5);
	for (unsigned i = 0; i < 50; i++) {
		s[i] = new_socket(&w);
		CU_ASSERT_EQUAL(connect_error(&w, s[i], 0x0a000063 + i % 5), 0);
	}
	good = world_connect(&w, 0, WORLD_PORT);
	world_run(&w, MS(10));
	CU_ASSERT_TRUE(sock_facts(good) & SOCK_CONNECTED);
	world_run(&w, SEC(4));
	for (unsigned i = 0; i < 50; i++) {
		CU_ASSERT_EQUAL(sock_facts(s[i]), SOCK_ERROR | SOCK_OVER);
		CU_ASSERT_EQUAL(s[i]->err, E_HOSTUNREACH);
		host_close(&w.host[0], s[i]);
	}
	/* It is remembered for a moment, then asked again. */
	CU_ASSERT_EQUAL(connect_error(&w, new_socket(&w), 0x0a000063), E_HOSTUNREACH);
	world_run(&w, SEC(4));
	CU_ASSERT_EQUAL(connect_error(&w, new_socket(&w), 0x0a000063), 0);
	world_fini(&w);
}

static void
test_ports_run_out(void)
{
	struct world w;
	struct sock *s[N_PORTS + 1], *other;

	world_init(&w, 1, cfg_few_ports);
	for (unsigned i = 0; i < N_PORTS; i++) {
		s[i] = new_socket(&w);
		CU_ASSERT_EQUAL(connect_error(&w, s[i], 0x0a000004), 0);
	}
	s[N_PORTS] = new_socket(&w);
	CU_ASSERT_EQUAL(connect_error(&w, s[N_PORTS], 0x0a000004), E_ADDRNOTAVAIL);
	other = new_socket(&w);
	CU_ASSERT_EQUAL(connect_error(&w, other, 0x0a000005), 0); /* to somebody else */
	host_abort(&w.host[0], s[3]);
	world_now(&w);
	CU_ASSERT_EQUAL(connect_error(&w, new_socket(&w), 0x0a000004), 0);
	world_fini(&w);
}

/* A bound socket connects from there; the tuple must be free. */
static void
test_a_bound_socket_connects_from_its_address(void)
{
	struct world w;
	struct craft_way way;
	struct sock *a, *b;
	const struct world_frame *f;
	struct tcp_seg s;

	world_init(&w, 1, cfg_few_ports);
	a = new_socket(&w);
	CU_ASSERT_EQUAL(bind_to(&w, a, 0x0a000041, 777), 0);
	CU_ASSERT_EQUAL(connect_error(&w, a, 0x0a000004), 0);
	f = world_next(&w, 0);
	CU_ASSERT_PTR_NOT_NULL_FATAL(f);
	CU_ASSERT_TRUE(craft_parse_tcp(f->data, f->len, &way, &s));
	CU_ASSERT_EQUAL(ip_addr_v4_host(&way.src), 0x0a000041);
	CU_ASSERT_EQUAL(s.sport, 777);
	host_close(&w.host[0], a);
	world_now(&w);
	b = new_socket(&w);
	CU_ASSERT_EQUAL(bind_to(&w, b, 0x0a000041, 777), 0);
	CU_ASSERT_EQUAL(connect_error(&w, b, 0x0a000004), 0);
	world_fini(&w);
}

/* The same four numbers again while the old connection is in TIME-WAIT. */
static void
test_a_tuple_in_time_wait_is_not_available(void)
{
	struct world w;
	struct sock *l, *c, *s;

	world_init(&w, 2, NULL);
	l = world_listen(&w, 1, WORLD_PORT, 5);
	c = new_socket(&w);
	CU_ASSERT_EQUAL(bind_to(&w, c, 0x0a000001, 777), 0);
	host_connect(&w.host[0], c, &w.host[1].ip, WORLD_PORT);
	world_run(&w, MS(10));
	s = host_accept(&w.host[1], l);
	host_close(&w.host[0], c);
	world_run(&w, MS(10));
	host_close(&w.host[1], s);
	world_run(&w, MS(10));
	CU_ASSERT_EQUAL(world_stack(&w, 0)->tws.used, 1);
	c = new_socket(&w);
	CU_ASSERT_EQUAL(bind_to(&w, c, 0x0a000001, 777), 0);
	host_connect(&w.host[0], c, &w.host[1].ip, WORLD_PORT);
	world_run(&w, MS(10));
	CU_ASSERT_EQUAL(sock_facts(c), SOCK_ERROR | SOCK_OVER);
	CU_ASSERT_EQUAL(c->err, E_ADDRNOTAVAIL);
	world_fini(&w);
}

static void
test_connecting_twice_changes_nothing(void)
{
	struct world w;
	struct sock *c;

	world_init(&w, 2, NULL);
	(void)world_listen(&w, 1, WORLD_PORT, 5);
	c = world_connect(&w, 0, WORLD_PORT);
	world_run(&w, MS(10));
	CU_ASSERT_EQUAL(connect_error(&w, c, 0x0d000001), 0);
	CU_ASSERT_EQUAL(sock_facts(c), SOCK_CONNECTED);
	CU_ASSERT_EQUAL(world_stack(&w, 0)->conns.used, 1);
	world_fini(&w);
}

/* Connect, write, shut down and close before the stack looks once. */
static void
test_a_goodbye_may_come_with_the_first_request(void)
{
	struct world w;
	struct sock *c;

	world_init(&w, 2, NULL);
	(void)world_listen(&w, 1, WORLD_PORT, 5);
	c = world_connect(&w, 0, WORLD_PORT);
	host_close(&w.host[0], c);
	world_run(&w, SEC(1));
	CU_ASSERT_EQUAL(c->kind == SOCK_KIND_CONN, false);
	c = new_socket(&w);
	host_shutdown(&w.host[0], c);
	host_close(&w.host[0], c);
	world_run(&w, SEC(1));
	CU_ASSERT_PTR_NULL(world_leak(&w, 0));
	world_fini(&w);
}

/* --------------------------------------------------------------- options -- */

static void
test_options_are_checked(void)
{
	static const struct { int option; int64_t value; int err; } sets[] = {
		{ -1, 0, E_NOPROTOOPT }, { TCP_N_OPTIONS, 0, E_NOPROTOOPT },
		{ TCP_OPTION_TTL, 0, E_INVAL }, { TCP_OPTION_TTL, 256, E_INVAL },
		{ TCP_OPTION_TTL, 255, 0 }, { TCP_OPTION_TOS, -1, E_INVAL },
		{ TCP_OPTION_MAXSEG, 87, E_INVAL }, { TCP_OPTION_MAXSEG, 88, 0 },
		{ TCP_OPTION_KEEPCNT, 0, E_INVAL }, { TCP_OPTION_KEEPCNT, 128, E_INVAL },
		{ TCP_OPTION_KEEPIDLE, 32768, E_INVAL }, { TCP_OPTION_SYNCNT, 127, 0 },
		{ TCP_OPTION_CONGESTION, 99, E_INVAL }, { TCP_OPTION_CONGESTION, -1, E_INVAL },
		{ TCP_OPTION_CONGESTION, 0, 0 },
		{ TCP_OPTION_RCVBUF, INT64_C(1) << 31, E_INVAL },
		{ TCP_OPTION_RCVBUF, INT32_MAX, 0 },
	};
	struct world w;
	struct channel *ch;
	struct sock *s;

	world_init(&w, 1, NULL);
	ch = w.host[0].ch;
	s = new_socket(&w);
	for (unsigned i = 0; i < array_len(sets); i++) {
		CU_ASSERT_EQUAL(host_set(&w.host[0], s, (enum tcp_option)sets[i].option,
		                         sets[i].value), sets[i].err);
		ch->call.option = sets[i].option;
		ch->call.value = -12345;
		if (sets[i].err == 0) {
			CU_ASSERT_EQUAL(host_call(&w.host[0], SOCK_CALL_GET, s), 0);
			CU_ASSERT_EQUAL(ch->call.value, sets[i].value);
		}
	}
	ch->call.option = TCP_N_OPTIONS;
	CU_ASSERT_EQUAL(host_call(&w.host[0], SOCK_CALL_GET, s), E_NOPROTOOPT);
	world_fini(&w);
}

static void
test_the_state_is_told(void)
{
	struct world w;
	struct sock *l, *c, *s, *plain;
	struct channel *ch;

	world_init(&w, 2, NULL);
	ch = w.host[1].ch;
	l = world_listen(&w, 1, WORLD_PORT, 5);
	world_pair(&w, l, &c, &s);
	plain = host_socket(&w.host[1]);
	CU_ASSERT_EQUAL(host_call(&w.host[1], SOCK_CALL_INFO, plain), 0);
	CU_ASSERT_EQUAL(ch->call.info.state, 7);
	CU_ASSERT_EQUAL(host_call(&w.host[1], SOCK_CALL_INFO, l), 0);
	CU_ASSERT_EQUAL(ch->call.info.state, 10);
	CU_ASSERT_EQUAL(host_call(&w.host[1], SOCK_CALL_INFO, s), 0);
	CU_ASSERT_EQUAL(ch->call.info.state, 1);
	CU_ASSERT_EQUAL(ch->call.info.pmtu, 1500);
	world_fini(&w);
}

/* A cork that is still in the socket must not hold back the end: nothing can follow it. */
static void
test_the_end_is_not_corked(void)
{
	struct world w;
	struct sock *l, *c, *s;

	world_init(&w, 2, NULL);
	l = world_listen(&w, 1, WORLD_PORT, 5);
	world_pair(&w, l, &c, &s);
	atomic_store(&c->opt_bits, SOCK_OPT_CORK);
	(void)sock_ask(w.host[0].ch, c, 0);
	world_now(&w);
	CU_ASSERT_TRUE(c->conn->flags & TCPF_CORK);
	host_shutdown(&w.host[0], c);
	world_now(&w);
	(void)sock_ask(w.host[0].ch, c, 0);
	world_step(&w, 0);
	CU_ASSERT_PTR_NOT_NULL_FATAL(c->conn);
	CU_ASSERT_FALSE(c->conn->flags & TCPF_CORK);
	world_fini(&w);
}

/* TCP_QUICKACK: what comes next is acknowledged at once, in a dialogue too. */
static void
test_a_quick_ack_is_owed_at_once(void)
{
	struct world w;
	struct sock *l, *c, *s;

	world_init(&w, 2, NULL);
	l = world_listen(&w, 1, WORLD_PORT, 5);
	world_pair(&w, l, &c, &s);
	c->conn->quickacks = 0;
	c->conn->flags |= TCPF_INTERACTIVE;
	(void)sock_ask(w.host[0].ch, c, 0);
	world_step(&w, 0);
	CU_ASSERT_EQUAL(c->conn->quickacks, 0);
	atomic_store(&c->opt_bits, SOCK_OPT_QUICKACK);
	(void)sock_ask(w.host[0].ch, c, 0);
	world_step(&w, 0);
	CU_ASSERT_EQUAL(c->conn->quickacks, 1);
	CU_ASSERT_FALSE(c->conn->flags & TCPF_INTERACTIVE);
	world_fini(&w);
}

/* Jobs that were pushed before a call are done before it. */
static void
test_a_call_comes_after_the_jobs_before_it(void)
{
	struct world w;
	struct sock *c;

	world_init(&w, 2, NULL);
	(void)world_listen(&w, 1, WORLD_PORT, 5);
	c = world_connect(&w, 0, WORLD_PORT);
	CU_ASSERT_EQUAL(host_call(&w.host[0], SOCK_CALL_INFO, c), 0);
	CU_ASSERT_EQUAL(w.host[0].ch->call.info.state, 2);
	world_fini(&w);
}

/* A bit may be set before its job comes, and the job twice: it is done once. */
static void
test_a_shutdown_is_done_once(void)
{
	struct world w;
	struct sock *l, *c, *s;
	struct tcp_seg seg;
	unsigned fins = 0;

	world_init(&w, 2, NULL);
	l = world_listen(&w, 1, WORLD_PORT, 5);
	world_pair(&w, l, &c, &s);
	(void)world_skips(&w, 0);
	for (unsigned i = 0; i < 5; i++) {
		host_shutdown(&w.host[0], c);
		world_run(&w, MS(1));
	}
	while (world_hears(&w, 0, &seg))
		fins += (seg.flags & TCP_FIN) != 0;
	CU_ASSERT_EQUAL(fins, 1);
	world_fini(&w);
}

/* --------------------------------------------------------------- quiesce -- */

static void
quiesce(struct world *w, int64_t ms)
{
	w->host[0].ch->call.value = ms;
	host_ask(&w->host[0], SOCK_CALL_QUIESCE, NULL);
}

/* Everything ends in order when the peers play along. */
static void
test_quiesce_ends_everything_in_order(void)
{
	struct world w;
	struct sock *l, *c[5], *s[5];
	struct tcp_seg seg;

	world_init(&w, 2, NULL);
	(void)world_listen(&w, 0, 81, 5);
	l = world_listen(&w, 1, WORLD_PORT, 5);
	for (unsigned i = 0; i < 5; i++)
		world_pair(&w, l, &c[i], &s[i]);
	CU_ASSERT_EQUAL(world_write(&w, 0, c[0], 3000), 3000);
	quiesce(&w, 5000);
	world_run(&w, MS(50));
	CU_ASSERT_FALSE(host_call_done(&w.host[0]));
	CU_ASSERT_EQUAL(world_read(&w, 1, s[0]), 3000);
	for (unsigned i = 0; i < 5; i++) {
		CU_ASSERT_TRUE(host_eof(s[i]));
		host_close(&w.host[1], s[i]);
	}
	world_run(&w, MS(50));
	CU_ASSERT_TRUE(host_call_done(&w.host[0]));
	CU_ASSERT_EQUAL(world_stack(&w, 0)->conns.used, 0);
	while (world_hears(&w, 0, &seg))
		CU_ASSERT_FALSE(seg.flags & TCP_RST);
	(void)world_connect(&w, 1, 81);
	world_run(&w, MS(10));
	CU_ASSERT_TRUE(world_hears(&w, 0, &seg) && (seg.flags & TCP_RST)); /* nobody listens */
	for (unsigned i = 0; i < 5; i++)
		host_close(&w.host[0], c[i]);
	world_now(&w);
	world_fini(&w);
}

/* The peers do not: when time is up they are reset. */
static void
test_quiesce_resets_what_is_left_when_time_is_up(void)
{
	struct world w;
	struct sock *l, *c[5], *s[5];

	world_init(&w, 2, NULL);
	l = world_listen(&w, 1, WORLD_PORT, 5);
	for (unsigned i = 0; i < 5; i++)
		world_pair(&w, l, &c[i], &s[i]);
	quiesce(&w, 300);
	world_run(&w, MS(290));
	CU_ASSERT_FALSE(host_call_done(&w.host[0]));
	world_run(&w, MS(20));
	CU_ASSERT_TRUE(host_call_done(&w.host[0]));
	CU_ASSERT_EQUAL(world_stack(&w, 0)->conns.used, 0);
	for (unsigned i = 0; i < 5; i++)
		CU_ASSERT_TRUE(sock_facts(s[i]) & SOCK_ERROR);
	world_fini(&w);
}

static void
test_quiesce_of_a_quiet_stack_is_done_at_once(void)
{
	struct world w;

	world_init(&w, 1, NULL);
	w.host[0].ch->call.value = 5000;
	CU_ASSERT_EQUAL(host_call(&w.host[0], SOCK_CALL_QUIESCE, NULL), 0);
	stack_quiesce(world_stack(&w, 0), SEC(1), SEC(1000));
	CU_ASSERT_TRUE(stack_is_quiet(world_stack(&w, 0), SEC(1000)));
	world_fini(&w);
}

/* What has been asked to finish may begin anew. */
static void
test_a_quiesced_listener_may_listen_again(void)
{
	struct world w;
	struct sock *l;
	struct call k;

	world_init(&w, 1, NULL);
	l = world_listen(&w, 0, WORLD_PORT, 5);
	CU_ASSERT_EQUAL(host_call(&w.host[0], SOCK_CALL_QUIESCE, NULL), 0);
	CU_ASSERT_FALSE(world_calls(&w, 0, 100, WORLD_PORT, &k));
	CU_ASSERT_EQUAL(host_listen(&w.host[0], l, 5), 0);
	CU_ASSERT_TRUE(world_calls(&w, 0, 101, WORLD_PORT, &k));
	CU_ASSERT_PTR_NOT_NULL(host_accept(&w.host[0], l));
	host_close(&w.host[0], l);
	world_now(&w);
	CU_ASSERT_FALSE(world_calls(&w, 0, 102, WORLD_PORT, &k));
	world_fini(&w);
}

static int64_t
ask(struct world *w, unsigned who, enum sock_call_op op, struct sock *s, enum tcp_option option,
    int64_t value)
{
	w->host[who].ch->call.option = (int)option;
	w->host[who].ch->call.value = value;
	CU_ASSERT_EQUAL(host_call(&w->host[who], op, s), 0);
	return w->host[who].ch->call.value;
}

/* TCP_INFO's counters against what was written. */
static void
test_info_counts_what_was_said(void)
{
	struct world w;
	struct sock *l, *c, *s;
	const struct tcp_info_data *i;

	world_init(&w, 2, NULL);
	i = &w.host[0].ch->call.info;
	l = world_listen(&w, 1, WORLD_PORT, 5);
	world_pair(&w, l, &c, &s);
	CU_ASSERT_EQUAL(world_write(&w, 0, c, 14480), 14480);
	world_run(&w, MS(1));
	(void)ask(&w, 0, SOCK_CALL_INFO, c, 0, 0);
	CU_ASSERT_EQUAL(i->bytes_sent, 14480);
	CU_ASSERT_EQUAL(i->bytes_acked, 14480);
	CU_ASSERT_EQUAL(i->bytes_retrans, 0);
	CU_ASSERT_EQUAL(i->data_segs_out, 10);
	CU_ASSERT_TRUE(i->busy_ns > US(100) && i->busy_ns <= MS(1));
	CU_ASSERT_EQUAL(i->rwnd_limited_ns, 0);
	CU_ASSERT_EQUAL(i->max_pacing_rate, UINT64_MAX);
	i = &w.host[1].ch->call.info;
	(void)ask(&w, 1, SOCK_CALL_INFO, s, 0, 0);
	CU_ASSERT_EQUAL(i->bytes_received, 14480);
	CU_ASSERT_EQUAL(i->data_segs_in, 10);
	CU_ASSERT_EQUAL(i->bytes_sent, 0);
	CU_ASSERT_EQUAL(i->busy_ns, 0);
	world_fini(&w);
}

/* No more than the clamp is offered, and a reader of little gets all in the end. */
static void
test_a_clamped_window_stays_small_and_open(void)
{
	struct world w;
	struct sock *l, *c, *s;
	uint32_t got = 0, put = 0;

	world_init(&w, 2, NULL);
	l = world_listen(&w, 1, WORLD_PORT, 5);
	(void)ask(&w, 1, SOCK_CALL_SET, l, TCP_OPTION_WINDOW_CLAMP, 2000);
	world_pair(&w, l, &c, &s);
	for (unsigned i = 0; i < 200 && got < 20000; i++) {
		put += put < 20000 ? world_write(&w, 0, c, 20000 - put) : 0;
		world_run(&w, MS(50));
		CU_ASSERT_TRUE(stream_used(&s->rcv_w, &s->rcv_r) <= 2000);
		got += world_read(&w, 1, s);
	}
	CU_ASSERT_EQUAL(got, 20000);
	world_fini(&w);
}

/* What waits to be sent is bounded, however much may be in flight. */
static void
test_notsent_lowat_bounds_what_waits(void)
{
	struct world w;
	struct sock *l, *c, *s;
	uint32_t limit;

	world_init(&w, 2, NULL);
	l = world_listen(&w, 1, WORLD_PORT, 5);
	world_pair(&w, l, &c, &s);
	(void)ask(&w, 0, SOCK_CALL_SET, c, TCP_OPTION_NOTSENT_LOWAT, 3000);
	CU_ASSERT_EQUAL(atomic_load(&c->snd_limit), 3000);
	CU_ASSERT_EQUAL(world_write(&w, 0, c, 50000), 3000);
	world_now(&w);
	limit = atomic_load(&c->snd_limit);
	CU_ASSERT_EQUAL(limit, 6000); /* that much flies, and may wait */
	(void)ask(&w, 0, SOCK_CALL_SET, c, TCP_OPTION_NOTSENT_LOWAT, 0);
	CU_ASSERT_TRUE(atomic_load(&c->snd_limit) >= 16384);
	world_fini(&w);
}

void
suite_jobs(void)
{
	CU_pSuite suite = CU_add_suite("core/jobs", NULL, NULL);

	CU_add_test(suite, "one address and port has one owner (RFC 9293 MUST-41)",
	            test_one_address_and_port_has_one_owner);
	CU_add_test(suite, "port 0 chooses one", test_port_0_chooses_one);
	CU_add_test(suite, "a listener without bind gets a port",
	            test_a_listener_without_bind_gets_a_port);
	CU_add_test(suite, "there is no way to some addresses (RFC 9293 MUST-46)",
	            test_there_is_no_way_to_some_addresses);
	CU_add_test(suite, "a dead neighbour is unreachable, and in nobody's way",
	            test_a_dead_neighbour_is_unreachable);
	CU_add_test(suite, "ports run out", test_ports_run_out);
	CU_add_test(suite, "a bound socket connects from its address (RFC 9293 MUST-43, "
	            "MUST-45)",
	            test_a_bound_socket_connects_from_its_address);
	CU_add_test(suite, "a tuple in TIME-WAIT is not available",
	            test_a_tuple_in_time_wait_is_not_available);
	CU_add_test(suite, "connecting twice changes nothing",
	            test_connecting_twice_changes_nothing);
	CU_add_test(suite, "a goodbye may come with the first request",
	            test_a_goodbye_may_come_with_the_first_request);
	CU_add_test(suite, "options are checked", test_options_are_checked);
	CU_add_test(suite, "the state is told", test_the_state_is_told);
	CU_add_test(suite, "a call comes after the jobs before it",
	            test_a_call_comes_after_the_jobs_before_it);
	CU_add_test(suite, "a shutdown is done once", test_a_shutdown_is_done_once);
	CU_add_test(suite, "quiesce ends everything in order (attack: dies with open "
	            "connections)",
	            test_quiesce_ends_everything_in_order);
	CU_add_test(suite, "quiesce resets what is left when time is up (attack: dies with "
	            "open connections)",
	            test_quiesce_resets_what_is_left_when_time_is_up);
	CU_add_test(suite, "the end is not corked", test_the_end_is_not_corked);
	CU_add_test(suite, "a quick ACK is owed at once", test_a_quick_ack_is_owed_at_once);
	CU_add_test(suite, "a quiesced listener may listen again",
	            test_a_quiesced_listener_may_listen_again);
	CU_add_test(suite, "quiesce of a quiet stack is done at once",
	            test_quiesce_of_a_quiet_stack_is_done_at_once);
	CU_add_test(suite, "info counts what was said", test_info_counts_what_was_said);
	CU_add_test(suite, "a clamped window stays small and open (option: TCP_WINDOW_CLAMP)",
	            test_a_clamped_window_stays_small_and_open);
	CU_add_test(suite, "TCP_NOTSENT_LOWAT bounds what waits (option: TCP_NOTSENT_LOWAT)",
	            test_notsent_lowat_bounds_what_waits);
}
