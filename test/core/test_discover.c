/* SPDX-License-Identifier: BSD-3-Clause */
/* Neighbour discovery by frames: questions, answers, and what nobody shall believe. */
#include "wire/nd.h"

#include <CUnit/CUnit.h>

#include "test/core/world.h"

void suite_discover(void);

struct heard {
	struct eth_hdr eth;
	struct ip6_hdr h;
	struct nd_neigh n;
};

/* The next message of neighbour discovery that the host sent. */
static bool
hears(struct world *w, struct heard *k)
{
	const struct world_frame *f;
	struct ip6_problem problem;
	struct icmp6_msg m;

	while ((f = world_next(w, 0))) {
		const uint8_t *ip = f->data + ETH_LEN;

		if (wire_eth_parse(f->data, f->len, &k->eth) && k->eth.type == ETH_TYPE_IP6 &&
		    wire_ip6_parse(ip, f->len - ETH_LEN, &k->h, &problem) == WIRE_IP6_OK &&
		    k->h.proto == IP_PROTO_ICMP6 &&
		    wire_icmp6_parse(ip + IP6_LEN, k->h.total_len - IP6_LEN, &k->h.src, &k->h.dst,
		                     &m) &&
		    wire_nd_parse(&k->h, &m, &k->n))
			return true;
	}
	return false;
}

static struct nd_neigh
question(const struct world *w, const struct craft_way *way)
{
	return (struct nd_neigh){ .target = w->host[0].ip, .mac = way->smac, .has_mac = true };
}

/* To the group of the host's address, as whoever does not know it asks. */
static struct craft_way
group_way(const struct world *w)
{
	struct craft_way way = world_way(w, 0);

	way.dst = ip6_solicited_node(&w->host[0].ip);
	way.dmac = ip6_group_mac(&way.dst);
	return way;
}

static void
say(struct world *w, const struct craft_way *way, const struct nd_neigh *n)
{
	uint8_t f[CRAFT_MAX];

	world_frame(w, 0, f, craft_nd(f, way, n));
}

static void
test_a_question_is_answered(void)
{
	struct world w;
	struct craft_way way;
	struct nd_neigh q;
	struct heard k;
	uint8_t mac[6];

	world_init(&w, 1, world_v6);
	way = group_way(&w);
	q = question(&w, &way);
	net_mac(0, mac);
	say(&w, &way, &q);
	CU_ASSERT_FATAL(hears(&w, &k));
	CU_ASSERT(k.n.advert && k.n.solicited && k.n.override && !k.n.router && k.n.has_mac);
	CU_ASSERT(ip_addr_eq(&k.n.target, &w.host[0].ip) && ip_addr_eq(&k.h.dst, &way.src));
	CU_ASSERT(memcmp(k.n.mac.b, mac, 6) == 0 && mac_eq(&k.eth.dst, &way.smac));
	CU_ASSERT_EQUAL(k.h.hop_limit, 255);
	CU_ASSERT_EQUAL(world_fate(&w, 0, IN_ND), 1);

	way = world_way(&w, 0); /* to us alone, without saying who asks (RFC 4861 7.2.2) */
	q.has_mac = false;
	say(&w, &way, &q);
	CU_ASSERT(hears(&w, &k) && k.n.solicited && mac_eq(&k.eth.dst, &way.smac));
	world_fini(&w);
}

/* RFC 4862 5.4.3: somebody wants to know whether he may have our address. */
static void
test_an_address_is_defended(void)
{
	struct ip_addr all = ip6_all_nodes();
	struct world w;
	struct craft_way way;
	struct nd_neigh q;
	struct heard k;

	world_init(&w, 1, world_v6);
	way = group_way(&w);
	q = question(&w, &way);
	way.src = IP_ANY;
	q.has_mac = false;
	say(&w, &way, &q);
	CU_ASSERT_FATAL(hears(&w, &k));
	CU_ASSERT(k.n.advert && !k.n.solicited && k.n.override && ip_addr_eq(&k.h.dst, &all));
	CU_ASSERT(k.eth.dst.b[0] == 0x33 && k.eth.dst.b[5] == 1);
	world_fini(&w);
}

static void
test_questions_for_others_are_left_to_them(void)
{
	struct world w;
	struct craft_way way;
	struct nd_neigh q;
	struct heard k;
	uint8_t f[CRAFT_MAX];

	world_init(&w, 1, world_v6);
	way = group_way(&w);
	q = question(&w, &way);
	q.target = host_ip6(5);
	say(&w, &way, &q);
	CU_ASSERT_FALSE(hears(&w, &k));
	CU_ASSERT_EQUAL(world_fate(&w, 0, DROP_NOT_OURS), 1);
	q.target = w.host[0].ip;
	way = group_way(&w);
	(void)craft_nd(f, &way, &q);
	f[ETH_LEN + 7] = 254; /* from behind a router */
	world_frame(&w, 0, f, ETH_LEN + IP6_LEN + 32);
	CU_ASSERT_FALSE(hears(&w, &k));
	CU_ASSERT_EQUAL(world_fate(&w, 0, DROP_ND), 1);
	world_fini(&w);
}

static void
test_an_unknown_neighbour_is_asked_for(void)
{
	struct ip_addr him = host_ip6(7), group = ip6_solicited_node(&him);
	struct craft_way way;
	struct nd_neigh a;
	struct world w;
	struct heard k;
	struct sock *s;
	struct tcp_seg seg;

	world_init(&w, 1, world_v6);
	s = host_socket(&w.host[0]);
	host_connect(&w.host[0], s, &him, 80);
	world_now(&w);
	CU_ASSERT_FATAL(hears(&w, &k));
	CU_ASSERT(!k.n.advert && k.n.has_mac && ip_addr_eq(&k.n.target, &him));
	CU_ASSERT(ip_addr_eq(&k.h.dst, &group) && k.eth.dst.b[0] == 0x33);
	CU_ASSERT(ip_addr_eq(&k.h.src, &w.host[0].ip));
	CU_ASSERT_FALSE(world_hears(&w, 0, &seg));

	way = world_way(&w, 0);
	way.src = him;
	a = (struct nd_neigh){ .advert = true, .target = him, .mac = way.smac, .has_mac = true,
		               .solicited = true, .override = true };
	say(&w, &way, &a);
	CU_ASSERT(world_hears(&w, 0, &seg) && (seg.flags & TCP_SYN));
	host_abort(&w.host[0], s);
	world_run(&w, SEC(1));
	world_fini(&w);
}

static void
test_nobody_answers(void)
{
	struct ip_addr him = host_ip6(7);
	struct world w;
	struct heard k;
	struct sock *s;
	unsigned asked = 0;

	world_init(&w, 1, world_v6);
	s = host_socket(&w.host[0]);
	host_connect(&w.host[0], s, &him, 80);
	world_run(&w, SEC(10));
	while (hears(&w, &k))
		asked++;
	CU_ASSERT_EQUAL(asked, 3); /* MAX_MULTICAST_SOLICIT */
	CU_ASSERT((sock_facts(s) & SOCK_ERROR) == 0 || s->err == 113);
	host_abort(&w.host[0], s);
	world_run(&w, SEC(1));
	world_fini(&w);
}

static void
test_news_of_our_own_address_are_not_believed(void)
{
	struct world w;
	struct craft_way way;
	struct nd_neigh a;

	world_init(&w, 1, world_v6);
	way = world_way(&w, 0);
	a = question(&w, &way);
	a.advert = a.override = a.solicited = true;
	say(&w, &way, &a);
	CU_ASSERT_EQUAL(world_fate(&w, 0, DROP_ND), 1);
	a.target = host_ip6(9); /* nobody asked */
	say(&w, &way, &a);
	CU_ASSERT_EQUAL(world_fate(&w, 0, DROP_ND), 2);
	world_fini(&w);
}

static void
test_a_host_says_who_it_is_when_it_starts(void)
{
	struct world w;
	struct heard k;
	unsigned told = 0;

	world_init(&w, 1, world_v6);
	w.heard[0] = 0;
	while (hears(&w, &k))
		if (k.n.advert && k.n.override && !k.n.solicited && ip6_is_multicast(&k.h.dst))
			told++;
	CU_ASSERT_EQUAL(told, 2); /* its address, and the link-local one */
	world_fini(&w);
}

void
suite_discover(void)
{
	CU_pSuite s = CU_add_suite("discover", NULL, NULL);

	CU_add_test(s, "a solicitation is answered (RFC 4861 7.2.4)", test_a_question_is_answered);
	CU_add_test(s, "an address is defended (RFC 4862 5.4.3)", test_an_address_is_defended);
	CU_add_test(s, "solicitations for others, or from afar, are left alone",
	            test_questions_for_others_are_left_to_them);
	CU_add_test(s, "an unknown neighbour of IPv6 is asked for (RFC 4861 7.2.2)",
	            test_an_unknown_neighbour_is_asked_for);
	CU_add_test(s, "who does not answer is asked three times (RFC 4861 7.2.2)", test_nobody_answers);
	CU_add_test(s, "advertisements of our own address, or unasked for, are not believed (RFC 4861 7.2.5)",
	            test_news_of_our_own_address_are_not_believed);
	CU_add_test(s, "a host says who it is when it starts (RFC 4861 7.2.6)",
	            test_a_host_says_who_it_is_when_it_starts);
}
