/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The table of keys: one line is one key, with its type, unit, range and where
 * its value goes.  Parsing, checking, dumping and the manual page's test all
 * read it; nothing else knows what a key is called.
 */
#pragma once

#include "api/config.h"
#include "api/config_text.h"
#include "api/config_value.h"

enum key_type {
	KEY_BOOL,
	KEY_NUMBER,
	KEY_TEXT,  /* the rest of the line                                      */
	KEY_PAIR,  /* stands for two keys: fault_x for fault_rx_x and fault_tx_x */
	KEY_OTHER, /* has functions of its own                                  */
};

enum {
	KEY_LIST = 1 << 0, /* may be given several times, each adds              */
	KEY_OFF = 1 << 1,  /* "off" and -1 are TIME_NEVER                        */
	KEY_AUTO = 1 << 2, /* "auto" is 0                                        */
};

struct config_key {
	const char *name;
	enum key_type type;
	enum value_kind kind; /* KEY_NUMBER: its units                            */
	unsigned flags;       /* KEY_LIST, ...                                    */
	size_t offset, size;  /* of the member of struct config; size 0: none.  Of a
	                       * KEY_LIST: how many entries it has                 */
	int64_t lo, hi;       /* KEY_NUMBER: the range, inclusive                 */
	int64_t bare;         /* KEY_NUMBER: 1 without a unit; 0: unit is needed  */

	/* KEY_OTHER: takes the value (may cut it up), complaining to `log`. */
	void (*set)(struct config *cfg, char *value, struct config_log *log);
	/* KEY_OTHER: writes the value as it would be read. */
	void (*show)(const struct config *cfg, FILE *out);
	const char *says;     /* KEY_OTHER: type, for people                       */
};

/* The nth key in the order of the manual page, or NULL beyond the last. */
const struct config_key *key_at(unsigned n);

const struct config_key *key_find(const char *name);

/* The key that was probably meant, or NULL when none is near. */
const struct config_key *key_suggest(const char *name);

/* Whether it can change while a stack runs: stack_tune() takes it over. */
bool key_is_live(const struct config_key *key);

/* Where `key` got its value. */
struct config_origin key_origin(const struct config *cfg, const struct config_key *key);

/* Takes `value` (may cut it up) and notes where it came from; complains about a bad
 * value, or a second one in the same file. */
void key_apply(struct config *cfg, const struct config_key *key, char *value,
               enum config_source source, struct config_log *log);

/* Writes the effective value as it would be read; nothing for KEY_PAIR. */
void key_show(const struct config *cfg, const struct config_key *key, FILE *out);

/* Type and range for people, e.g. "time, 1ms to 3600s". */
void key_describe(const struct config_key *key, FILE *out);
