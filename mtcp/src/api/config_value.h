/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * How a number, a time or an address is written, both ways.  Pure functions;
 * strict: what is not understood to the last character is refused.
 */
#pragma once

#include "base/base.h"
#include "base/ip_addr.h"

enum value_kind {
	VALUE_COUNT, /* 10000, 10k, 1M: powers of ten                  */
	VALUE_BYTES, /* 8192, 64KB, 6MB, 1GB: powers of two            */
	VALUE_TIME,  /* 200ms, 1.5s, 2h: in nanoseconds                */
	VALUE_RATIO, /* 2%, 0.5%, 100ppm: in parts of a million        */
	VALUE_RATE,  /* 100Mbit, 1.5Gbit: in bits a second, powers of ten */
};

#define VALUE_TEXT 64 /* room for any formatted value */

/* What such a value looks like, for messages: "a time (a number with ...)". */
const char *value_kind_text(enum value_kind kind);

/* `bare`: what 1 means without a unit; 0: a unit is needed, but for the value 0. */
bool value_parse(const char *text, enum value_kind kind, int64_t bare, int64_t *v);

/* The shortest exact way to write v >= 0 with a unit; value_parse() reads it back. */
void value_format(char buf[VALUE_TEXT], enum value_kind kind, int64_t v);

/* on off, yes no, true false, 1 0. */
bool value_parse_bool(const char *text, bool *v);

/* Hexadecimal digits, with or without 0x, at most 64 bits. */
bool value_parse_mask(const char *text, uint64_t *v);

/* An address of either family; an IPv4 address is written as one. */
bool value_parse_ip(const char *text, struct ip_addr *ip);
void value_format_ip(char buf[VALUE_TEXT], const struct ip_addr *ip);

/* "10.0.0.2/24"; *bits counts in the 128 of struct ip_addr, so that is 120. */
bool value_parse_prefix(const char *text, struct ip_addr *ip, uint8_t *bits);
void value_format_prefix(char buf[VALUE_TEXT], const struct ip_addr *ip, uint8_t bits);

/* "02:00:00:00:00:01" */
bool value_parse_mac(const char *text, uint8_t mac[6]);
