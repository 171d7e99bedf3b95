/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The shared start of every application.  Each mistake is one line that says
 * what, where and what to do; the library's own lines stand as they are.
 */
#include "apps/app_args.h"

#include <errno.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "apps/app_run.h"
#include "mtcp_api.h"

void
app_error(const struct app_args *a, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	fprintf(stderr, "%s: ", a->name);
	vfprintf(stderr, format, args);
	fputc('\n', stderr);
	va_end(args);
}

bool
app_number(const struct app_args *a, const char *option, const char *text, long min, long max,
           long *out)
{
	char *end;

	errno = 0;
	*out = strtol(text, &end, 10);
	if (errno == 0 && end != text && *end == '\0' && *out >= min && *out <= max)
		return true;
	if (max == LONG_MAX)
		app_error(a, "%s %s: give a whole number, %ld or more", option, text, min);
	else
		app_error(a, "%s %s: give a whole number from %ld to %ld", option, text, min, max);
	return false;
}

static int
add_set(struct app_args *a, const char *assignment)
{
	if (a->nsets == APP_SETS_MAX) {
		app_error(a, "--set: at most %d of them; put the keys into the file", APP_SETS_MAX);
		return EXIT_FAILURE;
	}
	a->sets[a->nsets++] = assignment;
	return APP_GO_ON;
}

int
app_option(struct app_args *a, int option, const char *value, const char *help)
{
	long n;

	switch (option) {
	case 'f':
		a->config = value;
		return APP_GO_ON;
	case 'N':
		if (!app_number(a, "-N", value, 1, APP_CORES_MAX, &n))
			return EXIT_FAILURE;
		a->cores = (int)n;
		return APP_GO_ON;
	case APP_OPT_SET:
		return add_set(a, value);
	case APP_OPT_USAGE:
		a->usage = true;
		return APP_GO_ON;
	case APP_OPT_CHECK:
		a->check = value;
		return APP_GO_ON;
	case APP_OPT_DUMP:
		a->dump = true;
		return APP_GO_ON;
	case APP_OPT_VERSION:
		printf("%s (mtcp) %s\n", a->name, MTCP_VERSION);
		return EXIT_SUCCESS;
	case 'h':
		fputs(help, stdout);
		return EXIT_SUCCESS;
	default: /* getopt_long() has said what is wrong */
		fprintf(stderr, "Try '%s --help'.\n", a->name);
		return EXIT_FAILURE;
	}
}

static int
check_config(const struct app_args *a)
{
	if (mtcp_check_config(a->check, stderr) != 0)
		return EXIT_FAILURE;
	printf("%s: good\n", a->check);
	return EXIT_SUCCESS;
}

static int
dump_config(const struct app_args *a)
{
	if (mtcp_check_config(a->config, stderr) != 0)
		return EXIT_FAILURE;
	if (mtcp_dump_config(stdout) != 0 || fflush(stdout) != 0) {
		app_error(a, "cannot write the configuration: %m");
		return EXIT_FAILURE;
	}
	return EXIT_SUCCESS;
}

/* The command line's overrides; the library says what is wrong with one. */
static bool
override_config(const struct app_args *a)
{
	char cores[32];

	for (int i = 0; i < a->nsets; i++)
		if (mtcp_config_set(a->sets[i]) != 0)
			return false;
	if (a->cores == 0)
		return true;
	snprintf(cores, sizeof(cores), "num_cores = %d", a->cores);
	return mtcp_config_set(cores) == 0;
}

static int
init_library(struct app_args *a)
{
	struct mtcp_conf conf;

	/* Threads that the library starts inherit the mask: do it first. */
	app_block_signals();
	if (mtcp_init(a->config) != 0)
		return EXIT_FAILURE;
	if (mtcp_getconf(&conf) != 0) {
		app_error(a, "cannot read the configuration back: %m");
		mtcp_destroy();
		return EXIT_FAILURE;
	}
	a->cores = conf.num_cores < APP_CORES_MAX ? conf.num_cores : APP_CORES_MAX;
	if (a->core >= a->cores) {
		app_error(a, "core %d: only cores 0 to %d are configured; raise num_cores", a->core,
		          a->cores - 1);
		mtcp_destroy();
		return EXIT_FAILURE;
	}
	return APP_GO_ON;
}

int
app_start(struct app_args *a)
{
	if (a->check)
		return check_config(a);
	if (!a->config) {
		app_error(a, "no configuration; name one with -f FILE (see mtcp.conf(5))");
		return EXIT_FAILURE;
	}
	if (!override_config(a))
		return EXIT_FAILURE;
	if (a->dump)
		return dump_config(a);
	return init_library(a);
}
