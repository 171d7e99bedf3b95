/* SPDX-License-Identifier: BSD-3-Clause */
/* Interfaces beside ports: what is understood, shown again, and refused with its reason. */
#include "api/config_except.h"

#include <CUnit/CUnit.h>

#include <stdlib.h>
#include <string.h>

void suite_config_except(void);

#define HEAD "port = dpdk0 dpdk1\naddress = dpdk0 10.0.0.2/24 dpdk1 10.1.0.2/24\n"

static struct config *
parsed(const char *text, unsigned problems, const char *says)
{
	struct config *cfg = malloc(sizeof *cfg);
	char *said = NULL;
	size_t len = 0;
	FILE *err = open_memstream(&said, &len);
	unsigned n;

	config_default(cfg);
	n = (unsigned)config_parse(cfg, "test", text, err);
	if (n == 0)
		n = (unsigned)config_check(cfg, err);
	fclose(err);
	CU_ASSERT_EQUAL(n, problems);
	if (says && !strstr(said, says))
		printf("\nexpected \"%s\" in: %s", says, said);
	CU_ASSERT(!says || strstr(said, says));
	free(said);
	return cfg;
}

static void
done(struct config *cfg)
{
	config_free(cfg);
	free(cfg);
}

static bool
tap_is(const struct config *cfg, unsigned port, const char *tap)
{
	const char *is = exceptions_tap(cfg, port);

	return tap ? is && strcmp(is, tap) == 0 : !is;
}

static void
test_none_unless_asked_for(void)
{
	struct config *cfg = parsed(HEAD, 0, NULL);

	CU_ASSERT(tap_is(cfg, 0, NULL) && tap_is(cfg, 1, NULL));
	done(cfg);
	cfg = parsed(HEAD "exception = tap:k0\nexception = none\n", 0, NULL);
	CU_ASSERT(tap_is(cfg, 0, NULL));
	done(cfg);
}

static void
test_the_first_ports_unless_named(void)
{
	struct config *cfg = parsed(HEAD "exception = tap:k0\n", 0, NULL);

	CU_ASSERT(tap_is(cfg, 0, "k0") && tap_is(cfg, 1, NULL));
	done(cfg);
	cfg = parsed(HEAD "exception = dpdk1 tap:k1 dpdk0 tap:k0\nexception_rate = 100\n", 0, NULL);
	CU_ASSERT(tap_is(cfg, 0, "k0") && tap_is(cfg, 1, "k1"));
	CU_ASSERT_EQUAL(cfg->exception_rate, 100);
	done(cfg);
}

static void
test_it_is_shown_as_it_was_written(void)
{
	struct config *cfg = parsed(HEAD "exception = dpdk1 tap:k1 tap:k0\n", 0, NULL);
	char *shown = NULL;
	size_t len = 0;
	FILE *out = open_memstream(&shown, &len);

	exceptions_show(cfg, out);
	fclose(out);
	CU_ASSERT_STRING_EQUAL(shown, "dpdk1 tap:k1 tap:k0");
	free(shown);
	done(cfg);
}

static void
test_what_is_wrong_is_said(void)
{
	done(parsed(HEAD "exception = tap:\n", 1, "is not the name of an interface"));
	done(parsed(HEAD "exception = tap:sixteen-letters-\n", 1, "is not the name of an interface"));
	done(parsed(HEAD "exception = tap:a/b\n", 1, "is not the name of an interface"));
	done(parsed(HEAD "exception = tap:a%d\n", 1, "is not the name of an interface"));
	done(parsed(HEAD "exception = dpdk0\n", 1, "no interface (such as tap:mtcpk0) follows 'dpdk0'"));
	done(parsed(HEAD "exception = dpdk0 eth0\n", 1, "follows 'dpdk0'"));
	done(parsed(HEAD "exception = tap:k0 dpdk1 tap:k0\n", 1, "k0 is given twice"));
	done(parsed(HEAD "exception = tap:k0 dpdk0 tap:k1\n", 1, "dpdk0 has two interfaces"));
	done(parsed(HEAD "exception = dpdk7 tap:k0\n", 1, "names the port 'dpdk7'"));
	done(parsed(HEAD "exception_rate = 0\n", 1, "exception_rate"));
}

void
suite_config_except(void)
{
	CU_pSuite s = CU_add_suite("config_except", NULL, NULL);

	CU_add_test(s, "none unless asked for", test_none_unless_asked_for);
	CU_add_test(s, "the first port's unless named", test_the_first_ports_unless_named);
	CU_add_test(s, "it is shown as it was written", test_it_is_shown_as_it_was_written);
	CU_add_test(s, "what is wrong is said", test_what_is_wrong_is_said);
}
