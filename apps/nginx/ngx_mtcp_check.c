/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The library's file, read when nginx reads its own: what is wrong with it is told by `nginx -t' and stops a
 * reload.  How many cores it speaks of must fit the number of workers, since each worker is a
 * process with one core.
 */
#include "ngx_mtcp.h"

/* Each line that a function of the library writes is an entry of the log. */
static void
log_lines(char *text, ngx_log_t *log)
{
	char *line, *rest = text;

	while ((line = strsep(&rest, "\n")))
		if (*line)
			ngx_log_error(NGX_LOG_EMERG, log, 0, "mtcp: %s", line);
}

static ngx_int_t
check_file(const char *file, ngx_log_t *log)
{
	char *text = NULL;
	size_t len;
	FILE *out = open_memstream(&text, &len);
	int rc;

	if (!out)
		return NGX_ERROR;
	rc = mtcp_check_config(file, out);
	fclose(out);
	if (rc < 0)
		log_lines(text, log);
	free(text);
	return rc < 0 ? NGX_ERROR : NGX_OK;
}

/* "2", "0 of 2", or a word. */
static void
read_places(const char *value, ngx_mtcp_conf_t *mcf)
{
	unsigned place, of;

	mcf->places = 0;
	mcf->placed = sscanf(value, "%u of %u", &place, &of) == 2;
	if (mcf->placed || sscanf(value, "%u", &of) == 1)
		mcf->places = of;
}

/* "key = value  # where from", a line for each key. */
static void
read_values(char *text, ngx_mtcp_conf_t *mcf)
{
	char *line, *rest = text, *value;

	while ((line = strsep(&rest, "\n"))) {
		value = strstr(line, " = ");
		if (!value)
			continue;
		*value = '\0';
		value += 3;
		if (strcmp(line, "num_cores") == 0)
			mcf->cores = strtoul(value, NULL, 10);
		else if (strcmp(line, "multiprocess") == 0)
			read_places(value, mcf);
		else if (strcmp(line, "eal_args") == 0)
			mcf->xdp = strstr(value, "net_af_xdp") != NULL;
	}
}

static ngx_int_t
read_file(ngx_mtcp_conf_t *mcf)
{
	char *text = NULL;
	size_t len;
	FILE *out = open_memstream(&text, &len);

	if (!out)
		return NGX_ERROR;
	mtcp_dump_config(out);
	fclose(out);
	read_values(text, mcf);
	free(text);
	return NGX_OK;
}

static ngx_int_t
fits(ngx_mtcp_conf_t *mcf, ngx_uint_t workers, ngx_log_t *log)
{
	const char *file = (const char *)mcf->file.data;

	if (mcf->cores != 1 && mcf->cores != workers) {
		ngx_log_error(NGX_LOG_EMERG, log, 0,
		              "mtcp: \"num_cores = %ui\" in \"%s\" does not fit \"worker_processes %ui\": "
		              "each worker is a process with one core", mcf->cores, file, workers);
		return NGX_ERROR;
	}
	if (mcf->places && mcf->places < workers) {
		ngx_log_error(NGX_LOG_EMERG, log, 0,
		              "mtcp: \"multiprocess = %ui\" in \"%s\" has no places for "
		              "\"worker_processes %ui\"", mcf->places, file, workers);
		return NGX_ERROR;
	}
	if (mcf->placed && workers > 1) {
		ngx_log_error(NGX_LOG_EMERG, log, 0,
		              "mtcp: \"multiprocess\" in \"%s\" names one place for all of "
		              "\"worker_processes %ui\"", file, workers);
		return NGX_ERROR;
	}
	return NGX_OK;
}

ngx_int_t
ngx_mtcp_check(ngx_cycle_t *cycle, ngx_mtcp_conf_t *mcf)
{
	ngx_core_conf_t *ccf = (ngx_core_conf_t *)ngx_get_conf(cycle->conf_ctx, ngx_core_module);
	ngx_uint_t workers = ccf->master ? (ngx_uint_t)ccf->worker_processes : 1;

	if (mcf->file.len == 0) {
		ngx_log_error(NGX_LOG_EMERG, cycle->log, 0,
		              "\"use mtcp\" wants \"mtcp_conf FILE\" in the \"events\" block");
		return NGX_ERROR;
	}
	if (check_file((const char *)mcf->file.data, cycle->log) != NGX_OK || read_file(mcf) != NGX_OK)
		return NGX_ERROR;
	return fits(mcf, workers, cycle->log);
}
