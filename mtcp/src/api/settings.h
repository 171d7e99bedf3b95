/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What a program wants different from the file, remembered until the file is
 * read: assignments as mtcp_config_set() takes them; mtcp_setconf() makes such
 * assignments too, so there is one way in.
 */
#pragma once

#include "api/config.h"
#include "mtcp_api.h"

struct settings {
	char **line; /* "key = value", on the heap */
	unsigned n;
};

/* Remembers an assignment in place of an earlier one for the same key.  0 or -ENOMEM. */
int settings_put(struct settings *s, const char *assignment);

/* Applies all of them to `cfg`; the number of problems. */
int settings_apply(const struct settings *s, struct config *cfg, FILE *err);

void settings_free(struct settings *s);

/* The part of a configuration that programs see. */
void settings_conf(const struct config *cfg, struct mtcp_conf *conf);

#define SETTINGS_CONF 7u /* members of struct mtcp_conf */

/* Assignments for the members that differ from `cfg`: how many. */
unsigned settings_differences(const struct config *cfg, const struct mtcp_conf *conf,
                              char line[SETTINGS_CONF][64]);
