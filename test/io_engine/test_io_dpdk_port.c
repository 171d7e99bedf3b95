/* SPDX-License-Identifier: BSD-3-Clause */
/* Opening logical ports over devices that need nothing from the machine, but for a TAP in a
 * network namespace of its own where that can be had. */
#include <fcntl.h>
#include <linux/if_tun.h>
#include <net/if.h>
#include <sched.h>
#include <sys/ioctl.h>

#include "test/io_engine/dpdk_child.h"

static void
unknown_devices(char said[SAID])
{
	struct io_dpdk *dpdk = started(said, "--no-huge --vdev=net_null0 --vdev=net_ring0");

	opened(said, dpdk, "net_tap0", 1);
	tell(said, " | ");
	opened(said, dpdk, "dpdk2", 1);
	tell(said, " | ");
	opened(said, dpdk, "net_null0,,", 1);
	io_dpdk_stop(dpdk);
}

static void
test_an_unknown_device_is_told_with_those_there_are(void)
{
	check_says(unknown_devices,
	           "port net_tap0: no such device; there is net_null0, net_ring0 | "
	           "port dpdk2: no such device; there is net_null0, net_ring0 | "
	           "port: a device's name is empty or too long");
}

static void
no_devices(char said[SAID])
{
	struct io_dpdk *dpdk = started(said, "--no-huge --no-pci");

	opened(said, dpdk, "dpdk0", 1);
	io_dpdk_stop(dpdk);
}

static void
test_without_any_device_it_says_how_to_make_one(void)
{
	check_says(no_devices, "port dpdk0: no such device; there is no device at all: eal_args "
	                       "makes them, as in --vdev=net_tap0");
}

/* A core beyond the last queue: it holds packets, and moves none. */
static void
too_few_queues(char said[SAID])
{
	struct io_dpdk *dpdk = started(said, "--no-huge -m 250 --vdev=net_ring0");
	struct io_dpdk_port *port = opened(said, dpdk, "net_ring0", 17);
	struct io *io = port ? io_dpdk_queue(port, 16) : NULL;
	struct io_pkt pkt[2];
	struct io_info info;

	if (io) {
		io->ops->info(io, &info);
		tell(said, "queue %d of %u, mtu %u, ", (int)info.queue, info.queues, info.mtu);
		tell(said, "got %u, rx %u", io_alloc(io, pkt, 2), io_rx(io, 0, pkt + 1, 1));
		io_release(io, pkt, 2);
		io->ops->close(io);
	}
	io_dpdk_port_close(port);
	io_dpdk_stop(dpdk);
}

static void
test_cores_may_be_more_than_queues(void)
{
	check_says(too_few_queues, "queue -1 of 16, mtu 1500, got 2, rx 0");
}

static void
too_few_cores(char said[SAID])
{
	struct io_dpdk *dpdk = started(said, "--no-huge --vdev=net_ring0 --vdev=net_ring1");

	opened(said, dpdk, "net_ring0,net_ring1", 1);
	io_dpdk_stop(dpdk);
}

static void
test_a_device_that_no_core_would_serve_is_refused(void)
{
	check_says(too_few_cores,
	           "port net_ring0,net_ring1: 2 devices need as many cores, but 1 configured");
}

static void
device_twice(char said[SAID])
{
	struct io_dpdk *dpdk = started(said, "--no-huge --vdev=net_ring0");
	struct io_dpdk_port *port = opened(said, dpdk, "dpdk0", 1);

	opened(said, dpdk, "net_ring0", 1);
	io_dpdk_port_close(port);
	io_dpdk_stop(dpdk);
}

static void
test_a_device_belongs_to_one_port(void)
{
	check_says(device_twice, "port net_ring0: the device is in use already");
}

static void
short_of_memory(char said[SAID])
{
	struct io_dpdk *dpdk = started(said, "--no-huge -m 4 --vdev=net_ring0");

	opened(said, dpdk, "net_ring0", 1);
	io_dpdk_stop(dpdk);
}

static void
test_short_memory_is_told_with_the_remedy(void)
{
	check_holds(short_of_memory, "-m in eal_args gives DPDK more megabytes");
}

static void
several_devices(char said[SAID])
{
	struct io_dpdk *dpdk =
	    started(said, "--no-huge --vdev=net_null0 --vdev=net_null1 --vdev=net_null2");
	struct io_dpdk_port *port = opened(said, dpdk, "net_null2,dpdk0", 2);

	for (unsigned c = 0; port && c < 2; c++) {
		struct io *io = io_dpdk_queue(port, c);
		struct io_info info;

		io->ops->info(io, &info);
		tell(said, "[%u of %u, mtu %u]", info.queue, info.queues, info.mtu);
		io->ops->close(io);
	}
	tell(said, " link %d", port && io_dpdk_port_link(port));
	io_dpdk_port_close(port);
	port = opened(said, dpdk, "net_null1", 1);
	tell(said, ", another %d", port != NULL);
	io_dpdk_port_close(port);
	io_dpdk_stop(dpdk);
}

static void
test_several_devices_make_one_port(void)
{
	check_says(several_devices, "[0 of 2, mtu 1500][1 of 2, mtu 1500] link 1, another 1");
}

/* ---- a TAP's queue among several processes -------------------------------- */

static bool
own_network(void)
{
	return access("/dev/net/tun", R_OK | W_OK) == 0 &&
	       (unshare(CLONE_NEWNET) == 0 || unshare(CLONE_NEWUSER | CLONE_NEWNET) == 0);
}

static bool
fd_is_attached(int fd)
{
	struct ifreq ifr = { 0 };

	return ioctl(fd, TUNGETIFF, &ifr) == 0 && !(ifr.ifr_flags & IFF_DETACH_QUEUE);
}

static bool
is_attached(struct io *io)
{
	return fd_is_attached(io->ops->rx_fd(io));
}

static void
tap_here(char said[SAID], unsigned all_cores)
{
	struct io_dpdk *dpdk = started(said, "--no-huge --vdev=net_tap0,iface=mtcptest");
	struct io_dpdk_port_config cfg = { .devices = "net_tap0", .cores = 1, .numa_node = -1,
		                           .all_cores = all_cores };
	struct io_dpdk_port *port;
	char err[400];
	struct io *io;

	if (!dpdk || io_dpdk_port_open(dpdk, &cfg, &port, err, sizeof err)) {
		tell(said, "%s", dpdk ? err : "");
		return;
	}
	io = io_dpdk_queue(port, 0);
	for (int i = 0; i < 2; i++) {
		tell(said, "opened %d, ", is_attached(io));
		tell(said, "begun %d ", io_begin(io));
		tell(said, "%d, ", is_attached(io));
		io->ops->close(io);
		tell(said, "closed %d; ", is_attached(io));
	}
	io_dpdk_port_close(port);
	io_dpdk_stop(dpdk);
}

/* The linker gives the engine's calls of this name to us. */
int __real_rte_eth_dev_start(uint16_t id);
int __wrap_rte_eth_dev_start(uint16_t id);
static int starts_to_fail;

int
__wrap_rte_eth_dev_start(uint16_t id)
{
	return starts_to_fail-- > 0 ? -EIO : __real_rte_eth_dev_start(id);
}

/* The second try is one without interrupts, whose queue nobody could attach later. */
static void
tap_at_second_try(char said[SAID])
{
	struct io_dpdk_port_config cfg = { .devices = "net_tap0", .cores = 1, .numa_node = -1,
		                           .all_cores = 2 };
	struct io_dpdk_port *port;
	struct io_dpdk *dpdk;
	char err[400];
	int next;

	if (!own_network()) {
		tell(said, "no network");
		return;
	}
	dpdk = started(said, "--no-huge --vdev=net_tap0,iface=mtcptest");
	next = open("/dev/null", O_RDONLY);
	close(next);
	starts_to_fail = 1;
	if (!dpdk || io_dpdk_port_open(dpdk, &cfg, &port, err, sizeof err)) {
		tell(said, "%s", dpdk ? err : "");
		return;
	}
	tell(said, "waits %d, attached %d", io_dpdk_queue(port, 0)->ops->rx_fd(io_dpdk_queue(port, 0)),
	     fd_is_attached(next));
	io_dpdk_port_close(port);
	io_dpdk_stop(dpdk);
}

static void
tap_of(char said[SAID], unsigned all_cores)
{
	if (own_network())
		tap_here(said, all_cores);
	else
		tell(said, "no network");
}

static void
tap_of_two(char said[SAID])
{
	tap_of(said, 2);
}

static void
tap_of_one(char said[SAID])
{
	tap_of(said, 0);
}

/* Who may not make a network namespace sees that it was not tried. */
static void
check_tap(void (*story)(char said[SAID]), const char *expect)
{
	char *said = in_child(story);

	if (strcmp(said, "no network") == 0)
		printf(" (no network namespace: not tried) ");
	else
		CU_ASSERT_STRING_EQUAL(said, expect);
	free(said);
}

static void
test_a_shared_tap_gets_packets_while_somebody_reads(void)
{
	check_tap(tap_of_two, "opened 0, begun 0 1, closed 0; opened 0, begun 0 1, closed 0; ");
}

static void
test_a_shared_tap_that_starts_at_the_second_try_gets_packets(void)
{
	check_tap(tap_at_second_try, "waits -1, attached 1");
}

static void
test_a_tap_of_one_process_keeps_what_comes_early(void)
{
	check_tap(tap_of_one, "opened 1, begun 0 1, closed 1; opened 1, begun 0 1, closed 1; ");
}

void
io_dpdk_port_tests(void)
{
	CU_pSuite s = CU_add_suite("io_dpdk_port", NULL, NULL);

	CU_add_test(s, "an unknown device is told with those there are",
	            test_an_unknown_device_is_told_with_those_there_are);
	CU_add_test(s, "without any device it says how to make one",
	            test_without_any_device_it_says_how_to_make_one);
	CU_add_test(s, "cores may be more than queues", test_cores_may_be_more_than_queues);
	CU_add_test(s, "a device that no core would serve is refused",
	            test_a_device_that_no_core_would_serve_is_refused);
	CU_add_test(s, "a device belongs to one port", test_a_device_belongs_to_one_port);
	CU_add_test(s, "short memory is told with the remedy",
	            test_short_memory_is_told_with_the_remedy);
	CU_add_test(s, "several devices make one port", test_several_devices_make_one_port);
	CU_add_test(s, "a shared TAP gets packets while somebody reads",
	            test_a_shared_tap_gets_packets_while_somebody_reads);
	CU_add_test(s, "a shared TAP that starts at the second try gets packets",
	            test_a_shared_tap_that_starts_at_the_second_try_gets_packets);
	CU_add_test(s, "a TAP of one process keeps what comes early",
	            test_a_tap_of_one_process_keeps_what_comes_early);
}
