/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A configuration under test: text goes in, the struct and the complaints come
 * out.  Complaints are kept as text, since their wording is the contract with
 * whoever wrote the file.
 */
#pragma once

#include <CUnit/CUnit.h>

#include <stdlib.h>

#include "api/config.h"

struct config_try {
	struct config *cfg;
	char *said;      /* every complaint so far, a line each */
	size_t said_len;
	FILE *err;
	int problems;    /* as the call returned                */
};

static inline struct config_try
config_try_begin(void)
{
	struct config_try t = { .cfg = malloc(sizeof *t.cfg) };

	config_default(t.cfg);
	return t;
}

static inline void
config_try_listen(struct config_try *t)
{
	free(t->said);
	t->said = NULL;
	t->err = open_memstream(&t->said, &t->said_len);
}

static inline void
config_try_heard(struct config_try *t, int problems)
{
	fclose(t->err);
	t->problems = problems;
}

static inline void
config_try_parse(struct config_try *t, const char *text)
{
	config_try_listen(t);
	config_try_heard(t, config_parse(t->cfg, "f.conf", text, t->err));
}

static inline void
config_try_load(struct config_try *t, const char *path)
{
	config_try_listen(t);
	config_try_heard(t, config_load(t->cfg, path, t->err));
}

static inline void
config_try_set(struct config_try *t, const char *assignment)
{
	config_try_listen(t);
	config_try_heard(t, config_set(t->cfg, assignment, t->err));
}

static inline void
config_try_check(struct config_try *t)
{
	config_try_listen(t);
	config_try_heard(t, config_check(t->cfg, t->err));
}

static inline void
config_try_end(struct config_try *t)
{
	config_free(t->cfg);
	free(t->cfg);
	free(t->said);
}

/* A configuration that was read from `text`. */
static inline struct config_try
config_try_text(const char *text)
{
	struct config_try t = config_try_begin();

	config_try_parse(&t, text);
	return t;
}

/* `text` is refused with exactly this complaint, given without its newline. */
static inline void
config_try_refused(const char *text, const char *complaint)
{
	struct config_try t = config_try_text(text);
	size_t len = strlen(complaint);

	CU_ASSERT_EQUAL(t.problems, 1);
	CU_ASSERT_TRUE(strlen(t.said) == len + 1 && memcmp(t.said, complaint, len) == 0);
	if (t.problems != 1 || strncmp(t.said, complaint, len) != 0)
		printf("  said %s  not %s\n", t.said, complaint);
	config_try_end(&t);
}

/* As above, for what only config_check() sees. */
static inline void
config_try_check_refused(const char *text, const char *complaint)
{
	struct config_try t = config_try_text(text);

	CU_ASSERT_EQUAL(t.problems, 0);
	config_try_check(&t);
	CU_ASSERT_EQUAL(t.problems, 1);
	CU_ASSERT_STRING_EQUAL(t.said, complaint);
	if (strcmp(t.said, complaint) != 0)
		printf("  said %s  not %s\n", t.said, complaint);
	config_try_end(&t);
}
