/* SPDX-License-Identifier: BSD-3-Clause */
/* The log that remembers, and what of it an error quotes. */
#include "io_engine/io_dpdk_log.h"

#include <CUnit/CUnit.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

/* The level that the next line has: the first character of what was printed
 * last would do, but the log asks without an argument. */
static int level_now;

static int
level(void)
{
	return level_now;
}

static void
say(struct io_dpdk_log *log, int lvl, const char *text)
{
	level_now = lvl;
	fputs(text, io_dpdk_log_stream(log));
}

static void
check_quote(struct io_dpdk_log *log, unsigned mark, const char *expect)
{
	char buf[300];

	CU_ASSERT_STRING_EQUAL(io_dpdk_log_quote(log, mark, buf, sizeof buf), expect);
}

static void
test_the_first_errors_are_quoted_without_summaries(void)
{
	struct io_dpdk_log *log = io_dpdk_log_new(level, NULL);

	CU_ASSERT_PTR_NOT_NULL_FATAL(log);
	say(log, 7, "EAL: Detected CPU lcores: 2\n");
	say(log, 4, "EAL: Bus (vdev) probe failed.\n");
	check_quote(log, 0, "");
	say(log, 5, "a warning\n");
	check_quote(log, 0, "a warning");
	say(log, 4, "open(): no such ");
	say(log, 4, "file.\n");
	say(log, 4, "open(): no such file.\n");
	say(log, 4, "init(): failed\n");
	say(log, 4, "third\n");
	check_quote(log, 0, "open(): no such file; init(): failed");
	io_dpdk_log_free(log);
}

static void
test_a_mark_leaves_out_what_was_before(void)
{
	struct io_dpdk_log *log = io_dpdk_log_new(level, NULL);
	unsigned mark;

	CU_ASSERT_PTR_NOT_NULL_FATAL(log);
	say(log, 4, "old\n");
	mark = io_dpdk_log_mark(log);
	check_quote(log, mark, "");
	say(log, 4, "new\n");
	check_quote(log, mark, "new");
	io_dpdk_log_free(log);
}

static void
test_help_text_does_not_push_out_the_reason(void)
{
	struct io_dpdk_log *log = io_dpdk_log_new(level, NULL);

	CU_ASSERT_PTR_NOT_NULL_FATAL(log);
	say(log, 7, "mtcp: unrecognized option '--x'\n");
	for (unsigned i = 0; i < 200; i++)
		say(log, 4, "  --option   what it does\n");
	check_quote(log, 0, "mtcp: unrecognized option '--x'");
	io_dpdk_log_free(log);
}

static void
test_long_lines_and_many_lines_are_bounded(void)
{
	struct io_dpdk_log *log = io_dpdk_log_new(level, NULL);
	char longer[1000], buf[64];

	CU_ASSERT_PTR_NOT_NULL_FATAL(log);
	memset(longer, 'x', sizeof longer - 2);
	longer[sizeof longer - 2] = '\n';
	longer[sizeof longer - 1] = '\0';
	for (unsigned i = 0; i < 300; i++)
		say(log, 4, longer);
	io_dpdk_log_quote(log, 0, buf, sizeof buf);
	CU_ASSERT_EQUAL(strlen(buf), sizeof buf - 1);
	io_dpdk_log_free(log);
}

static void
test_an_echo_hears_everything(void)
{
	char *heard = NULL;
	size_t size = 0;
	FILE *echo = open_memstream(&heard, &size);
	struct io_dpdk_log *log = io_dpdk_log_new(level, echo);

	CU_ASSERT_PTR_NOT_NULL_FATAL(log);
	say(log, 8, "debug\n  indented\n");
	io_dpdk_log_free(log);
	fclose(echo);
	CU_ASSERT_STRING_EQUAL(heard, "debug\n  indented\n");
	free(heard);
}

static void
test_last_words_before_an_abort_are_heard(void)
{
	struct io_dpdk_log *log = io_dpdk_log_new(level, NULL);
	int was = dup(STDERR_FILENO), heard = memfd_create("heard", MFD_CLOEXEC);
	char buf[64] = { 0 };

	CU_ASSERT_PTR_NOT_NULL_FATAL(log);
	CU_ASSERT_FATAL(was >= 0 && heard >= 0);
	dup2(heard, STDERR_FILENO);
	say(log, 0, "printed, not logged\n");
	say(log, 4, "an error is quoted by who asks\n");
	say(log, 3, "PANIC in there():\n");
	say(log, 3, "no way\n");
	dup2(was, STDERR_FILENO);
	CU_ASSERT_EQUAL(pread(heard, buf, sizeof buf - 1, 0), 37);
	CU_ASSERT_STRING_EQUAL(buf, "DPDK: PANIC in there():\nDPDK: no way\n");
	close(heard);
	close(was);
	io_dpdk_log_free(log);
}

void suite_io_dpdk_log(void);

void
suite_io_dpdk_log(void)
{
	CU_pSuite s = CU_add_suite("io_dpdk_log", NULL, NULL);

	CU_add_test(s, "the first errors are quoted without summaries",
	            test_the_first_errors_are_quoted_without_summaries);
	CU_add_test(s, "a mark leaves out what was before", test_a_mark_leaves_out_what_was_before);
	CU_add_test(s, "help text does not push out the reason",
	            test_help_text_does_not_push_out_the_reason);
	CU_add_test(s, "long lines and many lines are bounded",
	            test_long_lines_and_many_lines_are_bounded);
	CU_add_test(s, "an echo hears everything", test_an_echo_hears_everything);
	CU_add_test(s, "last words before an abort are heard",
	            test_last_words_before_an_abort_are_heard);
}
