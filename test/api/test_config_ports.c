/* SPDX-License-Identifier: BSD-3-Clause */
/* Ports, addresses, MTUs, gateway and routes: each finds its port, or a complaint says not. */
#include "api/config_ports.h"
#include "api/config_value.h"
#include "test/api/config_try.h"

void suite_config_ports(void);

static uint32_t
host_of(const struct config *cfg, unsigned port, unsigned n)
{
	return ip_addr_v4_host(&cfg->stack.port[port].addr[n].ip);
}

static void
test_one_address_belongs_to_the_first_port(void)
{
	struct config_try t = config_try_text("address = 10.0.0.2/24\n");

	CU_ASSERT_EQUAL(t.problems, 0);
	CU_ASSERT_EQUAL(t.cfg->stack.n_ports, 1);
	CU_ASSERT_EQUAL(t.cfg->stack.port[0].n_addrs, 1);
	CU_ASSERT_EQUAL(host_of(t.cfg, 0, 0), 0x0a000002);
	CU_ASSERT_EQUAL(t.cfg->stack.port[0].addr[0].prefix, 120);
	CU_ASSERT_STRING_EQUAL(t.cfg->port[0].name, "dpdk0");
	config_try_check(&t);
	CU_ASSERT_EQUAL(t.problems, 0);
	config_try_end(&t);
}

/* The port may be defined after the line that names it. */
static void
test_addresses_go_to_the_port_they_name(void)
{
	struct config_try t = config_try_text("address = dpdk1 10.0.1.2/24 fd00::2/64\n"
	                                      "address = 10.0.0.2/24 net_b 10.0.2.2/24\n"
	                                      "port = dpdk0 dpdk1\n"
	                                      "port = net_a,net_b\n");

	CU_ASSERT_EQUAL(t.problems, 0);
	CU_ASSERT_EQUAL(t.cfg->stack.n_ports, 3);
	CU_ASSERT_EQUAL(t.cfg->stack.port[0].n_addrs, 1);
	CU_ASSERT_EQUAL(t.cfg->stack.port[1].n_addrs, 2);
	CU_ASSERT_EQUAL(host_of(t.cfg, 0, 0), 0x0a000002);
	CU_ASSERT_EQUAL(host_of(t.cfg, 1, 0), 0x0a000102);
	CU_ASSERT_EQUAL(host_of(t.cfg, 2, 0), 0x0a000202);
	CU_ASSERT_FALSE(ip_addr_is_v4(&t.cfg->stack.port[1].addr[1].ip));
	CU_ASSERT_STRING_EQUAL(t.cfg->port[2].name, "net_a,net_b");
	config_try_check(&t);
	CU_ASSERT_EQUAL(t.problems, 0);
	config_try_end(&t);
}

static void
test_a_missing_address_shows_how_to_write_one(void)
{
	config_try_check_refused("port = dpdk0\n", "f.conf: no address is given (add a line such as: "
	                         "address = 10.0.0.2/24)\n");
}

static void
test_addresses_that_no_host_has_are_refused(void)
{
	config_try_refused("address = 10.0.0.2", "f.conf:1: address: '10.0.0.2' lacks its prefix "
	                   "length (such as 10.0.0.2/24)");
	config_try_refused("address = fd00::2", "f.conf:1: address: 'fd00::2' lacks its prefix "
	                   "length (such as fd00::2/64)");
	config_try_refused("address = dpdk0", "f.conf:1: address: 'dpdk0' is not an address with a "
	                   "prefix length (such as 10.0.0.2/24)");
	config_try_refused("address = 224.0.0.1/24", "f.conf:1: address: '224.0.0.1/24' is not an "
	                   "address that a port can have");
	config_try_refused("address = 0.0.0.0/24", "f.conf:1: address: '0.0.0.0/24' is not an "
	                   "address that a port can have");
	config_try_refused("address = ff02::1/64", "f.conf:1: address: 'ff02::1/64' is not an "
	                   "address that a port can have");
	config_try_refused("address = 10.0.0.2/0", "f.conf:1: address: '10.0.0.2/0' has a prefix of "
	                   "no bits");
	config_try_refused("address = 10.0.0.0/24", "f.conf:1: address: '10.0.0.0/24' is the "
	                   "network's own or its broadcast address");
	config_try_refused("address = 10.0.0.255/24", "f.conf:1: address: '10.0.0.255/24' is the "
	                   "network's own or its broadcast address");
	config_try_refused("address = 10.0.0.2/24 10.0.0.2/16",
	                   "f.conf:1: address: 10.0.0.2/16 is given twice");
}

/* RFC 3021, and a single address. */
static void
test_the_smallest_networks_have_no_broadcast(void)
{
	struct config_try t = config_try_text("address = 10.0.0.0/31 10.0.0.255/32\n");

	CU_ASSERT_EQUAL(t.problems, 0);
	CU_ASSERT_EQUAL(t.cfg->stack.port[0].n_addrs, 2);
	config_try_end(&t);
}

static void
test_names_of_ports_that_do_not_exist_are_told(void)
{
	config_try_check_refused("address = 10.0.0.2/24 dpdk1 10.0.1.2/24\nport = dpdk0 dpdk2\n",
	                         "f.conf: address names the port 'dpdk1', which is not in: port = "
	                         "dpdk0 dpdk2\n");
	config_try_check_refused("address = 10.0.0.2/24\nmtu = dpdk1 9000\n",
	                         "f.conf: mtu names the port 'dpdk1', which is not in: port = "
	                         "dpdk0\n");
	config_try_check_refused("address = 10.0.0.2/24\nstat_print = xge0\n",
	                         "f.conf: stat_print names the port 'xge0', which is not in: port = "
	                         "dpdk0\n");
}

static void
test_more_addresses_than_a_port_holds_are_told(void)
{
	struct config_try t = config_try_begin();
	char line[64];

	for (unsigned i = 1; i <= STACK_PORT_ADDRS_MAX + 2; i++) {
		snprintf(line, sizeof line, "address = 10.0.0.%u/24", i);
		config_try_parse(&t, line);
		CU_ASSERT_EQUAL(t.problems, 0);
	}
	CU_ASSERT_EQUAL(t.cfg->stack.port[0].n_addrs, STACK_PORT_ADDRS_MAX);
	config_try_check(&t);
	CU_ASSERT_STRING_EQUAL(t.said, "f.conf: port dpdk0 has more than 8 addresses\n");
	config_try_end(&t);
}

static void
test_port_names_are_checked(void)
{
	config_try_refused("port = a a", "f.conf:1: port: a is named twice");
	config_try_refused("port = a,b,a", "f.conf:1: port: a is named twice");
	config_try_refused("port = a,b b", "f.conf:1: port: b is named twice");
	config_try_refused("port = a,,b", "f.conf:1: port: 'a,,b' lacks a name beside a comma");
	config_try_refused("port = a,", "f.conf:1: port: 'a,' lacks a name beside a comma");
	config_try_refused("port = all", "f.conf:1: port = all is not supported: name the ports (such "
	                   "as port = dpdk0 dpdk1)");
	config_try_refused("port = a b c d e f g h i", "f.conf:1: more than 8 ports");
	config_try_refused("port = "
	                   "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
	                   "f.conf:1: port: 'aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa...'"
	                   " is not the name of a device");
}

static void
test_a_name_too_long_for_any_list_is_refused(void)
{
	char text[600] = "address = ";

	memset(text + 10, 'a', 400);
	strcpy(text + 410, " 10.0.0.2/24");
	config_try_refused(text, "f.conf:1: the name 'aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
	                   "aaaaa...' is too long");
}

static void
test_the_mtu_of_a_named_port_beats_that_of_all(void)
{
	struct config_try t = config_try_text("mtu = dpdk1 9000\nmtu = 1400\nport = dpdk0 dpdk1 x,y\n"
	                                      "mtu = y auto\n");

	CU_ASSERT_EQUAL(t.problems, 0);
	CU_ASSERT_EQUAL(t.cfg->stack.port[0].mtu, 1400);
	CU_ASSERT_EQUAL(t.cfg->stack.port[1].mtu, 9000);
	CU_ASSERT_EQUAL(t.cfg->stack.port[2].mtu, 0);
	config_try_end(&t);
}

static void
test_mtus_out_of_range_are_refused(void)
{
	config_try_refused("mtu = 67", "f.conf:1: mtu: '67' is out of range (68 to 65535, or auto)");
	config_try_refused("mtu = 65536", "f.conf:1: mtu: '65536' is out of range (68 to 65535, or "
	                   "auto)");
	config_try_refused("mtu = dpdk0", "f.conf:1: mtu: no number (such as 1500) follows 'dpdk0'");
	config_try_refused("mtu = a b 1500", "f.conf:1: mtu: no number (such as 1500) follows 'a'");
	config_try_refused("mtu = 1500 1400", "f.conf:1: mtu of all ports is given twice");
}

static const struct route *
lookup(const struct config *cfg, const char *dst)
{
	struct ip_addr ip;

	CU_ASSERT_TRUE_FATAL(value_parse_ip(dst, &ip));
	return route_lookup(&cfg->stack.routes, &ip);
}

static void
test_networks_of_addresses_and_the_gateway_become_routes(void)
{
	struct config_try t = config_try_text("port = dpdk0 dpdk1\naddress = 10.0.0.2/24 dpdk1 "
	                                      "10.0.1.2/24\ngateway = 10.0.1.1\n");
	const struct route *r;

	CU_ASSERT_PTR_NOT_NULL_FATAL(r = lookup(t.cfg, "10.0.0.77"));
	CU_ASSERT_EQUAL(r->port, 0);
	CU_ASSERT_TRUE(ip_addr_is_any(&r->gateway));
	CU_ASSERT_EQUAL(ip_addr_v4_host(&r->src), 0x0a000002);
	CU_ASSERT_PTR_NOT_NULL_FATAL(r = lookup(t.cfg, "192.0.2.1"));
	CU_ASSERT_EQUAL(r->port, 1);
	CU_ASSERT_EQUAL(ip_addr_v4_host(&r->gateway), 0x0a000101);
	CU_ASSERT_PTR_NULL(lookup(t.cfg, "2001:db8::1"));
	config_try_check(&t);
	CU_ASSERT_EQUAL(t.problems, 0);
	config_try_end(&t);
}

static void
test_ipv6_has_its_own_gateway_and_least_mtu(void)
{
	struct config_try t = config_try_text("port = a b\n"
	                                      "address = 10.0.0.2/24 b 2001:db8:1::2/64\n"
	                                      "gateway = fe80::9");
	const struct route *r;

	config_try_check(&t);
	CU_ASSERT_EQUAL(t.problems, 0);
	CU_ASSERT_PTR_NOT_NULL_FATAL(r = lookup(t.cfg, "2001:db8:9::1"));
	CU_ASSERT(r->port == 1 && r->len == 0 && r->gateway.b[15] == 9);
	config_try_end(&t);
	t = config_try_text("port = a b\naddress = 10.0.0.2/24 b 2001:db8:1::2/64\nmtu = b 1279");
	config_try_listen(&t);
	config_try_check(&t);
	CU_ASSERT_EQUAL(t.problems, 1);
	config_try_end(&t);
}

static void
test_an_address_may_be_a_range(void)
{
	struct config_try t = config_try_text("address = 198.18.0.1-198.18.1.9/16 10.0.0.2/24");
	const struct stack_port_cfg *port = &t.cfg->stack.port[0];
	struct ip_addr ip;

	CU_ASSERT_EQUAL(t.problems, 0);
	CU_ASSERT_EQUAL(port->n_addrs, 2);
	CU_ASSERT_EQUAL(port->addr[0].more, 264);
	CU_ASSERT_EQUAL(port->addr[0].prefix, 96 + 16);
	CU_ASSERT_EQUAL(port->addr[1].more, 0);
	for (uint32_t v4 = 0xc6120000u; v4 < 0xc6120200u; v4++) {
		ip = ip_addr_v4(v4);
		CU_ASSERT_EQUAL(stack_addr_has(&port->addr[0], &ip),
		                v4 >= 0xc6120001u && v4 <= 0xc6120109u);
	}
	CU_ASSERT_TRUE(value_parse_ip("::c612:1", &ip));
	CU_ASSERT_FALSE(stack_addr_has(&port->addr[0], &ip));
	config_try_listen(&t);
	config_dump(t.cfg, t.err);
	config_try_heard(&t, 0);
	CU_ASSERT_PTR_NOT_NULL(strstr(t.said, "198.18.0.1-198.18.1.9/16 10.0.0.2/24"));
	config_try_end(&t);
	config_try_refused("address = 10.0.0.9-10.0.0.2/24", "f.conf:1: address: "
	                   "'10.0.0.9-10.0.0.2/24' ends below its start, or has more than 65536 "
	                   "addresses");
	config_try_refused("address = 10.0.0.2-10.0.1.2/24", "f.conf:1: address: "
	                   "'10.0.0.2-10.0.1.2/24' leaves its network");
	config_try_refused("address = 10.0.0.2-10.0.0.255/24", "f.conf:1: address: "
	                   "'10.0.0.2-10.0.0.255/24' leaves its network");
	config_try_refused("address = fd00::1-fd00::2/64", "f.conf:1: address: "
	                   "'fd00::1-fd00::2/64' is a range, which only IPv4 has");
	config_try_refused("address = 10.0.0.2-9/24", "f.conf:1: address: '10.0.0.2-9/24' is not a "
	                   "range of addresses (such as 10.0.0.2-10.0.0.9/24)");
	config_try_refused("address = 10.0.0.2-10.0.0.9/24 10.0.0.5/24",
	                   "f.conf:1: address: 10.0.0.5/24 is given twice");
}

static void
test_a_gateway_has_to_be_a_neighbour(void)
{
	config_try_check_refused("address = 10.0.0.2/24\ngateway = 10.0.1.1\n",
	                         "f.conf: gateway: 10.0.1.1 is in no network of an address\n");
	config_try_refused("gateway = 10.0.0.1/24", "f.conf:1: gateway: '10.0.0.1/24' is not a host's "
	                   "address (such as 10.0.0.1)");
	config_try_refused("gateway = 255.255.255.255", "f.conf:1: gateway: '255.255.255.255' is not "
	                   "a host's address (such as 10.0.0.1)");
}

/* What route.conf would have brought. */
static void
note_route(struct config *cfg, const char *to, const char *port)
{
	struct config_route *r = &cfg->route[cfg->n_routes++];

	CU_ASSERT_TRUE(value_parse_prefix(to, &r->to.ip, &r->to.prefix));
	strcpy(r->port, port);
	strcpy(cfg->route_file, "route.conf");
	r->line = cfg->n_routes + 1;
	ports_derive(cfg);
}

static void
test_route_conf_lines_become_routes(void)
{
	struct config_try t = config_try_text("port = dpdk0 dpdk1\naddress = 10.0.0.2/24\n");
	const struct route *r;

	note_route(t.cfg, "10.7.0.1/16", "dpdk1");
	note_route(t.cfg, "10.0.0.9/0", "dpdk0");
	CU_ASSERT_PTR_NOT_NULL_FATAL(r = lookup(t.cfg, "10.7.200.1"));
	CU_ASSERT_EQUAL(r->port, 1);
	CU_ASSERT_TRUE(ip_addr_is_any(&r->gateway));
	CU_ASSERT_PTR_NOT_NULL_FATAL(r = lookup(t.cfg, "192.0.2.1"));
	CU_ASSERT_EQUAL(ip_addr_v4_host(&r->gateway), 0x0a000009);
	config_try_check(&t);
	CU_ASSERT_EQUAL(t.problems, 0);
	config_try_end(&t);
}

static void
route_says(const char *to, const char *port, const char *complaint)
{
	struct config_try t = config_try_text("address = 10.0.0.2/24\ngateway = 10.0.0.1");

	note_route(t.cfg, "10.9.0.0/16", "dpdk0");
	note_route(t.cfg, to, port);
	config_try_check(&t);
	CU_ASSERT_STRING_EQUAL(t.said, complaint);
	CU_ASSERT_EQUAL(t.problems, 1);
	config_try_end(&t);
}

static void
test_routes_that_lead_nowhere_are_told(void)
{
	route_says("10.7.0.0/16", "dpdk7", "route.conf:3: the route names the port 'dpdk7', which is "
	           "not in: port = dpdk0\n");
	route_says("10.9.9.9/16", "dpdk0", "route.conf:3: line 2 has a route to this network "
	           "already\n");
	route_says("::/0", "dpdk0", "route.conf:3: a default route is the gateway's address and /0 "
	           "(such as 10.0.0.1/0)\n");
	route_says("fd00::1/0", "dpdk0", "route.conf:3: the gateway is in no network of an "
	           "address\n");
	route_says("10.0.0.1/0", "dpdk0", "f.conf: gateway: route.conf:3 has a default route "
	           "already\n");
}

static void
test_stat_print_is_a_switch_or_the_old_list_of_ports(void)
{
	struct config_try t = config_try_text("port = dpdk0 dpdk1\naddress = 10.0.0.2/24\n"
	                                      "stat_print = dpdk0\nstat_print = dpdk1\n");

	CU_ASSERT_TRUE(t.cfg->stat_print);
	CU_ASSERT_STRING_EQUAL(t.cfg->stat_port, "dpdk0 dpdk1");
	config_try_check(&t);
	CU_ASSERT_EQUAL(t.problems, 0);
	config_try_set(&t, "stat_print = off");
	CU_ASSERT_FALSE(t.cfg->stat_print);
	config_try_set(&t, "stat_print = 1");
	CU_ASSERT_TRUE(t.cfg->stat_print);
	CU_ASSERT_STRING_EQUAL(t.cfg->stat_port, "");
	config_try_end(&t);
}

static void
test_deriving_twice_changes_nothing(void)
{
	struct config_try t = config_try_text("port = dpdk0 dpdk1\naddress = 10.0.0.2/24 dpdk1 "
	                                      "10.0.1.2/24\ngateway = 10.0.1.1\nmtu = 1400\n");
	struct config *once = malloc(sizeof *once);

	memcpy(once, t.cfg, sizeof *once);
	ports_derive(t.cfg);
	ports_derive(t.cfg);
	CU_ASSERT_TRUE(memcmp(once->stack.port, t.cfg->stack.port, sizeof once->stack.port) == 0);
	CU_ASSERT_EQUAL(once->stack.routes.n, t.cfg->stack.routes.n);
	free(once);
	config_try_end(&t);
}

void
suite_config_ports(void)
{
	CU_pSuite s = CU_add_suite("config_ports", NULL, NULL);

	CU_add_test(s, "IPv6 has a gateway of its own, and a least MTU",
	            test_ipv6_has_its_own_gateway_and_least_mtu);
	CU_add_test(s, "one address belongs to the first port",
	            test_one_address_belongs_to_the_first_port);
	CU_add_test(s, "addresses go to the port they name",
	            test_addresses_go_to_the_port_they_name);
	CU_add_test(s, "a missing address shows how to write one",
	            test_a_missing_address_shows_how_to_write_one);
	CU_add_test(s, "addresses that no host has are refused",
	            test_addresses_that_no_host_has_are_refused);
	CU_add_test(s, "the smallest networks have no broadcast",
	            test_the_smallest_networks_have_no_broadcast);
	CU_add_test(s, "an address may be a range", test_an_address_may_be_a_range);
	CU_add_test(s, "names of ports that do not exist are told",
	            test_names_of_ports_that_do_not_exist_are_told);
	CU_add_test(s, "more addresses than a port holds are told",
	            test_more_addresses_than_a_port_holds_are_told);
	CU_add_test(s, "port names are checked", test_port_names_are_checked);
	CU_add_test(s, "a name too long for any list is refused",
	            test_a_name_too_long_for_any_list_is_refused);
	CU_add_test(s, "the MTU of a named port beats that of all",
	            test_the_mtu_of_a_named_port_beats_that_of_all);
	CU_add_test(s, "MTUs out of range are refused", test_mtus_out_of_range_are_refused);
	CU_add_test(s, "networks of addresses and the gateway become routes",
	            test_networks_of_addresses_and_the_gateway_become_routes);
	CU_add_test(s, "a gateway has to be a neighbour", test_a_gateway_has_to_be_a_neighbour);
	CU_add_test(s, "route.conf's lines become routes", test_route_conf_lines_become_routes);
	CU_add_test(s, "routes that lead nowhere are told", test_routes_that_lead_nowhere_are_told);
	CU_add_test(s, "stat_print is a switch or the old list of ports",
	            test_stat_print_is_a_switch_or_the_old_list_of_ports);
	CU_add_test(s, "deriving twice changes nothing", test_deriving_twice_changes_nothing);
}
