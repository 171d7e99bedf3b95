/* SPDX-License-Identifier: BSD-3-Clause */
/* One line of text for the queues of every process. */
#include <CUnit/CUnit.h>

#include "api/template.h"

void suite_template(void);

static const char *
args(const char *line, unsigned first, unsigned n)
{
	static char out[256];

	return template_args(line, first, n, out, sizeof out) ? out : "no room";
}

static const char *
devices(const char *list, unsigned first, unsigned n)
{
	static char out[64];

	return template_devices(list, first, n, out, sizeof out) ? out : "no room";
}

static void
test_words_are_repeated_for_each_queue(void)
{
	CU_ASSERT_STRING_EQUAL(args("-n4 --vdev=x%q,q=%q  -v", 3, 2),
	                       "-n4 --vdev=x3,q=3 --vdev=x4,q=4 -v");
	CU_ASSERT_STRING_EQUAL(args("--vdev x%q --vdev y", 0, 2), "--vdev x0 --vdev x1 --vdev y");
	CU_ASSERT_STRING_EQUAL(args("'--vdev=a b%q' \"c%q d\"", 7, 1), "'--vdev=a b7' \"c7 d\"");
	CU_ASSERT_STRING_EQUAL(args("", 0, 4), "");
	CU_ASSERT_STRING_EQUAL(args("  %q", 10, 2), "10 11");
	CU_ASSERT_STRING_EQUAL(args("100% %", 10, 2), "100% %");
}

static void
test_devices_are_repeated_for_each_queue(void)
{
	CU_ASSERT_STRING_EQUAL(devices("net_af_xdp%q", 2, 3), "net_af_xdp2,net_af_xdp3,net_af_xdp4");
	CU_ASSERT_STRING_EQUAL(devices("a,b%q,c", 0, 2), "a,b0,b1,c");
	CU_ASSERT_STRING_EQUAL(devices("dpdk0", 5, 2), "dpdk0");
}

static void
test_what_does_not_fit_is_told(void)
{
	char small[8];

	CU_ASSERT_TRUE(template_devices("abcd%q", 0, 1, small, sizeof small));
	CU_ASSERT_FALSE(template_devices("abcd%q", 0, 2, small, sizeof small));
	CU_ASSERT_FALSE(template_args("abcdefgh", 0, 2, small, sizeof small));
	CU_ASSERT_TRUE(template_has("a%q") && !template_has("a%%"));
}

void
suite_template(void)
{
	CU_pSuite s = CU_add_suite("template", NULL, NULL);

	CU_add_test(s, "words are repeated for each queue", test_words_are_repeated_for_each_queue);
	CU_add_test(s, "devices are repeated for each queue",
	            test_devices_are_repeated_for_each_queue);
	CU_add_test(s, "what does not fit is told", test_what_does_not_fit_is_told);
}
