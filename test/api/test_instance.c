/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A program's start and end.  Each story runs in a child of its own: the
 * instance is one a process.  The network is net_ring: what is sent comes back.
 */
#include "test/io_engine/dpdk_child.h"

#include <errno.h>
#include <signal.h>

#include "mtcp_epoll.h"

void suite_instance(void);

#define GOOD                                                                                       \
	"eal_args = --no-huge --vdev=net_ring0\nnum_cores = 1\nmemory = 64M\naddress = 10.9.8.7/24\n" \
	"max_concurrency = 100\n"

/* A file with this text: its name, in `name`. */
static void
write_file(char name[64], const char *text)
{
	FILE *f;

	snprintf(name, 64, "/tmp/mtcp-test-%d.conf", (int)getpid());
	f = fopen(name, "w");
	if (!f)
		abort();
	fputs(text, f);
	fclose(f);
}

/* Says how a call went: its value, and errno if it failed. */
static void
say(char said[SAID], const char *what, int rc)
{
	tell(said, "%s %d%s%s; ", what, rc, rc < 0 ? " " : "", rc < 0 ? strerrorname_np(errno) : "");
}

static int
init(const char *text)
{
	char name[64];
	int rc;

	write_file(name, text);
	rc = mtcp_init(name);
	unlink(name);
	return rc;
}

/* -- without a network ---------------------------------------------------- */

static void
wrong_start(char said[SAID])
{
	say(said, "null", mtcp_init(NULL));
	freopen("/dev/null", "w", stderr);
	say(said, "missing", mtcp_init("/nonexistent/file.conf"));
	say(said, "key", init("no_such_key = 1\n"));
	say(said, "address", init("num_cores = 1\n"));
	say(said, "context", mtcp_create_context(0) ? 0 : -1);
	mtcp_destroy_context(NULL);
	mtcp_destroy();
	mtcp_destroy();
}

static void
test_a_wrong_start_says_why_and_leaves_nothing(void)
{
	check_says(wrong_start, "null -1 EFAULT; missing -1 ENOENT; key -1 EINVAL; "
	                        "address -1 EINVAL; context -1 EINVAL; ");
}

static void
settings(char said[SAID])
{
	struct mtcp_conf c;

	freopen("/dev/null", "w", stderr);
	say(said, "get", mtcp_getconf(&c));
	c.num_cores = 3;
	c.rcvbuf_size = 8192;
	say(said, "set", mtcp_setconf(&c));
	say(said, "key", mtcp_config_set("max_concurrency = 77"));
	say(said, "bad", mtcp_config_set("no_such_key = 77"));
	c.num_cores = 100000;
	say(said, "range", mtcp_setconf(&c));
	mtcp_getconf(&c);
	tell(said, "%d %d %d", c.num_cores, c.rcvbuf_size, c.max_concurrency);
	mtcp_destroy();
}

static void
test_settings_wait_for_the_start(void)
{
	check_says(settings, "get 0; set 0; key 0; bad -1 EINVAL; range -1 EINVAL; 3 8192 77");
}

static void
check_and_dump(char said[SAID])
{
	char name[64], *text = NULL;
	size_t len = 0;
	FILE *out = open_memstream(&text, &len);

	write_file(name, "address = 10.9.8.7/24\nrcvbuf = lots\n");
	say(said, "bad", mtcp_check_config(name, out));
	fflush(out);
	tell(said, "%s", strstr(text, ".conf:2: rcvbuf") ? "with its line; " : text);
	write_file(name, "address = 10.9.8.7/24\nrcvbuf = 8K\n");
	say(said, "good", mtcp_check_config(name, out));
	say(said, "dump", mtcp_dump_config(out));
	fclose(out);
	tell(said, "%s", strstr(text, "rcvbuf = 8K") || strstr(text, "rcvbuf = 8192") ?
	                         "with its value" : text);
	unlink(name);
	free(text);
	mtcp_destroy();
}

static void
test_a_file_is_checked_and_dumped_without_a_network(void)
{
	check_says(check_and_dump,
	           "bad -1 EINVAL; with its line; good 0; dump 0; with its value");
}

static void
ignore(int sig)
{
	(void)sig;
}

static void
signals(char said[SAID])
{
	struct sigaction act;

	tell(said, "%d ", mtcp_register_signal(SIGUSR1, ignore) == SIG_DFL);
	tell(said, "%d ", mtcp_register_signal(SIGUSR1, SIG_IGN) == ignore);
	tell(said, "%d ", mtcp_register_signal(SIGKILL, ignore) == SIG_ERR);
	sigaction(SIGUSR1, NULL, &act);
	tell(said, "%d", (act.sa_flags & SA_RESTART) == 0);
}

static void
test_signals_are_handled_only_on_demand(void)
{
	check_says(signals, "1 1 1 1");
}

/* -- with one ------------------------------------------------------------- */

static void
whole_life(char said[SAID])
{
	struct mtcp_conf c;
	mctx_t m;
	int id;

	say(said, "init", init(GOOD));
	freopen("/dev/null", "w", stderr);
	say(said, "again", init(GOOD));
	say(said, "late", mtcp_config_set("num_cores = 2"));
	mtcp_getconf(&c);
	c.max_concurrency = 50;
	say(said, "set", mtcp_setconf(&c));
	c.num_cores = 2;
	say(said, "cores", mtcp_setconf(&c));
	say(said, "cpu", mtcp_core_affinitize(0));
	say(said, "no cpu", mtcp_core_affinitize(1));
	m = mtcp_create_context(0);
	say(said, "context", m ? 0 : -1);
	say(said, "second", mtcp_create_context(0) ? 0 : -1);
	say(said, "other", mtcp_create_context(1) ? 0 : -1);
	say(said, "busy", mtcp_setconf(&c));
	id = mtcp_socket(m, AF_INET, SOCK_STREAM, 0);
	say(said, "close", mtcp_close(m, id));
	mtcp_destroy_context(m);
	m = mtcp_create_context(0);
	tell(said, "%s", m ? "and again" : "not again");
	mtcp_destroy();
}

static void
test_a_whole_life(void)
{
	if (!io_dpdk_built())
		return;
	check_says(whole_life,
	           "init 0; again -1 EALREADY; late -1 EBUSY; set 0; cores -1 EBUSY; cpu 0; "
	           "no cpu -1 EINVAL; context 0; second -1 EBUSY; other -1 EINVAL; busy -1 EBUSY; close 0; "
	           "and again");
}

static void
plain_exit(char said[SAID])
{
	mctx_t m;

	say(said, "init", init(GOOD));
	m = mtcp_create_context(0);
	tell(said, "%s", m && mtcp_socket(m, AF_INET, SOCK_STREAM, 0) >= 0 ? "ready" : "not ready");
	exit(0); /* and no call of the library before */
}

static void
test_exit_ends_the_pairs(void)
{
	if (io_dpdk_built())
		check_says(plain_exit, "init 0; ready");
}

/* Contexts come, go and come again beside others; the one that went last is never missed. */
static void
three_cores(char said[SAID])
{
	mctx_t m[3];

	say(said, "init", init("eal_args = --no-huge --vdev=net_ring0\nnum_cores = 3\nmemory = 64M\n"
	                       "address = 10.9.8.7/24\nmax_concurrency = 100\n"));
	for (int i = 0; i < 3; i++)
		m[i] = mtcp_create_context(i);
	say(said, "contexts", m[0] && m[1] && m[2] ? 0 : -1);
	mtcp_destroy_context(m[0]);
	mtcp_destroy_context(m[2]);
	say(said, "socket", mtcp_socket(m[1], AF_INET, SOCK_STREAM, 0) >= 0 ? 0 : -1);
	m[0] = mtcp_create_context(0);
	say(said, "again", m[0] ? 0 : -1);
	say(said, "twice", mtcp_create_context(0) ? 0 : -1);
	mtcp_destroy_context(m[1]);
	mtcp_destroy();
	tell(said, "end");
}

static void
test_contexts_come_and_go_beside_others(void)
{
	if (io_dpdk_built())
		check_says(three_cores, "init 0; contexts 0; socket 0; again 0; twice -1 EBUSY; end");
}

void
suite_instance(void)
{
	CU_pSuite s = CU_add_suite("api/instance", NULL, NULL);

	CU_add_test(s, "a wrong start says why and leaves nothing",
	            test_a_wrong_start_says_why_and_leaves_nothing);
	CU_add_test(s, "settings wait for the start", test_settings_wait_for_the_start);
	CU_add_test(s, "a file is checked and dumped without a network",
	            test_a_file_is_checked_and_dumped_without_a_network);
	CU_add_test(s, "signals are handled only on demand",
	            test_signals_are_handled_only_on_demand);
	CU_add_test(s, "a whole life", test_a_whole_life);
	CU_add_test(s, "exit ends the pairs", test_exit_ends_the_pairs);
	CU_add_test(s, "contexts come and go beside others",
	            test_contexts_come_and_go_beside_others);
}
