/* SPDX-License-Identifier: BSD-3-Clause */
/* Socket options: what is set is got back, where it belongs it arrives. */
#include "test/api/api_test.h"

#include <sys/time.h>

#include <linux/tcp.h>

void suite_api_sockopt(void);

static int
set(struct fake_stack *f, int id, int level, int name, int value)
{
	return mtcp_setsockopt(&f->ctx, id, level, name, &value, sizeof value);
}

static int
get(struct fake_stack *f, int id, int level, int name)
{
	int value = -12345;
	socklen_t len = sizeof value;

	CU_ASSERT_EQUAL(mtcp_getsockopt(&f->ctx, id, level, name, &value, &len), 0);
	CU_ASSERT_EQUAL(len, sizeof value);
	return value;
}

static void
test_one_bit_options(void)
{
	static const struct {
		int level, name;
		uint16_t bit;
	} opt[] = {
		{ IPPROTO_TCP, TCP_NODELAY, SOCK_OPT_NODELAY },
		{ IPPROTO_TCP, TCP_CORK, SOCK_OPT_CORK },
		{ IPPROTO_TCP, TCP_QUICKACK, SOCK_OPT_QUICKACK },
		{ SOL_SOCKET, SO_KEEPALIVE, SOCK_OPT_KEEPALIVE },
		{ SOL_SOCKET, SO_REUSEADDR, 0 },
		{ SOL_SOCKET, SO_REUSEPORT, 0 },
	};
	struct fake_stack f;
	int id;

	fake_init(&f);
	id = fake_connected(&f);
	for (size_t i = 0; i < array_len(opt); i++) {
		CU_ASSERT_EQUAL(get(&f, id, opt[i].level, opt[i].name), 0);
		CU_ASSERT_EQUAL(set(&f, id, opt[i].level, opt[i].name, 7), 0);
		CU_ASSERT_EQUAL(get(&f, id, opt[i].level, opt[i].name), 1);
		CU_ASSERT_EQUAL(atomic_load(&f.ch.socks[id].opt_bits), opt[i].bit);
		CU_ASSERT_EQUAL(set(&f, id, opt[i].level, opt[i].name, 0), 0);
		CU_ASSERT_EQUAL(get(&f, id, opt[i].level, opt[i].name), 0);
	}
	fake_fini(&f);
}

static void
test_numbers_are_kept_by_the_stack(void)
{
	static const struct {
		int level, name, good, bad;
		enum tcp_option option;
	} opt[] = {
		{ IPPROTO_TCP, TCP_KEEPIDLE, 60, 0, TCP_OPTION_KEEPIDLE },
		{ IPPROTO_TCP, TCP_KEEPINTVL, 7, 32768, TCP_OPTION_KEEPINTVL },
		{ IPPROTO_TCP, TCP_KEEPCNT, 3, 128, TCP_OPTION_KEEPCNT },
		{ IPPROTO_TCP, TCP_SYNCNT, 2, 0, TCP_OPTION_SYNCNT },
		{ IPPROTO_TCP, TCP_LINGER2, -1, 121, TCP_OPTION_LINGER2 },
		{ IPPROTO_TCP, TCP_USER_TIMEOUT, 5000, -1, TCP_OPTION_USER_TIMEOUT },
		{ IPPROTO_TCP, TCP_MAXSEG, 1000, 87, TCP_OPTION_MAXSEG },
		{ IPPROTO_IP, IP_TOS, 0x10, 256, TCP_OPTION_TOS },
		{ IPPROTO_IP, IP_TTL, 3, 0, TCP_OPTION_TTL },
	};
	struct fake_stack f;
	int id;

	fake_init(&f);
	id = fake_connected(&f);
	for (size_t i = 0; i < array_len(opt); i++) {
		FAILS_WITH(set(&f, id, opt[i].level, opt[i].name, opt[i].bad), EINVAL);
		CU_ASSERT_EQUAL(set(&f, id, opt[i].level, opt[i].name, opt[i].good), 0);
		CU_ASSERT_EQUAL(f.sock[id].option[opt[i].option], opt[i].good);
		CU_ASSERT_EQUAL(get(&f, id, opt[i].level, opt[i].name), opt[i].good);
	}
	fake_fini(&f);
}

static void
test_buffers_are_doubled_and_have_a_least_size(void)
{
	struct fake_stack f;
	int id;

	fake_init(&f);
	id = fake_connected(&f);
	CU_ASSERT_EQUAL(set(&f, id, SOL_SOCKET, SO_RCVBUF, 100000), 0);
	CU_ASSERT_EQUAL(get(&f, id, SOL_SOCKET, SO_RCVBUF), 200000);
	CU_ASSERT_EQUAL(set(&f, id, SOL_SOCKET, SO_RCVBUF, 1), 0);
	CU_ASSERT_EQUAL(get(&f, id, SOL_SOCKET, SO_RCVBUF), 2304);
	CU_ASSERT_EQUAL(set(&f, id, SOL_SOCKET, SO_SNDBUF, 1), 0);
	CU_ASSERT_EQUAL(get(&f, id, SOL_SOCKET, SO_SNDBUF), 4608);
	CU_ASSERT_EQUAL(set(&f, id, SOL_SOCKET, SO_SNDBUF, -1), 0);
	CU_ASSERT_EQUAL(get(&f, id, SOL_SOCKET, SO_SNDBUF), 1 << 30);
	fake_fini(&f);
}

static void
test_what_a_socket_is(void)
{
	struct fake_stack f;
	int id, l;

	fake_init(&f);
	id = fake_connected(&f);
	l = fake_listener(&f, 80);
	CU_ASSERT_EQUAL(get(&f, id, SOL_SOCKET, SO_TYPE), SOCK_STREAM);
	CU_ASSERT_EQUAL(get(&f, id, SOL_SOCKET, SO_DOMAIN), AF_INET);
	CU_ASSERT_EQUAL(get(&f, id, SOL_SOCKET, SO_PROTOCOL), IPPROTO_TCP);
	CU_ASSERT_EQUAL(get(&f, id, SOL_SOCKET, SO_ACCEPTCONN), 0);
	CU_ASSERT_EQUAL(get(&f, l, SOL_SOCKET, SO_ACCEPTCONN), 1);
	CU_ASSERT_EQUAL(get(&f, id, SOL_SOCKET, SO_ERROR), 0);
	FAILS_WITH(set(&f, id, SOL_SOCKET, SO_TYPE, 1), ENOPROTOOPT);
	FAILS_WITH(set(&f, id, SOL_SOCKET, SO_ERROR, 1), ENOPROTOOPT);
	fake_fini(&f);
}

static void
test_times(void)
{
	struct fake_stack f;
	struct timeval tv = { 3, 1500 }, got;
	socklen_t len = sizeof got;
	int id;

	fake_init(&f);
	id = fake_connected(&f);
	CU_ASSERT_EQUAL(mtcp_setsockopt(&f.ctx, id, SOL_SOCKET, SO_RCVTIMEO, &tv, sizeof tv), 0);
	CU_ASSERT_EQUAL(mtcp_getsockopt(&f.ctx, id, SOL_SOCKET, SO_RCVTIMEO, &got, &len), 0);
	CU_ASSERT(got.tv_sec == 3 && got.tv_usec == 2000);
	CU_ASSERT_EQUAL(mtcp_getsockopt(&f.ctx, id, SOL_SOCKET, SO_SNDTIMEO, &got, &len), 0);
	CU_ASSERT(got.tv_sec == 0 && got.tv_usec == 0);
	tv.tv_usec = 1000000;
	FAILS_WITH(mtcp_setsockopt(&f.ctx, id, SOL_SOCKET, SO_SNDTIMEO, &tv, sizeof tv), EDOM);
	FAILS_WITH(mtcp_setsockopt(&f.ctx, id, SOL_SOCKET, SO_SNDTIMEO, &tv, 4), EINVAL);
	fake_fini(&f);
}

static void
test_linger(void)
{
	struct fake_stack f;
	struct linger l = { 1, 9 }, got = { 0 };
	socklen_t len = sizeof got;
	int id;

	fake_init(&f);
	id = mtcp_socket(&f.ctx, AF_INET, SOCK_STREAM, 0);
	CU_ASSERT_EQUAL(mtcp_setsockopt(&f.ctx, id, SOL_SOCKET, SO_LINGER, &l, sizeof l), 0);
	CU_ASSERT_EQUAL(mtcp_getsockopt(&f.ctx, id, SOL_SOCKET, SO_LINGER, &got, &len), 0);
	CU_ASSERT(got.l_onoff == 1 && got.l_linger == 9);
	fake_fini(&f);
}

static void
test_congestion_control_goes_by_name(void)
{
	struct fake_stack f;
	char name[16] = "";
	socklen_t len = sizeof name;
	int id;

	fake_init(&f);
	id = fake_connected(&f);
	CU_ASSERT_EQUAL(mtcp_setsockopt(&f.ctx, id, IPPROTO_TCP, TCP_CONGESTION, "reno", 4), 0);
	CU_ASSERT_EQUAL(mtcp_getsockopt(&f.ctx, id, IPPROTO_TCP, TCP_CONGESTION, name, &len), 0);
	CU_ASSERT_STRING_EQUAL(name, "reno");
	FAILS_WITH(mtcp_setsockopt(&f.ctx, id, IPPROTO_TCP, TCP_CONGESTION, "none", 4), ENOENT);
	FAILS_WITH(mtcp_setsockopt(&f.ctx, id, IPPROTO_TCP, TCP_CONGESTION, "", 0), EINVAL);
	fake_fini(&f);
}

static void
test_tcp_info_is_cut_to_the_room_there_is(void)
{
	struct fake_stack f;
	struct tcp_info info;
	socklen_t len = sizeof info;
	int id;

	fake_init(&f);
	id = fake_connected(&f);
	CU_ASSERT_EQUAL(mtcp_getsockopt(&f.ctx, id, IPPROTO_TCP, TCP_INFO, &info, &len), 0);
	CU_ASSERT_EQUAL(info.tcpi_state, 1);
	CU_ASSERT_EQUAL(info.tcpi_rto, 204000);
	CU_ASSERT_EQUAL(info.tcpi_snd_mss, 1448);
	len = 12;
	CU_ASSERT_EQUAL(mtcp_getsockopt(&f.ctx, id, IPPROTO_TCP, TCP_INFO, &info, &len), 0);
	CU_ASSERT_EQUAL(len, 12);
	fake_fini(&f);
}

static void
test_what_is_unknown_or_wrong_is_refused(void)
{
	struct fake_stack f;
	int id, value = 1;
	socklen_t len = sizeof value, huge = UINT32_MAX;

	fake_init(&f);
	id = fake_connected(&f);
	f.ctx.n_complaints = CONTEXT_COMPLAINTS; /* quietly */
	FAILS_WITH(set(&f, id, SOL_SOCKET, 4711, 1), ENOPROTOOPT);
	FAILS_WITH(mtcp_getsockopt(&f.ctx, id, 4711, 1, &value, &len), ENOPROTOOPT);
	FAILS_WITH(mtcp_setsockopt(&f.ctx, id, IPPROTO_TCP, TCP_NODELAY, NULL, 4), EFAULT);
	FAILS_WITH(mtcp_setsockopt(&f.ctx, id, IPPROTO_TCP, TCP_NODELAY, &value, 3), EINVAL);
	FAILS_WITH(mtcp_getsockopt(&f.ctx, id, IPPROTO_TCP, TCP_NODELAY, NULL, &len), EFAULT);
	FAILS_WITH(mtcp_getsockopt(&f.ctx, id, IPPROTO_TCP, TCP_NODELAY, &value, NULL), EFAULT);
	FAILS_WITH(mtcp_getsockopt(&f.ctx, id, IPPROTO_TCP, TCP_NODELAY, &value, &huge), EINVAL);
	CU_ASSERT_EQUAL(mtcp_setsockopt(&f.ctx, id, IPPROTO_IP, IP_TOS, "\x08", 1), 0);
	CU_ASSERT_EQUAL(get(&f, id, IPPROTO_IP, IP_TOS), 8);
	FAILS_WITH(set(&f, 999, SOL_SOCKET, SO_KEEPALIVE, 1), EBADF);
	fake_fini(&f);
}

static void
test_an_accepted_socket_inherits(void)
{
	struct fake_stack f;
	struct linger l = { 1, 3 };
	struct timeval tv = { 4, 0 }, got;
	socklen_t len = sizeof got;
	int ls, id;

	fake_init(&f);
	ls = fake_listener(&f, 80);
	CU_ASSERT_EQUAL(set(&f, ls, IPPROTO_TCP, TCP_NODELAY, 1), 0);
	mtcp_setsockopt(&f.ctx, ls, SOL_SOCKET, SO_LINGER, &l, sizeof l);
	mtcp_setsockopt(&f.ctx, ls, SOL_SOCKET, SO_RCVTIMEO, &tv, sizeof tv);
	fake_accept(&f, ls, 1);
	id = mtcp_accept(&f.ctx, ls, NULL, NULL);
	CU_ASSERT_EQUAL(get(&f, id, IPPROTO_TCP, TCP_NODELAY), 1);
	CU_ASSERT_EQUAL(mtcp_getsockopt(&f.ctx, id, SOL_SOCKET, SO_RCVTIMEO, &got, &len), 0);
	CU_ASSERT_EQUAL(got.tv_sec, 4);
	CU_ASSERT_FALSE(f.ctx.refs[id].flags & REF_NONBLOCK); /* but not this */
	fake_fini(&f);
}

void
suite_api_sockopt(void)
{
	CU_pSuite s = CU_add_suite("api/api_sockopt", NULL, NULL);

	CU_add_test(s, "one-bit options (option: TCP_NODELAY; option: TCP_CORK; option: "
	            "TCP_QUICKACK; option: SO_KEEPALIVE; option: SO_REUSEADDR; option: "
	            "SO_REUSEPORT)",
	            test_one_bit_options);
	CU_add_test(s, "numbers are kept by the stack (option: TCP_SYNCNT; option: "
	            "TCP_USER_TIMEOUT; option: TCP_KEEPIDLE; option: TCP_KEEPINTVL; option: "
	            "TCP_KEEPCNT; option: TCP_LINGER2; option: TCP_MAXSEG; option: IP_TOS; "
	            "option: IP_TTL)",
	            test_numbers_are_kept_by_the_stack);
	CU_add_test(s, "buffers are doubled and have a least size (option: SO_SNDBUF; option: "
	            "SO_RCVBUF; Linux: buffers)",
	            test_buffers_are_doubled_and_have_a_least_size);
	CU_add_test(s, "what a socket is (option: SO_TYPE; option: SO_DOMAIN; option: "
	            "SO_ACCEPTCONN)",
	            test_what_a_socket_is);
	CU_add_test(s, "times", test_times);
	CU_add_test(s, "linger", test_linger);
	CU_add_test(s, "congestion control goes by name (option: TCP_CONGESTION)",
	            test_congestion_control_goes_by_name);
	CU_add_test(s, "TCP_INFO is cut to the room there is (option: TCP_INFO)",
	            test_tcp_info_is_cut_to_the_room_there_is);
	CU_add_test(s, "what is unknown or wrong is refused",
	            test_what_is_unknown_or_wrong_is_refused);
	CU_add_test(s, "an accepted socket inherits", test_an_accepted_socket_inherits);
}
