/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The runner of all unit tests.  suites.h names the suites; each test_x.c
 * defines suite_x(), which registers one CUnit suite.  A suite that registers
 * nothing, a filter that matches nothing and a run without tests are failures:
 * silence must never look like success.
 */
#include <CUnit/Basic.h>
#include <CUnit/CUnit.h>

#include <fnmatch.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SUITE(name) void suite_##name(void);
#include "test/suites.h"
#undef SUITE

struct suite {
	const char *name;
	void (*add)(void);
};

/* The last entry is the end, so that the table may be empty. */
static const struct suite suites[] = {
#define SUITE(name) { #name, suite_##name },
#include "test/suites.h"
#undef SUITE
	{ NULL, NULL },
};

struct choice {
	CU_BasicRunMode mode;
	bool list;
	const char *results; /* file for one line a test; NULL: none */
	int npatterns;
	char **patterns; /* shell patterns of suite names; none means all */
};

static int
usage(FILE *to, int status)
{
	fputs("usage: unit [--list] [--verbose] [--results=FILE] [suite ...]\n"
	      "  --list     names of the suites\n"
	      "  --results  suite, test, and passed or failed, into FILE, tabs between\n"
	      "  --verbose  name each test as it runs\n"
	      "  suite      run these only; shell patterns such as 'tcp_*' match\n",
	      to);
	return status;
}

/* Returns 0, or 1 when an option is unknown. */
static int
choice_parse(struct choice *ch, int argc, char **argv)
{
	int i;

	*ch = (struct choice){ .mode = CU_BRM_NORMAL };
	for (i = 1; i < argc && argv[i][0] == '-'; i++) {
		if (strcmp(argv[i], "--list") == 0)
			ch->list = true;
		else if (strncmp(argv[i], "--results=", 10) == 0)
			ch->results = argv[i] + 10;
		else if (strcmp(argv[i], "--verbose") == 0)
			ch->mode = CU_BRM_VERBOSE;
		else
			return 1;
	}
	ch->npatterns = argc - i;
	ch->patterns = argv + i;
	return 0;
}

static bool
choice_wants(const struct choice *ch, const char *name)
{
	if (ch->npatterns == 0)
		return true;
	for (int i = 0; i < ch->npatterns; i++) {
		if (fnmatch(ch->patterns[i], name, 0) == 0)
			return true;
	}
	return false;
}

static int
list_suites(void)
{
	for (const struct suite *s = suites; s->name; s++)
		puts(s->name);
	return 0;
}

/* Registers one suite.  Returns the number of failures: 0, or 1 when it brought no test. */
static unsigned
suite_register(const struct suite *s)
{
	unsigned before = CU_get_registry()->uiNumberOfTests;

	s->add();
	if (CU_get_registry()->uiNumberOfTests > before)
		return 0;
	printf("suite %s registered no test: %s\n", s->name, CU_get_error_msg());
	return 1;
}

/* Registers what was asked for.  Returns the number of failures. */
static unsigned
suites_register(const struct choice *ch)
{
	unsigned failed = 0;

	for (const struct suite *s = suites; s->name; s++) {
		if (choice_wants(ch, s->name))
			failed += suite_register(s);
	}
	return failed;
}

static const char *
result_of(CU_pTest t)
{
	for (CU_pFailureRecord f = CU_get_failure_list(); f; f = f->pNext) {
		if (f->pTest == t)
			return "failed";
	}
	return "passed";
}

/* A line for each test that was registered. */
static void
results_print(FILE *to)
{
	for (CU_pSuite s = CU_get_registry()->pSuite; s; s = s->pNext) {
		for (CU_pTest t = s->pTest; t; t = t->pNext)
			fprintf(to, "%s\t%s\t%s\n", s->pName, t->pName, result_of(t));
	}
}

/* Returns the number of failures: 0, or 1 when the file could not be written. */
static unsigned
results_write(const char *path)
{
	FILE *f = fopen(path, "w");

	if (f)
		results_print(f);
	if (f && fclose(f) == 0)
		return 0;
	perror(path);
	return 1;
}

/* Prints the closing line and returns the exit status. */
static int
verdict(unsigned failed)
{
	unsigned ran = CU_get_number_of_tests_run();
	unsigned bad = CU_get_number_of_tests_failed();

	failed += bad + CU_get_number_of_suites_failed();
	if (ran == 0) {
		puts("no test ran");
		failed++;
	}
	printf("%u passed, %u failed\n", ran - bad, failed);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}

int
main(int argc, char **argv)
{
	struct choice ch;
	unsigned failed;
	int status;

	if (argc == 2 && strcmp(argv[1], "--help") == 0)
		return usage(stdout, EXIT_SUCCESS);
	if (choice_parse(&ch, argc, argv))
		return usage(stderr, EXIT_FAILURE);
	if (ch.list)
		return list_suites();

	/* A crash must not take the name of the guilty suite with it. */
	setvbuf(stdout, NULL, _IOLBF, 0);
	if (CU_initialize_registry() != CUE_SUCCESS) {
		fprintf(stderr, "CUnit: %s\n", CU_get_error_msg());
		return EXIT_FAILURE;
	}
	failed = suites_register(&ch);
	CU_basic_set_mode(ch.mode);
	CU_basic_run_tests();
	/* CUnit flushes nothing and ends its summary without a newline. */
	putchar('\n');
	failed += ch.results ? results_write(ch.results) : 0;
	status = verdict(failed);
	CU_cleanup_registry();
	return status;
}
