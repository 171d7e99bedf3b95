/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once
/*
 * The files that a result goes to.  They are opened before a run, so that ten
 * minutes of measuring do not end at a misspelt folder.
 */
#include <stdbool.h>
#include <stdio.h>

#include "apps/app_args.h"
#include "apps/wget_result.h"

struct outputs {
	const struct app_args *args;
	const char *json_path, *report_path;
	FILE *json, *report; /* NULL: not wanted */
};

/* Opens what is not NULL; false: one of them cannot be written, which was said. */
bool outputs_open(struct outputs *o, const struct app_args *args, const char *json,
	              const char *report);

/* Writes the result to them and closes them; false: that failed, which was said. */
bool outputs_write(struct outputs *o, const struct result *r);

/* Closes what is open. */
void outputs_close(struct outputs *o);
