/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * DPDK takes the last of two contradicting options in some cases and refuses
 * both in others, so nothing is added that the user has said anything about.
 */
#include "io_engine/io_dpdk_args.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>

#define MEM_MB 512u

/* ---- collecting words ---------------------------------------------------- */

/* Closes the word of `len` characters that was written at the end of the text. */
static int
word_add(struct io_dpdk_args *a, size_t len)
{
	if (a->argc == IO_DPDK_ARGS)
		return -E2BIG;
	a->text[a->used + len] = '\0';
	a->argv[a->argc++] = a->text + a->used;
	a->argv[a->argc] = NULL;
	a->used += len + 1;
	return 0;
}

__attribute__((format(printf, 2, 3))) static int
word_printf(struct io_dpdk_args *a, const char *fmt, ...)
{
	size_t room = sizeof a->text - a->used;
	va_list ap;
	int len;

	va_start(ap, fmt);
	len = vsnprintf(a->text + a->used, room, fmt, ap);
	va_end(ap);
	return len < 0 || (size_t)len >= room ? -E2BIG : word_add(a, (size_t)len);
}

/* ---- splitting ----------------------------------------------------------- */

static bool
is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

/* Copies one word from *line, without its quotes, to the end of the text.
 * Returns its length, or -errno. */
static int
word_read(struct io_dpdk_args *a, const char **line)
{
	const char *p = *line;
	char *to = a->text + a->used;
	size_t room = sizeof a->text - a->used, len = 0;
	char quote = 0;

	for (; *p && (quote || !is_blank(*p)); p++) {
		if (quote ? *p == quote : *p == '\'' || *p == '"') {
			quote = quote ? '\0' : *p;
			continue;
		}
		if (*p == '\\' && quote != '\'' && p[1])
			p++;
		if (len + 1 >= room)
			return -E2BIG;
		to[len++] = *p;
	}
	*line = p;
	return quote ? -EINVAL : (int)len;
}

int
io_dpdk_args_split(struct io_dpdk_args *a, const char *line, char *err, size_t errlen)
{
	int len, rc;

	for (;;) {
		while (is_blank(*line))
			line++;
		if (!*line)
			return 0;
		len = word_read(a, &line);
		rc = len < 0 ? len : word_add(a, (size_t)len);
		if (rc == 0)
			continue;
		snprintf(err, errlen, rc == -EINVAL ? "eal_args: a quote is not closed"
		                                    : "eal_args: too many words");
		return rc;
	}
}

/* ---- asking -------------------------------------------------------------- */

static bool
is_option(const char *word, const char *name)
{
	size_t n = strlen(name);

	if (strncmp(word, name, n) != 0)
		return false;
	if (name[1] != '-')
		return true; /* -m512 */
	return word[n] == '\0' || word[n] == '=';
}

bool
io_dpdk_args_has(const struct io_dpdk_args *a, const char *name)
{
	for (int i = (int)a->user_at; i < a->argc; i++)
		if (is_option(a->argv[i], name))
			return true;
	return false;
}

bool
io_dpdk_args_vdev(const struct io_dpdk_args *a, unsigned n, char name[IO_DPDK_NAME])
{
	for (int i = (int)a->user_at; i < a->argc; i++) {
		const char *at = a->argv[i];

		if (!is_option(at, "--vdev"))
			continue;
		at = at[6] == '=' ? at + 7 : a->argv[i + 1];
		if (!at || n--)
			continue;
		snprintf(name, IO_DPDK_NAME, "%.*s", (int)strcspn(at, ","), at);
		return true;
	}
	return false;
}

/* ---- what we add --------------------------------------------------------- */

static bool
has_any(const struct io_dpdk_args *a, const char *const *names)
{
	for (; *names; names++)
		if (io_dpdk_args_has(a, *names))
			return true;
	return false;
}

/* Hugepages when the machine has enough; files of none are left behind. */
static int
add_memory(struct io_dpdk_args *a, const struct io_dpdk_args *user,
           const struct io_dpdk_config *cfg, const struct io_dpdk_machine *m)
{
	static const char *const decided[] = { "--in-memory", "--huge-dir", "--legacy-mem",
		"--huge-unlink", "--socket-mem", "--single-file-segments", NULL };
	unsigned mb = cfg->mem_mb ? cfg->mem_mb : MEM_MB;
	bool no_huge = io_dpdk_args_has(user, "--no-huge");
	int rc = 0;

	if (!no_huge && has_any(user, decided))
		return 0;
	if (!no_huge && m->huge_free_mb >= mb)
		return word_printf(a, "--in-memory");
	if (!no_huge)
		rc = word_printf(a, "--no-huge");
	if (!rc && !io_dpdk_args_has(user, "-m"))
		rc = word_printf(a, "-m") ? -E2BIG : word_printf(a, "%u", mb);
	/* Nobody shares this memory, so no files that describe it either. */
	return rc || io_dpdk_args_has(user, "--no-shconf") ? rc : word_printf(a, "--no-shconf");
}

/* One lcore that floats over all CPUs we may use: DPDK shall start no threads
 * that poll, and pin none; who runs where is not its business. */
static int
add_lcores(struct io_dpdk_args *a, const struct io_dpdk_args *user,
           const struct io_dpdk_machine *m)
{
	static const char *const decided[] = { "-c", "-l", "-S", "--lcores", NULL };

	return has_any(user, decided) ? 0 : word_printf(a, "--lcores=0@(%s)", m->cpus);
}

/* Who names virtual devices and no PCI device wants no PCI device: without
 * this, DPDK takes every one that is bound to a user-space driver. */
static int
add_buses(struct io_dpdk_args *a, const struct io_dpdk_args *user)
{
	static const char *const pci[] = { "-a", "--allow", "-b", "--block", "--no-pci", NULL };

	if (!io_dpdk_args_has(user, "--vdev") || has_any(user, pci))
		return 0;
	return word_printf(a, "--no-pci");
}

/* Hugepages as files that others can map, described where they look. */
static int
add_shared(struct io_dpdk_args *a, const struct io_dpdk_args *user,
           const struct io_dpdk_config *cfg)
{
	int rc = word_printf(a, "--proc-type=%s", cfg->secondary ? "secondary" : "primary");

	if (rc || io_dpdk_args_has(user, "--file-prefix"))
		return rc;
	return word_printf(a, "--file-prefix=mtcp-%s", cfg->shared);
}

static int
check_shared(const struct io_dpdk_args *user, const struct io_dpdk_config *cfg,
             const struct io_dpdk_machine *m, char *err, size_t errlen)
{
	static const char *const own[] = { "--no-huge", "--in-memory", "--no-shconf",
		"--huge-unlink", NULL };
	unsigned mb = cfg->mem_mb ? cfg->mem_mb : MEM_MB;
	static const char *const remedy = "(or give each process devices of its own, by %q in "
	                                  "eal_args and port)";

	if (has_any(user, own)) {
		snprintf(err, errlen, "eal_args: other processes cannot share DPDK's memory with "
		         "--no-huge, --in-memory, --no-shconf or --huge-unlink %s", remedy);
		return -EINVAL;
	}
	if (cfg->secondary || m->huge_free_mb >= mb)
		return 0;
	snprintf(err, errlen, "processes that share DPDK need %u MB of hugepages, and %u MB are "
	         "free %s", mb, m->huge_free_mb, remedy);
	return -ENOMEM;
}

static int
add_ours(struct io_dpdk_args *a, const struct io_dpdk_args *user,
         const struct io_dpdk_config *cfg, const struct io_dpdk_machine *m)
{
	static const char *const telemetry[] = { "--telemetry", "--no-telemetry", NULL };
	int rc = word_printf(a, "mtcp");

	if (!rc && !io_dpdk_args_has(user, "--iova-mode"))
		rc = word_printf(a, "--iova-mode=va");
	if (!rc && cfg->shared)
		rc = add_shared(a, user, cfg);
	else if (!rc && !io_dpdk_args_has(user, "--file-prefix"))
		rc = word_printf(a, "--file-prefix=mtcp-%d", m->pid);
	if (!rc && !cfg->shared)
		rc = add_memory(a, user, cfg, m);
	if (!rc)
		rc = add_lcores(a, user, m);
	if (!rc)
		rc = add_buses(a, user);
	if (!rc && cfg->mem_channels && !io_dpdk_args_has(user, "-n"))
		rc = word_printf(a, "-n%u", cfg->mem_channels);
	if (!rc && !has_any(user, telemetry))
		rc = word_printf(a, cfg->telemetry ? "--telemetry" : "--no-telemetry");
	if (!rc && cfg->log_level)
		rc = word_printf(a, "--log-level=%s", cfg->log_level);
	return rc;
}

int
io_dpdk_args_make(struct io_dpdk_args *a, const struct io_dpdk_config *cfg,
                  const struct io_dpdk_machine *m, char *err, size_t errlen)
{
	struct io_dpdk_args user = { 0 };
	int rc = io_dpdk_args_split(&user, cfg->eal_args ? cfg->eal_args : "", err, errlen);

	if (rc)
		return rc;
	rc = cfg->shared ? check_shared(&user, cfg, m, err, errlen) : 0;
	if (rc)
		return rc;
	*a = (struct io_dpdk_args){ 0 };
	rc = add_ours(a, &user, cfg, m);
	a->user_at = (unsigned)a->argc;
	for (int i = 0; !rc && i < user.argc; i++)
		rc = word_printf(a, "%s", user.argv[i]);
	if (rc)
		snprintf(err, errlen, "eal_args: too many words");
	return rc;
}
