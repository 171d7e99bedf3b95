/* SPDX-License-Identifier: BSD-3-Clause */
/* Pieces are copied as they were written, quotes and all. */
#include "api/template.h"

#include <stdio.h>

struct text {
	char *at;
	size_t room, used;
	bool full;
};

static void
put(struct text *t, const char *bytes, size_t n)
{
	if (n >= t->room - t->used) {
		t->full = true;
		return;
	}
	memcpy(t->at + t->used, bytes, n);
	t->used += n;
	t->at[t->used] = '\0';
}

static bool
piece_has(const char *p, size_t len)
{
	for (size_t i = 0; i + 1 < len; i++)
		if (p[i] == '%' && p[i + 1] == 'q')
			return true;
	return false;
}

/* One piece with the number of one queue. */
static void
put_for(struct text *t, const char *p, size_t len, unsigned queue)
{
	char number[16];
	int n = snprintf(number, sizeof number, "%u", queue);

	for (size_t i = 0; i < len; i++) {
		if (p[i] == '%' && i + 1 < len && p[i + 1] == 'q') {
			put(t, number, (size_t)n);
			i++;
		} else {
			put(t, p + i, 1);
		}
	}
}

static void
put_piece(struct text *t, const char *p, size_t len, char between, unsigned first, unsigned n)
{
	bool many = piece_has(p, len);

	for (unsigned i = 0; i < (many ? n : 1); i++) {
		if (t->used > 0)
			put(t, &between, 1);
		put_for(t, p, len, first + i);
	}
}

bool
template_has(const char *text)
{
	return strstr(text, "%q") != NULL;
}

/* How long the word at `p` is, as a shell splits. */
static size_t
word_len(const char *p)
{
	char quote = 0;
	size_t i;

	for (i = 0; p[i] && (quote || (p[i] != ' ' && p[i] != '\t')); i++) {
		if (quote ? p[i] == quote : p[i] == '\'' || p[i] == '"')
			quote = quote ? '\0' : p[i];
		else if (p[i] == '\\' && quote != '\'' && p[i + 1])
			i++;
	}
	return i;
}

/* An option that stands apart from its value goes with it. */
static size_t
piece_len(const char *p)
{
	static const char option[] = "--vdev";
	size_t len = word_len(p), gap;

	if (len != strlen(option) || memcmp(p, option, len) != 0)
		return len;
	gap = strspn(p + len, " \t");
	return len + gap + word_len(p + len + gap);
}

bool
template_args(const char *line, unsigned first, unsigned n, char *out, size_t room)
{
	struct text t = { .at = out, .room = room };

	*out = '\0';
	for (const char *p = line + strspn(line, " \t"); *p;) {
		size_t len = piece_len(p);

		put_piece(&t, p, len, ' ', first, n);
		p += len;
		p += strspn(p, " \t");
	}
	return !t.full;
}

bool
template_devices(const char *list, unsigned first, unsigned n, char *out, size_t room)
{
	struct text t = { .at = out, .room = room };

	*out = '\0';
	for (const char *p = list; *p;) {
		size_t len = strcspn(p, ",");

		put_piece(&t, p, len, ',', first, n);
		p += len;
		p += *p == ',';
	}
	return !t.full;
}
