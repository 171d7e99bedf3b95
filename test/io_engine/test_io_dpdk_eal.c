/* SPDX-License-Identifier: BSD-3-Clause */
/* Starting and stopping DPDK's environment, without privilege and hugepages. */
#include <sched.h>
#include <signal.h>

#include "test/io_engine/dpdk_child.h"

static void
start_and_stop(char said[SAID])
{
	struct io_dpdk *dpdk = started(said, "--no-huge --vdev=net_null0 --vdev=net_ring0");
	char name[IO_DPDK_NAME];

	if (!dpdk)
		return;
	tell(said, "%u devices:", io_dpdk_devices(dpdk));
	for (unsigned i = 0; io_dpdk_device_name(dpdk, i, name); i++)
		tell(said, " %s", name);
	io_dpdk_stop(dpdk);
}

static void
test_it_starts_tells_its_devices_and_stops(void)
{
	check_says(start_and_stop, "2 devices: net_null0 net_ring0");
}

static void
keep_signals_and_affinity(char said[SAID])
{
	cpu_set_t before, after;
	struct sigaction sa;
	struct io_dpdk *dpdk;

	CPU_ZERO(&before);
	CPU_ZERO(&after);
	sched_getaffinity(0, sizeof before, &before);
	signal(SIGRTMIN + 3, exit);
	dpdk = started(said, "--no-huge --vdev=net_null0");
	sched_getaffinity(0, sizeof after, &after);
	sigaction(SIGRTMIN + 3, NULL, &sa);
	tell(said, "affinity %d, handler %d", CPU_EQUAL(&before, &after), sa.sa_handler == exit);
	sigaction(SIGRTMIN + 4, NULL, &sa);
	tell(said, ", ignored %d", sa.sa_handler == SIG_IGN);
	io_dpdk_stop(dpdk);
	sigaction(SIGRTMIN + 4, NULL, &sa);
	tell(said, ", restored %d", sa.sa_handler == SIG_DFL);
	tell(said, ", environment %d", getenv("RUNTIME_DIRECTORY") == NULL);
}

static void
test_the_process_stays_its_own(void)
{
	check_says(keep_signals_and_affinity,
	           "affinity 1, handler 1, ignored 1, restored 1, environment 1");
}

static void
leave_nothing(char said[SAID])
{
	char path[64];
	struct io_dpdk *dpdk = started(said, "--no-huge --vdev=net_null0");

	snprintf(path, sizeof path, "/var/run/dpdk/mtcp-%d", getpid());
	tell(said, "folder %d", access(path, F_OK) == 0);
	tell(said, " %d", getenv("RUNTIME_DIRECTORY") != NULL);
	io_dpdk_stop(dpdk);
	tell(said, " %d", access(path, F_OK) == 0);
	tell(said, ", ");
	started(said, "--no-huge --vdev=net_null0");
}

static void
test_nothing_stays_behind_and_a_second_start_says_why_not(void)
{
	check_says(leave_nothing, "folder 0 0 0, DPDK can be started only once in a process");
}

static void
wrong_option(char said[SAID])
{
	started(said, "--no-huge --frobnicate");
}

static void
device_that_fails(char said[SAID])
{
	started(said, "--no-huge --vdev=net_af_packet0,iface=mtcp-none");
}

static void
open_quote(char said[SAID])
{
	started(said, "--vdev='net_null0");
}

static void
test_each_failure_is_one_line_that_quotes_the_reason(void)
{
	check_holds(wrong_option, "DPDK does not start: mtcp: unrecognized option '--frobnicate'");
	check_holds(device_that_fails, "device net_af_packet0 does not start: ");
	check_says(open_quote, "eal_args: a quote is not closed");
}

void
io_dpdk_eal_tests(void)
{
	CU_pSuite s = CU_add_suite("io_dpdk_eal", NULL, NULL);

	CU_add_test(s, "it starts, tells its devices and stops",
	            test_it_starts_tells_its_devices_and_stops);
	CU_add_test(s, "the process stays its own", test_the_process_stays_its_own);
	CU_add_test(s, "nothing stays behind and a second start says why not",
	            test_nothing_stays_behind_and_a_second_start_says_why_not);
	CU_add_test(s, "each failure is one line that quotes the reason",
	            test_each_failure_is_one_line_that_quotes_the_reason);
}
