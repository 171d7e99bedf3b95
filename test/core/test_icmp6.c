/* SPDX-License-Identifier: BSD-3-Clause */
/* Decisions about single messages: what is answered, believed and complained of. */
#include "core/icmp6.h"

#include "test/wire/hex.h"
#include "wire/tcp_wire.h"

void suite_icmp6(void);

#define TEXT "ping of six"

struct echo {
	struct ip6_hdr h;
	struct icmp_rate rate;
	uint8_t p[ICMP6_LEN + sizeof TEXT - 1];
	uint8_t out[2048];
};

static struct ip_addr
host(uint8_t n)
{
	return (struct ip_addr){ { 0x20, 1, 0xd, 0xb8, [15] = n } };
}

static struct echo
echo_request(void)
{
	struct echo e = { .h = { .src = host(1), .dst = host(2), .hdr_len = IP6_LEN, .tclass = 0xb9,
		                 .hop_limit = 3, .proto = IP_PROTO_ICMP6,
		                 .total_len = IP6_LEN + sizeof e.p } };
	struct icmp6_msg m = { .type = ICMP6_ECHO_REQUEST, .rest = 0x12340005,
		               .len = sizeof TEXT - 1 };

	memcpy(e.p + ICMP6_LEN, TEXT, m.len);
	wire_icmp6_build(e.p, &e.h.src, &e.h.dst, &m);
	icmp_rate_init(&e.rate, 0, 1, 0);
	return e;
}

static uint32_t
answer(struct echo *e)
{
	return icmp6_echo_reply(&e->rate, &e->h, e->p, sizeof e->p, 0, e->out, sizeof e->out);
}

static void
test_an_echo_request_is_answered(void)
{
	struct echo e = echo_request();
	uint32_t len = answer(&e);
	struct ip6_problem problem;
	struct icmp6_msg m;
	struct ip6_hdr h;

	CU_ASSERT_EQUAL(len, IP6_LEN + sizeof e.p);
	CU_ASSERT_EQUAL_FATAL(wire_ip6_parse(e.out, len, &h, &problem), WIRE_IP6_OK);
	CU_ASSERT(ip_addr_eq(&h.src, &e.h.dst) && ip_addr_eq(&h.dst, &e.h.src));
	CU_ASSERT(h.hop_limit == ICMP_TTL && h.total_len == len);
	CU_ASSERT_EQUAL(h.tclass, 0xb8); /* the service class, not the congestion mark */
	CU_ASSERT_FATAL(wire_icmp6_parse(e.out + IP6_LEN, len - IP6_LEN, &h.src, &h.dst, &m));
	CU_ASSERT(m.type == ICMP6_ECHO_REPLY && m.rest == 0x12340005);
	CU_ASSERT_EQUAL(memcmp(m.payload, TEXT, m.len), 0);
}

static void
test_nothing_but_single_hosts_is_answered(void)
{
	struct ip_addr not_one[] = { IP_ANY, { { [15] = 1 } }, ip6_all_nodes(), ip_addr_v4(1) };

	for (size_t i = 0; i < array_len(not_one); i++) {
		struct echo e = echo_request();
		struct icmp6_msg m = { .type = ICMP6_ECHO_REQUEST, .len = sizeof TEXT - 1 };

		e.h.src = not_one[i];
		wire_icmp6_build(e.p, &e.h.src, &e.h.dst, &m);
		CU_ASSERT_EQUAL(answer(&e), 0);
		e = echo_request();
		e.h.dst = not_one[i];
		wire_icmp6_build(e.p, &e.h.src, &e.h.dst, &m);
		CU_ASSERT_EQUAL(answer(&e), 0);
	}
}

static void
test_a_damaged_request_is_not_answered(void)
{
	struct echo e = echo_request();

	for (size_t i = 0; i < sizeof e.p; i++) {
		e.p[i] ^= 0x20;
		CU_ASSERT_EQUAL(answer(&e), 0);
		e.p[i] ^= 0x20;
	}
	e.h.mf = true;
	CU_ASSERT_EQUAL(answer(&e), 0);
	e.h.mf = false;
	CU_ASSERT_NOT_EQUAL(answer(&e), 0);
	CU_ASSERT_EQUAL(icmp6_echo_reply(&e.rate, &e.h, e.p, sizeof e.p, 0, e.out, 40), 0);
}

static void
test_answers_have_a_rate(void)
{
	struct echo e = echo_request();

	icmp_rate_init(&e.rate, 1, 2, 0);
	CU_ASSERT(answer(&e) && answer(&e) && !answer(&e));
}

/* -- Errors of others ------------------------------------------------------------------ */

/* A SYN from 2001:db8::1 port 43468 to ::2 port 9, quoted. */
#define QUOTE "600998d400280640" "20010db8000000000000000000000001" \
	"20010db8000000000000000000000002" "a9cc00096c972e20"

static bool
told(uint8_t type, uint8_t code, uint32_t rest, const char *quote, struct icmp_error *e)
{
	struct bytes b = hex(quote);
	uint8_t *copy = exact_copy(b.b, b.len);
	struct icmp6_msg m = { type, code, rest, copy, to_u32(b.len) };
	bool ok = icmp6_error_parse(&m, e);

	free(copy);
	return ok;
}

static void
expect_told(uint8_t type, uint8_t code, uint8_t as_type, uint8_t as_code)
{
	struct icmp_error e;

	CU_ASSERT(told(type, code, 0, QUOTE, &e));
	CU_ASSERT(e.type == as_type && e.code == as_code);
}

static void
test_an_error_tells_segment_and_mtu(void)
{
	struct ip_addr one = host(1), two = host(2);
	struct icmp_error e;

	CU_ASSERT_FATAL(told(ICMP6_TOO_BIG, 0, 1300, QUOTE, &e));
	CU_ASSERT(e.type == ICMP4_UNREACHABLE && e.code == ICMP4_CODE_FRAG_NEEDED);
	CU_ASSERT_EQUAL(e.mtu, 1300);
	CU_ASSERT(ip_addr_eq(&e.src, &one) && ip_addr_eq(&e.dst, &two));
	CU_ASSERT(e.sport == 43468 && e.dport == 9 && e.seq.v == 0x6c972e20);
	CU_ASSERT(told(ICMP6_TOO_BIG, 0, 70000, QUOTE, &e) && e.mtu == UINT16_MAX);
}

static void
test_errors_are_told_in_words_of_ipv4(void)
{
	struct icmp_error e;

	expect_told(ICMP6_UNREACHABLE, 0, ICMP4_UNREACHABLE, 0);
	expect_told(ICMP6_UNREACHABLE, 1, ICMP4_UNREACHABLE, 1);
	expect_told(ICMP6_UNREACHABLE, 3, ICMP4_UNREACHABLE, 1);
	expect_told(ICMP6_UNREACHABLE, 4, ICMP4_UNREACHABLE, 3);
	expect_told(ICMP6_TIME_EXCEEDED, 0, ICMP4_TIME_EXCEEDED, 0);
	expect_told(ICMP6_PARAM_PROBLEM, 1, ICMP4_UNREACHABLE, 2);
	expect_told(ICMP6_PARAM_PROBLEM, 0, ICMP4_PARAM_PROBLEM, 0);
	CU_ASSERT_FALSE(told(ICMP6_ECHO_REPLY, 0, 0, QUOTE, &e));
	CU_ASSERT_FALSE(told(5, 0, 0, QUOTE, &e));
}

static void
test_a_quote_has_to_hold_ports(void)
{
	struct icmp_error e;

	CU_ASSERT_FALSE(told(1, 0, 0, "", &e));
	CU_ASSERT_FALSE(told(1, 0, 0, "600998d400280640"
	                              "20010db800000000000000000000000120010db8000000000000000000000002"
	                              "a9cc00096c972e", &e));
	CU_ASSERT_FALSE(told(1, 0, 0, "600998d400288440"
	                              "20010db800000000000000000000000120010db8000000000000000000000002"
	                              "a9cc00096c972e20", &e));
	CU_ASSERT_FALSE(told(1, 0, 0, "600998d400282c40"
	                              "20010db800000000000000000000000120010db8000000000000000000000002"
	                              "0600000900000001" "a9cc00096c972e20", &e));
}

/* -- Errors of ours -------------------------------------------------------------------- */

static const struct icmp6_complaint next_header = { ICMP6_PARAM_PROBLEM, ICMP6_CODE_NEXT_HEADER, 6,
	                                            false };

static uint32_t
complain(struct echo *e, const struct icmp6_complaint *c)
{
	static uint8_t packet[1500];
	struct ip_addr ours = host(2);

	e->h.total_len = sizeof packet;
	wire_ip6_build(packet, &e->h);
	packet[IP6_LEN] = ICMP6_ECHO_REQUEST;
	return icmp6_error(&e->rate, &e->h, packet, sizeof packet, &ours, c, 0, e->out,
	                   sizeof e->out);
}

static void
test_an_error_quotes_what_fits(void)
{
	struct echo e = echo_request();
	struct ip6_problem problem;
	struct icmp6_msg m;
	struct ip6_hdr h;

	e.h.proto = 99;
	CU_ASSERT_EQUAL(complain(&e, &next_header), IP6_MTU_MIN);
	CU_ASSERT_EQUAL_FATAL(wire_ip6_parse(e.out, IP6_MTU_MIN, &h, &problem), WIRE_IP6_OK);
	CU_ASSERT_FATAL(wire_icmp6_parse(e.out + IP6_LEN, IP6_MTU_MIN - IP6_LEN, &h.src, &h.dst,
	                                 &m));
	CU_ASSERT(m.type == ICMP6_PARAM_PROBLEM && m.code == 1 && m.rest == 6);
	CU_ASSERT(ip_addr_eq(&h.dst, &e.h.src) && h.src.b[15] == 2);
	CU_ASSERT(m.payload[6] == 99 && m.len == IP6_MTU_MIN - IP6_LEN - ICMP6_LEN);
}

static void
test_no_error_is_sent_that_could_loop_or_multiply(void)
{
	struct icmp6_complaint to_group = next_header;
	struct echo e = echo_request();

	to_group.to_group = true;
	CU_ASSERT_NOT_EQUAL(complain(&e, &next_header), 0); /* about an echo request */
	e.h.src = IP_ANY;
	CU_ASSERT_EQUAL(complain(&e, &next_header), 0);
	e.h.src = ip6_all_nodes();
	CU_ASSERT_EQUAL(complain(&e, &next_header), 0);
	e.h.src = host(1);
	e.h.dst = ip6_all_nodes();
	CU_ASSERT_EQUAL(complain(&e, &next_header), 0);
	CU_ASSERT_NOT_EQUAL(complain(&e, &to_group), 0);
	icmp_rate_init(&e.rate, 1, 1, 0);
	CU_ASSERT_NOT_EQUAL(complain(&e, &to_group), 0);
	CU_ASSERT_EQUAL(complain(&e, &to_group), 0);
}

static void
test_no_error_is_sent_about_an_error(void)
{
	struct ip_addr ours = host(2);
	struct echo e = echo_request();

	for (unsigned type = 0; type < 256; type++) {
		uint8_t packet[IP6_LEN + ICMP6_LEN] = { 0 };
		bool error = type < 128 || type == 137;

		packet[IP6_LEN] = (uint8_t)type;
		CU_ASSERT_EQUAL(icmp6_error(&e.rate, &e.h, packet, sizeof packet, &ours, &next_header,
		                            0, e.out, sizeof e.out) == 0, error);
		CU_ASSERT_EQUAL(icmp6_error(&e.rate, &e.h, packet, IP6_LEN, &ours, &next_header, 0,
		                            e.out, sizeof e.out), 0); /* nobody knows */
	}
}

void
suite_icmp6(void)
{
	CU_pSuite s = CU_add_suite("icmp6", NULL, NULL);

	CU_add_test(s, "an echo request of IPv6 is answered (RFC 4443 4.2)", test_an_echo_request_is_answered);
	CU_add_test(s, "of IPv6 nothing but single hosts is answered",
	            test_nothing_but_single_hosts_is_answered);
	CU_add_test(s, "a damaged request of IPv6 is not answered",
	            test_a_damaged_request_is_not_answered);
	CU_add_test(s, "answers of IPv6 have a rate", test_answers_have_a_rate);
	CU_add_test(s, "an error of IPv6 tells segment and MTU",
	            test_an_error_tells_segment_and_mtu);
	CU_add_test(s, "errors are told in words of IPv4 (RFC 4443 3)", test_errors_are_told_in_words_of_ipv4);
	CU_add_test(s, "a quote of IPv6 has to hold ports", test_a_quote_has_to_hold_ports);
	CU_add_test(s, "an error quotes what fits 1280 bytes (RFC 4443 2.4/c)", test_an_error_quotes_what_fits);
	CU_add_test(s, "no error of IPv6 is sent that could loop or multiply (RFC 4443 2.4/e, 2.4/f)",
	            test_no_error_is_sent_that_could_loop_or_multiply);
	CU_add_test(s, "no error of IPv6 is sent about an error (RFC 4443 2.4/e)",
	            test_no_error_is_sent_about_an_error);
}
