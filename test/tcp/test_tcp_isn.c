/* SPDX-License-Identifier: BSD-3-Clause */
/* Initial sequence numbers: a clock for one tuple, noise to everybody else. */
#include "tcp/tcp_isn.h"

#include <CUnit/CUnit.h>

void suite_tcp_isn(void);

static const struct siphash_key key = { 0x0706050403020100, 0x0f0e0d0c0b0a0908 };

static struct tcp_tuple
tuple(void)
{
	return (struct tcp_tuple){ .local = ip_addr_v4(0x0a000001),
		                   .remote = ip_addr_v4(0x0a000002),
		                   .lport = 1025,
		                   .rport = 80 };
}

static seq_t
isn_of(struct tcp_tuple t)
{
	return tcp_isn(&key, &t, SEC(5));
}

/* RFC 6528 3: M is a clock of 4 us, and nothing else changes for one tuple. */
static void
test_one_tuple_sees_a_clock_of_4_us(void)
{
	struct tcp_tuple t = tuple();
	seq_t first = tcp_isn(&key, &t, 0);

	for (int64_t at = 1; at < SEC(100000); at = at * 3 + 17) {
		seq_t isn = tcp_isn(&key, &t, at);

		CU_ASSERT_EQUAL(seq_sub(isn, first), (uint32_t)(at / US(4)));
	}
}

/* F is the hash of all that names the connection, spelled out; of IPv4 what differs. */
static void
test_the_offset_is_siphash_of_the_tuple(void)
{
	struct tcp_tuple t = tuple();
	uint8_t in[37];

	CU_ASSERT_EQUAL(tcp_isn(&key, &t, 0).v,
	                (uint32_t)siphash24(&key, "\x0a\0\0\x01\x0a\0\0\x02\x04\x01\0\x50i", 13));
	t.remote.b[0] = 0x20;
	memcpy(in, t.local.b, 16);
	memcpy(in + 16, t.remote.b, 16);
	memcpy(in + 32, "\x04\x01\x00\x50i", 5);
	CU_ASSERT_EQUAL(tcp_isn(&key, &t, 0).v, (uint32_t)siphash24(&key, in, sizeof in));
}

/* RFC 6528 3: whoever knows his own ISN knows nothing of another's. */
static void
test_every_part_of_the_name_matters(void)
{
	struct siphash_key other = { key.k0, key.k1 ^ 1 };
	struct tcp_tuple t = tuple(), u;
	seq_t isn = isn_of(t);

	u = t;
	u.lport++;
	CU_ASSERT_NOT_EQUAL(isn_of(u).v, isn.v);
	u = t;
	u.rport++;
	CU_ASSERT_NOT_EQUAL(isn_of(u).v, isn.v);
	u = t;
	u.local.b[15] ^= 4;
	CU_ASSERT_NOT_EQUAL(isn_of(u).v, isn.v);
	u = t;
	u.remote.b[0] ^= 1;
	CU_ASSERT_NOT_EQUAL(isn_of(u).v, isn.v);
	u = (struct tcp_tuple){ t.remote, t.local, t.rport, t.lport };
	CU_ASSERT_NOT_EQUAL(isn_of(u).v, isn.v);
	CU_ASSERT_NOT_EQUAL(tcp_isn(&other, &t, SEC(5)).v, isn.v);
}

/* Neighbouring ports fill the sequence space evenly. */
static void
test_neighbouring_ports_are_unrelated(void)
{
	struct tcp_tuple t = tuple();
	uint32_t seen[64] = { 0 }, near = 0;
	seq_t last = isn_of(t);

	for (uint32_t i = 0; i < 6400; i++) {
		seq_t isn;

		t.lport = (uint16_t)(1024 + i);
		isn = isn_of(t);
		seen[isn.v >> 26]++;
		near += seq_sub(isn, last) + 0x100000 < 0x200000;
		last = isn;
	}
	for (unsigned i = 0; i < array_len(seen); i++)
		CU_ASSERT(seen[i] > 50 && seen[i] < 160);
	CU_ASSERT(near < 20); /* 3 expected */
}

/* RFC 6191 compares timestamps of connections that differ in the port only. */
static void
test_timestamps_are_one_clock_for_a_pair_of_hosts(void)
{
	struct tcp_tuple t = tuple(), u = t;
	uint32_t offset = tcp_ts_offset(&key, &t);

	u.lport = 9;
	u.rport = 10;
	CU_ASSERT_EQUAL(tcp_ts_offset(&key, &u), offset);
	u.remote.b[15] ^= 1;
	CU_ASSERT_NOT_EQUAL(tcp_ts_offset(&key, &u), offset);
	u = t;
	u.local.b[15] ^= 1;
	CU_ASSERT_NOT_EQUAL(tcp_ts_offset(&key, &u), offset);
}

/* RFC 7323 5.4 has it random; tests may want to foretell it. */
static void
test_timestamps_begin_with_our_clock_by_choice(void)
{
	struct tcp_cfg cfg = { .ts_plain = false };
	struct tcp_env e = { .cfg = &cfg, .clock_key = key };
	struct tcp_tuple t = tuple();

	CU_ASSERT_EQUAL(tcp_ts_begin(&e, &t), tcp_ts_offset(&key, &t));
	cfg.ts_plain = true;
	CU_ASSERT_EQUAL(tcp_ts_begin(&e, &t), 0);
}

/* Under one key the offset of the timestamps, which the peer sees, tells nothing of F. */
static void
test_timestamps_do_not_betray_the_sequence_number(void)
{
	struct tcp_tuple t = tuple();

	t.lport = t.rport = 0;
	CU_ASSERT_NOT_EQUAL(tcp_ts_offset(&key, &t), tcp_isn(&key, &t, 0).v);
}

void
suite_tcp_isn(void)
{
	CU_pSuite s = CU_add_suite("tcp_isn", NULL, NULL);

	CU_add_test(s, "one tuple sees a clock of 4 us (RFC 9293 MUST-8; RFC 6528 3)",
	            test_one_tuple_sees_a_clock_of_4_us);
	CU_add_test(s, "the offset is SipHash of the tuple (RFC 9293 SHLD-1, MUST-9; RFC 6528 "
	            "3)",
	            test_the_offset_is_siphash_of_the_tuple);
	CU_add_test(s, "every part of the name matters", test_every_part_of_the_name_matters);
	CU_add_test(s, "neighbouring ports are unrelated (RFC 6528 3/unrelated; attack: ISN "
	            "statistics)",
	            test_neighbouring_ports_are_unrelated);
	CU_add_test(s, "timestamps are one clock for a pair of hosts (RFC 7323 7.1; Linux: "
	            "timestamps)",
	            test_timestamps_are_one_clock_for_a_pair_of_hosts);
	CU_add_test(s, "timestamps begin with our clock by choice (Linux: timestamps)",
	            test_timestamps_begin_with_our_clock_by_choice);
	CU_add_test(s, "timestamps do not betray the sequence number",
	            test_timestamps_do_not_betray_the_sequence_number);
}
