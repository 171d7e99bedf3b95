/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Two small files of the same shape: a line with a count, then as many lines
 * with an address and what belongs to it.
 */
#include "api/config_static.h"

#include <errno.h>

#include "api/config_value.h"

/* One of the two files. */
struct table {
	const char *file;  /* its name in a folder        */
	const char *head;  /* the word before the count   */
	const char *shape; /* of a line, for messages     */
	void (*add)(struct config *cfg, const struct stack_addr *to, const char *what,
	            struct config_log *log);
};

static void
arp_add(struct config *cfg, const struct stack_addr *to, const char *what,
        struct config_log *log)
{
	struct config_arp *a = &cfg->arp[cfg->n_arp];

	if (cfg->n_arp == CONFIG_ARP_MAX)
		config_problem(log, "more than %u entries", CONFIG_ARP_MAX);
	else if (!value_parse_mac(what, a->mac))
		config_problem(log, "'%s' is not a MAC address (such as 02:00:00:00:00:01)",
		               config_quote(what).text);
	else if (a->mac[0] & 1)
		config_problem(log, "%s is a group address, not a host's", what);
	else {
		a->ip = to->ip;
		a->prefix = to->prefix;
		cfg->n_arp++;
	}
}

static void
route_note(struct config *cfg, const struct stack_addr *to, const char *what,
           struct config_log *log)
{
	struct config_route *r = &cfg->route[cfg->n_routes];

	if (cfg->n_routes == CONFIG_ROUTES_MAX)
		config_problem(log, "more than %u routes", CONFIG_ROUTES_MAX);
	else if (strlen(what) >= sizeof r->port)
		config_problem(log, "the device's name is too long");
	else {
		r->to = *to;
		r->line = log->line;
		strcpy(r->port, what);
		cfg->n_routes++;
	}
}

static const struct table arp_file = {
	"arp.conf", "ARP_ENTRY", "IP/prefix MAC, such as 10.0.0.1/32 02:00:00:00:00:01", arp_add,
};

static const struct table route_file = {
	"route.conf", "ROUTES", "IP/prefix device, such as 10.0.1.0/24 dpdk0", route_note,
};

/* ---------------------------------------------------------------------- parsing */

/* The number behind the head word; complains and gives -1 when there is none. */
static int64_t
parse_head(const struct table *t, char *line, struct config_log *log)
{
	char *word = config_word(&line);
	char *count = config_word(&line);
	int64_t n;

	if (strcmp(word, t->head) == 0 && count && !config_word(&line) &&
	    value_parse(count, VALUE_COUNT, 1, &n))
		return n;
	config_problem(log, "the first line must be '%s n', n being the number of entries", t->head);
	return -1;
}

static void
parse_entry(struct config *cfg, const struct table *t, char *line, struct config_log *log)
{
	char *addr = config_word(&line);
	char *what = config_word(&line);
	struct stack_addr to;

	if (!what || config_word(&line))
		config_problem(log, "an entry is %s", t->shape);
	else if (!value_parse_prefix(addr, &to.ip, &to.prefix))
		config_problem(log, "'%s' is not an address with a prefix length (such as "
		               "10.0.0.1/24)", config_quote(addr).text);
	else
		t->add(cfg, &to, what, log);
}

static void
parse_table(struct config *cfg, const struct table *t, struct config_text *text,
            struct config_log *log)
{
	char *line = config_text_line(text, log);
	int64_t count = line ? parse_head(t, line, log) : 0;
	unsigned head_line = log->line;
	int64_t n = 0;
	int before = log->problems;

	while (count >= 0 && (line = config_text_line(text, log))) {
		parse_entry(cfg, t, line, log);
		n++;
	}
	/* A file that was given up was not counted to its end. */
	if (count >= 0 && n != count && log->problems == before) {
		log->line = head_line;
		config_problem(log, "%s says %lld, but %lld entries follow", t->head,
		               (long long)count, (long long)n);
	}
	config_text_end(text);
}

void
static_parse_arp(struct config *cfg, struct config_text *text, struct config_log *log)
{
	parse_table(cfg, &arp_file, text, log);
}

void
static_parse_routes(struct config *cfg, struct config_text *text, struct config_log *log)
{
	snprintf(cfg->route_file, sizeof cfg->route_file, "%s", log->file);
	parse_table(cfg, &route_file, text, log);
}

/* ------------------------------------------------------------------------ files */

/* "FOLDER/name" in `path`, FOLDER being that of conf_file.  False: too long. */
static bool
path_beside(char *path, size_t room, const char *conf_file, const char *name)
{
	const char *slash = strrchr(conf_file, '/');
	int folder = slash ? (int)(slash - conf_file + 1) : 0;

	return snprintf(path, room, "%.*s%s", folder, conf_file, name) < (int)room;
}

/* Reads the first of the two places that has the file.  `log->file` is `path`. */
static int
table_read(const struct table *t, const char *conf_file, struct config_text *text, char *path,
           size_t room)
{
	int err;

	snprintf(path, room, "config/%s", t->file);
	err = config_text_read(text, path);
	if (err != -ENOENT && err != -ENOTDIR)
		return err;
	return path_beside(path, room, conf_file, t->file) ? config_text_read(text, path)
	                                                   : -ENAMETOOLONG;
}

static int
table_load(struct config *cfg, const struct table *t, const char *conf_file, FILE *err)
{
	char path[CONFIG_NAME_MAX];
	struct config_log log = { .err = err, .file = path };
	struct config_text text;
	int rc = table_read(t, conf_file, &text, path, sizeof path);

	if (rc == -ENOENT || rc == -ENOTDIR)
		return 0;
	if (rc)
		config_problem(&log, "%s", config_text_why(rc));
	else if (t == &arp_file)
		static_parse_arp(cfg, &text, &log);
	else
		static_parse_routes(cfg, &text, &log);
	return log.problems;
}

int
static_load(struct config *cfg, const char *conf_file, FILE *err)
{
	return table_load(cfg, &arp_file, conf_file, err) +
	       table_load(cfg, &route_file, conf_file, err);
}
