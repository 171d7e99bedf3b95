/* SPDX-License-Identifier: BSD-3-Clause */
/* Values: what is understood is exact, what is not understood is refused. */
#include <CUnit/CUnit.h>

#include "api/config_value.h"

void suite_config_value(void);

static void
reads(const char *text, enum value_kind kind, int64_t bare, int64_t want)
{
	int64_t v = -1;

	CU_ASSERT_TRUE(value_parse(text, kind, bare, &v));
	CU_ASSERT_EQUAL(v, want);
}

static void
refuses(const char *text, enum value_kind kind, int64_t bare)
{
	int64_t v;

	CU_ASSERT_FALSE(value_parse(text, kind, bare, &v));
}

static void
test_units_scale_exactly(void)
{
	reads("10000", VALUE_COUNT, 1, 10000);
	reads("10k", VALUE_COUNT, 1, 10000);
	reads("2M", VALUE_COUNT, 1, 2000000);
	reads("8192", VALUE_BYTES, 1, 8192);
	reads("64KB", VALUE_BYTES, 1, 65536);
	reads("64KiB", VALUE_BYTES, 1, 65536);
	reads("64k", VALUE_BYTES, 1, 65536);
	reads("6 MB", VALUE_BYTES, 1, 6 << 20);
	reads("1.5GB", VALUE_BYTES, 1, INT64_C(3) << 29);
	reads("200ms", VALUE_TIME, 0, MS(200));
	reads("0.1s", VALUE_TIME, 0, MS(100));
	reads("2h", VALUE_TIME, 0, SEC(7200));
	reads("5min", VALUE_TIME, 0, SEC(300));
	reads("7ns", VALUE_TIME, 0, 7);
	reads("2%", VALUE_RATIO, 0, 20000);
	reads("0.01%", VALUE_RATIO, 0, 100);
	reads("3ppm", VALUE_RATIO, 0, 3);
	reads("1.5Gbit", VALUE_RATE, 0, 1500000000);
}

static void
test_a_bare_number_means_what_its_key_says(void)
{
	reads("30", VALUE_TIME, SEC(1), SEC(30));
	refuses("30", VALUE_TIME, 0);
	refuses("2", VALUE_RATIO, 0);
}

static void
test_zero_needs_no_unit(void)
{
	reads("0", VALUE_TIME, 0, 0);
	reads("0", VALUE_RATIO, 0, 0);
	reads("0.0", VALUE_RATE, 0, 0);
}

static void
test_what_is_not_wholly_a_value_is_refused(void)
{
	refuses("", VALUE_COUNT, 1);
	refuses("x", VALUE_COUNT, 1);
	refuses("-1", VALUE_COUNT, 1);
	refuses("+1", VALUE_COUNT, 1);
	refuses("0x10", VALUE_COUNT, 1);
	refuses("1e3", VALUE_COUNT, 1);
	refuses("12 34", VALUE_COUNT, 1);
	refuses("1.", VALUE_COUNT, 1);
	refuses(".5s", VALUE_TIME, 0);
	refuses("5 parsecs", VALUE_TIME, 0);
	refuses("5MS", VALUE_TIME, 0);
	refuses("5m", VALUE_TIME, 0);
	refuses("1,5s", VALUE_TIME, 0);
	refuses(" 5s", VALUE_TIME, 0);
	refuses("5s ", VALUE_TIME, 0);
}

static void
test_fractions_that_no_unit_can_hold_are_refused(void)
{
	refuses("1.5", VALUE_COUNT, 1);
	refuses("0.3", VALUE_BYTES, 1);
	refuses("0.5ns", VALUE_TIME, 0);
	refuses("0.00001%", VALUE_RATIO, 0);
}

static void
test_numbers_too_large_are_refused(void)
{
	reads("999999999999999999", VALUE_COUNT, 1, INT64_C(999999999999999999));
	refuses("9223372036854775808", VALUE_COUNT, 1);
	refuses("99999999999999999999999999999999999999", VALUE_COUNT, 1);
	refuses("9000000000000000000k", VALUE_COUNT, 1);
	refuses("9999999999h", VALUE_TIME, 0);
	refuses("0.99999999999999999999999999s", VALUE_TIME, 0);
}

static void
shows(int64_t v, enum value_kind kind, const char *want)
{
	char text[VALUE_TEXT];
	int64_t back = -1;

	value_format(text, kind, v);
	CU_ASSERT_STRING_EQUAL(text, want);
	CU_ASSERT_TRUE(value_parse(text, kind, kind <= VALUE_BYTES, &back));
	CU_ASSERT_EQUAL(back, v);
}

static void
test_a_shown_value_reads_back_as_itself(void)
{
	shows(0, VALUE_TIME, "0");
	shows(MS(1500), VALUE_TIME, "1500ms");
	shows(SEC(7200), VALUE_TIME, "7200s");
	shows(1234567, VALUE_TIME, "1234567ns");
	shows(US(50), VALUE_TIME, "50us");
	shows(10000, VALUE_COUNT, "10000");
	shows(6 << 20, VALUE_BYTES, "6MB");
	shows(8193, VALUE_BYTES, "8193");
	shows(20000, VALUE_RATIO, "2%");
	shows(100, VALUE_RATIO, "100ppm");
	shows(1500000000, VALUE_RATE, "1500Mbit");
}

static void
test_yes_and_no_have_four_spellings(void)
{
	static const char *const yes[] = { "on", "yes", "true", "1" };
	static const char *const no[] = { "off", "no", "false", "0" };
	bool v;

	for (size_t i = 0; i < array_len(yes); i++) {
		CU_ASSERT_TRUE(value_parse_bool(yes[i], &v) && v);
		CU_ASSERT_TRUE(value_parse_bool(no[i], &v) && !v);
	}
	CU_ASSERT_FALSE(value_parse_bool("maybe", &v));
	CU_ASSERT_FALSE(value_parse_bool("", &v));
	CU_ASSERT_FALSE(value_parse_bool("2", &v));
}

static void
test_masks_are_hexadecimal_as_they_always_were(void)
{
	uint64_t v;

	CU_ASSERT_TRUE(value_parse_mask("F000000F0", &v) && v == 0xf000000f0);
	CU_ASSERT_TRUE(value_parse_mask("0x0f", &v) && v == 0xf);
	CU_ASSERT_TRUE(value_parse_mask("ffffffffffffffff", &v) && v == UINT64_MAX);
	CU_ASSERT_FALSE(value_parse_mask("1ffffffffffffffff", &v));
	CU_ASSERT_FALSE(value_parse_mask("", &v));
	CU_ASSERT_FALSE(value_parse_mask("0x", &v));
	CU_ASSERT_FALSE(value_parse_mask("0xg", &v));
}

static void
address_reads_back(const char *text, uint8_t want_bits)
{
	char shown[VALUE_TEXT];
	struct ip_addr ip;
	uint8_t bits = 0;

	CU_ASSERT_TRUE(value_parse_prefix(text, &ip, &bits));
	CU_ASSERT_EQUAL(bits, want_bits);
	value_format_prefix(shown, &ip, bits);
	CU_ASSERT_STRING_EQUAL(shown, text);
}

static void
test_addresses_of_both_families_read_back(void)
{
	address_reads_back("10.0.0.2/24", 96 + 24);
	address_reads_back("255.255.255.255/32", 128);
	address_reads_back("0.0.0.0/0", 96);
	address_reads_back("fd00::2/64", 64);
	address_reads_back("::/0", 0);
	address_reads_back("fe80::1/128", 128);
}

static void
test_what_is_no_address_is_refused(void)
{
	static const char *const bad[] = {
		"",        "10.0.0.2",   "/24",          "10.0.0/24",  "10.0.0.2/",
		"10.0.0.2/33", "10.0.0.2/-1", "10.0.0.2/2 4", "10.0.0.256/24", "fd00::/129",
		"fd00::g/64",  "10.0.0.2/24/8", "::ffff:10.0.0.2/120", "host/24",
	};
	struct ip_addr ip;
	uint8_t bits;

	for (size_t i = 0; i < array_len(bad); i++)
		CU_ASSERT_FALSE(value_parse_prefix(bad[i], &ip, &bits));
}

static void
test_a_text_longer_than_any_address_is_refused(void)
{
	char text[400];
	struct ip_addr ip;
	uint8_t bits;

	memset(text, '1', sizeof text);
	memcpy(text + sizeof text - 4, "/24", 4);
	CU_ASSERT_FALSE(value_parse_prefix(text, &ip, &bits));
}

static void
test_a_link_address_is_six_pairs_of_digits(void)
{
	static const char *const bad[] = {
		"", "02:00:00:00:00", "02:00:00:00:00:01:", "02:00:00:00:00:0", "2:0:0:0:0:1",
		"02-00-00-00-00-01", "0g:00:00:00:00:01", "02:00:00:00:00:01x",
	};
	static const uint8_t want[6] = { 2, 0xaB, 0, 0xff, 0, 1 };
	uint8_t mac[6];

	CU_ASSERT_TRUE(value_parse_mac("02:aB:00:FF:00:01", mac));
	CU_ASSERT_TRUE(memcmp(mac, want, 6) == 0);
	for (size_t i = 0; i < array_len(bad); i++)
		CU_ASSERT_FALSE(value_parse_mac(bad[i], mac));
}

void
suite_config_value(void)
{
	CU_pSuite s = CU_add_suite("config_value", NULL, NULL);

	CU_add_test(s, "units scale exactly", test_units_scale_exactly);
	CU_add_test(s, "a bare number means what its key says",
	            test_a_bare_number_means_what_its_key_says);
	CU_add_test(s, "zero needs no unit", test_zero_needs_no_unit);
	CU_add_test(s, "what is not wholly a value is refused",
	            test_what_is_not_wholly_a_value_is_refused);
	CU_add_test(s, "fractions that no unit can hold are refused",
	            test_fractions_that_no_unit_can_hold_are_refused);
	CU_add_test(s, "numbers too large are refused", test_numbers_too_large_are_refused);
	CU_add_test(s, "a shown value reads back as itself",
	            test_a_shown_value_reads_back_as_itself);
	CU_add_test(s, "yes and no have four spellings", test_yes_and_no_have_four_spellings);
	CU_add_test(s, "masks are hexadecimal as they always were",
	            test_masks_are_hexadecimal_as_they_always_were);
	CU_add_test(s, "addresses of both families read back",
	            test_addresses_of_both_families_read_back);
	CU_add_test(s, "what is no address is refused", test_what_is_no_address_is_refused);
	CU_add_test(s, "a text longer than any address is refused",
	            test_a_text_longer_than_any_address_is_refused);
	CU_add_test(s, "a link address is six pairs of digits",
	            test_a_link_address_is_six_pairs_of_digits);
}
