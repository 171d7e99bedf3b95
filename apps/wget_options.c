/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The options of epwget, its URL and the request that they make.
 */
#include "apps/wget_options.h"

#include <arpa/inet.h>
#include <limits.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "apps/app_run.h"

static const char help[] =
	"usage: epwget URL TOTAL_FLOWS -f FILE [options]\n"
	"Fetches URL, [http://]ADDRESS[:PORT]/PATH, over TOTAL_FLOWS connections.\n"
	"\n"
	"  -c, --concurrency N     connections open at a time, on all cores together (100)\n"
	"  -n, --core CORE_ID      run on this core only\n"
	"  -o, --output FILE       keep the body; FILE.0, FILE.1, … with several flows\n"
	"      --keep-alive[=N]    make N requests (100) on each connection\n"
	"      --timeout SECONDS   a connection without progress for this long failed (30)\n"
	"      --expect-size N     each body must have N bytes\n"
	"      --expect-sha256 HEX each body must have this SHA-256\n"
	APP_OPTIONS_HELP
	"\n"
	"The status is 0 when every response was complete, with status 200 and as expected.\n"
	"SIGINT, SIGTERM and SIGHUP end it in order, with the summary so far.\n";

enum { OPT_KEEP_ALIVE = APP_OPT_OWN, OPT_TIMEOUT, OPT_SIZE, OPT_SHA256 };

static bool
read_digest(struct options *o, const char *text)
{
	if (strlen(text) == 2 * SHA256_SIZE &&
	    strspn(text, "0123456789abcdefABCDEF") == 2 * SHA256_SIZE) {
		for (size_t i = 0; i < SHA256_SIZE; i++) {
			char byte[3] = {text[2 * i], text[2 * i + 1], '\0'};

			o->check.digest[i] = (uint8_t)strtoul(byte, NULL, 16);
		}
		o->check.has_digest = true;
		return true;
	}
	app_error(&o->common, "--expect-sha256 %s: give 64 hexadecimal digits", text);
	return false;
}

static bool
read_core(struct options *o, const char *text)
{
	long n;

	if (!app_number(&o->common, "-n", text, 0, APP_CORES_MAX - 1, &n))
		return false;
	o->common.core = (int)n;
	return true;
}

static int
own_option(struct options *o, int option, const char *value)
{
	const struct app_args *a = &o->common;
	bool good = true;

	switch (option) {
	case 'c':
		good = app_number(a, "-c", value, 1, INT_MAX, &o->concurrency);
		break;
	case 'n':
		good = read_core(o, value);
		break;
	case 'o':
		o->out = value;
		break;
	case OPT_KEEP_ALIVE:
		o->per_flow = 100;
		good = !value || app_number(a, "--keep-alive", value, 1, LONG_MAX, &o->per_flow);
		break;
	case OPT_TIMEOUT:
		good = app_number(a, "--timeout", value, 1, 86400, &o->timeout_s);
		break;
	case OPT_SIZE:
		good = app_number(a, "--expect-size", value, 0, LONG_MAX, &o->check.size);
		break;
	case OPT_SHA256:
		good = read_digest(o, value);
		break;
	default:
		return app_option(&o->common, option, value, help);
	}
	return good ? APP_GO_ON : EXIT_FAILURE;
}

static int
read_options(struct options *o, int argc, char **argv)
{
	static const struct option table[] = {
		APP_LONG_OPTIONS,
		{"concurrency", required_argument, NULL, 'c'},
		{"core", required_argument, NULL, 'n'},
		{"output", required_argument, NULL, 'o'},
		{"keep-alive", optional_argument, NULL, OPT_KEEP_ALIVE},
		{"timeout", required_argument, NULL, OPT_TIMEOUT},
		{"expect-size", required_argument, NULL, OPT_SIZE},
		{"expect-sha256", required_argument, NULL, OPT_SHA256},
		{NULL, 0, NULL, 0},
	};
	int option, status;

	while ((option = getopt_long(argc, argv, APP_SHORT_OPTIONS "c:n:o:", table, NULL)) != -1) {
		status = own_option(o, option, optarg);
		if (status != APP_GO_ON)
			return status;
	}
	return APP_GO_ON;
}

/* Only addresses: there is no resolver on this side of the network. */
static bool
find_server(struct options *o)
{
	struct sockaddr_in *v4 = (struct sockaddr_in *)&o->server;
	struct sockaddr_in6 *v6 = (struct sockaddr_in6 *)&o->server;

	if (!o->url.bracketed && inet_pton(AF_INET, o->url.host, &v4->sin_addr) == 1) {
		v4->sin_family = AF_INET;
		v4->sin_port = htons(o->url.port);
		o->server_len = sizeof(*v4);
		return true;
	}
	if (o->url.bracketed && inet_pton(AF_INET6, o->url.host, &v6->sin6_addr) == 1) {
		v6->sin6_family = AF_INET6;
		v6->sin6_port = htons(o->url.port);
		o->server_len = sizeof(*v6);
		return true;
	}
	app_error(&o->common, "%s: not an IP address; names are not looked up", o->url.host);
	return false;
}

static void
make_request(struct options *o)
{
	const char *open = o->url.bracketed ? "[" : "", *close = o->url.bracketed ? "]" : "";
	char port[8] = "";

	if (o->url.port != 80)
		snprintf(port, sizeof(port), ":%u", o->url.port);
	o->request_len = (size_t)snprintf(
		o->request, sizeof(o->request),
		"GET %s HTTP/1.1\r\nHost: %s%s%s%s\r\nUser-Agent: epwget\r\nAccept: */*\r\n"
		"Connection: %s\r\n\r\n",
		o->url.path, open, o->url.host, close, port,
		o->per_flow > 1 ? "keep-alive" : "close");
}

static int
read_arguments(struct options *o, int argc, char **argv)
{
	const char *wrong;

	if (o->common.check || o->common.dump)
		return APP_GO_ON;
	if (argc - optind != 2) {
		app_error(&o->common, "give a URL and a number of connections, for example: "
		          "epwget 10.0.0.2/index.html 1000 -f epwget.conf");
		return EXIT_FAILURE;
	}
	wrong = http_url_parse(&o->url, argv[optind]);
	if (wrong) {
		app_error(&o->common, "%s: %s", argv[optind], wrong);
		return EXIT_FAILURE;
	}
	if (!find_server(o) ||
	    !app_number(&o->common, "TOTAL_FLOWS", argv[optind + 1], 1, LONG_MAX, &o->flows))
		return EXIT_FAILURE;
	if (o->out && o->per_flow > 1) {
		app_error(&o->common, "-o keeps one body a connection; leave --keep-alive away");
		return EXIT_FAILURE;
	}
	make_request(o);
	return APP_GO_ON;
}

int
options_read(struct options *o, int argc, char **argv)
{
	int status;

	*o = (struct options){
		.common = {.name = "epwget", .core = -1},
		.concurrency = 100,
		.per_flow = 1,
		.timeout_s = 30,
		.check = {.size = -1},
	};
	status = read_options(o, argc, argv);
	return status == APP_GO_ON ? read_arguments(o, argc, argv) : status;
}
