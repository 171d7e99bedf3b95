/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Numbers with units.  A value is digits with perhaps a fraction, and a unit
 * from the table of its kind; arithmetic is in integers, so 0.1s is exactly
 * 100 ms, and what a unit cannot hold exactly is refused.
 */
#include "api/config_value.h"

#include <arpa/inet.h>
#include <inttypes.h>
#include <stdio.h>

struct unit {
	const char *name;
	int64_t scale;
	bool shown; /* value_format() writes it; otherwise it is only understood */
};

/* Largest first, so that the first that divides is the shortest. */
static const struct unit count_units[] = {
	{ "M", 1000000, false },
	{ "k", 1000, false },
	{ "K", 1000, false },
	{ "", 1, true },
	{ NULL, 0, false },
};

static const struct unit byte_units[] = {
	{ "GB", 1 << 30, true },    { "MB", 1 << 20, true },    { "KB", 1 << 10, true },
	{ "GiB", 1 << 30, false },  { "MiB", 1 << 20, false },  { "KiB", 1 << 10, false },
	{ "G", 1 << 30, false },    { "M", 1 << 20, false },    { "K", 1 << 10, false },
	{ "g", 1 << 30, false },    { "m", 1 << 20, false },    { "k", 1 << 10, false },
	{ "kB", 1 << 10, false },   { "B", 1, false },          { "", 1, true },
	{ NULL, 0, false },
};

static const struct unit time_units[] = {
	{ "h", SEC(3600), false }, { "min", SEC(60), false }, { "s", SEC(1), true },
	{ "ms", MS(1), true },     { "us", US(1), true },     { "ns", 1, true },
	{ NULL, 0, false },
};

static const struct unit ratio_units[] = {
	{ "%", 10000, true },
	{ "ppm", 1, true },
	{ NULL, 0, false },
};

static const struct unit rate_units[] = {
	{ "Gbit", 1000000000, true }, { "Mbit", 1000000, true }, { "kbit", 1000, true },
	{ "bit", 1, true },           { NULL, 0, false },
};

static const struct {
	const struct unit *units;
	const char *text;
} kinds[] = {
	[VALUE_COUNT] = { count_units, "a number (such as 10000 or 10k)" },
	[VALUE_BYTES] = { byte_units, "a size (a number of bytes, or with KB, MB or GB)" },
	[VALUE_TIME] = { time_units, "a time (a number with ns, us, ms, s, min or h)" },
	[VALUE_RATIO] = { ratio_units, "a share (a number with % or ppm)" },
	[VALUE_RATE] = { rate_units, "a rate (a number with bit, kbit, Mbit or Gbit)" },
};

const char *
value_kind_text(enum value_kind kind)
{
	return kinds[kind].text;
}

static bool
is_digit(char c)
{
	return c >= '0' && c <= '9';
}

/* Moves *p behind digits: their number, or -1 when there are none or too many. */
static int
parse_digits(const char **p, int64_t *v)
{
	const char *s = *p;
	int n;

	*v = 0;
	for (n = 0; is_digit(s[n]); n++) {
		if (__builtin_mul_overflow(*v, 10, v) || __builtin_add_overflow(*v, s[n] - '0', v))
			return -1;
	}
	*p = s + n;
	return n ? n : -1;
}

/* Digits behind a point: part/of.  False when there are none, or too many. */
static bool
parse_fraction(const char **p, int64_t *part, int64_t *of)
{
	int n = parse_digits(p, part);

	/* 10^18 is the largest power of ten. */
	for (*of = 1; n > 0 && n <= 18; n--)
		*of *= 10;
	return n == 0;
}

/* Whether whole + part/of, times scale, is an integer that fits. */
static bool
scale_exactly(int64_t whole, int64_t part, int64_t of, int64_t scale, int64_t *v)
{
	int64_t a, b;

	if (__builtin_mul_overflow(whole, scale, &a) || __builtin_mul_overflow(part, scale, &b))
		return false;
	return b % of == 0 && !__builtin_add_overflow(a, b / of, v);
}

static int64_t
unit_scale(enum value_kind kind, const char *name, int64_t bare)
{
	if (*name == '\0' && bare)
		return bare;
	for (const struct unit *u = kinds[kind].units; u->name; u++) {
		if (strcmp(u->name, name) == 0)
			return u->scale;
	}
	return 0;
}

bool
value_parse(const char *text, enum value_kind kind, int64_t bare, int64_t *v)
{
	int64_t whole, part = 0, of = 1, scale;

	if (parse_digits(&text, &whole) < 0)
		return false;
	if (*text == '.') {
		text++;
		if (!parse_fraction(&text, &part, &of))
			return false;
	}
	if (*text == ' ')
		text++;
	scale = unit_scale(kind, text, bare);
	if (!scale && *text == '\0' && whole == 0 && part == 0)
		scale = 1; /* nothing is nothing in every unit */
	return scale && scale_exactly(whole, part, of, scale, v);
}

void
value_format(char buf[VALUE_TEXT], enum value_kind kind, int64_t v)
{
	const struct unit *u = kinds[kind].units;

	while (!u->shown || v % u->scale)
		u++;
	snprintf(buf, VALUE_TEXT, "%" PRId64 "%s", v / u->scale, v ? u->name : "");
}

/* ----------------------------------------------------------------- no numbers */

bool
value_parse_bool(const char *text, bool *v)
{
	static const char *const words[][2] = {
		{ "off", "on" }, { "no", "yes" }, { "false", "true" }, { "0", "1" },
	};

	for (size_t i = 0; i < array_len(words) * 2; i++) {
		if (strcmp(text, words[i / 2][i % 2]) == 0) {
			*v = i % 2;
			return true;
		}
	}
	return false;
}

static int
hex_digit(char c)
{
	if (is_digit(c))
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return -1;
}

bool
value_parse_mask(const char *text, uint64_t *v)
{
	uint64_t mask = 0;
	int digit;

	if (text[0] == '0' && (text[1] == 'x' || text[1] == 'X'))
		text += 2;
	if (*text == '\0')
		return false;
	for (; *text; text++) {
		digit = hex_digit(*text);
		if (digit < 0 || mask >> 60)
			return false;
		mask = mask << 4 | (unsigned)digit;
	}
	*v = mask;
	return true;
}

bool
value_parse_ip(const char *text, struct ip_addr *ip)
{
	uint8_t v4[4];
	struct ip_addr a;

	if (inet_pton(AF_INET, text, v4) == 1) {
		*ip = ip_addr_v4(get_be32(v4));
		return true;
	}
	/* A mapped address written as IPv6 would come back as another text. */
	if (inet_pton(AF_INET6, text, a.b) != 1 || ip_addr_is_v4(&a))
		return false;
	*ip = a;
	return true;
}

void
value_format_ip(char buf[VALUE_TEXT], const struct ip_addr *ip)
{
	bool v4 = ip_addr_is_v4(ip);

	inet_ntop(v4 ? AF_INET : AF_INET6, ip->b + (v4 ? 12 : 0), buf, VALUE_TEXT);
}

bool
value_parse_prefix(const char *text, struct ip_addr *ip, uint8_t *bits)
{
	const char *slash = strchr(text, '/');
	char addr[VALUE_TEXT];
	int64_t n;
	unsigned skipped;

	if (!slash || slash - text >= VALUE_TEXT)
		return false;
	memcpy(addr, text, (size_t)(slash - text));
	addr[slash - text] = '\0';
	slash++;
	if (!value_parse_ip(addr, ip) || parse_digits(&slash, &n) < 0 || *slash)
		return false;
	skipped = ip_addr_is_v4(ip) ? 96 : 0;
	if (n > 128 - (int64_t)skipped)
		return false;
	*bits = (uint8_t)(n + skipped);
	return true;
}

void
value_format_prefix(char buf[VALUE_TEXT], const struct ip_addr *ip, uint8_t bits)
{
	size_t n;

	value_format_ip(buf, ip);
	n = strlen(buf);
	snprintf(buf + n, VALUE_TEXT - n, "/%d", bits - (ip_addr_is_v4(ip) ? 96 : 0));
}

bool
value_parse_mac(const char *text, uint8_t mac[6])
{
	int hi, lo;

	for (int i = 0; i < 6; i++, text += 3) {
		hi = hex_digit(text[0]);
		lo = hi < 0 ? -1 : hex_digit(text[1]);
		if (lo < 0 || text[2] != (i < 5 ? ':' : '\0'))
			return false;
		mac[i] = (uint8_t)(hi << 4 | lo);
	}
	return true;
}
