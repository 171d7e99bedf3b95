/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A file keeps its old content until the new one is there to be written.
 */
#include "apps/wget_output.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "apps/wget_json.h"
#include "apps/wget_report.h"

static FILE *
output_open(const struct app_args *args, const char *path)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0666);
	FILE *f = fd >= 0 ? fdopen(fd, "w") : NULL;

	if (!f)
		app_error(args, "%s: %m", path);
	if (!f && fd >= 0)
		close(fd);
	return f;
}

bool
outputs_open(struct outputs *o, const struct app_args *args, const char *json,
	         const char *report)
{
	*o = (struct outputs){ .args = args, .json_path = json, .report_path = report };
	if (json && !(o->json = output_open(args, json)))
		return false;
	if (report && !(o->report = output_open(args, report))) {
		outputs_close(o);
		return false;
	}
	return true;
}

static bool
output_write(const struct outputs *o, FILE **f, const char *path,
	         bool write_result(FILE *, const struct result *), const struct result *r)
{
	bool good;

	if (!*f)
		return true;
	good = ftruncate(fileno(*f), 0) == 0 || errno == EINVAL; /* a pipe has no length */
	good = good && write_result(*f, r);
	good = fclose(*f) == 0 && good;
	*f = NULL;
	if (!good)
		app_error(o->args, "%s: cannot write the result: %m", path);
	return good;
}

bool
outputs_write(struct outputs *o, const struct result *r)
{
	bool json = output_write(o, &o->json, o->json_path, result_write_json, r);

	return output_write(o, &o->report, o->report_path, result_write_report, r) && json;
}

void
outputs_close(struct outputs *o)
{
	if (o->json)
		fclose(o->json);
	if (o->report)
		fclose(o->report);
	o->json = o->report = NULL;
}
