/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Drivers log errors on their way to giving up, most specific first; what
 * follows are their callers' summaries.  So a quote is the first lines at level
 * error, without those summaries; if there is none, the last warning.  The help
 * text that follows a wrong option is indented and not kept.  DPDK's own threads
 * write too (vhost has one), so a flag keeps them apart.
 */
#include "io_engine/io_dpdk_log.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <sys/types.h>
#include <unistd.h>

#define LINES       64u
#define LINE        200u
#define QUOTED      2u
#define LVL_CRIT    3
#define LVL_ERR     4 /* as DPDK numbers them: emergency 1 .. debug 8; 0 before the first */
#define LVL_WARNING 5

struct line {
	int level;
	char text[LINE];
};

struct io_dpdk_log {
	FILE *stream;
	FILE *echo;
	int (*level)(void);
	atomic_flag taken; /* by the thread that reads or writes what follows */
	unsigned n;       /* lines ever completed                  */
	size_t len;       /* characters of the line being written  */
	struct line line[LINES];
};

static void
take(struct io_dpdk_log *log)
{
	while (atomic_flag_test_and_set_explicit(&log->taken, memory_order_acquire))
		;
}

static void
give(struct io_dpdk_log *log)
{
	atomic_flag_clear_explicit(&log->taken, memory_order_release);
}

/* getopt() names the program first, which is "mtcp" (io_dpdk_args.c). */
static bool
is_getopt(const char *text)
{
	return strncmp(text, "mtcp: ", 6) == 0;
}

/* DPDK's last words before it aborts the process: nobody will be there to quote them. */
static void
say_now(const struct line *l)
{
	dprintf(STDERR_FILENO, "DPDK: %s\n", l->text);
}

static void
line_end(struct io_dpdk_log *log)
{
	struct line *l = &log->line[log->n % LINES];
	size_t len = log->len;

	log->len = 0;
	if (len == 0 || l->text[0] == ' ' || l->text[0] == '\t')
		return;
	l->text[len] = '\0';
	l->level = is_getopt(l->text) ? LVL_ERR : log->level();
	log->n++;
	if (l->level > 0 && l->level <= LVL_CRIT && !log->echo)
		say_now(l);
}

static ssize_t
log_write(void *cookie, const char *text, size_t size)
{
	struct io_dpdk_log *log = cookie;

	take(log);
	for (size_t i = 0; i < size; i++) {
		if (text[i] == '\n')
			line_end(log);
		else if (log->len + 1 < LINE)
			log->line[log->n % LINES].text[log->len++] = text[i];
	}
	give(log);
	if (log->echo)
		fwrite(text, 1, size, log->echo);
	return (ssize_t)size;
}

struct io_dpdk_log *
io_dpdk_log_new(int (*level)(void), FILE *echo)
{
	struct io_dpdk_log *log = calloc(1, sizeof *log);

	if (!log)
		return NULL;
	log->level = level;
	log->echo = echo;
	log->stream = fopencookie(log, "w", (cookie_io_functions_t){ .write = log_write });
	if (!log->stream) {
		free(log);
		return NULL;
	}
	setvbuf(log->stream, NULL, _IONBF, 0);
	return log;
}

FILE *
io_dpdk_log_stream(struct io_dpdk_log *log)
{
	return log->stream;
}

unsigned
io_dpdk_log_mark(struct io_dpdk_log *log)
{
	unsigned n;

	take(log);
	n = log->n;
	give(log);
	return n;
}

/* Lines that only say that something else has failed. */
static bool
is_summary(const char *text)
{
	static const char *const summaries[] = { "probe failed", "failed to initialize",
		"Cannot probe devices", "Driver cannot attach", "Usage:" };

	for (size_t i = 0; i < array_len(summaries); i++)
		if (strstr(text, summaries[i]))
			return true;
	return false;
}

/* Appends a line to the quote, without what DPDK puts before and after it. */
static size_t
quote_add(char *buf, size_t size, size_t used, const char *text)
{
	int len = snprintf(buf + used, size - used, "%s%s", used ? "; " : "", text);

	used += min((size_t)max(len, 0), size - used - 1);
	while (used && (buf[used - 1] == ' ' || buf[used - 1] == '.'))
		buf[--used] = '\0';
	return used;
}

static void
quote(const struct io_dpdk_log *log, unsigned mark, char *buf, size_t size)
{
	unsigned from = log->n - mark > LINES ? log->n - LINES : mark, quoted = 0;
	const char *last = "";
	size_t used = 0;

	buf[0] = '\0';
	for (unsigned i = from; i != log->n && quoted < QUOTED; i++) {
		const struct line *l = &log->line[i % LINES];

		if (l->level > LVL_WARNING || is_summary(l->text) || !strcmp(l->text, last))
			continue;
		last = l->text;
		if (l->level > LVL_ERR)
			continue;
		used = quote_add(buf, size, used, l->text);
		quoted++;
	}
	if (!quoted)
		quote_add(buf, size, 0, last);
}

const char *
io_dpdk_log_quote(struct io_dpdk_log *log, unsigned mark, char *buf, size_t size)
{
	take(log);
	quote(log, mark, buf, size);
	give(log);
	return buf;
}

void
io_dpdk_log_free(struct io_dpdk_log *log)
{
	if (!log)
		return;
	fclose(log->stream);
	free(log);
}
