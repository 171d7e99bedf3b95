/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once
/*
 * What every application does between main() and its work: the options all of
 * them share, numbers with good error lines, and the start of the library.
 */
#include <getopt.h>
#include <stdbool.h>

#define APP_SETS_MAX 32

struct app_args {
	const char *name;   /* of the program, in front of its messages */
	const char *config; /* -f */
	const char *check;  /* --check-config */
	bool dump;          /* --dump-config */
	bool usage;         /* --usage */
	int cores;          /* -N; 0: as many as are configured */
	int core;           /* run on this one only; -1: on all */
	int nsets;
	const char *sets[APP_SETS_MAX]; /* --set */
};

enum {
	APP_OPT_CHECK = 256,
	APP_OPT_DUMP,
	APP_OPT_SET,
	APP_OPT_USAGE,
	APP_OPT_VERSION,
	APP_OPT_OWN /* the first that an application may use for itself */
};

/* For the tables of getopt_long(). */
#define APP_SHORT_OPTIONS "f:N:h"
#define APP_LONG_OPTIONS \
	{"config", required_argument, NULL, 'f'}, \
	{"cores", required_argument, NULL, 'N'}, \
	{"set", required_argument, NULL, APP_OPT_SET}, \
	{"usage", no_argument, NULL, APP_OPT_USAGE}, \
	{"check-config", required_argument, NULL, APP_OPT_CHECK}, \
	{"dump-config", no_argument, NULL, APP_OPT_DUMP}, \
	{"version", no_argument, NULL, APP_OPT_VERSION}, \
	{"help", no_argument, NULL, 'h'}

/* The lines of --help for them. */
#define APP_OPTIONS_HELP \
	"  -f, --config FILE       configuration (see mtcp.conf(5))\n" \
	"  -N, --cores N           use N cores instead of num_cores of FILE\n" \
	"      --set 'KEY = VALUE' override one key of FILE; may be repeated\n" \
	"      --usage             say at the end what each core has cost\n" \
	"      --check-config FILE say what is wrong with FILE, and exit\n" \
	"      --dump-config       show the effective configuration, and exit\n" \
	"      --version           show the version, and exit\n" \
	"  -h, --help              show this, and exit\n"

/* Go on with the next step; anything else is the status to exit with. */
#define APP_GO_ON (-1)

/* One line on standard error, the program's name in front. */
void app_error(const struct app_args *a, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

/* Reads a whole number from min to max, or says what is wrong and returns false. */
bool app_number(const struct app_args *a, const char *option, const char *text, long min,
                long max, long *out);

/*
 * Handles one of the shared options; help is the whole text of --help.
 * APP_GO_ON, or the status to exit with (also for an option nobody knows).
 */
int app_option(struct app_args *a, int option, const char *value, const char *help);

/*
 * Does what --check-config or --dump-config asked for, or else blocks the
 * signals that app_run() waits for and calls mtcp_init().
 * APP_GO_ON: the library runs and a->cores is how many cores there are.
 */
int app_start(struct app_args *a);
