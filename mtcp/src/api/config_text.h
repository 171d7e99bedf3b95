/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Text that a person wrote, as lines and words, and complaints that name the
 * place.  Knows no key: the .conf file, arp.conf and route.conf all come
 * through here, so all of them take the same comments, line ends and sizes.
 *
 * A `#` at the start of a line or after a blank begins a comment.  Lines end
 * with \n or \r\n, the last one with nothing if it likes.
 */
#pragma once

#include <stdio.h>

#include "base/base.h"

#define CONFIG_FILE_MAX     (1u << 20) /* bytes of a file                          */
#define CONFIG_PROBLEMS_MAX 20         /* complaints after which a text is given up */

/* Where complaints go, and the place that is being read. */
struct config_log {
	FILE *err;        /* NULL: complaints are counted only  */
	const char *file; /* as messages name it                */
	unsigned line;    /* from 1; 0: the file as a whole     */
	int problems;     /* so far                             */
};

/* One complaint: "FILE:LINE: " and the text, as one line. */
void config_problem(struct config_log *log, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));

/* Text from outside, made fit for a message: short, and without control characters. */
struct config_quote {
	char text[56];
};
struct config_quote config_quote(const char *text);

struct config_text {
	char *bytes;   /* a private copy, cut up while it is read; freed by config_text_end() */
	char *next;
	char *end;
	unsigned line; /* number of the line last returned */
};

/* Reads a whole file.  0, or -errno: the caller complains (config_text_why()),
 * since a file may be optional.  -EFBIG: larger than CONFIG_FILE_MAX. */
int config_text_read(struct config_text *t, const char *path);

/* The same from memory.  0, -EFBIG or -ENOMEM. */
int config_text_copy(struct config_text *t, const char *text);

/* Sentence for what the two above return, e.g. "is a directory". */
const char *config_text_why(int err);

/* The next line that says something, without comment and outer blanks; NULL at
 * the end, after a complaint about bytes that are no text, and when there were
 * too many complaints.  Sets log->line.  The line may be changed and lives until
 * config_text_end(). */
char *config_text_line(struct config_text *t, struct config_log *log);

void config_text_end(struct config_text *t);

/* Takes the next word off *p: a run without blanks; NULL when there is none. */
char *config_word(char **p);
