/* SPDX-License-Identifier: BSD-3-Clause */
/* The words DPDK is started with. */
#include "io_engine/io_dpdk_args.h"

#include <CUnit/CUnit.h>
#include <errno.h>
#include <stdio.h>

static const struct io_dpdk_machine plain = { .pid = 7, .cpus = "0-1" };

/* The words in one string, each in brackets. */
static const char *
joined(const struct io_dpdk_args *a, char *buf, size_t size)
{
	size_t used = 0;

	buf[0] = '\0';
	for (int i = 0; i < a->argc && used < size; i++)
		used += (size_t)snprintf(buf + used, size - used, "[%s]", a->argv[i]);
	return buf;
}

static void
check_split(const char *line, const char *expect)
{
	struct io_dpdk_args a = { 0 };
	char err[128] = "", buf[512];

	CU_ASSERT_EQUAL(io_dpdk_args_split(&a, line, err, sizeof err), 0);
	CU_ASSERT_STRING_EQUAL(joined(&a, buf, sizeof buf), expect);
	CU_ASSERT_PTR_NULL(a.argv[a.argc]);
}

static void
test_words_part_at_blanks_and_quotes_keep_them(void)
{
	check_split("", "");
	check_split("  \t ", "");
	check_split("--vdev=net_tap0 -m 64", "[--vdev=net_tap0][-m][64]");
	check_split("  a\tb\n", "[a][b]");
	check_split("--x='a b' \"c d\"e", "[--x=a b][c de]");
	check_split("a\\ b '\\' \"\\\"\"", "[a b][\\][\"]");
	check_split("'' x", "[][x]");
}

static void
test_an_open_quote_is_refused(void)
{
	struct io_dpdk_args a = { 0 };
	char err[128] = "";

	CU_ASSERT_EQUAL(io_dpdk_args_split(&a, "a 'b c", err, sizeof err), -EINVAL);
	CU_ASSERT_STRING_EQUAL(err, "eal_args: a quote is not closed");
}

static void
test_too_many_or_too_long_words_are_refused(void)
{
	struct io_dpdk_args a = { 0 };
	char many[3 * IO_DPDK_ARGS], lengthy[5000], err[128] = "";

	for (size_t i = 0; i < sizeof many; i++)
		many[i] = i % 2 ? ' ' : 'x';
	many[sizeof many - 1] = '\0';
	CU_ASSERT_EQUAL(io_dpdk_args_split(&a, many, err, sizeof err), -E2BIG);
	memset(lengthy, 'x', sizeof lengthy);
	lengthy[sizeof lengthy - 1] = '\0';
	a = (struct io_dpdk_args){ 0 };
	CU_ASSERT_EQUAL(io_dpdk_args_split(&a, lengthy, err, sizeof err), -E2BIG);
	CU_ASSERT_STRING_EQUAL(err, "eal_args: too many words");
}

static void
check_made(const struct io_dpdk_config *cfg, const struct io_dpdk_machine *m,
           const char *expect)
{
	struct io_dpdk_args a;
	char err[128] = "", buf[1024];

	CU_ASSERT_EQUAL(io_dpdk_args_make(&a, cfg, m, err, sizeof err), 0);
	CU_ASSERT_STRING_EQUAL(joined(&a, buf, sizeof buf), expect);
}

static void
test_a_machine_without_hugepages_uses_none(void)
{
	check_made(&(struct io_dpdk_config){ .eal_args = "--vdev=net_tap0" }, &plain,
	           "[mtcp][--iova-mode=va][--file-prefix=mtcp-7][--no-huge][-m][512]"
	           "[--no-shconf][--lcores=0@(0-1)][--no-pci][--no-telemetry]"
	           "[--vdev=net_tap0]");
}

static void
test_free_hugepages_are_used_when_they_are_enough(void)
{
	struct io_dpdk_machine huge = plain;

	huge.huge_free_mb = 512;
	check_made(&(struct io_dpdk_config){ .mem_mb = 512 }, &huge,
	           "[mtcp][--iova-mode=va][--file-prefix=mtcp-7][--in-memory]"
	           "[--lcores=0@(0-1)][--no-telemetry]");
	check_made(&(struct io_dpdk_config){ .mem_mb = 513 }, &huge,
	           "[mtcp][--iova-mode=va][--file-prefix=mtcp-7][--no-huge][-m][513]"
	           "[--no-shconf][--lcores=0@(0-1)][--no-telemetry]");
}

static void
test_nothing_is_added_that_the_user_decided(void)
{
	check_made(&(struct io_dpdk_config){ .eal_args = "--no-huge -m64 --no-shconf -l 1 "
		                                         "--file-prefix p --iova-mode=pa "
		                                         "--vdev net_x -a 0:1 --telemetry" },
	           &plain,
	           "[mtcp][--no-huge][-m64][--no-shconf][-l][1][--file-prefix][p]"
	           "[--iova-mode=pa][--vdev][net_x][-a][0:1][--telemetry]");
	check_made(&(struct io_dpdk_config){ .eal_args = "--huge-dir /x --lcores=3",
	                                     .mem_channels = 2,
	                                     .telemetry = true,
	                                     .log_level = "debug" },
	           &plain,
	           "[mtcp][--iova-mode=va][--file-prefix=mtcp-7][-n2][--telemetry]"
	           "[--log-level=debug][--huge-dir][/x][--lcores=3]");
}

static void
test_virtual_devices_are_found(void)
{
	struct io_dpdk_config cfg = { .eal_args = "--vdev=net_tap0,iface=t0 -m 64 --vdev "
		                                  "net_ring1 --vdev" };
	char name[IO_DPDK_NAME], err[128];
	struct io_dpdk_args a;

	CU_ASSERT_EQUAL(io_dpdk_args_make(&a, &cfg, &plain, err, sizeof err), 0);
	CU_ASSERT_TRUE(io_dpdk_args_vdev(&a, 0, name));
	CU_ASSERT_STRING_EQUAL(name, "net_tap0");
	CU_ASSERT_TRUE(io_dpdk_args_vdev(&a, 1, name));
	CU_ASSERT_STRING_EQUAL(name, "net_ring1");
	CU_ASSERT_FALSE(io_dpdk_args_vdev(&a, 2, name));
}

void suite_io_dpdk_args(void);

static void
test_processes_that_share_have_files_others_can_map(void)
{
	struct io_dpdk_config cfg = { .shared = "web", .mem_mb = 100 };
	struct io_dpdk_machine huge = plain;
	struct io_dpdk_args a;
	char err[256] = "";

	huge.huge_free_mb = 100;
	check_made(&cfg, &huge,
	           "[mtcp][--iova-mode=va][--proc-type=primary][--file-prefix=mtcp-web]"
	           "[--lcores=0@(0-1)][--no-telemetry]");
	CU_ASSERT_EQUAL(io_dpdk_args_make(&a, &cfg, &plain, err, sizeof err), -ENOMEM);
	CU_ASSERT_PTR_NOT_NULL(strstr(err, "need 100 MB of hugepages, and 0 MB are free"));
	cfg.eal_args = "--no-huge";
	CU_ASSERT_EQUAL(io_dpdk_args_make(&a, &cfg, &huge, err, sizeof err), -EINVAL);
	cfg.secondary = true;
	cfg.eal_args = "--file-prefix=x";
	check_made(&cfg, &plain,
	           "[mtcp][--iova-mode=va][--proc-type=secondary]"
	           "[--lcores=0@(0-1)][--no-telemetry][--file-prefix=x]");
}

void
suite_io_dpdk_args(void)
{
	CU_pSuite s = CU_add_suite("io_dpdk_args", NULL, NULL);

	CU_add_test(s, "words part at blanks and quotes keep them",
	            test_words_part_at_blanks_and_quotes_keep_them);
	CU_add_test(s, "an open quote is refused", test_an_open_quote_is_refused);
	CU_add_test(s, "too many or too long words are refused",
	            test_too_many_or_too_long_words_are_refused);
	CU_add_test(s, "a machine without hugepages uses none",
	            test_a_machine_without_hugepages_uses_none);
	CU_add_test(s, "free hugepages are used when they are enough",
	            test_free_hugepages_are_used_when_they_are_enough);
	CU_add_test(s, "nothing is added that the user decided",
	            test_nothing_is_added_that_the_user_decided);
	CU_add_test(s, "processes that share have files others can map",
	            test_processes_that_share_have_files_others_can_map);
	CU_add_test(s, "virtual devices are found", test_virtual_devices_are_found);
}
