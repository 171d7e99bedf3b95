/* SPDX-License-Identifier: BSD-3-Clause */
/* What a program sets before the file is read. */
#include <CUnit/CUnit.h>

#include <stdlib.h>

#include "api/settings.h"

void suite_settings(void);

static struct config *
defaults(void)
{
	struct config *cfg = malloc(sizeof *cfg);

	CU_ASSERT_PTR_NOT_NULL_FATAL(cfg);
	config_default(cfg);
	return cfg;
}

static void
test_the_later_of_two_settings_counts(void)
{
	struct config *cfg = defaults();
	struct settings s = { 0 };

	CU_ASSERT_EQUAL(settings_put(&s, "max_concurrency = 100"), 0);
	CU_ASSERT_EQUAL(settings_put(&s, "num_cores=2"), 0);
	CU_ASSERT_EQUAL(settings_put(&s, "  max_concurrency=200"), 0);
	CU_ASSERT_EQUAL(s.n, 2);
	CU_ASSERT_EQUAL(settings_apply(&s, cfg, NULL), 0);
	CU_ASSERT_EQUAL(cfg->stack.max_conns, 200);
	CU_ASSERT_EQUAL(cfg->num_cores, 2);
	settings_free(&s);
	CU_ASSERT_EQUAL(s.n, 0);
	free(cfg);
}

static void
test_a_key_that_begins_like_another_is_another(void)
{
	struct settings s = { 0 };

	CU_ASSERT_EQUAL(settings_put(&s, "rcvbuf = 8192"), 0);
	CU_ASSERT_EQUAL(settings_put(&s, "rcvbuf_max = 65536"), 0);
	CU_ASSERT_EQUAL(s.n, 2);
	settings_free(&s);
}

static void
test_problems_are_counted(void)
{
	struct config *cfg = defaults();
	struct settings s = { 0 };

	CU_ASSERT_EQUAL(settings_put(&s, "no_such_key = 1"), 0);
	CU_ASSERT(settings_apply(&s, cfg, NULL) > 0);
	settings_free(&s);
	free(cfg);
}

static void
test_what_differs_becomes_settings(void)
{
	struct config *cfg = defaults();
	char line[SETTINGS_CONF][64];
	struct mtcp_conf conf, got;
	unsigned n;

	settings_conf(cfg, &conf);
	CU_ASSERT_EQUAL(conf.tcp_timeout, -1);
	CU_ASSERT_EQUAL(conf.rcvbuf_size, 0);
	CU_ASSERT_EQUAL(settings_differences(cfg, &conf, line), 0);
	conf = (struct mtcp_conf){ 3, 50, 40, 8192, 16384, 7, 11 };
	n = settings_differences(cfg, &conf, line);
	CU_ASSERT_EQUAL(n, SETTINGS_CONF);
	for (unsigned i = 0; i < n; i++)
		CU_ASSERT_EQUAL(config_set(cfg, line[i], stderr), 0);
	settings_conf(cfg, &got);
	CU_ASSERT_EQUAL(memcmp(&got, &conf, sizeof got), 0);
	conf.rcvbuf_size = 0;
	conf.tcp_timeout = -1;
	n = settings_differences(cfg, &conf, line);
	CU_ASSERT_EQUAL(n, 2);
	for (unsigned i = 0; i < n; i++)
		CU_ASSERT_EQUAL(config_set(cfg, line[i], stderr), 0);
	settings_conf(cfg, &got);
	CU_ASSERT_EQUAL(memcmp(&got, &conf, sizeof got), 0);
	free(cfg);
}

void
suite_settings(void)
{
	CU_pSuite s = CU_add_suite("api/settings", NULL, NULL);

	CU_add_test(s, "the later of two settings counts", test_the_later_of_two_settings_counts);
	CU_add_test(s, "a key that begins like another is another",
	            test_a_key_that_begins_like_another_is_another);
	CU_add_test(s, "problems are counted", test_problems_are_counted);
	CU_add_test(s, "what differs becomes settings", test_what_differs_becomes_settings);
}
