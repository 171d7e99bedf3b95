/* SPDX-License-Identifier: BSD-3-Clause */
/* arp.conf and route.conf: entries, counts, and where the files are looked for. */
#include <errno.h>
#include <sys/stat.h>
#include <unistd.h>

#include "api/config_static.h"
#include "test/api/config_try.h"

void suite_config_static(void);

static void
parse(struct config_try *t, const char *name, const char *bytes,
      void (*parser)(struct config *, struct config_text *, struct config_log *))
{
	struct config_log log = { .file = name };
	struct config_text text;

	config_try_listen(t);
	log.err = t->err;
	CU_ASSERT_EQUAL(config_text_copy(&text, bytes), 0);
	parser(t->cfg, &text, &log);
	config_try_heard(t, log.problems);
}

static void
test_neighbours_are_read(void)
{
	struct config_try t = config_try_begin();

	parse(&t, "arp.conf", "# ours\nARP_ENTRY 2\n10.0.0.1/32 00:00:00:00:00:01\n"
	      "\nfd00::/64\t02:aa:bb:cc:dd:ee  # its net", static_parse_arp);
	CU_ASSERT_EQUAL(t.problems, 0);
	CU_ASSERT_EQUAL(t.cfg->n_arp, 2);
	CU_ASSERT_EQUAL(ip_addr_v4_host(&t.cfg->arp[0].ip), 0x0a000001);
	CU_ASSERT_EQUAL(t.cfg->arp[0].prefix, 128);
	CU_ASSERT_EQUAL(t.cfg->arp[0].mac[5], 1);
	CU_ASSERT_EQUAL(t.cfg->arp[1].prefix, 64);
	CU_ASSERT_EQUAL(t.cfg->arp[1].mac[1], 0xaa);
	config_try_end(&t);
}

static void
test_routes_are_noted_with_their_line(void)
{
	struct config_try t = config_try_begin();

	parse(&t, "route.conf", "ROUTES 2\n10.0.0.1/24 dpdk0\n10.0.1.1/0 dpdk1\n",
	      static_parse_routes);
	CU_ASSERT_EQUAL(t.problems, 0);
	CU_ASSERT_EQUAL(t.cfg->n_routes, 2);
	CU_ASSERT_EQUAL(t.cfg->route[0].to.prefix, 120);
	CU_ASSERT_STRING_EQUAL(t.cfg->route[1].port, "dpdk1");
	CU_ASSERT_EQUAL(t.cfg->route[1].line, 3);
	CU_ASSERT_STRING_EQUAL(t.cfg->route_file, "route.conf");
	config_try_end(&t);
}

static void
arp_says(const char *text, const char *complaint)
{
	struct config_try t = config_try_begin();

	parse(&t, "arp.conf", text, static_parse_arp);
	CU_ASSERT_EQUAL(t.problems, 1);
	CU_ASSERT_STRING_EQUAL(t.said, complaint);
	if (strcmp(t.said, complaint) != 0)
		printf("  said %s  not %s\n", t.said, complaint);
	config_try_end(&t);
}

static void
test_a_count_that_is_not_kept_is_noticed(void)
{
	arp_says("ARP_ENTRY 2\n10.0.0.1/32 00:00:00:00:00:01\n",
	         "arp.conf:1: ARP_ENTRY says 2, but 1 entries follow\n");
	arp_says("\nARP_ENTRY 0\n10.0.0.1/32 00:00:00:00:00:01\n",
	         "arp.conf:2: ARP_ENTRY says 0, but 1 entries follow\n");
}

static void
test_the_count_comes_first(void)
{
	static const char complaint[] =
		"arp.conf:1: the first line must be 'ARP_ENTRY n', n being the number of entries\n";

	arp_says("10.0.0.1/32 00:00:00:00:00:01\n", complaint);
	arp_says("ARP_ENTRY\n", complaint);
	arp_says("ARP_ENTRY x\n", complaint);
	arp_says("ARP_ENTRY -1\n", complaint);
	arp_says("ARP_ENTRY 1 1\n", complaint);
	arp_says("ROUTES 1\n", complaint);
}

static void
test_an_empty_file_has_no_entries(void)
{
	struct config_try t = config_try_begin();

	parse(&t, "arp.conf", "# nothing yet\n", static_parse_arp);
	CU_ASSERT_EQUAL(t.problems, 0);
	CU_ASSERT_EQUAL(t.cfg->n_arp, 0);
	config_try_end(&t);
}

static void
test_bad_entries_are_named(void)
{
	arp_says("ARP_ENTRY 1\n10.0.0.1/32\n", "arp.conf:2: an entry is IP/prefix MAC, such as "
	         "10.0.0.1/32 02:00:00:00:00:01\n");
	arp_says("ARP_ENTRY 1\n10.0.0.1/32 02:00:00:00:00:01 x\n",
	         "arp.conf:2: an entry is IP/prefix MAC, such as "
	         "10.0.0.1/32 02:00:00:00:00:01\n");
	arp_says("ARP_ENTRY 1\n10.0.0.1 02:00:00:00:00:01\n",
	         "arp.conf:2: '10.0.0.1' is not an address with a prefix length (such as "
	         "10.0.0.1/24)\n");
	arp_says("ARP_ENTRY 1\n10.0.0.1/32 02:00\n",
	         "arp.conf:2: '02:00' is not a MAC address (such as 02:00:00:00:00:01)\n");
	arp_says("ARP_ENTRY 1\n10.0.0.1/32 ff:ff:ff:ff:ff:ff\n",
	         "arp.conf:2: ff:ff:ff:ff:ff:ff is a group address, not a host's\n");
}

/* `n` entries of one kind as a file. */
static char *
many(const char *head, unsigned n, const char *what)
{
	char *text = NULL;
	size_t len;
	FILE *out = open_memstream(&text, &len);

	fprintf(out, "%s %u\n", head, n);
	for (unsigned i = 0; i < n; i++)
		fprintf(out, "10.%u.%u.0/24 %s\n", i / 256, i % 256, what);
	fclose(out);
	return text;
}

static void
test_tables_have_room_for_as_many_as_they_say(void)
{
	struct config_try t = config_try_begin();
	char *text = many("ARP_ENTRY", CONFIG_ARP_MAX, "02:00:00:00:00:01");

	parse(&t, "arp.conf", text, static_parse_arp);
	CU_ASSERT_EQUAL(t.problems, 0);
	free(text);
	text = many("ARP_ENTRY", 1, "02:00:00:00:00:01");
	parse(&t, "arp.conf", text, static_parse_arp);
	CU_ASSERT_STRING_EQUAL(t.said, "arp.conf:2: more than 256 entries\n");
	free(text);
	text = many("ROUTES", CONFIG_ROUTES_MAX + 1, "dpdk0");
	parse(&t, "route.conf", text, static_parse_routes);
	CU_ASSERT_STRING_EQUAL(t.said, "route.conf:258: more than 256 routes\n");
	free(text);
	config_try_end(&t);
}

/* -------------------------------------------------------------------- real files */

static void
write_file(const char *path, const char *text)
{
	FILE *out = fopen(path, "w");

	CU_ASSERT_PTR_NOT_NULL_FATAL(out);
	fputs(text, out);
	fclose(out);
}

/* A new folder that is also the working directory. */
struct folder {
	char path[64];
	char *before;
};

static struct folder
folder_enter(void)
{
	struct folder f = { .path = "/tmp/mtcp_test_static_XXXXXX", .before = getcwd(NULL, 0) };

	CU_ASSERT_PTR_NOT_NULL_FATAL(mkdtemp(f.path));
	CU_ASSERT_EQUAL_FATAL(chdir(f.path), 0);
	CU_ASSERT_EQUAL(mkdir("config", 0700), 0);
	CU_ASSERT_EQUAL(mkdir("conf.d", 0700), 0);
	return f;
}

static void
folder_leave(struct folder *f)
{
	static const char *const files[] = { "config/arp.conf", "config/route.conf",
		                             "conf.d/arp.conf", "conf.d/route.conf", "config",
		                             "conf.d" };

	for (size_t i = 0; i < array_len(files); i++)
		remove(files[i]);
	CU_ASSERT_EQUAL(chdir(f->before), 0);
	CU_ASSERT_EQUAL(rmdir(f->path), 0);
	free(f->before);
}

static void
load(struct config_try *t)
{
	config_try_listen(t);
	config_try_heard(t, static_load(t->cfg, "conf.d/my.conf", t->err));
}

static void
test_files_beside_the_conf_are_found(void)
{
	struct folder f = folder_enter();
	struct config_try t = config_try_begin();

	write_file("conf.d/arp.conf", "ARP_ENTRY 1\n10.0.0.1/32 00:00:00:00:00:01\n");
	write_file("conf.d/route.conf", "ROUTES 1\n10.0.0.1/24 dpdk0\n");
	load(&t);
	CU_ASSERT_EQUAL(t.problems, 0);
	CU_ASSERT_EQUAL(t.cfg->n_arp, 1);
	CU_ASSERT_EQUAL(t.cfg->n_routes, 1);
	CU_ASSERT_STRING_EQUAL(t.cfg->route_file, "conf.d/route.conf");
	config_try_end(&t);
	folder_leave(&f);
}

static void
test_the_working_directory_comes_first(void)
{
	struct folder f = folder_enter();
	struct config_try t = config_try_begin();

	write_file("conf.d/arp.conf", "ARP_ENTRY 1\n10.0.0.1/32 00:00:00:00:00:01\n");
	write_file("config/arp.conf", "ARP_ENTRY 1\n10.0.0.9/32 00:00:00:00:00:09\n");
	load(&t);
	CU_ASSERT_EQUAL(t.cfg->n_arp, 1);
	CU_ASSERT_EQUAL(t.cfg->arp[0].mac[5], 9);
	config_try_end(&t);
	folder_leave(&f);
}

static void
test_both_files_are_optional(void)
{
	struct folder f = folder_enter();
	struct config_try t = config_try_begin();

	load(&t);
	CU_ASSERT_EQUAL(t.problems, 0);
	CU_ASSERT_EQUAL(t.cfg->n_arp, 0);
	CU_ASSERT_EQUAL(t.cfg->n_routes, 0);
	config_try_end(&t);
	folder_leave(&f);
}

static void
test_problems_name_the_file_they_are_in(void)
{
	struct folder f = folder_enter();
	struct config_try t = config_try_begin();

	write_file("config/arp.conf", "ARP_ENTRY 1\n");
	CU_ASSERT_EQUAL(mkdir("config/route.conf", 0700), 0);
	load(&t);
	CU_ASSERT_EQUAL(t.problems, 2);
	CU_ASSERT_STRING_EQUAL(t.said, "config/arp.conf:1: ARP_ENTRY says 1, but 0 entries follow\n"
	                               "config/route.conf: is a directory, not a file\n");
	config_try_end(&t);
	folder_leave(&f);
}

void
suite_config_static(void)
{
	CU_pSuite s = CU_add_suite("config_static", NULL, NULL);

	CU_add_test(s, "neighbours are read", test_neighbours_are_read);
	CU_add_test(s, "routes are noted with their line", test_routes_are_noted_with_their_line);
	CU_add_test(s, "a count that is not kept is noticed",
	            test_a_count_that_is_not_kept_is_noticed);
	CU_add_test(s, "the count comes first", test_the_count_comes_first);
	CU_add_test(s, "an empty file has no entries", test_an_empty_file_has_no_entries);
	CU_add_test(s, "bad entries are named", test_bad_entries_are_named);
	CU_add_test(s, "tables have room for as many as they say",
	            test_tables_have_room_for_as_many_as_they_say);
	CU_add_test(s, "files beside the .conf are found", test_files_beside_the_conf_are_found);
	CU_add_test(s, "the working directory comes first",
	            test_the_working_directory_comes_first);
	CU_add_test(s, "both files are optional", test_both_files_are_optional);
	CU_add_test(s, "problems name the file they are in",
	            test_problems_name_the_file_they_are_in);
}
