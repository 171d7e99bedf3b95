/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * All inputs are read before an output is opened: they may be the same file.
 */
#include "apps/wget_merge.h"

#include <stdio.h>
#include <stdlib.h>

#include "apps/wget_json.h"
#include "apps/wget_output.h"
#include "apps/wget_result.h"
#include "apps/wget_summary.h"

static struct result *
input_read(const struct options *o, const char *path)
{
	char why[JSON_WHY_MAX] = "";
	FILE *f = fopen(path, "re");
	struct result *r;

	if (!f) {
		app_error(&o->common, "%s: %m", path);
		return NULL;
	}
	r = result_read_json(f, why);
	if (!r)
		app_error(&o->common, "%s: %s", path, why);
	fclose(f);
	return r;
}

static bool
inputs_add(const struct options *o, struct result *sum)
{
	for (char **path = o->inputs; *path; path++) {
		struct result *r = input_read(o, *path);
		bool good = r && result_add(sum, r);

		if (r && !good)
			app_error(&o->common, "%s: more than %u machines", *path, MACHINES_MAX);
		result_free(r);
		if (!good)
			return false;
	}
	return true;
}

static bool
result_tell(const struct options *o, const struct result *r)
{
	struct outputs out;

	if (!outputs_open(&out, &o->common, o->json, o->report))
		return false;
	summary_print(stdout, r);
	return outputs_write(&out, r) && fflush(stdout) == 0;
}

int
merge_results(const struct options *o)
{
	struct result *sum = result_new();
	bool good = false;

	if (!sum)
		app_error(&o->common, "out of memory");
	else
		good = inputs_add(o, sum) && result_tell(o, sum);
	result_free(sum);
	return good ? EXIT_SUCCESS : EXIT_FAILURE;
}
