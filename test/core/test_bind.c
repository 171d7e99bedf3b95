/* SPDX-License-Identifier: BSD-3-Clause */
/* Who may have an address, and what stays of one when a connection fails. */
#include <CUnit/CUnit.h>

#include "test/core/world.h"

void suite_bind(void);

enum { REUSEADDR = SOCK_OPT_REUSEADDR, REUSEPORT = SOCK_OPT_REUSEPORT };

static void
two_addresses(struct stack_cfg *cfg, unsigned who)
{
	cfg->port[0].n_addrs = 2;
	cfg->port[0].addr[1] = (struct stack_addr){ .ip = ip_addr_v4(0x0a000041 + who), .prefix = 96 + 24 };
}

static struct sock *
with_bits(struct world *w, uint16_t bits)
{
	struct sock *s = host_socket(&w->host[0]);

	CU_ASSERT_PTR_NOT_NULL_FATAL(s);
	atomic_store(&s->opt_bits, bits);
	return s;
}

static int
bind_to(struct world *w, struct sock *s, uint32_t ip, uint16_t port)
{
	struct ip_addr a = ip_addr_v4(ip);

	return host_bind(&w->host[0], s, &a, port);
}

/* Two sockets of these options on one port, the first listening or not: may the second
 * be bound, and then listen? */
static void
test_the_table_of_conflicts(void)
{
	static const struct {
		uint16_t one, two;
		bool listens;
		int bound, listening;
	} row[] = {
		{ 0, 0, false, E_ADDRINUSE, 0 },
		{ REUSEADDR, 0, false, E_ADDRINUSE, 0 },
		{ REUSEADDR, REUSEADDR, false, 0, 0 },
		{ REUSEADDR, REUSEADDR, true, E_ADDRINUSE, 0 },
		{ REUSEPORT, REUSEADDR, false, E_ADDRINUSE, 0 },
		{ REUSEPORT, REUSEPORT, false, 0, 0 },
		{ REUSEPORT, REUSEPORT, true, 0, 0 },
		{ REUSEPORT, 0, true, E_ADDRINUSE, 0 },
	};

	for (unsigned i = 0; i < array_len(row); i++) {
		struct world w;
		struct sock *a, *b;

		world_init(&w, 1, two_addresses);
		a = with_bits(&w, row[i].one);
		b = with_bits(&w, row[i].two);
		CU_ASSERT_EQUAL(bind_to(&w, a, 0x0a000001, 80), 0);
		if (row[i].listens)
			CU_ASSERT_EQUAL(host_listen(&w.host[0], a, 5), 0);
		CU_ASSERT_EQUAL(bind_to(&w, b, 0, 80), row[i].bound);
		if (row[i].bound == 0)
			CU_ASSERT_EQUAL(host_listen(&w.host[0], b, 5), row[i].listening);
		world_fini(&w);
	}
}

static void
test_of_two_that_reuse_one_may_listen(void)
{
	struct world w;
	struct sock *a, *b;

	world_init(&w, 1, NULL);
	a = with_bits(&w, REUSEADDR);
	b = with_bits(&w, REUSEADDR);
	CU_ASSERT_EQUAL(bind_to(&w, a, 0, 80), 0);
	CU_ASSERT_EQUAL(bind_to(&w, b, 0, 80), 0);
	CU_ASSERT_EQUAL(host_listen(&w.host[0], a, 5), 0);
	CU_ASSERT_EQUAL(host_listen(&w.host[0], a, 9), 0); /* a new backlog */
	CU_ASSERT_EQUAL(host_listen(&w.host[0], b, 5), E_ADDRINUSE);
	host_close(&w.host[0], a);
	CU_ASSERT_EQUAL(host_listen(&w.host[0], b, 5), 0);
	world_fini(&w);
}

/* RFC 9293 MUST-42; the one with the address comes before the one for all. */
static void
test_listeners_of_one_port_have_their_addresses(void)
{
	struct world w;
	struct sock *a, *b, *c;
	struct call k;

	world_init(&w, 1, two_addresses);
	a = with_bits(&w, REUSEADDR);
	b = with_bits(&w, REUSEADDR);
	c = with_bits(&w, REUSEADDR);
	CU_ASSERT_EQUAL(bind_to(&w, c, 0, 80), 0);
	CU_ASSERT_EQUAL(bind_to(&w, a, 0x0a000001, 80), 0);
	CU_ASSERT_EQUAL(bind_to(&w, b, 0x0a000041, 80), 0);
	CU_ASSERT_EQUAL(host_listen(&w.host[0], a, 5), 0);
	CU_ASSERT_EQUAL(host_listen(&w.host[0], b, 5), 0);
	CU_ASSERT_EQUAL(host_listen(&w.host[0], c, 5), E_ADDRINUSE);
	CU_ASSERT_TRUE(world_calls(&w, 0, 7000, 80, &k));
	world_now(&w);
	CU_ASSERT_PTR_NOT_NULL(host_accept(&w.host[0], a));
	CU_ASSERT_PTR_NULL(host_accept(&w.host[0], b));
	world_fini(&w);
}

static void
test_listeners_that_share_a_port_divide_its_connections(void)
{
	struct world w;
	struct sock *l[3];
	struct call k;
	unsigned got[3] = { 0 };

	world_init(&w, 1, NULL);
	for (unsigned i = 0; i < 3; i++) {
		l[i] = with_bits(&w, REUSEPORT);
		CU_ASSERT_EQUAL(bind_to(&w, l[i], 0, 80), 0);
		CU_ASSERT_EQUAL(host_listen(&w.host[0], l[i], 100), 0);
	}
	for (unsigned i = 0; i < 60; i++)
		CU_ASSERT_TRUE(world_calls(&w, 0, (uint16_t)(7000 + i), 80, &k));
	world_now(&w);
	for (unsigned i = 0; i < 3; i++)
		while (host_accept(&w.host[0], l[i]))
			got[i]++;
	CU_ASSERT_EQUAL(got[0] + got[1] + got[2], 60);
	CU_ASSERT_TRUE(got[0] > 5 && got[1] > 5 && got[2] > 5);
	world_fini(&w);
}

/* -- names of sockets that connect ------------------------------------------ */

static uint16_t
port_of(struct world *w, struct sock *s)
{
	CU_ASSERT_EQUAL(host_call(&w->host[0], SOCK_CALL_NAME, s), 0);
	return w->host[0].ch->call.addr.port;
}

static void
test_the_port_is_known_before_the_answer(void)
{
	struct world w;
	struct sock *s;
	struct ip_addr peer = host_ip(WORLD_STRANGER);

	world_init(&w, 1, NULL);
	s = host_socket(&w.host[0]);
	CU_ASSERT_EQUAL(port_of(&w, s), 0);
	host_connect(&w.host[0], s, &peer, 80);
	CU_ASSERT_NOT_EQUAL(port_of(&w, s), 0);
	CU_ASSERT_FALSE(sock_facts(s) & SOCK_CONNECTED);
	CU_ASSERT_EQUAL(ip_addr_v4_host(&w.host[0].ch->call.addr.ip), 0x0a000001);
	world_fini(&w);
}

static int
unconnect(struct world *w, struct sock *s)
{
	atomic_store(&s->req, 0);
	return host_call(&w->host[0], SOCK_CALL_UNCONNECT, s);
}

/* Refused, taken back, then there is a listener; what was bound stays bound. */
static void
test_a_socket_that_was_refused_can_connect_again(void)
{
	for (unsigned bound = 0; bound < 2; bound++) {
		struct world w;
		struct sock *s;

		world_init(&w, 2, NULL);
		s = host_socket(&w.host[0]);
		if (bound)
			CU_ASSERT_EQUAL(bind_to(&w, s, 0, 777), 0);
		host_connect(&w.host[0], s, &w.host[1].ip, WORLD_PORT);
		world_run(&w, MS(10));
		CU_ASSERT_TRUE(sock_facts(s) & SOCK_ERROR);
		CU_ASSERT_EQUAL(unconnect(&w, s), 0);
		CU_ASSERT_EQUAL(sock_facts(s), 0);
		CU_ASSERT_EQUAL(port_of(&w, s), bound ? 777 : 0);
		(void)world_listen(&w, 1, WORLD_PORT, 5);
		host_connect(&w.host[0], s, &w.host[1].ip, WORLD_PORT);
		world_run(&w, MS(10));
		CU_ASSERT_EQUAL(sock_facts(s), SOCK_CONNECTED);
		if (bound)
			CU_ASSERT_EQUAL(s->name.lport, 777);
		CU_ASSERT_EQUAL(world_write(&w, 0, s, 100), 100);
		world_run(&w, MS(10));
		host_close(&w.host[0], s);
		world_run(&w, MS(10));
		world_fini(&w);
	}
}

/* Two connections to one place from one port, since their addresses differ; a bind() of a
 * port in the common way would have kept it from the second. */
static void
narrow(struct stack_cfg *cfg, unsigned who)
{
	two_addresses(cfg, who);
	cfg->ephemeral_lo = cfg->ephemeral_hi = 40000;
}

static void
test_a_port_that_is_left_to_the_connect_is_shared_by_addresses(void)
{
	static const uint32_t ip[] = { 0x0a000001, 0x0a000041, 0x0a000001 };
	struct world w;
	struct sock *s[3];

	world_init(&w, 2, narrow);
	(void)world_listen(&w, 1, WORLD_PORT, 5);
	for (unsigned i = 0; i < 3; i++) {
		s[i] = with_bits(&w, SOCK_OPT_BIND_LATE);
		CU_ASSERT_EQUAL(bind_to(&w, s[i], ip[i], 0), 0);
		CU_ASSERT_EQUAL(port_of(&w, s[i]), 0);
		host_connect(&w.host[0], s[i], &w.host[1].ip, WORLD_PORT);
		world_run(&w, MS(10));
		CU_ASSERT_EQUAL(sock_facts(s[i]) & SOCK_CONNECTED, i < 2 ? SOCK_CONNECTED : 0);
	}
	CU_ASSERT_EQUAL(s[2]->err, E_ADDRNOTAVAIL);
	for (unsigned i = 0; i < 2; i++) {
		CU_ASSERT_EQUAL(s[i]->name.lport, 40000);
		CU_ASSERT_EQUAL(s[i]->name.local.b[15], ip[i] & 0xff);
		CU_ASSERT_EQUAL(bind_to(&w, s[i], 0, 80), E_INVAL);
	}
	/* A failure takes the port back and leaves the address; closing gives all back. */
	CU_ASSERT_EQUAL(unconnect(&w, s[1]), 0);
	CU_ASSERT_EQUAL(port_of(&w, s[1]), 0);
	CU_ASSERT_TRUE(!ip_addr_is_any(&s[1]->name.local));
	for (unsigned i = 0; i < 3; i++)
		host_abort(&w.host[0], s[i]);
	world_run(&w, MS(10));
	CU_ASSERT_PTR_NULL(world_leak(&w, 0));
	world_fini(&w);
}

static void
test_a_listener_takes_the_port_that_was_left_open(void)
{
	struct world w;
	struct sock *s;

	world_init(&w, 1, two_addresses);
	s = with_bits(&w, SOCK_OPT_BIND_LATE);
	CU_ASSERT_EQUAL(bind_to(&w, s, 0x0a000001, 0), 0);
	CU_ASSERT_EQUAL(host_listen(&w.host[0], s, 5), 0);
	CU_ASSERT_NOT_EQUAL(s->name.lport, 0);
	CU_ASSERT_TRUE(!ip_addr_is_any(&s->name.local));
	CU_ASSERT_EQUAL(bind_to(&w, s, 0x0a000001, 0), E_INVAL);
	host_close(&w.host[0], s);
	world_fini(&w);
}

static void
test_an_open_connection_that_is_taken_back_is_reset(void)
{
	struct world w;
	struct sock *l, *c, *s;

	world_init(&w, 2, NULL);
	l = world_listen(&w, 1, WORLD_PORT, 5);
	world_pair(&w, l, &c, &s);
	CU_ASSERT_EQUAL(world_write(&w, 0, c, 3000), 3000);
	CU_ASSERT_EQUAL(unconnect(&w, c), 0);
	world_run(&w, MS(10));
	CU_ASSERT_TRUE(sock_facts(s) & SOCK_ERROR);
	CU_ASSERT_EQUAL(world_stack(&w, 0)->conns.used, 0);
	host_connect(&w.host[0], c, &w.host[1].ip, WORLD_PORT);
	world_run(&w, MS(10));
	CU_ASSERT_EQUAL(sock_facts(c), SOCK_CONNECTED);
	CU_ASSERT_EQUAL(host_call(&w.host[1], SOCK_CALL_UNCONNECT, s), E_INVAL); /* born of one */
	host_abort(&w.host[0], c);
	world_run(&w, MS(10));
	CU_ASSERT_PTR_NULL(world_leak(&w, 0));
	world_fini(&w);
}

/* Listeners keep what they count where connections keep their urgent marks. */
static void
test_urgent_marks_do_not_count_as_connections(void)
{
	struct world w;
	struct sock *l, *c, *s;

	world_init(&w, 2, NULL);
	l = world_listen(&w, 1, WORLD_PORT, 5);
	world_pair(&w, l, &c, &s);
	atomic_store(&s->snd_urgent, 10);
	atomic_store(&s->req, SOCK_REQ_URGENT);
	CU_ASSERT_EQUAL(world_write(&w, 1, s, 10), 10);
	world_run(&w, MS(10));
	CU_ASSERT_TRUE(sock_facts(c) & SOCK_URGENT);
	CU_ASSERT_EQUAL(atomic_load(&c->rcv_urgent), 9);
	CU_ASSERT_EQUAL(unconnect(&w, c), 0);
	CU_ASSERT_EQUAL(atomic_load(&c->accepts), 0);
	world_run(&w, MS(10));
	host_abort(&w.host[0], c);
	world_run(&w, MS(10));
	world_fini(&w);
}

void
suite_bind(void)
{
	CU_pSuite s = CU_add_suite("core/bind", NULL, NULL);

	CU_add_test(s, "the table of conflicts", test_the_table_of_conflicts);
	CU_add_test(s, "of two that reuse an address one may listen",
	            test_of_two_that_reuse_one_may_listen);
	CU_add_test(s, "listeners of one port have their addresses (RFC 9293 MUST-42)",
	            test_listeners_of_one_port_have_their_addresses);
	CU_add_test(s, "listeners that share a port divide its connections",
	            test_listeners_that_share_a_port_divide_its_connections);
	CU_add_test(s, "the port is known before the answer",
	            test_the_port_is_known_before_the_answer);
	CU_add_test(s, "a socket that was refused can connect again",
	            test_a_socket_that_was_refused_can_connect_again);
	CU_add_test(s, "a port that is left to the connect is shared by addresses "
	               "(option: IP_BIND_ADDRESS_NO_PORT)",
	            test_a_port_that_is_left_to_the_connect_is_shared_by_addresses);
	CU_add_test(s, "a listener takes the port that was left open",
	            test_a_listener_takes_the_port_that_was_left_open);
	CU_add_test(s, "an open connection that is taken back is reset",
	            test_an_open_connection_that_is_taken_back_is_reset);
	CU_add_test(s, "urgent marks do not count as connections",
	            test_urgent_marks_do_not_count_as_connections);
}
