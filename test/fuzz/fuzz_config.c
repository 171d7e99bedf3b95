/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Any bytes as a configuration.  What is accepted must be stable: dumped and
 * read again it is the same.  The part before the first NUL is the .conf file,
 * then arp.conf, route.conf, and one override.
 */
#include <stdio.h>
#include <stdlib.h>

#include "api/config.h"
#include "api/config_static.h"
#include "test/fuzz/fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define INPUT_MAX 65536u

/* The parts of an input; absent ones are empty. */
struct parts {
	char bytes[INPUT_MAX + 4];
	const char *part[4];
};

static void
parts_cut(struct parts *p, const uint8_t *data, size_t size)
{
	const char *at = p->bytes;

	memset(p->bytes, 0, sizeof p->bytes);
	memcpy(p->bytes, data, min(size, INPUT_MAX));
	for (size_t i = 0; i < array_len(p->part); i++) {
		p->part[i] = at;
		at += strlen(at);
		if (at < p->bytes + INPUT_MAX)
			at++;
	}
}

static char *
dump(const struct config *cfg)
{
	char *text = NULL;
	size_t len;
	FILE *out = open_memstream(&text, &len);

	must(out);
	config_dump(cfg, out);
	must(fclose(out) == 0);
	return text;
}

/* Cuts off where each value came from, which is different the second time. */
static void
drop_origins(char *text)
{
	char *to = text;

	for (char *p = text; *p; p++) {
		if (p[0] == ' ' && p[1] == ' ' && p[2] == '#')
			p += strcspn(p, "\n");
		*to++ = *p;
	}
	*to = '\0';
}

static void
reads_back(const struct config *cfg, struct config *again)
{
	char *first = dump(cfg);
	char *second;

	config_default(again);
	must(config_parse(again, "dump", first, NULL) == 0);
	second = dump(again);
	drop_origins(first);
	drop_origins(second);
	must(strcmp(first, second) == 0);
	free(first);
	free(second);
}

static int
static_parse(struct config *cfg, const char *bytes,
             void (*parser)(struct config *, struct config_text *, struct config_log *))
{
	struct config_log log = { .file = "table" };
	struct config_text text;

	must(config_text_copy(&text, bytes) == 0);
	parser(cfg, &text, &log);
	return log.problems;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct parts *p = malloc(sizeof *p);
	struct config *cfg = malloc(sizeof *cfg);
	struct config *again = malloc(sizeof *again);

	must(p && cfg && again);
	parts_cut(p, data, size);
	config_default(cfg);
	if (config_parse(cfg, "fuzz", p->part[0], NULL) == 0)
		reads_back(cfg, again);
	must(static_parse(cfg, p->part[1], static_parse_arp) >= 0);
	must(static_parse(cfg, p->part[2], static_parse_routes) >= 0);
	must(config_set(cfg, p->part[3], NULL) >= 0);
	must(config_check(cfg, NULL) >= 0);
	config_free(cfg);
	free(again);
	free(cfg);
	free(p);
	return 0;
}
