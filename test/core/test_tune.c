/* SPDX-License-Identifier: BSD-3-Clause */
/* Tunables that change while a stack runs. */
#include "tcp/tcp_cookie.h"
#include "test/core/world.h"

#include <CUnit/CUnit.h>

/* Every change in these tests is to what host 0's stack has. */
static struct stack_cfg
as_it_is(struct world *w)
{
	return world_stack(w, 0)->cfg;
}

static bool
tune(struct world *w, const struct stack_cfg *cfg)
{
	bool done = stack_tune(world_stack(w, 0), cfg, net_now(w->net) + w->host[0].epoch);

	stack_check(world_stack(w, 0));
	return done;
}

/* Host 0 calls the stranger, who does not answer. */
static void
connect_to_stranger(struct world *w)
{
	struct ip_addr ip = host_ip(WORLD_STRANGER);
	struct sock *s = host_socket(&w->host[0]);

	CU_ASSERT_PTR_NOT_NULL_FATAL(s);
	host_connect(&w->host[0], s, &ip, WORLD_PORT);
	world_now(w);
}

static void
test_what_is_read_when_needed_counts_at_once(void)
{
	struct world w;
	struct stack_cfg cfg;
	struct tcp_seg s;

	world_init(&w, 1, NULL);
	cfg = as_it_is(&w);
	cfg.tcp.ttl = 7;
	cfg.tcp.initial_cwnd = 2;
	cfg.rx_burst = 3;
	cfg.ephemeral_lo = cfg.ephemeral_hi = 4242;
	CU_ASSERT(tune(&w, &cfg));
	CU_ASSERT_EQUAL(world_stack(&w, 0)->env.cfg->initial_cwnd, 2);
	CU_ASSERT_EQUAL(world_stack(&w, 0)->cfg.rx_burst, 3);
	world_say(&w, 0, &(struct tcp_seg){ .flags = TCP_ACK, .sport = 1, .dport = 2 });
	CU_ASSERT_EQUAL(world_next(&w, 0)->data[14 + 8], 7); /* the reset's TTL */
	connect_to_stranger(&w);
	CU_ASSERT_FATAL(world_hears(&w, 0, &s));
	CU_ASSERT_EQUAL(s.sport, 4242);
	world_fini(&w);
}

static void
test_a_larger_mtu_counts_for_the_next_connection(void)
{
	struct world w;
	struct stack_cfg cfg;
	struct tcp_seg s;

	world_init(&w, 1, NULL);
	cfg = as_it_is(&w);
	cfg.port[0].mtu = 1000;
	CU_ASSERT(tune(&w, &cfg));
	connect_to_stranger(&w);
	CU_ASSERT_FATAL(world_hears(&w, 0, &s));
	CU_ASSERT_EQUAL(s.mss, 960);
	cfg.port[0].mtu = 0;
	CU_ASSERT(tune(&w, &cfg));
	CU_ASSERT_EQUAL(world_stack(&w, 0)->port[0].mtu, world_stack(&w, 0)->port[0].info.mtu);
	world_fini(&w);
}

static void
test_a_handshake_keeps_what_its_syn_has_said(void)
{
	struct world w;
	struct stack_cfg cfg;

	world_init(&w, 1, NULL);
	cfg = as_it_is(&w);
	connect_to_stranger(&w);
	cfg.tcp.window_scaling = false;
	CU_ASSERT_FALSE(tune(&w, &cfg));
	CU_ASSERT_TRUE(world_stack(&w, 0)->cfg.tcp.window_scaling);
	cfg = as_it_is(&w);
	cfg.tcp.rcvbuf_max *= 16;
	CU_ASSERT_FALSE(tune(&w, &cfg));
	cfg = as_it_is(&w);
	cfg.tcp.keepcnt = 3; /* no SYN speaks of that */
	CU_ASSERT(tune(&w, &cfg));
	world_fini(&w);
}

static void
test_a_half_open_connection_does_so_too(void)
{
	struct world w;
	struct stack_cfg cfg;

	world_init(&w, 1, NULL);
	cfg = as_it_is(&w);
	(void)world_listen(&w, 0, WORLD_PORT, 8);
	world_say(&w, 0, &(struct tcp_seg){ .flags = TCP_SYN, .sport = 9, .dport = WORLD_PORT,
	                                    .seq = seq_of(1), .wnd = 1000 });
	cfg.tcp.timestamps = false;
	CU_ASSERT_FALSE(tune(&w, &cfg));
	world_fini(&w);
}

static void
test_timers_that_run_are_computed_anew(void)
{
	struct world w;
	struct stack_cfg cfg;
	struct call k;

	world_init(&w, 1, NULL);
	(void)world_listen(&w, 0, WORLD_PORT, 8);
	CU_ASSERT_FATAL(world_calls(&w, 0, 1000, WORLD_PORT, &k));
	CU_ASSERT_EQUAL(world_stack(&w, 0)->conns.used, 1);
	world_run(&w, SEC(10));
	CU_ASSERT_EQUAL(world_stack(&w, 0)->conns.used, 1);
	cfg = as_it_is(&w);
	cfg.tcp.idle_timeout_ns = SEC(12);
	CU_ASSERT(tune(&w, &cfg));
	world_step(&w, 0); /* it says when it has something to do again */
	world_run(&w, SEC(3));
	CU_ASSERT_EQUAL(world_stack(&w, 0)->conns.used, 0);
	world_fini(&w);
}

static void
test_time_wait_ends_as_soon_as_a_new_one_would(void)
{
	struct world w;
	struct stack_cfg cfg;
	struct sock *c, *s, *l;

	world_init(&w, 2, NULL);
	l = world_listen(&w, 1, WORLD_PORT, 8);
	world_pair(&w, l, &c, &s);
	host_close(&w.host[0], c);
	world_run(&w, SEC(1));
	host_close(&w.host[1], s);
	world_run(&w, SEC(1));
	CU_ASSERT_EQUAL(world_stack(&w, 0)->tws.used, 1);
	cfg = as_it_is(&w);
	cfg.tcp.time_wait_ns = SEC(5);
	CU_ASSERT(tune(&w, &cfg));
	world_step(&w, 0);
	world_run(&w, SEC(6));
	CU_ASSERT_EQUAL(world_stack(&w, 0)->tws.used, 0);
	world_fini(&w);
}

static void
cfg_one_port_and_cookies(struct stack_cfg *cfg, unsigned who)
{
	(void)who;
	cfg->ephemeral_lo = cfg->ephemeral_hi = 4242;
	cfg->tcp.syn_cookies = TCP_COOKIES_ALWAYS;
}

/* Who had searched all ports in vain does not have to wait until one is free. */
static void
test_a_wider_range_of_ports_counts_at_once(void)
{
	struct world w;
	struct stack_cfg cfg;
	struct tcp_seg s;

	world_init(&w, 1, cfg_one_port_and_cookies);
	for (unsigned i = 0; i < 3; i++)
		connect_to_stranger(&w); /* one has the port, two look in vain */
	(void)world_skips(&w, 0);
	cfg = as_it_is(&w);
	cfg.ephemeral_hi = 4300;
	CU_ASSERT(tune(&w, &cfg));
	connect_to_stranger(&w);
	CU_ASSERT_FATAL(world_hears(&w, 0, &s));
	CU_ASSERT(s.sport > 4242 && s.sport <= 4300);
	world_fini(&w);
}

/* Nothing is remembered of a SYN that was answered with a cookie, so it cannot be honoured
 * once we speak otherwise. */
static void
test_cookies_of_before_are_void(void)
{
	struct tcp_seg syn = { .seq = seq_of(1), .flags = TCP_SYN, .sport = 9,
		               .dport = WORLD_PORT, .wnd = 1000 }, s;
	struct world w;
	struct stack_cfg cfg;

	world_init(&w, 1, cfg_one_port_and_cookies);
	(void)world_listen(&w, 0, WORLD_PORT, 8);
	for (unsigned i = 0; i < 2; i++) {
		world_say(&w, 0, &syn);
		CU_ASSERT_FATAL(world_hears(&w, 0, &s));
		cfg = as_it_is(&w);
		cfg.tcp.keepcnt++; /* no SYN speaks of that */
		cfg.tcp.rcvbuf_max *= i ? 1 : 4;
		CU_ASSERT(tune(&w, &cfg));
		world_say(&w, 0, &(struct tcp_seg){ .seq = seq_of(2), .ack = seq_add(s.seq, 1),
		                                    .flags = TCP_ACK, .sport = 9,
		                                    .dport = WORLD_PORT, .wnd = 1000 });
		CU_ASSERT_EQUAL(world_stack(&w, 0)->conns.used, i);
		(void)world_skips(&w, 0);
	}
	world_fini(&w);
}

static void
test_a_new_key_of_fast_open_makes_other_cookies(void)
{
	struct world w;
	struct stack_cfg cfg;
	struct tcp_env before;

	world_init(&w, 1, NULL);
	cfg = as_it_is(&w);
	before = world_stack(&w, 0)->env;
	cfg.tcp.keepcnt++;
	CU_ASSERT(tune(&w, &cfg));
	CU_ASSERT_EQUAL(memcmp(&before.fastopen, &world_stack(&w, 0)->env.fastopen,
	                       sizeof before.fastopen), 0);
	memset(&cfg.tcp.fastopen_key, 0x5a, sizeof cfg.tcp.fastopen_key);
	cfg.tcp.fastopen_key.len = 16;
	CU_ASSERT(tune(&w, &cfg));
	CU_ASSERT_NOT_EQUAL(memcmp(&before.fastopen, &world_stack(&w, 0)->env.fastopen,
	                           sizeof before.fastopen), 0);
	world_fini(&w);
}

void suite_tune(void);

void
suite_tune(void)
{
	CU_pSuite s = CU_add_suite("tune", NULL, NULL);

	CU_add_test(s, "what is read when needed counts at once",
	            test_what_is_read_when_needed_counts_at_once);
	CU_add_test(s, "another MTU counts for the next connection",
	            test_a_larger_mtu_counts_for_the_next_connection);
	CU_add_test(s, "a handshake keeps what its SYN has said",
	            test_a_handshake_keeps_what_its_syn_has_said);
	CU_add_test(s, "a half-open connection does so too",
	            test_a_half_open_connection_does_so_too);
	CU_add_test(s, "timers that run are computed anew", test_timers_that_run_are_computed_anew);
	CU_add_test(s, "a wider range of ports counts at once",
	            test_a_wider_range_of_ports_counts_at_once);
	CU_add_test(s, "cookies of before are void", test_cookies_of_before_are_void);
	CU_add_test(s, "a new key of Fast Open makes other cookies",
	            test_a_new_key_of_fast_open_makes_other_cookies);
	CU_add_test(s, "TIME-WAIT ends as soon as a new one would",
	            test_time_wait_ends_as_soon_as_a_new_one_would);
}
