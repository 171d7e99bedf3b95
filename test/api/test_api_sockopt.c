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
		{ SOL_SOCKET, SO_KEEPALIVE, SOCK_OPT_KEEPALIVE },
		{ SOL_SOCKET, SO_REUSEADDR, SOCK_OPT_REUSEADDR },
		{ SOL_SOCKET, SO_REUSEPORT, SOCK_OPT_REUSEPORT },
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
		{ IPPROTO_TCP, TCP_USER_TIMEOUT, 5000, -1, TCP_OPTION_USER_TIMEOUT },
		{ IPPROTO_TCP, TCP_MAXSEG, 1000, 87, TCP_OPTION_MAXSEG },
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

/* As Linux bends them, and shows them after. */
static void
test_values_that_are_bent(void)
{
	static const struct {
		int level, name, set, got;
	} opt[] = {
		{ IPPROTO_TCP, TCP_LINGER2, 121, 120 },
		{ IPPROTO_TCP, TCP_LINGER2, -7, -1 },
		{ IPPROTO_IP, IP_TOS, 0x113, 0x10 }, /* ECN is not the caller's */
		{ IPPROTO_IP, IP_TTL, -1, 64 },
		{ IPPROTO_TCP, TCP_DEFER_ACCEPT, 5, 7 },
		{ IPPROTO_TCP, TCP_DEFER_ACCEPT, 1, 1 },
		{ IPPROTO_TCP, TCP_DEFER_ACCEPT, 0, 0 },
		{ IPPROTO_TCP, TCP_DEFER_ACCEPT, -1, 0 },
		{ IPPROTO_TCP, TCP_DEFER_ACCEPT, 128, 247 },
		{ IPPROTO_TCP, TCP_WINDOW_CLAMP, 1, 1152 },
		{ IPPROTO_TCP, TCP_WINDOW_CLAMP, 5000, 5000 },
		{ IPPROTO_TCP, TCP_NOTSENT_LOWAT, 16384, 16384 },
		{ IPPROTO_TCP, TCP_FASTOPEN, 100000, 4096 },
		{ IPPROTO_TCP, TCP_MAXSEG, 0, 0 },
		{ IPPROTO_TCP, TCP_QUICKACK, 0, 0 },
		{ IPPROTO_TCP, TCP_QUICKACK, 5, 1 },
	};
	struct fake_stack f;
	int id;

	fake_init(&f);
	id = mtcp_socket(&f.ctx, AF_INET, SOCK_STREAM, 0);
	CU_ASSERT_EQUAL(get(&f, id, IPPROTO_TCP, TCP_QUICKACK), 1);
	for (size_t i = 0; i < array_len(opt); i++) {
		CU_ASSERT_EQUAL(set(&f, id, opt[i].level, opt[i].name, opt[i].set), 0);
		CU_ASSERT_EQUAL(get(&f, id, opt[i].level, opt[i].name), opt[i].got);
	}
	CU_ASSERT_EQUAL(atomic_load(&f.ch.socks[id].opt_bits), SOCK_OPT_QUICKACK);
	fake_fini(&f);
}

static void
test_some_options_are_for_sockets_without_a_connection(void)
{
	struct fake_stack f;
	int id, l;

	fake_init(&f);
	id = fake_connected(&f);
	l = fake_listener(&f, 80);
	FAILS_WITH(set(&f, id, IPPROTO_TCP, TCP_FASTOPEN, 5), EINVAL);
	CU_ASSERT_EQUAL(set(&f, l, IPPROTO_TCP, TCP_FASTOPEN, 5), 0);
	FAILS_WITH(set(&f, l, IPPROTO_TCP, TCP_FASTOPEN, -1), EINVAL);
	FAILS_WITH(set(&f, id, IPPROTO_TCP, TCP_FASTOPEN_CONNECT, 1), EINVAL);
	FAILS_WITH(set(&f, l, IPPROTO_TCP, TCP_FASTOPEN_CONNECT, 1), EINVAL);
	FAILS_WITH(set(&f, id, IPPROTO_TCP, TCP_WINDOW_CLAMP, 0), EINVAL);
	CU_ASSERT_EQUAL(set(&f, l, IPPROTO_TCP, TCP_WINDOW_CLAMP, 0), 0);
	fake_fini(&f);
}

/* 32 bits or 64, whichever there is room for. */
static void
test_a_pacing_rate_has_two_sizes(void)
{
	struct fake_stack f;
	uint64_t wide = UINT64_C(5000000000), got = 0;
	socklen_t len = sizeof got;
	int id;

	fake_init(&f);
	id = fake_connected(&f);
	f.sock[id].option[TCP_OPTION_MAX_PACING_RATE] = INT64_MAX;
	CU_ASSERT_EQUAL(mtcp_getsockopt(&f.ctx, id, SOL_SOCKET, SO_MAX_PACING_RATE, &got, &len), 0);
	CU_ASSERT_EQUAL(got, UINT64_MAX);
	CU_ASSERT_EQUAL(get(&f, id, SOL_SOCKET, SO_MAX_PACING_RATE), -1);
	CU_ASSERT_EQUAL(mtcp_setsockopt(&f.ctx, id, SOL_SOCKET, SO_MAX_PACING_RATE, &wide, sizeof wide), 0);
	CU_ASSERT_EQUAL(f.sock[id].option[TCP_OPTION_MAX_PACING_RATE], 5000000000);
	CU_ASSERT_EQUAL(get(&f, id, SOL_SOCKET, SO_MAX_PACING_RATE), -1);
	CU_ASSERT_EQUAL(set(&f, id, SOL_SOCKET, SO_MAX_PACING_RATE, 1000000), 0);
	CU_ASSERT_EQUAL(mtcp_getsockopt(&f.ctx, id, SOL_SOCKET, SO_MAX_PACING_RATE, &got, &len), 0);
	CU_ASSERT_EQUAL(got, 1000000);
	CU_ASSERT_EQUAL(set(&f, id, SOL_SOCKET, SO_MAX_PACING_RATE, -1), 0);
	CU_ASSERT_EQUAL(f.sock[id].option[TCP_OPTION_MAX_PACING_RATE], INT64_MAX);
	fake_fini(&f);
}

static void
test_the_key_of_fast_open(void)
{
	struct fake_stack f;
	uint8_t key[32], got[32];
	socklen_t len = sizeof got;
	int id;

	fake_init(&f);
	id = mtcp_socket(&f.ctx, AF_INET, SOCK_STREAM, 0);
	memset(key, 7, sizeof key);
	FAILS_WITH(mtcp_setsockopt(&f.ctx, id, IPPROTO_TCP, TCP_FASTOPEN_KEY, key, 15), EINVAL);
	FAILS_WITH(mtcp_setsockopt(&f.ctx, id, IPPROTO_TCP, TCP_FASTOPEN_KEY, NULL, 16), EFAULT);
	CU_ASSERT_EQUAL(mtcp_setsockopt(&f.ctx, id, IPPROTO_TCP, TCP_FASTOPEN_KEY, key, 16), 0);
	CU_ASSERT_EQUAL(mtcp_getsockopt(&f.ctx, id, IPPROTO_TCP, TCP_FASTOPEN_KEY, got, &len), 0);
	CU_ASSERT_EQUAL(len, 16);
	CU_ASSERT_EQUAL(memcmp(key, got, 16), 0);
	fake_fini(&f);
}

static void
test_memory_is_what_the_streams_hold(void)
{
	struct fake_stack f;
	uint32_t mem[9];
	socklen_t len = sizeof mem;
	int id;

	fake_init(&f);
	id = fake_connected(&f);
	fake_receive(&f, id, "abc", 3);
	CU_ASSERT_EQUAL(mtcp_write(&f.ctx, id, "wxyz", 4), 4);
	CU_ASSERT_EQUAL(set(&f, id, SOL_SOCKET, SO_RCVBUF, 5000), 0);
	CU_ASSERT_EQUAL(mtcp_getsockopt(&f.ctx, id, SOL_SOCKET, SO_MEMINFO, mem, &len), 0);
	CU_ASSERT_EQUAL(len, 36);
	CU_ASSERT_EQUAL(mem[0], 3);
	CU_ASSERT_EQUAL(mem[1], 10000);
	CU_ASSERT_EQUAL(mem[5], 4);
	len = 4;
	CU_ASSERT_EQUAL(mtcp_getsockopt(&f.ctx, id, SOL_SOCKET, SO_MEMINFO, mem, &len), 0);
	CU_ASSERT_EQUAL(len, 4);
	len = 8;
	CU_ASSERT_EQUAL(mtcp_getsockopt(&f.ctx, id, IPPROTO_TCP, TCP_CC_INFO, mem, &len), 0);
	CU_ASSERT_EQUAL(len, 0); /* this algorithm has nothing to tell */
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
	FAILS_WITH(mtcp_getsockopt(&f.ctx, id, SOL_SOCKET, 4711, &value, &len), ENOPROTOOPT);
	FAILS_WITH(mtcp_getsockopt(&f.ctx, id, 4711, 1, &value, &len), EOPNOTSUPP);
	FAILS_WITH(set(&f, id, 4711, 1, 1), ENOPROTOOPT);
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
	CU_ASSERT_FALSE(ref_at(&f.ctx, (uint32_t)id)->flags & REF_NONBLOCK); /* but not this */
	fake_fini(&f);
}

void
suite_api_sockopt(void)
{
	CU_pSuite s = CU_add_suite("api/api_sockopt", NULL, NULL);

	CU_add_test(s, "one-bit options (option: TCP_NODELAY; option: TCP_CORK; option: "
	            "SO_KEEPALIVE; option: SO_REUSEADDR; option: SO_REUSEPORT)",
	            test_one_bit_options);
	CU_add_test(s, "numbers are kept by the stack (option: TCP_SYNCNT; option: "
	            "TCP_USER_TIMEOUT; option: TCP_KEEPIDLE; option: TCP_KEEPINTVL; option: "
	            "TCP_KEEPCNT; option: TCP_MAXSEG; option: IP_TTL)",
	            test_numbers_are_kept_by_the_stack);
	CU_add_test(s, "values that are bent (option: TCP_LINGER2; option: IP_TOS; option: "
	            "TCP_DEFER_ACCEPT; option: TCP_WINDOW_CLAMP; option: TCP_NOTSENT_LOWAT; "
	            "option: TCP_QUICKACK)",
	            test_values_that_are_bent);
	CU_add_test(s, "some options are for sockets without a connection (option: TCP_FASTOPEN; "
	            "option: TCP_FASTOPEN_CONNECT)",
	            test_some_options_are_for_sockets_without_a_connection);
	CU_add_test(s, "a pacing rate has two sizes (option: SO_MAX_PACING_RATE)",
	            test_a_pacing_rate_has_two_sizes);
	CU_add_test(s, "the key of Fast Open (option: TCP_FASTOPEN_KEY)",
	            test_the_key_of_fast_open);
	CU_add_test(s, "memory is what the streams hold (option: SO_MEMINFO; option: TCP_CC_INFO)",
	            test_memory_is_what_the_streams_hold);
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
