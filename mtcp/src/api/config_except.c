/* SPDX-License-Identifier: BSD-3-Clause */
/* "tap:NAME", "dpdk0 tap:NAME dpdk1 tap:OTHER" or "none". */
#include "api/config_except.h"

#include "api/config_ports.h"
#include "api/config_value.h"

#define TAP "tap:"

/* What Linux takes for an interface's name. */
static bool
is_ifname(const char *name)
{
	size_t len = strlen(name);

	return len > 0 && len < IO_KERNEL_NAME_MAX && strcmp(name, ".") != 0 &&
	       strcmp(name, "..") != 0 && !strpbrk(name, "/: \t%");
}

static void
exception_add(struct config *cfg, const char *port, const char *tap, struct config_log *log)
{
	struct config_exception *x = &cfg->exception[cfg->n_exceptions];

	if (!is_ifname(tap)) {
		config_problem(log, "exception: '%s' is not the name of an interface (1 to %u "
		               "characters, such as tap:mtcpk0)",
		               config_quote(tap).text, IO_KERNEL_NAME_MAX - 1);
		return;
	}
	for (unsigned i = 0; i < cfg->n_exceptions; i++) {
		if (strcmp(cfg->exception[i].tap, tap) == 0) {
			config_problem(log, "exception: %s is given twice", tap);
			return;
		}
	}
	if (cfg->n_exceptions == STACK_PORTS_MAX) {
		config_problem(log, "exception: more than %u ports", STACK_PORTS_MAX);
		return;
	}
	snprintf(x->port, sizeof x->port, "%s", port);
	snprintf(x->tap, sizeof x->tap, "%s", tap);
	cfg->n_exceptions++;
}

void
exceptions_set(struct config *cfg, char *value, struct config_log *log)
{
	const char *port = "";
	char *word;

	if (strcmp(value, "none") == 0) {
		cfg->n_exceptions = 0;
		return;
	}
	while ((word = config_word(&value))) {
		if (strncmp(word, TAP, strlen(TAP)) == 0) {
			exception_add(cfg, port, word + strlen(TAP), log);
			port = "";
		} else if (*port) {
			break;
		} else if (strlen(word) < CONFIG_NAME_MAX) {
			port = word;
		} else {
			config_problem(log, "the name '%s' is too long", config_quote(word).text);
			return;
		}
	}
	if (*port)
		config_problem(log, "exception: no interface (such as tap:mtcpk0) follows '%s'",
		               config_quote(port).text);
}

void
exceptions_show(const struct config *cfg, FILE *out)
{
	if (cfg->n_exceptions == 0)
		fputs("none", out);
	for (unsigned i = 0; i < cfg->n_exceptions; i++) {
		const struct config_exception *x = &cfg->exception[i];

		fprintf(out, "%s%s%s" TAP "%s", i ? " " : "", x->port, *x->port ? " " : "", x->tap);
	}
}

static int
port_of(const struct config *cfg, const struct config_exception *x)
{
	return *x->port ? ports_index(cfg, x->port) : 0;
}

void
exceptions_check(const struct config *cfg, struct config_log *log)
{
	unsigned seen = 0;

	static_assert(STACK_PORTS_MAX < 32, "a bit each");
	for (unsigned i = 0; i < cfg->n_exceptions; i++) {
		int port = port_of(cfg, &cfg->exception[i]);

		if (port < 0) {
			config_problem(log, "exception names the port '%s', which is not in: port",
			               config_quote(cfg->exception[i].port).text);
			continue;
		}
		if (seen & 1u << port)
			config_problem(log, "exception: port %s has two interfaces",
			               cfg->port[port].name);
		seen |= 1u << port;
	}
}

const char *
exceptions_tap(const struct config *cfg, unsigned port)
{
	for (unsigned i = 0; i < cfg->n_exceptions; i++)
		if (port_of(cfg, &cfg->exception[i]) == (int)port)
			return cfg->exception[i].tap;
	return NULL;
}
