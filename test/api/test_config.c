/* SPDX-License-Identifier: BSD-3-Clause */
/* Configurations as a whole: files of today and of old, overrides, checks and dumps. */
#include <dirent.h>
#include <unistd.h>

#include "test/api/config_try.h"

void suite_config(void);

static void
test_an_empty_text_leaves_every_default(void)
{
	struct config_try t = config_try_text("");
	struct stack_cfg usual;

	stack_cfg_default(&usual);
	CU_ASSERT_EQUAL(t.problems, 0);
	CU_ASSERT_TRUE(t.cfg->num_cores >= 1 && t.cfg->num_cores <= CONFIG_CORES_MAX);
	CU_ASSERT_EQUAL(t.cfg->stack.cores, t.cfg->num_cores);
	CU_ASSERT_EQUAL(t.cfg->stack.max_conns, 10000);
	CU_ASSERT_EQUAL(t.cfg->stack.tcp.idle_timeout_ns, TIME_NEVER);
	CU_ASSERT_EQUAL(t.cfg->stack.tcp.time_wait_ns, SEC(60));
	CU_ASSERT_TRUE(memcmp(&t.cfg->stack.tcp, &usual.tcp, sizeof usual.tcp) == 0);
	CU_ASSERT_EQUAL(t.cfg->stack.max_chunks, usual.max_chunks);
	CU_ASSERT_FALSE(t.cfg->stat_print);
	config_try_end(&t);
}

/* What the original's epserver.conf holds apart from comments. */
static void
test_a_file_of_the_original_is_understood(void)
{
	struct config_try t = config_try_text("############### configuration ###############\n"
	                                      "io = dpdk\n"
	                                      "core_mask = F000000F0\n"
	                                      "num_mem_ch = 4\n"
	                                      "#multiprocess = 1\n"
	                                      "port = dpdk0\n"
	                                      "max_concurrency = 8192\n"
	                                      "max_num_buffers = 8192\n"
	                                      "rcvbuf = 8192\n"
	                                      "sndbuf = 8192\n"
	                                      "tcp_timeout = 30\n"
	                                      "tcp_timewait = 0\n"
	                                      "stat_print = dpdk0\n"
	                                      "##################################\n");

	CU_ASSERT_EQUAL(t.problems, 0);
	CU_ASSERT_EQUAL(t.cfg->core_mask, 0xf000000f0);
	CU_ASSERT_EQUAL(t.cfg->num_cores, 8);
	CU_ASSERT_EQUAL(t.cfg->num_mem_ch, 4);
	CU_ASSERT_EQUAL(t.cfg->stack.max_conns, 8192);
	CU_ASSERT_EQUAL(t.cfg->stack.tcp.rcvbuf, 8192);
	CU_ASSERT_EQUAL(t.cfg->stack.tcp.rcvbuf_max, 8192);
	CU_ASSERT_EQUAL(t.cfg->stack.tcp.sndbuf_max, 8192);
	CU_ASSERT_EQUAL(t.cfg->stack.max_chunks, 8192 * 8);
	CU_ASSERT_EQUAL(t.cfg->stack.tcp.idle_timeout_ns, SEC(30));
	CU_ASSERT_EQUAL(t.cfg->stack.tcp.time_wait_ns, 0);
	CU_ASSERT_TRUE(t.cfg->stat_print);
	config_try_check(&t);
	CU_ASSERT_STRING_EQUAL(t.said, "f.conf: no address is given (add a line such as: address = "
	                               "10.0.0.2/24)\n");
	config_try_end(&t);
}

static void
test_spelling_of_lines_is_free(void)
{
	static const char *const lines[] = {
		"num_cores=3", "num_cores = 3", "num_cores 3", "\tnum_cores\t=\t3\t",
		"num_cores =3 # three", "num_cores = 3\r\n", "\xef\xbb\xbfnum_cores = 3",
	};

	for (size_t i = 0; i < array_len(lines); i++) {
		struct config_try t = config_try_text(lines[i]);

		CU_ASSERT_EQUAL(t.problems, 0);
		CU_ASSERT_EQUAL(t.cfg->num_cores, 3);
		config_try_end(&t);
	}
}

static void
test_wrong_lines_are_named_with_their_number(void)
{
	config_try_refused("\n# x\nadress = 10.0.0.2/24\n",
	                   "f.conf:3: unknown key 'adress' (did you mean 'address'?)");
	config_try_refused("onvm_serv = 1", "f.conf:1: unknown key 'onvm_serv' (mtcp.conf(5) lists all)");
	config_try_refused("= 5", "f.conf:1: there is no key before '='");
	config_try_refused("rcvbuf", "f.conf:1: rcvbuf has no value");
	config_try_refused("rcvbuf = # nothing", "f.conf:1: rcvbuf has no value");
	config_try_refused("port =#nothing", "f.conf:1: port has no value");
	config_try_refused("rcvbuf == 8192", "f.conf:1: rcvbuf: '= 8192' is not a size (a number of "
	                   "bytes, or with KB, MB or GB); 2KB to 1GB, or auto");
	config_try_refused("\x1b[31m = 1", "f.conf:1: unknown key '?[31m' (mtcp.conf(5) lists all)");
}

static void
test_a_second_value_names_the_line_of_the_first(void)
{
	config_try_refused("cc = reno\n\ncc = cubic\n",
	                   "f.conf:3: cc is given a second time; the first is in line 1");
}

static void
test_every_problem_is_told_not_only_the_first(void)
{
	struct config_try t = config_try_text("a = 1\nrcvbuf = x\ncc = y\naddress = z\n");

	CU_ASSERT_EQUAL(t.problems, 4);
	config_try_end(&t);
}

static void
test_nobody_has_to_listen_to_problems(void)
{
	struct config *cfg = malloc(sizeof *cfg);

	config_default(cfg);
	CU_ASSERT_EQUAL(config_parse(cfg, "f.conf", "a = 1\nrcvbuf = x\n", NULL), 2);
	CU_ASSERT_EQUAL(config_set(cfg, "b = 1", NULL), 1);
	CU_ASSERT_EQUAL(config_check(cfg, NULL), 1);
	free(cfg);
}

/* ------------------------------------------------------------------------ buffers */

static void
buffers_are(const char *text, uint32_t first, uint32_t largest)
{
	struct config_try t = config_try_text(text);

	CU_ASSERT_EQUAL(t.problems, 0);
	CU_ASSERT_EQUAL(t.cfg->stack.tcp.rcvbuf, first);
	CU_ASSERT_EQUAL(t.cfg->stack.tcp.rcvbuf_max, largest);
	config_try_end(&t);
}

static void
test_buffers_grow_unless_their_size_was_asked_for(void)
{
	struct stack_cfg usual;

	stack_cfg_default(&usual);
	buffers_are("", usual.tcp.rcvbuf, usual.tcp.rcvbuf_max);
	buffers_are("rcvbuf = auto", usual.tcp.rcvbuf, usual.tcp.rcvbuf_max);
	buffers_are("rcvbuf = 8192", 8192, 8192);
	buffers_are("rcvbuf = 8KB\nrcvbuf_max = 1MB", 8192, 1 << 20);
	buffers_are("rcvbuf_max = 64MB", usual.tcp.rcvbuf, 64 << 20);
	buffers_are("rcvbuf_max = 4KB", 4096, 4096);
}

static void
test_an_override_makes_buffers_grow_again(void)
{
	struct config_try t = config_try_text("rcvbuf = 8192\n");
	struct stack_cfg usual;

	stack_cfg_default(&usual);
	config_try_set(&t, "rcvbuf = auto");
	CU_ASSERT_EQUAL(t.cfg->stack.tcp.rcvbuf, usual.tcp.rcvbuf);
	CU_ASSERT_EQUAL(t.cfg->stack.tcp.rcvbuf_max, usual.tcp.rcvbuf_max);
	config_try_end(&t);
}

static void
test_sockets_grow_with_connections(void)
{
	struct config_try t = config_try_text("max_concurrency = 1M\naddress = 10.0.0.2/24\n");

	CU_ASSERT_EQUAL(t.cfg->stack.max_conns, 1000000);
	CU_ASSERT_TRUE(t.cfg->stack.max_socks > 1000000);
	config_try_check(&t);
	CU_ASSERT_EQUAL(t.problems, 0);
	config_try_end(&t);
}

/* ------------------------------------------------------------------------- checks */

static void
test_values_that_contradict_each_other_are_told(void)
{
	config_try_check_refused("address = 10.0.0.2/24\nrcvbuf = 1MB\nrcvbuf_max = 64KB\n",
	                         "f.conf:2: rcvbuf is larger than rcvbuf_max\n");
	config_try_check_refused("address = 10.0.0.2/24\ntcp_rto_min = 3s\ntcp_rto_max = 2s\n",
	                         "f.conf:2: tcp_rto_min is longer than tcp_rto_max\n");
	config_try_check_refused("address = 10.0.0.2/24\ntcp_delack_min = 300ms\n",
	                         "f.conf:2: tcp_delack_min is longer than tcp_delack_max\n");
	config_try_check_refused("address = 10.0.0.2/24\nmax_sockets = 16\nmax_concurrency = 17\n",
	                         "f.conf:2: max_sockets is smaller than max_concurrency\n");
	config_try_check_refused("address = 10.0.0.2/24\nmbufs = 1000\n",
	                         "f.conf:2: mbufs is smaller than rx_ring and tx_ring together\n");
	config_try_check_refused("address = 10.0.0.2/24\nmax_chunks = 64\nrcvbuf = 1MB\n",
	                         "f.conf:2: max_chunks holds less than rcvbuf and sndbuf of one "
	                         "connection\n");
	config_try_check_refused("address = 10.0.0.2/24\nnum_cores = 2\npcap = /tmp/x.pcap\n",
	                         "f.conf:3: pcap needs %q in its name, for the number of the core (or "
	                         "set num_cores = 1)\n");
}

static void
test_static_neighbours_have_to_fit(void)
{
	struct config_try t = config_try_text("neigh_max = 16\naddress = 10.0.0.2/24\n");

	t.cfg->n_arp = 17;
	config_try_check(&t);
	CU_ASSERT_STRING_EQUAL(t.said, "f.conf:1: neigh_max is smaller than the number of entries in "
	                               "arp.conf\n");
	config_try_end(&t);
}

/* ---------------------------------------------------------------------- overrides */

static void
test_an_override_beats_the_file_and_an_earlier_one(void)
{
	struct config_try t = config_try_text("num_cores = 4\naddress = 10.0.0.2/24 10.0.0.3/24\n");

	config_try_set(&t, "num_cores = 2");
	CU_ASSERT_EQUAL(t.problems, 0);
	config_try_set(&t, "num_cores=1");
	CU_ASSERT_EQUAL(t.cfg->num_cores, 1);
	CU_ASSERT_EQUAL(t.cfg->stack.cores, 1);
	config_try_set(&t, "address = 10.0.1.2/24");
	CU_ASSERT_EQUAL(t.cfg->stack.port[0].n_addrs, 1);
	CU_ASSERT_EQUAL(ip_addr_v4_host(&t.cfg->stack.port[0].addr[0].ip), 0x0a000102);
	config_try_end(&t);
}

static void
set_says(const char *assignment, const char *complaint)
{
	struct config_try t = config_try_text("port = dpdk0\n");
	struct config *before = malloc(sizeof *before);

	memcpy(before, t.cfg, sizeof *before);
	config_try_set(&t, assignment);
	CU_ASSERT_EQUAL(t.problems, 1);
	CU_ASSERT_STRING_EQUAL(t.said, complaint);
	CU_ASSERT_TRUE(memcmp(before, t.cfg, sizeof *before) == 0);
	free(before);
	config_try_end(&t);
}

static void
test_a_refused_override_changes_nothing(void)
{
	set_says("port = a b b", "setting: port: b is named twice\n");
	set_says("", "setting: a setting is key = value\n");
	set_says("# nothing", "setting: a setting is key = value\n");
	set_says("cc = reno\nspin = 1us", "setting: a setting is one line\n");
	set_says("num_core = 1", "setting: unknown key 'num_core' (did you mean 'num_cores'?)\n");
	set_says("fault_loss = 2", "setting: fault_loss: '2' is not a share (a number with % or ppm); "
	         "0 to 100%\n");
}

/* -------------------------------------------------------------------------- dumps */

static char *
dump(const struct config *cfg)
{
	char *text = NULL;
	size_t len;
	FILE *out = open_memstream(&text, &len);

	config_dump(cfg, out);
	fclose(out);
	return text;
}

/* Leaves each line without the comment that tells where its value came from. */
static char *
without_comments(char *text)
{
	char *to = text;
	bool comment = false;

	for (char *p = text; *p; p++) {
		if (p[0] == ' ' && p[1] == '#')
			comment = true;
		if (*p == '\n')
			comment = false;
		if (!comment)
			*to++ = *p;
	}
	*to = '\0';
	return text;
}

static void
test_a_dump_reads_back_as_the_same(void)
{
	struct config_try t = config_try_text(
		"port = dpdk0 a,b\naddress = b 10.0.1.2/24 fd00::2/64\naddress = 10.0.0.2/24\n"
		"gateway = 10.0.1.1\nmtu = a 9000 1400\ncore_mask = 0xf0\nstack_core = -1\n"
		"eal_args = --vdev=net_tap0,iface=mtcp%q -m 64\nrcvbuf = 64KB\ntcp_timeout = 30\n"
		"fault_loss = 0.5%\nfault_rx_loss = 2%\nfault_tx_rate = 100Mbit\ncc = reno\n"
		"stat_print = dpdk0\npcap = /tmp/a b%q.pcap\nmultiprocess = 0 master\nspin = 1.5us\n");
	struct config_try again = config_try_begin();
	char *first = dump(t.cfg);
	char *second;

	CU_ASSERT_EQUAL(t.problems, 0);
	config_try_parse(&again, first);
	CU_ASSERT_EQUAL(again.problems, 0);
	second = dump(again.cfg);
	CU_ASSERT_STRING_EQUAL(without_comments(first), without_comments(second));
	free(first);
	free(second);
	config_try_end(&t);
	config_try_end(&again);
}

static void
test_a_dump_tells_where_each_value_came_from(void)
{
	struct config_try t = config_try_text("\naddress = 10.0.0.2/24\naddress = 10.0.0.3/24\n"
	                                      "cc = reno\n");
	char *text;

	config_try_set(&t, "num_cores = 3");
	text = dump(t.cfg);
	CU_ASSERT_PTR_NOT_NULL(strstr(text, "\naddress = 10.0.0.2/24 10.0.0.3/24  # f.conf:2\n"));
	CU_ASSERT_PTR_NOT_NULL(strstr(text, "\ncc = reno  # f.conf:4\n"));
	CU_ASSERT_PTR_NOT_NULL(strstr(text, "\nnum_cores = 3  # set by the program\n"));
	CU_ASSERT_PTR_NOT_NULL(strstr(text, "\ntcp_sack = on  # default\n"));
	CU_ASSERT_PTR_NOT_NULL(strstr(text, "\n#pcap =  # default\n"));
	free(text);
	config_try_end(&t);
}

/* -------------------------------------------------------------------------- files */

static void
load_says(const char *path, const char *complaint)
{
	struct config_try t = config_try_begin();

	config_try_load(&t, path);
	CU_ASSERT_EQUAL(t.problems, 1);
	CU_ASSERT_STRING_EQUAL(t.said, complaint);
	config_try_end(&t);
}

static void
test_files_that_cannot_be_read_are_one_line(void)
{
	load_says("/nonexistent/x.conf", "/nonexistent/x.conf: no such file\n");
	load_says("/", "/: is a directory, not a file\n");
	load_says("/dev/zero", "/dev/zero: is larger than 1 MB: not a configuration file\n");
}

static void
test_a_name_of_any_length_is_no_harm(void)
{
	struct config_try t = config_try_begin();
	char path[3000];

	memset(path, 'a', sizeof path - 1);
	path[sizeof path - 1] = '\0';
	config_try_load(&t, path);
	CU_ASSERT_EQUAL(t.problems, 1);
	config_try_end(&t);
}

static unsigned
sample_load(const char *folder, const char *name)
{
	struct config_try t = config_try_begin();
	char path[1024];

	snprintf(path, sizeof path, "%s/%s", folder, name);
	config_try_load(&t, path);
	CU_ASSERT_EQUAL(t.problems, 0);
	if (t.problems)
		printf("  %s", t.said);
	config_try_check(&t);
	CU_ASSERT_EQUAL(t.problems, 0);
	if (t.problems)
		printf("  %s", t.said);
	config_try_end(&t);
	return 1;
}

/* nginx.conf is nginx's own. */
static bool
is_sample(const char *name)
{
	const char *dot = strrchr(name, '.');

	return dot && strcmp(dot, ".conf") == 0 && strcmp(name, "nginx.conf") != 0;
}

static void
test_each_sample_can_be_used_as_it_is(void)
{
	const char *top = getenv("MTCP_SRCDIR");
	char folder[512];
	unsigned seen = 0;
	struct dirent *e;
	DIR *dir;

	snprintf(folder, sizeof folder, "%s/config", top ? top : ".");
	dir = opendir(folder);
	CU_ASSERT_PTR_NOT_NULL_FATAL(dir);
	while ((e = readdir(dir)))
		if (is_sample(e->d_name))
			seen += sample_load(folder, e->d_name);
	closedir(dir);
	CU_ASSERT_TRUE(seen >= 8);
}

void
suite_config(void)
{
	CU_pSuite s = CU_add_suite("config", NULL, NULL);

	CU_add_test(s, "an empty text leaves every default",
	            test_an_empty_text_leaves_every_default);
	CU_add_test(s, "a file of the original is understood",
	            test_a_file_of_the_original_is_understood);
	CU_add_test(s, "spelling of lines is free", test_spelling_of_lines_is_free);
	CU_add_test(s, "wrong lines are named with their number",
	            test_wrong_lines_are_named_with_their_number);
	CU_add_test(s, "a second value names the line of the first",
	            test_a_second_value_names_the_line_of_the_first);
	CU_add_test(s, "every problem is told, not only the first",
	            test_every_problem_is_told_not_only_the_first);
	CU_add_test(s, "nobody has to listen to problems", test_nobody_has_to_listen_to_problems);
	CU_add_test(s, "buffers grow unless their size was asked for",
	            test_buffers_grow_unless_their_size_was_asked_for);
	CU_add_test(s, "an override makes buffers grow again",
	            test_an_override_makes_buffers_grow_again);
	CU_add_test(s, "sockets grow with connections", test_sockets_grow_with_connections);
	CU_add_test(s, "values that contradict each other are told",
	            test_values_that_contradict_each_other_are_told);
	CU_add_test(s, "static neighbours have to fit", test_static_neighbours_have_to_fit);
	CU_add_test(s, "an override beats the file and an earlier one",
	            test_an_override_beats_the_file_and_an_earlier_one);
	CU_add_test(s, "a refused override changes nothing",
	            test_a_refused_override_changes_nothing);
	CU_add_test(s, "a dump reads back as the same", test_a_dump_reads_back_as_the_same);
	CU_add_test(s, "a dump tells where each value came from",
	            test_a_dump_tells_where_each_value_came_from);
	CU_add_test(s, "files that cannot be read are one line",
	            test_files_that_cannot_be_read_are_one_line);
	CU_add_test(s, "a name of any length is no harm", test_a_name_of_any_length_is_no_harm);
	CU_add_test(s, "each sample can be used as it is", test_each_sample_can_be_used_as_it_is);
}
