/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Text as lines and words.  The whole text is in memory, so there is no longest
 * line that could be cut or split in silence.
 */
#include "api/config_text.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

/* ---------------------------------------------------------------- complaints */

void
config_problem(struct config_log *log, const char *fmt, ...)
{
	va_list ap;

	log->problems++;
	if (!log->err)
		return;
	if (log->line)
		fprintf(log->err, "%s:%u: ", log->file, log->line);
	else
		fprintf(log->err, "%s: ", log->file);
	va_start(ap, fmt);
	vfprintf(log->err, fmt, ap);
	va_end(ap);
	fputc('\n', log->err);
}

static bool
is_printable(char c)
{
	/* Bytes from 0x80 are left alone: they may be somebody's UTF-8. */
	return (unsigned char)c >= 0x20 && c != 0x7f;
}

struct config_quote
config_quote(const char *text)
{
	struct config_quote q;
	size_t room = sizeof q.text - sizeof "...";
	size_t n = 0;

	for (; text[n] && n < room; n++)
		q.text[n] = is_printable(text[n]) ? text[n] : '?';
	memcpy(q.text + n, text[n] ? "..." : "", text[n] ? sizeof "..." : 1);
	return q;
}

/* -------------------------------------------------------------------- reading */

static void
text_begin(struct config_text *t, char *bytes, size_t len)
{
	static const char bom[] = "\xef\xbb\xbf";
	bool marked = len >= 3 && memcmp(bytes, bom, 3) == 0;

	t->bytes = bytes;
	t->next = bytes + (marked ? 3 : 0);
	t->end = bytes + len;
	t->line = 0;
}

/* Up to `room` bytes of fd: how many, or -errno. */
static ssize_t
read_all(int fd, char *buf, size_t room)
{
	size_t n = 0;
	ssize_t got = 1;

	while (n < room && got > 0) {
		got = read(fd, buf + n, room - n);
		if (got < 0 && errno == EINTR)
			got = 1;
		else if (got > 0)
			n += (size_t)got;
	}
	return got < 0 ? -errno : (ssize_t)n;
}

static int
text_read_fd(struct config_text *t, int fd)
{
	/* One byte more than allowed tells a file that is too large; one more ends a line. */
	char *bytes = malloc(CONFIG_FILE_MAX + 2);
	ssize_t n;

	if (!bytes)
		return -ENOMEM;
	n = read_all(fd, bytes, CONFIG_FILE_MAX + 1);
	if (n >= 0 && n <= (ssize_t)CONFIG_FILE_MAX) {
		text_begin(t, bytes, (size_t)n);
		return 0;
	}
	free(bytes);
	return n < 0 ? (int)n : -EFBIG;
}

int
config_text_read(struct config_text *t, const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
	int err;

	if (fd < 0)
		return -errno;
	err = text_read_fd(t, fd);
	close(fd);
	return err;
}

int
config_text_copy(struct config_text *t, const char *text)
{
	size_t len = strnlen(text, CONFIG_FILE_MAX + 1);
	char *bytes;

	if (len > CONFIG_FILE_MAX)
		return -EFBIG;
	bytes = malloc(len + 2);
	if (!bytes)
		return -ENOMEM;
	memcpy(bytes, text, len);
	text_begin(t, bytes, len);
	return 0;
}

const char *
config_text_why(int err)
{
	switch (-err) {
	case ENOENT:
		return "no such file";
	case EISDIR:
		return "is a directory, not a file";
	case EACCES:
		return "may not be read (see its permissions)";
	case EFBIG:
		return "is larger than 1 MB: not a configuration file";
	default:
		return strerror(-err);
	}
}

void
config_text_end(struct config_text *t)
{
	free(t->bytes);
	*t = (struct config_text){ 0 };
}

/* ---------------------------------------------------------------------- lines */

static bool
is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\v' || c == '\f';
}

/* Ends the line before its comment and its last blanks. */
static void
line_trim(char *line, char *end)
{
	for (char *p = line; p < end; p++) {
		if (*p == '#' && (p == line || is_blank(p[-1])))
			end = p;
	}
	while (end > line && is_blank(end[-1]))
		end--;
	*end = '\0';
}

/* Cuts the next line off, whatever it holds.  *end: where it ends. */
static char *
line_cut(struct config_text *t, char **end)
{
	char *line = t->next;
	char *nl = memchr(line, '\n', (size_t)(t->end - line));

	*end = nl ? nl : t->end;
	t->next = nl ? nl + 1 : t->end;
	t->line++;
	return line;
}

/* Complains once about a text that is not worth reading on. */
static char *
text_give_up(struct config_text *t, struct config_log *log, const char *why)
{
	t->next = t->end;
	config_problem(log, "%s", why);
	return NULL;
}

char *
config_text_line(struct config_text *t, struct config_log *log)
{
	char *line, *end;

	while (t->next < t->end) {
		line = line_cut(t, &end);
		log->line = t->line;
		if (memchr(line, '\0', (size_t)(end - line)))
			return text_give_up(t, log, "holds a NUL byte: not a text file");
		if (log->problems >= CONFIG_PROBLEMS_MAX)
			return text_give_up(t, log, "too many problems, the rest is not read");
		line_trim(line, end);
		while (is_blank(*line))
			line++;
		if (*line)
			return line;
	}
	log->line = 0;
	return NULL;
}

char *
config_word(char **p)
{
	char *word = *p;
	char *end;

	while (is_blank(*word))
		word++;
	for (end = word; *end && !is_blank(*end); end++)
		;
	*p = *end ? end + 1 : end;
	*end = '\0';
	return *word ? word : NULL;
}
