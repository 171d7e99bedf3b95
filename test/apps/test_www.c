/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The files of a site: what is served, what never leaves the directory, and that
 * a change on disk shows without hurting who is still sending.
 */
#include <CUnit/CUnit.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "apps/www.h"

#define SECOND 1000000000

/* A directory of its own for each test, with a site below it. */
struct site {
	char dir[64];
	struct www *www;
};

static void
put_file(const struct site *t, const char *name, const char *text, size_t len)
{
	char path[128];
	int fd;

	snprintf(path, sizeof(path), "%s/%s", t->dir, name);
	fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);
	CU_ASSERT_TRUE(fd >= 0);
	CU_ASSERT_EQUAL(write(fd, text, len), (ssize_t)len);
	close(fd);
}

static void
in_site(const struct site *t, const char *format)
{
	char command[512];

	snprintf(command, sizeof(command), "cd '%s' && %s", t->dir, format);
	CU_ASSERT_EQUAL(system(command), 0);
}

static struct site
site_open(void)
{
	struct site t = {.dir = "/tmp/test_www.XXXXXX"};
	char root[80];

	CU_ASSERT_PTR_NOT_NULL(mkdtemp(t.dir));
	in_site(&t, "mkdir -p site/sub");
	snprintf(root, sizeof(root), "%s/site", t.dir);
	t.www = www_open(root);
	CU_ASSERT_PTR_NOT_NULL_FATAL(t.www);
	return t;
}

static void
site_close(struct site *t)
{
	www_close(t->www);
	in_site(t, "rm -r site && rm -f secret");
	CU_ASSERT_EQUAL(rmdir(t->dir), 0);
}

static int
status_of(struct site *t, const char *path)
{
	struct www_file *f = www_get(t->www, path, 0);
	int status = f->status;

	www_put(t->www, f);
	return status;
}

static void
test_files_are_found_with_type_and_size(void)
{
	struct site t = site_open();
	struct www_file *f;

	put_file(&t, "site/a.css", "body{}", 6);
	f = www_get(t.www, "a.css", 0);
	CU_ASSERT_EQUAL(f->status, 200);
	CU_ASSERT_EQUAL(f->size, 6);
	CU_ASSERT_STRING_EQUAL(f->type, "text/css");
	CU_ASSERT_NSTRING_EQUAL(f->data, "body{}", 6);
	www_put(t.www, f);
	CU_ASSERT_EQUAL(status_of(&t, "b.css"), 404);
	CU_ASSERT_EQUAL(status_of(&t, "a.css/"), 404);
	site_close(&t);
}

static void
test_a_directory_is_its_index(void)
{
	struct site t = site_open();
	struct www_file *f;

	CU_ASSERT_EQUAL(status_of(&t, ""), 404);
	put_file(&t, "site/index.html", "root", 4);
	put_file(&t, "site/sub/index.html", "below", 5);
	f = www_get(t.www, "", 0);
	CU_ASSERT_EQUAL(f->size, 4);
	CU_ASSERT_STRING_EQUAL(f->type, "text/html; charset=utf-8");
	www_put(t.www, f);
	f = www_get(t.www, "sub", 0);
	CU_ASSERT_EQUAL(f->size, 5);
	www_put(t.www, f);
	CU_ASSERT_EQUAL(status_of(&t, "sub/"), 200);
	site_close(&t);
}

static void
test_no_link_leads_out(void)
{
	struct site t = site_open();

	put_file(&t, "secret", "x", 1);
	put_file(&t, "site/good", "y", 1);
	in_site(&t, "ln -s ../secret site/relative && ln -s /etc/passwd site/absolute && "
	            "ln -s .. site/up && ln -s site/loop site/loop");
	CU_ASSERT_EQUAL(status_of(&t, "relative"), 403);
	CU_ASSERT_EQUAL(status_of(&t, "absolute"), 403);
	CU_ASSERT_NOT_EQUAL(status_of(&t, "up/secret"), 200);
	CU_ASSERT_NOT_EQUAL(status_of(&t, "loop"), 200);
	CU_ASSERT_NOT_EQUAL(status_of(&t, "../secret"), 200);
	CU_ASSERT_EQUAL(status_of(&t, "good"), 200);
	site_close(&t);
}

/* Opening a FIFO would wait for its writer. */
static void
test_only_regular_files_are_served(void)
{
	struct site t = site_open();

	in_site(&t, "mkfifo site/fifo");
	CU_ASSERT_EQUAL(status_of(&t, "fifo"), 404);
	site_close(&t);
}

static void
test_a_change_shows_after_a_second_and_hurts_nobody(void)
{
	struct site t = site_open();
	struct www_file *old, *f;

	put_file(&t, "site/a", "old", 3);
	old = www_get(t.www, "a", 0);
	in_site(&t, "rm site/a");
	put_file(&t, "site/a", "newer", 5);
	f = www_get(t.www, "a", SECOND - 1);
	CU_ASSERT_PTR_EQUAL(f, old);
	www_put(t.www, f);
	f = www_get(t.www, "a", SECOND);
	CU_ASSERT_EQUAL(f->size, 5);
	CU_ASSERT_NSTRING_EQUAL(old->data, "old", 3);
	www_put(t.www, old);
	www_put(t.www, f);
	in_site(&t, "rm site/a");
	f = www_get(t.www, "a", 2 * SECOND);
	CU_ASSERT_EQUAL(f->status, 404);
	www_put(t.www, f);
	site_close(&t);
}

static void
test_an_unchanged_file_is_kept(void)
{
	struct site t = site_open();
	struct www_file *a, *b;

	put_file(&t, "site/a", "x", 1);
	a = www_get(t.www, "a", 0);
	b = www_get(t.www, "a", 5 * (int64_t)SECOND);
	CU_ASSERT_PTR_EQUAL(a, b);
	www_put(t.www, a);
	www_put(t.www, b);
	site_close(&t);
}

static void
test_large_files_stay_on_disk(void)
{
	struct site t = site_open();
	struct www_file *f;

	in_site(&t, "truncate -s 10G site/large");
	f = www_get(t.www, "large", 0);
	CU_ASSERT_EQUAL(f->size, 10ull << 30);
	CU_ASSERT_TRUE(f->fd >= 0);
	CU_ASSERT_PTR_NULL(f->data);
	www_put(t.www, f);
	site_close(&t);
}

/* More files than the cache holds: each is still right, old ones included. */
static void
test_a_full_cache_forgets_and_finds_again(void)
{
	struct site t = site_open();
	struct www_file *held, *f;
	char name[32];

	in_site(&t, "for i in $(seq 0 1199); do echo $i > site/$i; done");
	held = www_get(t.www, "0", 0);
	for (int round = 0; round < 2; round++) {
		for (int i = 1; i < 1200; i++) {
			snprintf(name, sizeof(name), "%d", i);
			f = www_get(t.www, name, 0);
			CU_ASSERT_EQUAL(atoi(f->data), i);
			www_put(t.www, f);
		}
	}
	CU_ASSERT_EQUAL(held->data[0], '0');
	www_put(t.www, held);
	site_close(&t);
}

static void
test_every_error_is_a_page(void)
{
	struct site t = site_open();
	struct www_file *f = www_page(t.www, 431);

	CU_ASSERT_EQUAL(f->status, 431);
	CU_ASSERT_NSTRING_EQUAL(f->data, "431 ", 4);
	CU_ASSERT_NSTRING_EQUAL(www_reply(f, false, 0)->text, "HTTP/1.1 431 ", 13);
	www_put(t.www, f);
	f = www_page(t.www, 299);
	CU_ASSERT_EQUAL(f->status, 500);
	www_put(t.www, f);
	site_close(&t);
}

/* A reply of either kind is a head that says so, with the date of this second, and the body. */
static void
test_a_short_file_is_held_as_a_reply(void)
{
	struct site t = site_open();
	const struct www_reply *made;
	struct www_file *f;

	put_file(&t, "site/a", "body", 4);
	f = www_get(t.www, "a", 0);
	for (int keep = 0; keep < 2; keep++) {
		made = www_reply(f, keep, 784111777);
		CU_ASSERT_EQUAL(made->body, 4);
		CU_ASSERT_NSTRING_EQUAL(made->text + made->head, "body", 4);
		CU_ASSERT_NSTRING_EQUAL(made->text + made->head - 4, "\r\n\r\n", 4);
		made->text[made->head] = '\0';
		CU_ASSERT_PTR_NOT_NULL(strstr(made->text, "08:49:37 GMT"));
		CU_ASSERT_EQUAL(strstr(made->text, "keep-alive") != NULL, keep == 1);
	}
	made = www_reply(f, true, 784111778);
	CU_ASSERT_NSTRING_EQUAL(made->text + made->head, "body", 4);
	CU_ASSERT_PTR_NOT_NULL(strstr(made->text, "08:49:38 GMT"));
	www_put(t.www, f);
	site_close(&t);
}

/* What is held is given again as long as asking for it would find it without looking. */
static void
test_a_file_is_given_again_while_it_is_fresh(void)
{
	struct site t = site_open();
	struct www_file *f, *newer;
	struct www_file *page = www_page(t.www, 404);

	CU_ASSERT_FALSE(www_again(t.www, page, 0));
	www_put(t.www, page);
	put_file(&t, "site/a", "old", 3);
	f = www_get(t.www, "a", 0);
	CU_ASSERT_TRUE(www_again(t.www, f, SECOND - 1));
	www_put(t.www, f);
	CU_ASSERT_FALSE(www_again(t.www, f, SECOND));
	put_file(&t, "site/a", "newer", 5);
	newer = www_get(t.www, "a", SECOND);
	CU_ASSERT_FALSE(www_again(t.www, f, SECOND));
	CU_ASSERT_TRUE(www_again(t.www, newer, SECOND));
	www_put(t.www, newer);
	www_put(t.www, newer);
	www_put(t.www, f);
	site_close(&t);
}

static void
test_a_longer_file_is_no_part_of_its_head(void)
{
	struct site t = site_open();
	struct www_file *f;

	in_site(&t, "truncate -s 4096 site/short && truncate -s 4097 site/long");
	f = www_get(t.www, "short", 0);
	CU_ASSERT_EQUAL(www_reply(f, true, 0)->body, 4096);
	CU_ASSERT_TRUE(www_is_short(f));
	www_put(t.www, f);
	f = www_get(t.www, "long", 0);
	CU_ASSERT_EQUAL(www_reply(f, true, 0)->body, 0);
	CU_ASSERT_FALSE(www_is_short(f));
	CU_ASSERT_EQUAL(f->size, 4097);
	www_put(t.www, f);
	site_close(&t);
}

static void
test_what_is_no_directory_is_no_site(void)
{
	CU_ASSERT_PTR_NULL(www_open("/dev/null"));
	CU_ASSERT_PTR_NULL(www_open("/nonexistent"));
}

void suite_www(void);

void
suite_www(void)
{
	CU_pSuite s = CU_add_suite("www", NULL, NULL);

	CU_add_test(s, "files are found, with type and size",
	            test_files_are_found_with_type_and_size);
	CU_add_test(s, "a directory is its index", test_a_directory_is_its_index);
	CU_add_test(s, "a short file is held as a reply", test_a_short_file_is_held_as_a_reply);
	CU_add_test(s, "a file is given again while it is fresh",
	            test_a_file_is_given_again_while_it_is_fresh);
	CU_add_test(s, "a longer file is no part of its head",
	            test_a_longer_file_is_no_part_of_its_head);
	CU_add_test(s, "no link leads out", test_no_link_leads_out);
	CU_add_test(s, "only regular files are served", test_only_regular_files_are_served);
	CU_add_test(s, "a change shows after a second and hurts nobody",
	            test_a_change_shows_after_a_second_and_hurts_nobody);
	CU_add_test(s, "an unchanged file is kept", test_an_unchanged_file_is_kept);
	CU_add_test(s, "large files stay on disk", test_large_files_stay_on_disk);
	CU_add_test(s, "a full cache forgets and finds again",
	            test_a_full_cache_forgets_and_finds_again);
	CU_add_test(s, "every error is a page", test_every_error_is_a_page);
	CU_add_test(s, "what is no directory is no site", test_what_is_no_directory_is_no_site);
}
