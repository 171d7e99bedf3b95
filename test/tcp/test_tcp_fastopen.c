/* SPDX-License-Identifier: BSD-3-Clause */
/* Cookies and keys; the handshakes stand in test/script/test_script_fastopen.c. */
#include <CUnit/CUnit.h>

#include "tcp/tcp_fastopen.h"

void suite_tcp_fastopen(void);

static const struct tcp_tuple v4 = { .local = { .b = { [10] = 0xff, 0xff, 192, 0, 2, 1 } },
	                             .remote = { .b = { [10] = 0xff, 0xff, 192, 0, 2, 2 } },
	                             .lport = 80,
	                             .rport = 40000 };

static void
keys_up(struct tcp_fastopen_keys *k, uint8_t from, size_t len)
{
	uint8_t bytes[32];

	for (size_t i = 0; i < len; i++)
		bytes[i] = (uint8_t)(from + i);
	CU_ASSERT(tcp_fastopen_set_keys(k, bytes, len));
}

/* The key's bytes and the hash's are little-endian, the addresses as they stand in the
 * packet: client, then server. */
static void
test_a_cookie_is_siphash_of_both_addresses(void)
{
	static const uint8_t addrs[8] = { 192, 0, 2, 2, 192, 0, 2, 1 };
	struct tcp_fastopen_keys k;
	struct siphash_key key = { 0x0706050403020100, 0x0f0e0d0c0b0a0908 };
	uint64_t h = siphash24(&key, addrs, sizeof addrs);
	uint8_t cookie[TCP_FASTOPEN_COOKIE];

	keys_up(&k, 0, 16);
	tcp_fastopen_cookie(&k, 0, &v4, cookie);
	for (unsigned i = 0; i < 8; i++)
		CU_ASSERT_EQUAL(cookie[i], (uint8_t)(h >> (8 * i)));
}

/* RFC 7413 4.1.2: bound to the client's address, whatever its port. */
static void
test_a_cookie_is_bound_to_addresses_and_not_to_ports(void)
{
	struct tcp_fastopen_keys k;
	struct tcp_tuple t = v4;
	uint8_t a[8], b[8];

	keys_up(&k, 0, 16);
	tcp_fastopen_cookie(&k, 0, &v4, a);
	t.rport++;
	tcp_fastopen_cookie(&k, 0, &t, b);
	CU_ASSERT_EQUAL(memcmp(a, b, 8), 0);
	t.remote.b[15]++;
	tcp_fastopen_cookie(&k, 0, &t, b);
	CU_ASSERT_NOT_EQUAL(memcmp(a, b, 8), 0);
	t = v4;
	t.local.b[15]++;
	tcp_fastopen_cookie(&k, 0, &t, b);
	CU_ASSERT_NOT_EQUAL(memcmp(a, b, 8), 0);
	memset(&t.remote, 0xfd, sizeof t.remote); /* IPv6: all sixteen count */
	tcp_fastopen_cookie(&k, 0, &t, a);
	t.remote.b[0]++;
	tcp_fastopen_cookie(&k, 0, &t, b);
	CU_ASSERT_NOT_EQUAL(memcmp(a, b, 8), 0);
}

static void
test_keys_have_16_or_32_bytes(void)
{
	struct tcp_fastopen_keys k = { .n = 0 };
	uint8_t in[33] = { 0 }, out[32];

	for (size_t len = 0; len <= sizeof in; len++)
		CU_ASSERT_EQUAL(tcp_fastopen_set_keys(&k, in, len), len == 16 || len == 32);
	keys_up(&k, 3, 32);
	CU_ASSERT_EQUAL(k.n, 2);
	CU_ASSERT_EQUAL(tcp_fastopen_get_keys(&k, out), 32);
	for (unsigned i = 0; i < 32; i++)
		CU_ASSERT_EQUAL(out[i], 3 + i);
}

/* RFC 7413 4.1.2, 4.2.2: an old key is accepted, and answered with a new cookie. */
static void
test_a_backup_key_is_accepted_and_replaced(void)
{
	struct tcp_cfg cfg = { .fastopen = FASTOPEN_SERVER };
	struct tcp_env e = { .cfg = &cfg };
	struct tcp_fastopen_keys old;
	struct tcp_seg syn = { .flags = TCP_SYN, .opts = TCP_OPT_FASTOPEN, .n_cookie = 8 };
	bool give;

	keys_up(&old, 16, 16);
	keys_up(&e.fastopen, 0, 32); /* the second half is `old` */
	tcp_fastopen_cookie(&old, 0, &v4, syn.cookie);
	CU_ASSERT(tcp_fastopen_judge(&e, &v4, &syn, &give));
	CU_ASSERT(give);
	tcp_fastopen_give(&e, &v4, &syn);
	CU_ASSERT(tcp_fastopen_judge(&e, &v4, &syn, &give));
	CU_ASSERT_FALSE(give);
	for (unsigned bit = 0; bit < 64; bit++) {
		syn.cookie[bit / 8] ^= (uint8_t)(1u << bit % 8);
		CU_ASSERT_FALSE(tcp_fastopen_judge(&e, &v4, &syn, &give));
		CU_ASSERT(give);
		syn.cookie[bit / 8] ^= (uint8_t)(1u << bit % 8);
	}
	syn.n_cookie = 6;
	CU_ASSERT_FALSE(tcp_fastopen_judge(&e, &v4, &syn, &give));
	syn.opts = 0;
	CU_ASSERT_FALSE(tcp_fastopen_judge(&e, &v4, &syn, &give));
	CU_ASSERT_FALSE(give);
	cfg.fastopen |= FASTOPEN_SERVER_NO_COOKIE; /* with neither text nor option it is a SYN */
	CU_ASSERT_FALSE(tcp_fastopen_judge(&e, &v4, &syn, &give));
	syn.len = 1;
	CU_ASSERT(tcp_fastopen_judge(&e, &v4, &syn, &give));
	syn.len = 0;
	syn.opts = TCP_OPT_FASTOPEN;
	CU_ASSERT(tcp_fastopen_judge(&e, &v4, &syn, &give));
}

static void
test_drawn_keys_follow_from_the_secret(void)
{
	struct tcp_fastopen_keys a, b;

	tcp_fastopen_draw_keys(&a, &(struct siphash_key){ 1, 2 });
	tcp_fastopen_draw_keys(&b, &(struct siphash_key){ 1, 2 });
	CU_ASSERT_EQUAL(a.n, 1);
	CU_ASSERT_EQUAL(a.key[0].k0, b.key[0].k0);
	tcp_fastopen_draw_keys(&b, &(struct siphash_key){ 1, 3 });
	CU_ASSERT_NOT_EQUAL(a.key[0].k0, b.key[0].k0);
	CU_ASSERT_NOT_EQUAL(a.key[0].k0, a.key[0].k1);
}

void
suite_tcp_fastopen(void)
{
	CU_pSuite s = CU_add_suite("tcp_fastopen", NULL, NULL);

	CU_add_test(s, "a cookie is SipHash of both addresses (Linux: TFO cookie)",
	            test_a_cookie_is_siphash_of_both_addresses);
	CU_add_test(s, "a cookie is bound to addresses and not to ports (RFC 7413 4.1.2)",
	            test_a_cookie_is_bound_to_addresses_and_not_to_ports);
	CU_add_test(s, "keys have 16 or 32 bytes", test_keys_have_16_or_32_bytes);
	CU_add_test(s, "a backup key is accepted and replaced (RFC 7413 4.1.2)",
	            test_a_backup_key_is_accepted_and_replaced);
	CU_add_test(s, "drawn keys follow from the secret",
	            test_drawn_keys_follow_from_the_secret);
}
