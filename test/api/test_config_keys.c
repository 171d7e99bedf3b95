/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The table of keys: each line of it can be set, is held to its range, shows
 * what it was given, and stands in the manual page as it is.
 */
#include <inttypes.h>

#include "api/config_keys.h"
#include "tcp/tcp_cc.h"
#include "test/api/config_try.h"

void suite_config_keys(void);

static void
test_names_are_unique_and_found(void)
{
	const struct config_key *key;

	for (unsigned i = 0; (key = key_at(i)); i++) {
		CU_ASSERT_PTR_EQUAL(key_find(key->name), key);
		CU_ASSERT_TRUE(strlen(key->name) <= 40);
	}
	CU_ASSERT_PTR_NULL(key_find("nothing"));
	CU_ASSERT_PTR_NULL(key_find(""));
}

/* As the key shows its value. */
static char *
shown(const struct config *cfg, const struct config_key *key)
{
	char *text = NULL;
	size_t len;
	FILE *out = open_memstream(&text, &len);

	key_show(cfg, key, out);
	fclose(out);
	return text;
}

static char *
described(const struct config_key *key)
{
	char *text = NULL;
	size_t len;
	FILE *out = open_memstream(&text, &len);

	key_describe(key, out);
	fclose(out);
	return text;
}

/* Sets `key` to v and expects `problems`; returns what it then shows. */
static char *
give(const struct config_key *key, int64_t v, int problems)
{
	struct config_try t = config_try_begin();
	char line[128], value[VALUE_TEXT];
	char *back;

	value_format(value, key->kind, v);
	snprintf(line, sizeof line, "%s = %s\n", key->name, value);
	config_try_parse(&t, line);
	CU_ASSERT_EQUAL(t.problems, problems);
	if (t.problems != problems)
		printf("  %s: %s\n", line, t.said);
	back = shown(t.cfg, key);
	config_try_end(&t);
	return back;
}

static void
test_each_number_takes_both_ends_of_its_range_and_no_more(void)
{
	const struct config_key *key;
	char want[VALUE_TEXT];

	for (unsigned i = 0; (key = key_at(i)); i++) {
		if (key->type != KEY_NUMBER)
			continue;
		for (int end = 0; end <= 1; end++) {
			char *back = give(key, end ? key->hi : key->lo, 0);

			value_format(want, key->kind, end ? key->hi : key->lo);
			if (!(key->flags & KEY_AUTO && strcmp(back, "auto") == 0))
				CU_ASSERT_STRING_EQUAL(back, want);
			free(back);
		}
		/* Zero may stand for auto; INT64_MAX has nothing above. */
		if (key->hi < INT64_MAX)
			free(give(key, key->hi + 1, 1));
		if (key->lo > 1)
			free(give(key, key->lo - 1, 1));
	}
}

/* A key's member must hold its whole range: no key may cut what it accepts. */
static void
test_each_member_can_hold_its_range(void)
{
	const struct config_key *key;

	for (unsigned i = 0; (key = key_at(i)); i++) {
		if (key->type == KEY_BOOL)
			CU_ASSERT_EQUAL(key->size, sizeof(bool));
		if (key->type != KEY_NUMBER)
			continue;
		CU_ASSERT_TRUE(key->size == 1 || key->size == 2 || key->size == 4 || key->size == 8);
		CU_ASSERT_TRUE(key->size == 8 || key->hi < INT64_C(1) << key->size * 8);
		CU_ASSERT_TRUE(key->lo <= key->hi);
	}
}

static void
test_switches_take_on_and_off(void)
{
	const struct config_key *key;
	char line[128];

	for (unsigned i = 0; (key = key_at(i)); i++) {
		if (key->type != KEY_BOOL)
			continue;
		for (int on = 0; on <= 1; on++) {
			struct config_try t = config_try_begin();
			char *back;

			snprintf(line, sizeof line, "%s=%s", key->name, on ? "yes" : "0");
			config_try_parse(&t, line);
			CU_ASSERT_EQUAL(t.problems, 0);
			back = shown(t.cfg, key);
			CU_ASSERT_STRING_EQUAL(back, on ? "on" : "off");
			free(back);
			config_try_end(&t);
		}
	}
	config_try_refused("tcp_sack = maybe", "f.conf:1: tcp_sack: 'maybe' is neither on nor off");
}

static void
test_bad_numbers_say_what_is_wanted(void)
{
	config_try_refused("tcp_rto_min = 200", "f.conf:1: tcp_rto_min: '200' is not a time (a number "
	                   "with ns, us, ms, s, min or h); 1ms to 60s");
	config_try_refused("rcvbuf = 8192x", "f.conf:1: rcvbuf: '8192x' is not a size (a number of "
	                   "bytes, or with KB, MB or GB); 2KB to 1GB, or auto");
	config_try_refused("num_cores = 0", "f.conf:1: num_cores: '0' is out of range (1 to 64)");
	/* more than sockets can name */
	config_try_refused("max_chunks = 60000001",
	                   "f.conf:1: max_chunks: '60000001' is out of range (64 to 60000000)");
	config_try_refused("num_cores = -1", "f.conf:1: num_cores: '-1' is not a number (such as 10000 "
	                   "or 10k); 1 to 64");
	config_try_refused("tcp_timeout = 0", "f.conf:1: tcp_timeout: '0' is out of range (100ms to "
	                   "2592000s, or off)");
	config_try_refused("fault_loss = 101%", "f.conf:1: fault_loss: '101%' is out of range (0 to "
	                   "100%)");
}

static void
test_bare_numbers_of_old_keys_are_seconds(void)
{
	struct config_try t = config_try_text("tcp_timeout = 30\ntcp_timewait = 0\n");

	CU_ASSERT_EQUAL(t.cfg->stack.tcp.idle_timeout_ns, SEC(30));
	CU_ASSERT_EQUAL(t.cfg->stack.tcp.time_wait_ns, 0);
	config_try_set(&t, "tcp_timeout = -1");
	CU_ASSERT_EQUAL(t.cfg->stack.tcp.idle_timeout_ns, TIME_NEVER);
	config_try_set(&t, "tcp_timeout = 1500ms");
	CU_ASSERT_EQUAL(t.cfg->stack.tcp.idle_timeout_ns, MS(1500));
	config_try_set(&t, "tcp_timeout = off");
	CU_ASSERT_EQUAL(t.cfg->stack.tcp.idle_timeout_ns, TIME_NEVER);
	config_try_end(&t);
}

static void
test_a_stack_core_may_be_to_the_left(void)
{
	struct config_try t = config_try_text("stack_core = -1\n");
	char *back = shown(t.cfg, key_find("stack_core"));

	CU_ASSERT_EQUAL(t.cfg->stack_core, -1);
	CU_ASSERT_STRING_EQUAL(back, "-1");
	free(back);
	config_try_end(&t);
}

static void
test_engines_of_the_original_are_told_what_to_write(void)
{
	static const char *const old[] = { "psio", "netmap", "onvm" };
	char line[64], complaint[160];

	for (size_t i = 0; i < array_len(old); i++) {
		snprintf(line, sizeof line, "io = %s", old[i]);
		snprintf(complaint, sizeof complaint, "f.conf:1: io = %s is not supported (write: io = "
		         "dpdk, which drives any port that DPDK knows)", old[i]);
		config_try_refused(line, complaint);
	}
}

static void
test_congestion_control_is_found_by_name(void)
{
	struct config_try t = config_try_text("cc = reno\n");

	CU_ASSERT_STRING_EQUAL(t.cfg->stack.tcp.cc->name, "reno");
	config_try_set(&t, "cc = vegas");
	CU_ASSERT_PTR_NOT_NULL(strstr(t.said, "setting: cc: 'vegas' is no congestion control (there "
	                                      "are: "));
	CU_ASSERT_PTR_NOT_NULL(strstr(t.said, "reno"));
	CU_ASSERT_STRING_EQUAL(t.cfg->stack.tcp.cc->name, "reno");
	config_try_end(&t);
}

static void
test_local_ports_are_a_range(void)
{
	static const char complaint[] = "f.conf:1: ip_local_port_range is two ports, the lower one "
	                                "first (such as 32768 60999)";
	struct config_try t = config_try_text("ip_local_port_range = 1024 65535\n");

	CU_ASSERT_EQUAL(t.cfg->stack.ephemeral_lo, 1024);
	CU_ASSERT_EQUAL(t.cfg->stack.ephemeral_hi, 65535);
	config_try_end(&t);
	config_try_refused("ip_local_port_range = 1024", complaint);
	config_try_refused("ip_local_port_range = 2 1", complaint);
	config_try_refused("ip_local_port_range = 0 1", complaint);
	config_try_refused("ip_local_port_range = 1 65536", complaint);
	config_try_refused("ip_local_port_range = 1 2 3", complaint);
}

static void
test_multiprocess_takes_the_old_forms(void)
{
	static const struct {
		const char *line;
		bool on;
	} cases[] = {
		{ "multiprocess = 1", true },        { "multiprocess = 0", false },
		{ "multiprocess = 0 master", true }, { "multiprocess = 1 slave", true },
		{ "multiprocess = off", false },
	};

	for (size_t i = 0; i < array_len(cases); i++) {
		struct config_try t = config_try_text(cases[i].line);

		CU_ASSERT_EQUAL(t.problems, 0);
		CU_ASSERT_EQUAL(t.cfg->multiprocess, cases[i].on);
		config_try_end(&t);
	}
	config_try_refused("multiprocess = x master", "f.conf:1: multiprocess: 'x master' is not on, "
	                   "off, a number of processes (2 to 64) or a place among them (such as 0 "
	                   "of 2)");
}

static void
test_multiprocess_says_how_many_and_which(void)
{
	static const char *const bad[] = { "65", "2 of 2", "-1 of 2", "1 of", "1 of 2 3", "0 in 2",
		                           "0 of 1", "0 of 65" };
	struct config_try t = config_try_text("multiprocess = 3\n");
	char line[64];

	CU_ASSERT_TRUE(t.cfg->multiprocess && t.cfg->processes == 3 && t.cfg->place == -1);
	config_try_set(&t, "multiprocess = 1 of 2");
	CU_ASSERT_TRUE(t.cfg->multiprocess && t.cfg->processes == 2 && t.cfg->place == 1);
	config_try_set(&t, "multiprocess = off");
	CU_ASSERT_TRUE(!t.cfg->multiprocess && t.cfg->processes == 0);
	config_try_end(&t);
	for (size_t i = 0; i < array_len(bad); i++) {
		snprintf(line, sizeof line, "multiprocess = %s", bad[i]);
		t = config_try_text(line);
		CU_ASSERT_EQUAL(t.problems, 1);
		config_try_end(&t);
	}
	config_try_check_refused("address = 10.0.0.2/24\nmultiprocess = 9\nnum_cores = 8\n",
	                         "f.conf:2: multiprocess times num_cores is more than 64 cores\n");
	config_try_check_refused("address = 10.0.0.2/24\nmultiprocess = 2\nport = net_tap%q\n",
	                         "f.conf:3: port has %q, but eal_args, which makes the devices, "
	                         "has not\n");
}

/* Which of two lines comes first does not matter. */
static void
test_a_direction_that_is_named_beats_both(void)
{
	static const char *const texts[] = { "fault_loss = 2%\nfault_rx_loss = 1%\n",
		                             "fault_rx_loss = 1%\nfault_loss = 2%\n" };

	for (size_t i = 0; i < array_len(texts); i++) {
		struct config_try t = config_try_text(texts[i]);

		CU_ASSERT_EQUAL(t.problems, 0);
		CU_ASSERT_EQUAL(t.cfg->fault_rx.loss_ppm, 10000);
		CU_ASSERT_EQUAL(t.cfg->fault_tx.loss_ppm, 20000);
		CU_ASSERT_EQUAL(key_origin(t.cfg, key_find("fault_rx_loss")).line, i ? 1 : 2);
		CU_ASSERT_EQUAL(key_origin(t.cfg, key_find("fault_tx_loss")).line, i ? 2 : 1);
		config_try_set(&t, "fault_loss = 3%");
		CU_ASSERT_EQUAL(t.cfg->fault_rx.loss_ppm, 30000);
		CU_ASSERT_EQUAL(t.cfg->fault_tx.loss_ppm, 30000);
		config_try_end(&t);
	}
}

static void
test_each_pair_is_followed_by_its_two_directions(void)
{
	const struct config_key *key;
	char name[64];

	for (unsigned i = 0; (key = key_at(i)); i++) {
		if (key->type != KEY_PAIR)
			continue;
		snprintf(name, sizeof name, "fault_rx_%s", key->name + strlen("fault_"));
		CU_ASSERT_STRING_EQUAL(key_at(i + 1)->name, name);
		snprintf(name, sizeof name, "fault_tx_%s", key->name + strlen("fault_"));
		CU_ASSERT_STRING_EQUAL(key_at(i + 2)->name, name);
		CU_ASSERT_NOT_EQUAL(key_at(i + 1)->offset, key_at(i + 2)->offset);
	}
}

static void
test_text_that_does_not_fit_is_refused_not_cut(void)
{
	struct config_try t = config_try_begin();
	char line[CONFIG_TEXT_MAX + 64] = "eal_args = ";
	size_t n = strlen(line);

	memset(line + n, 'x', CONFIG_TEXT_MAX - 1);
	line[n + CONFIG_TEXT_MAX - 1] = '\0';
	config_try_parse(&t, line);
	CU_ASSERT_EQUAL(t.problems, 0);
	CU_ASSERT_EQUAL(strlen(t.cfg->eal_args), CONFIG_TEXT_MAX - 1);
	config_try_end(&t);
	strcat(line, "y");
	config_try_refused(line, "f.conf:1: eal_args is 1024 characters long, 1023 at most");
	config_try_refused("pcap = a\x1b[0m", "f.conf:1: pcap holds a control character");
}

static void
suggests(const char *word, const char *want)
{
	const struct config_key *key = key_suggest(word);

	if (!want)
		CU_ASSERT_PTR_NULL(key);
	if (want)
		CU_ASSERT_TRUE(key && strcmp(key->name, want) == 0);
}

static void
test_slips_of_the_pen_are_understood(void)
{
	suggests("adress", "address");
	suggests("rcvbuff", "rcvbuf");
	suggests("tcp_timewiat", "tcp_timewait");
	suggests("max_concurency", "max_concurrency");
	suggests("eal_arg", "eal_args");
	suggests("MTU", NULL);
	suggests("mut", "mtu");
	suggests("x", NULL);
	suggests("", NULL);
	suggests("something_else_entirely", NULL);
	suggests("aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", NULL);
}

/* ------------------------------------------------------------------ the manual page */

static char *
manual_read(void)
{
	const char *top = getenv("MTCP_SRCDIR");
	char path[512];
	char *text = NULL;
	size_t len = 0;
	FILE *in;

	snprintf(path, sizeof path, "%s/doc/man/mtcp.conf.5", top ? top : ".");
	in = fopen(path, "r");
	CU_ASSERT_PTR_NOT_NULL_FATAL(in);
	CU_ASSERT_TRUE(getdelim(&text, &len, '\0', in) > 0);
	fclose(in);
	return text;
}

/* "share, 0 to 100%; default 0", or less where there is no one default. */
static void
manual_line(const struct config *cfg, const struct config_key *key, char *line, size_t room)
{
	char *says = described(key);
	char *value = shown(cfg, key);
	size_t n = (size_t)snprintf(line, room, "\n.It Ic %s Pq %s", key->name, says);

	if (strcmp(key->name, "num_cores") == 0)
		snprintf(line + n, room - n, "; default one a CPU\n");
	else if (key->type == KEY_PAIR)
		snprintf(line + n, room - n, "\n");
	else
		snprintf(line + n, room - n, "; default %s\n", *value ? value : "none");
	free(says);
	free(value);
}

static void
test_the_manual_has_type_range_and_default_of_each_key(void)
{
	struct config_try t = config_try_begin();
	const struct config_key *key;
	char *manual = manual_read();
	char line[256];

	for (unsigned i = 0; (key = key_at(i)); i++) {
		manual_line(t.cfg, key, line, sizeof line);
		CU_ASSERT_PTR_NOT_NULL(strstr(manual, line));
		if (!strstr(manual, line))
			printf("  doc/man/mtcp.conf.5 lacks the line:%s", line);
	}
	free(manual);
	config_try_end(&t);
}

static void
test_the_manual_has_no_key_that_does_not_exist(void)
{
	static const char head[] = "\n.It Ic ";
	char *manual = manual_read();
	unsigned found = 0;
	char *p = manual;

	while ((p = strstr(p, head))) {
		p += strlen(head);
		p[strcspn(p, " \n")] = '\0';
		CU_ASSERT_PTR_NOT_NULL(key_find(p));
		if (!key_find(p))
			printf("  doc/man/mtcp.conf.5 explains %s, which does not exist\n", p);
		p += strlen(p) + 1;
		found++;
	}
	/* As many as there are, so none stands there twice. */
	CU_ASSERT_TRUE(found > 0 && key_at(found - 1) && !key_at(found));
	free(manual);
}

static void
test_the_examples_of_the_manual_can_be_set(void)
{
	static const char head[] = "\n.Dl ";
	struct config_try t = config_try_begin();
	char *manual = manual_read();
	unsigned tried = 0;
	char *rest, *name;
	char *p = manual;

	while ((p = strstr(p, head))) {
		char *end = strchrnul(p += strlen(head), '\n');
		char *line = strndup(p, (size_t)(end - p));
		char *copy = strdup(line);

		rest = copy;
		name = config_word(&rest);
		if (name && key_find(name)) {
			config_try_set(&t, line);
			CU_ASSERT_EQUAL(t.problems, 0);
			tried++;
		}
		free(copy);
		free(line);
	}
	CU_ASSERT_TRUE(tried > 80);
	free(manual);
	config_try_end(&t);
}

#define RSS_KEY "6d5a56da255b0ec24167253d43a38fb0d0ca2bcbae7b30b477cb2da38030f20c6a42b73bbeac01fa"

static void
test_a_key_of_rss_is_forty_bytes(void)
{
	static const char complaint[] = "f.conf:1: rss_key is 80 hexadecimal digits, or auto";
	struct config_try t = config_try_text("rss_key = " RSS_KEY "\n");

	CU_ASSERT_TRUE(t.cfg->has_rss_key);
	CU_ASSERT_EQUAL(t.cfg->rss_key[0], 0x6d);
	CU_ASSERT_EQUAL(t.cfg->rss_key[39], 0xfa);
	config_try_end(&t);
	t = config_try_text("rss_key = auto\n");
	CU_ASSERT_FALSE(t.cfg->has_rss_key);
	config_try_end(&t);
	config_try_refused("rss_key = " RSS_KEY "0", complaint);
	config_try_refused("rss_key = " RSS_KEY "x", complaint);
	config_try_refused("rss_key = 6d5a", complaint);
}

void
suite_config_keys(void)
{
	CU_pSuite s = CU_add_suite("config_keys", NULL, NULL);

	CU_add_test(s, "names are unique and found", test_names_are_unique_and_found);
	CU_add_test(s, "each number takes both ends of its range and no more",
	            test_each_number_takes_both_ends_of_its_range_and_no_more);
	CU_add_test(s, "each member can hold its range", test_each_member_can_hold_its_range);
	CU_add_test(s, "switches take on and off", test_switches_take_on_and_off);
	CU_add_test(s, "bad numbers say what is wanted", test_bad_numbers_say_what_is_wanted);
	CU_add_test(s, "bare numbers of old keys are seconds",
	            test_bare_numbers_of_old_keys_are_seconds);
	CU_add_test(s, "a stack core may be to the left", test_a_stack_core_may_be_to_the_left);
	CU_add_test(s, "engines of the original are told what to write",
	            test_engines_of_the_original_are_told_what_to_write);
	CU_add_test(s, "congestion control is found by name",
	            test_congestion_control_is_found_by_name);
	CU_add_test(s, "local ports are a range", test_local_ports_are_a_range);
	CU_add_test(s, "multiprocess takes the old forms", test_multiprocess_takes_the_old_forms);
	CU_add_test(s, "multiprocess says how many and which",
	            test_multiprocess_says_how_many_and_which);
	CU_add_test(s, "a direction that is named beats both",
	            test_a_direction_that_is_named_beats_both);
	CU_add_test(s, "each pair is followed by its two directions",
	            test_each_pair_is_followed_by_its_two_directions);
	CU_add_test(s, "text that does not fit is refused, not cut",
	            test_text_that_does_not_fit_is_refused_not_cut);
	CU_add_test(s, "slips of the pen are understood", test_slips_of_the_pen_are_understood);
	CU_add_test(s, "the manual has type, range and default of each key",
	            test_the_manual_has_type_range_and_default_of_each_key);
	CU_add_test(s, "the examples of the manual can be set",
	            test_the_examples_of_the_manual_can_be_set);
	CU_add_test(s, "the manual has no key that does not exist",
	            test_the_manual_has_no_key_that_does_not_exist);
	CU_add_test(s, "a key of RSS is forty bytes", test_a_key_of_rss_is_forty_bytes);
}
