/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Ranges of addresses of either family, as numbers of 4 or 16 bytes.
 */
#include "apps/wget_source.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#define ITEM_MAX 64u
#define TOO_MANY "more than 65536 addresses"

static size_t
size_of(int family)
{
	return family == AF_INET ? 4 : 16;
}

static int
address_parse(const char *text, uint8_t out[16])
{
	memset(out, 0, 16);
	if (inet_pton(AF_INET, text, out) == 1)
		return AF_INET;
	return inet_pton(AF_INET6, text, out) == 1 ? AF_INET6 : AF_UNSPEC;
}

static void
address_add(uint8_t *a, size_t size, uint32_t n)
{
	for (size_t i = size; i-- > 0 && n > 0;) {
		n += a[i];
		a[i] = (uint8_t)n;
		n >>= 8;
	}
}

/* last - first + 1; 0 when it is none of 1 to SOURCES_MAX. */
static uint32_t
count_between(const uint8_t *first, const uint8_t *last, size_t size)
{
	uint64_t n = 0;

	if (memcmp(first, last, size) > 0)
		return 0;
	for (size_t i = 0; i < size; i++) {
		n = n * 256 + last[i] - first[i];
		if (n > UINT64_C(1) << 40) /* what follows cannot bring it back below */
			return 0;
	}
	return n < SOURCES_MAX ? (uint32_t)n + 1 : 0;
}

static const char *
range_between(struct source_range *r, int family, const char *text)
{
	uint8_t last[16];

	if (address_parse(text, last) != family)
		return "what follows '-' is no address of the same family";
	r->count = count_between(r->first, last, size_of(family));
	return r->count ? NULL : "a range ends below its start, or has " TOO_MANY;
}

static const char *
range_below(struct source_range *r, int family, const char *text)
{
	int bits = (int)size_of(family) * 8, left;
	char *end;
	long prefix = strtol(text, &end, 10);

	if (end == text || *end != '\0' || prefix < 0 || prefix > bits)
		return "what follows '/' is no length of a prefix";
	left = bits - (int)prefix;
	if (left > 16)
		return "a prefix has " TOO_MANY;
	for (int i = 0; i < left; i++)
		r->first[(bits - 1 - i) / 8] &= (uint8_t) ~(1u << (i % 8));
	r->count = UINT32_C(1) << left;
	if (family == AF_INET && left >= 2) { /* RFC 3021: two addresses are two hosts */
		address_add(r->first, 4, 1);
		r->count -= 2;
	}
	return NULL;
}

static const char *
item_parse(struct sources *s, char *item)
{
	struct source_range *r = &s->range[s->ranges];
	char *rest = item + strcspn(item, "-/");
	char mark = *rest;
	const char *wrong = NULL;
	int family;

	if (s->ranges == SOURCE_RANGES_MAX)
		return "more than 16 items";
	if (mark)
		*rest++ = '\0';
	family = address_parse(item, r->first);
	if (family == AF_UNSPEC)
		return "not an IP address";
	if (s->family && family != s->family)
		return "IPv4 and IPv6 cannot be mixed";
	r->count = 1;
	if (mark == '-')
		wrong = range_between(r, family, rest);
	else if (mark == '/')
		wrong = range_below(r, family, rest);
	if (wrong)
		return wrong;
	if (s->total + r->count > SOURCES_MAX)
		return TOO_MANY;
	s->family = family;
	s->total += r->count;
	s->ranges++;
	return NULL;
}

const char *
sources_parse(struct sources *s, const char *list, char where[64])
{
	const char *wrong = NULL;

	*s = (struct sources){ 0 };
	while (!wrong) {
		size_t len = strcspn(list, ",");
		char item[ITEM_MAX];

		memset(where, 0, ITEM_MAX);
		memcpy(where, list, len < ITEM_MAX ? len : ITEM_MAX - 1);
		memcpy(item, where, ITEM_MAX);
		wrong = len < ITEM_MAX ? item_parse(s, item) : "not an IP address";
		if (list[len] == '\0')
			break;
		list += len + 1;
	}
	return wrong;
}

static void
address_at(const struct sources *s, uint64_t i, uint8_t a[16])
{
	const struct source_range *r = s->range;
	uint32_t n = (uint32_t)(i % s->total);

	while (n >= r->count)
		n -= (r++)->count;
	memcpy(a, r->first, 16);
	address_add(a, size_of(s->family), n);
}

socklen_t
sources_at(const struct sources *s, uint64_t i, struct sockaddr_storage *out)
{
	uint8_t a[16];

	address_at(s, i, a);
	memset(out, 0, sizeof(*out));
	out->ss_family = (sa_family_t)s->family;
	if (s->family == AF_INET) {
		memcpy(&((struct sockaddr_in *)out)->sin_addr, a, 4);
		return sizeof(struct sockaddr_in);
	}
	memcpy(&((struct sockaddr_in6 *)out)->sin6_addr, a, 16);
	return sizeof(struct sockaddr_in6);
}

const char *
sources_text(const struct sources *s, uint64_t i, char text[SOURCE_TEXT_MAX])
{
	uint8_t a[16];

	address_at(s, i, a);
	return inet_ntop(s->family, a, text, SOURCE_TEXT_MAX);
}
