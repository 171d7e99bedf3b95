/* SPDX-License-Identifier: BSD-3-Clause */
/* The command line of epwget: what it becomes, and what is refused. */
#include <CUnit/CUnit.h>
#include <fcntl.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "apps/wget_options.h"

#define WORDS_MAX 24

/* Reads a line of words; what it says on standard error is nobody's business here. */
static int
read_line(struct options *o, const char *line)
{
	static char text[512];
	char *argv[WORDS_MAX] = { NULL };
	int argc = 0, status, null = open("/dev/null", O_WRONLY | O_CLOEXEC);
	int saved = dup(STDERR_FILENO);

	snprintf(text, sizeof(text), "epwget %s", line);
	for (char *w = strtok(text, " "); w && argc < WORDS_MAX - 1; w = strtok(NULL, " "))
		argv[argc++] = w;
	dup2(null, STDERR_FILENO);
	optind = 0; /* start over, for the C library */
	status = options_read(o, argc, argv);
	dup2(saved, STDERR_FILENO);
	close(saved);
	close(null);
	return status;
}

static void
test_the_original_command_line_is_a_closed_loop_of_so_many_flows(void)
{
	struct options o;

	CU_ASSERT_EQUAL(read_line(&o, "10.0.0.1:81/x 1000 -N 2 -c 50 -n 1 -o out -f a.conf"),
	                APP_GO_ON);
	CU_ASSERT_EQUAL(o.flows, 1000);
	CU_ASSERT_EQUAL(o.common.cores, 2);
	CU_ASSERT_EQUAL(o.common.core, 1);
	CU_ASSERT_EQUAL(o.concurrency, 50);
	CU_ASSERT_EQUAL(o.per_flow, 1);
	CU_ASSERT_EQUAL(o.rate, 0);
	CU_ASSERT_EQUAL(o.duration_s, 0);
	CU_ASSERT_STRING_EQUAL(o.out, "out");
	CU_ASSERT_PTR_NOT_NULL(strstr(o.request, "GET /x HTTP/1.1\r\nHost: 10.0.0.1:81\r\n"));
	CU_ASSERT_PTR_NOT_NULL(strstr(o.request, "Connection: close"));
	CU_ASSERT_EQUAL(o.request_len, strlen(o.request));
}

static void
test_an_open_loop(void)
{
	struct options o;

	CU_ASSERT_EQUAL(read_line(&o, "10.0.0.1/ -d 60 --warm-up 5 --rate 9000 --poisson "
	                              "--keep-alive=7 --source 10.0.0.2-10.0.0.5 -f a.conf "
	                              "--json a --report b --progress"),
	                APP_GO_ON);
	CU_ASSERT_EQUAL(o.flows, 0);
	CU_ASSERT_EQUAL(o.duration_s, 60);
	CU_ASSERT_EQUAL(o.warm_up_s, 5);
	CU_ASSERT_EQUAL(o.rate, 9000);
	CU_ASSERT_TRUE(o.poisson);
	CU_ASSERT_TRUE(o.progress);
	CU_ASSERT_EQUAL(o.per_flow, 7);
	CU_ASSERT_EQUAL(o.sources.total, 4);
	CU_ASSERT_STRING_EQUAL(o.json, "a");
	CU_ASSERT_STRING_EQUAL(o.report, "b");
	CU_ASSERT_PTR_NOT_NULL(strstr(o.request, "Connection: keep-alive"));
}

static void
test_merge_takes_files_and_needs_no_configuration(void)
{
	struct options o;

	CU_ASSERT_EQUAL(read_line(&o, "--merge a.json b.json --json c.json"), APP_GO_ON);
	CU_ASSERT_TRUE(o.merge);
	CU_ASSERT_STRING_EQUAL(o.inputs[0], "a.json");
	CU_ASSERT_STRING_EQUAL(o.inputs[1], "b.json");
	CU_ASSERT_PTR_NULL(o.inputs[2]);
	CU_ASSERT_EQUAL(read_line(&o, "--merge"), EXIT_FAILURE);
}

static void
test_what_does_not_go_together_is_refused(void)
{
	static const char *const lines[] = {
		"",
		"10.0.0.1/",
		"10.0.0.1/ 0",
		"10.0.0.1/ 1 2",
		"server/ 1",
		"10.0.0.1/ 1 --rate 5",
		"10.0.0.1/ 1 --rate 5 -d 5",
		"10.0.0.1/ -d 0",
		"10.0.0.1/ -d 5 --rate 0",
		"10.0.0.1/ -d 5 --poisson",
		"10.0.0.1/ -d 5 -o out",
		"10.0.0.1/ 5 -o out --keep-alive",
		"10.0.0.1/ -d 5 --source 10.0.0.x",
		"10.0.0.1/ -d 5 --source ::1",
		"10.0.0.1/ 5 --expect-sha256 12",
		"10.0.0.1/ 5 --warm-up -1",
		"10.0.0.1/ 5 --no-such-option",
	};
	struct options o;

	for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
		if (read_line(&o, lines[i]) == EXIT_FAILURE)
			continue;
		printf("\n%s\n", lines[i]);
		CU_FAIL("was not refused");
	}
}

void suite_wget_options(void);

void
suite_wget_options(void)
{
	CU_pSuite s = CU_add_suite("wget_options", NULL, NULL);

	CU_add_test(s, "the original command line is a closed loop of so many flows",
	            test_the_original_command_line_is_a_closed_loop_of_so_many_flows);
	CU_add_test(s, "an open loop", test_an_open_loop);
	CU_add_test(s, "--merge takes files and needs no configuration",
	            test_merge_takes_files_and_needs_no_configuration);
	CU_add_test(s, "what does not go together is refused",
	            test_what_does_not_go_together_is_refused);
}
