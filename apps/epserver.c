/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * epserver: a web server for files.
 *
 * A web_server on each core accepts web_conns; web_exchange reads what they ask for and
 * answers with a file of www.
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "apps/app_args.h"
#include "apps/app_run.h"
#include "apps/web_server.h"
#include "mtcp_api.h"

/* What one worker leaves behind. */
struct report {
	const struct server_options *options;
	struct tally tally[APP_CORES_MAX];
};

static int
serve(struct app_run *run, mctx_t ctx, int index, int core)
{
	struct report *report = run->state;

	(void)core;
	return server_run(run, ctx, report->options, &report->tally[index]);
}

/* ---- the command --------------------------------------------------------- */

static const char help[] =
	"usage: epserver -p WWW_DIR -f FILE [options]\n"
	"Serves the files below WWW_DIR over HTTP.\n"
	"\n"
	"  -p, --www DIR           the directory to serve\n"
	"      --port PORT         listen on PORT (80)\n"
	"  -c, --core CORE_ID      serve on this core only\n"
	"  -b, --backlog N         connections that may wait to be accepted, per core (4096)\n"
	"      --timeout SECONDS   close a connection without progress after this long (60)\n"
	APP_OPTIONS_HELP
	"\n"
	"SIGINT, SIGTERM and SIGHUP end it in order, with a summary.\n";

static int
own_option(struct server_options *o, int option, const char *value)
{
	long n;

	switch (option) {
	case 'p':
		o->dir = value;
		return APP_GO_ON;
	case 'c':
		if (!app_number(&o->common, "-c", value, 0, APP_CORES_MAX - 1, &n))
			return EXIT_FAILURE;
		o->common.core = (int)n;
		return APP_GO_ON;
	case 'b':
		if (!app_number(&o->common, "-b", value, 1, 1 << 20, &n))
			return EXIT_FAILURE;
		o->backlog = (int)n;
		return APP_GO_ON;
	case APP_OPT_OWN:
		if (!app_number(&o->common, "--port", value, 1, 65535, &n))
			return EXIT_FAILURE;
		o->port = (int)n;
		return APP_GO_ON;
	case APP_OPT_OWN + 1:
		if (!app_number(&o->common, "--timeout", value, 1, 86400, &o->idle_s))
			return EXIT_FAILURE;
		return APP_GO_ON;
	default:
		return app_option(&o->common, option, value, help);
	}
}

static int
read_options(struct server_options *o, int argc, char **argv)
{
	static const struct option table[] = {
		APP_LONG_OPTIONS,
		{"www", required_argument, NULL, 'p'},
		{"core", required_argument, NULL, 'c'},
		{"backlog", required_argument, NULL, 'b'},
		{"port", required_argument, NULL, APP_OPT_OWN},
		{"timeout", required_argument, NULL, APP_OPT_OWN + 1},
		{NULL, 0, NULL, 0},
	};
	int option, status;

	while ((option = getopt_long(argc, argv, APP_SHORT_OPTIONS "p:c:b:", table, NULL)) != -1) {
		status = own_option(o, option, optarg);
		if (status != APP_GO_ON)
			return status;
	}
	if (optind < argc) {
		app_error(&o->common, "%s: what is this for? (directories follow -p)", argv[optind]);
		return EXIT_FAILURE;
	}
	return APP_GO_ON;
}

/* Said before the library starts, so that it costs no second. */
static int
check_dir(const struct server_options *o)
{
	int fd;

	if (o->common.check || o->common.dump)
		return APP_GO_ON;
	if (!o->dir) {
		app_error(&o->common, "nothing to serve; name a directory with -p DIR");
		return EXIT_FAILURE;
	}
	fd = open(o->dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0) {
		app_error(&o->common, "-p %s: %m; name a directory that can be read", o->dir);
		return EXIT_FAILURE;
	}
	close(fd);
	return APP_GO_ON;
}

static void
summary(const struct report *report)
{
	struct tally all = {0};

	for (int i = 0; i < APP_CORES_MAX; i++) {
		const struct tally *t = &report->tally[i];

		all.accepted += t->accepted;
		all.requests += t->requests;
		all.good += t->good;
		all.refused += t->refused;
		all.bytes += t->bytes;
		all.timeouts += t->timeouts;
		all.resets += t->resets;
	}
	printf("epserver: %llu connections, %llu requests (%llu served, %llu refused), "
	       "%.1f MB sent, %llu timeouts, %llu resets\n",
	       (unsigned long long)all.accepted, (unsigned long long)all.requests,
	       (unsigned long long)all.good, (unsigned long long)all.refused,
	       (double)all.bytes / 1e6, (unsigned long long)all.timeouts,
	       (unsigned long long)all.resets);
	fflush(stdout);
}

/* Every core listens. */
static void
say_serving(struct app_run *run)
{
	const struct report *report = run->state;

	printf("epserver: serving %s on port %d, %d core%s\n", report->options->dir,
	       report->options->port, run->workers, run->workers == 1 ? "" : "s");
	fflush(stdout);
}

static int
run_server(const struct server_options *o)
{
	struct report report = {.options = o};
	struct app_run run = {
		.args = &o->common, .work = serve, .ready = say_serving, .state = &report,
	};
	int status;

	run.workers = o->common.core >= 0 ? 1 : o->common.cores;
	status = app_run(&run);
	summary(&report);
	mtcp_destroy();
	return status == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}

int
main(int argc, char **argv)
{
	struct server_options o = {
		.common = {.name = "epserver", .core = -1},
		.port = 80,
		.backlog = 4096,
		.idle_s = 60,
	};
	int status = read_options(&o, argc, argv);

	if (status == APP_GO_ON)
		status = check_dir(&o);
	if (status == APP_GO_ON)
		status = app_start(&o.common);
	return status == APP_GO_ON ? run_server(&o) : status;
}
