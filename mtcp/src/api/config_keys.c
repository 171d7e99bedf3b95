/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The table of keys, in the order of mtcp.conf(5), and what can be done with one
 * line of it.
 */
#include "api/config_keys.h"

#include <inttypes.h>
#include <stdlib.h>

#include "api/config_except.h"
#include "api/config_ports.h"
#include "io_engine/io.h"
#include "tcp/tcp_cc.h"
#include "tcp/tcp_cookie.h"
#include "tcp/tcp_ecn.h"
#include "tcp/tcp_fastopen.h"
#include "tcp/tcp_rack.h"

/* ---------------------------------------------------- keys with their own ideas */

static void
set_io(struct config *cfg, char *value, struct config_log *log)
{
	(void)cfg;
	if (strcmp(value, "dpdk") != 0)
		config_problem(log, "io = %s is not supported (write: io = dpdk, which drives "
		               "any port that DPDK knows)", config_quote(value).text);
}

static void
show_io(const struct config *cfg, FILE *out)
{
	(void)cfg;
	fputs("dpdk", out);
}

static void
set_core_mask(struct config *cfg, char *value, struct config_log *log)
{
	if (strcmp(value, "all") == 0)
		cfg->core_mask = 0;
	else if (!value_parse_mask(value, &cfg->core_mask))
		config_problem(log, "core_mask: '%s' is not a mask (hexadecimal, such as f0, or all)",
		               config_quote(value).text);
}

static void
show_core_mask(const struct config *cfg, FILE *out)
{
	if (cfg->core_mask)
		fprintf(out, "%" PRIx64, cfg->core_mask);
	else
		fputs("all", out);
}

/* "2", or "0 of 2" for the one that is to have the first place. */
static bool
set_processes(struct config *cfg, const char *place, const char *of, const char *number)
{
	int64_t k = -1, n = 0;

	if (of && (strcmp(of, "of") != 0 || !number || !value_parse(place, VALUE_COUNT, 1, &k)))
		return false;
	if (!value_parse(of ? number : place, VALUE_COUNT, 1, &n) || n < 2 ||
	    n > CONFIG_CORES_MAX || k >= n)
		return false;
	cfg->multiprocess = true;
	cfg->processes = (unsigned)n;
	cfg->place = (int)k;
	return true;
}

/* Files of old give a core and a role, "0 master": that means yes. */
static void
set_multiprocess(struct config *cfg, char *value, struct config_log *log)
{
	char whole[64], *rest = value;
	char *word, *role, *number;
	int64_t core;

	snprintf(whole, sizeof whole, "%s", config_quote(value).text);
	word = config_word(&rest);
	role = config_word(&rest);
	number = config_word(&rest);
	cfg->processes = 0;
	if (!role && value_parse_bool(word, &cfg->multiprocess))
		return;
	if (role && !number && value_parse(word, VALUE_COUNT, 1, &core) &&
	    (strcmp(role, "master") == 0 || strcmp(role, "slave") == 0))
		cfg->multiprocess = true;
	else if (config_word(&rest) || !set_processes(cfg, word, role, number))
		config_problem(log, "multiprocess: '%s' is not on, off, a number of processes "
		               "(2 to %u) or a place among them (such as 0 of 2)", whole,
		               CONFIG_CORES_MAX);
}

static void
show_multiprocess(const struct config *cfg, FILE *out)
{
	if (cfg->processes && cfg->place >= 0)
		fprintf(out, "%d of %u", cfg->place, cfg->processes);
	else if (cfg->processes)
		fprintf(out, "%u", cfg->processes);
	else
		fputs(cfg->multiprocess ? "on" : "off", out);
}

/* "cubic, reno" */
static void
cc_names(char *buf, size_t room)
{
	const struct cc_ops *cc;
	size_t n = 0;

	*buf = '\0';
	for (unsigned i = 0; (cc = tcp_cc_at(i)) && n < room; i++)
		n += (size_t)snprintf(buf + n, room - n, "%s%s", i ? ", " : "", cc->name);
}

static void
set_cc(struct config *cfg, char *value, struct config_log *log)
{
	const struct cc_ops *cc = tcp_cc_find(value);
	char names[128];

	if (cc) {
		cfg->stack.tcp.cc = cc;
		return;
	}
	cc_names(names, sizeof names);
	config_problem(log, "cc: '%s' is no congestion control (there are: %s)",
	               config_quote(value).text, names);
}

static void
show_cc(const struct config *cfg, FILE *out)
{
	fputs(cfg->stack.tcp.cc->name, out);
}

/* A choice among few words, which stand in the order of their numbers. */
static bool
choose(const char *const words[], unsigned n, const char *value, uint8_t *choice)
{
	for (unsigned i = 0; i < n; i++) {
		if (strcmp(words[i], value) == 0) {
			*choice = (uint8_t)i;
			return true;
		}
	}
	return false;
}

static const char *const ecn_words[] = { "off", "passive", "on" };
static const char *const hystart_words[] = { "off", "delay", "plusplus" };

static void
set_ecn(struct config *cfg, char *value, struct config_log *log)
{
	if (!choose(ecn_words, array_len(ecn_words), value, &cfg->stack.tcp.ecn))
		config_problem(log, "ecn: '%s' is none of off, passive and on",
		               config_quote(value).text);
}

static void
show_ecn(const struct config *cfg, FILE *out)
{
	fputs(ecn_words[cfg->stack.tcp.ecn], out);
}

static void
set_timestamps(struct config *cfg, char *value, struct config_log *log)
{
	struct tcp_cfg *tcp = &cfg->stack.tcp;
	bool plain = strcmp(value, "plain") == 0 || strcmp(value, "2") == 0, on = plain;

	if (!plain && !value_parse_bool(value, &on)) {
		config_problem(log, "tcp_timestamps: '%s' is none of off, on and plain",
		               config_quote(value).text);
		return;
	}
	tcp->timestamps = on;
	tcp->ts_plain = plain;
}

static void
show_timestamps(const struct config *cfg, FILE *out)
{
	const struct tcp_cfg *tcp = &cfg->stack.tcp;

	fputs(!tcp->timestamps ? "off" : tcp->ts_plain ? "plain" : "on", out);
}

/* A sum as in Linux's sysctl; what has no RACK is not there to be chosen. */
static void
set_recovery(struct config *cfg, char *value, struct config_log *log)
{
	int64_t v;

	if (value_parse(value, VALUE_COUNT, 1, &v) && (v & TCP_RECOVERY_RACK) &&
	    v <= (TCP_RECOVERY_RACK | TCP_RECOVERY_STATIC | TCP_RECOVERY_NO_DUPTHRESH))
		cfg->stack.tcp.recovery = (uint8_t)v;
	else
		config_problem(log, "tcp_recovery: '%s' is none of 1, 3, 5 and 7",
		               config_quote(value).text);
}

static void
show_recovery(const struct config *cfg, FILE *out)
{
	fprintf(out, "%u", cfg->stack.tcp.recovery);
}

static const char *const cookie_words[] = { "off", "on", "always" };

static void
set_cookies(struct config *cfg, char *value, struct config_log *log)
{
	if (!choose(cookie_words, array_len(cookie_words), value, &cfg->stack.tcp.syn_cookies))
		config_problem(log, "syn_cookies: '%s' is none of off, on and always",
		               config_quote(value).text);
}

static void
show_cookies(const struct config *cfg, FILE *out)
{
	fputs(cookie_words[cfg->stack.tcp.syn_cookies], out);
}

static void
set_hystart(struct config *cfg, char *value, struct config_log *log)
{
	if (!choose(hystart_words, array_len(hystart_words), value, &cfg->stack.tcp.hystart))
		config_problem(log, "hystart: '%s' is none of off, delay and plusplus",
		               config_quote(value).text);
}

static void
show_hystart(const struct config *cfg, FILE *out)
{
	fputs(hystart_words[cfg->stack.tcp.hystart], out);
}

static_assert(TCP_COOKIES_OFF == 0 && TCP_COOKIES_ON == 1 && TCP_COOKIES_ALWAYS == 2,
              "as the words");
static_assert(TCP_ECN_OFF == 0 && TCP_ECN_PASSIVE == 1 && TCP_ECN_ON == 2, "as the words");
static_assert(TCP_HYSTART_OFF == 0 && TCP_HYSTART_DELAY == 1 && TCP_HYSTART_PLUSPLUS == 2,
              "as the words");

/* Four words of eight hexadecimal digits as in Linux's sysctl, each little-endian, and
 * perhaps a comma and four more. */
static bool
parse_fastopen_key(const char *value, struct tcp_fastopen_secret *k)
{
	for (unsigned i = 0; i < 8; i++) {
		char digits[9] = "";
		uint32_t word;

		if (strspn(value, "0123456789abcdefABCDEF") != 8)
			return false;
		memcpy(digits, value, 8);
		word = (uint32_t)strtoul(digits, NULL, 16);
		for (unsigned b = 0; b < 4; b++)
			k->key[4 * i + b] = (uint8_t)(word >> (8 * b));
		k->len = (uint8_t)(i < 4 ? 16 : 32);
		value += 8;
		if (*value == '\0')
			return i == 3 || i == 7;
		if (*value++ != (i == 3 ? ',' : '-'))
			return false;
	}
	return false;
}

static void
set_fastopen_key(struct config *cfg, char *value, struct config_log *log)
{
	struct tcp_fastopen_secret k = { .len = 0 };

	if (strcmp(value, "auto") != 0 && !parse_fastopen_key(value, &k))
		config_problem(log, "tcp_fastopen_key is four or eight hexadecimal words (such as "
		               "00112233-44556677-8899aabb-ccddeeff), or auto");
	else
		cfg->stack.tcp.fastopen_key = k;
}

static void
show_fastopen_key(const struct config *cfg, FILE *out)
{
	const struct tcp_fastopen_secret *k = &cfg->stack.tcp.fastopen_key;

	if (k->len == 0)
		fputs("auto", out);
	for (unsigned i = 0; i < k->len; i += 4)
		fprintf(out, "%s%02x%02x%02x%02x", i == 0 ? "" : i == 16 ? "," : "-", k->key[i + 3],
		        k->key[i + 2], k->key[i + 1], k->key[i]);
}

/* 40 bytes, as two hexadecimal digits each. */
static void
set_rss_key(struct config *cfg, char *value, struct config_log *log)
{
	size_t n = strspn(value, "0123456789abcdefABCDEF");

	cfg->has_rss_key = strcmp(value, "auto") != 0;
	if (cfg->has_rss_key && (n != 2 * sizeof cfg->rss_key || value[n] != '\0')) {
		config_problem(log, "rss_key is 80 hexadecimal digits, or auto");
		cfg->has_rss_key = false;
	}
	for (size_t i = 0; cfg->has_rss_key && i < sizeof cfg->rss_key; i++) {
		char digits[3] = { value[2 * i], value[2 * i + 1], '\0' };

		cfg->rss_key[i] = (uint8_t)strtoul(digits, NULL, 16);
	}
}

static void
show_rss_key(const struct config *cfg, FILE *out)
{
	if (!cfg->has_rss_key)
		fputs("auto", out);
	for (size_t i = 0; cfg->has_rss_key && i < sizeof cfg->rss_key; i++)
		fprintf(out, "%02x", cfg->rss_key[i]);
}

static void
set_port_range(struct config *cfg, char *value, struct config_log *log)
{
	char *rest = value;
	char *lo_text = config_word(&rest);
	char *hi_text = config_word(&rest);
	int64_t lo, hi;

	if (!hi_text || config_word(&rest) || !value_parse(lo_text, VALUE_COUNT, 1, &lo) ||
	    !value_parse(hi_text, VALUE_COUNT, 1, &hi) || lo < 1 || hi > UINT16_MAX || lo > hi) {
		config_problem(log, "ip_local_port_range is two ports, the lower one first (such as "
		               "32768 60999)");
		return;
	}
	cfg->stack.ephemeral_lo = (uint16_t)lo;
	cfg->stack.ephemeral_hi = (uint16_t)hi;
}

static void
show_port_range(const struct config *cfg, FILE *out)
{
	fprintf(out, "%u %u", cfg->stack.ephemeral_lo, cfg->stack.ephemeral_hi);
}

/* ------------------------------------------------------------------------- table */

/* clang-format off */
#define PLACE(member)   offsetof(struct config, member), sizeof(((struct config *)0)->member)
#define BOOL(name, member) \
	{ name, KEY_BOOL, VALUE_COUNT, 0, PLACE(member), 0, 1, 0, NULL, NULL, NULL }
#define TEXT(name, member) \
	{ name, KEY_TEXT, VALUE_COUNT, 0, PLACE(member), 0, 0, 0, NULL, NULL, NULL }
#define NUMBER(name, kind, flags, member, lo, hi, bare) \
	{ name, KEY_NUMBER, kind, flags, PLACE(member), lo, hi, bare, NULL, NULL, NULL }
#define COUNT(name, member, lo, hi) NUMBER(name, VALUE_COUNT, 0, member, lo, hi, 1)
#define BYTES(name, member, lo, hi) NUMBER(name, VALUE_BYTES, 0, member, lo, hi, 1)
#define TIME(name, member, lo, hi)  NUMBER(name, VALUE_TIME, 0, member, lo, hi, 0)
/* Where the original, or the sysctl of this name, has bare seconds. */
#define SECS(name, member, lo, hi)  NUMBER(name, VALUE_TIME, 0, member, lo, hi, SEC(1))
#define OTHER(name, set, show, says) \
	{ name, KEY_OTHER, VALUE_COUNT, 0, 0, 0, 0, 0, 0, set, show, says }
#define LIST(name, count, set, show, says) \
	{ name, KEY_OTHER, VALUE_COUNT, KEY_LIST, PLACE(count), 0, 0, 0, set, show, says }

#define FAULT(what, kind, member, lo, hi, bare) \
	{ "fault_" what, KEY_PAIR, kind, 0, 0, 0, lo, hi, bare, NULL, NULL, NULL }, \
	NUMBER("fault_rx_" what, kind, 0, fault_rx.member, lo, hi, bare), \
	NUMBER("fault_tx_" what, kind, 0, fault_tx.member, lo, hi, bare)
#define SHARE_FAULT(what, member) FAULT(what, VALUE_RATIO, member, 0, 1000000, 0)
#define TIME_FAULT(what, member)  FAULT(what, VALUE_TIME, member, 0, SEC(10), 0)

#define KB(n) ((int64_t)(n) << 10)
#define MB(n) ((int64_t)(n) << 20)
#define GB(n) ((int64_t)(n) << 30)

static const struct config_key keys[] = {
	/* -- machine --------------------------------------------------------------- */
	OTHER("io", set_io, show_io, "dpdk"),
	COUNT("num_cores", num_cores, 1, CONFIG_CORES_MAX),
	OTHER("core_mask", set_core_mask, show_core_mask, "hexadecimal mask or all"),
	COUNT("stack_core", stack_core, -64, 64),
	OTHER("multiprocess", set_multiprocess, show_multiprocess,
	      "on, off, a number of processes, or a place among them"),
	TEXT("multiprocess_name", multiprocess_name),
	TEXT("eal_args", eal_args),
	TEXT("dpdk_log", dpdk_log),
	BOOL("dpdk_telemetry", telemetry),
	COUNT("num_mem_ch", num_mem_ch, 0, 32),
	NUMBER("memory", VALUE_BYTES, KEY_AUTO, memory, MB(16), GB(1024), 1),

	/* -- ports ----------------------------------------------------------------- */
	LIST("port", n_ports, ports_set, ports_show, "names of ports"),
	LIST("address", n_addresses, ports_set_address, ports_show_address,
	      "IP/prefix, perhaps behind the name of a port"),
	OTHER("gateway", ports_set_gateway, ports_show_gateway, "IP address or none"),
	LIST("mtu", n_mtus, ports_set_mtu, ports_show_mtu,
	      "bytes, perhaps behind the name of a port, or auto; 68 to 65535"),
	COUNT("rx_ring", rx_ring, 32, 32768),
	COUNT("tx_ring", tx_ring, 32, 32768),
	NUMBER("mbufs", VALUE_COUNT, KEY_AUTO, mbufs, 512, 4000000, 1),
	BOOL("rx_interrupts", rx_interrupts),
	BOOL("checksum_offload", checksum_offload),
	BOOL("promiscuous", promiscuous),
	OTHER("rss_key", set_rss_key, show_rss_key, "80 hexadecimal digits, or auto"),
	BOOL("address_check", address_check),
	LIST("exception", n_exceptions, exceptions_set, exceptions_show,
	     "tap:NAME, perhaps behind the name of a port, or none"),
	COUNT("exception_rate", exception_rate, 1, 10000000),

	/* -- the pair -------------------------------------------------------------- */
	TIME("spin", spin_ns, 0, SEC(1)),
	TIME("idle_poll", idle_poll_ns, US(1), SEC(1)),
	COUNT("rx_burst", stack.rx_burst, 1, IO_BURST),
	COUNT("rx_bursts", stack.rx_bursts, 1, 1024),
	COUNT("tx_control", stack.tx_control, 1, 65536),
	COUNT("tx_ack", stack.tx_ack, 1, 65536),
	COUNT("tx_data", stack.tx_data, 1, 65536),

	/* -- sizes, per core ------------------------------------------------------- */
	COUNT("max_concurrency", stack.max_conns, 1, 10000000),
	COUNT("max_sockets", stack.max_socks, 16, STACK_SOCKS_MAX),
	COUNT("max_half_open", stack.max_half_open, 1, 10000000),
	COUNT("max_time_wait", stack.max_time_wait, 1, 10000000),
	COUNT("max_num_buffers", max_num_buffers, 1, 10000000),
	COUNT("max_chunks", stack.max_chunks, 64, STACK_CHUNKS_MAX),
	COUNT("max_in_flight", stack.max_in_flight, 64, 1 << 27),
	NUMBER("rcvbuf", VALUE_BYTES, KEY_AUTO, rcvbuf, KB(2), GB(1), 1),
	BYTES("rcvbuf_max", stack.tcp.rcvbuf_max, KB(2), GB(1)),
	NUMBER("sndbuf", VALUE_BYTES, KEY_AUTO, sndbuf, KB(2), GB(1), 1),
	BYTES("sndbuf_max", stack.tcp.sndbuf_max, KB(2), GB(1)),
	COUNT("max_paths", stack.max_paths, 0, 1 << 20),
	COUNT("trace_records", stack.trace_records, 0, 1 << 24),

	/* -- TCP ------------------------------------------------------------------- */
	OTHER("cc", set_cc, show_cc, "name of a congestion control"),
	OTHER("hystart", set_hystart, show_hystart, "off, delay or plusplus"),
	OTHER("ecn", set_ecn, show_ecn, "off, passive or on"),
	BOOL("pacing", stack.tcp.pacing),
	COUNT("tcp_pacing_ss_ratio", stack.tcp.pacing_ss_ratio, 1, 1000),
	COUNT("tcp_pacing_ca_ratio", stack.tcp.pacing_ca_ratio, 1, 1000),
	OTHER("syn_cookies", set_cookies, show_cookies, "off, on or always"),
	COUNT("tcp_initial_cwnd", stack.tcp.initial_cwnd, 1, 1000),
	BOOL("tcp_rfc1337", stack.tcp.rfc1337),
	BOOL("tcp_slow_start_after_idle", stack.tcp.slow_start_after_idle),
	BOOL("tcp_loss_probe", stack.tcp.loss_probe),
	BOOL("tcp_frto", stack.tcp.frto),
	COUNT("tcp_mtu_probing", stack.tcp.mtu_probing, 0, 2),
	COUNT("tcp_min_pmtu", stack.tcp.min_pmtu, 68, 65535),
	COUNT("tcp_reordering", stack.tcp.dupthresh, 1, 300),
	OTHER("tcp_recovery", set_recovery, show_recovery, "1, 3, 5 or 7"),
	TIME("tcp_rto_initial", stack.tcp.rto_initial_ns, MS(1), SEC(60)),
	TIME("tcp_rto_min", stack.tcp.rto_min_ns, MS(1), SEC(60)),
	TIME("tcp_rto_max", stack.tcp.rto_max_ns, SEC(1), SEC(3600)),
	COUNT("tcp_syn_retries", stack.tcp.syn_retries, 1, 127),
	COUNT("tcp_synack_retries", stack.tcp.synack_retries, 1, 127),
	COUNT("tcp_retries2", stack.tcp.retries, 1, 255),
	COUNT("tcp_orphan_retries", stack.tcp.orphan_retries, 1, 255),
	TIME("tcp_delack_min", stack.tcp.delack_min_ns, MS(1), MS(499)),
	TIME("tcp_delack_max", stack.tcp.delack_max_ns, MS(1), MS(499)),
	COUNT("tcp_quickack", stack.tcp.quickack, 0, 255),
	TIME("tcp_cork_max", stack.tcp.cork_max_ns, MS(1), SEC(60)),
	NUMBER("tcp_timeout", VALUE_TIME, KEY_OFF, stack.tcp.idle_timeout_ns, MS(100),
	       SEC(2592000), SEC(1)),
	SECS("tcp_timewait", stack.tcp.time_wait_ns, 0, SEC(3600)),
	SECS("tcp_fin_timeout", stack.tcp.fin_wait_2_ns, MS(100), SEC(3600)),
	SECS("tcp_keepalive_time", stack.tcp.keepidle_ns, SEC(1), SEC(2592000)),
	SECS("tcp_keepalive_intvl", stack.tcp.keepintvl_ns, SEC(1), SEC(32767)),
	COUNT("tcp_keepalive_probes", stack.tcp.keepcnt, 1, 127),
	OTHER("tcp_timestamps", set_timestamps, show_timestamps, "off, on or plain"),
	BOOL("tcp_sack", stack.tcp.sack),
	BOOL("tcp_window_scaling", stack.tcp.window_scaling),
	COUNT("tcp_fastopen", stack.tcp.fastopen, 0, FASTOPEN_BITS),
	OTHER("tcp_fastopen_key", set_fastopen_key, show_fastopen_key,
	      "four or eight hexadecimal words, or auto"),
	COUNT("tcp_reass_runs", stack.tcp.reass_runs, 1, 65535),
	COUNT("tcp_challenge_ack_limit", stack.tcp.challenge_ack_per_s, 1, 1000000),
	COUNT("ip_default_ttl", stack.tcp.ttl, 1, 255),
	OTHER("ip_local_port_range", set_port_range, show_port_range,
	      "two ports, 1 to 65535"),

	/* -- neighbours ------------------------------------------------------------ */
	COUNT("neigh_max", stack.neigh.max, 16, 1 << 20),
	COUNT("neigh_tries", stack.neigh.tries, 1, 255),
	TIME("neigh_retrans", stack.neigh.retrans_ns, MS(1), SEC(60)),
	TIME("neigh_reachable", stack.neigh.reachable_ns, MS(1), SEC(86400)),
	TIME("neigh_delay", stack.neigh.delay_ns, MS(1), SEC(60)),
	TIME("neigh_fail", stack.neigh.fail_ns, MS(1), SEC(3600)),
	TIME("neigh_keep", stack.neigh.keep_ns, 0, SEC(86400)),

	/* -- looking and impairing ------------------------------------------------- */
	LIST("stat_print", stat_print, ports_set_stat_print, ports_show_stat_print,
	      "on, off or the name of a port"),
	TEXT("pcap", pcap),
	BYTES("pcap_snaplen", pcap_snaplen, 64, 65535),
	BYTES("pcap_max_size", pcap_max_bytes, 0, GB(1024)),
	SHARE_FAULT("loss", loss_ppm),
	SHARE_FAULT("duplicate", dup_ppm),
	SHARE_FAULT("reorder", reorder_ppm),
	TIME_FAULT("reorder_delay", reorder_ns),
	SHARE_FAULT("corrupt", corrupt_ppm),
	TIME_FAULT("delay", delay_ns),
	TIME_FAULT("jitter", jitter_ns),
	FAULT("rate", VALUE_RATE, rate_bps, 0, INT64_C(1000000000000), 0),
	FAULT("hold", VALUE_COUNT, hold, 1, 1000000, 1),
	FAULT("queue", VALUE_BYTES, queue_bytes, 0, GB(1), 1),
	FAULT("mark", VALUE_BYTES, mark_bytes, 0, GB(1), 1),
	COUNT("fault_seed", fault_rx.seed, 0, INT64_MAX),
};
/* clang-format on */

static_assert(array_len(keys) <= CONFIG_KEYS_MAX, "struct config has an origin for each key");

const struct config_key *
key_at(unsigned n)
{
	return n < array_len(keys) ? &keys[n] : NULL;
}

const struct config_key *
key_find(const char *name)
{
	for (size_t i = 0; i < array_len(keys); i++) {
		if (strcmp(keys[i].name, name) == 0)
			return &keys[i];
	}
	return NULL;
}

static bool
lies_in(const struct config_key *key, size_t from, size_t size)
{
	return key->size > 0 && key->offset >= from && key->offset + key->size <= from + size;
}

bool
key_is_live(const struct config_key *key)
{
	static const char *const fixed[] = { "io", "core_mask", "multiprocess", "port", "address",
		                             "gateway", "stat_print", "rss_key" };
	const size_t quotas = offsetof(struct config, stack.rx_burst);

	if (key->type == KEY_OTHER) {
		for (size_t i = 0; i < array_len(fixed); i++)
			if (strcmp(key->name, fixed[i]) == 0)
				return false;
		return true; /* all the others are TCP's, or the MTU, or local ports */
	}
	return lies_in(key, PLACE(stack.tcp)) || lies_in(key, PLACE(rcvbuf)) ||
	       lies_in(key, PLACE(sndbuf)) ||
	       lies_in(key, quotas, offsetof(struct config, stack.tx_data) + sizeof(uint32_t) - quotas);
}

/* -------------------------------------------------------------------- suggestions */

#define NAME_ROOM 40 /* longer words are near to no key */

/* How many letters to insert, drop, change or swap with their neighbour make one
 * word of the other (optimal string alignment).  Row by row, keeping three. */
static unsigned
edit_distance(const char *a, size_t na, const char *b, size_t nb)
{
	unsigned rows[3][NAME_ROOM + 1];
	unsigned *before = rows[0], *last = rows[1], *row = rows[2], *spare;

	for (unsigned j = 0; j <= nb; j++)
		last[j] = j;
	for (unsigned i = 1; i <= na; i++) {
		row[0] = i;
		for (unsigned j = 1; j <= nb; j++) {
			row[j] = min(last[j], row[j - 1]) + 1;
			row[j] = min(row[j], last[j - 1] + (a[i - 1] != b[j - 1]));
			if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
				row[j] = min(row[j], before[j - 2] + 1);
		}
		spare = before;
		before = last;
		last = row;
		row = spare;
	}
	return last[nb];
}

const struct config_key *
key_suggest(const char *name)
{
	size_t len = strlen(name);
	size_t best = 1 + max(len / 3, (size_t)1);
	const struct config_key *nearest = NULL;
	unsigned d;

	if (len > NAME_ROOM)
		return NULL;
	for (size_t i = 0; i < array_len(keys); i++) {
		d = edit_distance(name, len, keys[i].name, strlen(keys[i].name));
		if (d < best) {
			best = d;
			nearest = &keys[i];
		}
	}
	return nearest;
}

/* ------------------------------------------------------------------------ values */

static void
store_int(void *at, size_t size, int64_t v)
{
	uint8_t u8 = (uint8_t)v;
	uint16_t u16 = (uint16_t)v;
	uint32_t u32 = (uint32_t)v;

	memcpy(at, size == 8 ? (void *)&v : size == 4 ? (void *)&u32 : size == 2 ? (void *)&u16 : &u8,
	       size);
}

static int64_t
load_int(const void *at, size_t size, bool is_signed)
{
	uint8_t u8;
	uint16_t u16;
	uint32_t u32;
	int64_t v;

	switch (size) {
	case 1:
		return memcpy(&u8, at, 1), u8;
	case 2:
		return memcpy(&u16, at, 2), u16;
	case 4:
		memcpy(&u32, at, 4);
		return is_signed ? (int32_t)u32 : (int64_t)u32;
	default:
		return memcpy(&v, at, 8), v;
	}
}

static void
key_range(const struct config_key *key, FILE *out)
{
	char lo[VALUE_TEXT], hi[VALUE_TEXT];

	value_format(lo, key->kind, key->lo);
	value_format(hi, key->kind, key->hi);
	if (key->hi == INT64_MAX)
		fprintf(out, "%s or more", lo);
	else
		fprintf(out, "%s to %s", lo, hi);
	if (key->flags & KEY_OFF)
		fputs(", or off", out);
	if (key->flags & KEY_AUTO)
		fputs(", or auto", out);
}

/* Complains that `value` is not what the key wants: the wrong kind, or outside its range. */
static void
refuse(const struct config_key *key, const char *value, bool parsed, struct config_log *log)
{
	char text[VALUE_TEXT * 3] = "";
	FILE *out = fmemopen(text, sizeof text, "w");

	if (out) {
		key_range(key, out);
		fclose(out);
	}
	if (parsed)
		config_problem(log, "%s: '%s' is out of range (%s)", key->name,
		               config_quote(value).text, text);
	else
		config_problem(log, "%s: '%s' is not %s; %s", key->name, config_quote(value).text,
		               value_kind_text(key->kind), text);
}

static bool
parse_number(const struct config_key *key, const char *value, int64_t *v)
{
	bool negative = key->lo < 0 && *value == '-';

	if (key->flags & KEY_OFF && (strcmp(value, "off") == 0 || strcmp(value, "-1") == 0)) {
		*v = TIME_NEVER;
		return true;
	}
	if (key->flags & KEY_AUTO && strcmp(value, "auto") == 0) {
		*v = 0;
		return true;
	}
	if (!value_parse(value + negative, key->kind, key->bare, v))
		return false;
	*v = negative ? -*v : *v;
	return true;
}

static bool
number_fits(const struct config_key *key, int64_t v)
{
	return (v >= key->lo && v <= key->hi) || (key->flags & KEY_OFF && v == TIME_NEVER) ||
	       (key->flags & KEY_AUTO && v == 0);
}

static void
set_number(struct config *cfg, const struct config_key *key, const char *value,
           struct config_log *log)
{
	int64_t v;
	bool parsed = parse_number(key, value, &v);

	if (parsed && number_fits(key, v))
		store_int((char *)cfg + key->offset, key->size, v);
	else
		refuse(key, value, parsed, log);
}

static void
set_bool(struct config *cfg, const struct config_key *key, const char *value,
         struct config_log *log)
{
	bool v;

	if (value_parse_bool(value, &v))
		memcpy((char *)cfg + key->offset, &v, sizeof v);
	else
		config_problem(log, "%s: '%s' is neither on nor off", key->name,
		               config_quote(value).text);
}

static void
set_text(struct config *cfg, const struct config_key *key, const char *value,
         struct config_log *log)
{
	size_t len = strlen(value);

	for (const char *p = value; *p; p++) {
		if ((unsigned char)*p < 0x20 && *p != '\t') {
			config_problem(log, "%s holds a control character", key->name);
			return;
		}
	}
	if (len >= key->size)
		config_problem(log, "%s is %zu characters long, %zu at most", key->name, len,
		               key->size - 1);
	else
		memcpy((char *)cfg + key->offset, value, len + 1);
}

static void set_pair(struct config *cfg, const struct config_key *key, const char *value,
                     struct config_log *log);

static void
key_set(struct config *cfg, const struct config_key *key, char *value, struct config_log *log)
{
	switch (key->type) {
	case KEY_BOOL:
		set_bool(cfg, key, value, log);
		break;
	case KEY_NUMBER:
		set_number(cfg, key, value, log);
		break;
	case KEY_TEXT:
		set_text(cfg, key, value, log);
		break;
	case KEY_PAIR:
		set_pair(cfg, key, value, log);
		break;
	case KEY_OTHER:
		key->set(cfg, value, log);
		break;
	}
}

/* ------------------------------------------------------------------ keys and origins */

static struct config_origin *
origin_at(struct config *cfg, const struct config_key *key)
{
	return &cfg->origin[key - keys];
}

/* The two keys that a KEY_PAIR stands for follow it in the table. */
static const struct config_key *
pair_of(const struct config_key *key)
{
	for (int back = 1; back <= 2 && key - keys >= back; back++) {
		if (key[-back].type == KEY_PAIR)
			return key - back;
	}
	return NULL;
}

/* A direction that was named by itself keeps what it was told, in whichever order;
 * an override of the program beats all of a file. */
static void
set_pair(struct config *cfg, const struct config_key *key, const char *value,
         struct config_log *log)
{
	enum config_source by = origin_at(cfg, key)->source;
	int64_t v;
	bool parsed = parse_number(key, value, &v);

	if (!parsed || !number_fits(key, v)) {
		refuse(key, value, parsed, log);
		return;
	}
	for (const struct config_key *one = key + 1; one <= key + 2; one++) {
		if (origin_at(cfg, one)->source >= by)
			continue;
		*origin_at(cfg, one) = (struct config_origin){ CONFIG_DEFAULT, 0 };
		store_int((char *)cfg + one->offset, one->size, v);
	}
}

struct config_origin
key_origin(const struct config *cfg, const struct config_key *key)
{
	struct config_origin o = cfg->origin[key - keys];
	const struct config_key *pair = pair_of(key);

	return o.source == CONFIG_DEFAULT && pair ? cfg->origin[pair - keys] : o;
}

void
key_apply(struct config *cfg, const struct config_key *key, char *value,
          enum config_source source, struct config_log *log)
{
	struct config_origin *o = origin_at(cfg, key);
	bool again = o->source == CONFIG_FILE && source == CONFIG_FILE;

	if (again && !(key->flags & KEY_LIST)) {
		config_problem(log, "%s is given a second time; the first is in line %u", key->name,
		               o->line);
		return;
	}
	if (!again) {
		*o = (struct config_origin){ source, log->line };
		if (key->flags & KEY_LIST) /* what stood in the list before is replaced */
			store_int((char *)cfg + key->offset, key->size, 0);
	}
	key_set(cfg, key, value, log);
}

static void
show_number(const struct config *cfg, const struct config_key *key, FILE *out)
{
	int64_t v = load_int((const char *)cfg + key->offset, key->size, key->lo < 0);
	char text[VALUE_TEXT];

	value_format(text, key->kind, v);
	if (key->flags & KEY_OFF && v == TIME_NEVER)
		fputs("off", out);
	else if (key->flags & KEY_AUTO && v == 0)
		fputs("auto", out);
	else
		fputs(text, out);
}

void
key_show(const struct config *cfg, const struct config_key *key, FILE *out)
{
	switch (key->type) {
	case KEY_BOOL:
		fputs(*((const char *)cfg + key->offset) ? "on" : "off", out);
		break;
	case KEY_NUMBER:
		show_number(cfg, key, out);
		break;
	case KEY_TEXT:
		fputs((const char *)cfg + key->offset, out);
		break;
	case KEY_PAIR:
		break;
	case KEY_OTHER:
		key->show(cfg, out);
		break;
	}
}

static const char *
kind_name(enum value_kind kind)
{
	static const char *const names[] = {
		[VALUE_COUNT] = "number", [VALUE_BYTES] = "size", [VALUE_TIME] = "time",
		[VALUE_RATIO] = "share",  [VALUE_RATE] = "rate",
	};

	return names[kind];
}

void
key_describe(const struct config_key *key, FILE *out)
{
	switch (key->type) {
	case KEY_BOOL:
		fputs("on or off", out);
		break;
	case KEY_TEXT:
		fprintf(out, "text, up to %zu characters", key->size - 1);
		break;
	case KEY_OTHER:
		fputs(key->says, out);
		break;
	case KEY_NUMBER:
	case KEY_PAIR:
		fprintf(out, "%s, ", kind_name(key->kind));
		key_range(key, out);
		break;
	}
}
