/* SPDX-License-Identifier: BSD-3-Clause */
/* Echo requests that are answered and those that must not be; what errors say of segments. */
#include "core/icmp.h"

#include "test/wire/hex.h"
#include "wire/tcp_wire.h"

void suite_icmp(void);

#define US_IP   0xc0000201u /* 192.0.2.1     */
#define THEM_IP 0xc633644du /* 198.51.100.77 */
#define TEXT    "ping odd!"

struct echo {
	struct ip4_hdr h;
	uint8_t p[ICMP4_LEN + sizeof TEXT - 1];
	struct icmp_rate rate;
	uint8_t out[128];
};

static struct echo
echo_request(void)
{
	struct echo e = { .h = { .src = ip_addr_v4(THEM_IP),
		                 .dst = ip_addr_v4(US_IP),
		                 .hdr_len = IP4_LEN,
		                 .tos = 0xb9,
		                 .ttl = 3,
		                 .proto = IP_PROTO_ICMP,
		                 .total_len = IP4_LEN + sizeof e.p } };
	struct icmp4_msg m = { .type = ICMP4_ECHO_REQUEST, .rest = 0x12340005 };

	m.len = sizeof TEXT - 1;
	memcpy(e.p + ICMP4_LEN, TEXT, m.len);
	wire_icmp4_build(e.p, &m);
	icmp_rate_init(&e.rate, 0, 1, 0);
	return e;
}

static uint32_t
answer(struct echo *e, int64_t now)
{
	return icmp4_echo_reply(&e->rate, &e->h, e->p, sizeof e->p, now, e->out, sizeof e->out);
}

static void
test_an_echo_request_is_answered(void)
{
	struct echo e = echo_request();
	uint32_t len = answer(&e, 0);
	struct ip4_hdr h;
	struct icmp4_msg m;

	CU_ASSERT_EQUAL(len, IP4_LEN + sizeof e.p);
	CU_ASSERT_EQUAL_FATAL(wire_ip4_parse(e.out, len, true, &h), WIRE_IP_OK);
	CU_ASSERT(ip_addr_eq(&h.src, &e.h.dst) && ip_addr_eq(&h.dst, &e.h.src));
	CU_ASSERT(h.ttl == ICMP_TTL && h.proto == IP_PROTO_ICMP && h.total_len == len);
	CU_ASSERT_EQUAL(h.tos, 0xb8); /* the service class, not the congestion mark */
	CU_ASSERT_FATAL(wire_icmp4_parse(e.out + IP4_LEN, len - IP4_LEN, &m));
	CU_ASSERT(m.type == ICMP4_ECHO_REPLY && m.code == 0 && m.rest == 0x12340005);
	CU_ASSERT_EQUAL(m.len, sizeof TEXT - 1);
	CU_ASSERT_EQUAL(memcmp(m.payload, TEXT, m.len), 0);
}

/* RFC 1122 3.2.2.6 lets a host ignore them, and an amplifier would not. */
static void
test_nothing_but_single_hosts_is_answered(void)
{
	static const uint32_t not_one[] = { 0,          0x00000001, 0x7f000001, 0xe0000001,
		                            0xefffffff, 0xf0000001, 0xffffffff };

	for (size_t i = 0; i < array_len(not_one); i++) {
		struct echo e = echo_request();

		e.h.src = ip_addr_v4(not_one[i]);
		CU_ASSERT_EQUAL(answer(&e, 0), 0);
		e = echo_request();
		e.h.dst = ip_addr_v4(not_one[i]);
		CU_ASSERT_EQUAL(answer(&e, 0), 0);
	}
}

static void
test_a_damaged_request_is_not_answered(void)
{
	struct echo e = echo_request();

	for (size_t i = 0; i < sizeof e.p; i++) {
		e.p[i] ^= 0x20;
		CU_ASSERT_EQUAL(answer(&e, 0), 0);
		e.p[i] ^= 0x20;
	}
	CU_ASSERT_EQUAL(icmp4_echo_reply(&e.rate, &e.h, e.p, 7, 0, e.out, sizeof e.out), 0);
	CU_ASSERT_NOT_EQUAL(answer(&e, 0), 0);
}

static void
test_other_messages_are_not_answered(void)
{
	for (unsigned type = 0; type < 256; type++) {
		struct echo e = echo_request();
		struct icmp4_msg m = { .type = (uint8_t)type, .len = sizeof TEXT - 1 };

		wire_icmp4_build(e.p, &m);
		CU_ASSERT_EQUAL(answer(&e, 0) != 0, type == ICMP4_ECHO_REQUEST);
	}
}

static void
test_fragments_are_not_answered(void)
{
	struct echo e = echo_request();

	e.h.mf = true;
	CU_ASSERT_EQUAL(answer(&e, 0), 0);
	e.h.mf = false;
	e.h.frag_off = 8;
	CU_ASSERT_EQUAL(answer(&e, 0), 0);
}

static void
test_a_reply_that_does_not_fit_is_not_begun(void)
{
	struct echo e = echo_request();
	size_t need = IP4_LEN + sizeof e.p;

	for (size_t room = 0; room <= need; room++) {
		uint8_t *out = malloc(room ? room : 1);

		CU_ASSERT_EQUAL(icmp4_echo_reply(&e.rate, &e.h, e.p, sizeof e.p, 0, out, room),
		                room < need ? 0 : need);
		free(out);
	}
}

/* -- Rate ---------------------------------------------------------------------------- */

static unsigned
answers_at(struct echo *e, int64_t now, unsigned requests)
{
	unsigned n = 0;

	while (requests--)
		n += answer(e, now) != 0;
	return n;
}

static void
test_replies_are_limited_to_a_rate(void)
{
	struct echo e = echo_request();

	icmp_rate_init(&e.rate, 10, 5, SEC(100));
	CU_ASSERT_EQUAL(answers_at(&e, SEC(100), 20), 5);
	CU_ASSERT_EQUAL(answers_at(&e, SEC(100) + MS(99), 20), 0);
	CU_ASSERT_EQUAL(answers_at(&e, SEC(100) + MS(100), 20), 1);
	CU_ASSERT_EQUAL(answers_at(&e, SEC(100) + MS(350), 20), 2);
	CU_ASSERT_EQUAL(answers_at(&e, SEC(100) + MS(400), 20), 1);
	CU_ASSERT_EQUAL(answers_at(&e, SEC(900), 20), 5);
}

static void
test_what_is_not_answered_uses_up_nothing(void)
{
	struct echo e = echo_request();

	icmp_rate_init(&e.rate, 1, 1, 0);
	e.p[9] ^= 1;
	CU_ASSERT_EQUAL(answers_at(&e, 0, 20), 0);
	e.p[9] ^= 1;
	CU_ASSERT_EQUAL(answers_at(&e, 0, 20), 1);
}

static void
test_a_rate_of_0_is_no_limit(void)
{
	struct icmp_rate r;

	icmp_rate_init(&r, 0, 1, 0);
	for (int i = 0; i < 1000; i++)
		CU_ASSERT(icmp_rate_take(&r, 0));
}

/* -- Errors ---------------------------------------------------------------------------- */

/* As a router sent it: fragmentation needed, next hop 1400, 40 bytes quoted to 28. */
#define FRAG_NEEDED "0304035800000578 45000028000740003c065247c0000201c633644d 9c40005089abcdef"

/* An error of that type about a packet of `total_len` bytes. */
static bool
parse_as(uint8_t type, uint8_t code, uint16_t mtu, uint16_t total_len, struct icmp_error *e)
{
	struct bytes b = hex(FRAG_NEEDED);
	struct icmp4_msg m = { type, code, mtu, b.b + ICMP4_LEN, (uint32_t)b.len - ICMP4_LEN };

	put_be16(b.b + ICMP4_LEN + 2, total_len);
	return icmp4_error_parse(&m, e);
}

static void
test_an_error_tells_segment_and_mtu(void)
{
	struct bytes b = hex(FRAG_NEEDED);
	struct icmp4_msg m;
	struct icmp_error e;

	CU_ASSERT_FATAL(wire_icmp4_parse(b.b, b.len, &m));
	CU_ASSERT_FATAL(icmp4_error_parse(&m, &e));
	CU_ASSERT(e.type == ICMP4_UNREACHABLE && e.code == ICMP4_CODE_FRAG_NEEDED);
	CU_ASSERT_EQUAL(e.mtu, 1400);
	CU_ASSERT_EQUAL(ip_addr_v4_host(&e.src), US_IP);
	CU_ASSERT_EQUAL(ip_addr_v4_host(&e.dst), THEM_IP);
	CU_ASSERT(e.sport == 40000 && e.dport == 80 && e.seq.v == 0x89abcdef);
}

static void
test_only_errors_are_errors(void)
{
	struct icmp_error e;

	CU_ASSERT(parse_as(ICMP4_UNREACHABLE, 1, 0, 40, &e));
	CU_ASSERT_EQUAL(e.mtu, 0);
	CU_ASSERT(parse_as(ICMP4_TIME_EXCEEDED, 0, 0, 40, &e));
	CU_ASSERT(parse_as(ICMP4_PARAM_PROBLEM, 4, 9, 40, &e)); /* code 4 of another type */
	CU_ASSERT_EQUAL(e.mtu, 0);
	CU_ASSERT_FALSE(parse_as(ICMP4_SOURCE_QUENCH, 0, 0, 40, &e)); /* RFC 6633 */
	CU_ASSERT_FALSE(parse_as(ICMP4_ECHO_REQUEST, 0, 0, 40, &e));
	CU_ASSERT_FALSE(parse_as(5, 0, 0, 40, &e));
}

/* RFC 1191 7: an MTU of 0 is an old router. */
static void
test_a_missing_mtu_is_the_next_plateau(void)
{
	static const struct {
		uint16_t len, mtu;
	} step[] = { { 65535, 32000 }, { 1500, 1492 }, { 1492, 1006 }, { 1006, 508 },
		     { 297, 296 },     { 296, 68 },    { 68, 68 } };
	struct icmp_error e;

	for (size_t i = 0; i < array_len(step); i++) {
		CU_ASSERT_FATAL(parse_as(ICMP4_UNREACHABLE, 4, 0, step[i].len, &e));
		CU_ASSERT_EQUAL(e.mtu, step[i].mtu);
	}
	CU_ASSERT(parse_as(ICMP4_UNREACHABLE, 4, 1, 1500, &e));
	CU_ASSERT_EQUAL(e.mtu, 68);
}

static void
test_cut_quotes_are_refused(void)
{
	struct bytes b = hex(FRAG_NEEDED);

	for (size_t len = 0; len <= 28; len++) {
		uint8_t *p = exact_copy(b.b + ICMP4_LEN, len);
		struct icmp4_msg m = { ICMP4_UNREACHABLE, 4, 1400, p, (uint32_t)len };
		struct icmp_error e;

		CU_ASSERT_EQUAL(icmp4_error_parse(&m, &e), len == 28);
		free(p);
	}
}

static void
test_quotes_of_other_protocols_and_fragments_are_refused(void)
{
	struct bytes b = hex(FRAG_NEEDED);
	uint8_t *q = b.b + ICMP4_LEN;
	struct icmp4_msg m = { ICMP4_UNREACHABLE, 4, 1400, q, (uint32_t)b.len - ICMP4_LEN };
	struct icmp_error e;

	q[9] = IP_PROTO_UDP;
	CU_ASSERT(icmp4_error_parse(&m, &e) && e.proto == IP_PROTO_UDP);
	q[9] = 132;
	CU_ASSERT_FALSE(icmp4_error_parse(&m, &e));
	q[9] = IP_PROTO_TCP;
	q[7] = 1; /* behind the first fragment there are no ports */
	CU_ASSERT_FALSE(icmp4_error_parse(&m, &e));
	q[7] = 0;
	q[0] = 0x65;
	CU_ASSERT_FALSE(icmp4_error_parse(&m, &e));
	q[0] = 0x4f; /* a header longer than the quote */
	CU_ASSERT_FALSE(icmp4_error_parse(&m, &e));
	q[0] = 0x45;
	CU_ASSERT(icmp4_error_parse(&m, &e));
}

void
suite_icmp(void)
{
	CU_pSuite s = CU_add_suite("icmp", NULL, NULL);

	CU_add_test(s, "an echo request is answered", test_an_echo_request_is_answered);
	CU_add_test(s, "nothing but single hosts is answered",
	            test_nothing_but_single_hosts_is_answered);
	CU_add_test(s, "a damaged request is not answered",
	            test_a_damaged_request_is_not_answered);
	CU_add_test(s, "other messages are not answered", test_other_messages_are_not_answered);
	CU_add_test(s, "fragments are not answered", test_fragments_are_not_answered);
	CU_add_test(s, "a reply that does not fit is not begun",
	            test_a_reply_that_does_not_fit_is_not_begun);
	CU_add_test(s, "replies are limited to a rate", test_replies_are_limited_to_a_rate);
	CU_add_test(s, "what is not answered uses up nothing",
	            test_what_is_not_answered_uses_up_nothing);
	CU_add_test(s, "a rate of 0 is no limit", test_a_rate_of_0_is_no_limit);
	CU_add_test(s, "an error tells segment and MTU", test_an_error_tells_segment_and_mtu);
	CU_add_test(s, "only errors are errors (RFC 9293 MUST-55; RFC 6633 3; attack: forged "
	            "source quench)",
	            test_only_errors_are_errors);
	CU_add_test(s, "a missing MTU is the next plateau (RFC 1191 7.1)",
	            test_a_missing_mtu_is_the_next_plateau);
	CU_add_test(s, "cut quotes are refused", test_cut_quotes_are_refused);
	CU_add_test(s, "quotes of other protocols and of fragments are refused",
	            test_quotes_of_other_protocols_and_fragments_are_refused);
}
