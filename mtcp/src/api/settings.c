/* SPDX-License-Identifier: BSD-3-Clause */
/* Two assignments are of the same key when they agree up to the blank or '='. */
#include "api/settings.h"

#include <errno.h>
#include <stdlib.h>

static size_t
key_len(const char *assignment)
{
	return strcspn(assignment, " \t=");
}

static bool
same_key(const char *a, const char *b)
{
	return key_len(a) == key_len(b) && strncmp(a, b, key_len(a)) == 0;
}

int
settings_put(struct settings *s, const char *assignment)
{
	char *copy, **grown;

	assignment += strspn(assignment, " \t");
	copy = strdup(assignment);
	grown = realloc(s->line, (s->n + 1) * sizeof *s->line);
	if (grown)
		s->line = grown;
	if (!copy || !grown) {
		free(copy);
		return -ENOMEM;
	}
	for (unsigned i = 0; i < s->n; i++)
		if (same_key(s->line[i], copy)) {
			free(s->line[i]);
			s->line[i] = copy;
			return 0;
		}
	s->line[s->n++] = copy;
	return 0;
}

int
settings_apply(const struct settings *s, struct config *cfg, FILE *err)
{
	int problems = 0;

	for (unsigned i = 0; i < s->n; i++)
		problems += config_set(cfg, s->line[i], err);
	return problems;
}

void
settings_free(struct settings *s)
{
	for (unsigned i = 0; i < s->n; i++)
		free(s->line[i]);
	free(s->line);
	*s = (struct settings){ 0 };
}

void
settings_conf(const struct config *cfg, struct mtcp_conf *conf)
{
	const struct tcp_cfg *t = &cfg->stack.tcp;

	*conf = (struct mtcp_conf){
		.num_cores = (int)cfg->num_cores,
		.max_concurrency = (int)cfg->stack.max_conns,
		.max_num_buffers = (int)cfg->max_num_buffers,
		.rcvbuf_size = (int)cfg->rcvbuf,
		.sndbuf_size = (int)cfg->sndbuf,
		.tcp_timewait = (int)(t->time_wait_ns / NS_PER_S),
		.tcp_timeout = t->idle_timeout_ns == TIME_NEVER ? -1 :
		                                                  (int)(t->idle_timeout_ns / NS_PER_S),
	};
}

static void
note(char line[SETTINGS_CONF][64], unsigned *n, const char *key, int is, int wanted)
{
	if (is != wanted)
		snprintf(line[(*n)++], sizeof line[0], "%s = %d", key, wanted);
}

static void
note_buffer(char line[SETTINGS_CONF][64], unsigned *n, const char *key, int is, int wanted)
{
	if (is != wanted && wanted == 0)
		snprintf(line[(*n)++], sizeof line[0], "%s = auto", key);
	else
		note(line, n, key, is, wanted);
}

unsigned
settings_differences(const struct config *cfg, const struct mtcp_conf *conf,
                     char line[SETTINGS_CONF][64])
{
	struct mtcp_conf is;
	unsigned n = 0;

	settings_conf(cfg, &is);
	note(line, &n, "num_cores", is.num_cores, conf->num_cores);
	note(line, &n, "max_concurrency", is.max_concurrency, conf->max_concurrency);
	note(line, &n, "max_num_buffers", is.max_num_buffers, conf->max_num_buffers);
	note_buffer(line, &n, "rcvbuf", is.rcvbuf_size, conf->rcvbuf_size);
	note_buffer(line, &n, "sndbuf", is.sndbuf_size, conf->sndbuf_size);
	note(line, &n, "tcp_timewait", is.tcp_timewait, conf->tcp_timewait);
	note(line, &n, "tcp_timeout", is.tcp_timeout, conf->tcp_timeout);
	return n;
}
