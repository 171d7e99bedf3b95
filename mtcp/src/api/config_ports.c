/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Ports, their addresses and MTUs, the gateway and the routes.  Reading keeps
 * them as written; ports_derive() gives each to its port, as often as wanted;
 * ports_check() says which belong nowhere.
 */
#include "api/config_ports.h"

#include "api/config_except.h"
#include "api/config_value.h"
#include "io_engine/io_dpdk.h"
#include "wire/ip6.h"

/* route.conf's, a connected one for each address, and the gateway's. */
static_assert(CONFIG_ROUTES_MAX + CONFIG_ADDRS_MAX + 1 <= ROUTE_MAX, "all routes fit");

/* ------------------------------------------------------------------------ names */

/* Whether `name` is one of the names that `list` holds, separated by `sep`. */
static bool
list_has(const char *list, char sep, const char *name)
{
	size_t len = strlen(name);
	const char *end;

	for (;; list = end + 1) {
		end = strchrnul(list, sep);
		if ((size_t)(end - list) == len && memcmp(list, name, len) == 0)
			return true;
		if (!*end)
			return false;
	}
}

int
ports_index(const struct config *cfg, const char *name)
{
	for (unsigned i = 0; i < cfg->n_ports; i++) {
		if (strcmp(cfg->port[i].name, name) == 0 || list_has(cfg->port[i].name, ',', name))
			return (int)i;
	}
	return -1;
}

/* Copies a name that the caller found short enough. */
static void
name_copy(char to[CONFIG_NAME_MAX], const char *name)
{
	size_t len = strnlen(name, CONFIG_NAME_MAX - 1);

	memcpy(to, name, len);
	to[len] = '\0';
}

static bool
name_fits(const char *name, struct config_log *log)
{
	if (strlen(name) < CONFIG_NAME_MAX)
		return true;
	config_problem(log, "the name '%s' is too long", config_quote(name).text);
	return false;
}

/* "dpdk0 dpdk1", for messages. */
static const char *
port_names(const struct config *cfg, char *buf, size_t room)
{
	size_t n = 0;

	*buf = '\0';
	for (unsigned i = 0; i < cfg->n_ports && n < room; i++)
		n += (size_t)snprintf(buf + n, room - n, "%s%s", i ? " " : "", cfg->port[i].name);
	return buf;
}

/* ------------------------------------------------------------------------- port */

/* Complains about the first device of `name` that cannot be one. */
static bool
devices_good(const struct config *cfg, const char *name, struct config_log *log)
{
	char copy[CONFIG_NAME_MAX];
	char *rest = copy;
	char *device;

	name_copy(copy, name);
	while ((device = strsep(&rest, ","))) {
		if (*device == '\0')
			config_problem(log, "port: '%s' lacks a name beside a comma",
			               config_quote(name).text);
		else if (strlen(device) >= IO_DPDK_NAME || strchr(device, '/'))
			config_problem(log, "port: '%s' is not the name of a device",
			               config_quote(device).text);
		else if (ports_index(cfg, device) >= 0 || (rest && list_has(rest, ',', device)))
			config_problem(log, "port: %s is named twice", config_quote(device).text);
		else
			continue;
		return false;
	}
	return true;
}

static void
port_add(struct config *cfg, const char *name, struct config_log *log)
{
	if (strcmp(name, "all") == 0)
		config_problem(log, "port = all is not supported: name the ports (such as "
		               "port = dpdk0 dpdk1)");
	else if (cfg->n_ports == STACK_PORTS_MAX)
		config_problem(log, "more than %u ports", STACK_PORTS_MAX);
	else if (name_fits(name, log) && devices_good(cfg, name, log))
		name_copy(cfg->port[cfg->n_ports++].name, name);
}

void
ports_set(struct config *cfg, char *value, struct config_log *log)
{
	char *name;

	while ((name = config_word(&value)))
		port_add(cfg, name, log);
}

void
ports_show(const struct config *cfg, FILE *out)
{
	for (unsigned i = 0; i < cfg->n_ports; i++)
		fprintf(out, "%s%s", i ? " " : "", cfg->port[i].name);
}

/* ---------------------------------------------------------------------- address */

/* An address that one host may have. */
static bool
is_unicast(const struct ip_addr *ip)
{
	if (ip_addr_is_any(ip))
		return false;
	if (ip_addr_is_v4(ip))
		return ip->b[12] != 0 && ip->b[12] != 127 && ip->b[12] < 224;
	return ip->b[0] != 0xff;
}

static bool
bit_at(const struct ip_addr *ip, unsigned i)
{
	return ip->b[i / 8] >> (7 - i % 8) & 1;
}

/* All bits behind the prefix are zero (the network itself) or one (its broadcast).
 * Networks of one or two addresses have neither (RFC 3021), nor has IPv6. */
static bool
is_reserved(const struct stack_addr *a)
{
	bool bit;

	if (!ip_addr_is_v4(&a->ip) || a->prefix >= 127)
		return false;
	bit = bit_at(&a->ip, a->prefix);
	for (unsigned i = a->prefix; i < 128; i++) {
		if (bit_at(&a->ip, i) != bit)
			return false;
	}
	return true;
}

static bool
same_network(const struct stack_addr *a, const struct ip_addr *ip)
{
	for (unsigned i = 0; i < a->prefix; i++) {
		if (bit_at(&a->ip, i) != bit_at(ip, i))
			return false;
	}
	return true;
}

/* "10.0.0.2-10.0.0.9/24": the part before the '-' is `first`, what follows is an address
 * with its prefix length, and the range's last. */
static const char *
parse_range(const char *first, const char *rest, struct stack_addr *a)
{
	struct stack_addr last = { .prefix = 0 };

	if (!value_parse_ip(first, &a->ip) || !value_parse_prefix(rest, &last.ip, &last.prefix))
		return "is not a range of addresses (such as 10.0.0.2-10.0.0.9/24)";
	if (!ip_addr_is_v4(&a->ip) || !ip_addr_is_v4(&last.ip))
		return "is a range, which only IPv4 has";
	a->prefix = last.prefix;
	a->more = ip_addr_v4_host(&last.ip) - ip_addr_v4_host(&a->ip);
	if (ip_addr_v4_host(&last.ip) < ip_addr_v4_host(&a->ip) || a->more >= STACK_RANGE_MAX)
		return "ends below its start, or has more than 65536 addresses";
	if (a->prefix < 128 && (!same_network(a, &last.ip) || is_reserved(&last)))
		return "leaves its network";
	return NULL;
}

static const char *
parse_one_or_more(const char *text, struct stack_addr *a)
{
	const char *dash = strchr(text, '-');
	char first[VALUE_TEXT];

	if (!dash || dash - text >= VALUE_TEXT)
		return value_parse_prefix(text, &a->ip, &a->prefix)
		           ? NULL
		           : "is not an address with a prefix length (such as 10.0.0.2/24)";
	memcpy(first, text, (size_t)(dash - text));
	first[dash - text] = '\0';
	return parse_range(first, dash + 1, a);
}

/* Why `text` is no address of ours, or NULL. */
static const char *
parse_address(const char *text, struct stack_addr *a)
{
	const char *why = parse_one_or_more(text, a);

	if (why)
		return why;
	if (!is_unicast(&a->ip))
		return "is not an address that a port can have";
	if (a->prefix == (ip_addr_is_v4(&a->ip) ? 96 : 0))
		return "has a prefix of no bits";
	if (is_reserved(a))
		return "is the network's own or its broadcast address";
	return NULL;
}

/* Whether two ranges have an address in common: then one has the other's first. */
static bool
overlap(const struct stack_addr *a, const struct stack_addr *b)
{
	return stack_addr_has(a, &b->ip) || stack_addr_has(b, &a->ip);
}

static void
address_add(struct config *cfg, const char *port, const char *text, struct config_log *log)
{
	struct config_address a = { .port = "" };
	const char *why = parse_address(text, &a.addr);

	if (why) {
		config_problem(log, "address: '%s' %s", config_quote(text).text, why);
		return;
	}
	for (unsigned i = 0; i < cfg->n_addresses; i++) {
		if (overlap(&cfg->address[i].addr, &a.addr)) {
			config_problem(log, "address: %s is given twice", text);
			return;
		}
	}
	if (cfg->n_addresses == CONFIG_ADDRS_MAX) {
		config_problem(log, "more than %u addresses", CONFIG_ADDRS_MAX);
		return;
	}
	name_copy(a.port, port);
	cfg->address[cfg->n_addresses++] = a;
}

/* Words with a slash are addresses; a word without is the port of those that follow. */
void
ports_set_address(struct config *cfg, char *value, struct config_log *log)
{
	const char *port = "";
	struct ip_addr ip;
	char *word;
	bool any = false;

	while ((word = config_word(&value))) {
		if (strchr(word, '/')) {
			address_add(cfg, port, word, log);
			any = true;
		} else if (value_parse_ip(word, &ip)) {
			config_problem(log, "address: '%s' lacks its prefix length (such as %s%s)", word,
			               word, ip_addr_is_v4(&ip) ? "/24" : "/64");
			return;
		} else if (name_fits(word, log)) {
			port = word;
		}
	}
	if (!any)
		config_problem(log, "address: '%s' is not an address with a prefix length (such as "
		               "10.0.0.2/24)", config_quote(port).text);
}

static void
show_range(const struct stack_addr *a, FILE *out)
{
	struct ip_addr last = a->ip;
	char text[VALUE_TEXT];

	if (a->more) {
		value_format_ip(text, &a->ip);
		fprintf(out, "%s-", text);
		last = ip_addr_v4(ip_addr_v4_host(&a->ip) + a->more);
	}
	value_format_prefix(text, &last, a->prefix);
	fprintf(out, "%s ", text);
}

void
ports_show_address(const struct config *cfg, FILE *out)
{
	const char *port = "";

	/* Those without a port come first: nothing could take them back to it. */
	for (int named = 0; named <= 1; named++) {
		for (unsigned i = 0; i < cfg->n_addresses; i++) {
			const struct config_address *a = &cfg->address[i];

			if ((*a->port != '\0') != named)
				continue;
			if (strcmp(a->port, port) != 0)
				fprintf(out, "%s ", a->port);
			port = a->port;
			show_range(&a->addr, out);
		}
	}
}

/* -------------------------------------------------------------------------- mtu */

static void
mtu_add(struct config *cfg, const char *port, int64_t mtu, struct config_log *log)
{
	for (unsigned i = 0; i < cfg->n_mtus; i++) {
		if (strcmp(cfg->mtu[i].port, port) == 0) {
			config_problem(log, "mtu of %s is given twice", *port ? port : "all ports");
			return;
		}
	}
	if (cfg->n_mtus == STACK_PORTS_MAX) {
		config_problem(log, "mtu: more than %u ports", STACK_PORTS_MAX);
		return;
	}
	name_copy(cfg->mtu[cfg->n_mtus].port, port);
	cfg->mtu[cfg->n_mtus++].mtu = (uint16_t)mtu;
}

/* "1500", "auto", "dpdk0 9000 dpdk1 1500": a number, perhaps behind the port's name. */
void
ports_set_mtu(struct config *cfg, char *value, struct config_log *log)
{
	const char *port = "";
	char *word;
	int64_t mtu;

	while ((word = config_word(&value))) {
		if (value_parse(word, VALUE_COUNT, 1, &mtu) || strcmp(word, "auto") == 0) {
			if (*word == 'a')
				mtu = 0;
			else if (mtu < 68 || mtu > UINT16_MAX) {
				config_problem(log, "mtu: '%s' is out of range (68 to 65535, or auto)",
				               config_quote(word).text);
				return;
			}
			mtu_add(cfg, port, mtu, log);
			port = "";
		} else if (*port) {
			break;
		} else if (name_fits(word, log)) {
			port = word;
		}
	}
	if (*port)
		config_problem(log, "mtu: no number (such as 1500) follows '%s'",
		               config_quote(port).text);
}

void
ports_show_mtu(const struct config *cfg, FILE *out)
{
	if (cfg->n_mtus == 0)
		fputs("auto", out);
	for (unsigned i = 0; i < cfg->n_mtus; i++) {
		if (*cfg->mtu[i].port)
			fprintf(out, "%s ", cfg->mtu[i].port);
		if (cfg->mtu[i].mtu)
			fprintf(out, "%u ", cfg->mtu[i].mtu);
		else
			fputs("auto ", out);
	}
}

/* ---------------------------------------------------------- gateway and stat_print */

void
ports_set_gateway(struct config *cfg, char *value, struct config_log *log)
{
	struct ip_addr ip;

	if (strcmp(value, "none") == 0)
		cfg->gateway = IP_ANY;
	else if (value_parse_ip(value, &ip) && is_unicast(&ip))
		cfg->gateway = ip;
	else
		config_problem(log, "gateway: '%s' is not a host's address (such as 10.0.0.1)",
		               config_quote(value).text);
}

void
ports_show_gateway(const struct config *cfg, FILE *out)
{
	char text[VALUE_TEXT] = "none";

	if (!ip_addr_is_any(&cfg->gateway))
		value_format_ip(text, &cfg->gateway);
	fputs(text, out);
}

/* Files of old name the ports to print; ours say on or off for all. */
void
ports_set_stat_print(struct config *cfg, char *value, struct config_log *log)
{
	size_t n;

	if (value_parse_bool(value, &cfg->stat_print)) {
		cfg->stat_port[0] = '\0';
		return;
	}
	/* A list that starts anew has stat_print off. */
	n = cfg->stat_print ? strlen(cfg->stat_port) : 0;
	if (n + strlen(value) + 2 > sizeof cfg->stat_port) {
		config_problem(log, "stat_print: too many names");
		return;
	}
	snprintf(cfg->stat_port + n, sizeof cfg->stat_port - n, "%s%s", n ? " " : "", value);
	cfg->stat_print = true;
}

void
ports_show_stat_print(const struct config *cfg, FILE *out)
{
	if (cfg->stat_print && *cfg->stat_port)
		fputs(cfg->stat_port, out);
	else
		fputs(cfg->stat_print ? "on" : "off", out);
}

/* ------------------------------------------------------------- bringing it together */

static bool
has_v6(const struct stack_port_cfg *port)
{
	for (unsigned i = 0; i < port->n_addrs; i++)
		if (!ip_addr_is_v4(&port->addr[i].ip))
			return true;
	return false;
}

/* A link-local address could be on any link: the first that speaks IPv6. */
static int
port_of_local(const struct config *cfg)
{
	for (unsigned i = 0; i < cfg->n_ports; i++)
		if (has_v6(&cfg->port[i].ip))
			return (int)i;
	return -1;
}

/* The port that has the host `ip` on one of its networks, or -1. */
static int
port_of_neighbour(const struct config *cfg, const struct ip_addr *ip)
{
	if (ip6_is_link_local(ip))
		return port_of_local(cfg);
	for (unsigned i = 0; i < cfg->n_ports; i++) {
		for (unsigned j = 0; j < cfg->port[i].ip.n_addrs; j++) {
			if (same_network(&cfg->port[i].ip.addr[j], ip))
				return (int)i;
		}
	}
	return -1;
}

/* The port that an address, MTU or route belongs to; an empty name is the first's. */
static int
port_named(const struct config *cfg, const char *name)
{
	return *name ? ports_index(cfg, name) : 0;
}

static void
derive_addresses(struct config *cfg)
{
	for (unsigned i = 0; i < cfg->n_addresses; i++) {
		int p = port_named(cfg, cfg->address[i].port);
		struct stack_port_cfg *ip = p < 0 ? NULL : &cfg->port[p].ip;

		if (ip && ip->n_addrs < STACK_PORT_ADDRS_MAX)
			ip->addr[ip->n_addrs++] = cfg->address[i].addr;
	}
}

/* A port that is named beats the number for all, in whichever order. */
static void
derive_mtus(struct config *cfg)
{
	for (unsigned i = 0; i < cfg->n_mtus; i++) {
		const struct config_mtu *m = &cfg->mtu[i];

		for (unsigned p = 0; !*m->port && p < cfg->n_ports; p++)
			cfg->port[p].ip.mtu = m->mtu;
	}
	for (unsigned i = 0; i < cfg->n_mtus; i++) {
		int p = *cfg->mtu[i].port ? ports_index(cfg, cfg->mtu[i].port) : -1;

		if (p >= 0)
			cfg->port[p].ip.mtu = cfg->mtu[i].mtu;
	}
}

/* In route.conf a prefix of no bits makes the address a gateway. */
static bool
is_default_route(const struct config_route *r)
{
	return r->to.prefix == (ip_addr_is_v4(&r->to.ip) ? 96 : 0);
}

/* A route that is in the table already stays as it is. */
static void
route_put(struct config *cfg, const struct stack_addr *to, const struct ip_addr *via,
          const struct ip_addr *src, int port)
{
	struct route r = {
		.prefix = to->ip, .len = to->prefix, .gateway = *via, .src = *src, .port = (uint8_t)port,
	};

	(void)route_insert(&cfg->stack.routes, &r);
}

static void
route_put_default(struct config *cfg, const struct ip_addr *via, int port)
{
	bool v4 = ip_addr_is_v4(via);
	struct stack_addr all = {
		.ip = v4 ? ip_addr_v4(0) : IP_ANY, .prefix = v4 ? ROUTE_V4 : 0,
	};

	route_put(cfg, &all, via, &IP_ANY, port);
}

static void
derive_static_routes(struct config *cfg)
{
	for (unsigned i = 0; i < cfg->n_routes; i++) {
		const struct config_route *r = &cfg->route[i];
		int port = ports_index(cfg, r->port);

		if (port >= 0 && is_default_route(r))
			route_put_default(cfg, &r->to.ip, port);
		else if (port >= 0)
			route_put(cfg, &r->to, &IP_ANY, &IP_ANY, port);
	}
}

/* The networks that the ports stand in. */
static void
derive_connected_routes(struct config *cfg)
{
	for (unsigned p = 0; p < cfg->n_ports; p++) {
		const struct stack_port_cfg *ip = &cfg->port[p].ip;

		for (unsigned i = 0; i < ip->n_addrs; i++)
			route_put(cfg, &ip->addr[i], &IP_ANY, &ip->addr[i].ip, (int)p);
	}
}

/* What was written by hand comes first, since the first of two equal routes stays. */
static void
derive_routes(struct config *cfg)
{
	int port = port_of_neighbour(cfg, &cfg->gateway);

	route_init(&cfg->stack.routes);
	derive_static_routes(cfg);
	derive_connected_routes(cfg);
	if (!ip_addr_is_any(&cfg->gateway) && port >= 0)
		route_put_default(cfg, &cfg->gateway, port);
}

void
ports_derive(struct config *cfg)
{
	for (unsigned i = 0; i < STACK_PORTS_MAX; i++)
		memset(&cfg->port[i].ip, 0, sizeof cfg->port[i].ip);
	derive_addresses(cfg);
	derive_mtus(cfg);
	derive_routes(cfg);
	for (unsigned i = 0; i < cfg->n_ports; i++)
		cfg->stack.port[i] = cfg->port[i].ip;
	cfg->stack.n_ports = cfg->n_ports;
}

/* --------------------------------------------------------------------- complaints */

static void
complain_no_port(const struct config *cfg, const char *key, const char *name,
                 struct config_log *log)
{
	char names[CONFIG_NAME_MAX];

	config_problem(log, "%s names the port '%s', which is not in: port = %s", key,
	               config_quote(name).text, port_names(cfg, names, sizeof names));
}

static void
check_addresses(const struct config *cfg, struct config_log *log)
{
	unsigned wanted[STACK_PORTS_MAX] = { 0 };

	if (cfg->n_addresses == 0)
		config_problem(log, "no address is given (add a line such as: "
		               "address = 10.0.0.2/24)");
	for (unsigned i = 0; i < cfg->n_addresses; i++) {
		int p = port_named(cfg, cfg->address[i].port);

		if (p < 0)
			complain_no_port(cfg, "address", cfg->address[i].port, log);
		else if (++wanted[p] == STACK_PORT_ADDRS_MAX + 1)
			config_problem(log, "port %s has more than %u addresses", cfg->port[p].name,
			               STACK_PORT_ADDRS_MAX);
	}
}

static void
check_mtus(const struct config *cfg, struct config_log *log)
{
	for (unsigned i = 0; i < cfg->n_mtus; i++) {
		if (port_named(cfg, cfg->mtu[i].port) < 0)
			complain_no_port(cfg, "mtu", cfg->mtu[i].port, log);
	}
	for (unsigned i = 0; i < cfg->n_ports; i++) {
		const struct stack_port_cfg *ip = &cfg->port[i].ip;

		if (has_v6(ip) && ip->mtu && ip->mtu < IP6_MTU_MIN)
			config_problem(log, "mtu: %u of port %s is less than the %u that IPv6 needs",
			               ip->mtu, cfg->port[i].name, IP6_MTU_MIN);
	}
}

/* A route that stands above r and goes to the same network, or NULL. */
static const struct config_route *
earlier_route(const struct config *cfg, const struct config_route *r)
{
	for (const struct config_route *o = cfg->route; o < r; o++) {
		if (o->to.prefix == r->to.prefix && same_network(&r->to, &o->to.ip))
			return o;
	}
	return NULL;
}

static void
check_route(const struct config *cfg, const struct config_route *r, struct config_log *log)
{
	const struct config_route *earlier = earlier_route(cfg, r);

	if (ports_index(cfg, r->port) < 0)
		complain_no_port(cfg, "the route", r->port, log);
	else if (is_default_route(r) && !is_unicast(&r->to.ip))
		config_problem(log, "a default route is the gateway's address and /0 (such as "
		               "10.0.0.1/0)");
	else if (is_default_route(r) && port_of_neighbour(cfg, &r->to.ip) < 0)
		config_problem(log, "the gateway is in no network of an address");
	else if (earlier)
		config_problem(log, "line %u has a route to this network already", earlier->line);
}

static void
check_routes(const struct config *cfg, struct config_log *log)
{
	struct config_log there = { .err = log->err, .file = cfg->route_file };

	for (unsigned i = 0; i < cfg->n_routes; i++) {
		there.line = cfg->route[i].line;
		check_route(cfg, &cfg->route[i], &there);
	}
	log->problems += there.problems;
}

static void
check_gateway(const struct config *cfg, struct config_log *log)
{
	char text[VALUE_TEXT];

	if (ip_addr_is_any(&cfg->gateway) || cfg->n_addresses == 0)
		return;
	value_format_ip(text, &cfg->gateway);
	if (port_of_neighbour(cfg, &cfg->gateway) < 0)
		config_problem(log, "gateway: %s is in no network of an address", text);
	for (unsigned i = 0; i < cfg->n_routes; i++) {
		const struct config_route *r = &cfg->route[i];

		if (is_default_route(r) && ip_addr_is_v4(&r->to.ip) == ip_addr_is_v4(&cfg->gateway)) {
			config_problem(log, "gateway: %s:%u has a default route already",
			               cfg->route_file, r->line);
			return;
		}
	}
}

static void
check_stat_print(const struct config *cfg, struct config_log *log)
{
	char copy[CONFIG_NAME_MAX];
	char *rest = copy;
	char *name;

	name_copy(copy, cfg->stat_port);
	while ((name = config_word(&rest))) {
		if (ports_index(cfg, name) < 0)
			complain_no_port(cfg, "stat_print", name, log);
	}
}

void
ports_check(const struct config *cfg, struct config_log *log)
{
	if (cfg->n_ports == 0)
		config_problem(log, "no port is given (add a line such as: port = dpdk0)");
	else {
		check_addresses(cfg, log);
		exceptions_check(cfg, log);
		check_mtus(cfg, log);
		check_routes(cfg, log);
		check_gateway(cfg, log);
		check_stat_print(cfg, log);
	}
}
