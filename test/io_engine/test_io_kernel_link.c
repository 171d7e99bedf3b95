/* SPDX-License-Identifier: BSD-3-Clause */
/* Interfaces that are made, found and refused, in a network namespace of a child's own. */
#include <CUnit/CUnit.h>

#include <errno.h>
#include <net/if.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "io_engine/io_kernel.h"

void suite_io_kernel_link(void);

#define SKIPPED 7

static const struct io_kernel_addr two[] = {
	{ { { 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 192, 0, 2, 7 } }, 96 + 24 },
	{ { { 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 192, 0, 2, 8 } }, 96 + 24 },
};

static struct io_kernel_config
config(const char *name)
{
	return (struct io_kernel_config){
		.name = name, .mac = { 2, 0, 0, 0, 0, 9 }, .mtu = 1400, .addr = two, .n_addrs = 2,
	};
}

/* In a namespace of its own, which few may have.  True, or it was skipped. */
static bool
holds_in_child(bool (*what)(void))
{
	pid_t pid = fork();
	int status;

	if (pid == 0) {
		if (unshare(CLONE_NEWNET) < 0 && unshare(CLONE_NEWUSER | CLONE_NEWNET) < 0)
			_exit(SKIPPED);
		if (access("/dev/net/tun", R_OK | W_OK) < 0)
			_exit(SKIPPED);
		_exit(what() ? 0 : 1);
	}
	if (pid < 0 || waitpid(pid, &status, 0) != pid || !WIFEXITED(status))
		return false;
	if (WEXITSTATUS(status) == SKIPPED)
		printf("(no namespace here) ");
	return WEXITSTATUS(status) == 0 || WEXITSTATUS(status) == SKIPPED;
}

/* What the kernel says of the interface. */
static bool
asks(const char *name, unsigned long what, struct ifreq *ifr)
{
	int s = socket(AF_INET, SOCK_DGRAM, 0);
	int rc;

	memset(ifr, 0, sizeof *ifr);
	snprintf(ifr->ifr_name, sizeof ifr->ifr_name, "%s", name);
	rc = ioctl(s, what, ifr);
	close(s);
	return rc == 0;
}

static bool
is_as_asked_for(const char *name)
{
	static const uint8_t mac[6] = { 2, 0, 0, 0, 0, 9 }, ip[4] = { 192, 0, 2, 7 };
	struct ifreq i;

	return asks(name, SIOCGIFHWADDR, &i) && memcmp(i.ifr_hwaddr.sa_data, mac, 6) == 0 &&
	       asks(name, SIOCGIFMTU, &i) && i.ifr_mtu == 1400 && asks(name, SIOCGIFFLAGS, &i) &&
	       (i.ifr_flags & IFF_UP) && asks(name, SIOCGIFADDR, &i) &&
	       memcmp(i.ifr_addr.sa_data + 2, ip, 4) == 0;
}

static bool
makes_one(void)
{
	struct io_kernel_config cfg = config("beside0");
	struct io *first, *second;
	char err[256];

	if (io_kernel_open(&cfg, &first, err, sizeof err) || !is_as_asked_for("beside0"))
		return false;
	if (io_kernel_open(&cfg, &second, err, sizeof err)) /* another core's queue */
		return false;
	first->ops->close(first);
	if (!is_as_asked_for("beside0"))
		return false;
	second->ops->close(second);
	return if_nametoindex("beside0") == 0;
}

static bool
refuses(void)
{
	struct io_kernel_config cfg = config("lo");
	struct io *io;
	char err[256] = "";

	return io_kernel_open(&cfg, &io, err, sizeof err) == -EINVAL &&
	       strstr(err, "tap:lo: no queue of it") && !io;
}

/* The network sees one host: an interface with another address cannot stand beside the port. */
static bool
takes_the_address(void)
{
	struct io_kernel_config cfg = config("beside0"), other = config("beside0");
	struct io *io, *again;
	char err[256];

	if (io_kernel_open(&cfg, &io, err, sizeof err))
		return false;
	other.mac[5] = 10;
	if (io_kernel_open(&other, &again, err, sizeof err))
		return strstr(err, "cannot take the port's link address") != NULL;
	again->ops->close(again);
	io->ops->close(io);
	return true;
}

static void
test_one_is_made(void)
{
	CU_ASSERT(holds_in_child(makes_one));
}

static void
test_no_tap_is_refused(void)
{
	CU_ASSERT(holds_in_child(refuses));
}

static void
test_one_that_exists_takes_the_link_address(void)
{
	CU_ASSERT(holds_in_child(takes_the_address));
}

void
suite_io_kernel_link(void)
{
	CU_pSuite s = CU_add_suite("io_kernel_link", NULL, NULL);

	CU_add_test(s, "an interface is made, and goes with its last queue", test_one_is_made);
	CU_add_test(s, "what is no TAP is refused", test_no_tap_is_refused);
	CU_add_test(s, "one that exists takes the port's link address",
	            test_one_that_exists_takes_the_link_address);
}
