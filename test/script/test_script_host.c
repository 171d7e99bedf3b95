/* SPDX-License-Identifier: BSD-3-Clause */
/* Clauses that only a whole stack can keep: what IP carries, bursts, what others learn. */
#include <CUnit/CUnit.h>

#include <stdlib.h>

#include "tcp/tcp_rare.h"
#include "test/core/world.h"

void suite_script_host(void);

/* The IP header of the next TCP segment of `from`; false: none. */
static bool
hears_ip(struct world *w, unsigned from, struct ip4_hdr *h)
{
	const struct world_frame *f;

	while ((f = world_next(w, from)))
		if (wire_ip4_parse(f->data + ETH_LEN, f->len - ETH_LEN, true, h) == WIRE_IP_OK &&
		    h->proto == IP_PROTO_TCP)
			return true;
	return false;
}

/* Every segment of `from` that nobody has looked at has these; at least one. */
static void
all_carry(struct world *w, unsigned from, uint8_t ttl, uint8_t dscp)
{
	struct ip4_hdr h;
	unsigned n = 0;

	while (hears_ip(w, from, &h)) {
		CU_ASSERT_EQUAL(h.ttl, ttl);
		CU_ASSERT_EQUAL(h.tos & 0xfc, dscp);
		CU_ASSERT_TRUE(h.df && !h.mf && h.frag_off == 0);
		CU_ASSERT_EQUAL(h.id, 0);
		n++;
	}
	CU_ASSERT_TRUE(n > 0);
}

static void
test_what_ip_carries(void)
{
	struct world w;
	struct sock *l, *c, *s;

	world_init(&w, 2, NULL);
	l = world_listen(&w, 1, WORLD_PORT, 5);
	world_pair(&w, l, &c, &s);
	CU_ASSERT_EQUAL(world_write(&w, 0, c, 5000), 5000);
	world_run(&w, MS(300));
	all_carry(&w, 0, 64, 0);
	all_carry(&w, 1, 64, 0);
	world_fini(&w);
}

/* Set while the connection lives, and at once in force: text, ACK, FIN, text again. */
static void
test_ttl_and_tos_are_the_applications(void)
{
	struct world w;
	struct sock *l, *c, *s;

	world_init(&w, 2, NULL);
	l = world_listen(&w, 1, WORLD_PORT, 5);
	world_pair(&w, l, &c, &s);
	(void)world_skips(&w, 0);
	CU_ASSERT_EQUAL(host_set(&w.host[0], c, TCP_OPTION_TTL, 17), 0);
	CU_ASSERT_EQUAL(host_set(&w.host[0], c, TCP_OPTION_TOS, 0xb8), 0);
	CU_ASSERT_EQUAL(world_write(&w, 0, c, 5000), 5000);
	world_run(&w, MS(300));
	all_carry(&w, 0, 17, 0xb8);
	(void)world_read(&w, 1, s);
	CU_ASSERT_EQUAL(world_write(&w, 1, s, 2000), 2000);
	world_run(&w, MS(300));
	all_carry(&w, 0, 17, 0xb8); /* pure ACKs */
	CU_ASSERT_EQUAL(host_set(&w.host[0], c, TCP_OPTION_TOS, 0x28), 0);
	host_shutdown(&w.host[0], c);
	world_run(&w, MS(300));
	all_carry(&w, 0, 17, 0x28);
	all_carry(&w, 1, 64, 0); /* the other side is asked for nothing */
	world_fini(&w);
}

static uint16_t mtu_of_the_port;

static void
cfg_mtu(struct stack_cfg *cfg, unsigned who)
{
	(void)who;
	cfg->port[0].mtu = mtu_of_the_port;
}

/* MTU less 40, with timestamps in the SYN or without: options are the sender's to take off. */
static void
announces(uint16_t mtu)
{
	struct world w;
	struct tcp_seg s;
	struct call k = { 0 };

	mtu_of_the_port = mtu;
	world_init(&w, 2, cfg_mtu);
	(void)world_connect(&w, 0, WORLD_PORT);
	world_run(&w, MS(10));
	CU_ASSERT_TRUE_FATAL(world_hears(&w, 0, &s));
	CU_ASSERT_EQUAL(s.flags & (TCP_SYN | TCP_ACK), TCP_SYN);
	CU_ASSERT_TRUE((s.opts & TCP_OPT_MSS) && (s.opts & TCP_OPT_TS));
	CU_ASSERT_EQUAL(s.mss, mtu - 40);
	(void)world_listen(&w, 1, WORLD_PORT, 5);
	k.snd = seq_of(7000);
	(void)world_skips(&w, 1);
	world_say(&w, 1, &(struct tcp_seg){ .seq = k.snd, .flags = TCP_SYN, .sport = 9, .wnd = 9000,
	                                    .dport = WORLD_PORT, .opts = TCP_OPT_MSS, .mss = 600 });
	CU_ASSERT_TRUE_FATAL(world_hears(&w, 1, &s));
	CU_ASSERT_EQUAL(s.flags & (TCP_SYN | TCP_ACK), TCP_SYN | TCP_ACK);
	CU_ASSERT_EQUAL(s.mss, mtu - 40);
	world_fini(&w);
}

static void
test_the_mss_follows_the_mtu(void)
{
	announces(1500);
	announces(1400);
	announces(576);
}

/* Twenty full segments wait when the stack looks: it takes all of them before an ACK leaves. */
static void
test_a_burst_is_worked_on_before_it_is_acknowledged(void)
{
	struct world w;
	struct call k;
	struct tcp_seg s;
	unsigned acks = 0;

	world_init(&w, 1, NULL);
	(void)world_listen(&w, 0, WORLD_PORT, 5);
	CU_ASSERT_TRUE(world_calls(&w, 0, 7, WORLD_PORT, &k));
	(void)world_skips(&w, 0);
	for (unsigned i = 0; i < 20; i++) {
		world_drop_in(&w, 0, &(struct tcp_seg){ .seq = k.snd, .ack = k.rcv, .sport = 7,
		                                        .dport = WORLD_PORT, .flags = TCP_ACK,
		                                        .wnd = 65535, .len = 1460 });
		k.snd = seq_add(k.snd, 1460);
	}
	world_now(&w);
	while (world_hears(&w, 0, &s)) {
		CU_ASSERT_EQUAL(s.flags & (uint8_t)~TCP_PSH, TCP_ACK);
		acks++;
	}
	CU_ASSERT_TRUE(acks >= 1 && acks <= 10);
	CU_ASSERT_TRUE(seq_eq(s.ack, k.snd));
	world_fini(&w);
}

/* RFC 5961 7 and what came of a limit that all connections shared: an attacker could count the
 * challenges that were left for him, and so learn of a connection that is not his. */
static void
test_challenges_of_one_tell_nothing_of_another(void)
{
	struct world w;
	struct call mine, other;
	struct tcp_seg s;
	unsigned n = 0;

	world_init(&w, 1, NULL);
	(void)world_listen(&w, 0, WORLD_PORT, 5);
	CU_ASSERT_TRUE(world_calls(&w, 0, 7, WORLD_PORT, &mine));
	CU_ASSERT_TRUE(world_calls(&w, 0, 8, WORLD_PORT, &other));
	(void)world_skips(&w, 0);
	for (unsigned i = 0; i < 1000; i++)
		world_say(&w, 0, &(struct tcp_seg){ .seq = seq_add(other.snd, 1), .sport = 8,
		                                    .dport = WORLD_PORT, .flags = TCP_RST });
	while (world_hears(&w, 0, &s))
		n++;
	CU_ASSERT_TRUE(n > 0 && n <= 100);
	for (unsigned i = 0; i < n; i++)
		world_say(&w, 0, &(struct tcp_seg){ .seq = seq_add(mine.snd, 1), .sport = 7,
		                                    .dport = WORLD_PORT, .flags = TCP_RST });
	while (world_hears(&w, 0, &s)) {
		CU_ASSERT_TRUE(s.flags == TCP_ACK && s.dport == 7 && seq_eq(s.ack, mine.snd));
		n--;
	}
	CU_ASSERT_EQUAL(n, 0); /* as many as if nobody had asked before */
	world_fini(&w);
}

/* RFC 9293 3.9.2.2: neither the timer of a router nor a wrong field ends a connection, and
 * source quench changes nothing at all. */
static void
test_icmp_that_ends_nothing(void)
{
	static const struct { uint8_t type, code; } kinds[] = {
		{ ICMP4_UNREACHABLE, 0 }, { ICMP4_UNREACHABLE, 1 }, { ICMP4_UNREACHABLE, 2 },
		{ ICMP4_UNREACHABLE, 3 }, { ICMP4_UNREACHABLE, 5 }, { ICMP4_TIME_EXCEEDED, 0 },
		{ ICMP4_TIME_EXCEEDED, 1 }, { ICMP4_PARAM_PROBLEM, 0 }, { ICMP4_SOURCE_QUENCH, 0 },
	};
	struct world w;
	struct sock *l, *c, *s;
	uint8_t frame[CRAFT_MAX];

	world_init(&w, 2, NULL);
	l = world_listen(&w, 1, WORLD_PORT, 5);
	world_pair(&w, l, &c, &s);
	for (unsigned i = 0; i < array_len(kinds); i++) {
		struct craft_way way = world_way(&w, 0);
		struct tcp_conn *conn = c->conn;
		uint32_t cwnd = conn->cwnd;

		CU_ASSERT_EQUAL(world_write(&w, 0, c, 100), 100);
		world_step(&w, 0); /* in flight */
		CU_ASSERT_TRUE(seq_lt(conn->snd_una, conn->snd_nxt));
		world_frame(&w, 0, frame,
		            craft_icmp_error(frame, &way, kinds[i].type, kinds[i].code, 0,
		                             &w.host[1].ip, tcp_name(conn)->lport, WORLD_PORT,
		                             conn->snd_una));
		CU_ASSERT_EQUAL(conn->state, TCP_ESTABLISHED);
		CU_ASSERT_EQUAL(conn->cwnd, cwnd);
		world_run(&w, MS(50));
		CU_ASSERT_EQUAL(world_read(&w, 1, s), 100);
	}
	CU_ASSERT_FALSE(sock_facts(c) & (SOCK_ERROR | SOCK_OVER));
	world_fini(&w);
}

/* ------------------------------------------------------------- opening -- */

/* New listeners come and go: who talks already hears nothing of it. */
static void
test_listeners_disturb_nobody(void)
{
	struct world w;
	struct sock *l, *c, *s;

	world_init(&w, 2, NULL);
	l = world_listen(&w, 1, WORLD_PORT, 5);
	world_pair(&w, l, &c, &s);
	for (unsigned i = 0; i < 4; i++) {
		CU_ASSERT_EQUAL(world_write(&w, 0, c, 1000), 1000);
		host_close(&w.host[1], l);
		world_run(&w, MS(5));
		l = world_listen(&w, 1, WORLD_PORT, 5);
		(void)world_listen(&w, 1, to_u16(100 + i), 5);
		world_run(&w, MS(50));
		CU_ASSERT_EQUAL(world_read(&w, 1, s), 1000);
	}
	CU_ASSERT_FALSE(sock_facts(c) & (SOCK_ERROR | SOCK_OVER));
	world_fini(&w);
}

/* Two that connect to each other at once, from the ports that they connect to. */
static void
test_two_hosts_open_at_once(void)
{
	struct ip_addr any = ip_addr_v4(0);
	struct sock *s[2];
	struct world w;

	world_init(&w, 2, NULL);
	world_run(&w, MS(10));
	for (unsigned i = 0; i < 2; i++) {
		s[i] = host_socket(&w.host[i]);
		CU_ASSERT_PTR_NOT_NULL_FATAL(s[i]);
		CU_ASSERT_EQUAL(host_bind(&w.host[i], s[i], &any, to_u16(5000 + i)), 0);
	}
	for (unsigned i = 0; i < 2; i++)
		host_connect(&w.host[i], s[i], &w.host[!i].ip, to_u16(5000 + !i));
	world_run(&w, SEC(5));
	for (unsigned i = 0; i < 2; i++) {
		CU_ASSERT_TRUE(sock_facts(s[i]) & SOCK_CONNECTED);
		CU_ASSERT_EQUAL(world_write(&w, i, s[i], 3000), 3000);
	}
	world_run(&w, SEC(1));
	CU_ASSERT_EQUAL(world_read(&w, 0, s[0]), 3000);
	CU_ASSERT_EQUAL(world_read(&w, 1, s[1]), 3000);
	world_fini(&w);
}

static int
by_value(const void *a, const void *b)
{
	uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

	return x < y ? -1 : x > y;
}

/* What nmap looks at: ISNs of a row of ports, asked for one after the other.  They must neither
 * stand near each other nor in order, and fill the space. */
static void
test_isns_show_no_pattern(void)
{
	enum { N = 64 };
	uint32_t isn[N], near = 0, rising = 0;
	struct world w;
	struct call k;

	world_init(&w, 1, NULL);
	(void)world_listen(&w, 0, WORLD_PORT, N);
	for (unsigned i = 0; i < N; i++) {
		CU_ASSERT_TRUE_FATAL(world_calls(&w, 0, to_u16(1000 + i), WORLD_PORT, &k));
		isn[i] = k.rcv.v - 1;
		rising += i > 0 && isn[i] > isn[i - 1];
		near += i > 0 && isn[i] - isn[i - 1] + (1u << 20) < 1u << 21;
	}
	CU_ASSERT_TRUE(near <= 1);
	CU_ASSERT_TRUE(rising > N / 4 && rising < N - N / 4);
	qsort(isn, N, sizeof isn[0], by_value);
	for (unsigned i = 0; i < N; i += N / 4) /* each quarter has its share */
		CU_ASSERT_TRUE(isn[i] / (1u << 30) + 1 >= i / (N / 4) &&
		               isn[i] / (1u << 30) <= i / (N / 4) + 1);
	world_fini(&w);
}

/* The same tuple again: what the clock says in between, 250 a millisecond. */
static void
test_isns_of_one_tuple_follow_the_clock(void)
{
	struct world w;
	struct tcp_seg s;
	seq_t first;
	struct tcp_seg syn = { .seq = seq_of(9), .flags = TCP_SYN, .sport = 7, .wnd = 9000,
		               .dport = WORLD_PORT };
	struct tcp_seg rst = { .seq = seq_of(10), .flags = TCP_RST, .sport = 7,
		               .dport = WORLD_PORT };

	world_init(&w, 1, NULL);
	(void)world_listen(&w, 0, WORLD_PORT, 5);
	world_say(&w, 0, &syn);
	CU_ASSERT_TRUE_FATAL(world_hears(&w, 0, &s));
	first = s.seq;
	world_say(&w, 0, &rst);
	world_run(&w, MS(100));
	world_say(&w, 0, &syn);
	CU_ASSERT_TRUE_FATAL(world_hears(&w, 0, &s));
	CU_ASSERT_EQUAL(seq_sub(s.seq, first), 25000);
	world_fini(&w);
}

/* ------------------------------------------------------------- failures -- */

static unsigned
arp_requests(struct world *w, unsigned from, int64_t *first)
{
	const struct world_frame *f;
	unsigned n = 0;

	while ((f = world_next(w, from)))
		if (f->data[12] == 0x08 && f->data[13] == 0x06 && n++ == 0)
			*first = f->at;
	return n;
}

/* No answer, no progress: the neighbour is asked whether it is there (R1), and in the end the
 * connection is given up (R2). */
static void
test_a_silent_path_is_doubted_then_given_up(void)
{
	struct world w;
	struct net_cfg dead;
	struct sock *l, *c, *s;
	int64_t t0, first = 0;
	uint32_t retries;

	world_init(&w, 2, NULL);
	l = world_listen(&w, 1, WORLD_PORT, 5);
	world_pair(&w, l, &c, &s);
	(void)world_skips(&w, 0);
	dead = w.net_cfg;
	dead.loss = dead.arp_loss = 1000000;
	net_set(w.net, &dead);
	t0 = net_now(w.net);
	CU_ASSERT_EQUAL(world_write(&w, 0, c, 100), 100);
	world_run(&w, SEC(100));
	retries = c->conn ? tcp_rare(c->conn)->total_retrans : 0;
	CU_ASSERT_TRUE(arp_requests(&w, 0, &first) >= 1);
	CU_ASSERT_TRUE(first - t0 > SEC(1)); /* three retransmissions are 1.4 s */
	CU_ASSERT_TRUE(retries >= 3);
	CU_ASSERT_FALSE(sock_facts(c) & SOCK_OVER); /* R2 is 100 s at least */
	world_run(&w, SEC(2000));
	CU_ASSERT_TRUE(sock_facts(c) & SOCK_OVER);
	world_fini(&w);
}

void
suite_script_host(void)
{
	CU_pSuite s = CU_add_suite("script_host", NULL, NULL);

	CU_add_test(s, "what IP carries (RFC 9293 MAY-4; Linux: TTL; Linux: DF)",
	            test_what_ip_carries);
	CU_add_test(s, "TTL and TOS are the application's (RFC 9293 MUST-48, MUST-49, SHLD-21, "
	            "SHLD-22)",
	            test_ttl_and_tos_are_the_applications);
	CU_add_test(s, "the MSS follows the MTU (RFC 9293 SHLD-6, MUST-67; RFC 6691 2/announce)",
	            test_the_mss_follows_the_mtu);
	CU_add_test(s, "a burst is worked on before it is acknowledged (RFC 9293 MUST-58, MUST-59)",
	            test_a_burst_is_worked_on_before_it_is_acknowledged);
	CU_add_test(s, "listeners disturb nobody (RFC 9293 MUST-41)",
	            test_listeners_disturb_nobody);
	CU_add_test(s, "two hosts open at once (RFC 9293 MUST-10)", test_two_hosts_open_at_once);
	CU_add_test(s, "ISNs show no pattern (RFC 9293 MUST-9, SHLD-1; RFC 6528 3/unrelated; "
	            "attack: ISN statistics)",
	            test_isns_show_no_pattern);
	CU_add_test(s, "ISNs of one tuple follow the clock (RFC 9293 MUST-8; RFC 6528 3)",
	            test_isns_of_one_tuple_follow_the_clock);
	CU_add_test(s, "a silent path is doubted, then given up (RFC 9293 MUST-20, SHLD-10, "
	            "SHLD-11; RFC 1122 4.2.3.5)",
	            test_a_silent_path_is_doubted_then_given_up);
	CU_add_test(s, "challenges of one tell nothing of another (RFC 5961 7; attack: challenge "
	            "side channel)",
	            test_challenges_of_one_tell_nothing_of_another);
	CU_add_test(s, "ICMP that ends nothing (RFC 9293 MUST-54, MUST-55, MUST-56; RFC 6633 3; "
	            "RFC 5927 5.2; RFC 1122 4.2.3.9; attack: forged source quench)",
	            test_icmp_that_ends_nothing);
}
