/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A configuration from first default to last complaint.  Reading (load, parse,
 * set) takes each line by itself through the table of keys; derive() then fills
 * what follows from other keys; config_check() says what only the whole can tell.
 */
#include "api/config.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include "api/config_keys.h"
#include "api/config_ports.h"
#include "api/config_static.h"
#include "api/config_text.h"
#include "api/template.h"

#define OTHER_SOCKETS 1024u /* room for listeners, epolls and pipes beside connections */
#define CHUNK_BYTES   2048u /* what a buffer grows by */

/* ---------------------------------------------------------------------- defaults */

static unsigned
cpus_online(void)
{
	long n = sysconf(_SC_NPROCESSORS_ONLN);

	return n < 1 ? 1 : (unsigned)min(n, (long)CONFIG_CORES_MAX);
}

static void
default_machine(struct config *cfg)
{
	cfg->num_cores = cpus_online();
	strcpy(cfg->port[0].name, "dpdk0");
	cfg->n_ports = 1;
	cfg->rx_ring = 1024;
	cfg->tx_ring = 1024;
	cfg->rx_interrupts = true;
	cfg->checksum_offload = true;
	cfg->spin_ns = US(50);
	cfg->idle_poll_ns = US(700);
	cfg->address_check = true;
	cfg->exception_rate = 50000;
}

static void
default_wrappers(struct config *cfg)
{
	cfg->fault_rx = (struct config_fault){ .reorder_ns = MS(1), .hold = 1024, .seed = 1 };
	cfg->fault_tx = cfg->fault_rx;
	cfg->pcap_snaplen = 65535;
	cfg->pcap_max_bytes = 1u << 30;
}

static void derive(struct config *cfg);

void
config_default(struct config *cfg)
{
	memset(cfg, 0, sizeof *cfg);
	stack_cfg_default(&cfg->stack);
	cfg->max_num_buffers = 10000;
	default_machine(cfg);
	default_wrappers(cfg);
	derive(cfg);
}

/* ------------------------------------------------------- what follows from other keys */

static bool
is_given(const struct config *cfg, const char *name)
{
	return key_origin(cfg, key_find(name)).source != CONFIG_DEFAULT;
}

/* A buffer's first size and how far it may grow: a size that was asked for is kept. */
static void
derive_buffer(uint32_t asked, uint32_t usual, uint32_t usual_max, bool max_given,
              uint32_t *first, uint32_t *largest)
{
	if (!max_given)
		*largest = asked ? asked : usual_max;
	*first = asked ? asked : min(usual, *largest);
}

static uint32_t
chunks_of(uint32_t bytes)
{
	return (bytes + CHUNK_BYTES - 1) / CHUNK_BYTES;
}

static void
derive_sizes(struct config *cfg, const struct stack_cfg *usual)
{
	struct tcp_cfg *t = &cfg->stack.tcp;
	uint64_t chunks;

	derive_buffer(cfg->rcvbuf, usual->tcp.rcvbuf, usual->tcp.rcvbuf_max,
	              is_given(cfg, "rcvbuf_max"), &t->rcvbuf, &t->rcvbuf_max);
	derive_buffer(cfg->sndbuf, usual->tcp.sndbuf, usual->tcp.sndbuf_max,
	              is_given(cfg, "sndbuf_max"), &t->sndbuf, &t->sndbuf_max);
	if (!is_given(cfg, "max_sockets"))
		cfg->stack.max_socks = max(usual->max_socks, cfg->stack.max_conns + OTHER_SOCKETS);
	if (!is_given(cfg, "max_chunks") && is_given(cfg, "max_num_buffers")) {
		chunks = (uint64_t)cfg->max_num_buffers * (chunks_of(t->rcvbuf) + chunks_of(t->sndbuf));
		cfg->stack.max_chunks = (uint32_t)min(chunks, (uint64_t)STACK_CHUNKS_MAX);
	}
}

/* One a CPU, those of other processes counted. */
static void
derive_cores(struct config *cfg)
{
	unsigned cpus = cfg->core_mask ? (unsigned)__builtin_popcountll(cfg->core_mask)
	                               : cpus_online();

	cfg->num_cores = max(cpus / max(cfg->processes, 1u), 1u);
}

/* As often as wanted: what was given is never changed. */
static void
derive(struct config *cfg)
{
	struct stack_cfg usual;

	stack_cfg_default(&usual);
	derive_sizes(cfg, &usual);
	if (!is_given(cfg, "num_cores") && (cfg->core_mask || cfg->processes))
		derive_cores(cfg);
	cfg->stack.cores = cfg->num_cores;
	cfg->fault_tx.seed = cfg->fault_rx.seed;
	ports_derive(cfg);
}

/* ----------------------------------------------------------------------- reading */

/* Complains about a key that does not exist. */
static void
unknown_key(const char *name, struct config_log *log)
{
	const struct config_key *near = key_suggest(name);

	if (near)
		config_problem(log, "unknown key '%s' (did you mean '%s'?)", config_quote(name).text,
		               near->name);
	else
		config_problem(log, "unknown key '%s' (mtcp.conf(5) lists all)",
		               config_quote(name).text);
}

/* "key = value", or "key value" as the original also takes it. */
static void
read_line(struct config *cfg, char *line, enum config_source source, struct config_log *log)
{
	size_t name_len = strcspn(line, " \t=");
	char *value = line + name_len;
	const struct config_key *key;

	value += strspn(value, " \t");
	if (*value == '=')
		value++;
	value += strspn(value, " \t");
	line[name_len] = '\0';

	key = key_find(line);
	if (name_len == 0)
		config_problem(log, "there is no key before '='");
	else if (!key)
		unknown_key(line, log);
	else if (*value == '\0' || *value == '#') /* or only a comment */
		config_problem(log, "%s has no value", key->name);
	else
		key_apply(cfg, key, value, source, log);
}

static void
read_text(struct config *cfg, struct config_text *text, struct config_log *log)
{
	char *line;

	while ((line = config_text_line(text, log)))
		read_line(cfg, line, CONFIG_FILE, log);
	config_text_end(text);
	derive(cfg);
}

/* Notes the file's name, as much of it as there is room for. */
static void
note_file(struct config *cfg, const char *name)
{
	snprintf(cfg->file, sizeof cfg->file, "%s", name);
}

int
config_load(struct config *cfg, const char *file, FILE *err)
{
	struct config_log log = { .err = err, .file = file };
	struct config_text text;
	int rc = config_text_read(&text, file);

	note_file(cfg, file);
	if (rc) {
		config_problem(&log, "%s", config_text_why(rc));
		return log.problems;
	}
	read_text(cfg, &text, &log);
	log.problems += static_load(cfg, file, err);
	derive(cfg);
	return log.problems;
}

int
config_parse(struct config *cfg, const char *name, const char *bytes, FILE *err)
{
	struct config_log log = { .err = err, .file = name };
	struct config_text text;
	int rc = config_text_copy(&text, bytes);

	note_file(cfg, name);
	if (rc)
		config_problem(&log, "%s", config_text_why(rc));
	else
		read_text(cfg, &text, &log);
	return log.problems;
}

/* The one line of an assignment into `cfg`. */
static void
read_assignment(struct config *cfg, struct config_text *text, struct config_log *log)
{
	char *line = config_text_line(text, log);

	log->line = 0;
	if (!line && log->problems == 0)
		config_problem(log, "a setting is key = value");
	else if (line)
		read_line(cfg, line, CONFIG_SET, log);
	if (line && config_text_line(text, log)) {
		log->line = 0;
		config_problem(log, "a setting is one line");
	}
}

int
config_set(struct config *cfg, const char *assignment, FILE *err)
{
	struct config_log log = { .err = err, .file = "setting" };
	struct config_text text;
	struct config *changed = malloc(sizeof *changed);
	int rc = changed ? config_text_copy(&text, assignment) : -ENOMEM;

	if (rc) {
		config_problem(&log, "%s", config_text_why(rc));
	} else {
		*changed = *cfg;
		read_assignment(changed, &text, &log);
		config_text_end(&text);
		derive(changed);
		if (log.problems == 0)
			*cfg = *changed;
	}
	free(changed);
	return log.problems;
}

/* ---------------------------------------------------------------------- the whole */

/* Complains at the line that gave `name`, if one did. */
static void
blame(const struct config *cfg, const char *name, struct config_log *log, const char *why)
{
	struct config_origin o = key_origin(cfg, key_find(name));
	struct config_log there = *log;

	there.line = o.source == CONFIG_FILE ? o.line : 0;
	config_problem(&there, "%s %s", name, why);
	log->problems = there.problems;
}

static void
check_sizes(const struct config *cfg, struct config_log *log)
{
	const struct stack_cfg *s = &cfg->stack;

	if (s->tcp.rcvbuf > s->tcp.rcvbuf_max)
		blame(cfg, "rcvbuf", log, "is larger than rcvbuf_max");
	if (s->tcp.sndbuf > s->tcp.sndbuf_max)
		blame(cfg, "sndbuf", log, "is larger than sndbuf_max");
	if (s->max_socks < s->max_conns)
		blame(cfg, "max_sockets", log, "is smaller than max_concurrency");
	if (s->max_chunks < chunks_of(s->tcp.rcvbuf) + chunks_of(s->tcp.sndbuf))
		blame(cfg, is_given(cfg, "max_chunks") ? "max_chunks" : "max_num_buffers", log,
		      "holds less than rcvbuf and sndbuf of one connection");
	if (cfg->n_arp > s->neigh.max)
		blame(cfg, "neigh_max", log, "is smaller than the number of entries in arp.conf");
	if (cfg->mbufs && cfg->mbufs < cfg->rx_ring + cfg->tx_ring)
		blame(cfg, "mbufs", log, "is smaller than rx_ring and tx_ring together");
}

static void
check_times(const struct config *cfg, struct config_log *log)
{
	const struct tcp_cfg *t = &cfg->stack.tcp;

	if (t->rto_min_ns > t->rto_max_ns)
		blame(cfg, "tcp_rto_min", log, "is longer than tcp_rto_max");
	if (t->rto_initial_ns > t->rto_max_ns)
		blame(cfg, "tcp_rto_initial", log, "is longer than tcp_rto_max");
	if (t->delack_min_ns > t->delack_max_ns)
		blame(cfg, "tcp_delack_min", log, "is longer than tcp_delack_max");
}

static void
check_processes(const struct config *cfg, struct config_log *log)
{
	bool ports_have = false;

	for (unsigned i = 0; i < cfg->n_ports; i++)
		ports_have |= template_has(cfg->port[i].name);
	if (cfg->processes * cfg->num_cores > CONFIG_CORES_MAX)
		blame(cfg, "multiprocess", log, "times num_cores is more than 64 cores");
	if (ports_have && !template_has(cfg->eal_args))
		blame(cfg, "port", log, "has %q, but eal_args, which makes the devices, has not");
}

int
config_check(const struct config *cfg, FILE *err)
{
	struct config_log log = { .err = err, .file = *cfg->file ? cfg->file : "configuration" };

	ports_check(cfg, &log);
	check_sizes(cfg, &log);
	check_times(cfg, &log);
	check_processes(cfg, &log);
	/* Two cores writing one file would spoil it. */
	if (*cfg->pcap && (cfg->num_cores > 1 || cfg->processes) && !strstr(cfg->pcap, "%q"))
		blame(cfg, "pcap", &log, "needs %q in its name, for the number of the core (or set "
		      "num_cores = 1)");
	return log.problems;
}

/* ------------------------------------------------------------------------ dumping */

/* The value without the blank that a list leaves behind it. */
static void
dump_value(const struct config *cfg, const struct config_key *key, FILE *out)
{
	char *text = NULL;
	size_t len = 0;
	FILE *mem = open_memstream(&text, &len);

	if (!mem)
		return;
	key_show(cfg, key, mem);
	fclose(mem);
	while (len && text[len - 1] == ' ')
		text[--len] = '\0';
	/* A line without a value could not be read again. */
	fprintf(out, "%s%s =%s%s", len ? "" : "#", key->name, len ? " " : "", text);
	free(text);
}

static void
dump_origin(const struct config *cfg, struct config_origin o, FILE *out)
{
	if (o.source == CONFIG_FILE)
		fprintf(out, "  # %s:%u\n", cfg->file, o.line);
	else
		fprintf(out, "  # %s\n", o.source == CONFIG_SET ? "set by the program" : "default");
}

void
config_dump(const struct config *cfg, FILE *out)
{
	const struct config_key *key;

	for (unsigned i = 0; (key = key_at(i)); i++) {
		if (key->type == KEY_PAIR)
			continue; /* shown as the two that it stands for */
		dump_value(cfg, key, out);
		dump_origin(cfg, key_origin(cfg, key), out);
	}
}

void
config_free(struct config *cfg)
{
	/* Nothing is allocated; a use after this meets no port and no core. */
	memset(cfg, 0, sizeof *cfg);
}
