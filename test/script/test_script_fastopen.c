/* SPDX-License-Identifier: BSD-3-Clause */
/* TCP Fast Open (RFC 7413), both ends. */
#include <CUnit/CUnit.h>

#include "tcp/tcp_fastopen.h"
#include "test/script/peer.h"

void suite_script_fastopen(void);

static const uint8_t COOKIE[8] = { 1, 2, 3, 4, 5, 6, 7, 8 };

static void
both_ways(struct tcp_cfg *cfg, int who)
{
	(void)who;
	cfg->fastopen = FASTOPEN_CLIENT | FASTOPEN_SERVER;
}

static void
nowhere(struct tcp_cfg *cfg, int who)
{
	(void)who;
	cfg->fastopen = 0;
}

/* The next segment carries this cookie; n 0: asks for one. */
static void
with_cookie(struct peer *p, const uint8_t *cookie, uint32_t n)
{
	p->with.opts |= TCP_OPT_FASTOPEN;
	p->with.n_cookie = (uint8_t)n;
	if (n)
		memcpy(p->with.cookie, cookie, n);
}

/* -- client ----------------------------------------------------------------- */

/* The first connection, which brings the cookie; then A is CLOSED again. */
static void
client_learns(struct peer *p, const struct peer_opts *o, uint32_t n)
{
	static const uint8_t long_cookie[16] = { 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14 };

	peer_new(p, o);
	duo_fastopen(p->a, 100);
	EXPECT(p, "S", 0, 0, 0);
	CU_ASSERT(p->last->s.opts & TCP_OPT_FASTOPEN);
	CU_ASSERT_EQUAL(p->last->s.n_cookie, 0);
	peer_syn_options(p);
	with_cookie(p, long_cookie, n);
	SAY(p, "S.", 0, 0, 1);
	EXPECT(p, ".P", 1, 100, 1);
	SAY(p, ".", 1, 0, 101);
	SAY(p, "R", 1, 0, 0);
	EXPECT_STATE(p, TCP_CLOSED);
	(void)peer_skips(p);
}

/* RFC 7413 4.1.1, 4.1.3: asks, is given, remembers with the MSS, uses. */
static void
test_client_asks_and_uses(void)
{
	struct peer p;

	client_learns(&p, NULL, 8);
	duo_fastopen(p.a, 3000);
	EXPECT(&p, "S", 0, 1460 - 32, 0);
	CU_ASSERT_EQUAL(p.last->s.n_cookie, 8);
	CU_ASSERT_EQUAL(memcmp(p.last->s.cookie, COOKIE, 8), 0);
	peer_syn_options(&p);
	SAY(&p, "S.", 0, 0, 1429);
	EXPECT(&p, ".", 1429, 1460, 1);
	EXPECT(&p, "P.", 2889, 112, 1);
	EXPECT_STATE(&p, TCP_ESTABLISHED);
	SAY(&p, ".", 1, 0, 3001);
	CU_ASSERT_EQUAL(stream_used(&p.a->snd_w, &p.a->snd_r), 0);
	CU_ASSERT_EQUAL(tcp_bytes_acked(&p.a->conn), 3000);
	peer_free(&p);
}

/* RFC 7413 4.1.3: the MSS that came with the cookie bounds the SYN. */
static void
test_client_keeps_to_the_cached_mss(void)
{
	struct peer_opts o = { .mss = 700 };
	struct peer p;

	client_learns(&p, &o, 16);
	duo_fastopen(p.a, 3000);
	EXPECT(&p, "S", 0, 700 - 40, 0); /* the largest cookie, TS, MSS, wscale: 40 */
	CU_ASSERT_EQUAL(p.last->s.n_cookie, 16);
	peer_free(&p);
}

/* RFC 1191 3: a SYN too large for the path leaves at once with less; once, whoever says so
 * how often. */
static void
test_syn_too_large_for_the_path(void)
{
	struct peer p;

	client_learns(&p, NULL, 8);
	duo_fastopen(p.a, 3000);
	EXPECT(&p, "S", 0, 1460 - 32, 0);
	for (uint32_t mtu = 1000; mtu >= 600; mtu -= 200) {
		tcp_icmp_frag_needed(&p.a->env, &p.a->conn, mtu, p.d->now);
		duo_pump(p.a);
	}
	EXPECT(&p, "S", 0, 960 - 32, 0);
	CU_ASSERT_EQUAL(p.last->s.n_cookie, 8);
	EXPECT_NOTHING(&p);
	peer_syn_options(&p);
	SAY(&p, "S.", 0, 0, 929);
	EXPECT(&p, ".", 929, 960, 1);
	EXPECT(&p, ".", 1889, 960, 1);
	EXPECT(&p, "P.", 2849, 152, 1);
	peer_free(&p);
}

/* RFC 7413 4.2.1: what the SYN-ACK does not acknowledge is sent again. */
static void
test_server_refuses_the_text(void)
{
	struct peer p;

	client_learns(&p, NULL, 8);
	duo_fastopen(p.a, 500);
	EXPECT(&p, "S", 0, 500, 0);
	peer_syn_options(&p);
	with_cookie(&p, (const uint8_t *)"newcooki", 8);
	SAY(&p, "S.", 0, 0, 1);
	EXPECT(&p, "P.", 1, 500, 1);
	SAY(&p, "R.", 1, 0, 501);
	(void)peer_skips(&p);
	duo_fastopen(p.a, 500); /* 4.1.3: the new cookie replaces the old */
	EXPECT(&p, "S", 0, 500, 0);
	CU_ASSERT_EQUAL(memcmp(p.last->s.cookie, "newcooki", 8), 0);
	peer_free(&p);
}

static void
test_server_takes_a_part(void)
{
	struct peer p;

	client_learns(&p, NULL, 8);
	duo_fastopen(p.a, 500);
	EXPECT(&p, "S", 0, 500, 0);
	peer_syn_options(&p);
	SAY(&p, "S.", 0, 0, 201);
	EXPECT(&p, "P.", 201, 300, 1);
	SAY(&p, ".", 1, 0, 501);
	EXPECT_NOTHING(&p);
	CU_ASSERT_EQUAL(stream_used(&p.a->snd_w, &p.a->snd_r), 0);
	peer_free(&p);
}

/* RFC 9293 3.10.7.3: beyond what the SYN held is not acceptable. */
static void
test_ack_beyond_the_syn_is_reset(void)
{
	struct peer p;

	client_learns(&p, NULL, 8);
	duo_fastopen(p.a, 500);
	EXPECT(&p, "S", 0, 500, 0);
	peer_syn_options(&p);
	SAY_FATE(&p, "S.", 0, 0, 502, DROP_HANDSHAKE_RESET);
	EXPECT_STATE(&p, TCP_SYN_SENT);
	peer_free(&p);
}

/* RFC 7413 4.1.3.1, 4.2.1: a SYN that is repeated has neither cookie nor text. */
static void
test_repeated_syn_is_plain(void)
{
	struct peer p;

	client_learns(&p, NULL, 8);
	duo_fastopen(p.a, 500);
	EXPECT(&p, "S", 0, 500, 0);
	peer_sleeps(&p, SEC(1));
	EXPECT(&p, "S", 0, 0, 0);
	CU_ASSERT_FALSE(p.last->s.opts & TCP_OPT_FASTOPEN);
	peer_syn_options(&p);
	SAY(&p, "S.", 0, 0, 501); /* the first had arrived all the same */
	EXPECT(&p, ".", 501, 0, 1);
	EXPECT_STATE(&p, TCP_ESTABLISHED);
	EXPECT_NOTHING(&p);
	peer_free(&p);
}

/* A SYN with text, lost or not; its connection is over afterwards. */
static void
text_with_syn(struct peer *p, bool lost)
{
	duo_fastopen(p->a, 500);
	EXPECT(p, "S", 0, 500, 0);
	if (lost) {
		peer_sleeps(p, SEC(1));
		EXPECT(p, "S", 0, 0, 0);
	}
	peer_syn_options(p);
	SAY(p, "S.", 0, 0, lost ? 1 : 501);
	SAY(p, "R", 1, 0, 0);
	(void)peer_skips(p);
}

/* While it rests a SYN is plain. */
static void
plain_syn(struct peer *p)
{
	duo_fastopen(p->a, 500);
	EXPECT(p, "S", 0, 0, 0);
	CU_ASSERT_FALSE(p->last->s.opts & TCP_OPT_FASTOPEN);
	peer_syn_options(p);
	SAY(p, "S.", 0, 0, 1);
	EXPECT(p, "P.", 1, 500, 1);
	SAY(p, "R", 1, 0, 0);
	(void)peer_skips(p);
}

/* Two in a row: four minutes; each more, twice as long.  What a plain SYN does shows nothing. */
static void
test_the_rest_grows(void)
{
	struct peer p;

	client_learns(&p, NULL, 8);
	text_with_syn(&p, true);
	text_with_syn(&p, false);
	text_with_syn(&p, true); /* none in a row */
	text_with_syn(&p, true);
	plain_syn(&p);
	peer_sleeps(&p, SEC(120));
	plain_syn(&p);
	plain_syn(&p);
	peer_sleeps(&p, SEC(121));
	text_with_syn(&p, true);
	peer_sleeps(&p, SEC(300));
	plain_syn(&p);
	peer_sleeps(&p, SEC(181));
	text_with_syn(&p, false);
	text_with_syn(&p, true);
	text_with_syn(&p, false);
	peer_free(&p);
}

static void
no_quick_acks(struct tcp_cfg *cfg, int who)
{
	both_ways(cfg, who);
	cfg->quickack = 0;
}

/* RFC 7413 4.1.3.1: paths that lose such SYNs are left alone for a time. */
static void
test_losses_let_it_rest(void)
{
	struct peer p;

	client_learns(&p, NULL, 8);
	for (unsigned i = 0; i < 2; i++) {
		duo_fastopen(p.a, 500);
		EXPECT(&p, "S", 0, 500, 0);
		peer_sleeps(&p, SEC(1));
		EXPECT(&p, "S", 0, 0, 0);
		peer_syn_options(&p);
		SAY(&p, "S.", 0, 0, 1);
		SAY(&p, "R", 1, 0, 0);
		(void)peer_skips(&p);
	}
	duo_fastopen(p.a, 500);
	EXPECT(&p, "S", 0, 0, 0);
	CU_ASSERT_FALSE(p.last->s.opts & TCP_OPT_FASTOPEN);
	peer_syn_options(&p);
	SAY(&p, "S.", 0, 0, 1);
	EXPECT(&p, "P.", 1, 500, 1);
	SAY(&p, "R", 1, 0, 0);
	(void)peer_skips(&p);
	peer_sleeps(&p, SEC(241));
	duo_fastopen(p.a, 500);
	EXPECT(&p, "S", 0, 500, 0);
	peer_free(&p);
}

/* RFC 9293 3.5 and RFC 7413 4.2: in a simultaneous open the text goes the usual way. */
static void
test_simultaneous_open(void)
{
	struct peer p;

	client_learns(&p, NULL, 8);
	duo_fastopen(p.a, 500);
	EXPECT(&p, "S", 0, 500, 0);
	peer_syn_options(&p);
	SAY(&p, "S", 0, 0, 0);
	EXPECT(&p, "S.", 0, 0, 1);
	EXPECT_STATE(&p, TCP_SYN_RCVD);
	SAY(&p, ".", 1, 0, 1);
	EXPECT(&p, "P.", 1, 500, 1);
	peer_free(&p);
}

static void
test_client_may_be_switched_off(void)
{
	struct peer_opts o = { .cfg = nowhere };
	struct peer p;

	peer_new(&p, &o);
	duo_fastopen(p.a, 500);
	EXPECT(&p, "S", 0, 0, 0);
	CU_ASSERT_FALSE(p.last->s.opts & TCP_OPT_FASTOPEN);
	peer_syn_options(&p);
	SAY(&p, "S.", 0, 0, 1);
	EXPECT(&p, "P.", 1, 500, 1);
	peer_free(&p);
}

/* RFC 7413 4.1.1: 4 to 16 bytes, an even number; others are no cookie. */
static void
test_odd_cookies_are_none(void)
{
	static const uint8_t odd[] = {
		0x9c, 0x40, 0x00, 0x50, 0, 0, 0x13, 0x88, 0, 0, 0x03, 0xe9, 0x80, 0x12, 0xff, 0xff,
		0, 0, 0, 0, 34, 9, 1, 2, 3, 4, 5, 6, 7, 1, 1, 1
	};
	struct peer p;

	peer_new(&p, NULL);
	duo_fastopen(p.a, 0);
	EXPECT(&p, "S", 0, 0, 0);
	CU_ASSERT_EQUAL(duo_inject_bytes(p.a, odd, sizeof odd), SEG_OK);
	EXPECT(&p, ".", 1, 0, 1);
	SAY(&p, "R", 1, 0, 0);
	(void)peer_skips(&p);
	duo_fastopen(p.a, 500);
	EXPECT(&p, "S", 0, 0, 0);
	CU_ASSERT_EQUAL(p.last->s.n_cookie, 0);
	CU_ASSERT(p.last->s.opts & TCP_OPT_FASTOPEN);
	peer_free(&p);
}

/* -- server ----------------------------------------------------------------- */

static void
server(struct peer *p, void (*cfg)(struct tcp_cfg *, int))
{
	struct peer_opts o = { .cfg = cfg };

	peer_new(p, &o);
	duo_listen(p->a);
	peer_syn_options(p);
}

/* A's cookie for the peer. */
static void
good_cookie(struct peer *p, uint8_t cookie[8])
{
	struct tcp_tuple t = { ip_addr_v4(0x0a000001), ip_addr_v4(0x0a000002), 0, 0 };

	tcp_fastopen_cookie(&p->a->env.fastopen, 0, &t, cookie);
}

/* RFC 7413 4.2.2: a request is answered by a cookie; text beside it is not taken. */
static void
test_server_gives_a_cookie(void)
{
	uint8_t good[8];
	struct peer p;

	server(&p, both_ways);
	good_cookie(&p, good);
	with_cookie(&p, NULL, 0);
	SAY_FATE(&p, "S", 0, 300, 0, SYN_TAKEN);
	EXPECT(&p, "S.", 0, 0, 1);
	CU_ASSERT_EQUAL(p.last->s.n_cookie, 8);
	CU_ASSERT_EQUAL(memcmp(p.last->s.cookie, good, 8), 0);
	CU_ASSERT_EQUAL(duo_readable(p.a), 0);
	SAY(&p, ".", 1, 300, 1);
	EXPECT(&p, ".", 1, 0, 301);
	CU_ASSERT_EQUAL(peer_a_reads(&p), 300);
	peer_free(&p);
}

/* RFC 7413 4.2.2: with a good cookie the text is there at once, and acknowledged. */
static void
test_server_takes_the_text(void)
{
	uint8_t good[8];
	struct peer p;

	server(&p, both_ways);
	good_cookie(&p, good);
	with_cookie(&p, good, 8);
	SAY_FATE(&p, "S", 0, 300, 0, SYN_FASTOPEN);
	EXPECT(&p, "S.", 0, 0, 301);
	CU_ASSERT_FALSE(p.last->s.opts & TCP_OPT_FASTOPEN);
	EXPECT_STATE(&p, TCP_SYN_RCVD);
	CU_ASSERT_EQUAL(peer_a_reads(&p), 300);
	EXPECT_NOTHING(&p);
	SAY(&p, ".", 301, 100, 1);
	EXPECT(&p, ".", 1, 0, 401);
	EXPECT_STATE(&p, TCP_ESTABLISHED);
	CU_ASSERT_EQUAL(peer_a_reads(&p), 100);
	peer_free(&p);
}

/* No other comes behind it, however long that could wait. */
static void
test_the_syn_ack_is_the_ack(void)
{
	uint8_t good[8];
	struct peer p;

	server(&p, no_quick_acks);
	good_cookie(&p, good);
	with_cookie(&p, good, 8);
	SAY_FATE(&p, "S", 0, 300, 0, SYN_FASTOPEN);
	EXPECT(&p, "S.", 0, 0, 301);
	peer_sleeps(&p, MS(500));
	EXPECT_NOTHING(&p);
	peer_free(&p);
}

static void
small_buffer(struct tcp_cfg *cfg, int who)
{
	both_ways(cfg, who);
	cfg->rcvbuf = 2048;
}

/* What is read before the handshake is over opens the window when it is: the SYN-ACK told of
 * what was left, and nothing else may ever leave. */
static void
test_room_made_before_the_handshake_is_told(void)
{
	uint8_t good[8];
	struct peer p;

	server(&p, small_buffer);
	good_cookie(&p, good);
	with_cookie(&p, good, 8);
	SAY_FATE(&p, "S", 0, 1000, 0, SYN_FASTOPEN);
	EXPECT(&p, "S.", 0, 0, 1001);
	CU_ASSERT_EQUAL(p.last->s.wnd, 24);
	CU_ASSERT_EQUAL(peer_a_reads(&p), 1000);
	EXPECT_NOTHING(&p);
	SAY(&p, ".", 1001, 0, 1);
	EXPECT(&p, ".", 1, 0, 1001);
	CU_ASSERT_EQUAL(p.last->s.wnd << p.a->conn.rcv_wscale, 1024);
	peer_free(&p);
}

/* ... once, however often the SYN comes. */
static void
test_server_takes_it_once(void)
{
	uint8_t good[8];
	struct peer p;

	server(&p, both_ways);
	good_cookie(&p, good);
	for (unsigned i = 0; i < 3; i++) {
		peer_syn_options(&p);
		with_cookie(&p, good, 8);
		SAY(&p, "S", 0, 300, 0);
		EXPECT(&p, "S.", 0, 0, 301);
	}
	SAY(&p, "S", 0, 0, 0); /* the plain one that follows a loss */
	EXPECT(&p, "S.", 0, 0, 301);
	CU_ASSERT_EQUAL(peer_a_reads(&p), 300);
	SAY(&p, ".", 301, 0, 1);
	EXPECT_STATE(&p, TCP_ESTABLISHED);
	CU_ASSERT_EQUAL(duo_readable(p.a), 0);
	peer_free(&p);
}

/* RFC 7413 4.2.2: a wrong cookie is like none, and the answer brings a good one. */
static void
test_server_refuses_a_wrong_cookie(void)
{
	uint8_t bad[8];
	struct peer p;

	server(&p, both_ways);
	good_cookie(&p, bad);
	bad[7] ^= 1;
	with_cookie(&p, bad, 8);
	SAY_FATE(&p, "S", 0, 300, 0, SYN_TAKEN);
	EXPECT(&p, "S.", 0, 0, 1);
	CU_ASSERT_EQUAL(p.last->s.n_cookie, 8);
	CU_ASSERT_EQUAL(duo_readable(p.a), 0);
	peer_free(&p);
}

/* RFC 7413 5: off unless asked for. */
static void
test_server_is_off_by_default(void)
{
	struct peer p;

	server(&p, NULL);
	with_cookie(&p, NULL, 0);
	SAY_FATE(&p, "S", 0, 300, 0, SYN_TAKEN);
	EXPECT(&p, "S.", 0, 0, 1);
	CU_ASSERT_FALSE(p.last->s.opts & TCP_OPT_FASTOPEN);
	peer_free(&p);
}

/* RFC 7413 4.2.2: the SYN-ACK is repeated until the handshake is over, or given up. */
static void
test_synack_is_repeated(void)
{
	uint8_t good[8];
	struct peer p;

	server(&p, both_ways);
	good_cookie(&p, good);
	with_cookie(&p, good, 8);
	SAY(&p, "S", 0, 300, 0);
	EXPECT(&p, "S.", 0, 0, 301);
	for (unsigned i = 0; i < 5; i++) {
		peer_sleeps(&p, SEC(1) << i);
		EXPECT(&p, "S.", 0, 0, 301);
	}
	peer_sleeps(&p, SEC(100));
	EXPECT_NOTHING(&p);
	EXPECT_STATE(&p, TCP_CLOSED);
	peer_free(&p);
}

/* Both ends are ours: the second connection saves a round trip. */
static void
test_both_ends(void)
{
	struct duo_opts o = { .cfg = both_ways };
	struct duo *d = duo_new(&o);
	int64_t t0;

	duo_listen(&d->side[DUO_B]);
	for (unsigned i = 0; i < 2; i++) {
		t0 = d->now;
		duo_fastopen(&d->side[DUO_A], 400);
		while (duo_readable(&d->side[DUO_B]) < 400 && duo_step(d, t0 + SEC(1)))
			;
		CU_ASSERT_EQUAL(d->now - t0, i == 0 ? 3 * d->latency : d->latency);
		CU_ASSERT_EQUAL(duo_read_pattern(&d->side[DUO_B]), 400);
		duo_run(d, MS(50));
		duo_abort(&d->side[DUO_A]);
		duo_run(d, SEC(2));
		d->side[DUO_A].iss = seq_add(d->side[DUO_A].iss, 100000);
		d->side[DUO_B].iss = seq_add(d->side[DUO_B].iss, 100000);
	}
	CU_ASSERT_EQUAL(d->side[DUO_B].seen[SYN_FASTOPEN], 1);
	duo_free(d);
}

void
suite_script_fastopen(void)
{
	CU_pSuite s = CU_add_suite("script_fastopen", NULL, NULL);

	CU_add_test(s, "a client asks for a cookie and uses it (RFC 7413 4.1.3)",
	            test_client_asks_and_uses);
	CU_add_test(s, "the cached MSS bounds the SYN (RFC 7413 4.1.3)",
	            test_client_keeps_to_the_cached_mss);
	CU_add_test(s, "a SYN too large for the path is made smaller (RFC 1191 3)",
	            test_syn_too_large_for_the_path);
	CU_add_test(s, "text that is not acknowledged is sent again (RFC 7413 4.2)",
	            test_server_refuses_the_text);
	CU_add_test(s, "a part that is not acknowledged is sent again (RFC 7413 4.2)",
	            test_server_takes_a_part);
	CU_add_test(s, "an ACK beyond the SYN's text is reset (RFC 7413 4.2)",
	            test_ack_beyond_the_syn_is_reset);
	CU_add_test(s, "a repeated SYN is plain (RFC 7413 4.2/retransmit)", test_repeated_syn_is_plain);
	CU_add_test(s, "losses let it rest (RFC 7413 4.1.3.1)", test_losses_let_it_rest);
	CU_add_test(s, "the rest grows (RFC 7413 4.1.3.1)", test_the_rest_grows);
	CU_add_test(s, "the SYN-ACK is the ACK of the SYN's text (RFC 7413 4.2)",
	            test_the_syn_ack_is_the_ack);
	CU_add_test(s, "simultaneous open by Fast Open (RFC 7413 4.2)", test_simultaneous_open);
	CU_add_test(s, "Fast Open may be switched off",
	            test_client_may_be_switched_off);
	CU_add_test(s, "odd cookies are none (RFC 7413 2/size)", test_odd_cookies_are_none);
	CU_add_test(s, "the server gives a cookie and does not take the text (RFC 7413 4.2/invalid)", test_server_gives_a_cookie);
	CU_add_test(s, "the server takes the text (RFC 7413 4.2; option: TCP_FASTOPEN)",
	            test_server_takes_the_text);
	CU_add_test(s, "room made before the handshake is over is told",
	            test_room_made_before_the_handshake_is_told);
	CU_add_test(s, "the server takes the text once (RFC 7413 4.2/once)",
	            test_server_takes_it_once);
	CU_add_test(s, "a wrong cookie is like none (RFC 7413 4.2/invalid)",
	            test_server_refuses_a_wrong_cookie);
	CU_add_test(s, "Fast Open is off for servers by default (RFC 7413 A)", test_server_is_off_by_default);
	CU_add_test(s, "the SYN-ACK of a fast open is repeated (RFC 7413 4.2)", test_synack_is_repeated);
	CU_add_test(s, "the second connection saves a round trip (RFC 7413 4.2)", test_both_ends);
}
