/* SPDX-License-Identifier: BSD-3-Clause */
/* Lines and words: whatever the bytes are, each line is seen whole, and once. */
#include <CUnit/CUnit.h>

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "api/config_text.h"

void suite_config_text(void);

/* Reads `text` and expects lines; "2:a b" is line 2 saying "a b". */
static void
lines_are(const char *text, const char *const *want)
{
	struct config_log log = { .file = "t" };
	struct config_text t;
	char shown[64];
	char *line;

	CU_ASSERT_EQUAL(config_text_copy(&t, text), 0);
	for (; *want; want++) {
		line = config_text_line(&t, &log);
		snprintf(shown, sizeof shown, "%u:%s", log.line, line ? line : "nothing");
		CU_ASSERT_STRING_EQUAL(shown, *want);
	}
	CU_ASSERT_PTR_NULL(config_text_line(&t, &log));
	CU_ASSERT_EQUAL(log.problems, 0);
	config_text_end(&t);
}

static void
test_lines_end_in_every_way_there_is(void)
{
	static const char *const want[] = { "1:a", "2:b", "3:c", NULL };
	static const char *const none[] = { NULL };

	lines_are("a\nb\nc\n", want);
	lines_are("a\r\nb\r\nc\r\n", want);
	lines_are("a\nb\nc", want);
	lines_are("a\nb\r\nc\r", want);
	lines_are("\xef\xbb\xbf" "a\nb\nc", want);
	lines_are("", none);
	lines_are("\n\n\n", none);
}

static void
test_comments_and_blank_lines_say_nothing(void)
{
	static const char *const want[] = { "2:a b", "4:c#d", "7:e", NULL };

	lines_are("# x\n  a b \t# y\n\t \n c#d\n#\n ## z\ne #", want);
}

static void
test_a_line_may_be_as_long_as_the_file(void)
{
	struct config_log log = { .file = "t" };
	struct config_text t;
	char *text = malloc(CONFIG_FILE_MAX + 2);

	memset(text, 'a', CONFIG_FILE_MAX + 1);
	text[CONFIG_FILE_MAX] = '\0';
	CU_ASSERT_EQUAL(config_text_copy(&t, text), 0);
	CU_ASSERT_EQUAL(strlen(config_text_line(&t, &log)), CONFIG_FILE_MAX);
	config_text_end(&t);

	text[CONFIG_FILE_MAX] = 'a';
	text[CONFIG_FILE_MAX + 1] = '\0';
	CU_ASSERT_EQUAL(config_text_copy(&t, text), -EFBIG);
	free(text);
}

/* A file with these bytes; the caller unlinks and frees its name. */
static char *
file_with(const char *bytes, size_t len)
{
	char *path = strdup("/tmp/mtcp_test_text_XXXXXX");
	int fd = mkstemp(path);

	CU_ASSERT_TRUE(fd >= 0 && write(fd, bytes, len) == (ssize_t)len);
	close(fd);
	return path;
}

static void
test_a_nul_byte_ends_the_reading_with_one_complaint(void)
{
	static const char bytes[] = "a = 1\nb\0= 2\nc = 3\n";
	char *path = file_with(bytes, sizeof bytes - 1);
	char *said = NULL;
	size_t len;
	struct config_log log = { .err = open_memstream(&said, &len), .file = "t" };
	struct config_text t;

	CU_ASSERT_EQUAL(config_text_read(&t, path), 0);
	CU_ASSERT_STRING_EQUAL(config_text_line(&t, &log), "a = 1");
	CU_ASSERT_PTR_NULL(config_text_line(&t, &log));
	CU_ASSERT_PTR_NULL(config_text_line(&t, &log));
	fclose(log.err);
	CU_ASSERT_STRING_EQUAL(said, "t:2: holds a NUL byte: not a text file\n");
	CU_ASSERT_EQUAL(log.problems, 1);
	config_text_end(&t);
	unlink(path);
	free(path);
	free(said);
}

static void
test_what_cannot_be_read_says_why(void)
{
	struct config_text t;

	CU_ASSERT_EQUAL(config_text_read(&t, "/nonexistent/x"), -ENOENT);
	CU_ASSERT_STRING_EQUAL(config_text_why(-ENOENT), "no such file");
	CU_ASSERT_EQUAL(config_text_read(&t, "/"), -EISDIR);
	CU_ASSERT_STRING_EQUAL(config_text_why(-EISDIR), "is a directory, not a file");
	CU_ASSERT_EQUAL(config_text_read(&t, "/dev/zero"), -EFBIG);
}

static void
test_an_unreadable_file_says_so(void)
{
	char *path = file_with("a", 1);
	struct config_text t;

	CU_ASSERT_EQUAL(chmod(path, 0), 0);
	if (geteuid() == 0) {
		/* Permissions stop everybody but root. */
		CU_ASSERT_EQUAL(config_text_read(&t, path), 0);
		config_text_end(&t);
	} else {
		CU_ASSERT_EQUAL(config_text_read(&t, path), -EACCES);
	}
	CU_ASSERT_STRING_EQUAL(config_text_why(-EACCES), "may not be read (see its permissions)");
	unlink(path);
	free(path);
}

static void
test_a_file_full_of_problems_is_given_up(void)
{
	struct config_log log = { .file = "t" };
	struct config_text t;
	char text[200];

	memset(text, '\n', sizeof text);
	for (size_t i = 0; i < sizeof text; i += 2)
		text[i] = 'a';
	text[sizeof text - 1] = '\0';
	CU_ASSERT_EQUAL(config_text_copy(&t, text), 0);
	while (config_text_line(&t, &log))
		config_problem(&log, "no");
	CU_ASSERT_EQUAL(log.problems, CONFIG_PROBLEMS_MAX + 1);
	config_text_end(&t);
}

static void
test_a_complaint_names_file_and_line(void)
{
	char *said = NULL;
	size_t len;
	struct config_log log = { .err = open_memstream(&said, &len), .file = "f" };

	config_problem(&log, "one");
	log.line = 12;
	config_problem(&log, "two %d", 2);
	fclose(log.err);
	CU_ASSERT_STRING_EQUAL(said, "f: one\nf:12: two 2\n");
	CU_ASSERT_EQUAL(log.problems, 2);
	free(said);
}

static void
test_quotes_are_short_and_cannot_steer_a_terminal(void)
{
	char text[300];

	CU_ASSERT_STRING_EQUAL(config_quote("a\x1b[2Jb\tc\x7f").text, "a?[2Jb?c?");
	CU_ASSERT_STRING_EQUAL(config_quote("").text, "");
	memset(text, 'a', sizeof text - 1);
	text[sizeof text - 1] = '\0';
	CU_ASSERT_TRUE(strlen(config_quote(text).text) < sizeof(struct config_quote));
	CU_ASSERT_PTR_NOT_NULL(strstr(config_quote(text).text, "a..."));
}

static void
test_words_are_runs_without_blanks(void)
{
	char text[] = "  one\ttwo   three ";
	char *p = text;

	CU_ASSERT_STRING_EQUAL(config_word(&p), "one");
	CU_ASSERT_STRING_EQUAL(config_word(&p), "two");
	CU_ASSERT_STRING_EQUAL(config_word(&p), "three");
	CU_ASSERT_PTR_NULL(config_word(&p));
	CU_ASSERT_PTR_NULL(config_word(&p));
}

void
suite_config_text(void)
{
	CU_pSuite s = CU_add_suite("config_text", NULL, NULL);

	CU_add_test(s, "lines end in every way there is", test_lines_end_in_every_way_there_is);
	CU_add_test(s, "comments and blank lines say nothing",
	            test_comments_and_blank_lines_say_nothing);
	CU_add_test(s, "a line may be as long as the file", test_a_line_may_be_as_long_as_the_file);
	CU_add_test(s, "a NUL byte ends the reading with one complaint",
	            test_a_nul_byte_ends_the_reading_with_one_complaint);
	CU_add_test(s, "what cannot be read says why", test_what_cannot_be_read_says_why);
	CU_add_test(s, "an unreadable file says so", test_an_unreadable_file_says_so);
	CU_add_test(s, "a file full of problems is given up",
	            test_a_file_full_of_problems_is_given_up);
	CU_add_test(s, "a complaint names file and line", test_a_complaint_names_file_and_line);
	CU_add_test(s, "quotes are short and cannot steer a terminal",
	            test_quotes_are_short_and_cannot_steer_a_terminal);
	CU_add_test(s, "words are runs without blanks", test_words_are_runs_without_blanks);
}
