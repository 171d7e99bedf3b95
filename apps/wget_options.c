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
#include <unistd.h>

#include "apps/app_run.h"

#define DAYS_S   864000 /* ten days */
#define RATE_MAX 1000000000

static const char help[] =
	"usage: epwget URL TOTAL_FLOWS -f FILE [options]\n"
	"       epwget URL -d SECONDS -f FILE [options]\n"
	"       epwget --merge [--json FILE] [--report FILE] RESULT...\n"
	"Fetches URL, [http://]ADDRESS[:PORT]/PATH, over TOTAL_FLOWS connections or for some\n"
	"time; or adds up results that --json wrote on several machines.\n"
	"\n"
	"  -c, --concurrency N     connections open at a time, on all cores together (100)\n"
	"  -n, --core CORE_ID      run on this core only\n"
	"  -o, --output FILE       keep the body; FILE.0, FILE.1, … with several flows\n"
	"      --keep-alive[=N]    make N requests (100) on each connection\n"
	"      --source LIST       connect from these addresses in turn: A, A-B or A/PREFIX, …\n"
	"      --timeout SECONDS   a connection without progress for this long failed (30)\n"
	"      --expect-size N     each body must have N bytes\n"
	"      --expect-sha256 HEX each body must have this SHA-256\n"
	"  -d, --duration SECONDS  measure for this long\n"
	"      --warm-up SECONDS   before that, run without counting (0)\n"
	"      --rate N            N requests a second in all, whatever the server does; each\n"
	"                          is timed from when it was due (needs -d)\n"
	"      --poisson           with --rate: at random times, not at equal distances\n"
	"      --json FILE         write the result for programs and for --merge\n"
	"      --report FILE       write the result as one page of HTML\n"
	"      --progress          show a line of progress even if no terminal is there\n"
	"      --no-progress       show none\n"
	APP_OPTIONS_HELP
	"\n"
	"The status is 0 when every response was complete, with status 200 and as expected.\n"
	"SIGINT, SIGTERM and SIGHUP end it in order, with the summary so far.\n";

enum {
	OPT_KEEP_ALIVE = APP_OPT_OWN,
	OPT_TIMEOUT,
	OPT_SIZE,
	OPT_SHA256,
	OPT_SOURCE,
	OPT_WARM_UP,
	OPT_RATE,
	OPT_POISSON,
	OPT_JSON,
	OPT_REPORT,
	OPT_PROGRESS,
	OPT_NO_PROGRESS,
	OPT_MERGE
};

static bool
read_digest(struct options *o, const char *text)
{
	if (strlen(text) == 2 * SHA256_SIZE &&
	    strspn(text, "0123456789abcdefABCDEF") == 2 * SHA256_SIZE) {
		for (size_t i = 0; i < SHA256_SIZE; i++) {
			char byte[3] = { text[2 * i], text[2 * i + 1], '\0' };

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

static bool
read_sources(struct options *o, const char *text)
{
	char where[64];
	const char *wrong = sources_parse(&o->sources, text, where);

	if (wrong)
		app_error(&o->common, "--source %s: %s", where, wrong);
	return !wrong;
}

/* The options that shape the load; false: it is none of them. */
static bool
load_option(struct options *o, int option, const char *value, bool *good)
{
	const struct app_args *a = &o->common;

	switch (option) {
	case 'd':
		*good = app_number(a, "-d", value, 1, DAYS_S, &o->duration_s);
		return true;
	case OPT_WARM_UP:
		*good = app_number(a, "--warm-up", value, 0, DAYS_S, &o->warm_up_s);
		return true;
	case OPT_RATE:
		*good = app_number(a, "--rate", value, 1, RATE_MAX, &o->rate);
		return true;
	case OPT_POISSON:
		o->poisson = true;
		return true;
	case OPT_SOURCE:
		*good = read_sources(o, value);
		return true;
	case OPT_KEEP_ALIVE:
		o->per_flow = 100;
		*good =
		    !value || app_number(a, "--keep-alive", value, 1, LONG_MAX, &o->per_flow);
		return true;
	default:
		return false;
	}
}

/* The options that say where results go; false: it is none of them. */
static bool
result_option(struct options *o, int option, const char *value)
{
	switch (option) {
	case OPT_JSON:
		o->json = value;
		return true;
	case OPT_REPORT:
		o->report = value;
		return true;
	case OPT_PROGRESS:
	case OPT_NO_PROGRESS:
		o->progress = option == OPT_PROGRESS;
		return true;
	case OPT_MERGE:
		o->merge = true;
		return true;
	default:
		return false;
	}
}

static int
own_option(struct options *o, int option, const char *value)
{
	const struct app_args *a = &o->common;
	bool good = true;

	if (load_option(o, option, value, &good) || result_option(o, option, value))
		return good ? APP_GO_ON : EXIT_FAILURE;
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
		{ "concurrency", required_argument, NULL, 'c' },
		{ "core", required_argument, NULL, 'n' },
		{ "output", required_argument, NULL, 'o' },
		{ "keep-alive", optional_argument, NULL, OPT_KEEP_ALIVE },
		{ "timeout", required_argument, NULL, OPT_TIMEOUT },
		{ "expect-size", required_argument, NULL, OPT_SIZE },
		{ "expect-sha256", required_argument, NULL, OPT_SHA256 },
		{ "source", required_argument, NULL, OPT_SOURCE },
		{ "duration", required_argument, NULL, 'd' },
		{ "warm-up", required_argument, NULL, OPT_WARM_UP },
		{ "rate", required_argument, NULL, OPT_RATE },
		{ "poisson", no_argument, NULL, OPT_POISSON },
		{ "json", required_argument, NULL, OPT_JSON },
		{ "report", required_argument, NULL, OPT_REPORT },
		{ "progress", no_argument, NULL, OPT_PROGRESS },
		{ "no-progress", no_argument, NULL, OPT_NO_PROGRESS },
		{ "merge", no_argument, NULL, OPT_MERGE },
		{ NULL, 0, NULL, 0 },
	};
	static const char letters[] = APP_SHORT_OPTIONS "c:d:n:o:";
	int option, status;

	while ((option = getopt_long(argc, argv, letters, table, NULL)) != -1) {
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

/* What does not go together. */
static const char *
contradiction(const struct options *o)
{
	if (o->out && (o->per_flow > 1 || o->flows == 0))
		return "-o keeps one body a connection; give TOTAL_FLOWS, without --keep-alive";
	if (o->rate > 0 && o->duration_s == 0)
		return "--rate needs -d SECONDS";
	if (o->rate > 0 && o->flows > 0)
		return "--rate says how many requests there are; leave TOTAL_FLOWS away";
	if (o->poisson && o->rate == 0)
		return "--poisson needs --rate N";
	if (o->sources.total > 0 && o->sources.family != o->server.ss_family)
		return "--source has addresses of another family than the server's";
	return NULL;
}

static int
read_merge(struct options *o, int argc, char **argv)
{
	o->inputs = argv + optind;
	if (argc > optind)
		return APP_GO_ON;
	app_error(&o->common, "--merge: name the files that --json wrote");
	return EXIT_FAILURE;
}

static int
read_target(struct options *o, int argc, char **argv)
{
	const char *wrong;

	if (argc - optind != 2 && !(argc - optind == 1 && o->duration_s > 0)) {
		app_error(&o->common, "give a URL and a number of connections, for example: "
		                      "epwget 10.0.0.2/index.html 1000 -f epwget.conf");
		return EXIT_FAILURE;
	}
	wrong = http_url_parse(&o->url, argv[optind]);
	if (wrong) {
		app_error(&o->common, "%s: %s", argv[optind], wrong);
		return EXIT_FAILURE;
	}
	o->target = argv[optind];
	if (!find_server(o))
		return EXIT_FAILURE;
	if (argc - optind == 2 &&
	    !app_number(&o->common, "TOTAL_FLOWS", argv[optind + 1], 1, LONG_MAX, &o->flows))
		return EXIT_FAILURE;
	return APP_GO_ON;
}

static int
read_arguments(struct options *o, int argc, char **argv)
{
	const char *wrong;
	int status;

	if (o->merge)
		return read_merge(o, argc, argv);
	if (o->common.check || o->common.dump)
		return APP_GO_ON;
	status = read_target(o, argc, argv);
	if (status != APP_GO_ON)
		return status;
	wrong = contradiction(o);
	if (wrong) {
		app_error(&o->common, "%s", wrong);
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
		.common = { .name = "epwget", .core = -1 },
		.concurrency = 100,
		.per_flow = 1,
		.timeout_s = 30,
		.check = { .size = -1 },
		.progress = isatty(STDERR_FILENO) == 1,
	};
	status = read_options(o, argc, argv);
	return status == APP_GO_ON ? read_arguments(o, argc, argv) : status;
}
