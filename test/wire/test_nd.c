/* SPDX-License-Identifier: BSD-3-Clause */
/* Neighbour discovery as another implementation writes it, and every rule that makes it void. */
#include "wire/nd.h"

#include "test/wire/hex.h"

void suite_nd(void);

#define A       "20010db8000000000000000000000001"
#define B       "20010db8000000000000000000000002"
#define SOLICIT "6000000000203aff" A "ff0200000000000000000001ff000002" \
	"87001c2700000000" B "0101020000000001"
#define ADVERT  "6000000000203aff" B A "88008a7160000000" B "0201020000000002"
#define PROBE   "6000000000203aff" "00000000000000000000000000000000" \
	"ff0200000000000000000001ff000002" "87003c8600000000" B "0e014013cbdef669"

struct msg {
	struct bytes b;
	struct ip6_hdr h;
	struct icmp6_msg m;
};

static struct msg
message(const char *capture)
{
	struct msg k = { .b = hex(capture) };
	struct ip6_problem problem;

	CU_ASSERT_EQUAL_FATAL(wire_ip6_parse(k.b.b, k.b.len, &k.h, &problem), WIRE_IP6_OK);
	CU_ASSERT_FATAL(wire_icmp6_parse(k.b.b + IP6_LEN, k.b.len - IP6_LEN, &k.h.src, &k.h.dst,
	                                 &k.m));
	return k;
}

/* With its payload in memory that ends where it ends. */
static bool
parses(const struct msg *k, struct nd_neigh *n)
{
	uint8_t *copy = exact_copy(k->b.b + IP6_LEN + ICMP6_LEN, k->m.len);
	struct icmp6_msg m = k->m;
	bool ok;

	m.payload = copy;
	ok = wire_nd_parse(&k->h, &m, n);
	free(copy);
	return ok;
}

static void
rebuilds(const char *capture, const struct msg *k, const struct nd_neigh *n)
{
	struct bytes want = { .len = k->b.len - IP6_LEN };
	uint8_t out[ND_LEN_MAX];

	memcpy(want.b, k->b.b + IP6_LEN, want.len);
	check_bytes(capture, out, wire_nd_build(out, &k->h.src, &k->h.dst, n), &want);
}

static void
test_captures_are_understood_and_built(void)
{
	struct msg k = message(SOLICIT);
	struct nd_neigh n;

	CU_ASSERT_FATAL(parses(&k, &n));
	CU_ASSERT(!n.advert && n.has_mac && n.mac.b[0] == 2 && n.mac.b[5] == 1);
	CU_ASSERT(ip_addr_eq(&n.target, &(struct ip_addr){ { 0x20, 1, 0xd, 0xb8, [15] = 2 } }));
	rebuilds(SOLICIT, &k, &n);

	k = message(ADVERT);
	CU_ASSERT_FATAL(parses(&k, &n));
	CU_ASSERT(n.advert && n.has_mac && n.mac.b[5] == 2);
	CU_ASSERT(n.solicited && n.override && !n.router);
	rebuilds(ADVERT, &k, &n);

	k = message(PROBE); /* a nonce (RFC 7527) is an option that we do not know */
	CU_ASSERT_FATAL(parses(&k, &n));
	CU_ASSERT(!n.advert && !n.has_mac);
}

static void
test_what_comes_from_afar_is_void(void)
{
	struct msg k = message(SOLICIT);
	struct nd_neigh n;

	k.h.hop_limit = 254;
	CU_ASSERT_FALSE(parses(&k, &n));
	k.h.hop_limit = 255;
	k.m.code = 1;
	CU_ASSERT_FALSE(parses(&k, &n));
	k = message(SOLICIT);
	for (uint32_t len = k.m.len; k.m.len > 0; k.m.len--) /* 16: no option at all */
		CU_ASSERT_EQUAL(parses(&k, &n), k.m.len == len || k.m.len == 16);
}

static void
test_options_of_no_length_are_void(void)
{
	struct msg k = message(ADVERT);
	struct nd_neigh n;

	for (unsigned len = 0; len < 256; len++) {
		k.b.b[IP6_LEN + ICMP6_LEN + 17] = (uint8_t)len;
		CU_ASSERT_EQUAL(parses(&k, &n), len == 1);
	}
}

static void
test_a_probe_comes_from_nobody_to_the_group(void)
{
	struct msg k = message(PROBE);
	struct nd_neigh n;

	k.h.dst = (struct ip_addr){ { 0x20, 1, 0xd, 0xb8, [15] = 2 } };
	CU_ASSERT_FALSE(parses(&k, &n));
	k = message(SOLICIT);
	k.h.src = IP_ANY; /* with a link address */
	CU_ASSERT_FALSE(parses(&k, &n));
}

static void
test_groups_are_no_targets(void)
{
	struct msg k = message(ADVERT);
	struct nd_neigh n;

	k.h.dst = ip6_all_nodes();
	CU_ASSERT_FALSE(parses(&k, &n)); /* solicited, to everybody */
	k.m.rest = 0;
	CU_ASSERT(parses(&k, &n));
	k.b.b[IP6_LEN + ICMP6_LEN] = 0xff;
	CU_ASSERT_FALSE(parses(&k, &n));
}

/* 64 hops, 1800 s; a link address, MTU 1400, 2001:db8:1::/64 on link and autonomous. */
#define ROUTER "40000708" "00007530" "000003e8" "0101020000000009" "0501000000000578" \
	"030440c000015180000038400000000020010db8000100000000000000000000"

static struct msg
router(void)
{
	struct msg k = { .b = hex(ROUTER) };

	k.h = (struct ip6_hdr){ .src = { { 0xfe, 0x80, [15] = 9 } }, .hop_limit = 255 };
	k.m = (struct icmp6_msg){ .type = ICMP6_ROUTER_ADVERT, .rest = get_be32(k.b.b),
		                  .payload = k.b.b + 4, .len = to_u32(k.b.len - 4) };
	return k;
}

static bool
router_parses(const struct msg *k, struct nd_router *r)
{
	uint8_t *copy = exact_copy(k->b.b + 4, k->m.len);
	struct icmp6_msg m = k->m;
	bool ok;

	m.payload = copy;
	ok = wire_nd_parse_router(&k->h, &m, r);
	free(copy);
	return ok;
}

static void
test_a_router_is_understood(void)
{
	struct msg k = router();
	struct nd_router r;

	CU_ASSERT_FATAL(router_parses(&k, &r));
	CU_ASSERT(r.hop_limit == 64 && r.lifetime_s == 1800 && r.mtu == 1400);
	CU_ASSERT(r.reachable_ms == 30000 && r.retrans_ms == 1000);
	CU_ASSERT(r.has_mac && r.mac.b[5] == 9 && r.n_prefixes == 1);
	CU_ASSERT(r.prefix[0].len == 64 && r.prefix[0].on_link && r.prefix[0].autonomous);
	CU_ASSERT(r.prefix[0].valid_s == 86400 && r.prefix[0].preferred_s == 14400);
	CU_ASSERT(r.prefix[0].prefix.b[5] == 1);
}

static void
test_only_a_link_local_router_counts(void)
{
	struct msg k = router();
	struct nd_router r;

	k.h.hop_limit = 64;
	CU_ASSERT_FALSE(router_parses(&k, &r));
	k = router();
	k.h.src.b[0] = 0x20;
	CU_ASSERT_FALSE(router_parses(&k, &r));
	k = router();
	k.m.len--;
	CU_ASSERT_FALSE(router_parses(&k, &r));
	k = router();
	k.b.b[4 + 8 + 16 + 2] = 129; /* a prefix of too many bits is none */
	CU_ASSERT(router_parses(&k, &r) && r.n_prefixes == 0);
}

static void
test_a_router_is_solicited(void)
{
	/* As captured: fe80::ff:fe00:2 asks, from 02:00:00:00:00:02. */
	struct bytes want = hex("85007b2a000000000101020000000002");
	struct ip_addr src = { { 0xfe, 0x80 } }, dst = ip6_all_routers();
	struct mac_addr mac = { { 2, 0, 0, 0, 0, 2 } };
	uint8_t out[ND_LEN_MAX];

	put_be64(src.b + 8, UINT64_C(0x000000fffe000002));
	check_bytes("solicitation", out, wire_nd_build_solicit(out, &src, &dst, &mac), &want);
	CU_ASSERT_EQUAL(wire_nd_build_solicit(out, &src, &dst, NULL), 8);
}

void
suite_nd(void)
{
	CU_pSuite s = CU_add_suite("nd", NULL, NULL);

	CU_add_test(s, "captures are understood and built",
	            test_captures_are_understood_and_built);
	CU_add_test(s, "what comes from afar, or is cut off, is void (RFC 4861 7.1)",
	            test_what_comes_from_afar_is_void);
	CU_add_test(s, "options of no length are void (RFC 4861 4.6)", test_options_of_no_length_are_void);
	CU_add_test(s, "a probe comes from nobody to the group",
	            test_a_probe_comes_from_nobody_to_the_group);
	CU_add_test(s, "groups are no targets (RFC 4861 7.1)", test_groups_are_no_targets);
	CU_add_test(s, "a router is understood", test_a_router_is_understood);
	CU_add_test(s, "only a link-local router counts", test_only_a_link_local_router_counts);
	CU_add_test(s, "a router is solicited", test_a_router_is_solicited);
}
